//! What a person at a terminal sees of a turn: the answer as it comes, the thoughts folded, the calls with their time, and scripts with
//! what they call.

use std::{
    io::{IsTerminal, Write},
    sync::{Mutex, MutexGuard, PoisonError},
};

use nekro_core::{
    BoxFuture, Result, SessionId, TurnId,
    event::facts::{ToolOutcome, TurnOutcome},
};
use serde_json::json;

use super::passing::{Passing, how_far};
use crate::{
    agent::{Progress, Surface, TaskProgress},
    cli::plain,
    style::DIM,
};

/// How many characters of a call's arguments are shown.
const ARGUMENTS: usize = 80;

/// How many lines of what a script came to are shown.
const RESULT_LINES: usize = 12;

/// A terminal, or a pipe that stands in its place.
pub(crate) struct Conversation {
    json: bool,
    // On a terminal the answer is shown as it comes. What reads a pipe is given what was sent, and nothing else.
    is_live: bool,
    shown: Mutex<Shown>,
}

/// What stands on the screen of the answer that is coming.
#[derive(Default)]
struct Shown {
    text: String,
    thoughts: String,
    // The calls are those of a script.
    in_script: bool,
    // A turn is under way.
    is_turn: bool,
    // How far a call has come.
    passing: Passing,
}

impl Conversation {
    /// Makes one for standard output.
    pub(crate) fn new(json: bool) -> Self {
        Self { json, is_live: !json && std::io::stdout().is_terminal(), shown: Mutex::default() }
    }

    fn lock(&self) -> MutexGuard<'_, Shown> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shown {
    /// Tells how long the model thought, once it does something else.
    fn fold(&mut self) {
        self.passing.clear(&mut std::io::stdout());
        if !self.thoughts.trim().is_empty() {
            let count = self.thoughts.trim().lines().count();
            let lines = if count == 1 { "line" } else { "lines" };
            print(format_args!("{DIM}(thought for {count} {lines}){DIM:#}\n"));
        }
        self.thoughts.clear();
    }

    /// Ends the line that the answer stands in.
    fn end_line(&mut self) {
        if !self.text.is_empty() && !self.text.ends_with('\n') {
            print("\n");
        }
        self.text.clear();
    }

    fn margin(&self) -> &'static str {
        if self.in_script { "  " } else { "" }
    }

    /// Shows a line that the next thing to be shown takes the place of.
    fn pass(&mut self, line: &str) {
        if !self.thoughts.is_empty() || !self.text.is_empty() {
            self.fold();
            self.end_line();
        }
        self.passing.show(&mut std::io::stdout(), line);
    }

    fn note(&mut self, note: impl std::fmt::Display) {
        self.fold();
        self.end_line();
        print(format_args!("{DIM}{note}{DIM:#}\n"));
    }
}

/// A reader that has gone away is no failure.
fn print(text: impl std::fmt::Display) {
    let mut out = anstream::stdout();
    let _ = write!(out, "{text}").and_then(|()| out.flush());
}

/// Sets lines in from the margin.
fn set_in(text: &str) -> String {
    plain(text).trim_end().lines().map(|line| format!("    {line}")).collect::<Vec<_>>().join("\n")
}

/// Leaves the middle of many lines out.
fn few_lines(text: &str) -> String {
    let lines: Vec<_> = text.trim_end().lines().collect();
    if lines.len() <= RESULT_LINES {
        return lines.join("\n");
    }
    let half = RESULT_LINES / 2;
    let (begin, end) = (&lines[..half], &lines[lines.len() - half..]);
    format!("{}\n… {} lines\n{}", begin.join("\n"), lines.len() - 2 * half, end.join("\n"))
}

fn short(text: &str) -> String {
    let text = plain(text).replace('\n', " ");
    match text.char_indices().nth(ARGUMENTS) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text,
    }
}

fn time(micros: u64) -> String {
    match micros {
        0..1_000 => format!("{micros} µs"),
        1_000..1_000_000 => format!("{} ms", micros / 1_000),
        _ => format!("{}.{} s", micros / 1_000_000, micros % 1_000_000 / 100_000),
    }
}

