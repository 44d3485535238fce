//! Removing what plugins keep: all of one plugin, or of one person.

use jiff::Timestamp;
use rusqlite::TransactionBehavior;

use crate::storage::{
    DataDirectory, Removed, StorageError, Whose,
    database::{Access, open_existing},
    whose,
};

/// Removes it, all of it or nothing, and returns how much there was. An agent may be running meanwhile.
pub(crate) fn delete(directory: &DataDirectory, whose: &Whose, now: Timestamp) -> Result<Removed, StorageError> {
    let Some(mut connection) = open_existing(directory, Access::Write)? else { return Ok(Removed::default()) };
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let removed = whose::remove(&transaction, whose, now)?;
    transaction.commit()?;
    Ok(removed)
}
