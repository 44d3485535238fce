//! What is printed: for a person with colours on a terminal, for a program as JSON.

use std::{borrow::Cow, fmt::Display, io::Write, path::Path, process::ExitCode};

use anstyle::Style;
use nekro_core::{Message, MessageFile, PluginId, Reply};
use serde::Serialize;
use serde_json::{Value, json};

use crate::{
    ports::Outbox,
    settings::{InClear, Mistakes},
    storage::StorageError,
    style::{DIM, RED},
};

/// Where a command prints.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Screen {
    json: bool,
}

impl Screen {
    pub(crate) fn new(json: bool) -> Self {
        Self { json }
    }

    pub(crate) fn is_json(&self) -> bool {
        self.json
    }

    /// Prints a value for a program, or a text for a person.
    pub(crate) fn show(&self, value: &impl Serialize, text: impl FnOnce() -> String) {
        if self.json {
            self.line(serde_json::to_string(value).unwrap_or_else(|error| json!({ "error": error.to_string() }).to_string()));
        } else {
            self.line(text());
        }
    }

    /// Prints a line. A reader that has gone away, such as `head`, is no failure.
    pub(crate) fn line(&self, line: impl Display) {
        let _ = writeln!(anstream::stdout(), "{line}");
    }

    /// Prints what a tool or a command answered.
    pub(crate) fn reply(&self, reply: &Reply) {
        let value = || serde_json::from_str(&reply.json).unwrap_or(Value::Null);
        if self.json {
            let mut line = json!({ "kind": reply.kind, "value": value() });
            if let Some(note) = &reply.note {
                line["note"] = note.as_str().into();
            }
            if !reply.content.is_empty() {
                line["text"] = reply.to_text().into();
            }
            self.line(line);
            return;
        }
        let text = reply.to_text();
        if !text.is_empty() {
            self.line(plain(&text));
        }
        if let Some(note) = &reply.note {
            self.line(format_args!("{DIM}{}{DIM:#}", plain(note)));
        }
    }

    /// Prints the messages that plugins have sent meanwhile.
    pub(crate) fn messages(&self, outbox: &Outbox) {
        for line in self.told(outbox) {
            self.line(line);
        }
    }

    /// Takes out the messages that plugins have sent meanwhile, as they are printed.
    pub(crate) fn told(&self, outbox: &Outbox) -> Vec<String> {
        let line = |(plugin, message): (PluginId, Message)| {
            if self.json {
                let file =
                    |file: &MessageFile| json!({ "name": file.name, "media_type": file.media_type, "bytes": file.bytes.len() });
                let mut line = json!({ "message": message, "plugin": plugin });
                if !message.files.is_empty() {
                    line["message"]["files"] = message.files.iter().map(file).collect();
                }
                line.to_string()
            } else {
                let file = |file: &MessageFile| {
                    format!("\n{DIM}(file {}, {}, {} bytes){DIM:#}", plain(&file.name), plain(&file.media_type), file.bytes.len())
                };
                let files: String = message.files.iter().map(file).collect();
                format!("{DIM}{plugin}:{DIM:#} {}{files}", plain(&message.text))
            }
        };
        outbox.take().into_iter().map(line).collect()
    }

    /// Warns of secrets that others may see. On standard error, so that what is printed stays what it is.
    pub(crate) fn warn_of_secrets<'s>(&self, secrets: impl IntoIterator<Item = &'s InClear>) {
        const HINT: &str = "`{ env = \"NAME\" }`, `{ file = \"PATH\" }` or `{ keyring = \"NAME\" }` keeps it elsewhere";
        for secret in secrets {
            let mut screen = anstream::stderr();
            let _ = if self.json {
                let mut warning = secret.to_json();
                warning["hint"] = HINT.into();
                writeln!(screen, "{}", json!({ "warning": warning }))
            } else {
                writeln!(screen, "{DIM}warning:{DIM:#} {}\n{DIM}hint:{DIM:#} {HINT}", plain(&secret.to_string()))
            };
        }
    }

    /// Prints an error, and what to do about it.
    pub(crate) fn error(&self, message: &str, hint: Option<&str>) {
        let mut screen = anstream::stderr();
        let _ = writeln!(screen, "{RED}error:{RED:#} {}", as_called(&plain(message)));
        if let Some(hint) = hint {
            let _ = writeln!(screen, "{DIM}hint:{DIM:#} {}", as_called(&plain(hint)));
        }
    }
}