impl Surface for Conversation {
    fn progress(&self, _: &SessionId, _: &TurnId, progress: Progress<'_>) {
        if !self.is_live {
            return;
        }
        let mut shown = self.lock();
        shown.is_turn = !matches!(progress, Progress::Ended { .. });
        match progress {
            Progress::Thinking { .. } => {}
            Progress::Text(text) => {
                shown.fold();
                shown.text.push_str(text);
                print(plain(text));
            }
            Progress::Reasoning(text) => shown.thoughts.push_str(text),
            Progress::Restart { model, reason, wait_ms } => {
                let wait = if wait_ms == 0 { String::new() } else { format!(" in {}", time(wait_ms.saturating_mul(1_000))) };
                shown.note(format_args!("({}: {model} is asked{wait})", plain(reason)));
            }
            Progress::CallBegan { tool, arguments, .. } => {
                let margin = shown.margin();
                shown.note(format_args!("{margin}→ {} {}", plain(tool), short(arguments)));
            }
            Progress::CallAdvanced { tool, report, .. } => {
                let margin = shown.margin();
                shown.pass(&format!("{margin}{}", how_far(tool, report)));
            }
            Progress::CallEnded { tool, outcome, micros, text, .. } => {
                let margin = shown.margin();
                let (sign, what) = match outcome {
                    ToolOutcome::Ok => ("✓", String::new()),
                    ToolOutcome::Failed | ToolOutcome::Denied => ("✗", format!(": {}", short(text))),
                };
                shown.note(format_args!("{margin}{sign} {} {}{what}", plain(tool), time(micros)));
            }
            Progress::ScriptBegan { source, .. } => {
                shown.note(format_args!("▶ script\n{}", set_in(source)));
                shown.in_script = true;
            }
            // It is part of what the script comes to.
            Progress::Printed(_) => {}
            Progress::ScriptEnded { outcome, micros, text, .. } => {
                shown.in_script = false;
                let sign = if outcome == ToolOutcome::Ok { "✓" } else { "✗" };
                shown.note(format_args!("{sign} script {}\n{}", time(micros), set_in(&few_lines(text))));
            }
            Progress::Ended { outcome, .. } => {
                shown.fold();
                shown.end_line();
                // One that was stopped has not told its end.
                shown.in_script = false;
                if outcome == TurnOutcome::Cancelled {
                    shown.note("(stopped)");
                }
            }
        }
    }

    fn task(&self, _: &SessionId, progress: TaskProgress<'_>) {
        // Between two turns somebody may be typing.
        let mut shown = self.lock();
        if self.is_live && shown.is_turn {
            let TaskProgress { task, name, percent, text } = progress;
            shown.note(format_args!("⋯ {task} {} {percent} % {}", plain(name), short(text)));
        }
    }

    fn send<'a>(&'a self, _: &'a SessionId, text: &'a str) -> BoxFuture<'a, Result<()>> {
        let mut shown = self.lock();
        if self.json {
            print(format_args!("{}\n", json!({ "answer": text })));
        } else {
            shown.fold();
            // It may already stand there, as it came.
            if shown.text.trim_end().ends_with(text.trim_end()) {
                shown.end_line();
            } else {
                shown.end_line();
                print(format_args!("{}\n", plain(text.trim_end())));
            }
        }
        Box::pin(std::future::ready(Ok(())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_arguments_are_short() {
        assert_eq!([time(7), time(1_500), time(2_345_678)], ["7 µs", "1 ms", "2.3 s"]);
        assert_eq!(short(&"x".repeat(200)).chars().count(), ARGUMENTS + 1);
        assert_eq!(short("a\nb"), "a b");
    }

    #[test]
    fn of_many_lines_the_middle_is_left_out() {
        let lines = |count: usize| (1..=count).map(|line| line.to_string()).collect::<Vec<_>>().join("\n");
        assert_eq!(few_lines(&lines(RESULT_LINES)), lines(RESULT_LINES));
        assert_eq!(few_lines(&lines(20)), "1\n2\n3\n4\n5\n6\n… 8 lines\n15\n16\n17\n18\n19\n20");
        assert_eq!(set_in("a\n\u{1b}b\n"), "    a\n    \u{fffd}b");
    }
}
