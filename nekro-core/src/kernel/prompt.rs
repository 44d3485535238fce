//! Putting together what the plugins tell the model first.

use std::{
    collections::HashMap,
    future::poll_fn,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::Poll,
};

use schemars::JsonSchema;
use serde::Serialize;

use super::{
    Kernel, Presence, Running,
    guard::{guarded, limited},
};
use crate::{
    call::{Body, BoxFuture, Call, Input},
    caller::Caller,
    ids::{SessionId, UserId},
    prompt::PromptDecl,
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

/// The text that a section had when it was last made, for each conversation and person: one is never told what belongs to another.
#[derive(Debug, Default)]
pub(crate) struct LastGood(Mutex<HashMap<Whose, String>>);

type Whose = (Option<SessionId>, Option<UserId>);

/// For how many of them a section's last good text is kept.
const LAST_GOOD_TEXTS: usize = 1_024;

impl LastGood {
    fn get(&self, caller: &Caller) -> Option<String> {
        self.lock().get(&whose(caller)).cloned()
    }

    fn set(&self, caller: &Caller, text: Option<&String>) {
        let (mut texts, whose) = (self.lock(), whose(caller));
        match text {
            None => drop(texts.remove(&whose)),
            Some(text) => {
                if texts.len() >= LAST_GOOD_TEXTS && !texts.contains_key(&whose) {
                    texts.clear();
                }
                texts.insert(whose, text.clone());
            }
        }
    }

    /// Forgets every text.
    pub(super) fn clear(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Whose, String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn whose(caller: &Caller) -> Whose {
    (caller.session.clone(), caller.user.clone())
}

impl Kernel {
    /// Makes the prompt sections of the running plugins, in order: static ones first, then by priority, plugin and name. They are
    /// made at the same time. A section that fails or is too slow keeps its last good text; it never holds up the others.
    pub async fn prompt(&self, caller: &Caller) -> Vec<Section> {
        let live = self.live();
        let channel = live.channel(caller.session.as_ref());
        let entries = self.registry().prompt_entries().iter().zip(&self.0.last_good);
        let sections = entries.filter_map(|((decl, plugin), last_good)| {
            let plugin = live.plugin(channel, *plugin).filter(|_| !live.halted).cloned()?;
            if self.presence(decl.plugin.id, None, caller) != Presence::Awake {
                return None;
            }
            let section: BoxFuture<'_, _> = Box::pin(self.section(decl, plugin, last_good, caller));
            Some(section)
        });
        let sections = sections.collect();
        // Not held while sections wait: plugins may stop meanwhile.
        drop(live);
        let mut sections: Vec<_> = all(sections).await.into_iter().flatten().collect();
        // Stable: within each half the order stays.
        sections.sort_by_key(|section| !section.is_static);
        sections
    }

    async fn section(
        &self,
        decl: &'static PromptDecl,
        plugin: Arc<Running>,
        last_good: &LastGood,
        caller: &Caller,
    ) -> Option<Section> {
        let limit = self.limits().prompt_deadline;
        let call = Call { kernel: self, plugin: &plugin, caller, limit, input: Input::Nothing };
        let made = match decl.body {
            Body::Sync(body) => guarded(|| body(&call)),
            Body::Async(body) => limited(body(&call), limit).await,
        };
        let (text, failure) = match made {
            Ok(text) => {
                let budget = decl.budget.unwrap_or(self.limits().prompt_budget);
                let text = text.map(|text| cut(text, budget)).filter(|text| !text.is_empty());
                last_good.set(caller, text.as_ref());
                (text, None)
            }
            Err(failure) => {
                tracing::warn!(plugin = decl.plugin.id, section = decl.name, "a prompt section failed: {failure}");
                (last_good.get(caller), Some(failure.to_string()))
            }
        };
        Some(Section { plugin: decl.plugin.id, name: decl.name, text: text?, is_static: decl.is_static(), failure })
    }
}

/// Awaits futures at the same time. Returns what they gave, in their order.
async fn all<T>(mut futures: Vec<BoxFuture<'_, T>>) -> Vec<T> {
    let mut given: Vec<Option<T>> = futures.iter().map(|_| None).collect();
    poll_fn(|context| {
        for (future, given) in futures.iter_mut().zip(&mut given) {
            if given.is_none()
                && let Poll::Ready(value) = future.as_mut().poll(context)
            {
                *given = Some(value);
            }
        }
        if given.iter().all(Option::is_some) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    given.into_iter().flatten().collect()
}

/// Cuts a text to `budget` characters, the last of which then says so.
fn cut(mut text: String, budget: usize) -> String {
    if text.char_indices().nth(budget).is_some() {
        let kept = budget.checked_sub(1).and_then(|last| text.char_indices().nth(last));
        match kept {
            Some((at, _)) => {
                text.truncate(at);
                text.push('…');
            }
            None => text.clear(),
        }
    }
    text
}
