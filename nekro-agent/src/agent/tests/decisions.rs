//! Each decision of a turn, in one test named after it.

use nekro_core::{
    Caller, MessageId, Role,
    event::facts::{MessageSent, StateTransition, ToolExecuted, ToolOutcome, TurnOutcome},
};
use serde_json::json;

use super::world::{Step, usual, world};
use crate::{
    agent::{
        Fate, Inbound,
        inbound::{Company, From},
    },
    history::{Body, File},
    model::Entry,
};

fn say(text: &str) -> Entry {
    Entry::Person { name: None, text: text.to_owned(), images: Vec::new() }
}

fn notice(text: &str) -> Entry {
    Entry::Notice { text: text.to_owned() }
}

#[tokio::test(start_paused = true)]
async fn user_message() {
    let answers = json!({ "answers": { "user_message": [
        { "signal": "block_all" }, { "signal": "block_trigger" }, { "signal": "continue", "text": "rewritten" }, "panic",
    ] } });
    let world = world(answers, json!({})).await;
    assert!(matches!(world.receive("secret").await.fate, Fate::Hidden));
    assert!(matches!(world.receive("seen").await.fate, Fate::Unanswered { .. }));
    assert_eq!(world.say("third").await.outcome, TurnOutcome::Answered);
    assert_eq!(world.model.last().entries, [say("seen"), say("rewritten")], "what is hidden is not seen");
    assert_eq!(world.say("fourth").await.outcome, TurnOutcome::Answered, "a transformer that panics changes nothing");
    let told = world.told().await;
    assert_eq!(told[..3], ["person: secret (hidden)", "person: seen", "person: rewritten"], "all are stored");
    let Body::Person { original, .. } = &world.messages().await[2].body else { panic!("a person") };
    assert_eq!(original.as_deref(), Some("third"));
}

#[tokio::test(start_paused = true)]
async fn user_message_in_a_group() {
    let world =
        world(json!({ "answers": { "user_message": [{ "signal": "continue" }, { "signal": "force_trigger" }] } }), json!({}))
            .await;
    let inbound = |text: &str| Inbound {
        company: Company::Group { mentioned: false },
        from: From::Person { user: Some("ada".into()), role: Role::User },
        ..Inbound::operator("s", text)
    };
    let received = world.machine.receive(inbound("hello")).await.expect("stored");
    assert!(matches!(received.fate, Fate::Unanswered { .. }), "nobody spoke to the agent");
    world.turn(inbound("hello again")).await;
    world.turn(inbound("nekro?")).await;
    let Entry::Person { name, .. } = &world.model.last().entries[0] else { panic!("a person") };
    assert_eq!(name.as_deref(), Some("ada"), "in a group, the model is told who speaks");
}

#[tokio::test(start_paused = true)]
async fn system_message() {
    let answers = json!({ "answers": { "system_message": [
        { "signal": "continue" }, { "signal": "force_trigger", "text": "rewritten" },
    ] } });
    let world = world(answers, json!({})).await;
    let inbound =
        |answer| Inbound { from: From::System { plugin: Some("clock".into()), answer }, ..Inbound::operator("s", "it is noon") };
    let received = world.machine.receive(inbound(false)).await.expect("stored");
    assert!(matches!(received.fate, Fate::Unanswered { .. }));
    assert_eq!(world.turn(inbound(false)).await.outcome, TurnOutcome::Answered);
    assert_eq!(world.model.last().entries, [notice("it is noon"), notice("rewritten")]);
    assert_eq!(world.turn(inbound(true)).await.outcome, TurnOutcome::Answered);
    assert_eq!(world.asked("system_message").await[0]["plugin"], "clock");
}

#[tokio::test(start_paused = true)]
async fn attachment() {
    let answers = json!({ "answers": { "attachment": [
        { "verdict": "allow" }, { "verdict": "deny", "reason": "too wild" }, { "verdict": "ask", "reason": "sure?" }, "panic",
    ] } });
    let world = world(answers, json!({})).await;
    let file = |name: &str| File { name: name.to_owned(), media_type: "image/png".to_owned(), bytes: vec![1, 2] };
    let files = ["tree", "wolf", "cat", "dog"].map(file).to_vec();
    world.turn(Inbound { files, ..Inbound::operator("s", "look") }).await;
    assert_eq!(
        world.told().await[..5],
        [
            "person: look",
            "notice: The file `wolf` was not taken in: too wild",
            "notice: The file `cat` was not taken in: sure?",
            "notice: The file `dog` was not taken in: the guard `attachment` of the plugin `probe` failed: it panicked: as the test wants",
            "person: +file",
        ]
    );
    let entries = world.model.last().entries;
    let images: usize = entries.iter().map(|entry| if let Entry::Person { images, .. } = entry { images.len() } else { 0 }).sum();
    assert_eq!(images, 1);
    let asked = world.asked("attachment").await;
    assert_eq!((asked.len(), &asked[0]["bytes"], &asked[0]["message"]), (4, &json!(2), &json!("s-message-1")));
}

