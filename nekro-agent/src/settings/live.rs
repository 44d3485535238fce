//! A running agent follows its settings file.
//!
//! What is new is checked as a whole first: a file that is wrong changes nothing. Then only the plugins whose configuration is another
//! one are given it. Files with secrets are followed too.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    hash::{DefaultHasher, Hash, Hasher},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use nekro_core::kernel::{Kernel, Stage};
use serde_json::{Value, json};
use tokio::{task::AbortHandle, time::MissedTickBehavior};

use super::{Catalogue, Checked, Mistakes, Sources, channel::CHANNELS, secrets, section::SECTIONS};
use crate::log;

/// How often the files are looked at, if nobody asks.
const TICK: Duration = Duration::from_secs(1);

/// The settings of a running agent.
pub(crate) struct Live {
    kernel: Kernel,
    sources: Sources,
    catalogue: Catalogue,
    // What an operator has disabled beside the settings.
    disabled: Mutex<BTreeSet<String>>,
    // Whoever looks at the files holds it.
    state: tokio::sync::Mutex<State>,
    notices: Mutex<Vec<Notice>>,
}

struct State {
    // What holds.
    settings: Checked,
    // What the files were when they were last looked at, whether it holds or not.
    seen: u64,
}

/// Something that the operator should know.
pub(crate) enum Notice {
    /// The settings have changed.
    Changed(Changes),
    /// They are wrong, and the old ones still hold.
    Wrong(Mistakes),
}

/// What has become of a change.
#[derive(Default)]
pub(crate) struct Changes {
    reconfigured: Vec<&'static str>,
    enabled: Vec<&'static str>,
    disabled: Vec<&'static str>,
    // The channels in which other plugins are off now.
    channels: Vec<String>,
    failed: Vec<(&'static str, String)>,
    // The sections of the host that hold from the next start on.
    restart: Vec<&'static str>,
}

/// Ends the watching when it is dropped.
pub(crate) struct Watch(AbortHandle);

impl Drop for Watch {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Live {
    /// Follows the file that `settings` were read from.
    pub(crate) fn new(
        kernel: Kernel,
        sources: Sources,
        catalogue: Catalogue,
        disabled: BTreeSet<String>,
        settings: Checked,
        seen: u64,
    ) -> Arc<Self> {
        let state = tokio::sync::Mutex::new(State { settings, seen });
        Arc::new(Self { kernel, sources, catalogue, disabled: Mutex::new(disabled), state, notices: Mutex::default() })
    }

    /// Looks at the files now and then, until what is returned is dropped.
    pub(crate) fn watch(self: &Arc<Self>) -> Watch {
        let live = Arc::clone(self);
        let watching = tokio::spawn(async move {
            let mut ticks = tokio::time::interval(TICK);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                ticks.tick().await;
                live.look().await;
            }
        });
        Watch(watching.abort_handle())
    }

    /// Returns the file.
    pub(crate) fn file(&self) -> &Path {
        self.sources.file()
    }

