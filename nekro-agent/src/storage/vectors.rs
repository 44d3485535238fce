//! The rows of collections: texts, what is kept beside them, their words and their vectors.
//!
//! What a vector is and how words are cut is known to `crate::vectors`; here they are bytes and texts.

use std::collections::{HashMap, HashSet};

use nekro_core::{Filter, VectorPlace, VectorPoint, VectorSelection};
use rusqlite::{Connection, OptionalExtension, params};

use super::{Storage, StorageError, most, values::Columns, whose::Rows};

/// A collection.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct CollectionRow {
    pub(crate) id: i64,
    pub(crate) model: Option<String>,
    pub(crate) dimension: Option<usize>,
    pub(crate) changes: i64,
    pub(crate) removals: i64,
}

/// A text that is written.
#[derive(Debug)]
pub(crate) struct NewPoint {
    pub(crate) point: VectorPoint,
    /// Its words, with spaces between them.
    pub(crate) words: String,
}

/// A text that has no vector yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Waiting {
    pub(crate) id: i64,
    pub(crate) written: i64,
    pub(crate) text: String,
}

/// What came of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Written {
    /// It is there.
    Done,
    /// The plugin would have so many texts, more than it may.
    TooMany(u64),
}

/// Vectors that were written after a known moment.
#[derive(Debug, Default)]
pub(crate) struct Delta {
    pub(crate) collection: Option<CollectionRow>,
    /// Whether these are all, and what was known before does not count.
    pub(crate) anew: bool,
    pub(crate) vectors: Vec<(i64, Vec<u8>)>,
}

impl Storage {
    /// Writes texts, all of them or none. They have no vectors yet.
    pub(crate) async fn vector_write(
        &self,
        place: &VectorPlace,
        points: Vec<NewPoint>,
        quota: u64,
    ) -> Result<Written, StorageError> {
        let place = place.clone();
        self.write(move |connection| write(connection, &place, &points, quota)).await
    }

    /// Notes which model the vectors of a collection are made by. Returns the one before, if it was another: its vectors are gone.
    pub(crate) async fn vector_pin(
        &self,
        place: &VectorPlace,
        model: &str,
        dimension: usize,
    ) -> Result<Option<String>, StorageError> {
        let (place, model) = (place.clone(), model.to_owned());
        self.write(move |connection| pin(connection, &place, &model, dimension)).await
    }

    /// Returns a collection, without counting what is in it.
    pub(crate) async fn vector_collection(&self, place: &VectorPlace) -> Result<Option<CollectionRow>, StorageError> {
        self.read(|connection| collection(connection, place)).await
    }

    /// Returns texts that have no vector, and how many there are.
    pub(crate) async fn vector_waiting(&self, place: &VectorPlace, limit: usize) -> Result<(u64, Vec<Waiting>), StorageError> {
        let place = place.clone();
        self.scan(move |connection| waiting(connection, &place, limit)).await
    }

    /// Writes vectors of texts that have not changed meanwhile.
    pub(crate) async fn vector_fill(&self, place: &VectorPlace, vectors: Vec<(Waiting, Vec<u8>)>) -> Result<(), StorageError> {
        let place = place.clone();
        self.write(move |connection| fill(connection, &place, &vectors)).await
    }

    /// Removes texts, and returns how many there were.
    pub(crate) async fn vector_delete(&self, place: &VectorPlace, which: VectorSelection) -> Result<u64, StorageError> {
        let place = place.clone();
        self.write(move |connection| delete(connection, &place, &which)).await
    }

    /// Finds texts by their words, best first.
    pub(crate) async fn vector_words(
        &self,
        place: &VectorPlace,
        expression: String,
        filter: Filter,
        limit: usize,
    ) -> Result<Vec<i64>, StorageError> {
        let place = place.clone();
        self.scan(move |connection| by_words(connection, &place, &expression, &filter, limit)).await
    }

    /// Returns the vectors of a collection that were written since.
    pub(crate) async fn vector_delta(&self, place: &VectorPlace, known: CollectionRow) -> Result<Delta, StorageError> {
        let place = place.clone();
        self.scan(move |connection| delta(connection, &place, &known)).await
    }

    /// Compares texts that a filter fits with a vector as they are on the disk: their numbers, each with how like it is. One that is gone
    /// meanwhile is left out.
    pub(crate) async fn vector_compare(
        &self,
        ids: Vec<i64>,
        filter: Filter,
        like: impl Fn(&[u8]) -> f32 + Send + 'static,
    ) -> Result<Vec<(f32, i64)>, StorageError> {
        self.scan(move |connection| compare(connection, &ids, &filter, &like)).await
    }

