//! Secrets that stand in clear where others may see them: in the settings file, and on the command line.

use std::fmt;

use serde_json::{Value, json};

use super::{
    form::Form,
    key::join,
    node::{Content, Node},
    origin::Origin,
    secret::Reference,
};

/// A secret that stands in clear.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct InClear {
    pub(crate) key: String,
    pub(crate) origin: Origin,
}

impl InClear {
    /// Tells it to a program.
    pub(crate) fn to_json(&self) -> Value {
        json!({ "key": self.key, "origin": self.origin.to_json(), "problem": self.problem() })
    }

    fn problem(&self) -> &'static str {
        match self.origin {
            Origin::CommandLine => "a secret on the command line, where the list of processes shows it",
            _ => "a secret in clear",
        }
    }
}

impl fmt::Display for InClear {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: `{}`: {}", self.origin, self.key, self.problem())
    }
}

/// Finds every secret in a tree that stands in clear. One in the environment does not: only the program itself sees it.
pub(super) fn find(node: &Node, form: &Form<'_>) -> Vec<InClear> {
    let mut found = Vec::new();
    look(node, form, "", &mut found);
    found
}

fn look(node: &Node, form: &Form<'_>, key: &str, found: &mut Vec<InClear>) {
    if form.is_secret() {
        let is_kept_elsewhere =
            matches!(node.origin, Origin::Environment { .. } | Origin::Default) || Reference::of(&node.to_json()).is_some();
        if !is_kept_elsewhere {
            found.push(InClear { key: key.to_owned(), origin: node.origin.clone() });
        }
        return;
    }
    match &node.content {
        Content::Table(table) => {
            for (name, node) in table {
                if let Some(form) = form.key(name) {
                    look(node, &form, &join(key, name), found);
                }
            }
        }
        Content::List(items) => {
            let Some(form) = form.item() else { return };
            for (number, item) in items.iter().enumerate() {
                look(item, &form, &format!("{key}[{number}]"), found);
            }
        }
        Content::Plain(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::settings::{file, testing::catalogue};

    #[test]
    fn what_stands_in_clear_is_found_wherever_it_stands_and_not_quoted() {
        let text = "[plugins.weather]\ntoken = 's3cret'\nkeys = [{ env = 'A' }, 's3cret']\nlogin = { user = 'ada', key = { file = 'x' } }\n\
            pin = 5\ntokn = 's3cret'\n[channels.chat.plugins.weather]\ntoken = 's3cret'\n[trial]\nkey = 's3cret'\n";
        let node = file::parse(text, Path::new("nekro.toml")).map_err(|mistakes| mistakes.to_string()).expect("TOML");
        let found: Vec<_> = find(&node, &catalogue().form()).iter().map(ToString::to_string).collect();
        assert_eq!(
            found,
            [
                "nekro.toml:8:9: `channels.chat.plugins.weather.token`: a secret in clear",
                "nekro.toml:3:24: `plugins.weather.keys[1]`: a secret in clear",
                "nekro.toml:5:7: `plugins.weather.pin`: a secret in clear",
                "nekro.toml:2:9: `plugins.weather.token`: a secret in clear",
                "nekro.toml:10:7: `trial.key`: a secret in clear",
            ]
        );
    }
}
