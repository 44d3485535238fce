//! How the plugins are doing.

use std::sync::PoisonError;

use schemars::JsonSchema;
use serde::Serialize;

use super::Kernel;

/// How a plugin is doing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct PluginStatus {
    /// The plugin.
    pub id: &'static str,
    /// What it is doing.
    #[serde(flatten)]
    pub stage: Stage,
    /// How many facts wait for it.
    pub waiting: usize,
    /// How many facts were dropped because its mailbox was full.
    pub dropped: u64,
    /// Its event handlers that failed too often and are not called for a while.
    pub quarantined: Vec<&'static str>,
}

/// What a plugin is doing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(tag = "stage", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Stage {
    /// It can be called.
    Running,
    /// It is linked, and nothing more.
    Disabled,
    /// It could not start.
    Failed {
        /// Why.
        reason: String,
    },
}

impl Kernel {
    /// Tells whether a plugin can be called now.
    pub fn is_running(&self, plugin: &str) -> bool {
        self.registry().plugin_index(plugin).is_some_and(|at| self.running(at, None).is_some())
    }

    /// Tells how the plugins are doing, sorted by id.
    pub fn status(&self) -> Vec<PluginStatus> {
        let stages = self.0.stages.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let plugins = self.registry().plugins().iter().zip(stages).enumerate();
        plugins
            .map(|(at, (entry, stage))| PluginStatus {
                id: entry.decl.id,
                stage,
                waiting: self.0.mailboxes[at].waiting(),
                dropped: self.0.mailboxes[at].dropped(),
                quarantined: self
                    .registry()
                    .events()
                    .iter()
                    .flat_map(|event| &event.listeners)
                    .filter(|listener| listener.plugin == at && self.0.breakers[listener.number].is_open())
                    .map(|listener| listener.decl.name)
                    .collect(),
            })
            .collect()
    }
}
