//! Collections of texts, kept in the database: by their words, and by their vectors if there is an embedding model.
//!
//! A text is written first and embedded then, so that nothing is lost when the model is away: whoever searches gives vectors to some of
//! those that wait. The model stands in the collection; with another one, all of its texts wait again, and the log says so.

mod embed;
mod flat;
mod settings;
#[cfg(test)]
mod tests;
mod words;

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use nekro_core::{
    BoxFuture, Error, Result, SearchBy, VectorMatches, VectorPlace, VectorPoint, VectorQuery, VectorSelection, VectorState,
    VectorsPort,
};

use self::flat::{Flat, exact, normalised};
pub(crate) use self::{
    embed::{Embedded, Embedder, estimated_tokens},
    settings::{EmbeddingSettings, VectorsSettings},
    words::of as words,
};
use crate::{
    history::{HistoryPort, UsageRecord},
    model::Usage,
    storage::{CollectionRow, NewPoint, Storage, Written},
};

/// The most texts that one call gives vectors to.
const MOST_EMBEDDED: usize = 512;

/// How many candidates are looked at for each text that is wanted.
const CANDIDATES: usize = 4;

/// By how much the first places count more than the next when two orders are merged (Cormack, Clarke and Büttcher, 2009).
const RANK_OFFSET: f64 = 60.0;

/// The most characters of the name of a collection, or of the id of a text.
const MOST_OF_A_NAME: usize = 200;

/// The collections of all plugins.
pub(crate) struct Collections {
    settings: VectorsSettings,
    storage: Arc<Storage>,
    embedder: Option<Arc<dyn Embedder>>,
    held: Mutex<Held>,
}

/// What is held in memory.
#[derive(Default)]
struct Held {
    collections: HashMap<VectorPlace, (u64, CollectionRow, Arc<Flat>)>,
    // Counts uses, to know which is the oldest.
    uses: u64,
}

impl Collections {
    /// Makes them over a database. Nothing is read yet.
    pub(crate) fn new(settings: &VectorsSettings, storage: Arc<Storage>, embedder: Option<Arc<dyn Embedder>>) -> Self {
        Self { settings: settings.clone(), storage, embedder, held: Mutex::default() }
    }

    async fn upsert(&self, place: &VectorPlace, points: Vec<VectorPoint>) -> Result<()> {
        check_name("collection", &place.collection)?;
        points.iter().try_for_each(|point| self.check(point))?;
        let words = |point: VectorPoint| NewPoint { words: words::of(&point.text), point };
        let points = points.into_iter().map(words).collect();
        match self.storage.vector_write(place, points, self.settings.points).await? {
            Written::TooMany(count) => {
                return Err(Error::new(format!(
                    "the plugin `{}` would keep {count} texts, and may keep {}",
                    place.scope.plugin, self.settings.points
                ))
                .with_code("quota_exceeded")
                .with_hint("remove some; the limit is `vectors.points`"));
            }
            Written::Done => {}
        }
        // What is written is kept, whatever the model does: a search tries again.
        if let Err(error) = self.embed_waiting(place).await {
            tracing::warn!(plugin = %place.scope.plugin, collection = place.collection, "texts wait for their vectors: {error}");
        }
        Ok(())
    }

    fn check(&self, point: &VectorPoint) -> Result<()> {
        check_name("id", &point.id)?;
        let too_large = |what: &str, has: usize, most: usize, key: &str| {
            Error::new(format!("the {what} of `{}` has {has}, and {most} are kept at most", point.id))
                .with_code("too_large")
                .with_hint(format!("the limit is `vectors.{key}`"))
        };
        let (characters, most) = (point.text.chars().count(), self.settings.text_characters);
        if characters > most {
            return Err(too_large("text", characters, most, "text_characters"));
        }
        let (bytes, most) = (serde_json::to_string(&point.payload)?.len(), self.settings.payload_bytes);
        if bytes > most {
            return Err(too_large("value", bytes, most, "payload_bytes"));
        }
        Ok(())
    }

