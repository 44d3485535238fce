//! The plugins' own values.

use std::sync::PoisonError;

use nekro_core::{
    BoxFuture, Error, Expected, Lifetime, Migration, MigrationStep, NewValue, Page, PluginId, Result, Scope, StoreLimits,
    StorePort, StoreUse, Stored, Timestamp,
};
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::{Storage, StorageError, most, next_write};

/// With which writes values are removed whose time is over: with each of so many.
const SWEEP_EVERY: i64 = 256;

/// The most values that are removed then: a write shall not take long.
const SWEEP_MOST: i64 = 1_024;

/// A scope as the table has it.
pub(super) struct Columns {
    pub(super) plugin: String,
    pub(super) session: String,
    pub(super) user: String,
}

impl Columns {
    pub(super) fn of(scope: &Scope) -> Self {
        let column = |id: Option<&str>| id.map_or_else(String::new, |id| format!("={id}"));
        Self {
            plugin: scope.plugin.as_str().to_owned(),
            session: column(scope.session.as_ref().map(|id| id.as_str())),
            user: column(scope.user.as_ref().map(|id| id.as_str())),
        }
    }

    /// Reads the scope of a row that begins with its columns.
    pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<Scope> {
        let name = |column| Ok::<_, rusqlite::Error>(row.get::<_, String>(column)?.strip_prefix('=').map(str::to_owned));
        Ok(Scope {
            plugin: PluginId::from(row.get::<_, String>(0)?),
            session: name(1)?.map(Into::into),
            user: name(2)?.map(Into::into),
        })
    }

    /// Writes a value where there is none, with the version that it has.
    pub(super) fn insert(
        &self,
        connection: &Connection,
        (key, json): (&str, &str),
        version: i64,
        expires: Option<i64>,
    ) -> Result<(), StorageError> {
        connection
            .prepare_cached(
                "INSERT INTO value (plugin, session, user, key, json, version, expires) VALUES (?, ?, ?, ?, ?, ?, ?)",
            )?
            .execute(params![self.plugin, self.session, self.user, key, json, version, expires])?;
        Ok(())
    }

    /// Writes a value, in place of one that is there.
    fn write(&self, connection: &Connection, key: &str, json: &str, expires: Option<i64>) -> Result<i64, StorageError> {
        let version = next_write(connection)?;
        connection
            .prepare_cached(
                "INSERT INTO value (plugin, session, user, key, json, version, expires) VALUES (?, ?, ?, ?, ?, ?, ?)
                 ON CONFLICT DO UPDATE SET json = excluded.json, version = excluded.version, expires = excluded.expires",
            )?
            .execute(params![self.plugin, self.session, self.user, key, json, version, expires])?;
        Ok(version)
    }

    fn remove(&self, connection: &Connection, key: &str) -> Result<(), StorageError> {
        connection
            .prepare_cached("DELETE FROM value WHERE plugin = ? AND session = ? AND user = ? AND key = ?")?
            .execute(params![self.plugin, self.session, self.user, key])?;
        Ok(())
    }
}

/// What a write is judged by.
struct Terms {
    now: Timestamp,
    limits: StoreLimits,
    // The version that the values of the plugin have in this program.
    version: u32,
}

impl StorePort for Storage {
    fn get(&self, scope: &Scope, key: &str) -> BoxFuture<'_, Result<Option<Stored>>> {
        let (scope, key, now) = (Columns::of(scope), key.to_owned(), self.now());
        Box::pin(async move { Ok(self.read(move |connection| get(connection, &scope, &key, now)).await?) })
    }

    fn put(&self, scope: &Scope, key: &str, expected: Expected, new: Option<NewValue>) -> BoxFuture<'_, Result<bool>> {
        let (scope, key, terms) = (scope.clone(), key.to_owned(), self.terms(&scope.plugin));
        // A refusal is no failure of the write: what was swept to make room stays so.
        Box::pin(async move { self.write(move |connection| put(connection, &scope, &key, expected, new, &terms)).await? })
    }

    fn list(&self, scope: &Scope, prefix: &str, after: Option<&str>, limit: usize) -> BoxFuture<'_, Result<Page<Stored>>> {
        let (scope, prefix, after, now) = (Columns::of(scope), prefix.to_owned(), after.map(str::to_owned), self.now());
        Box::pin(async move {
            let (items, next) =
                self.scan(move |connection| list(connection, &scope, &prefix, after.as_deref(), limit, now)).await?;
            Ok(Page { items, next })
        })
    }

    fn migrate(&self, plugin: &PluginId, steps: &'static [MigrationStep]) -> BoxFuture<'_, Result<()>> {
        let plugin = plugin.clone();
        Box::pin(async move {
            let id = plugin.clone();
            let found = self.read(move |connection| version(connection, &id)).await?;
            // What has kept nothing has the version of the program that runs.
            let found = found.unwrap_or(known(steps));
            if found != known(steps) {
                let (id, now) = (plugin.clone(), self.now());
                self.write(move |connection| migrate(connection, &id, steps, now)).await??;
            }
            self.versions.lock().unwrap_or_else(PoisonError::into_inner).insert(plugin, known(steps));
            Ok(())
        })
    }
}

