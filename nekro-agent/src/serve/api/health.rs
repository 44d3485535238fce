//! Whether the agent is there, and whether it is ready; and its counts.

use nekro_core::{Method, web::Answer};
use schemars::JsonSchema;
use serde::Serialize;

use super::{Operation, run};
use crate::{
    serve::{api::Answers, metrics, problem::Problem, request::Request, server::Server},
    storage::Health,
};

pub(super) const OPERATIONS: &[Operation] = &[
    Operation::new(Method::Get, "/healthz", "is_alive", "Tells that the server answers.", run!(alive))
        .for_everybody()
        .json::<Alive>(),
    Operation::new(
        Method::Get,
        "/readyz",
        "is_ready",
        "Tells that messages can be taken in: the data can be read and the server is not ending.",
        run!(ready),
    )
    .for_everybody()
    .json::<Alive>(),
    Operation::new(Method::Get, "/metrics", "metrics", "Returns what is counted, as Prometheus reads it.", run!(counts))
        .answers(Answers::Other("text/plain; version=0.0.4")),
];

/// The server answers.
#[derive(Serialize, JsonSchema)]
struct Alive {
    /// Always `ok`.
    status: &'static str,
}

async fn alive(_: &Server, _: &Request) -> Result<Answer, Problem> {
    Ok(Answer::json(&Alive { status: "ok" })?)
}

async fn ready(server: &Server, _: &Request) -> Result<Answer, Problem> {
    let not_ready = |why: &str| Err(Problem::new(503, "unavailable", why).retryable());
    if server.is_ending() {
        return not_ready("the server is ending");
    }
    match server.storage.health().await {
        Ok(Health::Absent | Health::Good) => Ok(Answer::json(&Alive { status: "ok" })?),
        Ok(Health::Damaged(_)) => not_ready("the database is damaged"),
        Err(_) => not_ready("the database cannot be read"),
    }
}

async fn counts(server: &Server, _: &Request) -> Result<Answer, Problem> {
    Ok(Answer::bytes("text/plain; version=0.0.4", metrics::text(server).into_bytes()))
}
