//! What every implementation of [`HistoryPort`] keeps to: [`keeps_to_the_rules`] takes one.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use nekro_core::{
    ClockPort, SessionId, Timestamp,
    event::facts::{ToolOutcome, TurnOutcome},
};

use super::{Body, CallRecord, HistoryPort, Message, NewMessage, SessionSettings, Turn, UsageRecord};
use crate::model::{ToolUse, Usage};

/// A clock that goes on by a second whenever somebody looks at it.
#[derive(Default)]
pub(crate) struct Ticking(AtomicI64);

impl ClockPort for Ticking {
    fn now(&self) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + self.0.fetch_add(1, Ordering::Relaxed)).expect("a moment in range")
    }
}

/// Puts an implementation through everything; each part begins with an empty one.
pub(crate) fn keeps_to_the_rules(make: impl Fn(Arc<dyn ClockPort>) -> Arc<dyn HistoryPort>) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(4).build().expect("a runtime");
    let make = || make(Arc::new(Ticking::default()));
    runtime.block_on(async {
        knows_nothing_at_first(&*make()).await;
        begins_sessions_once(&*make()).await;
        lists_sessions_by_use(&*make()).await;
        keeps_messages_as_they_are(&*make()).await;
        lists_messages_backwards(&*make()).await;
        revises_and_clears(&*make()).await;
        ends_a_turn_once(&*make()).await;
        keeps_calls_and_usage(&*make()).await;
        keeps_what_plugins_spend(&*make()).await;
        deletes_a_session_whole(&*make()).await;
        remembers_switches(&*make()).await;
        numbers_without_gaps(make()).await;
    });
}

/// What a person writes.
pub(crate) fn says(text: &str) -> NewMessage {
    let body = Body::Person { user: Some("ada".into()), text: text.to_owned(), original: None, files: Vec::new() };
    NewMessage { turn: None, hidden: false, body }
}

fn text(message: &Message) -> &str {
    match &message.body {
        Body::Person { text, .. }
        | Body::Notice { text, .. }
        | Body::Answer { text, .. }
        | Body::Result { text, .. }
        | Body::Summary { text, .. } => text,
    }
}

fn moment(second: i64) -> Timestamp {
    Timestamp::from_microsecond(1_700_000_000_123_456 + second * 1_000_000).expect("a moment in range")
}

fn turn(id: &str, session: &str, second: i64) -> Turn {
    Turn { id: id.into(), session: session.into(), message: Some("m".into()), began: moment(second) }
}

fn call(id: &str, session: Option<&str>) -> CallRecord {
    CallRecord {
        id: id.into(),
        session: session.map(Into::into),
        turn: Some("t".into()),
        at: moment(1),
        tool: "dice.roll".to_owned(),
        arguments: "{not json".to_owned(),
        result: "a \0 b".to_owned(),
        outcome: ToolOutcome::Denied,
        micros: 12,
    }
}

fn usage(session: &str, input: u64, cost: Option<u64>) -> UsageRecord {
    let usage = Usage { input_tokens: input, output_tokens: 2, cached_tokens: 1 };
    let (session, turn) = (Some(session.into()), Some("t".into()));
    UsageRecord { plugin: None, session, turn, at: moment(1), model: "m".to_owned(), usage, cost_micros: cost }
}

async fn all(history: &dyn HistoryPort, session: &str) -> Vec<Message> {
    let mut messages = history.messages(&session.into(), None, usize::MAX, true).await.expect("it lists");
    messages.reverse();
    messages
}

async fn names(history: &dyn HistoryPort) -> Vec<String> {
    let listing = history.sessions(None, usize::MAX).await.expect("it lists");
    assert!(!listing.more);
    listing.items.into_iter().map(|session| session.id.to_string()).collect()
}

async fn knows_nothing_at_first(history: &dyn HistoryPort) {
    let id = SessionId::from("s");
    assert_eq!(history.session(&id).await.expect("it reads"), None);
    assert!(names(history).await.is_empty() && all(history, "s").await.is_empty());
    assert!(history.open_turns().await.expect("it lists").is_empty());
    assert!(history.calls(&id, 10).await.expect("it lists").is_empty());
    assert_eq!(history.usage(&id).await.expect("it counts").answers, 0);
    assert!(history.enabled().await.expect("it lists").is_empty());
    assert!(!history.delete_session(&id).await.expect("it deletes nothing"));
    assert_eq!(history.clear_session(&id).await.expect("it clears nothing"), 0);
    assert!(!history.end_turn(&"t".into(), TurnOutcome::Failed, 1).await.expect("it ends nothing"));
    let error = history.set_session(&id, SessionSettings::default()).await.expect_err("there is none");
    assert_eq!(error.code(), "unknown_session");
    let error = history.revise(&id, 1, None, true).await.expect_err("there is none");
    assert_eq!(error.code(), "unknown_message");
    assert!(names(history).await.is_empty(), "looking makes nothing");
}

