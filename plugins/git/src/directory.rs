//! Where a repository is, as the operator says it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An absolute directory, such as `/srv/site`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(inline)]
// Invariant: absolute, in its shortest form, on one line, and without a colon, for git separates directories by it.
pub(crate) struct Directory(String);

impl Directory {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the directory that it is in.
    pub(crate) fn above(&self) -> &str {
        self.0.rsplit_once('/').map_or("/", |(above, _)| if above.is_empty() { "/" } else { above })
    }
}

impl TryFrom<String> for Directory {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let path = text.strip_suffix('/').unwrap_or(&text);
        let parts = path.strip_prefix('/').ok_or("expected an absolute directory, such as \"/srv/site\"")?;
        if parts.split('/').any(|part| matches!(part, "" | "." | ".."))
            || path.contains(|one: char| one.is_control() || one == ':')
        {
            return Err("expected an absolute directory in its shortest form and without a colon, such as \"/srv/site\"");
        }
        Ok(Self(path.to_owned()))
    }
}

impl From<Directory> for String {
    fn from(directory: Directory) -> Self {
        directory.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_is_absolute_and_in_its_shortest_form() {
        for (text, above) in [("/srv/site", "/srv"), ("/site/", "/")] {
            assert_eq!(Directory::try_from(text.to_owned()).expect("a directory").above(), above);
        }
        for text in ["", "/", "site", "./site", "/srv/../etc", "/srv//x", "/a\nb", "/a:b", "~"] {
            assert!(Directory::try_from(text.to_owned()).is_err(), "{text}");
        }
    }
}
