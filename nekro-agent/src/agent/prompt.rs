//! What the model reads first, and the functions that it may call.
//!
//! What changes only with the settings stands first and is the same to the byte from turn to turn, so that a provider can keep what it
//! has read. What a turn brings follows.

use std::{cmp::Reverse, collections::BTreeSet};

use nekro_core::{
    Caller, Origin, Role, SessionId, TurnId,
    event::{
        Additions,
        decisions::{BuiltinUse, StateSummary, TurnContext},
    },
    kernel::{Presence, Stage},
};
use serde::Serialize;

use super::{
    Inner, Machine, builtin,
    profile::Profile,
    script::{self, Scripts},
    tokens,
};
use crate::{history::SessionSettings, model::ToolSpec};

/// The agent's own sections, as plugins name them to leave them out.
const PERSONA: &str = "persona";
const ASLEEP: &str = "plugins_asleep";
const STATE: &str = "state";

/// What is told where a text was cut to its budget.
const CUT: &str = " […]";

/// Whose something is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Source {
    /// The agent's own.
    Agent,
    /// A plugin's.
    Plugin(&'static str),
    /// What plugins added to one turn.
    Turn,
}

/// A part of what the model reads first.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Part {
    /// Whose it is.
    pub(crate) source: Source,
    /// Its name.
    pub(crate) name: &'static str,
    /// Whether it changes only with the settings.
    #[serde(rename = "static")]
    pub(crate) is_static: bool,
    /// How many tokens it has, estimated.
    pub(crate) tokens: u64,
    /// What it says.
    pub(crate) text: String,
}

/// What the model reads first, and the functions that it may call.
#[derive(Debug, Default)]
pub(super) struct Prompt {
    pub(super) parts: Vec<Part>,
    pub(super) tools: Vec<(Source, ToolSpec)>,
}

/// A prompt, for people to look at.
#[derive(Debug, Serialize)]
pub(crate) struct Overview {
    /// The model.
    pub(crate) model: String,
    /// What it reads first.
    pub(crate) parts: Vec<Part>,
    /// The functions: whose, which, and how many tokens each has.
    pub(crate) tools: Vec<(Source, String, u64)>,
    /// How many messages of the conversation it is sent.
    pub(crate) messages: usize,
    /// How many tokens these have.
    pub(crate) history_tokens: u64,
    /// The most that it may be sent.
    pub(crate) context_tokens: u64,
}

impl Overview {
    /// Returns what each source costs, the most expensive first.
    pub(crate) fn costs(&self) -> Vec<(Source, u64)> {
        let mut costs = std::collections::BTreeMap::<Source, u64>::new();
        for part in &self.parts {
            *costs.entry(part.source.clone()).or_default() += part.tokens;
        }
        for (source, _, tokens) in &self.tools {
            *costs.entry(source.clone()).or_default() += tokens;
        }
        let mut costs: Vec<_> = costs.into_iter().collect();
        costs.sort_by_key(|(_, tokens)| Reverse(*tokens));
        costs
    }
}

impl Prompt {
    /// Returns the texts.
    pub(super) fn system(&self) -> Vec<String> {
        self.parts.iter().map(|part| part.text.clone()).collect()
    }

    /// Returns the functions.
    pub(super) fn specs(&self) -> Vec<ToolSpec> {
        self.tools.iter().map(|(_, tool)| tool.clone()).collect()
    }

    /// Estimates how many tokens it has.
    pub(super) fn tokens(&self) -> u64 {
        let parts = self.parts.iter().map(|part| part.tokens).sum::<u64>();
        parts + self.tools.iter().map(|(_, tool)| tokens::of_tool(tool)).sum::<u64>()
    }
}

/// What plugins add to a turn and leave out of it.
#[derive(Debug, Default)]
pub(super) struct Changes {
    pub(super) additions: Additions,
    pub(super) suppressed: BTreeSet<String>,
}

impl Machine {
    /// Shows what a model would see in the next turn of a session.
    ///
    /// # Errors
    ///
    /// If the history cannot be read, or there is no such model.
    pub(crate) async fn overview(&self, session: &SessionId) -> nekro_core::Result<Overview> {
        let inner = &self.0;
        let (profile, settings) = inner.profile(session).await?;
        let caller = Caller::new(Origin::Model, Role::Admin).in_session(session.clone());
        let scripts = inner.scripts(profile.model.as_deref())?;
        let prompt = inner.compose(session, &caller, &profile, &settings, &Changes::default(), scripts.as_deref()).await;
        let window = inner.load(session, &[]).await?;
        let entries = window.entries(false);
        Ok(Overview {
            model: inner.models.model(profile.model.as_deref())?.name().to_owned(),
            messages: entries.len(),
            history_tokens: entries.iter().map(tokens::of_entry).sum(),
            context_tokens: inner.settings.context_tokens,
            tools: prompt.tools.iter().map(|(of, tool)| (of.clone(), tool.name.clone(), tokens::of_tool(tool))).collect(),
            parts: prompt.parts,
        })
    }
}

