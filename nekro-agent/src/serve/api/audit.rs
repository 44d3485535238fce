//! What this program's plugins may do, as `nekro audit` says it.

use nekro_core::{Method, Role, web::Answer};
use serde_json::{Map, Value};

use super::{Operation, run};
use crate::{
    audit::{Program, Surface},
    serve::{problem::Problem, request::Request, server::Server},
};

pub(super) const OPERATIONS: &[Operation] = &[Operation::new(
    Method::Get,
    "/api/audit",
    "audit",
    "Shows what this program's plugins may do, as `nekro audit` does.",
    run!(show),
)
.role(Role::Admin)
.json::<Map<String, Value>>()];

async fn show(server: &Server, _: &Request) -> Result<Answer, Problem> {
    let unreadable =
        |problem: String| Problem::new(500, "unreadable", format!("the program's manifest cannot be read: {problem}"));
    let program = Program::own(server.kernel.registry()).map_err(|error| unreadable(error.to_string()))?;
    let surface = Surface::of(&program).map_err(|twice| unreadable(format!("it describes {twice} twice")))?;
    Ok(Answer::json(&surface)?)
}
