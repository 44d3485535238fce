//! Whole turns: with a provider that does what the test says, with a person who types, and with a program that is killed.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{BufRead, BufReader, Read, Write},
    net::TcpListener,
    sync::mpsc,
    time::Duration,
};

use serde_json::{Value, json};

use crate::support::Place;
#[cfg(unix)]
use crate::terminal::Terminal;

/// A provider that speaks as OpenAI does, and gives each request the next answer.
pub(crate) struct Provider {
    pub(crate) place: Place,
    requests: mpsc::Receiver<Value>,
}

/// An answer: its status, further lines of its head, and what it streams.
pub(crate) type Answer = (&'static str, String);

impl Provider {
    pub(crate) fn new(answers: Vec<Answer>) -> Self {
        Self::waiting(answers, |_| {})
    }

    /// Makes one that does something before each answer, by its number.
    fn waiting(answers: Vec<Answer>, before: impl Fn(usize) + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}/v1", listener.local_addr().expect("its address"));
        let (asked, requests) = mpsc::channel();
        std::thread::spawn(move || {
            for (number, (status, stream)) in answers.into_iter().enumerate() {
                let Ok((mut peer, _)) = listener.accept() else { return };
                let mut reader = BufReader::new(peer.try_clone().expect("a second handle"));
                let head = reader.by_ref().lines().map_while(Result::ok).take_while(|line| !line.is_empty());
                let length = head.filter_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok()).last();
                let mut body = vec![0; length.unwrap_or(0)];
                reader.read_exact(&mut body).expect("the request");
                let _ = asked.send(serde_json::from_slice(&body).expect("JSON"));
                before(number);
                let head = format!("HTTP/1.1 {status}\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n");
                // One that was stopped no longer reads.
                let _ = peer.write_all(format!("{head}{stream}").as_bytes());
            }
        });
        let settings = format!(
            "[models]\ndefault = 'main'\n[models.main]\nprovider = 'openai'\nmodel = 'gpt-x'\nurl = '{url}'\napi_key = 's3cret-key'\n"
        );
        Self { place: Place::with_settings(&settings), requests }
    }

    /// Returns the next request that was made.
    #[track_caller]
    pub(crate) fn request(&self) -> Value {
        self.requests.recv_timeout(Duration::from_secs(30)).expect("it was asked")
    }
}

pub(crate) fn stream(deltas: &[Value], reason: &str) -> String {
    let chunk = |delta: &Value, reason: Value| {
        let choice = json!({ "index": 0, "delta": delta, "finish_reason": reason });
        format!("data: {}\n\n", json!({ "id": "c", "model": "gpt-x", "choices": [choice], "usage": null }))
    };
    let usage = json!({ "id": "c", "model": "gpt-x", "choices": [], "usage": { "prompt_tokens": 20, "completion_tokens": 5 } });
    let parts: String = deltas.iter().map(|delta| chunk(delta, Value::Null)).collect();
    format!("{parts}{}data: {usage}\n\ndata: [DONE]\n\n", chunk(&json!({}), reason.into()))
}

pub(crate) fn call(index: u32, tool: &str, arguments: &str) -> Value {
    json!({ "tool_calls": [{ "index": index, "id": format!("call_{index}"), "type": "function",
        "function": { "name": tool, "arguments": arguments } }] })
}

fn more(index: u32, arguments: &str) -> Value {
    json!({ "tool_calls": [{ "index": index, "function": { "arguments": arguments } }] })
}