    /// Returns texts by their numbers. One that is gone meanwhile is left out.
    pub(crate) async fn vector_rows(&self, ids: Vec<i64>) -> Result<HashMap<i64, VectorPoint>, StorageError> {
        self.scan(move |connection| rows(connection, &ids)).await
    }

    /// Returns a text by its name.
    pub(crate) async fn vector_get(&self, place: &VectorPlace, name: &str) -> Result<Option<VectorPoint>, StorageError> {
        let (place, name) = (place.clone(), name.to_owned());
        self.read(move |connection| get(connection, &place, &name)).await
    }

    /// Returns a collection, how many texts it has, and how many of them have no vector.
    pub(crate) async fn vector_state(&self, place: &VectorPlace) -> Result<(Option<CollectionRow>, u64, u64), StorageError> {
        let place = place.clone();
        self.scan(move |connection| {
            let Some(row) = collection(connection, &place)? else { return Ok((None, 0, 0)) };
            let count = "SELECT count(*), count(*) FILTER (WHERE vector IS NULL) FROM vector_point WHERE collection = ?";
            let (points, waiting) =
                connection.prepare_cached(count)?.query_row([row.id], |row| Ok((row.get(0)?, row.get(1)?)))?;
            Ok((Some(row), points, waiting))
        })
        .await
    }
}

fn collection(connection: &Connection, place: &VectorPlace) -> Result<Option<CollectionRow>, StorageError> {
    let mut find = connection.prepare_cached(
        "SELECT id, model, dimension, changes, removals FROM vector_collection
         WHERE plugin = ? AND session = ? AND user = ? AND name = ?",
    )?;
    let Columns { plugin, session, user } = Columns::of(&place.scope);
    let row = find.query_row(params![plugin, session, user, place.collection], |row| {
        let (id, model, dimension) = (row.get(0)?, row.get(1)?, row.get(2)?);
        Ok(CollectionRow { id, model, dimension, changes: row.get(3)?, removals: row.get(4)? })
    });
    Ok(row.optional()?)
}

/// Counts a write, makes the collection if there is none, and returns its number and that of the write.
fn begin(connection: &Connection, place: &VectorPlace, removes: bool) -> Result<(i64, i64), StorageError> {
    let mut count = connection.prepare_cached(
        "INSERT INTO vector_collection (plugin, session, user, name, changes) VALUES (?1, ?2, ?3, ?4, 1)
         ON CONFLICT (plugin, session, user, name) DO UPDATE SET changes = changes + 1, removals = removals + ?5
         RETURNING id, changes",
    )?;
    let Columns { plugin, session, user } = Columns::of(&place.scope);
    let row = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?));
    Ok(count.query_row(params![plugin, session, user, place.collection, removes], row)?)
}

/// The word by which the texts of a collection are found in `owner`.
fn owner(collection: i64) -> String {
    format!("c{collection}")
}

fn write(connection: &Connection, place: &VectorPlace, points: &[NewPoint], quota: u64) -> Result<Written, StorageError> {
    let mut count = connection.prepare_cached(
        "SELECT count(*) FROM vector_point WHERE collection IN (SELECT id FROM vector_collection WHERE plugin = ?)",
    )?;
    let count: u64 = count.query_row([place.scope.plugin.as_str()], |row| row.get(0))?;
    let known = collection(connection, place)?.map(|row| row.id);
    let mut find = connection.prepare_cached("SELECT EXISTS (SELECT 1 FROM vector_point WHERE collection = ? AND name = ?)")?;
    let mut new = HashSet::new();
    for NewPoint { point, .. } in points {
        let is_there = known.is_some() && find.query_row(params![known, point.id], |row| row.get(0))?;
        if !is_there {
            new.insert(&point.id);
        }
    }
    let count = count + new.len() as u64;
    // Fewer than there are may be allowed by now: what is there may still be changed.
    if count > quota && !new.is_empty() {
        return Ok(Written::TooMany(count));
    }
    let (collection, change) = begin(connection, place, false)?;
    let mut write = connection.prepare_cached(
        "INSERT INTO vector_point (collection, name, text, payload, written) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (collection, name) DO UPDATE SET
             vector = CASE WHEN text = excluded.text THEN vector END,
             text = excluded.text, payload = excluded.payload, written = excluded.written
         RETURNING id",
    )?;
    let mut forget = connection.prepare_cached("DELETE FROM vector_text WHERE rowid = ?")?;
    for NewPoint { point, words: own } in points {
        let payload = serde_json::to_string(&point.payload)?;
        let id: i64 = write.query_row(params![collection, point.id, point.text, payload, change], |row| row.get(0))?;
        forget.execute([id])?;
        index(connection, collection, id, own)?;
    }
    Ok(Written::Done)
}

