//! The section `[plugin_models]` of the settings: what plugins may ask models, and what that may cost.

use std::collections::BTreeMap;

use nekro_core::ConfigMistake;
use schemars::JsonSchema;
use serde::Deserialize;

/// What plugins may ask models, each for itself. What the agent asks in its turns is set under `[models]` and `[agent]`; what plugins ask in a
/// conversation counts into its budget too.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct PluginModelSettings {
    /// The model that is asked if a plugin names none; without it, `models.default`.
    pub(crate) model: Option<String>,
    /// How many tokens a plugin may cost in one turn, read and written together.
    pub(crate) turn_tokens: u64,
    /// How much money a plugin may cost in one turn, by the prices of the models; without it, any amount.
    #[schemars(range(min = 0.0))]
    pub(crate) turn_cost: Option<f64>,
    /// How many tokens a plugin may cost in a day, which begins at midnight in UTC.
    pub(crate) day_tokens: u64,
    /// How much money a plugin may cost in a day; without it, any amount.
    #[schemars(range(min = 0.0))]
    pub(crate) day_cost: Option<f64>,
    /// How many characters a request may have.
    pub(crate) request_characters: usize,
    /// How many tokens an answer may have.
    #[schemars(range(min = 1))]
    pub(crate) answer_tokens: u32,
    /// How many requests one plugin may have at the same time; the others wait. At least 1.
    pub(crate) concurrency: usize,
    /// What is different for one plugin, by its id.
    pub(crate) plugins: BTreeMap<String, OnePlugin>,
}

/// What is different for one plugin; what is not set is as for the others.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct OnePlugin {
    /// The model that is asked if the plugin names none.
    pub(crate) model: Option<String>,
    /// How many tokens it may cost in one turn.
    pub(crate) turn_tokens: Option<u64>,
    /// How much money it may cost in one turn.
    #[schemars(range(min = 0.0))]
    pub(crate) turn_cost: Option<f64>,
    /// How many tokens it may cost in a day.
    pub(crate) day_tokens: Option<u64>,
    /// How much money it may cost in a day.
    #[schemars(range(min = 0.0))]
    pub(crate) day_cost: Option<f64>,
}

impl Default for PluginModelSettings {
    fn default() -> Self {
        Self {
            model: None,
            turn_tokens: 50_000,
            turn_cost: None,
            day_tokens: 500_000,
            day_cost: None,
            request_characters: 200_000,
            answer_tokens: 4_000,
            concurrency: 2,
            plugins: BTreeMap::new(),
        }
    }
}

/// What one plugin may spend in some time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Budget {
    pub(super) tokens: u64,
    pub(super) cost: Option<f64>,
    /// The key of the number of tokens; that of the money ends otherwise.
    pub(super) key: &'static str,
}

impl PluginModelSettings {
    /// Returns names that stand for nothing, with their keys under `plugin_models`. `model` and `plugin` say what is wrong with a name.
    pub(crate) fn mistakes(
        &self,
        model: impl Fn(&str) -> Result<(), String>,
        plugin: impl Fn(&str) -> Result<(), String>,
    ) -> Vec<ConfigMistake> {
        let mut mistakes = Vec::new();
        let mut check = |path: String, said: Result<(), String>| {
            mistakes.extend(said.err().map(|problem| ConfigMistake { path, problem }));
        };
        if let Some(name) = &self.model {
            check("model".to_owned(), model(name));
        }
        for (id, own) in &self.plugins {
            check(format!("plugins.{id}"), plugin(id));
            if let Some(name) = &own.model {
                check(format!("plugins.{id}.model"), model(name));
            }
        }
        mistakes
    }

    fn of(&self, plugin: &str) -> OnePlugin {
        self.plugins.get(plugin).cloned().unwrap_or_default()
    }

    /// Returns the model that a plugin asks if it names none.
    pub(super) fn model_of(&self, plugin: &str) -> Option<String> {
        self.of(plugin).model.or_else(|| self.model.clone())
    }

    /// Returns what a plugin may spend in one turn.
    pub(super) fn turn_of(&self, plugin: &str) -> Budget {
        let own = self.of(plugin);
        Budget { tokens: own.turn_tokens.unwrap_or(self.turn_tokens), cost: own.turn_cost.or(self.turn_cost), key: "turn" }
    }

    /// Returns what a plugin may spend in a day.
    pub(super) fn day_of(&self, plugin: &str) -> Budget {
        let own = self.of(plugin);
        Budget { tokens: own.day_tokens.unwrap_or(self.day_tokens), cost: own.day_cost.or(self.day_cost), key: "day" }
    }
}
