//! Putting together what the plugins tell the model first.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use schemars::JsonSchema;
use serde::Serialize;

use super::{
    Kernel,
    guard::{guarded, limited},
};
use crate::{
    call::{Body, Call, Input},
    caller::Caller,
    ids::SessionId,
};

/// A section of the text that the model reads first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct Section {
    /// The plugin.
    pub plugin: &'static str,
    /// The section's name.
    pub name: &'static str,
    /// The text, cut to its budget.
    pub text: String,
    /// Whether it changes only with the configuration.
    #[serde(rename = "static")]
    pub is_static: bool,
    /// Why the text is an older one, if the section could not be made this time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
}

/// The text that a section had when it was last made, for each conversation: one is never told what belongs to another.
#[derive(Debug, Default)]
pub(crate) struct LastGood(Mutex<HashMap<Option<SessionId>, String>>);

/// For how many conversations a section's last good text is kept.
const LAST_GOOD_SESSIONS: usize = 1_024;

impl LastGood {
    fn get(&self, session: &Option<SessionId>) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(session).cloned()
    }

    fn set(&self, session: &Option<SessionId>, text: Option<&String>) {
        let mut texts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match text {
            None => drop(texts.remove(session)),
            Some(text) => {
                if texts.len() >= LAST_GOOD_SESSIONS && !texts.contains_key(session) {
                    texts.clear();
                }
                texts.insert(session.clone(), text.clone());
            }
        }
    }
}

impl Kernel {
    /// Makes the prompt sections of the running plugins, in order: static ones first, then by priority, plugin and name. A section
    /// that fails or is too slow keeps its last good text; it never holds up the others.
    pub async fn prompt(&self, caller: &Caller) -> Vec<Section> {
        let live = self.live();
        let mut sections = Vec::new();
        for (at, (decl, plugin)) in self.registry().prompt_entries().iter().enumerate() {
            let Some(plugin) = live.plugins[*plugin].as_deref().filter(|_| !live.halted) else { continue };
            let limit = self.limits().prompt_deadline;
            let call = Call { kernel: self, plugin, caller, limit, input: Input::Nothing };
            let made = match decl.body {
                Body::Sync(body) => guarded(|| body(&call)),
                Body::Async(body) => limited(body(&call), limit).await,
            };
            let last = &self.0.last_good[at];
            let (text, failure) = match made {
                Ok(text) => {
                    let budget = decl.budget.unwrap_or(self.limits().prompt_budget);
                    let text = text.map(|text| cut(text, budget)).filter(|text| !text.is_empty());
                    last.set(&caller.session, text.as_ref());
                    (text, None)
                }
                Err(failure) => {
                    tracing::warn!(plugin = decl.plugin.id, section = decl.name, "a prompt section failed: {failure}");
                    (last.get(&caller.session), Some(failure.to_string()))
                }
            };
            let section = |text| Section { plugin: decl.plugin.id, name: decl.name, text, is_static: decl.is_static(), failure };
            sections.extend(text.map(section));
        }
        // Stable: within each half the order stays.
        sections.sort_by_key(|section| !section.is_static);
        sections
    }
}

/// Cuts a text after `budget` characters, and says so in it.
fn cut(mut text: String, budget: usize) -> String {
    if let Some((at, _)) = text.char_indices().nth(budget) {
        text.truncate(at);
        text.push('…');
    }
    text
}
