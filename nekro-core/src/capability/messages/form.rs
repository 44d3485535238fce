//! What is wanted for an answer: any text, yes or no, or one of several things.
//!
//! A surface that has fields shows them; elsewhere people are told in words what they can say. What comes back is read here, for all alike.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    argument::suggest,
    error::{Error, Result},
};

/// What is wanted for an answer to a question.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct AnswerForm {
    /// Of what kind it is.
    pub kind: AnswerKind,
    /// What an answer without words means.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<String>,
}

/// Of what kind an answer is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum AnswerKind {
    /// Any text.
    #[default]
    Text,
    /// `yes` or `no`.
    YesOrNo,
    /// One of these.
    OneOf(Vec<Choice>),
}

/// Something that can be chosen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Choice {
    /// What the answer is then.
    pub value: String,
    /// What people are shown.
    pub title: String,
}

impl From<&str> for Choice {
    fn from(value: &str) -> Self {
        Self::from(value.to_owned())
    }
}

impl From<String> for Choice {
    fn from(value: String) -> Self {
        Self { title: value.clone(), value }
    }
}

impl<V: Into<String>, T: Into<String>> From<(V, T)> for Choice {
    fn from((value, title): (V, T)) -> Self {
        Self { value: value.into(), title: title.into() }
    }
}

impl AnswerForm {
    /// Says in words what can be answered; nothing if that is any text.
    pub fn to_words(&self) -> String {
        let choices = match &self.kind {
            AnswerKind::Text => None,
            AnswerKind::YesOrNo => Some("yes or no".to_owned()),
            AnswerKind::OneOf(choices) => Some(choices.iter().map(|choice| choice.title.as_str()).collect::<Vec<_>>().join(", ")),
        };
        // Where there is nothing to choose, nobody can say nothing.
        choices.map(|choices| format!("({choices})")).unwrap_or_default()
    }

    /// Reads what somebody said: the answer as the plugin is given it.
    ///
    /// # Errors
    ///
    /// `invalid_answer`, with what could have been said.
    pub fn read(&self, said: &str) -> Result<String> {
        let said = said.trim();
        if let (true, Some(default)) = (said.is_empty(), &self.default) {
            return Ok(default.clone());
        }
        let lower = said.to_lowercase();
        let read = match &self.kind {
            AnswerKind::Text => Some(said.to_owned()),
            AnswerKind::YesOrNo => match lower.as_str() {
                "y" | "yes" | "true" => Some("yes".to_owned()),
                "n" | "no" | "false" => Some("no".to_owned()),
                _ => None,
            },
            AnswerKind::OneOf(choices) => {
                let by_value = choices.iter().find(|choice| choice.value == said);
                let is_meant = |choice: &&Choice| choice.title.to_lowercase() == lower || choice.value.to_lowercase() == lower;
                by_value.or_else(|| choices.iter().find(is_meant)).map(|choice| choice.value.clone())
            }
        };
        read.ok_or_else(|| {
            let error = Error::new(format!("this is none of the answers {}", self.to_words())).with_code("invalid_answer");
            let meant = match &self.kind {
                AnswerKind::OneOf(choices) => suggest(said, choices.iter().map(|choice| choice.title.as_str())),
                _ => None,
            };
            match meant {
                Some(meant) => error.with_hint(format!("did you mean `{meant}`?")),
                None => error,
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    #[track_caller]
    fn check(kind: AnswerKind, default: Option<&str>, said: &str, expected: Expect) {
        let form = AnswerForm { kind, default: default.map(str::to_owned) };
        let told = match form.read(said) {
            Ok(answer) => answer,
            Err(error) => format!("{error} {}", error.hint().unwrap_or_default()),
        };
        expected.assert_eq(&told);
    }

    fn cities() -> AnswerKind {
        AnswerKind::OneOf(vec!["Berlin".into(), ("cgn", "Köln").into()])
    }

    #[test]
    fn an_answer_is_read_as_the_plugin_wants_it() {
        check(AnswerKind::Text, None, " Berlin ", expect!["Berlin"]);
        check(AnswerKind::YesOrNo, None, "Y", expect!["yes"]);
        check(AnswerKind::YesOrNo, None, "false", expect!["no"]);
        check(cities(), None, "berlin", expect!["Berlin"]);
        check(cities(), None, "KÖLN", expect!["cgn"]);
        check(cities(), None, "cgn", expect!["cgn"]);
    }

    #[test]
    fn an_answer_without_words_is_the_default() {
        check(AnswerKind::Text, Some("here"), "  ", expect!["here"]);
        check(AnswerKind::YesOrNo, Some("no"), "", expect!["no"]);
        check(cities(), Some("cgn"), "", expect!["cgn"]);
    }

    #[test]
    fn what_is_no_answer_is_told_with_what_is_one() {
        check(AnswerKind::YesOrNo, None, "maybe", expect!["this is none of the answers (yes or no) "]);
        check(cities(), None, "Berlni", expect!["this is none of the answers (Berlin, Köln) did you mean `Berlin`?"]);
        check(cities(), None, "", expect!["this is none of the answers (Berlin, Köln) "]);
    }
}