#[test]
fn a_streaming_turn_with_calls_at_the_same_time_runs_through_a_provider() {
    let calls = [
        call(0, "dice__roll", "{\"nota"),
        call(1, "notes__save", ""),
        more(0, "tion\":\"5d1\"}"),
        more(1, "{\"text\":\"milk\"}"),
    ];
    let answer = [json!({ "role": "assistant", "content": "You rolled " }), json!({ "content": "a 5." })];
    let provider = Provider::new(vec![
        ("429 Too Many Requests\r\nretry-after: 0", String::new()),
        ("200 OK", stream(&calls, "tool_calls")),
        ("200 OK", stream(&answer, "stop")),
    ]);
    let out = provider.place.run(&["--json", "chat", "--once", "roll, and note milk"]).good();
    let refused = provider.request();
    let first = provider.request();
    assert_eq!(refused, first, "it is asked the same again");
    assert_eq!((&first["stream"], &first["model"]), (&true.into(), &"gpt-x".into()));
    let second = provider.request();
    let said: Vec<_> = second["messages"].as_array().expect("messages").iter().skip(1).collect();
    let results: Vec<_> = said.iter().filter(|message| message["role"] == "tool").collect();
    assert_eq!(results.iter().map(|result| &result["tool_call_id"]).collect::<Vec<_>>(), ["call_0", "call_1"], "{second:#}");
    assert!(results[0]["content"].as_str().is_some_and(|text| text.contains("\"total\":5")), "{second:#}");
    let lines: Vec<Value> = out.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let of = |event: &str| lines.iter().filter(|line| line["event"] == event).map(|line| &line["data"]).collect::<Vec<_>>();
    assert_eq!((of("tool_executed").len(), of("llm_retry").len()), (2, 1), "{out}");
    assert_eq!(of("llm_response_chunk").iter().filter_map(|data| data["text"].as_str()).collect::<String>(), "You rolled a 5.");
    assert_eq!((&of("llm_usage")[0]["input_tokens"], &of("turn_complete")[0]["outcome"]), (&20.into(), &"answered".into()));
    assert!(lines.iter().any(|line| line["answer"] == "You rolled a 5."), "{out}");
    assert!(!out.contains("s3cret"), "{out}");
}

#[test]
fn a_provider_that_breaks_off_ends_the_turn_and_not_the_program() {
    let provider = Provider::new(vec![("401 Unauthorized", "{\"error\":{\"message\":\"no such key\"}}".to_owned())]);
    let run = provider.place.run_with(&["chat"], "hello\n/roll 5d1\n");
    assert!(run.out.contains("5d1: 5"), "{run:?}");
    let err = run.bad(1);
    assert!(err.contains("main") && !err.contains("s3cret"), "{err}");
}

#[test]
fn a_picture_is_sent_by_its_path_and_its_secret_is_not_recorded() {
    let provider = Provider::new(vec![("200 OK", stream(&[json!({ "content": "A cat, s3cret-key." })], "stop"))]);
    std::fs::write(provider.place.path().join("cat"), b"\x89PNG\r\n\x1a\n...").expect("a file");
    let out = provider.place.run(&["chat", "--record", "turns.jsonl", "--once", "/image cat what is this?"]).good();
    assert!(out.contains("A cat"), "{out}");
    let request = provider.request().to_string();
    assert!(request.contains("what is this?") && request.contains("data:image/png;base64,"), "{request}");
    let recording = std::fs::read_to_string(provider.place.path().join("turns.jsonl")).expect("the recording");
    assert!(recording.contains("A cat") && !recording.contains("s3cret"), "{recording}");
    let err = provider.place.run(&["chat", "--once", "/image nekro.toml"]).bad(1);
    assert!(err.contains("nekro.toml is no picture"), "{err}");
}

#[cfg(unix)]
#[test]
fn what_is_typed_during_a_turn_is_taken_at_once() {
    let (go_on, held) = mpsc::channel::<()>();
    let say = |text: &str| ("200 OK", stream(&[json!({ "content": text })], "stop"));
    let provider = Provider::waiting(vec![say("first answer"), say("second answer")], move |number| {
        if number == 0 {
            let _ = held.recv_timeout(Duration::from_secs(30));
        }
    });
    let mut terminal = Terminal::start(provider.place.command(&["chat"]));
    terminal.see("> ");
    terminal.enter("hello");
    provider.request();
    terminal.enter("/status");
    terminal.see("0 waiting");
    terminal.enter("and this");
    // It is stored and decided on before it waits.
    loop {
        terminal.enter("/status");
        if terminal.see(" waiting").contains("1 waiting") {
            break;
        }
    }
    go_on.send(()).expect("it waits");
    terminal.see("second answer");
    assert!(provider.request().to_string().contains("and this"));
    terminal.see("> ");
    terminal.enter("/quit");
    terminal.ends_well();
}

/// How often the program is killed.
const KILLS: u32 = 40;
/// The longest life of one that is killed.
const LONGEST_LIFE: Duration = Duration::from_millis(150);

