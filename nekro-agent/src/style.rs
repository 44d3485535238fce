//! The few styles of what is printed on a terminal.

use anstyle::{AnsiColor, Style};

/// What is not the agent's answer: names, titles, notices.
pub(crate) const DIM: Style = Style::new().dimmed();
/// The first word of an error.
pub(crate) const RED: Style = AnsiColor::Red.on_default().bold();
/// What was added.
pub(crate) const GREEN: Style = AnsiColor::Green.on_default();
/// What changed.
pub(crate) const YELLOW: Style = AnsiColor::Yellow.on_default();
