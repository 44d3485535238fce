//! Where people find the plugins' pages: a navigation, and the cards of a dashboard.

use nekro_core::{Method, PlaceDecl, web::Answer};
use schemars::JsonSchema;
use serde::Serialize;

use super::{Operation, run};
use crate::serve::{problem::Problem, request::Request, server::Server};

pub(super) const OPERATIONS: &[Operation] = &[
    Operation::new(
        Method::Get,
        "/api/navigation",
        "list_navigation",
        "Lists the pages of plugins that run and that the caller may look at.",
        run!(navigation),
    )
    .json::<Vec<Entry>>(),
    Operation::new(
        Method::Get,
        "/api/cards",
        "list_cards",
        "Lists the cards of a dashboard: each is asked for by its path, and is a part of a page, or JSON.",
        run!(cards),
    )
    .json::<Vec<Entry>>(),
];

/// A page or a card.
#[derive(Serialize, JsonSchema)]
struct Entry {
    /// What it is called.
    title: &'static str,
    /// A sign to know it by, such as an emoji.
    #[serde(skip_serializing_if = "Option::is_none")]
    icon: Option<&'static str>,
    /// Where it is, such as `/p/board`.
    path: String,
    /// The plugin that has it.
    plugin: &'static str,
    /// What it is for.
    description: &'static str,
}

async fn navigation(server: &Server, request: &Request) -> Result<Answer, Problem> {
    entries(server, request, |place| place.nav)
}

async fn cards(server: &Server, request: &Request) -> Result<Answer, Problem> {
    entries(server, request, |place| place.card)
}

fn entries(server: &Server, request: &Request, title: impl Fn(&PlaceDecl) -> Option<&'static str>) -> Result<Answer, Problem> {
    let caller = request.caller();
    let entries = server.kernel.registry().routes().iter().filter_map(|route| {
        let decl = route.decl;
        let title = title(&decl.place)?;
        let entry = || Entry { title, icon: decl.place.icon, path: route.path(), plugin: decl.plugin.id, description: decl.docs };
        server.kernel.sees_route(route, &caller).then(entry)
    });
    Ok(Answer::json(&entries.collect::<Vec<_>>())?)
}