/// Why a command failed.
#[derive(Debug)]
pub(crate) struct Failure {
    code: u8,
    error: Value,
}

impl Failure {
    /// The work failed.
    pub(crate) fn work(problem: impl Display) -> Self {
        Self { code: 1, error: json!({ "code": "failed", "message": problem.to_string() }) }
    }

    /// The command line or the configuration is wrong.
    pub(crate) fn usage(problem: impl Display) -> Self {
        Self { code: 2, error: json!({ "code": "usage", "message": problem.to_string() }) }
    }

    /// The settings are wrong.
    pub(crate) fn settings(mistakes: &Mistakes) -> Self {
        let error = json!({ "code": "settings", "message": mistakes.to_string(), "mistakes": mistakes.to_json() });
        Self { code: 2, error }
    }

    /// Something is not as it was reviewed; the exit code says how much that matters.
    pub(crate) fn changed(code: u8, problem: impl Display) -> Self {
        Self { code, error: json!({ "code": "changed", "message": problem.to_string() }) }
    }

    /// Adds what to do about it.
    pub(crate) fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.error["hint"] = hint.into().into();
        self
    }

    /// Something of what is kept cannot be written or read.
    pub(crate) fn storage(problem: StorageError) -> Self {
        Self::of(&problem.into())
    }

    /// The command line names something that is not there.
    pub(crate) fn unknown<'a>(what: &str, name: &str, known: impl IntoIterator<Item = &'a str>) -> Self {
        let mut failure = Self::usage(format!("there is no {what} `{name}`"));
        if let Some(meant) = nekro_core::suggest(name, known) {
            failure.error["hint"] = format!("did you mean `{meant}`?").into();
        }
        failure
    }

    /// A tool or a command said why.
    pub(crate) fn of(error: &nekro_core::Error) -> Self {
        let wrong_use =
            matches!(error.code(), "unknown_tool" | "unknown_command" | "unknown_task" | "invalid_arguments" | "invalid_event");
        let json = serde_json::to_value(error).unwrap_or_else(|_| json!({ "message": error.message() }));
        Self { code: if wrong_use { 2 } else { 1 }, error: json }
    }

    /// Returns what it says: what went wrong, and what to do about it.
    #[cfg(feature = "http")]
    pub(crate) fn told(&self) -> (&str, Option<&str>) {
        let text = |key| self.error.get(key).and_then(Value::as_str);
        (text("message").unwrap_or_default(), text("hint"))
    }

    /// Prints the failure, and gives the exit code.
    pub(crate) fn report(&self, screen: &Screen) -> ExitCode {
        let text = |key| self.error.get(key).and_then(Value::as_str);
        if screen.is_json() {
            let _ = writeln!(std::io::stderr(), "{}", json!({ "error": self.error }));
        } else {
            screen.error(text("message").unwrap_or_default(), text("hint"));
        }
        ExitCode::from(self.code)
    }
}

/// Takes the control characters out of a text that came from elsewhere: a message, an answer or an error could otherwise move the
/// cursor, retitle the window or hide what was printed before.
pub(crate) fn plain(text: &str) -> Cow<'_, str> {
    let harmless = |one: char| !one.is_control() || matches!(one, '\n' | '\t');
    if text.chars().all(harmless) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().map(|one| if harmless(one) { one } else { char::REPLACEMENT_CHARACTER }).collect())
}

/// Names the program in a text as it was called: `nekro doctor` is another command in an agent of one's own.
fn as_called(text: &str) -> String {
    let called =
        std::env::args_os().next().and_then(|path| Path::new(&path).file_stem().map(|name| name.to_string_lossy().into_owned()));
    text.replace("`nekro ", &format!("`{} ", called.as_deref().unwrap_or("nekro")))
}

/// Lays rows out in columns. On a terminal, the last one goes on below itself where it is too long.
pub(crate) fn table(rows: &[Vec<String>]) -> String {
    lay_out(rows, terminal_size::terminal_size().map(|(width, _)| usize::from(width.0)))
}

