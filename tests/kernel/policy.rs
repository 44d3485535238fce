//! Who may call what, how often and for how long: what the policy says is what the kernel does.

use std::{sync::Arc, time::Duration};

use nekro_core::{
    Caller, Error, MemoryStore, Origin, Ports, Role, StorePort,
    event::facts::{ToolCallStarted, ToolExecuted, ToolOutcome},
    kernel::{Declarations, Kernel, Registry},
    policy::Policy,
};
use nekro_fixture_alpha::{Act, events::Poke};
use serde_json::json;

use crate::world::{World, timed, told, world};

const ROLES: [Role; 4] = [Role::Guest, Role::User, Role::Manager, Role::Admin];

fn origins() -> [(&'static str, Origin); 8] {
    [
        ("model", Origin::Model),
        ("person", Origin::Person),
        ("schedule", Origin::Schedule),
        ("webhook", Origin::Webhook),
        ("mcp_client", Origin::McpClient),
        ("http_client", Origin::HttpClient),
        ("plugin", Origin::Plugin("beta".into())),
        ("host", Origin::Host),
    ]
}

/// A kernel in which nobody observes or guards tool calls.
async fn unwatched(policy: &str) -> Kernel {
    let mut declarations = Declarations::linked();
    declarations.handlers.clear();
    let ports = Ports::new().with::<dyn StorePort>(Arc::new(MemoryStore::default()));
    let registry = Registry::new(declarations).expect("it fits");
    let builder = Kernel::builder(registry).ports(ports).policy(Policy::parse(policy).expect("a policy"));
    builder.start().await.expect("it starts")
}

async fn refused(kernel: &Kernel, tool: &str, caller: &Caller) -> Error {
    kernel.call(tool, "{}", caller).await.expect_err("it is refused")
}

#[tokio::test(start_paused = true)]
async fn a_tool_and_a_command_are_there_for_exactly_those_roles_and_origins() {
    for (least, allowed) in [
        (None, vec!["model", "person"]),
        (None, vec!["plugin"]),
        (Some(Role::User), vec!["mcp_client"]),
        (Some(Role::Manager), vec!["webhook", "schedule", "person"]),
        (Some(Role::Admin), vec![]),
        (Some(Role::Guest), vec![]),
    ] {
        let mut rule = "[[rules]]\ntools = 'alpha.val*'\ncommands = 'd'\n".to_owned();
        if let Some(least) = least {
            rule += &format!("role = '{least}'\n");
        }
        if !allowed.is_empty() {
            rule += &format!("origins = {allowed:?}\n");
        }
        let (watched, unwatched) = (world().policy(&rule).start().await, unwatched(&rule).await);
        for (role, (name, origin)) in ROLES.into_iter().flat_map(|role| origins().map(|origin| (role, origin))) {
            let caller = Caller::new(origin, role);
            let there = least.is_none_or(|least| role >= least) && (allowed.is_empty() || allowed.contains(&name));
            for kernel in [&watched.kernel, &unwatched] {
                let listed = kernel.tools(&caller).any(|tool| tool.name() == "alpha.value");
                let called = kernel.call("alpha.value", "{}", &caller).await.map_err(|error| error.code().to_owned());
                let by_words = kernel.call_words("alpha.value", &[], &caller).await;
                let case = format!("{rule} {role} {name}");
                assert_eq!((listed, called.is_ok(), by_words.is_ok()), (there, there, there), "{case}");
                assert!(there || called.is_err_and(|code| code == "unknown_tool"), "what is hidden looks unknown: {case}");
                assert!(kernel.call("alpha.typed", r#"{"text":"a"}"#, &caller).await.is_ok(), "no rule is about it");

                // The command itself is for users and above.
                let for_command = there && role >= Role::User;
                assert_eq!(kernel.commands(&caller).any(|command| command.decl.name == "do"), for_command, "{case}");
                for alias in ["do", "d"] {
                    let told = kernel.command(alias, &[], &caller).await.map_err(|error| error.code().to_owned());
                    let expected = match (there, for_command) {
                        (true, true) => Ok(()),
                        (true, false) => Err("forbidden".to_owned()),
                        (false, _) => Err("unknown_command".to_owned()),
                    };
                    assert_eq!(told.map(drop), expected, "{case}");
                }
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_must_meet_every_rule_that_fits() {
    let policy = "[[rules]]\ntools = '*'\norigins = ['person', 'model']\n[[rules]]\ntools = 'alpha.*'\nrole = 'manager'\n\
                  [[rules]]\ntools = ['alpha.value', 'beta.act']\norigins = ['person', 'host']\nrole = 'user'\n";
    let world = world().policy(policy).start().await;
    let sees = |tool: &str, origin, role| {
        let caller = Caller::new(origin, role);
        world.kernel.tools(&caller).any(|one| one.name() == tool)
    };
    assert!(sees("alpha.value", Origin::Person, Role::Manager));
    assert!(!sees("alpha.value", Origin::Person, Role::User), "the stricter role counts");
    assert!(!sees("alpha.value", Origin::Model, Role::Admin), "each list has to have the origin");
    assert!(!sees("alpha.value", Origin::Host, Role::Admin));
    assert!(sees("alpha.show", Origin::Model, Role::Manager));
}

#[tokio::test(start_paused = true)]
async fn a_hint_does_not_give_a_hidden_tool_away() {
    let world = world().policy("[[rules]]\ntools = 'alpha.time_left'\nrole = 'admin'\n").start().await;
    let error = refused(&world.kernel, "alpha.time_lef", &Caller::new(Origin::Model, Role::User)).await;
    assert_eq!(error.hint(), None);
    let error = refused(&world.kernel, "alpha.time_lef", &Caller::operator()).await;
    assert_eq!(error.hint(), Some("did you mean `alpha.time_left`?"));
}

#[tokio::test(start_paused = true)]
async fn a_rate_lets_so_many_through_and_says_when_to_come_again() {
    let rule = "[[rules]]\nname = 'calm'\ntools = 'alpha.value'\ncommands = 'do'\nrate = '2/1m'\n";
    let (watched, unwatched) = (world().policy(rule).start().await, unwatched(rule).await);
    let caller = Caller::operator().as_user("ada");
    for kernel in [&watched.kernel, &unwatched] {
        for _ in 0..2 {
            kernel.call("alpha.value", "{}", &caller).await.expect("two may come at once");
        }
        let error = refused(kernel, "alpha.value", &caller).await;
        assert_eq!(error.code(), "rate_limited");
        assert_eq!(error.message(), "`alpha.value` may be called 2/1m by one caller: try again in 30s");
        assert_eq!(error.hint(), Some("the limit is the rule `calm` at nekro.policy.toml:1"));
        assert!(error.is_retryable());
        tokio::time::advance(Duration::from_millis(29_999)).await;
        assert!(refused(kernel, "alpha.value", &caller).await.message().ends_with("in 1ms"));
        tokio::time::advance(Duration::from_millis(1)).await;
        kernel.call("alpha.value", "{}", &caller).await.expect("it is time");
        refused(kernel, "alpha.value", &caller).await;

        for name in ["do", "d"] {
            kernel.command(name, &[], &caller).await.expect("an alias is the same command");
        }
        let error = kernel.command("do", &[], &caller).await.expect_err("that was two");
        assert_eq!((error.code(), error.message()), ("rate_limited", "`/do` may be called 2/1m by one caller: try again in 30s"));
    }
    let executed = watched.recorder.facts::<ToolExecuted>().into_iter();
    let outcomes: Vec<_> = executed.filter(|one| one.tool == "alpha.value").map(|one| one.outcome).collect();
    let (ok, denied) = (ToolOutcome::Ok, ToolOutcome::Denied);
    assert_eq!(outcomes, [ok, ok, denied, denied, ok, denied], "what is not let through is told too");
    let started = watched.recorder.facts::<ToolCallStarted>();
    assert_eq!(started.len(), 3, "and has not begun");
}

#[tokio::test(start_paused = true)]
async fn a_rate_counts_the_calls_of_a_turn_too() {
    let world = world().policy("[[rules]]\ntools = 'alpha.value'\nrate = '1/1m'\n").start().await;
    let caller = Caller::new(Origin::Model, Role::Admin);
    let call = async |id: &str| world.kernel.call_as(&id.into(), "alpha.value", "{}", &caller).await;
    assert_eq!(call("first").await.outcome, ToolOutcome::Ok);
    let second = call("second").await;
    assert_eq!((second.result.expect_err("that was one").code(), second.outcome), ("rate_limited", ToolOutcome::Denied));
    let last = world.recorder.facts::<ToolExecuted>().pop().expect("it is told");
    assert_eq!((last.call.as_str(), last.outcome), ("second", ToolOutcome::Denied));
}

#[tokio::test(start_paused = true)]
async fn each_caller_and_each_tool_is_counted_by_itself() {
    let world = world().policy("[[rules]]\ntools = 'alpha.*'\nrate = '1/1h'\n").start().await;
    let plugin = |id: &str| Caller::new(Origin::Plugin(id.into()), Role::Admin);
    let all = [
        Caller::operator().as_user("ada"),
        Caller::operator().as_user("bob"),
        // Not the person of that name.
        Caller::operator().in_session("ada"),
        Caller::operator(),
        Caller::new(Origin::Model, Role::Admin),
        plugin("beta"),
        plugin("gamma"),
    ];
    for caller in &all {
        for tool in ["alpha.value", "alpha.show"] {
            world.kernel.call(tool, "{}", caller).await.unwrap_or_else(|error| panic!("{tool} {caller:?}: {error}"));
        }
    }
    for caller in &all {
        assert_eq!(refused(&world.kernel, "alpha.value", caller).await.code(), "rate_limited", "{caller:?}");
    }
    let elsewhere = Caller::new(Origin::Model, Role::User).as_user("ada").in_session("another");
    assert_eq!(refused(&world.kernel, "alpha.value", &elsewhere).await.code(), "rate_limited", "a person is the same everywhere");
}

#[tokio::test(start_paused = true)]
async fn of_two_rates_the_one_that_refuses_costs_the_other_nothing() {
    let rules = "[[rules]]\ntools = 'alpha.value'\nrate = '3/1h'\n[[rules]]\ntools = 'alpha.value'\nrate = '1/1s'\n";
    let world = world().policy(rules).start().await;
    for _ in 0..3 {
        assert!(world.call("alpha.value", json!({})).await.is_ok());
        for _ in 0..5 {
            let error = world.call("alpha.value", json!({})).await.expect_err("one in a second");
            assert!(error.hint().is_some_and(|hint| hint.ends_with(":1") || hint.ends_with(":4")), "{error:?}");
        }
        tokio::time::advance(Duration::from_secs(1)).await;
    }
    let error = world.call("alpha.value", json!({})).await.expect_err("three in an hour");
    assert_eq!(error.hint(), Some("the limit is the rule at nekro.policy.toml:1"));
}

#[tokio::test(start_paused = true)]
async fn there_is_a_limit_to_how_many_callers_are_told_apart() {
    let setup = world().policy("[[rules]]\ntools = 'alpha.value'\nrate = '1/1m'\n");
    let world = setup.limits(|limits| limits.rate_callers = 2).start().await;
    let call = async |user: &str| world.kernel.call("alpha.value", "{}", &Caller::operator().as_user(user)).await;
    assert!(call("ada").await.is_ok() && call("bob").await.is_ok());
    let error = call("eve").await.expect_err("there are two already");
    assert_eq!(error.code(), "rate_limited");
    assert!(error.hint().is_some_and(|hint| hint.contains("`limits.rate_callers`")), "{error:?}");
    tokio::time::advance(Duration::from_secs(60)).await;
    assert!(call("eve").await.is_ok(), "the others have not called lately");
}

#[tokio::test(start_paused = true)]
async fn no_more_calls_of_a_plugin_run_at_once() {
    let policy = "[plugins.alpha.limits]\ncalls_at_once = 2\n";
    for watched in [true, false] {
        let world = world().policy(policy).start().await;
        let kernel = if watched { world.kernel.clone() } else { unwatched(policy).await };
        let wait = || {
            let kernel = kernel.clone();
            let call = async move { kernel.call("alpha.act", r#"{"act":{"wait":1000}}"#, &Caller::operator()).await };
            tokio::spawn(call)
        };
        let calls = [wait(), wait()];
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        let error = refused(&kernel, "alpha.value", &Caller::operator()).await;
        assert_eq!((error.code(), error.is_retryable()), ("busy", true));
        assert_eq!(error.message(), "2 calls of the plugin `alpha` are running, and there may be no more");
        assert_eq!(error.hint(), Some("the limit is `calls_at_once` at nekro.policy.toml:2"));
        let error = kernel.command("do", &[], &Caller::operator()).await.expect_err("commands are calls, too");
        assert_eq!(error.code(), "busy");
        kernel.call("beta.act", "{}", &Caller::operator()).await.expect("another plugin has nothing to do with it");
        calls[0].abort();
        for call in calls {
            let _ = call.await;
        }
        for _ in 0..5 {
            kernel.call("alpha.value", "{}", &Caller::operator()).await.expect("a call that ended, or was cancelled, has left");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_that_fails_or_panics_gives_its_place_back() {
    let world = world().policy("[plugins.alpha.limits]\ncalls_at_once = 1\n").start().await;
    for act in ["fail", "panic", "hang", "fail", "return"] {
        let told = told(world.call("alpha.act", json!({ "act": act })).await);
        assert!(!told.starts_with("busy"), "{act}: {told}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_policy_shortens_deadlines_and_never_lengthens_them() {
    let policy = "[default.limits]\ncall_deadline = '5s'\n[plugins.beta.limits]\ncall_deadline = '2h'\n";
    for watched in [true, false] {
        let world = world().policy(policy).start().await;
        let kernel = if watched { world.kernel.clone() } else { unwatched(policy).await };
        for (tool, seconds, hint) in [
            ("alpha.act", 5, "the limit is `call_deadline` at nekro.policy.toml:2"),
            ("alpha.brief", 1, "the limit is the function's own `deadline`, or `limits.call_deadline`"),
            ("beta.act", 60, "the limit is the function's own `deadline`, or `limits.call_deadline`"),
        ] {
            let (result, took) = timed(kernel.call(tool, r#"{"act":"hang"}"#, &Caller::operator())).await;
            let error = result.expect_err("it hangs");
            assert_eq!((error.code(), took.as_secs(), error.hint()), ("deadline", seconds, Some(hint)), "{tool}");
        }
        let left = kernel.call("alpha.time_left", "{}", &Caller::operator()).await.expect("an answer");
        assert_eq!(left.json, "5", "the tool is told how long it has");
    }
}

#[tokio::test(start_paused = true)]
async fn a_mailbox_has_the_smaller_of_two_limits() {
    let policy = "[plugins.alpha.limits]\nmailbox = 2\nconcurrency = 1\n[plugins.beta.limits]\nmailbox = 100000\n";
    let world = world().policy(policy).limits(|limits| limits.mailbox = 5).start().await;
    for label in 0..8 {
        world.kernel.emit(Poke::new(label.to_string()));
    }
    let dropped: Vec<_> = world.kernel.status().into_iter().map(|status| (status.id, status.dropped)).collect();
    assert_eq!(dropped, [("alpha", 6), ("beta", 3)]);
    world.kernel.idle().await;
    // One fact of alpha's at a time, though they are of several sessions.
    let pokes = |session: &str| Poke::new("slow").on(session).tell("alpha", Act::Wait(1_000));
    let ((), took) = timed(async {
        world.kernel.emit(pokes("one"));
        world.emit(pokes("two")).await;
    })
    .await;
    assert_eq!(took, Duration::from_secs(2));
}

#[tokio::test(start_paused = true)]
async fn a_person_is_asked_and_no_guard_can_wave_it_through() {
    const RULE: &str = "[[rules]]\nname = 'look first'\ntools = 'alpha.value'\nask = true\n";
    let call = async |world: &World| told(world.call("alpha.value", json!({})).await);
    let world = world().policy(RULE).start().await;
    assert_eq!(
        call(&world).await,
        "denied: `alpha.value` was not called: the rule `look first` at nekro.policy.toml:1 asks a person; the person said no"
    );
    world.approver.answer(true);
    assert_eq!(call(&world).await, "7");
    assert_eq!(told(world.call("alpha.show", json!({})).await), "[7]", "no rule is about it");
    let guarded = crate::world::world().policy(RULE).alpha(json!({ "guard": "deny" })).start().await;
    guarded.approver.answer(true);
    assert_eq!(call(&guarded).await, "denied: `alpha.value` was not called: alpha guard says no", "a guard is stricter");
    let alone = unwatched(RULE).await;
    let error = refused(&alone, "alpha.value", &Caller::operator()).await;
    assert!(error.message().ends_with("a person has to approve it, and nobody is there to ask"), "{error}");
}
