//! A line on a terminal that stands there for a moment: the next one takes its place.

use std::{
    future::{Ready, ready},
    io::{IsTerminal, Write, stdout},
    sync::{Mutex, PoisonError},
};

use nekro_core::{ProgressReport, kernel::Kernel};

use crate::{
    cli::{Screen, plain},
    progress,
};

/// What clears the line that the cursor stands in, to its end.
const CLEAR: &str = "\x1b[K";

/// How wide a terminal is that does not say so.
const USUAL_WIDTH: usize = 80;

/// Whether such a line stands on the terminal.
#[derive(Debug, Default)]
pub(crate) struct Passing {
    is_there: bool,
}

impl Passing {
    /// Writes the line in place of the one before. The cursor is left at its beginning, so that whatever is printed next is printed over it.
    pub(crate) fn show(&mut self, terminal: &mut impl Write, line: &str) {
        let width = terminal_size::terminal_size().map_or(USUAL_WIDTH, |(width, _)| usize::from(width.0));
        // A reader that has gone away is no failure.
        let _ = write!(terminal, "{CLEAR}{}\r", fitted(line, width.saturating_sub(1))).and_then(|()| terminal.flush());
        self.is_there = true;
    }

    /// Takes the line away.
    pub(crate) fn clear(&mut self, terminal: &mut impl Write) {
        if std::mem::take(&mut self.is_there) {
            let _ = write!(terminal, "{CLEAR}").and_then(|()| terminal.flush());
        }
    }
}

/// Says how far a call has come.
pub(crate) fn how_far(what: &str, report: &ProgressReport) -> String {
    format!("⋯ {} {}", plain(what), plain(&report.to_string()))
}

/// Makes a call of a tool, and shows on a terminal how far it has come, for as long as it goes on. What reads a pipe is shown nothing.
pub(crate) async fn tool_on_terminal<T>(kernel: &Kernel, tool: &str, screen: &Screen, call: impl Future<Output = T>) -> T {
    match OnTerminal::of(screen) {
        Some(line) => progress::of_tool(kernel, tool, call, |report| line.show(tool, &report)).await,
        None => call.await,
    }
}

/// As [`tool_on_terminal`], for a command without its slash.
pub(crate) async fn command_on_terminal<T>(kernel: &Kernel, command: &str, screen: &Screen, call: impl Future<Output = T>) -> T {
    let most = kernel.limits().progress_per_second;
    match OnTerminal::of(screen) {
        Some(line) => progress::follow(most, call, |report| line.show(&format!("/{command}"), &report)).await,
        None => call.await,
    }
}

/// Such a line on standard output. It goes with this value.
pub(crate) struct OnTerminal(Mutex<Passing>);

impl OnTerminal {
    /// `None` if a program reads the screen, or there is no terminal.
    pub(crate) fn of(screen: &Screen) -> Option<Self> {
        (!screen.is_json() && stdout().is_terminal()).then(|| Self(Mutex::default()))
    }

    /// Shows how far a call has come, at once.
    pub(crate) fn show(&self, what: &str, report: &ProgressReport) -> Ready<()> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).show(&mut stdout(), &how_far(what, report));
        ready(())
    }

    pub(crate) fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear(&mut stdout());
    }
}

impl Drop for OnTerminal {
    fn drop(&mut self) {
        self.clear();
    }
}

/// Makes one line of a text, that fits: one that goes on below itself could not be taken away. A letter of another alphabet may be twice as
/// wide as one of ours.
fn fitted(text: &str, width: usize) -> String {
    let mut left = width;
    let mut line = String::new();
    for one in text.chars() {
        let one = if one.is_control() { ' ' } else { one };
        let columns = if (one as u32) < 0x1100 { 1 } else { 2 };
        if left <= columns {
            line.push('…');
            break;
        }
        left -= columns;
        line.push(one);
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_takes_the_place_of_the_one_before() {
        let (mut terminal, mut passing) = (Vec::new(), Passing::default());
        passing.clear(&mut terminal);
        passing.show(&mut terminal, "1 of 2");
        passing.show(&mut terminal, "2\nof\u{1b} 2");
        passing.clear(&mut terminal);
        passing.clear(&mut terminal);
        assert_eq!(String::from_utf8(terminal).expect("text"), "\x1b[K1 of 2\r\x1b[K2 of  2\r\x1b[K");
    }

    #[test]
    fn a_line_fits_the_terminal() {
        assert_eq!(fitted("abcdef", 4), "abc…");
        assert_eq!(fitted("日本語", 4), "日…");
        assert_eq!(fitted("abc", 80), "abc");
        assert_eq!(fitted("abc", 0), "…");
    }
}
