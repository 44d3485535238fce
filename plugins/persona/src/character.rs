//! A character: who somebody is, part by part, so that one part can change and the others stay.

use std::{collections::BTreeMap, fmt};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::phrase::Phrase;

/// Who somebody is. What is left out is not said.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Character {
    /// What the agent is called.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<Phrase>,
    /// Who it is, such as "a patient teacher of mathematics".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) description: Option<Phrase>,
    /// How it writes, such as "short sentences, no emoji".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) style: Option<Phrase>,
    /// The language it answers in, such as "German".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) language: Option<Phrase>,
}

/// A part of a character.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// What it is called.
    Name,
    /// Who it is.
    Description,
    /// How it writes.
    Style,
    /// The language it answers in.
    Language,
}

/// What a conversation has chosen.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Choice {
    /// The name of a preset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) preset: Option<String>,
    /// What it has changed.
    #[serde(default)]
    pub(crate) own: Character,
}

impl Character {
    /// Lays this character over another, part by part.
    pub(crate) fn over(self, below: &Self) -> Self {
        Self {
            name: self.name.or_else(|| below.name.clone()),
            description: self.description.or_else(|| below.description.clone()),
            style: self.style.or_else(|| below.style.clone()),
            language: self.language.or_else(|| below.language.clone()),
        }
    }

    /// Changes a part, or takes it away.
    pub(crate) fn set(&mut self, part: Part, phrase: Option<Phrase>) {
        *match part {
            Part::Name => &mut self.name,
            Part::Description => &mut self.description,
            Part::Style => &mut self.style,
            Part::Language => &mut self.language,
        } = phrase;
    }

    /// Returns what the model is told, if there is anything.
    pub(crate) fn instructions(&self) -> Option<String> {
        let parts = [
            self.name.as_ref().map(|name| format!("Your name is {}.", &**name)),
            self.description.as_ref().map(|description| format!("Who you are: {}", &**description)),
            self.style.as_ref().map(|style| format!("How you write: {}", &**style)),
            self.language
                .as_ref()
                .map(|language| format!("Answer in this language unless you are asked for another: {}", &**language)),
        ];
        let lines: Vec<_> = parts.into_iter().flatten().collect();
        (!lines.is_empty()).then(|| lines.join("\n"))
    }
}

impl Choice {
    /// Returns the character that counts: what was changed lies over the preset, and that over the usual one. A preset that is no longer
    /// there counts for nothing.
    pub(crate) fn character(&self, presets: &BTreeMap<String, Character>, usual: &Character) -> Character {
        let preset = self.preset.as_ref().and_then(|name| presets.get(name)).cloned().unwrap_or_default();
        self.own.clone().over(&preset.over(usual))
    }
}

impl fmt::Display for Character {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows =
            [("name", &self.name), ("description", &self.description), ("style", &self.style), ("language", &self.language)];
        for (index, (part, phrase)) in rows.into_iter().enumerate() {
            let end = if index == 0 { "" } else { "\n" };
            write!(f, "{end}{part}: {}", phrase.as_deref().unwrap_or("-"))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn character(name: &str, style: &str) -> Character {
        let phrase = |text: &str| Phrase::try_from(text.to_owned()).ok();
        Character { name: phrase(name), style: phrase(style), ..Character::default() }
    }

    #[test]
    fn parts_lie_over_each_other_one_by_one() {
        let presets = [("pirate".to_owned(), character("Anne", "rough"))].into();
        let usual = character("Nek", "short");
        for (preset, own, expected) in [
            (None, character("", ""), character("Nek", "short")),
            (Some("pirate"), character("", ""), character("Anne", "rough")),
            (Some("pirate"), character("", "polite"), character("Anne", "polite")),
            (Some("gone"), character("", "polite"), character("Nek", "polite")),
        ] {
            let choice = Choice { preset: preset.map(str::to_owned), own };
            assert_eq!(choice.character(&presets, &usual), expected);
        }
    }

    #[test]
    fn a_character_of_nothing_says_nothing() {
        assert_eq!(Character::default().instructions(), None);
        assert_eq!(character("Nek", "").instructions().as_deref(), Some("Your name is Nek."));
    }
}
