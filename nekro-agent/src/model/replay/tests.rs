use std::{
    io::{self, Write},
    sync::{Arc, Mutex},
};

use expect_test::{Expect, expect};
use nekro_core::{Image, Secret};

use super::*;
use crate::model::{
    Chunk, Entry,
    ModelErrorKind::Unavailable,
    ToolSpec, ToolUse,
    around::testing::{Act, Scripted, written},
};

/// A file in memory.
#[derive(Clone, Default)]
struct Memory(Arc<Mutex<Vec<u8>>>);

impl Memory {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().expect("nobody panicked").clone()).expect("text")
    }
}

impl Write for Memory {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("nobody panicked").write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn request(text: &str) -> Request {
    let image = Image { media_type: "image/png".to_owned(), bytes: vec![1, 2, 3] };
    Request {
        system: vec!["Be kind.".to_owned()],
        entries: vec![Entry::Person { name: None, text: text.to_owned(), images: vec![image] }],
        tools: vec![ToolSpec {
            name: "dice.roll".to_owned(),
            description: "Rolls.".to_owned(),
            arguments: serde_json::json!({}),
        }],
        ..Request::default()
    }
}

async fn asked(model: &dyn Model, request: &Request) -> String {
    let mut lines = String::new();
    let mut sink = |chunk: Chunk<'_>| lines += &format!("{}\n", written(chunk));
    let result = model.ask(request, &mut sink).await;
    lines + &result.map_or_else(|error| format!("{:?}: {error}", error.kind), |answer| format!("{answer:?}"))
}

async fn record(acts: impl IntoIterator<Item = Act>, secrets: Secrets, said: &[&str]) -> (String, Vec<String>) {
    let file = Memory::default();
    let mut model = Scripted::new("main", acts);
    model.answer.calls = vec![ToolUse { id: "1".to_owned(), tool: "dice.roll".to_owned(), arguments: "{}".to_owned() }];
    let recording = Recording::new(Box::new(file.clone()), secrets).expect("a recording");
    let recorder = Recorder::new(Arc::new(model), recording);
    let mut outcomes = Vec::new();
    for said in said {
        outcomes.push(asked(&recorder, &request(said)).await);
    }
    (file.text(), outcomes)
}

#[tokio::test]
async fn what_was_recorded_happens_again() {
    let acts = || [Act::Say("hello"), Act::Fail(ModelError::new(Unavailable, "503"))];
    let (text, outcomes) = record(acts(), Secrets::default(), &["a", "b"]).await;
    expect![[r#"
        {"nekro_recording":1}
        {"request":{"entries":[{"images":[{"bytes":3,"checksum":"d0aa6218672cf5ab","media_type":"image/png"}],"person":"a"}],"system":["Be kind."],"tools":[{"arguments":{},"description":"Rolls.","name":"dice.roll"}]},"parts":[{"text":"hello"}],"answer":{"calls":[{"arguments":"{}","id":"1","tool":"dice.roll"}],"model":"main","stop":"end","text":"hello","usage":{"cached_tokens":0,"input_tokens":0,"output_tokens":0}}}
        {"request":{"entries":[{"images":[{"bytes":3,"checksum":"d0aa6218672cf5ab","media_type":"image/png"}],"person":"b"}],"system":["Be kind."],"tools":[{"arguments":{},"description":"Rolls.","name":"dice.roll"}]},"error":{"kind":"unavailable","message":"503"}}
    "#]]
    .assert_eq(&text);
    let replay = Replay::read("main", &text).expect("a recording");
    for (said, outcome) in ["a", "b"].iter().zip(outcomes) {
        assert_eq!(asked(&replay, &request(said)).await, outcome);
    }
    expect!["BadRequest: the recording of the model `main` does not fit: it has 2 requests, and this is another one"]
        .assert_eq(&asked(&replay, &request("c")).await);
}

#[tokio::test]
async fn another_request_is_refused_with_the_difference() {
    let (text, _) = record([Act::Say("hello")], Secrets::default(), &["roll two dice, please"]).await;
    let check = async |request: Request, expected: Expect| {
        expected.assert_eq(&asked(&Replay::read("main", &text).expect("a recording"), &request).await);
    };
    check(
        request("roll two dices"),
        expect![[r#"BadRequest: the recording of the model `main` does not fit: line 2: `entries[0].person` was "roll two dice, please", and is "roll two dices""#]],
    )
    .await;
    let request = |change: fn(&mut Request)| {
        let mut request = request("roll two dice, please");
        change(&mut request);
        request
    };
    check(
        request(|request| request.entries.push(Entry::Notice { text: "x".to_owned() })),
        expect![[r#"BadRequest: the recording of the model `main` does not fit: line 2: `entries[1]` was nothing, and is {"notice":"x"}"#]],
    )
    .await;
    check(
        request(|request| request.temperature = Some(0.5)),
        expect!["BadRequest: the recording of the model `main` does not fit: line 2: `temperature` was nothing, and is 0.5"],
    )
    .await;
    check(
        request(|request| request.entries = vec![Entry::Person { name: None, text: "roll two dice, please".to_owned(), images: vec![] }]),
        expect![[r#"BadRequest: the recording of the model `main` does not fit: line 2: `entries[0].images` was [{"bytes":3,"checksum":"d0aa6218672cf5ab","media_type":"image/png"}], and is nothing"#]],
    )
    .await;
}

#[tokio::test]
async fn a_secret_is_nowhere_in_a_recording_and_it_is_played_all_the_same() {
    let secrets = || {
        Secrets::new([Secret::new("hunter2-long".to_owned()), Secret::new("hunter2".to_owned()), Secret::new("ab".to_owned())])
    };
    let said = "my key is sk-abcdefghijklmnopqrstuvwx, and the other hunter2-long";
    let (text, _) = record([Act::Say("sk-abcdefghijklmnopqrstuvwx and hunter2")], secrets(), &[said]).await;
    assert!(!text.contains("hunter2") && !text.contains("abcdefghij"), "{text}");
    assert!(text.contains("my key is (secret), and the other (secret)"), "{text}");
    assert!(text.contains("able") || text.contains("tool"), "what is too short to be a secret is left");
    let replay = Replay::read("main", &text).expect("a recording");
    assert!(
        asked(&replay, &request("my key is sk-abcdefghijklmnopqrstuvwx, and the other (secret)"))
            .await
            .contains("(secret) and (secret)")
    );
}

#[tokio::test]
async fn a_secret_that_becomes_known_later_is_not_written_either() {
    let file = Memory::default();
    let secrets = Secrets::new([Secret::new("hunter2".to_owned())]).and_later(crate::log::hidden);
    let recording = Recording::new(Box::new(file.clone()), secrets).expect("a recording");
    let recorder = Recorder::new(Arc::new(Pieces(&["it is from-the-", "keyring"])), recording);
    asked(&recorder, &request("hunter2")).await;
    assert!(file.text().contains("from-the-"), "nobody knows that it is one: {}", file.text());
    // As the keyring does when a plugin asks for it.
    crate::log::hide_too("from-the-keyring");
    asked(&recorder, &request("hunter2 from-the-keyring")).await;
    let second = file.text().lines().last().expect("a line").to_owned();
    assert!(second.contains("it is (secret)") && second.contains("(secret) (secret)") && !second.contains("keyring"), "{second}");
    crate::log::hide(vec!["of other settings".to_owned()]);
    asked(&recorder, &request("hunter2 from-the-keyring")).await;
    assert_eq!(file.text().lines().last(), Some(&*second), "new settings do not make it known to others");
}

/// Says a text in pieces.
struct Pieces(&'static [&'static str]);

impl Model for Pieces {
    fn name(&self) -> &str {
        "main"
    }

    fn ask<'a>(&'a self, _: &'a Request, sink: &'a mut dyn Sink) -> BoxFuture<'a, Result<Answer, ModelError>> {
        Box::pin(async {
            self.0.iter().for_each(|piece| sink.chunk(Chunk::Text(piece)));
            Ok(Answer { text: self.0.concat(), ..Answer::default() })
        })
    }
}

#[tokio::test]
async fn a_secret_that_comes_in_pieces_is_found() {
    let file = Memory::default();
    let pieces = Arc::new(Pieces(&["the word is hun", "ter", "2!"]));
    let secrets = Secrets::new([Secret::new("hunter2".to_owned())]);
    let recording = Recording::new(Box::new(file.clone()), secrets).expect("a recording");
    let recorder = Recorder::new(pieces, recording);
    asked(&recorder, &request("a")).await;
    let text = file.text();
    assert!(text.contains(r#""parts":[{"text":"the word is (secret)!"}]"#), "{text}");
}

#[test]
fn what_is_no_recording_is_refused() {
    let check = |text: &str, expected: Expect| {
        expected.assert_eq(&Replay::read("main", text).err().map_or(String::new(), |error| error.to_string()))
    };
    let version = "this is no recording of version 1: its first line should be `{\"nekro_recording\":1}`";
    for text in ["", "hello", "{\"nekro_recording\":2}\n", "{}"] {
        assert_eq!(Replay::read("main", text).err().map(|error| error.to_string()).as_deref(), Some(version), "{text}");
    }
    check("{\"nekro_recording\":1}\n\n", expect![""]);
    check(
        "{\"nekro_recording\":1}\n{}\n",
        expect!["line 2 of the recording is wrong: missing field `request` at line 1 column 2"],
    );
    check(
        "{\"nekro_recording\":1}\n{\"request\":{}}\n",
        expect!["line 2 of the recording is wrong: no variant of enum Outcome found in flattened data at line 1 column 14"],
    );
}

#[test]
fn a_recording_never_takes_the_place_of_another_file() {
    let place = tempfile::tempdir().expect("a directory");
    let path = place.path().join("turns.jsonl");
    let create = || Recording::create(&path, Secrets::default()).map(drop);
    create().expect("a new file");
    assert_eq!(create().expect_err("it is there").kind(), io::ErrorKind::AlreadyExists);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(&path).expect("a file").permissions().mode() & 0o777, 0o600);
    }
    Replay::open("main", &path).expect("an empty recording");
}