impl Inner {
    /// Asks plugins what they add to a turn, and what they leave out of it.
    pub(super) async fn changes(
        &self,
        session: &SessionId,
        turn: &TurnId,
        text: &str,
        caller: &Caller,
        by_scripts: bool,
    ) -> Changes {
        let (session, turn) = (session.clone(), turn.clone());
        let question = TurnContext { session: session.clone(), turn: turn.clone(), text: text.to_owned() };
        let additions = self.kernel.decide(question, caller).await.verdict;
        let question = BuiltinUse { session, turn, names: self.own_names(by_scripts) };
        let suppressed = self.kernel.decide(question, caller).await.verdict.names;
        Changes { additions, suppressed }
    }

    /// Returns the names of the agent's own sections and functions.
    fn own_names(&self, by_scripts: bool) -> Vec<String> {
        let mut names = vec![PERSONA];
        if by_scripts {
            names.extend([script::FUNCTIONS, script::RUN]);
        }
        if !self.settings.states.is_empty() {
            names.extend([STATE, builtin::SET_STATE]);
        }
        if self.settings.plugins.values().any(|plugin| plugin.sleep) {
            names.extend([ASLEEP, builtin::ACTIVATE]);
        }
        names.into_iter().map(str::to_owned).collect()
    }

    /// Puts together what the model reads first.
    pub(super) async fn compose(
        &self,
        session: &SessionId,
        caller: &Caller,
        profile: &Profile,
        settings: &SessionSettings,
        changes: &Changes,
        scripts: Option<&dyn Scripts>,
    ) -> Prompt {
        let mut parts = Vec::new();
        let is_left_out = |name: &str| changes.suppressed.contains(name);
        if !is_left_out(PERSONA) {
            parts.push(part(Source::Agent, PERSONA, true, profile.persona.clone()));
        }
        let sections = self.sections(caller).await;
        let (fixed, changing): (Vec<_>, Vec<_>) = sections.into_iter().partition(|part| part.is_static);
        parts.extend(fixed);
        if let Some(scripts) = scripts.filter(|_| !is_left_out(script::FUNCTIONS)) {
            let tools: Vec<_> = self.kernel.tools(caller).collect();
            parts.push(part(Source::Agent, script::FUNCTIONS, true, scripts.guide(&tools)));
        }
        parts.extend(changing);
        if !is_left_out(ASLEEP) {
            parts.extend(self.asleep(caller));
        }
        if !is_left_out(STATE) {
            parts.extend(self.state_part(session, caller, settings).await);
        }
        parts.extend(changes.additions.system.iter().map(|text| part(Source::Turn, "turn_context", false, text.clone())));
        parts.retain(|part| !part.text.is_empty());
        Prompt { parts, tools: self.tools(caller, changes, scripts.is_some()) }
    }

    fn priority(&self, plugin: &str) -> Reverse<i32> {
        Reverse(self.settings.plugins.get(plugin).map_or(0, |settings| settings.priority))
    }

    /// Makes the plugins' sections, each within its plugin's budget and all within theirs.
    async fn sections(&self, caller: &Caller) -> Vec<Part> {
        let mut sections = self.kernel.prompt(caller).await;
        // Stable: what the kernel's order says stays where no operator has said otherwise.
        sections.sort_by_key(|section| (!section.is_static, self.priority(section.plugin)));
        let mut left = self.settings.prompt_tokens;
        let mut of_plugins = std::collections::HashMap::new();
        let mut parts = Vec::new();
        for section in sections {
            let own = self.settings.plugins.get(section.plugin).and_then(|settings| settings.tokens);
            let of_plugin = of_plugins.entry(section.plugin).or_insert(own.unwrap_or(u64::MAX));
            let mut text = section.text;
            let room = left.min(*of_plugin);
            if tokens::cut(&mut text, room, CUT) {
                let limit = if left < *of_plugin { "agent.prompt_tokens" } else { "agent.plugins.*.tokens" };
                tracing::warn!(
                    plugin = section.plugin,
                    section = section.name,
                    "the section was cut to {room} tokens (`{limit}`)"
                );
            }
            // Less than the note says nothing.
            if text == CUT {
                continue;
            }
            let part = part(Source::Plugin(section.plugin), section.name, section.is_static, text);
            left = left.saturating_sub(part.tokens);
            *of_plugin = of_plugin.saturating_sub(part.tokens);
            parts.push(part);
        }
        parts
    }

