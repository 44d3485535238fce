//! The name of a setting, such as `plugins.weather.units`.

use std::fmt;

/// The name of a setting: the names of the tables on the way, and its own.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key(Vec<String>);

/// The most parts of a key: no configuration is as deep.
const MOST_PARTS: usize = 32;

/// A text is no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct KeyError;

impl Key {
    /// Reads a key as TOML writes it: a part that is not made of letters, digits, `-` and `_` stands in quotes.
    pub(crate) fn parse(text: &str) -> Result<Self, KeyError> {
        let parts = toml_edit::Key::parse(text).map_err(|_| KeyError)?;
        let parts: Vec<_> = parts.iter().map(|part| part.get().to_owned()).collect();
        if parts.is_empty() || parts.len() > MOST_PARTS { Err(KeyError) } else { Ok(Self(parts)) }
    }

    pub(crate) fn of<'a>(parts: impl IntoIterator<Item = &'a str>) -> Self {
        Self(parts.into_iter().map(str::to_owned).collect())
    }

    pub(crate) fn parts(&self) -> &[String] {
        &self.0
    }

    /// Returns the key of something inside.
    pub(crate) fn join(&self, part: &str) -> Self {
        let mut parts = self.0.clone();
        parts.push(part.to_owned());
        Self(parts)
    }
}

/// Tells whether TOML takes a part of a key without quotes.
fn is_bare(part: &str) -> bool {
    !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
}

/// Writes a part of a key as TOML does.
pub(crate) fn quoted(part: &str) -> String {
    if is_bare(part) { part.to_owned() } else { toml_edit::Key::new(part).display_repr().into_owned() }
}

/// Writes the key of something in a table.
pub(crate) fn join(table: &str, part: &str) -> String {
    if table.is_empty() { quoted(part) } else { format!("{table}.{}", quoted(part)) }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.iter().map(|part| quoted(part)).collect::<Vec<_>>().join("."))
    }
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("expected a key such as `plugins.weather.units`, with quotes around a part that has dots or spaces")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_written_as_it_is_read() {
        for text in ["limits", "plugins.weather.units", r#"a."b.c".d"#, r#"a."".d"#, r#"a."é \"x\"""#] {
            let key = Key::parse(text).expect("a key");
            assert_eq!(Key::parse(&key.to_string()), Ok(key.clone()), "{text} {key}");
        }
        assert_eq!(Key::parse(r#"a."b.c""#).expect("a key").parts(), ["a", "b.c"]);
    }

    #[test]
    fn what_is_no_key_is_refused() {
        for text in ["", ".", "a.", "a..b", "a b", "a.\"b", "a\nb", &"a.".repeat(100_000), &vec!["a"; 33].join(".")] {
            assert_eq!(Key::parse(text), Err(KeyError));
        }
    }
}
