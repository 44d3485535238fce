//! The guard between callers and tools.

use nekro_core::{Caller, Origin, PluginId, Result, Role, prelude::*, testing::Host};
use nekro_plugin_guard::Guard;
use serde_json::{Value, json};

/// Files, as something to be guarded.
#[plugin(id = "files")]
pub struct Files;

/// Reads a file.
#[tool(read_only)]
fn read() -> &'static str {
    "read"
}

/// Writes a file.
#[tool]
fn write() -> &'static str {
    "written"
}

/// Deletes a file.
#[tool(destructive)]
fn delete() -> &'static str {
    "deleted"
}

fn host(config: Value) -> Host {
    Host::builder::<Guard>().with::<Files>().config(config).start()
}

/// Calls the tool as the model does for a user, and returns how it went.
fn ask_model(host: &mut Host, tool: &str) -> String {
    ask(host, tool, Caller::new(Origin::Model, Role::User))
}

fn ask(host: &mut Host, tool: &str, caller: Caller) -> String {
    host.act_as(caller.in_session("test"));
    told(host.call(tool, json!({})))
}

fn told(result: Result<nekro_core::Reply>) -> String {
    match result {
        Ok(reply) => reply.to_text(),
        Err(error) => format!("{}: {}", error.code(), error.message()),
    }
}

#[track_caller]
fn refused(config: Value, problem: &str) {
    let error = Host::builder::<Guard>().config(config).try_start().expect_err("a refusal");
    assert!(error.contains(problem), "{error}");
}

#[test]
fn by_default_a_person_is_asked_about_destructive_tools_only() {
    let mut host = host(json!({}));
    assert_eq!(ask_model(&mut host, "files.write"), "written");
    let no = "denied: `files.delete` was not called: `files.delete` may destroy something; the person said no";
    assert_eq!(ask_model(&mut host, "files.delete"), no);
    host.approve(true);
    assert_eq!(ask_model(&mut host, "files.delete"), "deleted");
}

#[test]
fn the_first_rule_that_fits_decides() {
    let mut host = host(json!({ "rules": [
        { "tools": "files.delete", "action": "allow" },
        { "tools": ["shell.*", "files.*"], "action": "deny", "reason": "hands off" },
    ] }));
    assert_eq!(ask_model(&mut host, "files.delete"), "deleted");
    assert_eq!(ask_model(&mut host, "files.read"), "denied: `files.read` was not called: hands off");
}

#[test]
fn what_no_rule_fits_is_judged_by_the_default() {
    let mut host = host(json!({ "default": "deny", "rules": [{ "tools": "*", "read_only": true, "action": "allow" }] }));
    assert_eq!(ask_model(&mut host, "files.read"), "read");
    let denied = |tool| format!("denied: `{tool}` was not called: no rule of the guard allows `{tool}`");
    assert_eq!(ask_model(&mut host, "files.write"), denied("files.write"));
    // Never more lenient than the default, also though `destructive` is `ask`.
    host.approve(true);
    assert_eq!(ask_model(&mut host, "files.delete"), denied("files.delete"));
}

#[test]
fn a_rule_can_be_for_roles_and_origins() {
    let mut host = host(json!({ "default": "deny", "rules": [
        { "tools": "files.write", "action": "allow", "roles": ["manager", "admin"] },
        { "tools": "files.read", "action": "allow", "origins": ["person", "plugin"] },
    ] }));
    let no = |tool| format!("denied: `{tool}` was not called: no rule of the guard allows `{tool}`");
    for (role, expected) in [(Role::Guest, no("files.write")), (Role::User, no("files.write")), (Role::Manager, "written".into())]
    {
        assert_eq!(ask(&mut host, "files.write", Caller::new(Origin::Model, role)), expected);
    }
    let plugin = Origin::Plugin(PluginId::from("cron"));
    for (origin, expected) in [(Origin::Person, "read".into()), (plugin, "read".into()), (Origin::Webhook, no("files.read"))] {
        assert_eq!(ask(&mut host, "files.read", Caller::new(origin, Role::Admin)), expected);
    }
}

