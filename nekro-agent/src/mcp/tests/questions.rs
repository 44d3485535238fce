//! Questions of plugins to the person behind a client.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::Duration,
};

use nekro_core::{Error, Messages, Progress, tool};
use rmcp::{
    ClientHandler, ErrorData, RoleClient,
    model::{
        CallToolRequestParams, CallToolResponse, CallToolResult, ClientCapabilities, ClientConfig, ElicitRequestParams,
        ElicitResult, ElicitationAction, ProgressNotificationParam,
    },
    service::{NotificationContext, RequestContext, RunningService},
};
use serde_json::{Value, json};

use super::world::{BOTH, Protocol, World, call, config};
use crate::{mcp::Limits, storage::Ledger};

/// How often the tool below was begun, by what it was begun for.
static BEGUN: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Plans a journey.
#[tool(deadline = "10m")]
async fn journey(
    messages: &Messages,
    progress: &Progress,
    /// For whom.
    who: String,
) -> nekro_core::Result<Vec<String>> {
    BEGUN.lock().expect("nobody panicked").push(who);
    let city = messages.ask("Which city?").one_of([("cgn", "Köln"), ("bn", "Bonn")]).or("bn").await?;
    progress.done_of(1, 2, "the city is known");
    let sure = messages.ask("Sure?").yes_or_no().within(Duration::from_secs(60)).await?;
    Ok(vec![city.text, sure.text])
}

/// Asks somebody else.
#[tool]
async fn ask_elsewhere(messages: &Messages) -> nekro_core::Result<String> {
    Err(messages.to("other:1")?.ask("?").await.err().unwrap_or_else(|| Error::new("somebody has answered")))
}

/// Somebody who answers as a test says.
#[derive(Clone, Default)]
struct Person(Arc<Mutex<(VecDeque<ElicitResult>, Vec<Value>)>>, Arc<Mutex<Vec<f64>>>);

impl Person {
    fn will_say(answers: impl IntoIterator<Item = ElicitResult>) -> Self {
        Self(Arc::new(Mutex::new((answers.into_iter().collect(), Vec::new()))), Arc::default())
    }

    fn asked(&self) -> Vec<Value> {
        self.0.lock().expect("nobody panicked").1.clone()
    }
}

impl ClientHandler for Person {
    fn get_info(&self) -> ClientConfig {
        config(ClientCapabilities::builder().enable_elicitation().build())
    }

    async fn create_elicitation(
        &self,
        request: ElicitRequestParams,
        _: RequestContext<RoleClient>,
    ) -> Result<ElicitResult, ErrorData> {
        let mut person = self.0.lock().expect("nobody panicked");
        person.1.push(serde_json::to_value(request).expect("JSON"));
        person.0.pop_front().ok_or_else(|| ErrorData::internal_error("asked once too often", None))
    }

    async fn on_progress(&self, told: ProgressNotificationParam, _: NotificationContext<RoleClient>) {
        self.1.lock().expect("nobody panicked").push(told.progress);
    }
}

fn says(answer: Value) -> ElicitResult {
    ElicitResult::new(ElicitationAction::Accept).with_content(json!({ "answer": answer }))
}

async fn plan(client: &RunningService<RoleClient, Person>, who: &str) -> CallToolResult {
    let arguments = json!({ "who": who }).as_object().cloned().unwrap_or_default();
    client.call_tool(CallToolRequestParams::new("probe.journey").with_arguments(arguments)).await.expect("it is called")
}

fn times_begun(who: &str) -> usize {
    BEGUN.lock().expect("nobody panicked").iter().filter(|one| *one == who).count()
}

#[track_caller]
fn text(result: &CallToolResult) -> &str {
    result.content[0].as_text().map(|text| text.text.as_str()).expect("a text")
}

#[tokio::test]
async fn how_far_a_call_has_come_is_told_of_the_request_that_asked_for_it_and_no_later() {
    for protocol in BOTH {
        let world = World::on(&Ledger::memory()).await;
        let person = Person::will_say([says(json!("cgn")), says(json!(true))]);
        let client = world.client("mcp", protocol, person.clone()).await;
        plan(&client, &format!("progress {protocol:?}")).await;
        // What was said before the last answer has been heard when the next one is there.
        call(&client, "probe.quick_count", json!({})).await.expect("it is called");
        // Without a handshake, the request has ended with the question by then.
        let expected: &[f64] = if protocol == Protocol::WithHandshake { &[1.0] } else { &[] };
        assert_eq!(*person.1.lock().expect("nobody panicked"), expected, "{protocol:?}");
        world.stop().await;
    }
}

#[tokio::test]
async fn a_plugin_asks_the_person_behind_the_client_by_fields_and_does_nothing_twice() {
    for protocol in BOTH {
        let world = World::on(&Ledger::memory()).await;
        let person = Person::will_say([says(json!("cgn")), says(json!(true))]);
        let client = world.client("mcp", protocol, person.clone()).await;
        let who = format!("fields {protocol:?}");
        assert_eq!(plan(&client, &who).await.structured_content, Some(json!({ "result": ["cgn", "yes"] })));
        assert_eq!(times_begun(&who), 1);
        let asked = person.asked();
        assert_eq!((&asked[0]["message"], &asked[1]["message"]), (&json!("Which city?"), &json!("Sure?")));
        let city = json!({ "type": "string", "oneOf": [{ "const": "cgn", "title": "Köln" }, { "const": "bn", "title": "Bonn" }], "default": "bn" });
        assert_eq!(asked[0]["requestedSchema"]["properties"]["answer"], city);
        assert_eq!(asked[1]["requestedSchema"]["properties"]["answer"], json!({ "type": "boolean" }));
        assert_eq!(asked[1]["requestedSchema"]["required"], json!(["answer"]));
        world.stop().await;
    }
}

