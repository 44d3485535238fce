//! What the plugin of these tests does.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use nekro_core::{
    event::{
        Additions, Approval, FinalVerdict, Gate, Incoming, Injection, Rewrite, Suppression, TurnGate, Verdict,
        decisions::{
            Attachment, BuiltinUse, BusyMessage, FinalAnswerDraft, MessageIntercept, StateRequest, StateSummary, SystemMessage,
            ToolCall, ToolResult, TurnContext, TurnStarting, UserMessage,
        },
    },
    prelude::*,
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::Probe;

/// What the plugin has left to say, and what it was asked.
#[derive(Default)]
pub(crate) struct Script(Mutex<State>);

#[derive(Default)]
struct State {
    answers: BTreeMap<String, VecDeque<Value>>,
    asked: Vec<Value>,
    running: usize,
    together: usize,
    counted: u32,
}

impl Script {
    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn answer<V: Verdict + DeserializeOwned>(&self, name: &str, event: &impl serde::Serialize) -> V {
        let answer = {
            let mut state = self.lock();
            state.asked.push(json!({ "decision": name, "event": serde_json::to_value(event).expect("an event") }));
            state.answers.get_mut(name).and_then(VecDeque::pop_front)
        };
        match answer {
            None => V::neutral(),
            Some(Value::String(word)) if word == "panic" => panic!("as the test wants"),
            Some(verdict) => serde_json::from_value(verdict).expect("a verdict"),
        }
    }

    /// Counts a call that is under way.
    async fn during(&self, clock: &Clock, millis: u64) -> usize {
        {
            let mut state = self.lock();
            state.running += 1;
            state.together = state.together.max(state.running);
        }
        clock.sleep(Duration::from_millis(millis)).await;
        let mut state = self.lock();
        state.running -= 1;
        state.running + 1
    }
}

#[init]
fn script(probe: &Probe) -> Script {
    let answers = probe.answers.iter().map(|(name, answers)| (name.clone(), answers.iter().cloned().collect())).collect();
    Script(Mutex::new(State { answers, ..State::default() }))
}

macro_rules! answered {
    ($($handler:ident $name:literal: $event:ident => $verdict:ty,)*) => {
        $(
            #[on_event]
            fn $handler(event: &$event, script: &Script) -> $verdict {
                script.answer($name, event)
            }
        )*
    };
}

answered! {
    user_message "user_message": UserMessage => Incoming,
    system_message "system_message": SystemMessage => Incoming,
    attachment "attachment": Attachment => Approval,
    busy_message "busy_message": BusyMessage => Rewrite,
    turn_starting "turn_starting": TurnStarting => TurnGate,
    turn_context "turn_context": TurnContext => Additions,
    builtin_use "builtin_use": BuiltinUse => Suppression,
    message_intercept "message_intercept": MessageIntercept => Injection,
    tool_call "tool_call": ToolCall => Approval,
    tool_result "tool_result": ToolResult => Gate,
    final_answer_draft "final_answer_draft": FinalAnswerDraft => FinalVerdict,
    state_request "state_request": StateRequest => Approval,
    state_summary "state_summary": StateSummary => Injection,
}

/// What does not change.
#[prompt]
fn rules(probe: &Probe) -> Option<String> {
    probe.rules.clone()
}

/// What changes each time.
#[prompt]
fn count(script: &Script) -> String {
    let mut state = script.lock();
    state.counted += 1;
    format!("Made {} times.", state.counted)
}

/// Says the same.
#[tool(read_only)]
fn echo(
    /// What.
    text: String,
) -> String {
    text
}

/// Takes its time.
#[tool]
async fn wait(
    script: &Script,
    clock: &Clock,
    progress: &Progress,
    /// How long, in milliseconds.
    millis: u64,
) -> String {
    progress.done(0, "waiting");
    script.during(clock, millis).await;
    format!("waited {millis}")
}

/// Destroys something.
#[tool(destructive)]
async fn burn(script: &Script, clock: &Clock) -> usize {
    script.during(clock, 10).await
}

/// Says how many calls were under way at the same time.
#[tool]
fn together(script: &Script) -> usize {
    script.lock().together
}

/// Says something else each time.
#[tool]
fn next(script: &Script) -> u32 {
    let mut state = script.lock();
    state.counted += 1;
    state.counted
}

/// Remembers something.
#[tool]
fn remember() -> Note<bool> {
    Note::new(true, "There is something to remember.")
}

/// Shows something.
#[tool]
fn look() -> Show<Vec<String>> {
    Show(vec!["a tree".to_owned()])
}

/// Makes a picture.
#[tool]
fn picture() -> Content {
    Content::new().text("Your chart:").image("image/png", vec![1, 2, 3])
}

/// Fails.
#[tool]
fn fail() -> Result<()> {
    Err(Error::new("no city is called Atlantis").with_code("not_found").with_hint("ask for a larger one"))
}

/// Panics.
#[tool]
fn crash() {
    panic!("as the test wants")
}

/// Says much.
#[tool]
fn much(
    /// How many characters.
    length: usize,
) -> String {
    "x".repeat(length)
}

/// Returns what the handlers were asked, in order.
#[tool]
fn asked(script: &Script) -> Vec<Value> {
    script.lock().asked.clone()
}

/// Says something to the people.
#[tool]
async fn speak(messages: &Messages) -> Result<()> {
    messages.send("psst").await.map(drop)
}

/// Asks the people something.
#[tool(deadline = "1h")]
async fn ask(
    messages: &Messages,
    /// For how many seconds.
    within: Option<u64>,
) -> Result<String> {
    let asking = messages.ask("Which city?");
    let asking = match within {
        Some(seconds) => asking.within(Duration::from_secs(seconds)),
        None => asking,
    };
    Ok(asking.await?.text)
}

/// Asks the people something that has two answers.
#[tool(deadline = "1h")]
async fn ask_whether(messages: &Messages) -> Result<String> {
    Ok(messages.ask("Go on?").yes_or_no().or("no").await?.text)
}

/// Tells the agent something.
#[tool]
async fn push(
    messages: &Messages,
    /// What.
    text: String,
    /// Whether it answers.
    answer: bool,
) -> Result<Option<String>> {
    Ok(messages.push_system(text, if answer { Trigger::Answer } else { Trigger::Later }).await?.unanswered)
}

/// Sends a picture.
#[tool]
async fn send_picture(messages: &Messages) -> Result<()> {
    messages.send(Message::new("Look:").file("chart.png", "image/png", vec![1, 2, 3])).await.map(drop)
}

/// Reads what was said.
#[tool]
async fn read(
    sessions: &Sessions,
    /// Before this number.
    before: Option<u64>,
) -> Result<Vec<String>> {
    let page = sessions.own()?.messages(before, 2).await?;
    Ok(page.into_iter().map(|message| format!("{} {:?} {}", message.number, message.by, message.text)).collect())
}

/// Asks in the midst of a message, which cannot work.
#[on_event(phase = early)]
async fn asks_inside(event: &UserMessage, messages: &Messages, script: &Script) -> Incoming {
    if event.text == "ask inside" {
        let error = messages.ask("What?").await.expect_err("it would wait for itself");
        script.lock().asked.push(json!(error.code()));
        let error = messages.push_system("x", Trigger::Answer).await.expect_err("it would wait for itself");
        script.lock().asked.push(json!(error.code()));
    }
    Incoming::neutral()
}

#[on_event]
fn cleared(_: &nekro_core::event::facts::SessionClear) {
    tracing::info!("a plugin was told");
}
