//! Where a value came from.

use std::{fmt, path::Path, sync::Arc};

use serde_json::{Value, json};

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// Nobody set it.
    Default,
    /// It stands in a file.
    File {
        /// The file, as it was named.
        file: Arc<Path>,
        /// Where in it.
        place: Place,
    },
    /// An environment variable.
    Environment {
        /// Its name, as it was written.
        variable: Arc<str>,
    },
    /// `--set`
    CommandLine,
    /// `nekro config set`: the value that is about to be written.
    Given,
}

/// A place in a text. Lines and columns count from 1, columns in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) line: usize,
    pub(crate) column: usize,
}

/// Finds the places in a text.
pub(crate) struct Lines<'t> {
    text: &'t str,
    // Where each line begins.
    starts: Vec<usize>,
}

impl<'t> Lines<'t> {
    pub(crate) fn of(text: &'t str) -> Self {
        let starts = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Self { text, starts }
    }

    /// Returns the place of an offset.
    pub(crate) fn place(&self, offset: usize) -> Place {
        let offset = self.text.floor_char_boundary(offset);
        let line = self.starts.partition_point(|start| *start <= offset);
        // The text begins with a line, so there is one before every offset.
        let start = self.starts[line - 1];
        Place { line, column: self.text[start..offset].chars().count() + 1 }
    }
}

impl Origin {
    /// Describes it for a program.
    pub(crate) fn to_json(&self) -> Value {
        match self {
            Self::Default => json!({ "kind": "default" }),
            Self::File { file, place } => {
                json!({ "kind": "file", "file": file.display().to_string(), "line": place.line, "column": place.column })
            }
            Self::Environment { variable } => json!({ "kind": "environment", "variable": variable.as_ref() }),
            Self::CommandLine => json!({ "kind": "command_line" }),
            Self::Given => json!({ "kind": "given" }),
        }
    }

    /// Sorts mistakes: in the file from top to bottom, then the layers above it.
    pub(crate) fn rank(&self) -> (u8, Option<Place>) {
        match self {
            Self::Default => (0, None),
            Self::File { place, .. } => (1, Some(*place)),
            Self::Environment { .. } => (2, None),
            Self::CommandLine => (3, None),
            Self::Given => (4, None),
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File { file, place } => write!(f, "{}:{}:{}", file.display(), place.line, place.column),
            Self::Environment { variable } => f.write_str(variable),
            Self::CommandLine => f.write_str("--set"),
            Self::Given => f.write_str("the new value"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_counts_lines_and_characters() {
        let lines = Lines::of("a = 1\nä = \"é\"\n");
        let place = |offset| {
            let place = lines.place(offset);
            (place.line, place.column)
        };
        assert_eq!(place(0), (1, 1));
        assert_eq!(place(5), (1, 6));
        assert_eq!(place(6), (2, 1));
        assert_eq!(place(7), (2, 1), "inside a character is where it begins");
        assert_eq!(place(8), (2, 2));
        assert_eq!(place(1_000), (3, 1));
    }
}
