//! What must not be written into a recording.

use nekro_core::Secret;
use serde_json::Value;

/// What stands in place of a secret.
const REMOVED: &str = "(secret)";
/// How keys begin that people paste into conversations.
const BEGINNINGS: [&str; 8] = ["sk-", "xai-", "gsk_", "AIza", "ghp_", "github_pat_", "xoxb-", "AKIA"];
/// A word is taken for a key if it is at least this long.
const KEY_LENGTH: usize = 20;

/// The secrets that are known.
#[derive(Clone, Debug, Default)]
pub(crate) struct Secrets {
    known: Vec<Secret<String>>,
    later: Option<fn() -> Vec<Secret<String>>>,
}

impl Secrets {
    /// Takes the secrets that are known. Very short ones would be found everywhere.
    pub(crate) fn new(secrets: impl IntoIterator<Item = Secret<String>>) -> Self {
        let mut known: Vec<_> = secrets.into_iter().filter(|secret| secret.expose().len() > 3).collect();
        // One may be a part of another.
        known.sort_by_key(|secret| std::cmp::Reverse(secret.expose().len()));
        Self { known, later: None }
    }

    /// Asks each time for those that have become known since: some are looked for only when a plugin wants them.
    pub(crate) fn and_later(self, later: fn() -> Vec<Secret<String>>) -> Self {
        Self { later: Some(later), ..self }
    }

    /// Returns all that are known by now.
    pub(super) fn by_now(&self) -> Self {
        Self::new(self.known.iter().cloned().chain(self.later.into_iter().flat_map(|later| later())))
    }

    /// Takes the secrets out of every text, wherever it stands.
    pub(super) fn scrub(&self, mut value: Value) -> Value {
        self.scrub_in(&mut value);
        value
    }

    fn scrub_in(&self, value: &mut Value) {
        match value {
            Value::String(text) => *text = self.text(text),
            Value::Array(items) => items.iter_mut().for_each(|item| self.scrub_in(item)),
            Value::Object(object) => {
                *object = std::mem::take(object).into_iter().map(|(key, value)| (self.text(&key), self.scrub(value))).collect();
            }
            _ => {}
        }
    }

    /// Takes the secrets out of a text.
    pub(super) fn text(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for secret in &self.known {
            if text.contains(secret.expose().as_str()) {
                text = text.replace(secret.expose().as_str(), REMOVED);
            }
        }
        for beginning in BEGINNINGS {
            let mut from = 0;
            while let Some(at) = text[from..].find(beginning).map(|at| from + at) {
                let is_of_key = |one: char| one.is_ascii_alphanumeric() || matches!(one, '-' | '_');
                let end = text[at..].find(|one| !is_of_key(one)).map_or(text.len(), |end| at + end);
                let begins_a_word = !text[..at].ends_with(is_of_key);
                from = if begins_a_word && end - at >= KEY_LENGTH {
                    text.replace_range(at..end, REMOVED);
                    at + REMOVED.len()
                } else {
                    at + beginning.len()
                };
            }
        }
        text
    }
}
