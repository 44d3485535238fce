//! What an operator sets for the agent: `[agent]` in `nekro.toml`.

use std::{collections::BTreeMap, time::Duration};

use jiff::fmt::serde::unsigned_duration::friendly::compact::required as friendly;
use nekro_core::{ConfigMistake, suggest};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Who the agent is, when it answers, and the limits of its turns.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct AgentSettings {
    /// What the agent is called. In a group, a message with this name in it is answered.
    pub(crate) name: String,
    /// What the model reads first: who it is, and how it should behave.
    pub(crate) persona: String,
    /// The preset that holds where nothing else is chosen.
    pub(crate) preset: Option<String>,
    /// The model; without it, the one that the models' own settings say.
    pub(crate) model: Option<String>,
    /// Personas to choose from, by name.
    pub(crate) presets: BTreeMap<String, Preset>,
    /// Who the agent is in one channel, such as `terminal`, by its name or by the whole name of a session.
    pub(crate) channels: BTreeMap<String, ChannelSettings>,
    /// How plugins take part in conversations, by plugin.
    pub(crate) plugins: BTreeMap<String, PluginSettings>,
    /// What is answered in a group. In a private chat, everything is.
    pub(crate) groups: Groups,
    /// What becomes of a message that comes while the agent works.
    pub(crate) during_turn: DuringTurn,
    /// What somebody is told whose message comes while the agent works; empty for nothing.
    pub(crate) busy_message: String,
    /// How long to wait whether more messages come, before they are answered together.
    #[serde(with = "friendly")]
    #[schemars(with = "String")]
    pub(crate) debounce: Duration,
    /// The states that the agent may be in, the first one first. With none, it has no states.
    pub(crate) states: Vec<String>,
    /// How many turns run at the same time, each of another session; at least 1.
    pub(crate) parallel_turns: usize,
    /// How many messages of one session may wait to be answered. What comes then is kept, and has no answer of its own.
    pub(crate) queue: usize,
    /// How many bytes a file may have that comes with a message.
    pub(crate) file_bytes: u64,
    /// How often in a turn the model may call tools before it has to answer.
    pub(crate) rounds: u32,
    /// How many tools may be called in one round.
    pub(crate) calls: usize,
    /// How many of them run at the same time; at least 1.
    pub(crate) parallel_calls: usize,
    /// How often in a turn the same call with the same result is made; it is not made again after that.
    pub(crate) repeats: u32,
    /// How many tokens of a tool's result the model is shown. The whole is kept.
    pub(crate) result_tokens: u64,
    /// How many tokens the model is sent at most: what it reads first, the tools and the conversation.
    pub(crate) context_tokens: u64,
    /// How many tokens the sections of all plugins together may have.
    pub(crate) prompt_tokens: u64,
    /// How many tokens the model may write in one answer; without it, what the provider allows.
    pub(crate) answer_tokens: Option<u32>,
    /// How freely the model chooses its words, from 0 to 2; without it, what the provider finds right.
    pub(crate) temperature: Option<f64>,
}

impl Default for AgentSettings {
    fn default() -> Self {
        Self {
            name: "Nekro".to_owned(),
            persona:
                "You are Nekro, a helpful agent. Answer in the language you are spoken to, and briefly. Use your tools where \
                      they know better than you, and say so if something did not work."
                    .to_owned(),
            preset: None,
            model: None,
            presets: BTreeMap::new(),
            channels: BTreeMap::new(),
            plugins: BTreeMap::new(),
            groups: Groups::default(),
            during_turn: DuringTurn::default(),
            busy_message: String::new(),
            debounce: Duration::ZERO,
            states: Vec::new(),
            parallel_turns: 32,
            queue: 64,
            file_bytes: 10 * 1024 * 1024,
            rounds: 16,
            calls: 64,
            parallel_calls: 8,
            repeats: 3,
            result_tokens: 4_000,
            context_tokens: 32_000,
            prompt_tokens: 8_000,
            answer_tokens: None,
            temperature: None,
        }
    }
}