impl Storage {
    fn terms(&self, plugin: &PluginId) -> Terms {
        let versions = self.versions.lock().unwrap_or_else(PoisonError::into_inner);
        let limits = self.limits.get().cloned().unwrap_or_default();
        Terms { now: self.now(), limits, version: versions.get(plugin).copied().unwrap_or(1) }
    }
}

/// Returns the version to which the last step leads.
fn known(steps: &[MigrationStep]) -> u32 {
    u32::try_from(steps.len()).unwrap_or(u32::MAX).saturating_add(1)
}

/// Returns the version of a plugin's values; none if it has kept nothing.
fn version(connection: &Connection, plugin: &PluginId) -> Result<Option<u32>, StorageError> {
    let mut find = connection.prepare_cached("SELECT version FROM store WHERE plugin = ?")?;
    Ok(find.query_row([plugin.as_str()], |row| row.get(0)).optional()?)
}

/// Takes the steps that a plugin's values lack. It fails as a whole, and then nothing is written.
fn migrate(
    connection: &Connection,
    plugin: &PluginId,
    steps: &[MigrationStep],
    now: Timestamp,
) -> Result<Result<()>, StorageError> {
    // Somebody else may have been faster.
    let Some(found) = version(connection, plugin)? else { return Ok(Ok(())) };
    sweep(connection, Some(plugin), now)?;
    let mut all = connection.prepare("SELECT plugin, session, user, key, json FROM value WHERE plugin = ?")?;
    let rows = all.query_map([plugin.as_str()], |row| Ok((Columns::read(row)?, row.get(3)?, row.get(4)?)))?;
    let mut values = Migration::new(rows.collect::<rusqlite::Result<Vec<(Scope, String, String)>>>()?);
    let reached = match values.take(plugin, found, steps) {
        Ok(reached) => reached,
        Err(error) => return Ok(Err(error)),
    };
    let mut count = 0_usize;
    for (scope, key, json) in values.changes() {
        let columns = Columns::of(scope);
        match json {
            Some(json) => {
                let expires = there(connection, &columns, key)?.and_then(|there| there.expires);
                columns.write(connection, key, json, expires)?;
            }
            None => columns.remove(connection, key)?,
        }
        count += 1;
    }
    connection.execute("UPDATE store SET version = ? WHERE plugin = ?", params![reached, plugin.as_str()])?;
    tracing::info!(plugin = %plugin, "brought its values from version {found} to {reached}: {count} changed");
    Ok(Ok(()))
}

fn get(connection: &Connection, scope: &Columns, key: &str, now: Timestamp) -> Result<Option<Stored>, StorageError> {
    let mut find = connection.prepare_cached(
        "SELECT json, version FROM value
         WHERE plugin = ? AND session = ? AND user = ? AND key = ? AND (expires IS NULL OR expires > ?)",
    )?;
    let stored = find.query_row(params![scope.plugin, scope.session, scope.user, key, now.as_microsecond()], |row| {
        Ok(Stored { json: row.get(0)?, version: row.get(1)? })
    });
    Ok(stored.optional()?)
}

/// What is under a key, be its time over or not.
struct There {
    version: u64,
    expires: Option<i64>,
    bytes: u64,
}

fn taken(there: Option<&There>) -> StoreUse {
    there.map(|there| StoreUse { keys: 1, bytes: there.bytes }).unwrap_or_default()
}

fn there(connection: &Connection, scope: &Columns, key: &str) -> Result<Option<There>, StorageError> {
    let mut find = connection.prepare_cached(
        "SELECT version, expires, octet_length(key) + octet_length(json) FROM value
         WHERE plugin = ? AND session = ? AND user = ? AND key = ?",
    )?;
    let found = find.query_row(params![scope.plugin, scope.session, scope.user, key], |row| {
        Ok(There { version: row.get(0)?, expires: row.get(1)?, bytes: row.get(2)? })
    });
    Ok(found.optional()?)
}

fn put(
    connection: &Connection,
    scope: &Scope,
    key: &str,
    expected: Expected,
    new: Option<NewValue>,
    terms: &Terms,
) -> Result<Result<bool>, StorageError> {
    let columns = Columns::of(scope);
    let now = terms.now.as_microsecond();
    let found = there(connection, &columns, key)?;
    let alive = found.as_ref().filter(|there| there.expires.is_none_or(|expires| expires > now));
    let version = alive.map(|there| there.version);
    let fits = match expected {
        Expected::Any => true,
        Expected::Absent => version.is_none(),
        Expected::Version(expected) => version == Some(expected),
    };
    match new {
        _ if !fits => {}
        Some(NewValue { json, lifetime }) => {
            let expires = match lifetime {
                Lifetime::Forever => None,
                Lifetime::AsBefore => alive.and_then(|there| there.expires),
                Lifetime::For(time) => Some(terms.now.checked_add(time).unwrap_or(Timestamp::MAX).as_microsecond()),
            };
            if let Err(refused) = admit(connection, scope, (key, &json), found.as_ref(), terms)? {
                return Ok(Err(refused));
            }
            let version = columns.write(connection, key, &json, expires)?;
            if version % SWEEP_EVERY == 0 {
                sweep(connection, None, terms.now)?;
            }
        }
        None => columns.remove(connection, key)?,
    }
    Ok(Ok(fits))
}