fn lay_out(rows: &[Vec<String>], terminal: Option<usize>) -> String {
    const SPACE: usize = 2;
    // Where the last column begins for a row whose other columns leave it too little.
    const BELOW: usize = 6;
    // A cell that is wider than this stands alone, so that it does not push the others away.
    let widest = terminal.map_or(usize::MAX, |width| width * 2 / 5);
    let count = rows.iter().map(Vec::len).max().unwrap_or(0);
    let of = |cell: &String| cell.chars().count();
    let width = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(of).filter(|width| *width <= widest).max();
    let widths: Vec<_> = (0..count).map(|column| width(column).unwrap_or(0)).collect();
    let line = |row: &Vec<String>| {
        let mut line = String::new();
        let mut at = 0;
        for (column, cell) in row.iter().enumerate() {
            let last = column + 1 == row.len();
            if last && column > 0 {
                let begin: usize = widths[..column].iter().map(|width| width + SPACE).sum();
                let begin = if terminal.is_some_and(|width| begin * 2 > width) { BELOW } else { begin };
                if at > begin {
                    line.truncate(line.trim_end().len());
                    line.push('\n');
                    at = 0;
                }
                line += &" ".repeat(begin - at);
                line += &wrapped(cell, begin, terminal);
            } else {
                let bold = if column == 0 { Style::new().bold() } else { Style::new() };
                line += &format!("{bold}{cell}{bold:#}");
                let space = if last { 0 } else { widths[column].saturating_sub(of(cell)) + SPACE };
                line += &" ".repeat(space);
                at += of(cell) + space;
            }
        }
        line
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// Breaks a text that begins in some column between words.
fn wrapped(text: &str, begin: usize, terminal: Option<usize>) -> String {
    const LEAST: usize = 20;
    let Some(room) = terminal.map(|width| width.saturating_sub(begin)).filter(|room| *room >= LEAST) else {
        return text.to_owned();
    };
    let mut lines = String::new();
    let mut at = 0;
    for word in text.split_inclusive(' ') {
        let width = word.trim_end().chars().count();
        if at > 0 && at + width > room {
            lines.truncate(lines.trim_end().len());
            lines += "\n";
            lines += &" ".repeat(begin);
            at = 0;
        }
        lines += word;
        at += word.chars().count();
    }
    lines
}

/// Writes a number of bytes for a person.
pub(crate) fn bytes(count: u64) -> String {
    const UNITS: [&str; 4] = ["bytes", "KiB", "MiB", "GiB"];
    let (mut rest, mut unit) = (count as f64, 0);
    while rest >= 1024.0 && unit + 1 < UNITS.len() {
        rest /= 1024.0;
        unit += 1;
    }
    if unit == 0 { format!("{count} bytes") } else { format!("{rest:.1} {}", UNITS[unit]) }
}

/// Returns the first sentence of a doc comment.
pub(crate) fn first_line(docs: &str) -> &str {
    docs.lines().next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    #[test]
    fn a_text_from_elsewhere_cannot_steer_the_terminal() {
        assert_eq!(plain("a\tb\nc é"), "a\tb\nc é");
        assert_eq!(plain("\u{1b}[2J\u{9b}1A\r\u{7}x"), "\u{fffd}[2J\u{fffd}1A\u{fffd}\u{fffd}x");
    }

    #[test]
    fn a_table_goes_on_below_itself_where_the_terminal_ends() {
        let row = |cells: &[&str]| cells.iter().map(|cell| (*cell).to_owned()).collect::<Vec<_>>();
        let rows = [
            row(&["/roll", "Rolls dice, such as 2d6+1, and adds them up."]),
            row(&["/guard [tool] [destructive]", "Shows the rules."]),
            row(&["alone"]),
        ];
        let plain = |text: String| anstream::adapter::strip_str(&text).to_string();
        expect![[r#"
            /roll  Rolls dice, such as 2d6+1, and
                   adds them up.
            /guard [tool] [destructive]
                   Shows the rules.
            alone"#]]
        .assert_eq(&plain(lay_out(&rows, Some(40))));
        expect![[r#"
            /roll                        Rolls dice, such as 2d6+1, and adds them up.
            /guard [tool] [destructive]  Shows the rules.
            alone"#]]
        .assert_eq(&plain(lay_out(&rows, None)));
        assert_eq!(lay_out(&[], Some(0)), "");
    }
}