fn index(connection: &Connection, collection: i64, point: i64, words: &str) -> Result<(), StorageError> {
    let mut insert = connection.prepare_cached("INSERT INTO vector_text (rowid, owner, words) VALUES (?, ?, ?)")?;
    insert.execute(params![point, owner(collection), words])?;
    Ok(())
}

/// Writes a text into a collection that has none of its name: its name, itself and what is kept beside it, as JSON.
pub(super) fn insert_point(
    connection: &Connection,
    collection: i64,
    (name, text, payload): (&str, &str, &str),
    vector: Option<&[u8]>,
) -> Result<(), StorageError> {
    let mut insert = connection.prepare_cached(
        "INSERT INTO vector_point (collection, name, text, payload, written, vector) VALUES (?, ?, ?, ?, 1, ?)",
    )?;
    insert.execute(params![collection, name, text, payload, vector])?;
    index(connection, collection, connection.last_insert_rowid(), &crate::vectors::words(text))
}

/// Removes collections, and returns how many texts were in them.
pub(super) fn remove_collections(connection: &Connection, of: &Rows) -> Result<u64, StorageError> {
    let collections = format!("SELECT id FROM vector_collection WHERE {}", of.condition);
    let points = format!("FROM vector_point WHERE collection IN ({collections})");
    let run = |sql: &str| connection.prepare_cached(sql)?.execute(of.parameter());
    run(&format!("DELETE FROM vector_text WHERE rowid IN (SELECT id {points})"))?;
    let texts = run(&format!("DELETE {points}"))?;
    run(&format!("DELETE FROM vector_collection WHERE {}", of.condition))?;
    Ok(texts as u64)
}

fn pin(connection: &Connection, place: &VectorPlace, model: &str, dimension: usize) -> Result<Option<String>, StorageError> {
    // It may have gone meanwhile, and does not come back by this.
    let Some(before) = collection(connection, place)? else { return Ok(None) };
    let (id, _) = begin(connection, place, false)?;
    if before.model.as_deref() == Some(model) && before.dimension == Some(dimension) {
        return Ok(None);
    }
    connection
        .prepare_cached("UPDATE vector_collection SET model = ?, dimension = ?, removals = removals + 1 WHERE id = ?")?
        .execute(params![model, dimension, id])?;
    connection.prepare_cached("UPDATE vector_point SET vector = NULL WHERE collection = ?")?.execute([id])?;
    Ok(before.model.map(|name| before.dimension.map_or(name.clone(), |old| format!("{name} ({old} numbers)"))))
}

fn waiting(connection: &Connection, place: &VectorPlace, limit: usize) -> Result<(u64, Vec<Waiting>), StorageError> {
    let Some(row) = collection(connection, place)? else { return Ok((0, Vec::new())) };
    let count = "SELECT count(*) FROM vector_point WHERE collection = ? AND vector IS NULL";
    let count = connection.prepare_cached(count)?.query_row([row.id], |row| row.get(0))?;
    let mut list = connection.prepare_cached(
        "SELECT id, written, text FROM vector_point WHERE collection = ? AND vector IS NULL ORDER BY id LIMIT ?",
    )?;
    let found = list.query_map(params![row.id, most(limit)], |row| {
        Ok(Waiting { id: row.get(0)?, written: row.get(1)?, text: row.get(2)? })
    })?;
    Ok((count, found.collect::<rusqlite::Result<_>>()?))
}

fn fill(connection: &Connection, place: &VectorPlace, vectors: &[(Waiting, Vec<u8>)]) -> Result<(), StorageError> {
    // It may have gone meanwhile, and does not come back by this.
    if collection(connection, place)?.is_none() {
        return Ok(());
    }
    let (_, change) = begin(connection, place, false)?;
    let mut write = connection
        .prepare_cached("UPDATE vector_point SET vector = ?, written = ? WHERE id = ? AND written = ? AND vector IS NULL")?;
    for (point, vector) in vectors {
        write.execute(params![vector, change, point.id, point.written])?;
    }
    Ok(())
}