impl AgentSettings {
    /// Tells every name that stands for nothing, with its key. `model` and `plugin` say what is wrong with a name.
    pub(crate) fn mistakes(
        &self,
        model: impl Fn(&str) -> Result<(), String>,
        plugin: impl Fn(&str) -> Result<(), String>,
    ) -> Vec<ConfigMistake> {
        let mut mistakes = Vec::new();
        let mut check = |path: String, said: Result<(), String>| {
            mistakes.extend(said.err().map(|problem| ConfigMistake { path, problem }));
        };
        for (key, name) in self.named("preset", self.preset.as_ref(), |channel| channel.preset.as_ref()) {
            check(key, self.preset_is_there(name));
        }
        for (key, name) in self.named("model", self.model.as_ref(), |channel| channel.model.as_ref()) {
            check(key, model(name));
        }
        for id in self.plugins.keys() {
            check(format!("plugins.{id}"), plugin(id));
        }
        for (name, preset) in &self.presets {
            for id in preset.plugins.keys() {
                check(format!("presets.{name}.plugins.{id}"), plugin(id));
            }
            if let Some(chosen) = &preset.model {
                check(format!("presets.{name}.model"), model(chosen));
            }
        }
        mistakes
    }

    /// Returns what is named everywhere and in channels, with the keys.
    fn named<'a>(
        &'a self,
        key: &str,
        everywhere: Option<&'a String>,
        in_channel: impl Fn(&'a ChannelSettings) -> Option<&'a String>,
    ) -> Vec<(String, &'a str)> {
        let mut named: Vec<_> = everywhere.map(|name| (key.to_owned(), name.as_str())).into_iter().collect();
        for (channel, settings) in &self.channels {
            named.extend(in_channel(settings).map(|name| (format!("channels.{channel}.{key}"), name.as_str())));
        }
        named
    }

    fn preset_is_there(&self, name: &str) -> Result<(), String> {
        if self.presets.contains_key(name) {
            return Ok(());
        }
        Err(match suggest(name, self.presets.keys().map(String::as_str)) {
            Some(meant) => format!("there is no preset `{name}`: did you mean `{meant}`?"),
            None => format!("there is no preset `{name}` in `agent.presets`"),
        })
    }
}

/// A persona to choose.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Preset {
    /// What the model reads first.
    pub(crate) persona: Option<String>,
    /// The model.
    pub(crate) model: Option<String>,
    /// Plugins that are on or off.
    pub(crate) plugins: BTreeMap<String, bool>,
}

/// Who the agent is in one channel. Which plugins are off there, `[channels]` says.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ChannelSettings {
    /// The preset.
    pub(crate) preset: Option<String>,
    /// What the model reads first, over the preset's.
    pub(crate) persona: Option<String>,
    /// The model, over the preset's.
    pub(crate) model: Option<String>,
}

/// How a plugin takes part in conversations.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct PluginSettings {
    /// Whether it sleeps until the model wakes it: it then has one line of the prompt, and no tools.
    pub(crate) sleep: bool,
    /// That line, in place of the plugin's description.
    pub(crate) brief: Option<String>,
    /// Plugins with a higher priority come first: their sections and their tools.
    pub(crate) priority: i32,
    /// How many tokens its sections may have.
    pub(crate) tokens: Option<u64>,
}

/// What is answered in a group.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Groups {
    /// A message that mentions the agent, in the channel's own way.
    pub(crate) mention: bool,
    /// A message with the agent's name in it.
    pub(crate) name: bool,
    /// A message like one of these; `*` stands for any text, and case does not count.
    pub(crate) patterns: Vec<String>,
    /// So many of a hundred other messages, by chance.
    #[schemars(range(max = 100))]
    pub(crate) chance: u8,
}

impl Default for Groups {
    fn default() -> Self {
        Self { mention: true, name: true, patterns: Vec::new(), chance: 0 }
    }
}

/// What becomes of a message that comes while the agent works.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum DuringTurn {
    /// The model is told of it before it goes on; if there is no such moment any more, it has a turn of its own.
    #[default]
    Inject,
    /// It waits, and has a turn of its own.
    Queue,
}
