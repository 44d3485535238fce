//! The agent's own functions, which the model may call beside those of plugins.

use nekro_core::{Error, Result};
use serde::Deserialize;
use serde_json::json;

use crate::model::ToolSpec;

/// Wakes a plugin that sleeps.
pub(super) const ACTIVATE: &str = "activate_plugin";

/// Moves the agent to another state.
pub(super) const SET_STATE: &str = "set_state";

/// For how many rounds a plugin is woken, if the model does not say.
const ROUNDS: u32 = 5;

/// The most rounds that a plugin is woken for at once.
const MOST_ROUNDS: u32 = 50;

/// A call of one of these functions.
#[derive(Debug, PartialEq)]
pub(super) enum Builtin {
    /// Wakes a plugin.
    Activate {
        /// Which.
        name: String,
        /// For how many rounds.
        rounds: u32,
    },
    /// Moves to another state.
    SetState {
        /// Which.
        state: String,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Activate {
    name: String,
    #[serde(default = "rounds")]
    rounds: u32,
}

fn rounds() -> u32 {
    ROUNDS
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SetState {
    state: String,
}

impl Builtin {
    /// Tells whether a function is one of these.
    pub(super) fn is_one(tool: &str) -> bool {
        matches!(tool, ACTIVATE | SET_STATE)
    }

    /// Reads a call; `None` if it is of another function.
    pub(super) fn read(tool: &str, arguments: &str) -> Option<Result<Self>> {
        let wrong = |error: serde_json::Error| {
            Error::new(format!("the arguments of `{tool}` are wrong: {error}")).with_code("invalid_arguments")
        };
        match tool {
            ACTIVATE => Some(match serde_json::from_str::<Activate>(arguments) {
                Ok(of) if (1..=MOST_ROUNDS).contains(&of.rounds) => Ok(Self::Activate { name: of.name, rounds: of.rounds }),
                Ok(_) => Err(Error::new(format!("`rounds` is from 1 to {MOST_ROUNDS}")).with_code("invalid_arguments")),
                Err(error) => Err(wrong(error)),
            }),
            SET_STATE => {
                Some(serde_json::from_str::<SetState>(arguments).map(|of| Self::SetState { state: of.state }).map_err(wrong))
            }
            _ => None,
        }
    }
}

/// Describes [`ACTIVATE`], for those plugins.
pub(super) fn activate(plugins: &[&str]) -> ToolSpec {
    ToolSpec {
        name: ACTIVATE.to_owned(),
        description:
            "Wakes a plugin that sleeps, so that you can call its tools from the next round on. Called again, the plugin \
                      stays awake for that much longer."
                .to_owned(),
        arguments: json!({
            "type": "object",
            "properties": {
                "name": { "type": "string", "enum": plugins, "description": "The plugin." },
                "rounds": {
                    "type": "integer", "minimum": 1, "maximum": MOST_ROUNDS, "default": ROUNDS,
                    "description": "For how many of your rounds it is to be awake.",
                },
            },
            "required": ["name"],
            "additionalProperties": false,
        }),
    }
}

/// Describes [`SET_STATE`], for those states.
pub(super) fn set_state(states: &[String]) -> ToolSpec {
    ToolSpec {
        name: SET_STATE.to_owned(),
        description: "Moves you to another state.".to_owned(),
        arguments: json!({
            "type": "object",
            "properties": { "state": { "type": "string", "enum": states, "description": "The state to move to." } },
            "required": ["state"],
            "additionalProperties": false,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_read_and_mistakes_told() {
        let read = |tool, arguments| Builtin::read(tool, arguments).map(|read| read.map_err(|error| error.to_string()));
        let activate = |rounds| Some(Ok(Builtin::Activate { name: "notes".into(), rounds }));
        assert_eq!(read(ACTIVATE, r#"{"name":"notes"}"#), activate(ROUNDS));
        assert_eq!(read(ACTIVATE, r#"{"name":"notes","rounds":2}"#), activate(2));
        assert_eq!(read(ACTIVATE, r#"{"name":"notes","rounds":0}"#), Some(Err("`rounds` is from 1 to 50".into())));
        assert!(matches!(read(SET_STATE, "{}"), Some(Err(_))));
        assert_eq!(read(SET_STATE, r#"{"state":"x"}"#), Some(Ok(Builtin::SetState { state: "x".into() })));
        assert_eq!(read("dice.roll", "{}"), None);
    }
}
