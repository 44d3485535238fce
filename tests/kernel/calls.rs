//! Calling tools and commands: what a caller sees, what guards and people have to say, and what misbehaving tools may not do.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use expect_test::{Expect, expect};
use nekro_core::{
    BoxFuture, Caller, Effect, Error, Image, IntoReply, Kind, Origin, Part, Role,
    event::facts::{ApprovalRequired, ApprovalResolved, ToolCallStarted, ToolExecuted, ToolOutcome},
    kernel::{ApprovalPort, ApprovalRequest, Declarations, Kernel, OwnCall, Registry},
};
use nekro_fixture_alpha::Typed;
use serde_json::{Value, json};

use crate::world::{World, timed, told, world};

#[track_caller]
fn check(tool: &str, arguments: &str, expected: Expect) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().expect("a runtime");
    let told = runtime.block_on(async {
        let world = world().start().await;
        // Watched or not, the answer is the same.
        let watched = told(world.kernel.call(tool, arguments, &world.caller).await);
        let unwatched = told(unwatched().await.call(tool, arguments, &world.caller).await);
        assert_eq!(watched, unwatched);
        watched
    });
    expected.assert_eq(&told);
}

/// A kernel in which nobody observes or guards tool calls.
async fn unwatched() -> Kernel {
    let mut declarations = Declarations::linked();
    declarations.handlers.clear();
    let ports = nekro_core::Ports::new().with::<dyn nekro_core::StorePort>(Arc::new(nekro_core::MemoryStore::default()));
    Kernel::builder(Registry::new(declarations).expect("it fits")).ports(ports).start().await.expect("it starts")
}