async fn begins_sessions_once(history: &dyn HistoryPort) {
    // Any text is a name.
    for name in ["s", "", "=", "a\0b", "ü/…'\""] {
        let id = SessionId::from(name);
        assert!(history.begin_session(&id).await.expect("it begins"), "{name:?}");
        assert!(!history.begin_session(&id).await.expect("it has begun"), "{name:?}");
        let session = history.session(&id).await.expect("it reads").expect("there is one");
        assert_eq!((&session.id, session.messages, session.began), (&id, 0, session.used));
        assert_eq!(session.settings, SessionSettings::default());
    }
    let mut settings = SessionSettings { title: Some("a title".to_owned()), ..SessionSettings::default() };
    settings.plugins.insert("dice".to_owned(), false);
    history.set_session(&"s".into(), settings.clone()).await.expect("it is there");
    let session = history.session(&"s".into()).await.expect("it reads").expect("there is one");
    assert_eq!(session.settings, settings);
}

async fn lists_sessions_by_use(history: &dyn HistoryPort) {
    for name in ["a", "b", "c", "d"] {
        history.begin_session(&name.into()).await.expect("it begins");
    }
    history.append(&"b".into(), vec![says("hello")]).await.expect("it writes");
    assert_eq!(names(history).await, ["b", "d", "c", "a"]);
    let used = history.session(&"b".into()).await.expect("it reads").expect("there is one");
    assert!(used.used > used.began && used.messages == 1);
    let page = history.sessions(None, 3).await.expect("it lists");
    assert_eq!((page.items.len(), page.more), (3, true));
    let rest = history.sessions(Some(&page.items[2].id), 3).await.expect("it lists");
    assert_eq!((rest.items[0].id.as_str(), rest.items.len(), rest.more), ("a", 1, false));
    let exact = history.sessions(Some(&"d".into()), 2).await.expect("it lists");
    assert_eq!((exact.items.len(), exact.more), (2, false));
    let nowhere = history.sessions(Some(&"nowhere".into()), 2).await.expect("it lists");
    assert!(nowhere.items.is_empty() && !nowhere.more);
}

async fn keeps_messages_as_they_are(history: &dyn HistoryPort) {
    let file = super::record::File { name: "../a".to_owned(), media_type: "image/png".to_owned(), bytes: vec![0, 1, 255] };
    let bodies = vec![
        Body::Person { user: None, text: "a\0é\u{10ffff}".to_owned(), original: None, files: vec![file.clone()] },
        Body::Notice { plugin: Some("p".into()), text: String::new(), original: Some("o".to_owned()) },
        Body::Answer {
            plugin: None,
            model: Some("m".to_owned()),
            text: "t".to_owned(),
            reasoning: "r".to_owned(),
            calls: vec![ToolUse { id: "1".to_owned(), tool: "dice.roll".to_owned(), arguments: "{".to_owned() }],
        },
        Body::Result {
            call: "1".to_owned(),
            tool: "dice.roll".to_owned(),
            text: "4".to_owned(),
            files: vec![file],
            failed: true,
        },
        Body::Summary { through: 2, text: "x".repeat(100_000) },
    ];
    let new = bodies.iter().enumerate().map(|(at, body)| NewMessage {
        turn: (at == 1).then(|| "t".into()),
        hidden: at == 2,
        body: body.clone(),
    });
    let written = history.append(&"s".into(), new.collect()).await.expect("it writes");
    let read = all(history, "s").await;
    assert_eq!(written, read);
    assert!(read.iter().map(|message| &message.body).eq(&bodies));
    assert!(read.iter().map(|message| message.number).eq(1..=5));
    assert_eq!((read[1].turn.as_ref().map(|id| id.as_str()), read[2].hidden), (Some("t"), true));
    let ids: std::collections::BTreeSet<_> = read.iter().map(|message| &message.id).collect();
    assert_eq!(ids.len(), 5);
    // Nothing is a list too, and begins the session.
    assert!(history.append(&"empty".into(), Vec::new()).await.expect("it writes").is_empty());
    assert!(history.session(&"empty".into()).await.expect("it reads").is_some());
}

