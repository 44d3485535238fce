//! What one client follows: its lists, and the resources that it has subscribed to.
//!
//! Several changes within `change_interval` are told as one. What waits to be told is bounded by what was subscribed to, however long a
//! client does not listen.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt, mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
};

use nekro_core::{
    Caller,
    event::facts::{FileChange, SharedFileChanged},
    kernel::{Kernel, Observed},
};
use rmcp::ErrorData;
use serde_json::Value;
use tokio::sync::Notify;

use super::{
    Limits,
    resources::{self, Place},
};

/// Whoever is told of changes.
pub(super) struct Follower {
    kernel: Kernel,
    pub(super) limits: Arc<Limits>,
    state: Mutex<State>,
    bell: Arc<Notify>,
}

#[derive(Default)]
struct State {
    // Whose lists they are, as far as that is known.
    lists_of: Option<Caller>,
    watched: BTreeMap<String, Watched>,
    news: News,
}

/// A resource that was subscribed to.
struct Watched {
    by: Caller,
    place: Place,
}

/// What a client is to be told.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct News {
    /// All lists may be others.
    pub(super) lists: bool,
    /// The list of resources may be another.
    pub(super) resources: bool,
    /// These resources may say something else, by their names.
    pub(super) updated: BTreeSet<String>,
}

impl Follower {
    pub(super) fn new(kernel: Kernel, limits: Arc<Limits>) -> Arc<Self> {
        Arc::new(Self { kernel, limits, state: Mutex::default(), bell: Arc::default() })
    }

    /// Says whose lists it is told of.
    pub(super) fn follow_lists(&self, caller: Caller) {
        self.state().lists_of = Some(caller);
    }

    /// Watches a resource from now on, whether or not it is there already. A second time is as once.
    ///
    /// # Errors
    ///
    /// If the caller sees none of this name, or watches too many.
    pub(super) fn watch(&self, uri: &str, caller: &Caller) -> Result<(), ErrorData> {
        let unknown = || ErrorData::resource_not_found(format!("there is no resource `{uri}`"), None);
        let place = resources::find(&self.kernel, caller, uri).ok_or_else(unknown)?;
        let mut state = self.state();
        let most = self.limits.subscriptions;
        if state.watched.len() >= most && !state.watched.contains_key(uri) {
            let problem =
                format!("a client subscribes to {most} resources at most (`mcp.subscriptions`): unsubscribe from one first");
            return Err(ErrorData::invalid_request(problem, None));
        }
        state.watched.insert(uri.to_owned(), Watched { by: caller.clone(), place });
        Ok(())
    }

    /// Watches a resource no longer.
    pub(super) fn forget(&self, uri: &str) {
        let mut state = self.state();
        state.watched.remove(uri);
        state.news.updated.remove(uri);
    }

    pub(super) fn note_lists(&self) {
        self.state().news.lists = true;
        self.bell.notify_one();
    }

    pub(super) fn note_file(&self, file: &SharedFileChanged) {
        let mut state = self.state();
        let is_listed = |caller: &Caller| self.kernel.shows_file(file.plugin.as_str(), &file.path, caller);
        if file.change != FileChange::Written && state.lists_of.as_ref().is_some_and(is_listed) {
            state.news.resources = true;
        }
        state.update(|place| place.is_file(&file.plugin, &file.path));
        self.ring(&state);
    }

    pub(super) fn note_fact(&self, fact: &Observed<'_>) {
        let mut state = self.state();
        if state.watched.values().any(|watched| watched.place.changes_by(fact.name(), None)) {
            let fields = fact.to_json();
            state.update(|place| place.changes_by(fact.name(), Some(&fields)));
            self.ring(&state);
        }
    }

    fn ring(&self, state: &State) {
        if !state.news.is_empty() {
            self.bell.notify_one();
        }
    }

    /// Waits for something to tell, and for what comes soon after it; `None` when nobody follows any longer.
    pub(super) async fn next(follower: &Weak<Self>) -> Option<News> {
        loop {
            let (bell, interval) = follower.upgrade().map(|one| (Arc::clone(&one.bell), one.limits.change_interval))?;
            bell.notified().await;
            tokio::time::sleep(interval).await;
            let news = follower.upgrade()?.take();
            if !news.is_empty() {
                return Some(news);
            }
        }
    }

    /// Takes what is to be told, without what its watcher may no longer see.
    fn take(&self) -> News {
        let mut state = self.state();
        let mut news = mem::take(&mut state.news);
        news.updated.retain(|uri| {
            state.watched.get(uri).is_some_and(|watched| resources::find(&self.kernel, &watched.by, uri).is_some())
        });
        news
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.bell.notify_one();
    }
}

impl fmt::Debug for Follower {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Follower").field("watched", &self.state().watched.keys()).finish_non_exhaustive()
    }
}

impl State {
    fn update(&mut self, changed: impl Fn(&Place) -> bool) {
        let uris = self.watched.iter().filter(|(_, watched)| changed(&watched.place)).map(|(uri, _)| uri.clone());
        self.news.updated.extend(uris);
    }
}

impl News {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl Place {
    /// Tells whether a fact of this name, with these fields, changes what a resource says.
    fn changes_by(&self, name: &str, fields: Option<&Value>) -> bool {
        let Self::Route { event: Some(event), given, .. } = self else { return false };
        // A field that is called as an argument says which of the route's resources it is.
        let is_other = |(argument, value): &(&'static str, String)| match fields.and_then(|fields| fields.get(argument)) {
            None | Some(Value::Null) => false,
            Some(Value::String(text)) => text != value,
            Some(field) => serde_json::from_str::<Value>(value).is_ok_and(|value| value != *field),
        };
        event == name && !given.iter().any(is_other)
    }
}

#[cfg(test)]
mod tests;