#[tokio::test(start_paused = true)]
async fn busy_message() {
    let answers = json!({ "answers": { "busy_message": [{ "verdict": "replace", "text": "one moment" }] } });
    let world = world(answers, json!({ "busy_message": "busy" })).await;
    world.model.then([Step::After(1_000, "first"), Step::Say("second")]);
    let Fate::Answered(first) = world.receive("a").await.fate else { panic!("it is answered") };
    tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    let Fate::Answered(second) = world.receive("b").await.fate else { panic!("it is answered") };
    let Fate::Answered(third) = world.receive("c").await.fate else { panic!("it is answered") };
    assert_eq!(world.people.heard(), ["one moment", "busy"]);
    let turn = first.await.expect("it ends").turn;
    assert_eq!(world.asked("busy_message").await[0]["turn"], json!(turn));
    assert_eq!(second.await.expect("it ends").answer.as_deref(), Some("second"));
    assert_eq!(third.await.expect("it ends").answer.as_deref(), Some("second"));
}

#[tokio::test(start_paused = true)]
async fn turn_starting() {
    let answers = json!({ "answers": { "turn_starting": [{ "verdict": "answer", "text": "no model needed" }] } });
    let world = world(answers, json!({})).await;
    let ended = world.say("hello").await;
    assert_eq!((ended.outcome, ended.answer.as_deref()), (TurnOutcome::Answered, Some("no model needed")));
    assert!(world.model.asked().is_empty());
    assert_eq!(world.people.heard(), ["no model needed"]);
    assert_eq!(world.asked("turn_starting").await[0]["text"], "hello");
}

#[tokio::test(start_paused = true)]
async fn turn_context() {
    let answers = json!({ "answers": { "turn_context": [
        { "system": ["It is dark."], "prefill": "Well, ", "tools": ["probe.echo"] },
    ] } });
    let world = world(answers, json!({ "plugins": { "probe": { "sleep": true } } })).await;
    let call = Step::Call(vec![("probe.echo", json!({ "text": "hi" })), ("probe.look", json!({}))]);
    let ended = world.script("hello", [call, Step::Say("yes.")]).await;
    let request = &world.model.asked()[0];
    assert_eq!(request.prefill.as_deref(), Some("Well, "));
    assert_eq!(request.system.last().map(String::as_str), Some("It is dark."));
    let tools: Vec<_> = request.tools.iter().map(|tool| tool.name.as_str()).collect();
    assert_eq!(tools, ["probe.echo", "activate_plugin"], "of a plugin that sleeps, that one is offered");
    assert_eq!(ended.outcome, TurnOutcome::Answered);
    let told = world.told().await;
    assert_eq!(told[2], "probe.echo: hi");
    assert!(told[3].contains("there is no tool `probe.look`"), "what is not offered cannot be called: {}", told[3]);
    world.say("again").await;
    assert_eq!(world.model.last().tools.len(), 1, "it was for one turn");
    assert_eq!(world.presences.kept(), 0);
}

#[tokio::test(start_paused = true)]
async fn builtin_use() {
    let answers = json!({ "answers": { "builtin_use": [{ "names": ["persona", "set_state"] }] } });
    let world = world(answers, json!({ "persona": "Be kind.", "states": ["calm", "wild"] })).await;
    world.say("hello").await;
    world.say("again").await;
    let asked = world.model.asked();
    let has = |at: usize| {
        (asked[at].system.iter().any(|text| text == "Be kind."), asked[at].tools.iter().any(|tool| tool.name == "set_state"))
    };
    assert_eq!((has(0), has(1)), ((false, false), (true, true)));
    assert_eq!(world.asked("builtin_use").await[0]["names"], json!(["persona", "state", "set_state"]));
}

#[tokio::test(start_paused = true)]
async fn message_intercept() {
    let put = |text: &str| json!({ "texts": [text] });
    let nothing = json!({ "texts": [] });
    let answers = json!({ "answers": { "message_intercept": [put("first"), put("then"), put("wait"), nothing] } });
    let world = world(answers, json!({})).await;
    let steps = [Step::Call(vec![("probe.look", json!({}))]), Step::Say("draft"), Step::Say("final")];
    assert_eq!(world.script("hello", steps).await.answer.as_deref(), Some("final"));
    let asked = world.asked("message_intercept").await;
    let stages: Vec<_> =
        asked.iter().map(|one| format!("{} {}", one["stage"].as_str().unwrap_or_default(), one["round"])).collect();
    assert_eq!(stages, ["before_model 1", "after_tools 2", "before_answer 2", "before_answer 3"]);
    let entries = world.model.last().entries;
    assert_eq!(entries[1], notice("first"));
    assert_eq!(entries[4..], [notice("then"), Entry::Answer { text: "draft".into(), calls: vec![] }, notice("wait")]);
    assert_eq!(world.people.heard(), ["final"], "the draft was not sent");
}