async fn lists_messages_backwards(history: &dyn HistoryPort) {
    let id = SessionId::from("s");
    for number in 1..=9 {
        let new = NewMessage { hidden: number % 3 == 0, ..says(&number.to_string()) };
        history.append(&id, vec![new]).await.expect("it writes");
    }
    let list = async |before: Option<u64>, limit: usize, hidden: bool| {
        let found = history.messages(&id, before, limit, hidden).await.expect("it lists");
        found.iter().map(text).collect::<String>()
    };
    assert_eq!(list(None, 100, true).await, "987654321");
    assert_eq!(list(None, 100, false).await, "875421");
    assert_eq!(list(None, 3, false).await, "875");
    assert_eq!(list(Some(5), 3, false).await, "421");
    assert_eq!(list(Some(5), 3, true).await, "432");
    assert_eq!(list(Some(1), 3, true).await, "");
    assert_eq!(list(Some(u64::MAX), 1, true).await, "9");
    assert_eq!(list(None, 0, true).await, "");
}

async fn revises_and_clears(history: &dyn HistoryPort) {
    let id = SessionId::from("s");
    let answer =
        Body::Answer { plugin: None, model: None, text: "an answer".to_owned(), reasoning: String::new(), calls: Vec::new() };
    let new = vec![says("first"), NewMessage { turn: None, hidden: false, body: answer }, says("other")];
    history.append(&id, new).await.expect("it writes");
    history.revise(&id, 1, Some("second".to_owned()), false).await.expect("it is there");
    history.revise(&id, 1, Some("third".to_owned()), true).await.expect("it is there");
    history.revise(&id, 2, Some("another".to_owned()), false).await.expect("it is there");
    let messages = all(history, "s").await;
    assert!(matches!(
        &messages[0].body,
        Body::Person { text, original: Some(original), .. } if text == "third" && original == "first"
    ));
    assert!(messages[0].hidden && text(&messages[1]) == "another" && text(&messages[2]) == "other");
    assert_eq!(history.revise(&id, 4, None, true).await.expect_err("there is none").code(), "unknown_message");
    assert_eq!(history.clear_session(&id).await.expect("it clears"), 2, "one was hidden before");
    assert_eq!(history.clear_session(&id).await.expect("it clears"), 0);
    assert!(history.messages(&id, None, 10, false).await.expect("it lists").is_empty());
    history.append(&id, vec![says("anew")]).await.expect("it writes");
    let shown = history.messages(&id, None, 10, false).await.expect("it lists");
    assert_eq!((shown.len(), shown[0].number), (1, 4), "the numbers go on");
}

async fn ends_a_turn_once(history: &dyn HistoryPort) {
    for (name, second) in [("1", 1), ("2", 2), ("3", 3)] {
        history.begin_turn(turn(name, "s", second)).await.expect("it begins");
    }
    assert_eq!(history.open_turns().await.expect("it lists"), [turn("1", "s", 1), turn("2", "s", 2), turn("3", "s", 3)]);
    assert!(history.end_turn(&"2".into(), TurnOutcome::Answered, 10).await.expect("it ends"));
    assert!(!history.end_turn(&"2".into(), TurnOutcome::Failed, 20).await.expect("it has ended"));
    assert_eq!(history.open_turns().await.expect("it lists"), [turn("1", "s", 1), turn("3", "s", 3)]);
}

async fn keeps_calls_and_usage(history: &dyn HistoryPort) {
    for record in [call("1", Some("s")), call("2", None), call("3", Some("t")), call("4", Some("s")), call("1", Some("s"))] {
        history.record_call(record).await.expect("it writes");
    }
    let calls = history.calls(&"s".into(), 10).await.expect("it lists");
    assert_eq!(calls, [call("1", Some("s")), call("4", Some("s")), call("1", Some("s"))]);
    assert_eq!(history.calls(&"s".into(), 2).await.expect("it lists").len(), 2);
    for record in [usage("s", 10, Some(5)), usage("s", 1, None), usage("t", 100, Some(7))] {
        history.record_usage(record).await.expect("it writes");
    }
    let total = history.usage(&"s".into()).await.expect("it counts");
    assert_eq!((total.answers, total.cost_micros), (2, 5));
    assert_eq!(total.usage, Usage { input_tokens: 11, output_tokens: 4, cached_tokens: 2 });
}

