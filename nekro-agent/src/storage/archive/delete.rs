//! Removing what plugins keep: one plugin's values, or one person's.

use rusqlite::{Connection, TransactionBehavior};

use super::Whose;
use crate::storage::{
    DataDirectory, StorageError,
    database::{Access, open_existing},
};

/// Removes values, all of them or none, and returns how many. An agent may be running meanwhile.
pub(crate) fn delete(directory: &DataDirectory, whose: &Whose) -> Result<usize, StorageError> {
    let Some(mut connection) = open_existing(directory, Access::Write)? else { return Ok(0) };
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let count = remove(&transaction, whose)?;
    transaction.commit()?;
    Ok(count)
}

fn remove(connection: &Connection, whose: &Whose) -> Result<usize, StorageError> {
    let (condition, name) = whose.condition();
    let count = connection.execute(&format!("DELETE FROM value WHERE {condition}"), [&name])?;
    if let Whose::Plugin(_) = whose {
        // It begins anew, with the version of the program that writes next.
        connection.execute("DELETE FROM store WHERE plugin = ?", [&name])?;
    }
    Ok(count)
}
