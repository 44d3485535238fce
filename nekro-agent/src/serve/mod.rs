//! `nekro serve`: the agent over HTTP, for programs and for people with a browser.
//!
//! The only room that knows the protocol's messages. What comes in is looked at once, in `door`: whether it may come at all, and who it
//! is. Then an [`Operation`](api::Operation) or a plugin's route answers it. `docs/http.md` is for those who ask.

mod access;
mod answer;
mod api;
mod background;
mod command;
mod connection;
mod conversations;
mod door;
mod feed;
mod hooks;
mod line;
mod login;
pub(crate) mod measured;
mod metrics;
mod openapi;
mod patience;
mod problem;
mod protection;
mod request;
mod routers;
mod routes;
mod server;
mod settings;
mod signature;

pub(crate) use self::{
    command::{Served, run},
    feed::{Feed, approval},
    settings::ServeSettings,
};
