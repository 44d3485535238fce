//! Lines of collections, and of the texts in them. A vector is 4 bytes to a number, in Base64.

use base64::{Engine, engine::general_purpose::STANDARD};
use rusqlite::{Connection, Row, params};
use serde::{Deserialize, Serialize};

use crate::storage::{StorageError, vectors};

/// A collection. Its texts follow it.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct CollectionLine {
    // Its number in the database that is read.
    #[serde(skip)]
    pub(super) id: i64,
    plugin: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    session: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    user: Option<String>,
    name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    model: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    dimension: Option<usize>,
}

/// A text. One without a vector gets one when it is looked for.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct TextLine {
    id: String,
    text: String,
    // JSON in a text.
    payload: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    vector: Option<String>,
}

/// A collection that was made, into which texts are written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Into {
    id: i64,
    dimension: Option<usize>,
}

impl CollectionLine {
    pub(super) const COLUMNS: &str = "id, plugin, session, user, name, model, dimension";

    pub(super) fn read(row: &Row<'_>) -> Result<Self, StorageError> {
        let name = |column| Ok::<_, StorageError>(row.get::<_, String>(column)?.strip_prefix('=').map(str::to_owned));
        Ok(Self {
            id: row.get(0)?,
            plugin: row.get(1)?,
            session: name(2)?,
            user: name(3)?,
            name: row.get(4)?,
            model: row.get(5)?,
            dimension: row.get(6)?,
        })
    }

    pub(super) fn insert(&self, db: &Connection) -> Result<Into, StorageError> {
        if self.model.is_some() != self.dimension.is_some() {
            return Err(StorageError::Record("a collection has both `model` and `dimension`, or neither".to_owned()));
        }
        let column = |name: &Option<String>| name.as_ref().map_or_else(String::new, |name| format!("={name}"));
        let dimension = self.dimension.map(|dimension| i64::try_from(dimension).unwrap_or(i64::MAX));
        db.prepare_cached(
            "INSERT INTO vector_collection (plugin, session, user, name, model, dimension, changes) VALUES (?, ?, ?, ?, ?, ?, 1)",
        )?
        .execute(params![self.plugin, column(&self.session), column(&self.user), self.name, self.model, dimension])?;
        Ok(Into { id: db.last_insert_rowid(), dimension: self.dimension })
    }
}

impl TextLine {
    pub(super) const SELECT: &str = "SELECT name, text, payload, vector FROM vector_point WHERE collection = ? ORDER BY id";

    pub(super) fn read(row: &Row<'_>) -> Result<Self, StorageError> {
        let vector = row.get_ref(3)?.as_blob_or_null().map_err(|error| StorageError::Record(error.to_string()))?;
        Ok(Self { id: row.get(0)?, text: row.get(1)?, payload: row.get(2)?, vector: vector.map(|bytes| STANDARD.encode(bytes)) })
    }

    pub(super) fn insert(&self, db: &Connection, into: Into) -> Result<(), StorageError> {
        let wrong = |what: &str| StorageError::Record(format!("{what} of the text `{}`", self.id));
        serde_json::from_str::<serde::de::IgnoredAny>(&self.payload).map_err(|_| wrong("there is no JSON in the payload"))?;
        let vector = self.vector.as_ref().map(|text| STANDARD.decode(text)).transpose();
        let vector = vector.map_err(|_| wrong("there is no Base64 in the vector"))?;
        if let Some(bytes) = &vector {
            let fits = into.dimension.and_then(|dimension| dimension.checked_mul(4)) == Some(bytes.len());
            let finite = |four: &[u8]| <[u8; 4]>::try_from(four).is_ok_and(|four| f32::from_le_bytes(four).is_finite());
            if !fits || !bytes.chunks(4).all(finite) {
                return Err(wrong("there are other numbers than the collection has in the vector"));
            }
        }
        vectors::insert_point(db, into.id, (&self.id, &self.text, &self.payload), vector.as_deref())
    }
}