    /// Tells of the plugins that sleep, one line to each.
    fn asleep(&self, caller: &Caller) -> Option<Part> {
        let mut lines = Vec::new();
        for (entry, brief) in self.sleepers() {
            let plugin = entry.decl.id;
            if self.kernel.presence(plugin, None, caller) == Presence::Asleep {
                let line = brief.unwrap_or_else(|| entry.decl.docs.lines().next().unwrap_or_default());
                lines.push(format!("\n- {plugin}: {line}"));
            }
        }
        let text =
            format!("These plugins sleep; `{}` wakes one, and then you can call its tools:{}", builtin::ACTIVATE, lines.concat());
        (!lines.is_empty()).then(|| part(Source::Agent, ASLEEP, false, text))
    }

    /// Returns the running plugins that sleep until they are woken.
    fn sleepers(&self) -> Vec<(&nekro_core::kernel::PluginEntry, Option<&str>)> {
        if !self.settings.plugins.values().any(|plugin| plugin.sleep) {
            return Vec::new();
        }
        let status = self.kernel.status();
        let runs = |id| status.iter().any(|plugin| plugin.id == id && plugin.stage == Stage::Running);
        let plugins = self.kernel.registry().plugins().iter();
        plugins
            .filter(|entry| self.presences.sleeps(entry.decl.id) && runs(entry.decl.id))
            .map(|entry| (entry, self.settings.plugins.get(entry.decl.id).and_then(|settings| settings.brief.as_deref())))
            .collect()
    }

    /// Tells whether a plugin can be woken.
    pub(super) fn can_wake(&self, plugin: &str) -> bool {
        self.sleepers().iter().any(|(entry, _)| entry.decl.id == plugin)
    }

    async fn state_part(&self, session: &SessionId, caller: &Caller, settings: &SessionSettings) -> Option<Part> {
        let state = self.state(settings)?;
        let question = StateSummary { session: session.clone(), state: state.clone() };
        let added = self.kernel.decide(question, caller).await.verdict.texts;
        let mut text = format!("Your state is `{state}`.");
        for more in added {
            text.push('\n');
            text.push_str(&more);
        }
        Some(part(Source::Agent, STATE, false, text))
    }

    /// Lists the functions: exactly those that can be called, or the one that runs scripts.
    fn tools(&self, caller: &Caller, changes: &Changes, by_scripts: bool) -> Vec<(Source, ToolSpec)> {
        let mut tools = if by_scripts { Vec::new() } else { self.plugin_tools(caller) };
        if by_scripts && !changes.suppressed.contains(script::RUN) {
            tools.push((Source::Agent, script::spec()));
        }
        let sleepers: Vec<_> = self.sleepers().into_iter().map(|(entry, _)| entry.decl.id).collect();
        if !sleepers.is_empty() && !changes.suppressed.contains(builtin::ACTIVATE) {
            tools.push((Source::Agent, builtin::activate(&sleepers)));
        }
        if !self.settings.states.is_empty() && !changes.suppressed.contains(builtin::SET_STATE) {
            tools.push((Source::Agent, builtin::set_state(&self.settings.states)));
        }
        tools
    }

    fn plugin_tools(&self, caller: &Caller) -> Vec<(Source, ToolSpec)> {
        let mut tools: Vec<_> = self
            .kernel
            .tools(caller)
            .map(|entry| {
                let spec = ToolSpec {
                    name: entry.name().to_owned(),
                    description: entry.docs().to_owned(),
                    arguments: entry.arguments().clone(),
                };
                (Source::Plugin(entry.plugin().id), spec)
            })
            .collect();
        // Stable, as with the sections.
        tools.sort_by_key(|(source, _)| match source {
            Source::Plugin(plugin) => self.priority(plugin),
            Source::Agent | Source::Turn => Reverse(0),
        });
        tools
    }
}

fn part(source: Source, name: &'static str, is_static: bool, text: String) -> Part {
    Part { source, name, is_static, tokens: tokens::of_text(&text), text }
}
