//! What the operator sets in `nekro.toml`.

use std::{
    collections::BTreeMap,
    fmt,
    path::{Path, PathBuf},
};

use nekro_core::{kernel::Limits, suggest};
use serde::Deserialize;
use serde_json::Value;

/// The file that is read if none is named.
pub(crate) const DEFAULT_FILE: &str = "nekro.toml";

/// What stands in `nekro.toml`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Settings {
    /// `[limits]`
    pub(crate) limits: Limits,
    /// `[plugins.ID]`
    pub(crate) plugins: BTreeMap<String, Value>,
    /// `disabled = ["ID"]`
    pub(crate) disabled: Vec<String>,
    /// Where all this came from.
    #[serde(skip)]
    pub(crate) file: Option<PathBuf>,
}

/// Why the settings cannot be read.
#[derive(Debug)]
pub(crate) struct SettingsError {
    file: PathBuf,
    problem: String,
}

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.file.display(), self.problem)
    }
}

impl std::error::Error for SettingsError {}

impl Settings {
    /// Reads a file, or the default one if there is one.
    pub(crate) fn read(named: Option<&Path>) -> Result<Self, SettingsError> {
        let file = named.unwrap_or_else(|| Path::new(DEFAULT_FILE));
        match std::fs::read_to_string(file) {
            Ok(text) => Ok(Self {
                file: Some(file.to_owned()),
                ..Self::parse(&text).map_err(|problem| SettingsError { file: file.to_owned(), problem })?
            }),
            Err(error) if named.is_none() && error.kind() == std::io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(SettingsError { file: file.to_owned(), problem: error.to_string() }),
        }
    }

    fn parse(text: &str) -> Result<Self, String> {
        toml::from_str(text).map_err(|error| {
            let place = error.span().map(|span| place(text, span.start)).unwrap_or_default();
            let message = error.message().trim();
            format!("{place}{}", with_suggestion(message))
        })
    }
}

/// Returns `line 3, column 5: ` for an offset.
fn place(text: &str, offset: usize) -> String {
    let before = &text[..text.floor_char_boundary(offset)];
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    format!("line {line}, column {column}: ")
}

/// Adds to "unknown field" what was probably meant.
fn with_suggestion(message: &str) -> String {
    let Some((name, known)) = message.strip_prefix("unknown field `").and_then(|rest| rest.split_once('`')) else {
        return message.to_owned();
    };
    match suggest(name, known.split('`').skip(1).step_by(2)) {
        Some(meant) => format!("unknown key `{name}`: did you mean `{meant}`?"),
        None => format!("unknown key `{name}`{known}"),
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Expect) {
        let read = Settings::parse(text);
        expected
            .assert_eq(&read.map_or_else(|error| error, |settings| format!("{:?} {:?}", settings.plugins, settings.disabled)));
    }

    #[test]
    fn a_file_has_limits_and_plugins() {
        check(
            "disabled = ['dice']\n[limits]\ncall_deadline = '5s'\n[plugins.notes]\nmost = 3\n",
            expect![[r#"{"notes": Object {"most": Number(3)}} ["dice"]"#]],
        );
    }

    #[test]
    fn a_mistake_has_its_place() {
        check(
            "[limits]\ncall_dedline = '5s'\n",
            expect!["line 2, column 1: unknown key `call_dedline`: did you mean `call_deadline`?"],
        );
        check(
            "[limits]\ncall_deadline = 'soon'\n",
            expect![[
                r#"line 2, column 17: failed to parse input in the "friendly" duration format: expected duration to start with a unit value (a decimal integer) after an optional sign, but no integer was found"#
            ]],
        );
        check("disabled = 3\n", expect!["line 1, column 12: invalid type: integer `3`, expected a sequence"]);
        check("[limits\n", expect!["line 1, column 8: unclosed table, expected `]`"]);
    }
}