    /// Returns what there is to tell, once.
    pub(crate) fn notices(&self) -> Vec<Notice> {
        std::mem::take(&mut *self.notices.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Looks at the files, and takes up what has changed.
    pub(crate) async fn look(&self) {
        let mut state = self.state.lock().await;
        let seen = fingerprint(&self.sources, &state.settings);
        if seen == state.seen {
            return;
        }
        let notice = match self.read() {
            Ok(settings) => {
                let changes = self.apply(&state.settings, &settings).await;
                // The new settings may keep their secrets in other files.
                state.seen = fingerprint(&self.sources, &settings);
                state.settings = settings;
                Notice::Changed(changes)
            }
            Err(mistakes) => {
                state.seen = seen;
                Notice::Wrong(mistakes)
            }
        };
        // A comment that was added is nothing to talk about.
        if !matches!(&notice, Notice::Changed(changes) if changes.is_nothing()) {
            self.notices.lock().unwrap_or_else(PoisonError::into_inner).push(notice);
        }
    }

    /// Tells whether the settings themselves disable a plugin.
    #[cfg(feature = "http")]
    pub(crate) async fn settings_disable(&self, plugin: &str) -> bool {
        let by_operator = self.disabled.lock().unwrap_or_else(PoisonError::into_inner).contains(plugin);
        self.state.lock().await.settings.disabled.contains(plugin) && !by_operator
    }

    /// Takes note of what an operator has switched beside the settings.
    #[cfg(feature = "http")]
    pub(crate) async fn note_enabled(&self, plugin: &str, enabled: bool) {
        let mut state = self.state.lock().await;
        {
            let mut disabled = self.disabled.lock().unwrap_or_else(PoisonError::into_inner);
            let _ = if enabled { disabled.remove(plugin) } else { disabled.insert(plugin.to_owned()) };
        }
        // What holds is what the files say, with this.
        if let Ok(settings) = self.read() {
            state.settings = settings;
        }
    }

    /// Returns the settings of a plugin, each with its value and where that comes from.
    ///
    /// # Errors
    ///
    /// If the settings cannot be read.
    #[cfg(feature = "http")]
    pub(crate) fn settings_of(&self, plugin: &str) -> Result<Vec<Value>, crate::cli::Failure> {
        let layers = self.sources.read(&self.catalogue).map_err(|mistakes| crate::cli::Failure::settings(&mistakes))?;
        let key = super::Key::of(["plugins", plugin]);
        let (merged, form) = (layers.merged(&self.catalogue), self.catalogue.form());
        let settings = super::view::settings(&key, merged.get(&key), form.at(&key).as_ref());
        Ok(settings.iter().map(super::view::Setting::to_json).collect())
    }

    /// Sets one of a plugin's settings in the file, or takes it out. It holds when the files are looked at next.
    ///
    /// # Errors
    ///
    /// If there is no such setting, or the whole would be wrong with it: then nothing was changed.
    #[cfg(feature = "http")]
    pub(crate) fn set(&self, plugin: &str, key: &str, value: Option<&Value>) -> Result<(), crate::cli::Failure> {
        use crate::cli::config::{Change, change_file, known};
        let (key, _) = known(&format!("plugins.{plugin}.{key}"), &self.catalogue)?;
        let change = value.map_or(Change::Unset, Change::Set);
        change_file(&key, &change, &self.sources, &self.catalogue).map(drop)
    }

    fn read(&self) -> Result<Checked, Mistakes> {
        let mut settings = self.sources.read(&self.catalogue)?.check(&self.catalogue);
        match Mistakes::of(settings.all_mistakes()) {
            Some(mistakes) => Err(mistakes),
            None => {
                settings.disable(&self.disabled.lock().unwrap_or_else(PoisonError::into_inner), &self.catalogue);
                log::hide(secrets(&settings, &self.catalogue));
                Ok(settings)
            }
        }
    }

    async fn apply(&self, old: &Checked, new: &Checked) -> Changes {
        let restart = SECTIONS.iter().map(|section| section.name).filter(|name| old.sections.get(name) != new.sections.get(name));
        let mut changes = Changes { restart: restart.collect(), ..Changes::default() };
        let ids: Vec<_> = self.catalogue.ids().collect();
        let off: Vec<_> = ids.iter().copied().filter(|id| !old.disabled.contains(*id) && new.disabled.contains(*id)).collect();
        self.switch(off, Kernel::disable, &mut changes.disabled, &mut changes.failed).await;
        for id in &ids {
            let Some(Ok(config)) = new.plugins.get(id) else { continue };
            if old.plugins.get(id).is_some_and(|old| old.as_ref().is_ok_and(|old| old == config)) {
                continue;
            }
            match self.kernel.reconfigure(id, config.clone()).await {
                Ok(()) if !old.disabled.contains(*id) => changes.reconfigured.push(id),
                Ok(()) => {}
                Err(error) => changes.failed.push((id, error.to_string())),
            }
        }
        if old.disabled_in != new.disabled_in {
            match self.kernel.disable_in(&new.disabled_in) {
                Ok(()) => changes.channels = channels_that_differ(&old.disabled_in, &new.disabled_in),
                Err(error) => changes.failed.push((CHANNELS, error.to_string())),
            }
        }
        // One that failed may have waited for just this, or for another one that did.
        let failed: BTreeSet<_> = self
            .kernel
            .status()
            .into_iter()
            .filter(|status| matches!(status.stage, Stage::Failed { .. }))
            .map(|one| one.id)
            .collect();
        let on = ids.iter().copied().filter(|id| {
            !new.disabled.contains(*id) && (old.disabled.contains(*id) || failed.contains(id)) && new.plugins.contains_key(id)
        });
        self.switch(on.collect(), Kernel::enable, &mut changes.enabled, &mut changes.failed).await;
        changes
    }

    /// Switches plugins on or off. They may require each other, so it goes on as long as it leads anywhere.
    async fn switch<'k, F>(
        &'k self,
        mut waiting: Vec<&'static str>,
        switch: impl Fn(&'k Kernel, &'static str) -> F,
        done: &mut Vec<&'static str>,
        failed: &mut Vec<(&'static str, String)>,
    ) where
        F: Future<Output = Result<(), nekro_core::kernel::SwitchError>>,
    {
        loop {
            let (before, mut problems) = (waiting.len(), Vec::new());
            for id in std::mem::take(&mut waiting) {
                match switch(&self.kernel, id).await {
                    Ok(()) => done.push(id),
                    Err(error) => problems.push((id, error.to_string())),
                }
            }
            if problems.is_empty() || problems.len() == before {
                failed.append(&mut problems);
                return;
            }
            waiting = problems.into_iter().map(|(id, _)| id).collect();
        }
    }
}

fn channels_that_differ(old: &BTreeMap<String, BTreeSet<String>>, new: &BTreeMap<String, BTreeSet<String>>) -> Vec<String> {
    let names: BTreeSet<_> = old.keys().chain(new.keys()).collect();
    names.into_iter().filter(|name| old.get(*name) != new.get(*name)).cloned().collect()
}

/// Tells one state of the files from another.
pub(crate) fn fingerprint(sources: &Sources, settings: &Checked) -> u64 {
    let mut hasher = DefaultHasher::new();
    let secrets = settings.secret_files.iter().map(PathBuf::as_path);
    for file in std::iter::once(sources.file()).chain(secrets) {
        state_of(file).hash(&mut hasher);
    }
    hasher.finish()
}

/// Returns all of a file that matters: what it holds, and who may read it.
fn state_of(file: &Path) -> Option<(Vec<u8>, String)> {
    let metadata = fs::metadata(file).ok()?;
    // A pipe can be read once, and a file that is too large is as wrong as it was.
    let is_read = metadata.is_file() && metadata.len() <= super::file::MOST_BYTES;
    let bytes = if is_read { fs::read(file).ok()? } else { metadata.len().to_ne_bytes().to_vec() };
    Some((bytes, format!("{:?}", metadata.permissions())))
}

impl Changes {
    fn is_nothing(&self) -> bool {
        let Self { reconfigured, enabled, disabled, channels, failed, restart } = self;
        reconfigured.is_empty()
            && enabled.is_empty()
            && disabled.is_empty()
            && channels.is_empty()
            && failed.is_empty()
            && restart.is_empty()
    }
}

impl Notice {
    /// Tells it to a program.
    pub(crate) fn to_json(&self) -> Value {
        match self {
            Self::Changed(Changes { reconfigured, enabled, disabled, channels, failed, restart }) => {
                let failed: Vec<_> =
                    failed.iter().map(|(plugin, problem)| json!({ "plugin": plugin, "problem": problem })).collect();
                json!({ "settings": {
                    "changed": true, "reconfigured": reconfigured, "enabled": enabled, "disabled": disabled, "channels": channels, "failed": failed,
                    "restart": restart,
                } })
            }
            Self::Wrong(mistakes) => json!({ "settings": { "changed": false, "mistakes": mistakes.to_json() } }),
        }
    }

    /// Tells it to a person.
    pub(crate) fn to_text(&self, file: &Path) -> String {
        let file = file.display();
        match self {
            Self::Changed(Changes { reconfigured, enabled, disabled, channels, failed, restart }) => {
                let list = |what: &str, plugins: &[&str]| (!plugins.is_empty()).then(|| format!("{what} {}", plugins.join(", ")));
                let mut parts: Vec<_> =
                    [list("reconfigured", reconfigured), list("enabled", enabled), list("disabled", disabled)]
                        .into_iter()
                        .flatten()
                        .collect();
                let channels: Vec<_> = channels.iter().map(String::as_str).collect();
                parts.extend(list("other plugins are off in", &channels));
                parts.extend(failed.iter().map(|(plugin, problem)| format!("{plugin} failed: {problem}")));
                parts.extend(list("from the next start on hold", restart));
                format!("({file} has changed: {})", parts.join("; "))
            }
            Self::Wrong(mistakes) => format!("({file} has changed, but it is wrong, and what held still holds: {mistakes})"),
        }
    }
}