#[test]
fn what_a_person_has_approved_needs_no_second_approval() {
    let mut host = host(json!({ "rules": [{ "tools": "*", "action": "ask" }] }));
    host.approve(true);
    assert_eq!(ask_model(&mut host, "files.write"), "written");
    assert_eq!(host.emitted::<ApprovalRequired>().len(), 1);
    assert_eq!(host.emitted::<ApprovalRequired>()[0].reason, "rule 1 of the guard says `ask`");
}

#[test]
fn an_approval_does_not_outweigh_a_rule_that_denies() {
    let host = host(json!({ "rules": [{ "tools": "files.*", "action": "deny" }] }));
    let question = |approved| {
        let event = json!({
            "call": "1", "tool": "files.read", "arguments": {}, "effect": {}, "approved": approved,
            "caller": { "origin": "model", "role": "admin" },
        });
        host.decide(serde_json::from_value::<ToolCall>(event).expect("an event")).verdict
    };
    assert_eq!(question(false), Approval::deny("rule 1 of the guard says `deny`"));
    assert_eq!(question(true), question(false));
}

#[test]
fn a_tool_may_not_be_called_with_an_approval_for_something_the_caller_made_up() {
    let mut host = host(json!({}));
    host.act_as(Caller::new(Origin::Model, Role::User));
    let result = host.call("files.delete", json!({ "approved": true }));
    assert_eq!(result.expect_err("no such argument").code(), "invalid_arguments");
}

#[test]
fn a_rule_that_could_protect_nothing_is_refused_when_it_is_read() {
    let rules = |rule: Value| json!({ "rules": [{ "tools": "*", "action": "ask" }, rule] });
    refused(
        rules(json!({ "tools": "Files.*", "action": "deny" })),
        "`rules[1].tools`: `Files.*`: expected a pattern of tool names",
    );
    refused(rules(json!({ "tools": [], "action": "deny" })), "`rules[1].tools`: the list is empty");
    refused(rules(json!({ "tools": 5, "action": "deny" })), "`rules[1].tools`: expected a pattern of tool names");
    refused(rules(json!({ "tools": "*", "action": "deny", "roles": [] })), "`rules[1].roles`: the list is empty");
    refused(rules(json!({ "tools": "*", "action": "deny", "origins": ["modle"] })), "unknown variant `modle`");
    refused(rules(json!({ "tools": "*", "action": "block" })), "unknown variant `block`");
    refused(rules(json!({ "tool": "*", "action": "deny" })), "`rules[1].tool`: unknown key: did you mean `tools`?");
    refused(rules(json!({ "tools": "*" })), "missing field `action`");
    refused(json!({ "defualt": "deny" }), "`defualt`: unknown key: did you mean `default`?");
}

#[test]
fn an_admin_can_see_which_rule_decides() {
    let mut host = host(json!({ "rules": [
        { "tools": "files.*", "action": "deny", "roles": ["guest"], "origins": ["model", "webhook"], "reason": "not for guests" },
        { "tools": ["a.*", "b.c"], "action": "allow", "destructive": false, "read_only": true },
    ] }));
    let say = |host: &Host, line: &str| told(host.command(line));
    assert_eq!(
        say(&host, "/guard"),
        "1. deny files.*, for guest, from model, webhook: not for guests\n\
         2. allow a.*, b.c, if not destructive, if read-only\n\
         else, if destructive: ask\n\
         else: allow"
    );
    for (line, expected) in [
        ("/guard files.read", "allow, by the key `default`: no rule fits"),
        ("/guard files.delete --destructive", "ask, by the key `destructive`: no rule fits"),
        ("/guard files.read --role guest", "deny, by rule 1: deny files.*, for guest, from model, webhook: not for guests"),
        ("/guard b.c --read-only", "allow, by rule 2: allow a.*, b.c, if not destructive, if read-only"),
    ] {
        assert_eq!(say(&host, line), expected, "{line}");
    }
    host.act_as(Caller::new(Origin::Person, Role::Manager));
    assert_eq!(say(&host, "/guard"), "forbidden: `/guard` is for the role `admin` and above");
}
