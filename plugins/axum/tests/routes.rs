//! A router as a host asks it.

use axum::{Extension, Router, body::Body, extract::State, http::Request, routing::get};
use nekro_axum::Routes;
use nekro_core::{
    Caller,
    kernel::{FoundRoute, Registry},
    prelude::*,
    testing::Host,
    web::Answer,
};
use tower_service::Service;

/// Talks back.
#[plugin(id = "parrot")]
pub struct Parrot;

/// A perch.
#[route(ANY, "/perch", auth = user)]
fn perch(store: &Store) -> Routes {
    Router::new().route("/who", get(who)).with_state(store.clone()).into()
}

/// Names the perch.
#[route(GET, "/perch/name", auth = user)]
fn name() -> &'static str {
    "left"
}

async fn who(State(store): State<Store>, Extension(caller): Extension<Caller>) -> String {
    let before: Option<String> = store.get("who").await.unwrap_or_default();
    let now = caller.user.map_or_else(String::new, |user| user.to_string());
    store.set("who", &now).await.unwrap_or_default();
    format!("{now} after {}", before.unwrap_or_default())
}

fn found<'h, 'p>(host: &'h Host, method: &str, path: &'p [&str]) -> FoundRoute<'h, 'p> {
    host.kernel().find_route("parrot", method, path)
}

#[test]
fn a_router_has_what_its_function_was_lent_and_knows_who_asks() {
    let host = Host::of::<Parrot>();
    let FoundRoute::Route(entry, _) = found(&host, "DELETE", &["perch", "who"]) else { panic!("a router has every method") };
    let caller = Caller::operator().as_user("ada");
    for expected in ["ada after ", "ada after ada"] {
        let (_held, answer) = host.run(host.kernel().router(entry, &caller)).expect("it is there");
        let mut router = Routes::of(answer).expect("a router");
        let mut request = Request::get("/who").body(Body::empty()).expect("a request");
        request.extensions_mut().insert(caller.clone());
        let answered = host.run(async move {
            let answered = router.call(request).await.expect("it cannot fail");
            axum::body::to_bytes(answered.into_body(), 100).await.expect("a text")
        });
        assert_eq!(answered, expected);
    }
}

#[test]
fn what_a_function_says_itself_is_preferred_to_a_router() {
    let host = Host::of::<Parrot>();
    let named = |method: &str, path: &[&str]| match found(&host, method, path) {
        FoundRoute::Route(entry, _) => entry.decl.name.to_owned(),
        other => format!("{other:?}"),
    };
    assert_eq!(named("GET", &["perch", "name"]), "name");
    assert_eq!(named("POST", &["perch", "name"]), "perch");
    assert_eq!(named("GET", &["perch"]), "perch");
    assert_eq!(named("GET", &["perches"]), "Nothing");
}

#[test]
fn a_router_of_a_disabled_plugin_is_not_there() {
    let host = Host::of::<Parrot>();
    host.run(host.kernel().disable("parrot")).expect("it runs");
    assert!(matches!(found(&host, "GET", &["perch"]), FoundRoute::Nothing));
}

#[test]
fn an_answer_with_bytes_is_no_router() {
    assert!(Routes::of(Answer::bytes("text/plain", vec![1])).is_none());
    assert_eq!(Registry::linked().expect("they fit together").routes().len(), 2);
}
