//! The plugins' own values.

use nekro_core::{BoxFuture, Expected, Page, Result, Scope, StorePort, Stored};
use rusqlite::{Connection, OptionalExtension, params};

use super::{Storage, StorageError, most, next_write};

/// A scope as the table has it.
pub(super) struct Columns {
    plugin: String,
    session: String,
    user: String,
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

    /// Writes a value where there is none.
    pub(super) fn insert(&self, connection: &Connection, key: &str, json: &str, version: i64) -> Result<(), StorageError> {
        connection
            .prepare_cached("INSERT INTO value (plugin, session, user, key, json, version) VALUES (?, ?, ?, ?, ?, ?)")?
            .execute(params![self.plugin, self.session, self.user, key, json, version])?;
        Ok(())
    }
}

impl StorePort for Storage {
    fn get(&self, scope: &Scope, key: &str) -> BoxFuture<'_, Result<Option<Stored>>> {
        let (scope, key) = (Columns::of(scope), key.to_owned());
        Box::pin(async move { Ok(self.read(move |connection| get(connection, &scope, &key)).await?) })
    }

    fn put(&self, scope: &Scope, key: &str, expected: Expected, json: Option<String>) -> BoxFuture<'_, Result<bool>> {
        let (scope, key) = (Columns::of(scope), key.to_owned());
        Box::pin(async move { Ok(self.write(move |connection| put(connection, &scope, &key, expected, json.as_deref())).await?) })
    }

    fn list(&self, scope: &Scope, prefix: &str, after: Option<&str>, limit: usize) -> BoxFuture<'_, Result<Page<Stored>>> {
        let (scope, prefix, after) = (Columns::of(scope), prefix.to_owned(), after.map(str::to_owned));
        Box::pin(async move {
            let (items, next) = self.scan(move |connection| list(connection, &scope, &prefix, after.as_deref(), limit)).await?;
            Ok(Page { items, next })
        })
    }
}

fn get(connection: &Connection, scope: &Columns, key: &str) -> Result<Option<Stored>, StorageError> {
    let mut find =
        connection.prepare_cached("SELECT json, version FROM value WHERE plugin = ? AND session = ? AND user = ? AND key = ?")?;
    let stored = find.query_row(params![scope.plugin, scope.session, scope.user, key], |row| {
        Ok(Stored { json: row.get(0)?, version: row.get(1)? })
    });
    Ok(stored.optional()?)
}

fn put(
    connection: &Connection,
    scope: &Columns,
    key: &str,
    expected: Expected,
    json: Option<&str>,
) -> Result<bool, StorageError> {
    let there = || {
        let mut find =
            connection.prepare_cached("SELECT version FROM value WHERE plugin = ? AND session = ? AND user = ? AND key = ?")?;
        find.query_row(params![scope.plugin, scope.session, scope.user, key], |row| row.get::<_, u64>(0)).optional()
    };
    let fits = match expected {
        Expected::Any => true,
        Expected::Absent => there()?.is_none(),
        Expected::Version(version) => there()? == Some(version),
    };
    match json {
        _ if !fits => {}
        Some(json) => {
            let version = next_write(connection)?;
            connection
                .prepare_cached(
                    "INSERT INTO value (plugin, session, user, key, json, version) VALUES (?, ?, ?, ?, ?, ?)
                     ON CONFLICT DO UPDATE SET json = excluded.json, version = excluded.version",
                )?
                .execute(params![scope.plugin, scope.session, scope.user, key, json, version])?;
        }
        None => {
            connection
                .prepare_cached("DELETE FROM value WHERE plugin = ? AND session = ? AND user = ? AND key = ?")?
                .execute(params![scope.plugin, scope.session, scope.user, key])?;
        }
    }
    Ok(fits)
}

/// What is on a page, and the key to go on after.
type Listed = (Vec<(String, Stored)>, Option<String>);

fn list(
    connection: &Connection,
    scope: &Columns,
    prefix: &str,
    after: Option<&str>,
    limit: usize,
) -> Result<Listed, StorageError> {
    // The smallest key with the prefix is the prefix itself; the keys with it follow, and then those that come after them.
    let (start, sql) = match after.filter(|after| *after >= prefix) {
        Some(after) => (
            after,
            "SELECT key, json, version FROM value WHERE plugin = ? AND session = ? AND user = ? AND key > ? ORDER BY key LIMIT ?",
        ),
        None => (
            prefix,
            "SELECT key, json, version FROM value WHERE plugin = ? AND session = ? AND user = ? AND key >= ? ORDER BY key LIMIT ?",
        ),
    };
    let mut find = connection.prepare_cached(sql)?;
    // One more tells whether there is more.
    let mut rows = find.query(params![scope.plugin, scope.session, scope.user, start, most(limit.saturating_add(1))])?;
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