#[tokio::test]
async fn an_answer_without_content_is_the_default_and_one_that_is_none_is_asked_for_again() {
    for protocol in BOTH {
        let world = World::on(&Ledger::memory()).await;
        let person = Person::will_say([ElicitResult::new(ElicitationAction::Accept), says(json!("maybe")), says(json!("no"))]);
        let client = world.client("mcp", protocol, person.clone()).await;
        assert_eq!(plan(&client, "again").await.structured_content, Some(json!({ "result": ["bn", "no"] })));
        assert_eq!(person.asked()[2]["message"], "That is none of the answers. Sure?");

        let person = Person::will_say([says(json!([])), says(json!({ "x": 1 })), says(json!("Berlin")), says(json!("bn"))]);
        let client = world.client("mcp", protocol, person.clone()).await;
        let refused = plan(&client, "thrice").await;
        assert_eq!(text(&refused), "invalid_answer: this is none of the answers (Köln, Bonn)");
        assert_eq!(person.asked().len(), 3);
        world.stop().await;
    }
}

#[tokio::test]
async fn whoever_does_not_want_to_answer_or_cannot_be_asked_is_told_to_the_plugin() {
    for protocol in BOTH {
        let world = World::on(&Ledger::memory()).await;
        for (action, told) in [
            (ElicitationAction::Decline, "declined: the person does not want to answer"),
            (ElicitationAction::Cancel, "cancelled: the person has put the question aside"),
        ] {
            let client = world.client("mcp", protocol, Person::will_say([ElicitResult::new(action)])).await;
            assert_eq!(text(&plan(&client, "nobody").await), told);
        }
        let mute = world.client("mcp", protocol, config(ClientCapabilities::default())).await;
        let CallToolResponse::Complete(refused) =
            call(&mute, "probe.journey", json!({ "who": "mute" })).await.expect("it is called")
        else {
            panic!("nobody is asked");
        };
        let hint = "hint: a client that declares `elicitation` is asked";
        assert_eq!(text(&refused), format!("not_at_work: the MCP client has no way to ask its person\n{hint}"));
        world.stop().await;
    }
}

/// Returns the token with which a call comes again.
#[track_caller]
fn asks(response: CallToolResponse) -> String {
    match response {
        CallToolResponse::InputRequired(asked) => asked.request_state.expect("a token"),
        other => panic!("{other:?} asks nothing"),
    }
}

/// The same call again, with an answer.
fn request(who: &str, token: &str, answer: Value) -> CallToolRequestParams {
    let mut request = CallToolRequestParams::new("probe.journey");
    request.arguments = json!({ "who": who }).as_object().cloned();
    request.request_state = Some(token.to_owned());
    request.input_responses = Some([("answer".to_owned(), answer)].into());
    request
}

#[tokio::test]
async fn an_answer_counts_once_and_for_the_call_that_asked() {
    let world = World::on(&Ledger::memory()).await;
    let client = world.client("mcp", Protocol::Newest, Person::default()).await;
    let good = json!({ "action": "accept", "content": { "answer": "cgn" } });
    let first = asks(call(&client, "probe.journey", json!({ "who": "once" })).await.expect("it is called"));
    // Without an answer it is asked again, and what was begun goes on.
    let second = asks(client.call_tool_once(request("once", &first, json!(7))).await.expect("it is called"));
    assert_ne!(first, second);
    let third = asks(client.call_tool_once(request("once", &second, good.clone())).await.expect("it is called"));
    assert_eq!(times_begun("once"), 1);
    // An old token, one of somebody else's call and one that is none begin anew.
    for token in [&first, &second, "nonsense", ""] {
        let begun = times_begun("once");
        asks(client.call_tool_once(request("once", token, good.clone())).await.expect("it is called"));
        assert_eq!(times_begun("once"), begun + 1);
    }
    asks(client.call_tool_once(request("another", &third, good.clone())).await.expect("it is called"));
    assert_eq!(times_begun("another"), 1);
    asks(client.call_tool_once(request("once", &third, good)).await.expect("the answer is used up"));
    world.stop().await;
}

#[tokio::test]
async fn no_more_calls_wait_for_an_answer_than_may() {
    let world = World::on(&Ledger::memory()).await;
    let limits = Limits { waiting_calls: 2, ..Limits::default() };
    let client = world.client_within(limits, "mcp", Protocol::Newest, Person::default()).await;
    let mut tokens = Vec::new();
    for who in ["oldest", "older", "newest"] {
        tokens.push((who, asks(call(&client, "probe.journey", json!({ "who": who })).await.expect("it is called"))));
    }
    for ((who, token), times) in tokens.iter().zip([2, 1, 1]).rev() {
        let good = json!({ "action": "accept", "content": { "answer": "cgn" } });
        asks(client.call_tool_once(request(who, token, good)).await.expect("it is called"));
        assert_eq!(times_begun(who), times, "{who}");
    }
    world.stop().await;
}

#[tokio::test]
async fn people_of_other_conversations_are_not_asked_through_the_client() {
    let world = World::on(&Ledger::memory()).await;
    let person = Person::default();
    let client = world.client("mcp", Protocol::WithHandshake, person.clone()).await;
    let refused = client.call_tool(CallToolRequestParams::new("probe.ask_elsewhere")).await.expect("it is called");
    assert!(text(&refused).starts_with("out_of_scope: "), "{}", text(&refused));
    assert!(person.asked().is_empty());
    world.stop().await;
}
