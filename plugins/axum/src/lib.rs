//! Routers of [axum] as routes of a plugin, for what plain functions cannot say: WebSockets, uploads, requests that are read while they come.
//!
//! ```
//! use axum::{Extension, Router, routing::get};
//! use nekro_axum::Routes;
//! use nekro_core::{Caller, prelude::*};
//!
//! /// Talks back.
//! #[plugin(id = "parrot")]
//! pub struct Parrot;
//!
//! /// Everything at and below `/p/parrot/perch`.
//! #[route(ANY, "/perch", auth = user)]
//! fn perch(store: &Store) -> Routes {
//!     Router::new().route("/", get(who)).with_state(store.clone()).into()
//! }
//!
//! async fn who(Extension(caller): Extension<Caller>) -> String {
//!     caller.user.map_or_else(String::new, |user| user.to_string())
//! }
//! # fn main() {}
//! ```
//!
//! The function is called for each request, as every route's is: its parameters are what the router may touch, `auth` and the policy are
//! asked before it, and a plugin that is disabled has no router. What it returns then answers the request, whose path begins after the
//! function's own. Handlers get the caller as `Extension<nekro_core::Caller>`, and what was lent by the router's state: capabilities are
//! handles that can be cloned.
//!
//! It is a crate of its own so that neither `nekro-core` nor a plugin that needs none of it builds a web server.

#![forbid(unsafe_code)]

use axum::Router;
use nekro_core::{
    Result,
    web::{Answer, Body, IntoAnswer, Shape},
};
use schemars::{Schema, SchemaGenerator};

pub use axum;

/// A router, which answers every request at and below the path of its `#[route(ANY, …)]`.
#[derive(Clone, Debug)]
pub struct Routes(pub Router);

impl From<Router> for Routes {
    fn from(router: Router) -> Self {
        Self(router)
    }
}

impl IntoAnswer for Routes {
    const SHAPE: Shape = Shape::router();

    fn into_answer(self) -> Result<Answer> {
        Ok(Answer::router(Box::new(self.0)))
    }

    fn schema(_: &mut SchemaGenerator) -> Option<Schema> {
        None
    }
}

impl Routes {
    /// Takes the router out of an answer, for tests and for hosts. `None` for an answer that is none, or whose router is of another version
    /// of axum.
    pub fn of(answer: Answer) -> Option<Router> {
        match answer.body {
            Body::Router(router) => router.downcast::<Router>().ok().map(|router| *router),
            _ => None,
        }
    }
}
