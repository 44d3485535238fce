//! What is wrong with the settings: where, which key, and what to do about it.

use std::{fmt, path::Path};

use serde_json::{Value, json};

use super::origin::Origin;

/// Something that is wrong. What it says never quotes a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mistake {
    /// Where it is.
    pub(crate) origin: Origin,
    /// The key, such as `plugins.weather.stops[2].name`; empty for the whole.
    pub(crate) key: String,
    /// What is wrong.
    pub(crate) problem: String,
    /// Nothing is wrong with what is there: something is not there, and may be elsewhere or later.
    pub(crate) lacking: bool,
}

/// Every mistake at once. Read by the operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mistakes(Vec<Mistake>);

impl Mistake {
    pub(crate) fn new(origin: &Origin, key: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { origin: origin.clone(), key: key.into(), problem: problem.into(), lacking: false }
    }

    /// The same, about something that is not there.
    pub(crate) fn lacking(self) -> Self {
        Self { lacking: true, ..self }
    }

    /// Says that a file as a whole is wrong.
    pub(crate) fn of_file(file: &Path, problem: impl fmt::Display) -> Self {
        Self::new(&Origin::Default, "", format!("{}: {problem}", file.display()))
    }

    pub(crate) fn to_json(&self) -> Value {
        json!({ "key": self.key, "problem": self.problem, "origin": self.origin.to_json() })
    }
}

impl Mistakes {
    /// Sorts mistakes by their place; `None` if there are none.
    pub(crate) fn of(mut mistakes: Vec<Mistake>) -> Option<Self> {
        mistakes.sort_by(|one, other| (one.origin.rank(), &one.key).cmp(&(other.origin.rank(), &other.key)));
        mistakes.dedup();
        (!mistakes.is_empty()).then_some(Self(mistakes))
    }

    pub(crate) fn to_json(&self) -> Value {
        self.0.iter().map(Mistake::to_json).collect()
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A key that nobody set stands nowhere.
        if self.origin != Origin::Default {
            write!(f, "{}: ", self.origin)?;
        }
        if !self.key.is_empty() {
            write!(f, "`{}`: ", self.key)?;
        }
        f.write_str(&self.problem)
    }
}

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.as_slice() {
            [one] => one.fmt(f),
            several => {
                write!(f, "the settings have {} mistakes", several.len())?;
                several.iter().try_for_each(|mistake| write!(f, "\n  - {mistake}"))
            }
        }
    }
}

impl std::error::Error for Mistakes {}

impl From<Mistake> for Mistakes {
    fn from(mistake: Mistake) -> Self {
        Self(vec![mistake])
    }
}

#[cfg(test)]
impl Mistakes {
    /// Returns each as a line.
    pub(crate) fn each(&self) -> Vec<String> {
        self.0.iter().map(ToString::to_string).collect()
    }
}