    /// Gives vectors to some of the texts that wait for one.
    async fn embed_waiting(&self, place: &VectorPlace) -> Result<()> {
        let Some(embedder) = &self.embedder else { return Ok(()) };
        let collection = self.storage.vector_collection(place).await?;
        if collection.is_some_and(|row| row.model.as_deref().is_some_and(|model| model != embedder.model())) {
            // Its vectors stand for nothing here. How long the new ones are, the first one tells.
            let vector = self.embed_one(place, embedder.as_ref(), "a").await?;
            self.pin(place, embedder.model(), vector.len()).await?;
        }
        let (_, waiting) = self.storage.vector_waiting(place, MOST_EMBEDDED).await?;
        if waiting.is_empty() {
            return Ok(());
        }
        let texts: Vec<_> = waiting.iter().map(|waiting| waiting.text.clone()).collect();
        let vectors = self.embed(place, embedder.as_ref(), &texts).await?;
        let dimension = vectors.first().map_or(0, Vec::len);
        if vectors.len() != texts.len() || vectors.iter().any(|vector| vector.len() != dimension) {
            return Err(
                Error::new(format!("the model `{}` gave vectors of different lengths", embedder.model())).with_code("embedding")
            );
        }
        self.pin(place, embedder.model(), dimension).await?;
        // A text without anything to compare, such as an empty one, gets a vector that is like none.
        let filled = waiting.into_iter().zip(vectors).map(|(point, vector)| {
            let vector = normalised(vector).unwrap_or_else(|| vec![0.0; dimension]);
            (point, vector.iter().flat_map(|one| one.to_le_bytes()).collect())
        });
        Ok(self.storage.vector_fill(place, filled.collect()).await?)
    }

    async fn pin(&self, place: &VectorPlace, model: &str, dimension: usize) -> Result<()> {
        if let Some(before) = self.storage.vector_pin(place, model, dimension).await? {
            tracing::warn!(
                plugin = %place.scope.plugin,
                collection = place.collection,
                "the texts were embedded by {before}, and are embedded anew by {model} ({dimension} numbers)"
            );
        }
        Ok(())
    }

    /// Turns texts into vectors, and books what that cost to the plugin.
    async fn embed(&self, place: &VectorPlace, embedder: &dyn Embedder, texts: &[String]) -> Result<Vec<Vec<f32>>> {
        let Embedded { vectors, tokens } = embedder.embed(texts).await?;
        if tokens == 0 {
            return Ok(vectors);
        }
        let record = UsageRecord {
            plugin: Some(place.scope.plugin.clone()),
            session: place.scope.session.clone(),
            turn: None,
            at: self.storage.now(),
            model: embedder.model().to_owned(),
            usage: Usage { input_tokens: tokens, ..Usage::default() },
            cost_micros: embedder.cost(tokens),
        };
        self.storage.record_usage(record).await?;
        Ok(vectors)
    }

    async fn embed_one(&self, place: &VectorPlace, embedder: &dyn Embedder, text: &str) -> Result<Vec<f32>> {
        let mut vectors = self.embed(place, embedder, &[text.to_owned()]).await?;
        let vector = vectors.pop().and_then(normalised);
        vector.ok_or_else(|| Error::new(format!("the model `{}` gave no vector", embedder.model())).with_code("embedding"))
    }

