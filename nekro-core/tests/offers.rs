//! Tools that a plugin offers while it runs go the way of linked ones.

use std::{sync::Arc, time::Duration};

use nekro_core::{
    BoxFuture, Effect, IntoReply, OfferedBody, OfferedTool, Offers, Reply,
    kernel::Limits,
    policy::Policy,
    prelude::*,
    testing::{Host, HostBuilder},
};
use serde_json::{Map, Value, json};

/// Has tools that nobody has linked.
#[plugin(id = "shelf")]
pub struct Shelf {
    /// What they are called.
    names: Vec<String>,
}

/// What is kept.
pub struct Kept(Offers);

struct Tool(String);

impl OfferedBody for Tool {
    fn check(&self, arguments: &Map<String, Value>) -> Result<()> {
        match arguments.get("wrong") {
            Some(_) => Err(Error::new("that is wrong").with_code("invalid_arguments")),
            None => Ok(()),
        }
    }

    fn call<'a>(
        &'a self,
        arguments: Map<String, Value>,
        caller: &'a Caller,
        progress: &'a Progress,
    ) -> BoxFuture<'a, Result<Reply>> {
        assert_ne!(self.0, "panics_at_once");
        progress.done_of(1, 2, &self.0);
        Box::pin(async move {
            assert_ne!(self.0, "panics");
            if self.0 == "hangs" {
                std::future::pending::<()>().await;
            }
            json!({ "name": self.0, "given": arguments, "role": caller.role.to_string() }).into_reply()
        })
    }
}

fn tool(name: &str) -> OfferedTool {
    let mut tool = OfferedTool::new(name, "Does something.", Arc::new(Tool(name.to_owned())));
    tool.effect = Effect::default();
    tool.arguments =
        json!({ "type": "object", "properties": { "a": { "type": "integer" }, "b": { "type": "string" } }, "required": ["b"] });
    tool
}

#[init]
fn offer(shelf: &Shelf, offers: &Offers) -> Result<Kept> {
    offers.set("first", shelf.names.iter().map(|name| tool(name)).collect())?;
    Ok(Kept(offers.clone()))
}

/// A linked tool, which offers others.
#[tool]
fn put(
    kept: &Kept,
    /// The group.
    group: &str,
    /// The names.
    names: Vec<String>,
) -> Result<()> {
    kept.0.set(group, names.iter().map(|name| tool(name)).collect())
}

fn host(names: &[&str]) -> HostBuilder {
    Host::builder::<Shelf>().config(json!({ "names": names }))
}

fn names(host: &Host, caller: &Caller) -> Vec<String> {
    host.kernel().tools(caller).map(|tool| tool.name().to_owned()).collect()
}

