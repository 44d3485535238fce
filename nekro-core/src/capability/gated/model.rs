//! Models, behind a gate.

use super::Gated;
use crate::{
    call::BoxFuture,
    capability::{ModelAnswer, ModelAsker, ModelPort, ModelRequest},
    error::Result,
};

impl ModelPort for Gated<dyn ModelPort> {
    fn ask<'a>(&'a self, asker: &'a ModelAsker, request: &'a ModelRequest) -> BoxFuture<'a, Result<ModelAnswer>> {
        Box::pin(self.gate.pass(async move { self.port.ask(asker, request).await }))
    }
}