#[test]
fn arguments_have_defaults_options_enumerations_and_parts() {
    check("alpha.typed", r#"{"text":"a"}"#, expect![[r#"{"text":"a","count":3,"label":null,"style":"as-is","stops":[]}"#]]);
    check(
        "alpha.typed",
        r#"{"stops":[{"name":"b","days":2},{"name":"c"}],"look":"all-caps","label":"l","count":9,"text":"é\n"}"#,
        expect![[
            r#"{"text":"é\n","count":9,"label":"l","style":"all-caps","stops":[{"name":"b","days":2},{"name":"c","days":null}]}"#
        ]],
    );
    check("alpha.value", "", expect!["7"]);
}

#[test]
fn every_mistake_in_the_arguments_is_told_at_once() {
    check(
        "alpha.typed",
        r#"{"count":10,"labl":"l","look":"AllCaps","stops":[{"name":"b"},{"nmae":"c"}],"zzzzzz":1}"#,
        expect![
            "invalid_arguments: `count`: expected a number from 1 to 9, but 10 came; there is no argument `labl`: did you mean `label`?; `look`: unknown variant `AllCaps`, expected `as-is` or `all-caps`; `stops[1].nmae`: unknown field `nmae`, expected `name` or `days`; there is no argument `zzzzzz`: there are `text`, `count`, `label`, `look`, `stops`; `text` is missing"
        ],
    );
    check("alpha.value", r#"{"x":1}"#, expect!["invalid_arguments: there is no argument `x`: this takes none"]);
    check("alpha.typed", "[]", expect!["invalid_arguments: expected the arguments as a JSON object, but `[]` came"]);
}

#[test]
fn a_tool_that_fails_panics_or_hangs_fails_by_itself() {
    check("alpha.act", r#"{"act":"fail"}"#, expect!["failed: alpha act failed as told"]);
    check("alpha.act", r#"{"act":"panic"}"#, expect!["panicked: `alpha.act` panicked: alpha act panicked as told"]);
    check("alpha.act_now", r#"{"act":"panic"}"#, expect!["panicked: `alpha.act_now` panicked: alpha act_now panicked as told"]);
    check("alpha.act_now", r#"{"act":"panic_twice"}"#, expect!["panicked: `alpha.act_now` panicked: no message"]);
    check("alpha.act", r#"{"act":"hang"}"#, expect!["deadline: `alpha.act` took longer than its deadline of 60s"]);
    check("alpha.brief", r#"{"act":"hang"}"#, expect!["deadline: `alpha.brief` took longer than its deadline of 1s"]);
    check("alpha.brief", r#"{"act":"cling"}"#, expect!["deadline: `alpha.brief` took longer than its deadline of 1s"]);
    check("alpha.brief", r#"{"act":{"wait":900}}"#, expect![[r#""done""#]]);
    check("alpha.time_left", "{}", expect!["60"]);
}

#[tokio::test(start_paused = true)]
async fn a_tool_that_is_always_busy_has_its_deadline_too() {
    let world = world().start().await;
    let (kernel, caller) = (world.kernel.clone(), world.caller.clone());
    let call = tokio::spawn(async move { kernel.call("alpha.act", r#"{"act":"spin"}"#, &caller).await });
    world.until("alpha guard alpha.act {\"act\":\"spin\"} approved=false").await;
    tokio::task::yield_now().await;
    tokio::time::advance(world.kernel.limits().call_deadline + Duration::from_millis(1)).await;
    assert_eq!(told(call.await.expect("it did not panic")), "deadline: `alpha.act` took longer than its deadline of 60s");
}

#[tokio::test(start_paused = true)]
async fn a_deadline_is_worth_another_try_and_names_its_limit() {
    let world = world().start().await;
    let error = world.call("alpha.act", json!({ "act": "hang" })).await.expect_err("it hangs");
    assert!(error.is_retryable());
    assert_eq!(error.hint(), Some("the limit is the function's own `deadline`, or `limits.call_deadline`"));
    assert!(!world.call("alpha.act", json!({ "act": "panic" })).await.expect_err("it panics").is_retryable());
}

#[tokio::test(start_paused = true)]
async fn the_return_type_says_what_happens_next() {
    let world = world().start().await;
    let reply = async |tool: &str| world.call(tool, json!({})).await.expect("an answer");
    let value = reply("alpha.value").await;
    assert_eq!((value.kind, value.json.as_str(), value.note), (Kind::Value, "7", None));
    let note = reply("alpha.note").await;
    assert_eq!((note.kind, note.json.as_str(), note.note.as_deref()), (Kind::Note, "7", Some("seven it was")));
    let show = reply("alpha.show").await;
    assert_eq!((show.kind, show.json.as_str()), (Kind::Show, "[7]"));
    let content = reply("alpha.content").await;
    assert_eq!((content.kind, content.json.as_str()), (Kind::Content, "null"));
    let image = Image { media_type: "image/png".to_owned(), bytes: vec![7; 7] };
    assert_eq!(content.content, [Part::Text("seven".to_owned()), Part::Image(image)]);
}

#[tokio::test(start_paused = true)]
async fn a_hidden_tool_looks_unknown_and_what_is_listed_can_be_called() {
    let world = world().start().await;
    for (session, visible) in [("den", true), ("elsewhere", false), ("abyss", false)] {
        let caller = Caller::operator().in_session(session);
        let listed = world.kernel.tools(&caller).any(|tool| tool.name() == "alpha.hidden");
        let called = world.kernel.call("alpha.hidden", "{}", &caller).await;
        let by_words = world.kernel.call_words("alpha.hidden", &[], &caller).await;
        assert_eq!((listed, called.is_ok(), by_words.is_ok()), (visible, visible, visible), "{session}");
        if let Err(error) = called {
            assert_eq!((error.code(), error.hint()), ("unknown_tool", None));
        }
        let misspelt = world.kernel.call("alpha.hiden", "{}", &caller).await.expect_err("no such tool");
        assert_eq!(misspelt.hint(), visible.then_some("did you mean `alpha.hidden`?"), "a hint does not give it away");
    }
    world.kernel.halt();
    assert_eq!((world.kernel.tools(&world.caller).count(), world.kernel.commands(&world.caller).count()), (0, 0));
    assert_eq!(told(world.call("alpha.value", json!({})).await), "unknown_tool: there is no tool `alpha.value`");
    assert_eq!(told(world.kernel.command("do", &[], &world.caller).await), "unknown_command: there is no command `/do`");
}

#[tokio::test(start_paused = true)]
async fn commands_have_roles_aliases_and_words() {
    let world = world().start().await;
    let command = async |line: &str, caller: &Caller| {
        let mut words = line.split_whitespace().map(str::to_owned);
        let name = words.next().expect("a name");
        told(world.kernel.command(&name, &words.collect::<Vec<_>>(), caller).await)
    };
    let user = Caller::new(Origin::Person, Role::User);
    assert_eq!(command("d", &user).await, r#""done""#);
    assert_eq!(command("do --act fail", &user).await, "failed: alpha command failed as told");
    assert_eq!(command("do panic", &user).await, "panicked: `/do` panicked: alpha command panicked as told");
    assert_eq!(command("do hang", &user).await, "deadline: `/do` took longer than its deadline of 60s");
    assert_eq!(command("secretly", &user).await, "forbidden: `/secretly` is for the role `admin` and above");
    assert_eq!(command("secretly", &world.caller).await, r#""done""#);
    let hint = world.kernel.command("secretyl", &[], &user).await.expect_err("no such command");
    assert_eq!(hint.hint(), None, "what a caller may not use is not suggested");
    assert!(world.kernel.commands(&user).all(|command| command.decl.name != "secretly"));
}

#[tokio::test(start_paused = true)]
async fn an_answer_has_the_form_that_its_type_says() {
    let world = world().start().await;
    let reply = world.kernel.call_words("alpha.typed", &["--count".into(), "4".into(), "a b".into()], &world.caller).await;
    let typed: Typed = serde_json::from_str(&reply.expect("an answer").json).expect("its type");
    assert_eq!((typed.text.as_str(), typed.count), ("a b", 4));
}

/// What was emitted about calls, one line each.
fn story(world: &World) -> String {
    world
        .recorder
        .names()
        .iter()
        .filter(|name| ["tool_call_started", "tool_executed", "approval_required", "approval_resolved"].contains(&name.as_str()))
        .map(|name| format!("{name}\n"))
        .collect()
}

#[tokio::test(start_paused = true)]
async fn a_call_is_told_of_with_its_ids_from_the_question_to_its_end() {
    let world = world().alpha(json!({ "guard": "ask" })).start().await;
    world.approver.answer(true);
    let caller = world.caller.clone().in_turn("turn");
    let arguments = r#"{"text":"a"}"#;
    world.kernel.call("alpha.typed", arguments, &caller).await.expect("it was approved");
    expect![[r#"
        approval_required
        approval_resolved
        tool_call_started
        tool_executed
    "#]]
    .assert_eq(&story(&world));
    let started = world.recorder.facts::<ToolCallStarted>().remove(0);
    let executed = world.recorder.facts::<ToolExecuted>().remove(0);
    let required = world.recorder.facts::<ApprovalRequired>().remove(0);
    let resolved = world.recorder.facts::<ApprovalResolved>().remove(0);
    let call = started.call.clone();
    assert!([&executed.call, &required.call, &resolved.call].into_iter().all(|id| *id == call));
    for (session, turn) in [
        (&started.session, &started.turn),
        (&executed.session, &executed.turn),
        (&required.session, &required.turn),
        (&resolved.session, &resolved.turn),
    ] {
        assert_eq!((session, turn), (&caller.session, &caller.turn));
    }
    assert_eq!((started.tool.as_str(), &started.arguments), ("alpha.typed", &json!({ "text": "a" })));
    assert_eq!((required.reason.as_str(), required.arguments), ("alpha guard is not sure", json!({ "text": "a" })));
    assert_eq!((resolved.approved, resolved.by), (true, caller.user.clone()));
    assert_eq!(executed.outcome, ToolOutcome::Ok);
    // Both guards were asked twice, with the very same arguments; the second time they know that a person has approved.
    let asked = |guard: &str, approved| format!("{guard} guard alpha.typed {arguments} approved={approved}");
    let notes: Vec<_> = world.notes().into_iter().filter(|note| note.contains("guard")).collect();
    assert_eq!(notes, [asked("alpha", false), asked("beta", false), asked("alpha", true), asked("beta", true)]);
    let another = world.call("alpha.value", json!({})).await;
    assert!(another.is_ok() && world.recorder.facts::<ToolExecuted>()[1].call != call);
}

/// Calls a function of the host's own.
async fn call_own(world: &World, body: BoxFuture<'_, nekro_core::Result<nekro_core::Reply>>) -> (String, ToolOutcome) {
    let (id, arguments) = ("own-1".into(), json!({ "path": "a" }));
    let caller = &world.caller;
    let call = OwnCall { id: &id, function: "files.write", arguments: &arguments, effect: Effect::default(), caller };
    let called = world.kernel.call_own(call, body).await;
    (told(called.result), called.outcome)
}

#[tokio::test(start_paused = true)]
async fn a_function_of_the_host_is_guarded_approved_and_told_of_as_a_tool_is() {
    let body = || Box::pin(std::future::ready("done".into_reply())) as BoxFuture<'_, _>;
    for (guard, gate, yes, expected, outcome) in [
        ("allow", "allow", true, "\"done\"", ToolOutcome::Ok),
        ("ask", "allow", true, "\"done\"", ToolOutcome::Ok),
        (
            "ask",
            "allow",
            false,
            "denied: `files.write` was not called: alpha guard is not sure; the person said no",
            ToolOutcome::Denied,
        ),
        ("deny", "allow", true, "denied: `files.write` was not called: alpha guard says no", ToolOutcome::Denied),
        ("allow", "deny", true, "withheld: the answer of `files.write` is withheld: alpha gate says no", ToolOutcome::Failed),
    ] {
        let world = world().alpha(json!({ "guard": guard, "gate": gate })).start().await;
        world.approver.answer(yes);
        assert_eq!(call_own(&world, body()).await, (expected.to_owned(), outcome), "{guard} {gate}");
        let executed = world.recorder.facts::<ToolExecuted>().remove(0);
        assert_eq!((executed.tool.as_str(), executed.call.as_str(), executed.outcome), ("files.write", "own-1", outcome));
        let started = world.recorder.facts::<ToolCallStarted>();
        assert_eq!(started.is_empty(), outcome == ToolOutcome::Denied);
        assert!(started.iter().all(|fact| fact.arguments == json!({ "path": "a" })));
    }
}

#[tokio::test(start_paused = true)]
async fn a_function_of_the_host_fails_panics_or_hangs_by_itself() {
    let world = world().start().await;
    let bodies: [(BoxFuture<'_, _>, &str); 3] = [
        (Box::pin(async { Err(Error::new("no such file").with_code("not_found")) }), "not_found: no such file"),
        (Box::pin(async { panic!("as the test wants") }), "panicked: `files.write` panicked: as the test wants"),
        (Box::pin(std::future::pending()), "deadline: `files.write` took longer than its deadline of 60s"),
    ];
    for (body, expected) in bodies {
        assert_eq!(call_own(&world, body).await, (expected.to_owned(), ToolOutcome::Failed));
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_denied_is_not_called() {
    let refused = "alpha.act` was not called: ";
    for (alpha, beta, person, reason) in [
        (json!("deny"), json!("allow"), true, "alpha guard says no"),
        (json!("ask"), json!("deny"), true, "beta guard says no"),
        (json!("ask"), json!("allow"), false, "alpha guard is not sure; the person said no"),
        (json!("ask_then_deny"), json!("allow"), true, "alpha guard changed its mind"),
        (
            json!({ "do": "fail" }),
            json!("allow"),
            true,
            "the guard `guard` of the plugin `alpha` failed: alpha guard failed as told",
        ),
        (
            json!({ "do": "hang" }),
            json!("allow"),
            true,
            "the guard `guard` of the plugin `alpha` failed: it took longer than its deadline of 5s",
        ),
    ] {
        let world = world().alpha(json!({ "guard": alpha })).beta(json!({ "guard": beta })).start().await;
        world.approver.answer(person);
        let told = told(world.call("alpha.act", json!({ "act": { "wait": 1 } })).await);
        assert_eq!(told, format!("denied: `{refused}{reason}"));
        assert!(!world.all_notes().contains(&"alpha act waited".to_owned()));
        assert_eq!(world.recorder.facts::<ToolCallStarted>(), []);
        assert_eq!(world.recorder.facts::<ToolExecuted>()[0].outcome, ToolOutcome::Denied);
    }
}

#[tokio::test(start_paused = true)]
async fn a_tool_that_pretends_it_was_denied_is_recorded_as_what_it_is() {
    let world = world().start().await;
    assert_eq!(told(world.call("alpha.act", json!({ "act": "pretend_denied" })).await), "denied: alpha act was denied, it says");
    assert_eq!(world.recorder.facts::<ToolExecuted>()[0].outcome, ToolOutcome::Failed);
}

/// A person who answers late, or never, and remembers what was asked.
#[derive(Default)]
struct Person {
    after: Option<Duration>,
    asked: Mutex<Vec<String>>,
    count: AtomicUsize,
}

impl ApprovalPort for Person {
    fn ask<'a>(&'a self, request: &'a ApprovalRequest<'a>) -> BoxFuture<'a, bool> {
        self.count.fetch_add(1, Ordering::Relaxed);
        self.asked.lock().expect("nobody panics").push(format!("{} {} {}", request.tool, request.arguments, request.reason));
        Box::pin(async move {
            match self.after {
                Some(after) => tokio::time::sleep(after).await,
                None => std::future::pending().await,
            }
            true
        })
    }
}

#[tokio::test(start_paused = true)]
async fn a_person_who_is_too_slow_has_not_approved() {
    let world = world().alpha(json!({ "guard": "ask" })).with_port::<dyn ApprovalPort>(Arc::new(Person::default())).start().await;
    let (told, took) = timed(async { told(world.call("alpha.value", json!({})).await) }).await;
    expect![
        "denied: `alpha.value` was not called: alpha guard is not sure; nobody answered within 120s (`limits.approval_deadline`)"
    ]
    .assert_eq(&told);
    assert_eq!(took, world.kernel.limits().approval_deadline);
    let resolved = world.recorder.facts::<ApprovalResolved>().remove(0);
    assert_eq!((resolved.approved, resolved.by), (false, None));
}

#[tokio::test(start_paused = true)]
async fn where_nobody_is_there_to_ask_the_call_is_denied() {
    let ports = nekro_core::Ports::new().with::<dyn nekro_core::StorePort>(Arc::new(nekro_core::MemoryStore::default()));
    let world = world().ports(ports).alpha(json!({ "guard": "ask" })).start().await;
    expect![
        "denied: `alpha.value` was not called: alpha guard is not sure; a person has to approve it, and nobody is there to ask"
    ]
    .assert_eq(&told(world.call("alpha.value", json!({})).await));
}

#[tokio::test(start_paused = true)]
async fn wrong_arguments_never_reach_a_guard_or_a_person() {
    let person = Arc::new(Person::default());
    let world = world().alpha(json!({ "guard": "ask" })).with_port::<dyn ApprovalPort>(Arc::clone(&person) as _).start().await;
    world.notes();
    for arguments in [json!({}), json!({ "text": "a", "count": 0 }), json!({ "text": "a", "x": 1 })] {
        assert_eq!(world.call("alpha.typed", arguments).await.expect_err("wrong arguments").code(), "invalid_arguments");
    }
    assert_eq!((world.notes(), person.count.load(Ordering::Relaxed)), (Vec::new(), 0));
}

#[tokio::test(start_paused = true)]
async fn a_plugin_can_be_disabled_while_a_person_thinks_and_is_then_not_called() {
    let person = Arc::new(Person { after: Some(Duration::from_secs(60)), ..Person::default() });
    let world = world().beta(json!({ "guard": "ask" })).with_port::<dyn ApprovalPort>(person).start().await;
    let call = world.begin("beta.act", json!({}), "beta guard beta.act {} approved=false").await;
    tokio::task::yield_now().await;
    let ((), took) = timed(async { world.kernel.disable("beta").await.expect("nobody requires it") }).await;
    assert_eq!(took, Duration::ZERO);
    assert_eq!(told(call.await.expect("it did not panic")), "unknown_tool: there is no tool `beta.act`");
    assert_eq!(world.recorder.facts::<ToolCallStarted>(), []);
    assert_eq!(world.recorder.facts::<ToolExecuted>()[0].outcome, ToolOutcome::Failed);
}

#[tokio::test(start_paused = true)]
async fn a_gate_lets_pass_replaces_or_withholds_an_answer() {
    let ask = async |alpha: Value, beta: Value, tool: &str| {
        let world = world().alpha(json!({ "gate": alpha })).beta(json!({ "gate": beta })).start().await;
        let reply = world.call(tool, json!({})).await;
        (told(reply.clone_or_error()), reply.ok(), world.all_notes())
    };
    let (told, _, notes) = ask(json!("allow"), json!("allow"), "alpha.value").await;
    assert!(told == "7" && notes.contains(&"alpha gate 7".to_owned()));
    let (told, _, notes) = ask(json!({ "replace": "x" }), json!("allow"), "alpha.value").await;
    assert!(told == r#""x""# && notes.contains(&r#"beta gate "x""#.to_owned()), "the next gate sees the other form: {notes:?}");
    let (_, reply, _) = ask(json!({ "replace": "x" }), json!("allow"), "alpha.content").await;
    let reply = reply.expect("an answer");
    assert_eq!(
        (reply.kind, reply.json.as_str(), reply.content),
        (Kind::Show, r#""x""#, Vec::new()),
        "the images went with the value"
    );
    let (_, reply, notes) = ask(json!({ "replace": "x" }), json!("allow"), "alpha.note").await;
    assert!(notes.contains(&"alpha gate sees seven it was".to_owned()), "{notes:?}");
    let reply = reply.expect("an answer");
    assert_eq!((reply.kind, reply.note), (Kind::Value, None), "and so did the note");
    let (_, _, notes) = ask(json!("allow"), json!("allow"), "alpha.content").await;
    assert!(notes.contains(&"alpha gate sees [image/png, 7 bytes]".to_owned()), "{notes:?}");
    for (alpha, beta, expected) in [
        (json!("deny"), json!({ "replace": "x" }), "withheld: the answer of `alpha.value` is withheld: alpha gate says no"),
        (
            json!({ "do": "panic" }),
            json!("allow"),
            "withheld: the answer of `alpha.value` is withheld: the guard `gate` of the plugin `alpha` failed: it panicked: alpha gate panicked as told",
        ),
        (
            json!({ "do": "hang" }),
            json!("allow"),
            "withheld: the answer of `alpha.value` is withheld: the guard `gate` of the plugin `alpha` failed: it took longer than its deadline of 5s",
        ),
    ] {
        assert_eq!(ask(alpha, beta, "alpha.value").await.0, expected);
    }
}

trait CloneOrError {
    fn clone_or_error(&self) -> Result<nekro_core::Reply, nekro_core::Error>;
}

impl CloneOrError for Result<nekro_core::Reply, nekro_core::Error> {
    fn clone_or_error(&self) -> Self {
        match self {
            Ok(reply) => Ok(reply.clone()),
            Err(error) => Err(nekro_core::Error::new(error.message()).with_code(error.code().to_owned())),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_cancelled_is_over_and_the_kernel_goes_on() {
    let world = world().alpha(json!({ "tag": "cancelled" })).start().await;
    for act in ["hang", "cling"] {
        let cancelled = tokio::time::timeout(Duration::from_secs(1), world.call("alpha.peek", json!({ "act": act }))).await;
        cancelled.expect_err("it hangs");
    }
    let outcomes: Vec<_> = world.recorder.facts::<ToolExecuted>().into_iter().map(|executed| executed.outcome).collect();
    assert_eq!(outcomes, [ToolOutcome::Failed; 2], "who saw it start sees it end");
    assert_eq!(told(world.call("alpha.value", json!({})).await), "7");
    let ((), took) = timed(world.kernel.stop()).await;
    assert_eq!((took, nekro_fixture_alpha::life("cancelled")), (Duration::ZERO, 0), "nothing was left behind");
}

#[tokio::test(start_paused = true)]
async fn a_question_is_taken_back_when_its_call_is_cancelled() {
    let world = world().alpha(json!({ "guard": "ask" })).with_port::<dyn ApprovalPort>(Arc::new(Person::default())).start().await;
    tokio::time::timeout(Duration::from_secs(1), world.call("alpha.value", json!({}))).await.expect_err("the person thinks");
    expect![[r#"
        approval_required
        approval_resolved
        tool_executed
    "#]]
    .assert_eq(&story(&world));
    assert!(!world.recorder.facts::<ApprovalResolved>()[0].approved);
}