#[test]
fn a_tool_that_is_offered_is_listed_and_called() {
    let host = host(&["tea"]).start();
    assert_eq!(names(&host, &Caller::operator()), ["shelf.put", "shelf.tea"]);
    let value: Value = host.call_as("tea", json!({ "b": "x" })).expect("an answer");
    assert_eq!((&value["name"], &value["given"]), (&json!("tea"), &json!({ "b": "x" })));
    for (arguments, problem) in [("[]", "no JSON object"), ("{", "no JSON object"), (r#"{"wrong":1}"#, "that is wrong")] {
        let error = host.call_json("tea", arguments).expect_err("it is wrong");
        assert!(error.code() == "invalid_arguments" && error.message().contains(problem), "{error}");
    }
    assert_eq!(host.progress().iter().map(ToString::to_string).collect::<Vec<_>>(), ["1 of 2, tea"]);
    let (words, caller) = (["green", "--a", "2"].map(str::to_owned), Caller::operator());
    let by_words = host.kernel().call_words("shelf.tea", &words, &caller);
    let reply = host.run(by_words).expect("an answer");
    assert!(reply.json.contains(r#""given":{"a":2,"b":"green"}"#), "{}", reply.json);
}

#[test]
fn a_group_is_replaced_as_a_whole_and_others_stay() {
    let host = host(&["tea", "milk"]).start();
    host.call("put", json!({ "group": "second", "names": ["rice"] })).expect("done");
    host.call("put", json!({ "group": "first", "names": ["coffee"] })).expect("done");
    assert_eq!(names(&host, &Caller::operator()), ["shelf.put", "shelf.coffee", "shelf.rice"], "linked ones are listed first");
    assert_eq!(host.call("tea", json!({})).expect_err("it is gone").code(), "unknown_tool");
    assert_eq!(host.emitted::<OffersChanged>().len(), 3);
}

#[test]
fn a_name_that_is_none_or_taken_changes_nothing() {
    let host = host(&["tea"]).start();
    let long = "x".repeat(65);
    for (name, code) in [
        ("", "invalid_name"),
        ("a b", "invalid_name"),
        ("a..b", "invalid_name"),
        ("ä", "invalid_name"),
        (&*long, "invalid_name"),
        ("put", "name_taken"),
    ] {
        let error = host.call("put", json!({ "group": "first", "names": ["milk", name] })).expect_err("it is refused");
        assert_eq!(error.code(), code, "{name}");
    }
    assert_eq!(host.call("put", json!({ "group": "second", "names": ["tea"] })).expect_err("taken").code(), "name_taken");
    assert_eq!(host.call("put", json!({ "group": "second", "names": ["a", "a"] })).expect_err("twice").code(), "name_taken");
    assert_eq!(names(&host, &Caller::operator()), ["shelf.put", "shelf.tea"]);
}

#[test]
fn a_plugin_offers_no_more_than_allowed() {
    let mut limits = Limits::default();
    limits.offered_tools = 2;
    let host = host(&["tea"]).limits(limits).start();
    let error = host.call("put", json!({ "group": "second", "names": ["a", "b"] })).expect_err("too many");
    assert_eq!((error.code(), error.hint()), ("too_many", Some("the limit is `limits.offered_tools`")));
    host.call("put", json!({ "group": "second", "names": ["a"] })).expect("it fits");
}

#[test]
fn what_misbehaves_harms_nobody() {
    let mut limits = Limits::default();
    limits.call_deadline = Duration::from_secs(1);
    let host = host(&["hangs", "panics", "panics_at_once", "tea"]).limits(limits).start();
    for (tool, code) in [("hangs", "deadline"), ("panics", "panicked"), ("panics_at_once", "panicked")] {
        assert_eq!(host.call(tool, json!({ "b": "x" })).expect_err("it misbehaves").code(), code, "{tool}");
    }
    host.call("tea", json!({ "b": "x" })).expect("the others are well");
}

#[test]
fn the_policy_holds_also_for_what_is_offered_later() {
    let text = "[[rules]]\ntools = 'shelf.a*'\nrole = 'admin'\n[[rules]]\ntools = 'shelf.rare'\nrate = '1/1h'\n[[rules]]\ntools = 'shelf.asked'\nask = true";
    let host = host(&[]).policy(Policy::parse(text).expect("a policy")).start();
    host.call("put", json!({ "group": "second", "names": ["apple", "asked", "rare"] })).expect("done");
    let user = Caller::new(Origin::Model, Role::User);
    assert_eq!(names(&host, &user), ["shelf.put", "shelf.rare"]);
    let error = host.run(host.kernel().call("shelf.apple", "{}", &user)).expect_err("it is hidden");
    assert_eq!(error.code(), "unknown_tool");

    host.call("rare", json!({ "b": "x" })).expect("once");
    // Gone and back again, its rate goes on.
    host.call("put", json!({ "group": "second", "names": [] })).expect("done");
    host.call("put", json!({ "group": "second", "names": ["asked", "rare"] })).expect("done");
    assert_eq!(host.call("rare", json!({ "b": "x" })).expect_err("twice").code(), "rate_limited");

    host.approve(false);
    assert_eq!(host.call("asked", json!({ "b": "x" })).expect_err("nobody wants it").code(), "denied");
    host.approve(true);
    host.call("asked", json!({ "b": "x" })).expect("somebody wants it");
}

#[test]
fn the_manifest_says_that_tools_are_offered() {
    let host = host(&["tea"]).start();
    let manifest = host.kernel().registry().manifest();
    let plugin = manifest.plugin("shelf").expect("it is linked");
    assert!(plugin.capabilities.iter().any(|taken| taken.name == "offers"));
    assert!(plugin.tools.iter().all(|tool| tool.name != "shelf.tea"));
    let check = |rules: &str| Policy::parse(rules).expect("a policy").check(&manifest).len();
    assert_eq!(check("[[rules]]\ntools = 'shelf.anything.at_all'\nask = true"), 0, "a rule may be about what is not there yet");
    assert_eq!(check("[[rules]]\ntools = 'nobody.tea'\nask = true"), 1);
    assert_eq!(check("[default]\ndeny = ['offers']"), 1);
}