#[tokio::test(start_paused = true)]
async fn tool_call() {
    let answers = json!({ "answers": { "tool_call": [
        { "verdict": "allow" }, { "verdict": "deny", "reason": "not at night" }, { "verdict": "ask", "reason": "sure?" }, "panic",
    ] } });
    let world = world(answers, json!({})).await;
    let look = || Step::Call(vec![("probe.echo", json!({ "text": "hi" }))]);
    world.script("hello", [look(), look(), look(), look()]).await;
    let told = world.told().await;
    assert_eq!(told[2], "probe.echo: hi");
    assert!(
        told[4].contains("not at night") && told[6].contains("the person said no") && told[8].contains("panicked"),
        "{told:?}"
    );
    let outcomes: Vec<_> = world.facts::<ToolExecuted>().iter().map(|fact| fact.outcome).collect();
    assert_eq!(outcomes[..4], [ToolOutcome::Ok, ToolOutcome::Denied, ToolOutcome::Denied, ToolOutcome::Denied]);
    let asked = world.asked("tool_call").await;
    assert_eq!((&asked[0]["caller"]["origin"], &asked[0]["turn"]), (&json!("model"), &json!("s-turn-1")));
    assert_eq!(asked[0]["call"], "s-turn-1-call-1", "the name under which the call is kept");
}

#[tokio::test(start_paused = true)]
async fn tool_result() {
    let answers = json!({ "answers": { "tool_result": [
        { "verdict": "pass" }, { "verdict": "replace", "value": "better" }, { "verdict": "withhold", "reason": "private" }, "panic",
    ] } });
    let world = world(answers, json!({})).await;
    let look = || Step::Call(vec![("probe.echo", json!({ "text": "hi" }))]);
    world.script("hello", [look(), look(), look(), look()]).await;
    let told = world.told().await;
    assert_eq!((told[2].as_str(), told[4].as_str()), ("probe.echo: hi", "probe.echo: better"));
    assert!(told[6].contains("withheld: private") && told[8].contains("withheld"), "{told:?}");
}

#[tokio::test(start_paused = true)]
async fn final_answer_draft() {
    let retry = || json!({ "verdict": "retry", "reason": "be brief" });
    let answers = json!({ "answers": { "final_answer_draft": [
        { "verdict": "replace", "text": "better" }, retry(), retry(),
    ] } });
    let world = world(answers, json!({})).await;
    assert_eq!(world.script("one", [Step::Say("good")]).await.answer.as_deref(), Some("better"));
    let ended = world.script("two", [Step::Say("long"), Step::Say("longer")]).await;
    assert_eq!(ended.answer.as_deref(), Some("longer"), "one retry in a turn");
    let entries = world.model.last().entries;
    assert_eq!(entries[3..], [Entry::Answer { text: "long".into(), calls: vec![] }, notice("be brief")]);
    world.say("three").await;
    assert!(!world.model.last().entries.contains(&notice("be brief")), "later turns do not see it");
    let sent: Vec<_> = world.facts::<MessageSent>().into_iter().map(|fact| (fact.message, fact.text)).collect();
    assert_eq!(sent[0], (MessageId::from("s-message-2"), "better".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn state_request() {
    let answers = json!({ "answers": { "state_request": [{ "verdict": "deny", "reason": "too early" }] } });
    let world = world(answers, json!({ "states": ["calm", "wild"] })).await;
    let wild = || Step::Call(vec![("set_state", json!({ "state": "wild" }))]);
    world.script("hello", [wild(), wild(), Step::Call(vec![("set_state", json!({ "state": "wildd" }))])]).await;
    let told = world.told().await;
    assert_eq!(told[2], "set_state: Error (denied): the state stays `calm`: too early");
    assert_eq!(told[4], "set_state: Your state is `wild` now.");
    assert!(told[6].contains("did you mean `wild`?"), "{told:?}");
    let moves = world.facts::<StateTransition>();
    assert_eq!(moves.iter().map(|fact| format!("{} {}", fact.from, fact.to)).collect::<Vec<_>>(), ["calm wild"]);
    assert_eq!(world.machine.status(&"s".into()).await.expect("a status").state.as_deref(), Some("wild"));
    world.machine.set_state(&"s".into(), "calm", &Caller::operator().in_session("s")).await.expect("allowed");
}

#[tokio::test(start_paused = true)]
async fn state_summary() {
    let answers = json!({ "answers": { "state_summary": [{ "texts": ["Two plans are open."] }] } });
    let world = world(answers, json!({ "states": ["calm"] })).await;
    world.say("hello").await;
    let system = world.model.last().system;
    assert_eq!(system.last().map(String::as_str), Some("Your state is `calm`.\nTwo plans are open."));
}

#[tokio::test(start_paused = true)]
async fn nobody_is_asked_of_a_state_where_there_are_none() {
    let world = usual().await;
    world.say("hello").await;
    assert!(world.asked("state_summary").await.is_empty());
}