    async fn search(&self, place: &VectorPlace, query: VectorQuery) -> Result<VectorMatches> {
        let wide = query.limit.saturating_mul(CANDIDATES).max(40);
        let meaning = match (&self.embedder, query.by) {
            (_, SearchBy::Words) => None,
            (None, SearchBy::Both) => None,
            (None, SearchBy::Meaning) => {
                return Err(Error::new("there is no embedding model to compare meanings with")
                    .with_code("no_embedding")
                    .with_hint("the operator sets one in `vectors.embedding`; a search by words needs none"));
            }
            (Some(embedder), by) => match self.by_meaning(place, embedder.as_ref(), &query, wide).await {
                Ok(found) => Some(found),
                Err(error) if by == SearchBy::Meaning => return Err(error),
                Err(error) => {
                    tracing::warn!(plugin = %place.scope.plugin, "texts are compared by their words alone: {error}");
                    None
                }
            },
        };
        let lexical = meaning.is_none();
        let words = match words::expression(&query.text) {
            Some(expression) if query.by != SearchBy::Meaning => {
                self.storage.vector_words(place, expression, query.filter.clone(), wide).await?
            }
            _ => Vec::new(),
        };
        let ranked = merge([&words, &meaning.unwrap_or_default()], query.limit);
        let mut rows = self.storage.vector_rows(ranked.iter().map(|(id, _)| *id).collect()).await?;
        let hits = ranked.into_iter().filter_map(|(id, score)| Some((rows.remove(&id)?, score)));
        Ok(VectorMatches { hits: hits.collect(), lexical })
    }

    /// Finds texts by what they mean, best first.
    async fn by_meaning(
        &self,
        place: &VectorPlace,
        embedder: &dyn Embedder,
        query: &VectorQuery,
        wide: usize,
    ) -> Result<Vec<i64>> {
        self.embed_waiting(place).await?;
        let vector: Arc<[f32]> = self.embed_one(place, embedder, &query.text).await?.into();
        let Some(flat) = self.flat(place).await? else { return Ok(Vec::new()) };
        let (mut most, all) = (wide, flat.len());
        loop {
            let (vectors, wanted) = (Arc::clone(&flat), Arc::clone(&vector));
            let candidates = tokio::task::spawn_blocking(move || vectors.nearest(&wanted, most)).await;
            let candidates = candidates.map_err(|_| Error::new("the comparison was broken off"))?;
            let wanted = Arc::clone(&vector);
            let like = move |bytes: &[u8]| exact(numbers(bytes), &wanted);
            let mut scored = self.storage.vector_compare(candidates, query.filter.clone(), like).await?;
            // With a filter that few fit, more have to be looked at.
            if scored.len() >= query.limit.min(wide) || most >= all {
                scored.sort_by(|one, other| other.0.total_cmp(&one.0).then(one.1.cmp(&other.1)));
                return Ok(scored.into_iter().map(|(_, id)| id).collect());
            }
            most = most.saturating_mul(8).min(all);
        }
    }

    /// Returns the vectors of a collection as they are now.
    async fn flat(&self, place: &VectorPlace) -> Result<Option<Arc<Flat>>> {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner).collections.get(place).cloned();
        let known = held.as_ref().map(|(_, row, _)| row.clone()).unwrap_or_default();
        let delta = self.storage.vector_delta(place, known.clone()).await?;
        let Some(row) = delta.collection else { return Ok(None) };
        let flat = match held {
            Some((.., flat)) if !delta.anew && delta.vectors.is_empty() => flat,
            Some((.., flat)) if !delta.anew => {
                // All of them are copied only if somebody else compares them just now.
                self.held.lock().unwrap_or_else(PoisonError::into_inner).collections.remove(place);
                let mut more = Arc::unwrap_or_clone(flat);
                delta.vectors.iter().for_each(|(id, bytes)| more.put(*id, numbers(bytes)));
                Arc::new(more)
            }
            _ => {
                let mut flat = Flat::new(row.dimension.unwrap_or_default());
                delta.vectors.iter().for_each(|(id, bytes)| flat.put(*id, numbers(bytes)));
                Arc::new(flat)
            }
        };
        self.hold(place, row, &flat);
        Ok(Some(flat))
    }

    /// Keeps vectors in memory, in place of those that were not used for the longest time.
    fn hold(&self, place: &VectorPlace, row: CollectionRow, flat: &Arc<Flat>) {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.uses += 1;
        let uses = held.uses;
        held.collections.insert(place.clone(), (uses, row, Arc::clone(flat)));
        let memory = |held: &Held| held.collections.values().map(|(.., flat)| flat.memory()).sum::<usize>();
        while memory(&held) > self.settings.memory_bytes
            && let Some(oldest) = held.collections.iter().min_by_key(|(_, (used, ..))| *used).map(|(place, _)| place.clone())
        {
            held.collections.remove(&oldest);
        }
    }

    async fn state(&self, place: &VectorPlace) -> Result<VectorState> {
        let (row, points, waiting) = self.storage.vector_state(place).await?;
        let row = row.unwrap_or_default();
        let model = self.embedder.as_ref().map(|embedder| embedder.model().to_owned());
        match model {
            None => Ok(VectorState { points, model: None, dimension: None, waiting: 0 }),
            // With another model than before, all of them wait.
            Some(model) if row.model.as_ref().is_some_and(|before| *before != model) => {
                Ok(VectorState { points, model: Some(model), dimension: None, waiting: points })
            }
            Some(model) => Ok(VectorState { points, model: Some(model), dimension: row.dimension, waiting }),
        }
    }
}

