//! The transcripts as they are on disk after a conversation.

use nekro_core::{
    event::facts::{MessageReceived, MessageSent, SessionClear, SessionCreated, ToolCallStarted, ToolExecuted, ToolOutcome},
    testing::Host,
};
use nekro_plugin_transcript::Transcript;
use serde_json::{Value, json};

fn host(config: Value) -> Host {
    Host::builder::<Transcript>().config(config).start()
}

fn recording() -> Host {
    host(json!({ "record": true }))
}

fn received(session: &str, text: &str) -> MessageReceived {
    MessageReceived { session: session.into(), message: "1".into(), user: Some("ada".into()), text: text.to_owned() }
}

#[track_caller]
fn read(host: &Host, file: &str) -> String {
    host.run(host.files::<Transcript>().own().read_text(file)).expect("the file")
}

fn names(host: &Host) -> Vec<String> {
    let entries = host.run(host.files::<Transcript>().own().list()).expect("a listing");
    entries.into_iter().map(|entry| entry.path.to_string()).collect()
}

/// Without the time, which stands still.
fn untimed(text: &str) -> String {
    text.replace("*2030-01-01 12:00:00 · ", "*").replace(" · 2030-01-01 12:00:00", "")
}

#[test]
fn a_conversation_can_be_read() {
    let host = recording();
    host.emit(SessionCreated { session: "a:1".into(), channel: "terminal".into(), user: None });
    host.emit(received("a:1", "roll\nplease"));
    let call = |arguments| ToolCallStarted {
        session: Some("a:1".into()),
        turn: None,
        call: "1".into(),
        tool: "dice.roll".into(),
        arguments,
    };
    host.emit(call(json!({ "a_token": "abc", "notation": "1d6" })));
    host.emit(ToolExecuted {
        session: Some("a:1".into()),
        turn: None,
        call: "1".into(),
        tool: "dice.roll".into(),
        outcome: ToolOutcome::Denied,
        micros: 5,
    });
    host.emit(MessageSent { session: "a:1".into(), message: "2".into(), text: "no".into(), plugin: None });
    host.emit(SessionClear { session: "a:1".into() });
    assert_eq!(
        untimed(&read(&host, "session-a_3a1.md")),
        "*session a:1 begun on terminal*\n\n**ada**\n\n> roll\n> please\n\n*dice.roll is called*\n\n\
         > {\"a_token\":\"[hidden]\",\"notation\":\"1d6\"}\n\n*dice.roll was refused*\n\n**agent**\n\n> no\n\n*begun anew*\n\n"
    );
}

#[test]
fn nothing_is_kept_unless_the_operator_says_so() {
    let host = host(json!({}));
    host.emit(received("test", "hello"));
    assert_eq!(names(&host), Vec::<String>::new());
    assert!(host.command("/transcript").expect("an answer").to_text().contains("`plugins.transcript.record` is off"));
}

#[test]
fn each_session_has_its_own_file_whatever_it_is_called() {
    let host = recording();
    for session in ["../../etc/passwd", "A", "a", ""] {
        host.emit(received(session, "hello"));
    }
    host.emit(received(&"x".repeat(5_000), "too long to be a name"));
    let expected = ["session-.md", "session-_2e_2e_2f_2e_2e_2fetc_2fpasswd.md", "session-_41.md", "session-a.md"];
    assert_eq!(names(&host), expected);
}

#[test]
fn what_tools_are_called_with_can_be_left_out() {
    let host = host(json!({ "record": true, "arguments": false }));
    host.emit(ToolCallStarted {
        session: Some("a".into()),
        turn: None,
        call: "1".into(),
        tool: "notes.save".into(),
        arguments: json!({ "text": "private" }),
    });
    assert_eq!(untimed(&read(&host, "session-a.md")), "*notes.save is called*\n\n");
}

#[test]
fn a_full_file_makes_room_for_the_next_and_only_one_is_kept() {
    let host = host(json!({ "record": true, "max_bytes": 10_000, "max_message": 1_000 }));
    for number in 0..100 {
        host.emit(received("a", &format!("{number} {}", "x".repeat(900))));
    }
    assert_eq!(names(&host), ["session-a.md", "session-a.old.md"]);
    let (old, new) = (read(&host, "session-a.old.md"), read(&host, "session-a.md"));
    assert!((10_000..12_000).contains(&old.len()) && new.len() <= 10_000, "{} {}", old.len(), new.len());
    assert!(new.contains("> 99 x") && !old.contains("> 99 x"));
}

#[test]
fn a_person_who_runs_the_conversation_reads_the_end_of_it() {
    let host = recording();
    assert_eq!(host.command("/transcript").expect("an answer").to_text(), "There is no transcript yet.");
    host.emit(received("test", "one\ntwo\nthree"));
    assert_eq!(host.command("/transcript 3").expect("an answer").to_text(), "> two\n> three\n");
}

#[test]
fn limits_are_told() {
    let error = Host::builder::<Transcript>().config(json!({ "max_bytes": 1 })).try_start().expect_err("a refusal");
    assert!(error.contains("`max_bytes`: expected a number from 10000 to 10000000, but 1 came"), "{error}");
}