async fn keeps_what_plugins_spend(history: &dyn HistoryPort) {
    let by = |plugin: &str, session: Option<&str>, second| UsageRecord {
        plugin: Some(plugin.into()),
        session: session.map(Into::into),
        turn: session.map(|_| "t".into()),
        at: moment(second),
        ..usage("s", 10, Some(5))
    };
    for record in [by("a", Some("s"), 1), by("a", None, 2), by("a", Some("s"), 3), by("b", Some("s"), 3), usage("s", 1, None)] {
        history.record_usage(record).await.expect("it writes");
    }
    let of = async |plugin: &str, since, turn: Option<&str>| {
        let turn = turn.map(Into::into);
        history.usage_of_plugin(&plugin.into(), moment(since), turn.as_ref()).await.expect("it counts").answers
    };
    assert_eq!((of("a", 0, None).await, of("a", 2, None).await, of("a", 3, None).await, of("a", 4, None).await), (3, 2, 1, 0));
    assert_eq!((of("a", 0, Some("t")).await, of("a", 0, Some("u")).await, of("b", 0, None).await), (2, 0, 1));
    assert_eq!(history.usage(&"s".into()).await.expect("it counts").answers, 4, "what plugins ask in a session is its cost too");
    history.append(&"s".into(), vec![says("hello")]).await.expect("it writes");
    assert!(history.delete_session(&"s".into()).await.expect("it deletes"));
    assert_eq!(history.usage(&"s".into()).await.expect("it counts").answers, 0);
    assert_eq!((of("a", 0, None).await, of("a", 0, Some("t")).await), (3, 0), "and is still booked when the session is gone");
}

async fn deletes_a_session_whole(history: &dyn HistoryPort) {
    for name in ["s", "t"] {
        history.append(&name.into(), vec![says("hello")]).await.expect("it writes");
        history.begin_turn(turn(&format!("turn of {name}"), name, 1)).await.expect("it begins");
        history.record_call(call("1", Some(name))).await.expect("it writes");
        history.record_usage(usage(name, 1, None)).await.expect("it writes");
    }
    assert!(history.delete_session(&"s".into()).await.expect("it deletes"));
    assert!(!history.delete_session(&"s".into()).await.expect("it is gone"));
    assert_eq!(names(history).await, ["t"]);
    assert!(all(history, "s").await.is_empty() && all(history, "t").await.len() == 1);
    assert_eq!(history.open_turns().await.expect("it lists"), [turn("turn of t", "t", 1)]);
    assert!(history.calls(&"s".into(), 10).await.expect("it lists").is_empty());
    assert_eq!(history.usage(&"s".into()).await.expect("it counts").answers, 0);
    assert_eq!(history.usage(&"t".into()).await.expect("it counts").answers, 1);
    let anew = history.append(&"s".into(), vec![says("hello")]).await.expect("it writes");
    assert_eq!(anew[0].number, 1, "it begins anew");
}

async fn remembers_switches(history: &dyn HistoryPort) {
    for (plugin, enabled) in [("b", Some(true)), ("a", Some(true)), ("a", Some(false)), ("c", Some(true)), ("c", None)] {
        history.set_enabled(plugin, enabled).await.expect("it writes");
    }
    history.set_enabled("never", None).await.expect("there was nothing");
    assert_eq!(history.enabled().await.expect("it lists"), [("a".to_owned(), false), ("b".to_owned(), true)]);
}

async fn numbers_without_gaps(history: Arc<dyn HistoryPort>) {
    const TASKS: usize = 16;
    const APPENDS: usize = 25;
    let tasks: Vec<_> = (0..TASKS)
        .map(|task| {
            let history = Arc::clone(&history);
            tokio::spawn(async move {
                for number in 0..APPENDS {
                    // Two sessions, and each time two messages that stay together.
                    let id = SessionId::from(if task % 2 == 0 { "even" } else { "odd" });
                    let name = format!("{task}/{number}");
                    let written = history.append(&id, vec![says(&name), says(&name)]).await.expect("it writes");
                    assert_eq!(written[1].number, written[0].number + 1);
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.expect("it does not panic");
    }
    for session in ["even", "odd"] {
        let messages = all(&*history, session).await;
        assert!(messages.iter().map(|message| message.number).eq(1..=(TASKS * APPENDS) as u64));
        assert!(messages.chunks(2).all(|pair| text(&pair[0]) == text(&pair[1])), "two that came together stay together");
    }
}