impl VectorsPort for Collections {
    fn upsert<'a>(&'a self, place: &'a VectorPlace, points: Vec<VectorPoint>) -> BoxFuture<'a, Result<()>> {
        Box::pin(self.upsert(place, points))
    }

    fn delete<'a>(&'a self, place: &'a VectorPlace, which: VectorSelection) -> BoxFuture<'a, Result<u64>> {
        Box::pin(async move { Ok(self.storage.vector_delete(place, which).await?) })
    }

    fn get<'a>(&'a self, place: &'a VectorPlace, id: &'a str) -> BoxFuture<'a, Result<Option<VectorPoint>>> {
        Box::pin(async move { Ok(self.storage.vector_get(place, id).await?) })
    }

    fn search<'a>(&'a self, place: &'a VectorPlace, query: VectorQuery) -> BoxFuture<'a, Result<VectorMatches>> {
        Box::pin(self.search(place, query))
    }

    fn state<'a>(&'a self, place: &'a VectorPlace) -> BoxFuture<'a, Result<VectorState>> {
        Box::pin(self.state(place))
    }
}

impl fmt::Debug for Collections {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let model = self.embedder.as_ref().map(|embedder| embedder.model());
        f.debug_struct("Collections").field("model", &model).finish_non_exhaustive()
    }
}

/// Merges two orders into one: what stands before in either, and above all in both, comes first.
fn merge(orders: [&[i64]; 2], limit: usize) -> Vec<(i64, f64)> {
    let mut scores: HashMap<i64, f64> = HashMap::new();
    for order in orders {
        for (rank, id) in order.iter().enumerate() {
            *scores.entry(*id).or_default() += 1.0 / (RANK_OFFSET + 1.0 + rank as f64);
        }
    }
    let mut ranked: Vec<_> = scores.into_iter().collect();
    ranked.sort_by(|one, other| other.1.total_cmp(&one.1).then(one.0.cmp(&other.0)));
    ranked.truncate(limit);
    ranked
}

/// Reads the numbers of a vector as it is on the disk.
fn numbers(bytes: &[u8]) -> impl ExactSizeIterator<Item = f32> + Clone + '_ {
    bytes.as_chunks::<4>().0.iter().map(|four| f32::from_le_bytes(*four))
}

fn check_name(what: &str, name: &str) -> Result<()> {
    if !name.is_empty() && name.chars().nth(MOST_OF_A_NAME).is_none() && !name.contains(char::is_control) {
        return Ok(());
    }
    Err(Error::new(format!("the {what} of a text has 1 to {MOST_OF_A_NAME} characters on one line")).with_code("bad_name"))
}
