//! A path that cannot lead out of its directory: a type, so that one that could never comes further than the arguments of a call.

use std::{borrow::Cow, error::Error as StdError, fmt, str::FromStr};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};

use crate::ids::SessionId;

/// The path of a file below a directory, such as `reports/2030/summary.txt`.
///
/// Its parts are separated by `/`. None is empty, `.` or `..`, none has a control character, `\` or `:`, ends in a dot or a space, begins
/// with `.nekro-`, or is a device of some system, such as `NUL`: what is a path here is one everywhere.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SandboxPath(String);

/// The most bytes of a path.
const MOST_BYTES: usize = 1_024;
/// The most bytes of one part, as most file systems have it.
const MOST_BYTES_OF_A_PART: usize = 255;
/// The most parts.
const MOST_PARTS: usize = 32;

/// Why a text is not the path of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathError {
    path: String,
    problem: &'static str,
}

impl SandboxPath {
    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the last part.
    pub fn name(&self) -> &str {
        self.0.rsplit_once('/').map_or(&self.0, |(_, name)| name)
    }

    /// Returns what is above it; `None` for the directory itself.
    pub fn parent(&self) -> Option<Self> {
        self.0.rsplit_once('/').map(|(parent, _)| Self(parent.to_owned()))
    }

    /// Returns the name of a conversation as a part of a path, for files that are kept for each: what is not plain in it is escaped, so
    /// that no two share one.
    ///
    /// # Errors
    ///
    /// If the name is too long to be one.
    pub fn of_session(session: &SessionId) -> Result<Self, PathError> {
        let mut part = String::new();
        for byte in session.as_str().bytes() {
            // Capitals are escaped, too: there are disks on which they are no difference.
            if byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_') {
                part.push(char::from(byte));
            } else {
                part.push_str(&format!("%{byte:02x}"));
            }
        }
        if part.is_empty() || is_device(&part) {
            part.insert(0, '%');
        }
        part.parse()
    }

    /// Returns a path below this one.
    ///
    /// # Errors
    ///
    /// If it would not be one.
    pub fn join(&self, below: &str) -> Result<Self, PathError> {
        format!("{}/{below}", self.0).parse()
    }
}

impl FromStr for SandboxPath {
    type Err = PathError;

    fn from_str(text: &str) -> Result<Self, PathError> {
        match problem(text) {
            None => Ok(Self(text.to_owned())),
            Some(problem) => Err(PathError { path: text.chars().take(100).collect(), problem }),
        }
    }
}

fn problem(text: &str) -> Option<&'static str> {
    if text.is_empty() {
        return Some("it is empty");
    }
    if text.starts_with('/') {
        return Some("it must not begin with `/`");
    }
    if text.len() > MOST_BYTES {
        return Some("it is longer than 1024 bytes");
    }
    if text.chars().any(|one| one.is_control() || one == '\\' || one == ':') {
        return Some("it has a control character, `\\` or `:`");
    }
    if text.split('/').count() > MOST_PARTS {
        return Some("it has more than 32 parts");
    }
    text.split('/').find_map(|part| {
        if part.is_empty() {
            Some("one of its parts is empty")
        } else if matches!(part, "." | "..") {
            Some("`.` and `..` are not parts of a path here")
        } else if part.ends_with(['.', ' ']) {
            Some("one of its parts ends in a dot or a space")
        } else if part.len() > MOST_BYTES_OF_A_PART {
            Some("one of its parts is longer than 255 bytes")
        } else if part.to_ascii_lowercase().starts_with(".nekro-") {
            Some("names that begin with `.nekro-` are the host's")
        } else if is_device(part) {
            Some("one of its parts is the name of a device")
        } else {
            None
        }
    })
}

/// Tells whether Windows takes a name for a device.
fn is_device(part: &str) -> bool {
    let stem = part.split('.').next().unwrap_or(part).trim_end().to_ascii_lowercase();
    let numbered = |name: &str| {
        stem.strip_prefix(name)
            .is_some_and(|rest| matches!(rest, "0" | "1" | "2" | "3" | "4" | "5" | "6" | "7" | "8" | "9" | "¹" | "²" | "³"))
    };
    matches!(stem.as_str(), "con" | "prn" | "aux" | "nul" | "conin$" | "conout$") || numbered("com") || numbered("lpt")
}

impl fmt::Display for SandboxPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for SandboxPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SandboxPath({:?})", self.0)
    }
}

impl fmt::Display for PathError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} is not the path of a file, such as \"reports/summary.txt\": {}", self.path, self.problem)
    }
}

impl StdError for PathError {}

impl Serialize for SandboxPath {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for SandboxPath {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

impl JsonSchema for SandboxPath {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "SandboxPath".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        // What a regular expression can say of it without becoming a riddle; the rest is told to whoever meets it.
        json_schema!({ "type": "string", "minLength": 1, "maxLength": MOST_BYTES, "pattern": r"^[^/\\:][^\\:]*$" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_that_could_lead_out_is_not_a_path() {
        let long = "a/".repeat(40) + "a";
        let wide = "a".repeat(256);
        for text in [
            "",
            "/",
            "/etc/passwd",
            "//etc",
            "..",
            ".",
            "../secret",
            "a/../../secret",
            "a/..",
            "a/./b",
            "./a",
            "a//b",
            "a/",
            "\\etc",
            "..\\secret",
            "a\\..\\b",
            "C:\\a",
            "C:a",
            "a:stream",
            "file:///etc",
            "a\0b",
            "a\nb",
            "a\u{7f}b",
            "a\u{85}b",
            "NUL",
            "nul.txt",
            "a/CON",
            "com1",
            "LPT9.log",
            "COM¹",
            "a.",
            "a ",
            "a /b",
            "...",
            ".nekro-1",
            "a/.NEKRO-x",
            &long,
            &wide,
        ] {
            assert!(text.parse::<SandboxPath>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_path_is_parts_below_a_directory() {
        for text in [
            "a",
            "a.txt",
            ".hidden",
            "a/b/c.txt",
            "..a",
            "a..b",
            "My report (1).txt",
            "日本/レポート.txt",
            "console",
            "~",
            "~root/a",
        ] {
            assert_eq!(text.parse::<SandboxPath>().map(|path| path.to_string()).as_deref(), Ok(text));
        }
        let path: SandboxPath = "a/b/c.txt".parse().expect("a path");
        assert_eq!((path.name(), path.parent().map(|path| path.to_string()).as_deref()), ("c.txt", Some("a/b")));
        assert!(path.join("../x").is_err());
    }

    #[test]
    fn a_conversation_is_a_part_of_a_path_that_no_other_has() {
        let part = |session: &str| SandboxPath::of_session(&session.into()).map(|part| part.to_string());
        assert_eq!(part("telegram:42").as_deref(), Ok("telegram%3a42"));
        assert_eq!(part("A/..").as_deref(), Ok("%41%2f%2e%2e"));
        assert_eq!((part("").as_deref(), part("con").as_deref()), (Ok("%"), Ok("%con")));
        assert!(part(&"a".repeat(256)).is_err());
    }

    #[test]
    fn its_schema_refuses_nothing_that_is_a_path() {
        let error = serde_json::from_str::<SandboxPath>("\"../x\"").expect_err("leads out");
        assert!(error.to_string().contains("`.` and `..` are not parts of a path here"), "{error}");
    }
}
