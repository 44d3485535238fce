//! Webhooks that came: stored before their sender is answered, until they were handled; and for a while after that, so that one that
//! comes again is known.

use jiff::Timestamp;
use nekro_core::Result;
use rusqlite::{Connection, OptionalExtension, params};

use super::{Storage, most};

/// A webhook that came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NewDelivery {
    pub(crate) plugin: String,
    pub(crate) hook: String,
    pub(crate) id: String,
    pub(crate) event: Option<String>,
    pub(crate) payload: String,
}

/// A webhook that waits to be handled.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct StoredDelivery {
    pub(crate) number: i64,
    pub(crate) plugin: String,
    pub(crate) hook: String,
    pub(crate) id: String,
    pub(crate) event: Option<String>,
    pub(crate) payload: String,
    /// How often handling it has failed.
    pub(crate) tries: u32,
}

impl Storage {
    /// Stores a webhook that came. Returns whether it is new.
    pub(crate) async fn put_delivery(&self, came: NewDelivery) -> Result<bool> {
        let now = self.now().as_microsecond();
        let put = move |connection: &Connection| {
            let NewDelivery { plugin, hook, id, event, payload } = came;
            let stored = connection
                .prepare_cached(
                    "INSERT INTO delivery (plugin, hook, id, event, payload, came, tries, due) VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0, ?6)
                     ON CONFLICT DO NOTHING",
                )?
                .execute(params![plugin, hook, id, event, payload, now])?;
            Ok(stored > 0)
        };
        Ok(self.write(put).await?)
    }

    /// Returns the webhooks that are due, the one that came first before the others.
    pub(crate) async fn due_deliveries(&self, limit: usize) -> Result<Vec<StoredDelivery>> {
        let now = self.now().as_microsecond();
        let due = move |connection: &Connection| {
            let mut due = connection.prepare_cached(
                "SELECT number, plugin, hook, id, event, payload, tries FROM delivery WHERE due <= ? ORDER BY number LIMIT ?",
            )?;
            let found = due.query_map(params![now, most(limit)], |row| {
                Ok(StoredDelivery {
                    number: row.get(0)?,
                    plugin: row.get(1)?,
                    hook: row.get(2)?,
                    id: row.get(3)?,
                    event: row.get(4)?,
                    payload: row.get(5)?,
                    tries: row.get(6)?,
                })
            })?;
            Ok(found.collect::<Result<Vec<_>, _>>()?)
        };
        Ok(self.read(due).await?)
    }

    /// Returns when the next webhook is due that waits.
    pub(crate) async fn next_delivery(&self) -> Result<Option<Timestamp>> {
        let next = |connection: &Connection| {
            let mut next = connection.prepare_cached("SELECT min(due) FROM delivery WHERE due IS NOT NULL")?;
            let due: Option<Option<i64>> = next.query_row([], |row| row.get(0)).optional()?;
            Ok(due.flatten())
        };
        Ok(self.read(next).await?.and_then(|due| Timestamp::from_microsecond(due).ok()))
    }

    /// A webhook was handled, or is given up for this reason.
    pub(crate) async fn end_delivery(&self, number: i64, problem: Option<String>) -> Result<()> {
        let end = move |connection: &Connection| {
            connection
                .prepare_cached("UPDATE delivery SET due = NULL, payload = '', problem = ? WHERE number = ?")?
                .execute(params![problem, number])?;
            Ok(())
        };
        Ok(self.write(end).await?)
    }

    /// A webhook is to be handled later.
    pub(crate) async fn put_off_delivery(&self, number: i64, tries: u32, due: Timestamp, problem: String) -> Result<()> {
        let put_off = move |connection: &Connection| {
            connection
                .prepare_cached("UPDATE delivery SET tries = ?, due = ?, problem = ? WHERE number = ?")?
                .execute(params![tries, due.as_microsecond(), problem, number])?;
            Ok(())
        };
        Ok(self.write(put_off).await?)
    }

    /// Forgets the webhooks that came before a moment and do not wait any more.
    pub(crate) async fn forget_deliveries(&self, before: Timestamp) -> Result<()> {
        let forget = move |connection: &Connection| {
            let mut forget = connection.prepare_cached("DELETE FROM delivery WHERE due IS NULL AND came < ?")?;
            forget.execute([before.as_microsecond()])?;
            Ok(())
        };
        // Nothing is made where nothing is.
        if self.readers()?.is_some() { Ok(self.write(forget).await?) } else { Ok(()) }
    }
}
