//! What programs may ask for, one file to a subject. An operation is a row: how it is asked for, who may, what it takes and answers, and
//! the function. The server routes by these rows, and the OpenAPI document is made of them, so that neither can forget one.

mod audit;
mod events;
mod health;
mod navigation;
mod openai;
mod pages;
mod plugins;
mod schedules;
mod sessions;
mod tasks;
mod tools;

use nekro_core::{BoxFuture, Method, Role, web::Answer};
use schemars::{JsonSchema, Schema, SchemaGenerator};

use super::{problem::Problem, request::Request, server::Server};

/// Describes a type.
pub(super) type Describe = fn(&mut SchemaGenerator) -> Schema;

/// An operation.
pub(super) struct Operation {
    pub(super) method: Method,
    pub(super) path: &'static str,
    /// Its name in the document.
    pub(super) id: &'static str,
    /// What it does.
    pub(super) docs: &'static str,
    /// The least that a caller must be; `None` for everybody.
    pub(super) role: Option<Role>,
    /// What the query may have.
    pub(super) query: Option<Describe>,
    /// What the body is.
    pub(super) body: Option<Describe>,
    pub(super) answers: Answers,
    pub(super) run: Run,
}

/// What an operation answers if all goes well.
#[derive(Clone, Copy)]
pub(super) enum Answers {
    /// JSON, with this status.
    Json(u16, Describe),
    /// What happens from now on.
    Events,
    /// JSON, or what happens from now on if the body says so.
    JsonOrEvents(Describe),
    /// Something of this media type.
    Other(&'static str),
    /// Nothing, with this status.
    Nothing(u16),
}

/// The function of an operation.
pub(super) type Run = for<'a> fn(&'a Server, &'a Request) -> BoxFuture<'a, Result<Answer, Problem>>;

impl Operation {
    /// Begins a row. Without more, it is for users, takes nothing, and answers nothing.
    const fn new(method: Method, path: &'static str, id: &'static str, docs: &'static str, run: Run) -> Self {
        let (role, answers) = (Some(Role::User), Answers::Nothing(204));
        Self { method, path, id, docs, role, query: None, body: None, answers, run }
    }

    const fn role(mut self, role: Role) -> Self {
        self.role = Some(role);
        self
    }

    const fn for_everybody(mut self) -> Self {
        self.role = None;
        self
    }

    const fn query<T: JsonSchema>(mut self) -> Self {
        self.query = Some(T::json_schema);
        self
    }

    const fn body<T: JsonSchema>(mut self) -> Self {
        self.body = Some(described::<T>);
        self
    }

    const fn json<T: JsonSchema>(mut self) -> Self {
        self.answers = Answers::Json(200, described::<T>);
        self
    }

    const fn answers(mut self, answers: Answers) -> Self {
        self.answers = answers;
        self
    }
}

fn described<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<T>()
}

/// Makes a row's function of an `async` one.
macro_rules! run {
    ($function:path) => {
        |server, request| Box::pin($function(server, request))
    };
}
use run;

/// Returns every operation.
pub(super) fn operations() -> impl Iterator<Item = &'static Operation> {
    let all: [&'static [Operation]; 11] = [
        health::OPERATIONS,
        sessions::OPERATIONS,
        tools::OPERATIONS,
        events::OPERATIONS,
        plugins::OPERATIONS,
        tasks::OPERATIONS,
        schedules::OPERATIONS,
        audit::OPERATIONS,
        navigation::OPERATIONS,
        openai::OPERATIONS,
        pages::OPERATIONS,
    ];
    all.into_iter().flatten()
}
