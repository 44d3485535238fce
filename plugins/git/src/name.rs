//! What a model or a person may call a revision or a file: nothing that git could take for an option, or for more than a name.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The most characters of a name.
const MOST: usize = 1_000;

/// A name of one commit, such as `main`, `v1.2`, `3f2a91c` or `HEAD~2`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(inline, extend("minLength" = 1, "maxLength" = MOST))]
// Invariant: does not begin with a hyphen, names no range, no path and no search; `try_from` is the only way in.
pub struct Revision(String);

/// A file or directory of a repository, such as `src/main.rs`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(inline, extend("minLength" = 1, "maxLength" = MOST))]
// Invariant: parts with single slashes between them, none of which is `.` or `..`; `try_from` is the only way in.
pub struct FilePath(String);

/// A text is no such name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NameError(&'static str);

impl Revision {
    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Revision {
    type Error = NameError;

    fn try_from(text: String) -> Result<Self, NameError> {
        // What git's own names cannot have (gitrevisions, git-check-ref-format), but for `~`, `^` and `@{…}`, which lead on from one.
        let strange = |one: char| one.is_control() || one.is_whitespace() || matches!(one, ':' | '?' | '*' | '[' | '\\' | '!');
        let leads = text.starts_with(['-', '^', '/']) || text.contains("..") || text.contains("^@") || text.contains("^-");
        if text.is_empty() || text.chars().nth(MOST).is_some() || text.contains(strange) || leads || text.contains("^{/") {
            return Err(NameError("expected a branch, a tag or a commit, such as \"main\" or \"HEAD~2\""));
        }
        Ok(Self(text))
    }
}

impl TryFrom<String> for FilePath {
    type Error = NameError;

    fn try_from(text: String) -> Result<Self, NameError> {
        let path = text.strip_suffix('/').unwrap_or(&text);
        let strange = path.chars().any(char::is_control) || path.chars().nth(MOST).is_some();
        if strange || path.split('/').any(|part| matches!(part, "" | "." | "..")) {
            return Err(NameError("expected a path within the repository, such as \"src/main.rs\""));
        }
        Ok(Self(path.to_owned()))
    }
}

impl From<Revision> for String {
    fn from(revision: Revision) -> Self {
        revision.0
    }
}

impl From<FilePath> for String {
    fn from(path: FilePath) -> Self {
        path.0
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for FilePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for NameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for NameError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_revision_names_one_commit() {
        for text in ["main", "feature/tea", "v1.2", "3f2a91c", "HEAD~2", "HEAD^", "main@{1}", "v1^{commit}", "Zweig-ä"] {
            assert_eq!(Revision::try_from(text.to_owned()).map(String::from), Ok(text.to_owned()));
        }
        let long = "a".repeat(MOST + 1);
        for text in [
            "",
            "-p",
            "--output=/tmp/x",
            "^main",
            "a..b",
            "a...b",
            "main^@",
            "main^-",
            ":/fix",
            "main:secret",
            "a b",
            "a\nb",
            "a\0",
            "a*",
            "HEAD^{/x}",
            "\\",
            "/",
            &long,
        ] {
            assert!(Revision::try_from(text.to_owned()).is_err(), "{text}");
        }
    }

    #[test]
    fn a_path_stays_within_the_repository() {
        for (text, path) in
            [("src/main.rs", "src/main.rs"), ("docs/", "docs"), ("-p", "-p"), (":(top)x", ":(top)x"), ("ä b", "ä b")]
        {
            assert_eq!(FilePath::try_from(text.to_owned()).map(String::from).as_deref(), Ok(path));
        }
        let long = "a".repeat(MOST + 1);
        for text in ["", "/", "/etc/passwd", "../x", "a/../b", "a//b", "./a", "a\0b", "a\nb", ".", "..", &long] {
            assert!(FilePath::try_from(text.to_owned()).is_err(), "{text}");
        }
    }
}
