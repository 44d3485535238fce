//! What is wrong with the arguments of a call: each mistake with its path, what was expected and what came.

use std::fmt;

use serde::de::DeserializeOwned;

use super::suggest;
use crate::error::Error;

/// Why the arguments of a call were refused: every mistake at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArgumentsError {
    mistakes: Vec<Mistake>,
}

/// One mistake in the arguments of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// Where it is, such as `city` or `stops[2].name`; empty for the arguments as a whole.
    pub path: String,
    /// What it is.
    pub kind: MistakeKind,
}

/// What is wrong with an argument.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MistakeKind {
    /// It must be given.
    Missing,
    /// It was given twice.
    Twice,
    /// There is no such argument.
    Unknown {
        /// The name that was probably meant.
        meant: Option<String>,
        /// The names there are.
        known: Vec<String>,
    },
    /// The value does not fit.
    Wrong {
        /// What was expected and what came.
        problem: String,
    },
}

impl Mistake {
    pub(super) fn new(path: impl Into<String>, kind: MistakeKind) -> Self {
        Self { path: path.into(), kind }
    }
}

impl ArgumentsError {
    pub(super) fn new(mistakes: Vec<Mistake>) -> Self {
        Self { mistakes }
    }

    pub(super) fn whole(problem: impl Into<String>) -> Self {
        Self::new(vec![Mistake::new("", MistakeKind::Wrong { problem: problem.into() })])
    }

    /// Returns the mistakes, in the order of the arguments as they came.
    pub fn mistakes(&self) -> &[Mistake] {
        &self.mistakes
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = &self.path;
        match &self.kind {
            MistakeKind::Missing => write!(f, "`{path}` is missing"),
            MistakeKind::Twice => write!(f, "`{path}` is given twice"),
            MistakeKind::Unknown { meant: Some(meant), .. } => {
                write!(f, "there is no argument `{path}`: did you mean `{meant}`?")
            }
            MistakeKind::Unknown { meant: None, known } if known.is_empty() => {
                write!(f, "there is no argument `{path}`: this takes none")
            }
            MistakeKind::Unknown { meant: None, known } => {
                write!(f, "there is no argument `{path}`: there are {}", list(known))
            }
            MistakeKind::Wrong { problem } if path.is_empty() => f.write_str(problem),
            MistakeKind::Wrong { problem } => write!(f, "`{path}`: {problem}"),
        }
    }
}

impl fmt::Display for ArgumentsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, mistake) in self.mistakes.iter().enumerate() {
            if index > 0 {
                f.write_str("; ")?;
            }
            mistake.fmt(f)?;
        }
        Ok(())
    }
}

impl From<ArgumentsError> for Error {
    fn from(error: ArgumentsError) -> Self {
        Self::new(error.to_string()).with_code("invalid_arguments")
    }
}

/// Why a plugin's configuration cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigMistake {
    /// The key, such as `stops[2].name`; empty for the configuration as a whole.
    pub path: String,
    /// What was expected and what came.
    pub problem: String,
}

impl fmt::Display for ConfigMistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.path.is_empty() { f.write_str(&self.problem) } else { write!(f, "`{}`: {}", self.path, self.problem) }
    }
}

impl std::error::Error for ConfigMistake {}

/// Tells what is wrong with a configuration. An unknown key gets the key that was probably meant.
pub(crate) fn config_mistake(error: &serde_path_to_error::Error<serde_json::Error>) -> ConfigMistake {
    let path = error.path().to_string();
    let mut problem = message(error.inner());
    if let Some(rest) = problem.strip_prefix("unknown field `")
        && let Some((key, known)) = rest.split_once('`')
    {
        let known: Vec<_> = known.split('`').skip(1).step_by(2).collect();
        problem = match suggest(key, known.iter().copied()) {
            Some(meant) => format!("unknown key: did you mean `{meant}`?"),
            None => format!("unknown key: there are {}", list(&known)),
        };
    }
    ConfigMistake { path: if path == "." { String::new() } else { path }, problem }
}

fn list<S: std::fmt::Display>(names: &[S]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// Finds the path of what is wrong in the value at the start of a text, and what it is.
pub(super) fn locate<T: DeserializeOwned>(text: &str) -> Option<(String, String)> {
    let mut json = serde_json::Deserializer::from_str(text);
    let error = serde_path_to_error::deserialize::<_, T>(&mut json).err()?;
    let path = error.path().to_string();
    Some((if path == "." { String::new() } else { path }, message(error.inner())))
}

/// Returns the message of a JSON error without its place, which is that within a part of the text.
pub(super) fn message(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.rfind(" at line ") {
        Some(place) if error.line() > 0 => text[..place].to_owned(),
        _ => text,
    }
}

/// Joins the name of an argument and a path inside it.
pub(super) fn join(name: &str, path: &str) -> String {
    if path.is_empty() || path.starts_with('[') { format!("{name}{path}") } else { format!("{name}.{path}") }
}