/// Refuses a value for which there is no room, or that is of a version which the plugin's values no longer have.
fn admit(
    connection: &Connection,
    scope: &Scope,
    (key, json): (&str, &str),
    found: Option<&There>,
    terms: &Terms,
) -> Result<Result<()>, StorageError> {
    let plugin = &scope.plugin;
    if let Err(refused) = terms.limits.check(key, json) {
        return Ok(Err(refused));
    }
    let uses = || {
        let mut find = connection.prepare_cached("SELECT version, keys, bytes FROM store WHERE plugin = ?")?;
        let found = find
            .query_row([plugin.as_str()], |row| Ok((row.get::<_, u32>(0)?, StoreUse { keys: row.get(1)?, bytes: row.get(2)? })));
        Ok::<_, StorageError>(found.optional()?)
    };
    let came = StoreUse::of(key, json);
    let Some((version, before)) = uses()? else {
        connection.prepare_cached("INSERT INTO store VALUES (?, ?, 0, 0)")?.execute(params![plugin.as_str(), terms.version])?;
        return Ok(terms.limits.check_use(plugin, StoreUse::default(), came));
    };
    if version != terms.version {
        let known = terms.version;
        return Ok(Err(Error::new(format!(
            "the values of the plugin `{plugin}` were brought to version {version} by another program, and this one works with version {known}"
        ))
        .with_code("store_version")
        .with_hint("end this program, and use the other one")));
    }
    let checked = terms.limits.check_use(plugin, before, before.after(taken(found), came));
    if checked.is_ok() || sweep(connection, Some(plugin), terms.now)? == 0 {
        return Ok(checked);
    }
    // What is written over may just have been swept, too.
    let before = uses()?.map(|(_, uses)| uses).unwrap_or_default();
    Ok(terms.limits.check_use(plugin, before, before.after(taken(there(connection, &Columns::of(scope), key)?.as_ref()), came)))
}

/// Removes values whose time is over: those of a plugin, or some of all. Returns how many.
fn sweep(connection: &Connection, plugin: Option<&PluginId>, now: Timestamp) -> Result<usize, StorageError> {
    let now = now.as_microsecond();
    Ok(match plugin {
        Some(plugin) => connection
            .prepare_cached("DELETE FROM value WHERE plugin = ? AND expires <= ?")?
            .execute(params![plugin.as_str(), now])?,
        None => connection
            .prepare_cached(
                "DELETE FROM value WHERE (plugin, session, user, key) IN
                 (SELECT plugin, session, user, key FROM value WHERE expires <= ? ORDER BY expires LIMIT ?)",
            )?
            .execute(params![now, SWEEP_MOST])?,
    })
}

/// What is on a page, and the key to go on after.
type Listed = (Vec<(String, Stored)>, Option<String>);

fn list(
    connection: &Connection,
    scope: &Columns,
    prefix: &str,
    after: Option<&str>,
    limit: usize,
    now: Timestamp,
) -> Result<Listed, StorageError> {
    // The smallest key with the prefix is the prefix itself; the keys with it follow, and then those that come after them.
    let (start, sql) = match after.filter(|after| *after >= prefix) {
        Some(after) => (
            after,
            "SELECT key, json, version FROM value
             WHERE plugin = ? AND session = ? AND user = ? AND key > ? AND (expires IS NULL OR expires > ?) ORDER BY key LIMIT ?",
        ),
        None => (
            prefix,
            "SELECT key, json, version FROM value
             WHERE plugin = ? AND session = ? AND user = ? AND key >= ? AND (expires IS NULL OR expires > ?) ORDER BY key LIMIT ?",
        ),
    };
    let mut find = connection.prepare_cached(sql)?;
    // One more tells whether there is more.
    let most = most(limit.saturating_add(1));
    let mut rows = find.query(params![scope.plugin, scope.session, scope.user, start, now.as_microsecond(), most])?;
    let mut items: Vec<(String, Stored)> = Vec::new();
    while let Some(row) = rows.next()? {
        let key: String = row.get(0)?;
        if !key.starts_with(prefix) {
            break;
        }
        if items.len() == limit {
            let next = items.last().map(|(key, _)| key.clone());
            return Ok((items, next));
        }
        items.push((key, Stored { json: row.get(1)?, version: row.get(2)? }));
    }
    Ok((items, None))
}
