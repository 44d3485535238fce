//! Who the agent is, part by part: its name, description, style and language, changed in each conversation.

#![forbid(unsafe_code)]

mod character;
mod phrase;

use std::collections::BTreeMap;

use nekro_core::{prelude::*, suggest};

use crate::{
    character::{Character, Choice, Part},
    phrase::{Phrase, PhraseError},
};

/// The name, description, style and language of the agent, which a conversation can change.
///
/// They are told to the model after the persona of the agent itself. What is not set is not told.
#[plugin(category = "persona")]
#[derive(Default)]
#[serde(default)]
pub struct Persona {
    /// What the agent is called.
    name: Option<Phrase>,
    /// Who it is, such as "a patient teacher of mathematics".
    description: Option<Phrase>,
    /// How it writes, such as "short sentences, no emoji".
    style: Option<Phrase>,
    /// The language it answers in, such as "German".
    language: Option<Phrase>,
    /// Characters to choose from, by name.
    presets: BTreeMap<String, Character>,
}

impl Persona {
    fn usual(&self) -> Character {
        Character {
            name: self.name.clone(),
            description: self.description.clone(),
            style: self.style.clone(),
            language: self.language.clone(),
        }
    }

    fn character(&self, choice: &Choice) -> Character {
        choice.character(&self.presets, &self.usual())
    }

    /// Finds a preset by its name.
    fn preset(&self, name: Option<&str>) -> Result<String> {
        let known = || self.presets.keys().map(String::as_str);
        let list = || match self.presets.len() {
            0 => "there are none: `[plugins.persona.presets]` has them".to_owned(),
            _ => format!("there are {}", known().collect::<Vec<_>>().join(", ")),
        };
        let Some(name) = name else {
            return Err(Error::new("which preset is meant?").with_code("invalid_arguments").with_hint(list()));
        };
        if self.presets.contains_key(name) {
            return Ok(name.to_owned());
        }
        let hint = suggest(name, known()).map(|meant| format!("did you mean `{meant}`?")).unwrap_or_else(list);
        Err(Error::new("there is no such preset").with_code("not_found").with_hint(hint))
    }
}

/// What to do with the character of a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Action {
    /// Show it.
    Show,
    /// Choose a preset.
    Use,
    /// Change what it is called.
    Name,
    /// Change who it is.
    Description,
    /// Change how it writes.
    Style,
    /// Change the language it answers in.
    Language,
    /// Take back all changes.
    Reset,
}

/// Shows or changes who the agent is in this conversation, such as /character style short sentences.
#[command(name = "character", role = manager)]
async fn change(
    store: &Store,
    persona: &Persona,
    /// What to do: show, use a preset, change the name, description, style or language, or reset.
    #[arg(default = Action::Show)]
    action: Action,
    /// The preset, or what the part is to be; without it, the part is again what it usually is.
    text: Option<String>,
) -> Result<String> {
    let mut choice: Choice = store.session()?.get(CHOICE).await?.unwrap_or_default();
    match edit(action, text, persona)? {
        Edit::None => {}
        Edit::Reset => {
            choice = Choice::default();
            store.session()?.remove(CHOICE).await?;
        }
        Edit::Preset(name) => {
            choice = store
                .session()?
                .update(CHOICE, |choice| Choice { preset: Some(name.clone()), ..choice.unwrap_or_default() })
                .await?;
        }
        Edit::Part(part, phrase) => {
            let change = |choice: Option<Choice>| {
                let mut choice = choice.unwrap_or_default();
                choice.own.set(part, phrase.clone());
                choice
            };
            choice = store.session()?.update(CHOICE, change).await?;
        }
    }
    Ok(persona.character(&choice).to_string())
}

/// Who the agent is, over what its settings say.
#[prompt(priority = 100, budget = 2_500)]
async fn character(ctx: &Ctx, store: &Store, persona: &Persona) -> Result<Option<String>> {
    let choice = match ctx.session() {
        Some(_) => store.session()?.get(CHOICE).await?.unwrap_or_default(),
        None => Choice::default(),
    };
    Ok(persona.character(&choice).instructions())
}

/// Under which key the choice of a conversation is stored.
const CHOICE: &str = "character";

/// What an action and its text come to.
enum Edit {
    None,
    Reset,
    Preset(String),
    Part(Part, Option<Phrase>),
}

fn edit(action: Action, text: Option<String>, persona: &Persona) -> Result<Edit> {
    let part = match action {
        Action::Show => return Ok(Edit::None),
        Action::Reset => return Ok(Edit::Reset),
        Action::Use => return Ok(Edit::Preset(persona.preset(text.as_deref())?)),
        Action::Name => Part::Name,
        Action::Description => Part::Description,
        Action::Style => Part::Style,
        Action::Language => Part::Language,
    };
    let phrase = text.map(Phrase::try_from).transpose();
    let wrong = |error: PhraseError| Error::new(error.to_string()).with_code("invalid_arguments");
    Ok(Edit::Part(part, phrase.map_err(wrong)?))
}