/// The place of a value, by the name of what it is.
#[cfg(unix)]
#[test]
fn a_person_sees_how_far_a_call_has_come_and_a_pipe_does_not() {
    let file = r#"{"file":"data:text/plain,Green%20tea.","name":"tea"}"#;
    let answers = || {
        vec![
            ("200 OK", stream(&[call(0, "knowledge__ingest", file)], "tool_calls")),
            ("200 OK", stream(&[json!({ "content": "Read." })], "stop")),
        ]
    };
    let provider = Provider::new(answers());
    let mut terminal = Terminal::start(provider.place.command(&["chat"]));
    terminal.see("> ");
    terminal.enter("read this");
    let seen = terminal.see("Read.");
    let at = |words: &str| seen.find(words).unwrap_or_else(|| panic!("`{words}` is not shown: {seen:?}"));
    let line = "⋯ knowledge.ingest 0 of 1, writing places of tea\r";
    assert!(at("→ knowledge.ingest") < at(line) && at(line) < at("\u{1b}[K✓ knowledge.ingest"), "{seen:?}");
    // As a call that is typed shows it, too.
    terminal.enter(r#"knowledge.ingest(file="data:text/plain,Black%20tea.", name="black")"#);
    let seen = terminal.see("\"places\":1");
    assert!(seen.contains("⋯ knowledge.ingest 0 of 1, writing places of black\r\u{1b}[K"), "{seen:?}");
    terminal.enter("/quit");
    terminal.ends_well();
    let out = Provider::new(answers()).place.run_with(&["chat"], "read this\n").good();
    assert!(!out.contains('⋯') && !out.contains('\u{1b}'), "{out:?}");
}

fn events<'l>(lines: &'l [Value], event: &'l str) -> impl Iterator<Item = &'l Value> {
    lines.iter().filter(move |line| line["event"] == event).map(|line| &line["data"])
}

fn name(value: &Value) -> String {
    value.as_str().expect("a name").to_owned()
}

#[test]
fn a_program_that_is_killed_loses_no_message_and_ends_every_turn_once() {
    let place = Place::new();
    let (mut kept, mut begun) = (BTreeSet::new(), BTreeSet::new());
    let mut ended: BTreeMap<String, u32> = BTreeMap::new();
    let mut look = |out: &str| {
        // The last line may be cut off.
        let whole = out.rsplit_once('\n').map_or("", |(whole, _)| whole);
        let lines: Vec<Value> = whole.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect();
        kept.extend(events(&lines, "message_received").map(|data| name(&data["message"])));
        begun.extend(events(&lines, "turn_begin").map(|data| name(&data["turn"])));
        events(&lines, "turn_complete").for_each(|data| *ended.entry(name(&data["turn"])).or_default() += 1);
    };
    let arguments = ["--json", "chat", "--once", "note that the milk is empty"];
    for _ in 0..KILLS {
        let mut child = place.command(&arguments).spawn().expect("the program starts");
        let mut random = [0; 8];
        getrandom::fill(&mut random).expect("chance");
        std::thread::sleep(Duration::from_nanos(u64::from_le_bytes(random) % LONGEST_LIFE.as_nanos() as u64));
        // It may have ended before.
        let _ = child.kill();
        let output = child.wait_with_output().expect("it has ended");
        look(&String::from_utf8_lossy(&output.stdout));
    }
    look(&place.run(&arguments).good());
    assert!(kept.len() > 1 && begun.len() > 1, "the program never lived long enough: {kept:?}");
    assert!(ended.values().all(|&times| times == 1), "{ended:?}");
    place.run(&["data", "export", "all.jsonl"]).good();
    let all = std::fs::read_to_string(place.path().join("all.jsonl")).expect("the export");
    let all: Vec<Value> = all.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect();
    let ids: BTreeSet<_> = all.iter().filter_map(|one| one["message"]["id"].as_str()).map(str::to_owned).collect();
    assert!(kept.is_subset(&ids), "lost: {:?}", kept.difference(&ids));
    let turns: BTreeMap<_, _> =
        all.iter().filter_map(|one| Some((one["turn"]["id"].as_str()?.to_owned(), &one["turn"]))).collect();
    for turn in &begun {
        assert!(
            turns.get(turn).is_some_and(|turn| turn["ended"]["outcome"].is_string()),
            "{turn} has not ended: {:?}",
            turns.get(turn)
        );
    }
    assert!(turns.values().all(|turn| turn["ended"]["outcome"].is_string()), "{turns:#?}");
}