fn delete(connection: &Connection, place: &VectorPlace, which: &VectorSelection) -> Result<u64, StorageError> {
    let Some(row) = collection(connection, place)? else { return Ok(0) };
    let ids: Vec<i64> = match which {
        VectorSelection::Ids(names) => {
            let mut find = connection.prepare_cached("SELECT id FROM vector_point WHERE collection = ? AND name = ?")?;
            let found = names.iter().map(|name| find.query_row(params![row.id, name], |row| row.get(0)).optional());
            found.filter_map(Result::transpose).collect::<rusqlite::Result<_>>()?
        }
        VectorSelection::Where(filter) => {
            let mut list = connection.prepare_cached("SELECT id, payload FROM vector_point WHERE collection = ?")?;
            let found = list.query_map([row.id], |row| Ok((row.get(0)?, row.get::<_, String>(1)?)))?;
            let found = found.collect::<rusqlite::Result<Vec<(i64, String)>>>()?;
            let fits = |payload: &str| Ok::<_, StorageError>(filter.matches(&serde_json::from_str(payload)?));
            found
                .into_iter()
                .map(|(id, payload)| Ok(fits(&payload)?.then_some(id)))
                .filter_map(Result::transpose)
                .collect::<Result<_, StorageError>>()?
        }
    };
    if ids.is_empty() {
        return Ok(0);
    }
    begin(connection, place, true)?;
    for id in &ids {
        connection.prepare_cached("DELETE FROM vector_point WHERE id = ?")?.execute([id])?;
        connection.prepare_cached("DELETE FROM vector_text WHERE rowid = ?")?.execute([id])?;
    }
    Ok(ids.len() as u64)
}

fn by_words(
    connection: &Connection,
    place: &VectorPlace,
    expression: &str,
    filter: &Filter,
    limit: usize,
) -> Result<Vec<i64>, StorageError> {
    let Some(row) = collection(connection, place)? else { return Ok(Vec::new()) };
    let expression = format!("owner : {} AND words : ({expression})", owner(row.id));
    // The name of the owner tells nothing of how well a text fits.
    let mut find = connection.prepare_cached(
        "SELECT point.id, point.payload FROM vector_text JOIN vector_point AS point ON point.id = vector_text.rowid
         WHERE vector_text MATCH ? ORDER BY bm25(vector_text, 0.0, 1.0), point.id",
    )?;
    let mut found = Vec::new();
    let mut rows = find.query([expression])?;
    while let Some(row) = rows.next()? {
        if found.len() == limit {
            break;
        }
        if filter.is_empty() || filter.matches(&serde_json::from_str(row.get_ref(1)?.as_str().unwrap_or_default())?) {
            found.push(row.get(0)?);
        }
    }
    Ok(found)
}

fn delta(connection: &Connection, place: &VectorPlace, known: &CollectionRow) -> Result<Delta, StorageError> {
    let Some(row) = collection(connection, place)? else { return Ok(Delta::default()) };
    let anew = row.removals != known.removals || row.id != known.id;
    let since = if anew { -1 } else { known.changes };
    let mut list = connection
        .prepare_cached("SELECT id, vector FROM vector_point WHERE collection = ? AND written > ? AND vector IS NOT NULL")?;
    let found = list.query_map(params![row.id, since], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(Delta { vectors: found.collect::<rusqlite::Result<_>>()?, collection: Some(row), anew })
}

fn compare(
    connection: &Connection,
    ids: &[i64],
    filter: &Filter,
    like: &dyn Fn(&[u8]) -> f32,
) -> Result<Vec<(f32, i64)>, StorageError> {
    let mut find = connection.prepare_cached("SELECT vector, payload FROM vector_point WHERE id = ? AND vector IS NOT NULL")?;
    let mut compared = Vec::with_capacity(ids.len());
    for id in ids {
        let mut rows = find.query([id])?;
        let Some(row) = rows.next()? else { continue };
        // What nobody asks for is not read.
        if filter.is_empty() || filter.matches(&serde_json::from_str(row.get_ref(1)?.as_str().unwrap_or_default())?) {
            compared.push((like(row.get_ref(0)?.as_blob().unwrap_or_default()), *id));
        }
    }
    Ok(compared)
}

fn rows(connection: &Connection, ids: &[i64]) -> Result<HashMap<i64, VectorPoint>, StorageError> {
    let mut find = connection.prepare_cached("SELECT name, text, payload FROM vector_point WHERE id = ?")?;
    let mut found = HashMap::with_capacity(ids.len());
    for id in ids {
        let row = find.query_row([id], |row| Ok((row.get(0)?, row.get(1)?, row.get::<_, String>(2)?)));
        if let Some((name, text, payload)) = row.optional()? {
            found.insert(*id, VectorPoint { id: name, text, payload: serde_json::from_str(&payload)? });
        }
    }
    Ok(found)
}

fn get(connection: &Connection, place: &VectorPlace, name: &str) -> Result<Option<VectorPoint>, StorageError> {
    let Some(row) = collection(connection, place)? else { return Ok(None) };
    let mut find = connection.prepare_cached("SELECT text, payload FROM vector_point WHERE collection = ? AND name = ?")?;
    let found = find.query_row(params![row.id, name], |row| Ok((row.get(0)?, row.get::<_, String>(1)?))).optional()?;
    let Some((text, payload)) = found else { return Ok(None) };
    Ok(Some(VectorPoint { id: name.to_owned(), text, payload: serde_json::from_str(&payload)? }))
}
