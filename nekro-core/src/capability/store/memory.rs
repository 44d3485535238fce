//! A store in memory: for tests, and for agents that need nothing kept.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    ops::Bound,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use jiff::Timestamp;

use super::{
    Expected, Lifetime, Migration, MigrationStep, NewValue, Page, Scope, StoreLimits, StorePort, StoreUse, Stored,
    migration::known, of_another_version,
};
use crate::{call::BoxFuture, capability::ClockPort, error::Result, ids::PluginId};

/// A store in memory: for tests, and for agents that need nothing kept.
pub struct MemoryStore {
    clock: Arc<dyn ClockPort>,
    limits: StoreLimits,
    values: Mutex<Values>,
}

#[derive(Default)]
struct Values {
    rows: BTreeMap<(Scope, String), Row>,
    // Those that last for a time, by its end.
    expiring: BTreeSet<(Timestamp, (Scope, String))>,
    plugins: BTreeMap<PluginId, Kept>,
    // One counter for all keys: a key that was removed and written again never has a version it had before.
    writes: u64,
}

#[derive(Debug)]
struct Row {
    stored: Stored,
    // No longer there from this moment on.
    expires: Option<Timestamp>,
}

/// What a plugin keeps.
#[derive(Clone, Copy)]
struct Kept {
    uses: StoreUse,
    version: u32,
}

impl Default for Kept {
    fn default() -> Self {
        Self { uses: StoreUse::default(), version: 1 }
    }
}

/// The clock of the machine.
struct WallClock;

impl ClockPort for WallClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}

impl Default for MemoryStore {
    /// Makes one with the clock of the machine and the usual limits.
    fn default() -> Self {
        Self::new(Arc::new(WallClock), StoreLimits::default())
    }
}

impl MemoryStore {
    /// Makes one. Values last as the clock says.
    pub fn new(clock: Arc<dyn ClockPort>, limits: StoreLimits) -> Self {
        Self { clock, limits, values: Mutex::default() }
    }

    /// Returns the values that are there.
    fn values(&self) -> MutexGuard<'_, Values> {
        // Every change is complete before anything of a plugin's is called, so a panic leaves nothing half-done.
        let mut values = self.values.lock().unwrap_or_else(PoisonError::into_inner);
        values.sweep(self.clock.now());
        values
    }

    fn put_now(&self, scope: &Scope, key: &str, expected: Expected, new: Option<NewValue>) -> Result<bool> {
        let mut values = self.values();
        let place = (scope.clone(), key.to_owned());
        let there = values.rows.get(&place);
        let version = there.map(|row| row.stored.version);
        let fits = match expected {
            Expected::Any => true,
            Expected::Absent => version.is_none(),
            Expected::Version(expected) => version == Some(expected),
        };
        match new {
            _ if !fits => {}
            Some(NewValue { json, lifetime }) => {
                self.limits.check(key, &json)?;
                let expires = match lifetime {
                    Lifetime::Forever => None,
                    Lifetime::AsBefore => there.and_then(|row| row.expires),
                    Lifetime::For(time) => Some(self.clock.now().checked_add(time).unwrap_or(Timestamp::MAX)),
                };
                let gone = there.map(|row| StoreUse::of(key, &row.stored.json)).unwrap_or_default();
                let before = values.plugins.get(&scope.plugin).copied().unwrap_or_default().uses;
                self.limits.check_use(&scope.plugin, before, before.after(gone, StoreUse::of(key, &json)))?;
                values.insert(place, json, expires);
            }
            None => values.remove(&place),
        }
        Ok(fits)
    }

    fn migrate_now(&self, plugin: &PluginId, steps: &'static [MigrationStep]) -> Result<()> {
        let mut values = self.values();
        let kept = values.plugins.entry(plugin.clone()).or_default();
        if kept.uses.keys == 0 && kept.version < known(steps) {
            kept.version = known(steps);
        }
        let version = kept.version;
        if version == known(steps) {
            return Ok(());
        }
        if version > known(steps) {
            return Err(of_another_version(plugin, version, known(steps)));
        }
        let own = values.rows.iter().filter(|((scope, _), _)| scope.plugin == *plugin);
        let own = own.map(|((scope, key), row)| (scope.clone(), key.clone(), row.stored.json.clone()));
        let mut migration = Migration::new(own.collect::<Vec<_>>());
        let version = migration.take(plugin, version, steps)?;
        for (scope, key, json) in migration.changes() {
            let place = (scope.clone(), key.to_owned());
            match json {
                Some(json) => {
                    let expires = values.rows.get(&place).and_then(|row| row.expires);
                    values.insert(place, json.to_owned(), expires);
                }
                None => values.remove(&place),
            }
        }
        values.plugins.entry(plugin.clone()).or_default().version = version;
        Ok(())
    }
}

impl Values {
    /// Removes what is no longer there.
    fn sweep(&mut self, now: Timestamp) {
        while let Some((_, place)) = self.expiring.first().filter(|(expires, _)| *expires <= now).cloned() {
            self.remove(&place);
        }
    }

    fn insert(&mut self, place: (Scope, String), json: String, expires: Option<Timestamp>) {
        self.remove(&place);
        self.writes += 1;
        let kept = self.plugins.entry(place.0.plugin.clone()).or_default();
        kept.uses = kept.uses.after(StoreUse::default(), StoreUse::of(&place.1, &json));
        self.expiring.extend(expires.map(|expires| (expires, place.clone())));
        self.rows.insert(place, Row { stored: Stored { json, version: self.writes }, expires });
    }

    fn remove(&mut self, place: &(Scope, String)) {
        if let Some(row) = self.rows.remove(place) {
            if let Some(expires) = row.expires {
                self.expiring.remove(&(expires, place.clone()));
            }
            let kept = self.plugins.entry(place.0.plugin.clone()).or_default();
            kept.uses = kept.uses.after(StoreUse::of(&place.1, &row.stored.json), StoreUse::default());
        }
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.values().rows.iter()).finish()
    }
}

impl StorePort for MemoryStore {
    fn get(&self, scope: &Scope, key: &str) -> BoxFuture<'_, Result<Option<Stored>>> {
        let stored = self.values().rows.get(&(scope.clone(), key.to_owned())).map(|row| row.stored.clone());
        Box::pin(std::future::ready(Ok(stored)))
    }

    fn put(&self, scope: &Scope, key: &str, expected: Expected, new: Option<NewValue>) -> BoxFuture<'_, Result<bool>> {
        Box::pin(std::future::ready(self.put_now(scope, key, expected, new)))
    }

    fn list(&self, scope: &Scope, prefix: &str, after: Option<&str>, limit: usize) -> BoxFuture<'_, Result<Page<Stored>>> {
        let values = self.values();
        let start = match after.filter(|after| *after >= prefix) {
            Some(after) => Bound::Excluded((scope.clone(), after.to_owned())),
            None => Bound::Included((scope.clone(), prefix.to_owned())),
        };
        let mut rest = values
            .rows
            .range((start, Bound::Unbounded))
            .take_while(|((of, key), _)| of == scope && key.starts_with(prefix))
            .map(|((_, key), row)| (key.clone(), row.stored.clone()));
        let items: Vec<_> = rest.by_ref().take(limit).collect();
        let next = rest.next().and_then(|_| items.last().map(|(key, _)| key.clone()));
        Box::pin(std::future::ready(Ok(Page { items, next })))
    }

    fn migrate(&self, plugin: &PluginId, steps: &'static [MigrationStep]) -> BoxFuture<'_, Result<()>> {
        Box::pin(std::future::ready(self.migrate_now(plugin, steps)))
    }
}
