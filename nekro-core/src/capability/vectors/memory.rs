//! Collections in memory, compared by words: for tests, and for agents that need nothing kept.

use std::{
    collections::{BTreeMap, HashSet},
    sync::{Mutex, PoisonError},
};

use super::{SearchBy, VectorMatches, VectorPlace, VectorPoint, VectorQuery, VectorSelection, VectorState, VectorsPort};
use crate::{
    call::BoxFuture,
    error::{Error, Result},
};

/// Collections in memory. Texts are compared by the words that they have in common.
#[derive(Debug, Default)]
pub struct MemoryVectors(Mutex<BTreeMap<VectorPlace, BTreeMap<String, VectorPoint>>>);

impl MemoryVectors {
    fn with<T>(&self, place: &VectorPlace, f: impl FnOnce(&mut BTreeMap<String, VectorPoint>) -> T) -> T {
        f(self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(place.clone()).or_default())
    }
}

fn words(text: &str) -> HashSet<String> {
    text.split(|one: char| !one.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_lowercase).collect()
}

fn at_once<'a, T: Send + 'a>(value: Result<T>) -> BoxFuture<'a, Result<T>> {
    Box::pin(std::future::ready(value))
}

impl VectorsPort for MemoryVectors {
    fn upsert<'a>(&'a self, place: &'a VectorPlace, points: Vec<VectorPoint>) -> BoxFuture<'a, Result<()>> {
        self.with(place, |kept| kept.extend(points.into_iter().map(|point| (point.id.clone(), point))));
        at_once(Ok(()))
    }

    fn delete<'a>(&'a self, place: &'a VectorPlace, which: VectorSelection) -> BoxFuture<'a, Result<u64>> {
        at_once(Ok(self.with(place, |kept| {
            let before = kept.len();
            match which {
                VectorSelection::Ids(ids) => ids.iter().for_each(|id| drop(kept.remove(id))),
                VectorSelection::Where(filter) => kept.retain(|_, point| !filter.matches(&point.payload)),
            }
            (before - kept.len()) as u64
        })))
    }

    fn get<'a>(&'a self, place: &'a VectorPlace, id: &'a str) -> BoxFuture<'a, Result<Option<VectorPoint>>> {
        at_once(Ok(self.with(place, |kept| kept.get(id).cloned())))
    }

    fn search<'a>(&'a self, place: &'a VectorPlace, query: VectorQuery) -> BoxFuture<'a, Result<VectorMatches>> {
        if query.by == SearchBy::Meaning {
            return at_once(Err(Error::new("there is no embedding model").with_code("no_embedding")));
        }
        let wanted = words(&query.text);
        let mut hits: Vec<_> = self.with(place, |kept| {
            let fitting = kept.values().filter(|point| query.filter.matches(&point.payload));
            fitting.map(|point| (point.clone(), words(&point.text).intersection(&wanted).count() as f64)).collect()
        });
        hits.retain(|(_, score)| *score > 0.0);
        // Of those that fit as well, the first by its id: the same in every run.
        hits.sort_by(|(one, score), (other, better)| better.total_cmp(score).then_with(|| one.id.cmp(&other.id)));
        hits.truncate(query.limit);
        at_once(Ok(VectorMatches { hits, lexical: true }))
    }

    fn state<'a>(&'a self, place: &'a VectorPlace) -> BoxFuture<'a, Result<VectorState>> {
        let points = self.with(place, |kept| kept.len() as u64);
        at_once(Ok(VectorState { points, model: None, dimension: None, waiting: 0 }))
    }
}
