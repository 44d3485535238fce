//! What a turn emits, in order and with its ids.

use std::{
    io,
    sync::{Arc, Mutex},
};

use nekro_core::event::facts::{
    LlmFallback, LlmResponseChunk, LlmRetry, LlmUsage, MessageInjected, ProcessingStarted, SummaryUpdated, TurnBegin,
};
use serde_json::{Value, json};

use tracing_subscriber::{Layer, filter::LevelFilter, layer::SubscriberExt};

use super::world::{Step, World, usual, world};
use crate::{agent::Fate, history::HistoryPort};

/// Returns the names of what was emitted, but for what plugins do as the agent starts.
fn names(world: &World) -> Vec<String> {
    world.facts.names().into_iter().filter(|name| !name.starts_with("plugin_")).collect()
}

#[tokio::test(start_paused = true)]
async fn a_whole_turn_emits_what_the_documentation_lists() {
    let documentation = include_str!("../../../../docs/turns.md");
    let (_, listed) = documentation.split_once("```text\n").expect("a list");
    let listed: Vec<_> = listed.split_once("```").expect("its end").0.lines().collect();
    let world = usual().await;
    world.script("hello", [Step::Call(vec![("probe.echo", json!({ "text": "hi" }))]), Step::Say("done")]).await;
    assert_eq!(names(&world), listed);
}

#[tokio::test(start_paused = true)]
async fn every_fact_of_a_turn_has_its_ids() {
    let world = usual().await;
    world.script("hello", [Step::Call(vec![("probe.echo", json!({ "text": "hi" }))]), Step::Stumble("done")]).await;
    let begin = world.facts::<TurnBegin>().remove(0);
    assert_eq!((begin.session.as_str(), begin.turn.as_str()), ("s", "s-turn-1"));
    assert_eq!(begin.message, Some("s-message-1".into()));
    for (name, fact) in world.facts.all().iter().filter(|(name, _)| !name.starts_with("plugin_")) {
        assert_eq!(fact["session"], "s", "{name}");
        let before = ["session_created", "message_received", "processing_started", "agent_busy_changed", "message_sent"];
        if !before.contains(&name.as_str()) {
            assert_eq!(fact["turn"], "s-turn-1", "{name}");
        }
    }
    let calls: Vec<Value> =
        world.facts.all().into_iter().filter(|(name, _)| name.starts_with("tool_")).map(|(_, fact)| fact).collect();
    assert_eq!((&calls[0]["call"], &calls[1]["call"]), (&json!("s-turn-1-call-1"), &json!("s-turn-1-call-1")));
    let kept = world.history.calls(&"s".into(), 10).await.expect("in memory");
    assert_eq!(kept[0].id.as_str(), "s-turn-1-call-1");
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_begins_anew_and_another_model_are_told() {
    let world = usual().await;
    let ended = world.script("hello", [Step::Stumble("at last")]).await;
    assert_eq!(ended.answer.as_deref(), Some("at last"));
    let retries: Vec<_> = world.facts::<LlmRetry>().into_iter().map(|fact| (fact.model, fact.attempt)).collect();
    assert_eq!(retries, [("scripted".to_owned(), 2)]);
    let replaced: Vec<_> = world.facts::<LlmFallback>().into_iter().map(|fact| (fact.from, fact.to)).collect();
    assert_eq!(replaced, [("scripted".to_owned(), "other".to_owned())]);
    assert_eq!(world.facts::<LlmUsage>()[0].model, "other");
    let chunks: Vec<_> = world.facts::<LlmResponseChunk>().into_iter().map(|fact| fact.text).collect();
    assert_eq!(chunks, ["never", "at last"]);
    assert!(world.people.seen().iter().any(|seen| seen.starts_with("Restart")));
}

#[tokio::test(start_paused = true)]
async fn a_message_that_comes_during_a_turn_is_put_into_it() {
    let world = usual().await;
    let call = Step::Call(vec![("probe.wait", json!({ "millis": 100 }))]);
    world.model.then([call, Step::Say("both")]);
    let Fate::Answered(first) = world.receive("one").await.fate else { panic!("it is answered") };
    tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    let Fate::Answered(second) = world.receive("two").await.fate else { panic!("it is answered") };
    let (first, second) = (first.await.expect("it ends"), second.await.expect("it ends"));
    assert_eq!(first, second, "one turn answers both");
    let injected = world.facts::<MessageInjected>();
    assert_eq!((injected.len(), injected[0].text.as_str(), injected[0].turn.as_str()), (1, "two", "s-turn-1"));
    assert_eq!(world.facts::<ProcessingStarted>().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_is_cut_from_a_long_conversation_is_summed_up() {
    let world = world(json!({}), json!({ "context_tokens": 600, "persona": "" })).await;
    world.model.then([Step::Say("first answer")]);
    world.say(&"long ".repeat(300)).await;
    world.model.then([Step::Say("They spoke of long things."), Step::Say("second answer")]);
    assert_eq!(world.say("and now?").await.answer.as_deref(), Some("second answer"));
    let told = world.told().await;
    assert!(told.contains(&"summary through 1: They spoke of long things.".to_owned()), "{told:?}");
    assert_eq!(world.facts::<SummaryUpdated>()[0].summary, "They spoke of long things.");
    let entries = format!("{:?}", world.model.last().entries);
    assert!(entries.contains("They spoke of long things.") && entries.contains("and now?"), "{entries}");
    assert!(!entries.contains("long long"), "{entries}");
    world.say("go on").await;
    let again = format!("{:?}", world.model.last().entries);
    assert!(again.contains("They spoke of long things.") && again.contains("second answer"), "{again}");
    assert_eq!(world.facts::<SummaryUpdated>().len(), 1, "it is not made again");
}

/// What was logged.
#[derive(Clone, Default)]
struct Memory(Arc<Mutex<Vec<u8>>>);

impl io::Write for Memory {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("nobody panicked").write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn what_plugins_log_says_of_which_session_and_turn_it_is() {
    let log = Memory::default();
    let writer = log.clone();
    let layer =
        tracing_subscriber::fmt::layer().with_ansi(false).with_writer(move || writer.clone()).with_filter(LevelFilter::INFO);
    // With a single listener, whoever meets a span first asks the listener of its own thread: the one of another test, which has none.
    let _other = tracing::Dispatch::new(tracing::subscriber::NoSubscriber::new());
    let _listens = tracing::subscriber::set_default(tracing_subscriber::registry().with(layer));
    let world = world(json!({ "answers": { "user_message": ["panic"], "tool_call": ["panic"] } }), json!({})).await;
    world.script("hello", [Step::Call(vec![("probe.echo", json!({ "text": "hi" }))]), Step::Say("done")]).await;
    world.machine.reset(&"s".into()).await.expect("it is in memory");
    world.kernel.idle().await;
    let text = String::from_utf8(log.0.lock().expect("nobody panicked").clone()).expect("text");
    let line = |words: &str| text.lines().filter(|line| line.contains(words)).collect::<Vec<_>>();
    let failed = line("a decision's handler failed");
    assert!(failed[0].contains("message{session=s}"), "{text}");
    assert!(failed[1].contains("turn{session=s turn=s-turn-1}"), "{text}");
    assert!(line("a plugin was told")[0].contains("fact{session=s}"), "{text}");
}
