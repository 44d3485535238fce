//! What a policy says of routes.

use nekro_core::{
    Caller, Method, Origin, Result, Role,
    kernel::{FoundRoute, Given, RouteEntry},
    policy::Policy,
    testing::Host,
    web::Answer,
};
use nekro_plugin_board::BoardPlugin;
use serde_json::json;

fn host(policy: &str) -> Host {
    Host::builder::<BoardPlugin>().policy(Policy::parse(policy).unwrap_or_else(|error| panic!("{error}"))).start()
}

fn found<'h>(host: &'h Host, method: Method, path: &[&str]) -> &'h RouteEntry {
    match host.kernel().find_route("board", method.name(), path) {
        FoundRoute::Route(entry, _) => entry,
        other => panic!("{other:?}"),
    }
}

fn ask(host: &Host, method: Method, path: &[&str], role: Role) -> Result<Answer> {
    let body = json!({ "text": "milk" }).as_object().filter(|_| method == Method::Post).cloned().unwrap_or_default();
    let caller = Caller::new(Origin::HttpClient, role);
    host.run(host.kernel().route(found(host, method, path), Given::new(Vec::new(), [], body), &caller))
}

fn code(asked: Result<Answer>) -> String {
    asked.expect_err("it is not there").code().to_owned()
}

#[test]
fn a_route_that_the_policy_does_not_give_to_a_caller_looks_unknown() {
    let host =
        host("[[rules]]\nroutes = 'POST /p/board/*'\nrole = 'manager'\n[[rules]]\nroutes = '/p/board/events'\ndeny = true\n");
    assert_eq!(code(ask(&host, Method::Post, &["cards"], Role::User)), "unknown_route");
    ask(&host, Method::Post, &["cards"], Role::Manager).expect("it is for managers");
    ask(&host, Method::Get, &["cards"], Role::User).expect("nothing is said of looking");
    assert_eq!(code(ask(&host, Method::Get, &["events"], Role::Admin)), "unknown_route", "nobody may");
}

#[test]
fn what_is_not_there_for_a_caller_is_not_in_the_navigation() {
    let host = host("[[rules]]\nroutes = 'GET /p/board'\norigins = ['person']\n");
    let sees = |caller: &Caller, path: &[&str]| host.kernel().sees_route(found(&host, Method::Get, path), caller);
    let program = Caller::new(Origin::HttpClient, Role::Admin);
    assert_eq!((sees(&program, &[]), sees(&Caller::operator(), &[])), (false, true));
    assert!(sees(&program, &["summary"]) && !sees(&Caller::new(Origin::HttpClient, Role::Guest), &["summary"]));
}

#[test]
fn requests_are_counted_by_route_and_caller() {
    let host = host("[[rules]]\nname = 'calm'\nroutes = '/p/board/cards'\nrate = '2/1h'\n");
    for _ in 0..2 {
        ask(&host, Method::Get, &["cards"], Role::User).expect("it may be asked for twice");
    }
    let error = ask(&host, Method::Get, &["cards"], Role::User).expect_err("once too often");
    assert_eq!(error.code(), "rate_limited");
    assert!(
        error.message().contains("`GET /p/board/cards`") && error.hint().is_some_and(|hint| hint.contains("`calm`")),
        "{error:?}"
    );
    ask(&host, Method::Post, &["cards"], Role::User).expect("another route is counted by itself");
}

#[test]
fn a_rule_about_routes_that_cannot_be_meant_is_a_mistake() {
    for (rule, told) in [
        ("routes = 'cards'\ndeny = true", "`cards` is no route"),
        ("routes = ['post /p/board/*']\ndeny = true", "is no route"),
        ("routes = []\ndeny = true", "a route or a list of routes"),
        ("routes = '/p/board/*'\nask = true", "cannot be asked"),
        ("routes = '/p/board/*'\ndeny = false", "forbids nothing"),
        ("deny = true", "a rule is about something"),
    ] {
        let error = Policy::parse(&format!("[[rules]]\n{rule}\n")).expect_err("a mistake").to_string();
        assert!(error.contains(told), "{rule}: {error}");
    }
}
