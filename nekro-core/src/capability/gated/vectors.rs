//! Collections of texts, behind a gate.

use super::Gated;
use crate::{
    call::BoxFuture,
    capability::{VectorMatches, VectorPlace, VectorPoint, VectorQuery, VectorSelection, VectorState, VectorsPort},
    error::Result,
};

impl VectorsPort for Gated<dyn VectorsPort> {
    fn upsert<'a>(&'a self, place: &'a VectorPlace, points: Vec<VectorPoint>) -> BoxFuture<'a, Result<()>> {
        Box::pin(self.gate.pass(async move { self.port.upsert(place, points).await }))
    }

    fn delete<'a>(&'a self, place: &'a VectorPlace, which: VectorSelection) -> BoxFuture<'a, Result<u64>> {
        Box::pin(self.gate.pass(async move { self.port.delete(place, which).await }))
    }

    fn get<'a>(&'a self, place: &'a VectorPlace, id: &'a str) -> BoxFuture<'a, Result<Option<VectorPoint>>> {
        Box::pin(self.gate.pass(async move { self.port.get(place, id).await }))
    }

    fn search<'a>(&'a self, place: &'a VectorPlace, query: VectorQuery) -> BoxFuture<'a, Result<VectorMatches>> {
        Box::pin(self.gate.pass(async move { self.port.search(place, query).await }))
    }

    fn state<'a>(&'a self, place: &'a VectorPlace) -> BoxFuture<'a, Result<VectorState>> {
        Box::pin(self.gate.pass(async move { self.port.state(place).await }))
    }
}
