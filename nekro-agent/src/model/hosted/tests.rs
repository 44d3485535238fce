//! Providers that do what the test says: over a port in memory, where time stands still, and once over a real socket.

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
};

use expect_test::{Expect, expect};
use nekro_core::Image;
use proptest::prelude::*;
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    time::sleep,
};

use super::{
    transport::{Body, Post, Response},
    *,
};
use crate::model::{
    Chunk, Entry, ToolSpec, ToolUse, Usage,
    around::testing::written,
    settings::{ModelsSettings, Provider},
};

/// What comes over the wire.
#[derive(Clone)]
enum Piece {
    Bytes(Vec<u8>),
    Wait(Duration),
    Cut,
}

/// A network that gives every request the same answer, and keeps what was sent.
struct Script {
    status: u16,
    is_stream: bool,
    pieces: Vec<Piece>,
    sent: Mutex<Option<Value>>,
}

struct Pieces(VecDeque<Piece>);

impl Body for Pieces {
    fn next(&mut self) -> BoxFuture<'_, Result<Option<Vec<u8>>, ModelError>> {
        Box::pin(async {
            loop {
                match self.0.pop_front() {
                    None => return Ok(None),
                    Some(Piece::Bytes(bytes)) => return Ok(Some(bytes)),
                    Some(Piece::Wait(time)) => sleep(time).await,
                    Some(Piece::Cut) => return Err(ModelError::new(Unavailable, "the answer broke off: connection reset")),
                }
            }
        })
    }
}

impl Transport for Script {
    fn send(&self, post: Post) -> BoxFuture<'_, Result<Response, ModelError>> {
        Box::pin(async move {
            let mut body: Value = serde_json::from_str(&post.body).expect("JSON");
            body["(url)"] = post.url.into();
            body["(headers)"] = post.headers.iter().map(|(name, value)| format!("{name}: {}", value.expose())).collect();
            *self.sent.lock().unwrap_or_else(PoisonError::into_inner) = Some(body);
            let body = Box::new(Pieces(self.pieces.iter().cloned().collect()));
            Ok(Response { status: self.status, retry_after: None, is_stream: self.is_stream, body })
        })
    }
}

const BOUNDS: Bounds =
    Bounds { first_byte: Duration::from_secs(20), between_chunks: Duration::from_secs(10), most_bytes: 10_000 };

fn model(provider: Provider, url: Option<&str>, transport: Arc<dyn Transport>) -> Hosted {
    let key = Secret::new("s3cret-key".to_owned());
    let vendor = Vendor::of(provider, url).expect("a provider over the network");
    let address = Address {
        vendor,
        url,
        model: "x-1",
        key: Some(&key),
        headers: vec![("x-team".to_owned(), Secret::new("t34m-secret".to_owned()))],
    };
    Hosted::new("main", address, BOUNDS, transport)
}

fn offered() -> Request {
    let tool = |name: &str| ToolSpec {
        name: name.to_owned(),
        description: format!("Does {name}."),
        arguments: json!({ "$schema": "x", "type": "object" }),
    };
    let said = Entry::Person { name: None, text: "hi".to_owned(), images: Vec::new() };
    Request { entries: vec![said], tools: vec![tool("dice.roll"), tool("notes.list")], ..Request::default() }
}

/// Asks, and returns what came and what came of it.
async fn asked(model: &Hosted) -> String {
    let mut lines = String::new();
    let mut sink = |chunk: Chunk<'_>| lines += &written(chunk);
    let result = model.ask(&offered(), &mut sink).await;
    let told = match result {
        Ok(answer) => {
            let calls: String =
                answer.calls.iter().map(|call| format!("\n{} {} {}", call.id, call.tool, call.arguments)).collect();
            assert_eq!(
                lines,
                if answer.reasoning.is_empty() { answer.text.clone() } else { lines.clone() },
                "the parts are the whole"
            );
            let Usage { input_tokens, output_tokens, cached_tokens } = answer.usage;
            format!(
                "{}|{}|{:?} {input_tokens} ({cached_tokens}) {output_tokens}{calls}",
                answer.reasoning, answer.text, answer.stop
            )
        }
        Err(error) => format!("{:?}: {error}", error.kind),
    };
    assert!(!told.contains("s3cret"), "{told}");
    told
}

fn script(status: u16, is_stream: bool, pieces: Vec<Piece>) -> Arc<Script> {
    Arc::new(Script { status, is_stream, pieces, sent: Mutex::new(None) })
}

async fn of_pieces(provider: Provider, pieces: Vec<Piece>) -> String {
    asked(&model(provider, None, script(200, true, pieces))).await
}

fn bytes(text: &str) -> Piece {
    Piece::Bytes(text.as_bytes().to_vec())
}

async fn of_text(provider: Provider, text: &str) -> String {
    of_pieces(provider, vec![bytes(text)]).await
}

const OPENAI: &str = include_str!("streams/openai.sse");
const ANTHROPIC: &str = include_str!("streams/anthropic.sse");
const OLLAMA: &str = include_str!("streams/ollama.sse");

#[tokio::test]
async fn the_streams_of_the_providers_are_read_wherever_they_are_cut() {
    for (provider, stream, expected) in [
        (
            Provider::Openai,
            OPENAI,
            expect![[r#"
            |Schön, I roll 🎲.|End 120 (64) 30
            call_a dice.roll {"notation":"2d6"}
            call_b notes.list {}"#]],
        ),
        (
            Provider::Anthropic,
            ANTHROPIC,
            expect![[r#"
            Two dice.|Schön, I roll 🎲.|End 120 (64) 30
            toolu_a dice.roll {"notation": "2d6"}
            toolu_b notes.list {}"#]],
        ),
        (
            Provider::Ollama,
            OLLAMA,
            expect![[r#"
            Two dice.||End 120 (0) 30
            call_a dice.roll {"notation":"2d6"}
            call_b notes.list {}"#]],
        ),
    ] {
        for stream in [stream.to_owned(), stream.replace('\n', "\r\n")] {
            let whole = of_text(provider, &stream).await;
            expected.assert_eq(&whole);
            for cut in 0..=stream.len() {
                let (left, right) = stream.as_bytes().split_at(cut);
                let pieces = vec![Piece::Bytes(left.to_vec()), Piece::Bytes(right.to_vec())];
                assert_eq!(of_pieces(provider, pieces).await, whole, "cut at {cut}");
            }
            let single = stream.bytes().map(|byte| Piece::Bytes(vec![byte])).collect();
            assert_eq!(of_pieces(provider, single).await, whole, "byte by byte");
        }
    }
}

#[tokio::test]
async fn a_stream_that_ends_in_the_middle_is_no_answer() {
    for (provider, stream) in [(Provider::Openai, OPENAI), (Provider::Anthropic, ANTHROPIC), (Provider::Ollama, OLLAMA)] {
        // Up to where the provider says that this is all.
        let end = stream.find("finish_reason\":\"tool").or_else(|| stream.find("event: message_stop")).expect("an end");
        for cut in 0..end {
            if !stream.is_char_boundary(cut) {
                continue;
            }
            let told = of_text(provider, &stream[..cut]).await;
            assert_eq!(told, "Unavailable: the model `main` did not answer: the answer broke off", "cut at {cut}");
        }
        let cut = of_pieces(provider, vec![bytes(&stream[..end]), Piece::Cut]).await;
        assert_eq!(cut, "Unavailable: the model `main` did not answer: the answer broke off: connection reset");
    }
}

fn part(part: Value) -> String {
    format!("data: {}\n\n", json!({ "choices": [{ "delta": part }] }))
}

#[tokio::test]
async fn what_other_servers_do_differently_is_understood() {
    const END: &str = "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n";
    let call = |fields: Value| part(json!({ "tool_calls": [fields] }));
    for (what, stream, expected) in [
        (
            "no number",
            call(json!({ "id": "a", "function": { "name": "dice__roll", "arguments": "{" } }))
                + &call(json!({ "function": { "arguments": "}" } }))
                + END,
            expect![[r#"
            ||End 0 (0) 0
            a dice.roll {}"#]],
        ),
        (
            "no id",
            call(json!({ "index": 0, "function": { "name": "dice.roll" } }))
                + &call(json!({ "index": 1, "function": { "name": "notes__list" } }))
                + END,
            expect![[r#"
            ||End 0 (0) 0
            call-1-0 dice.roll {}
            call-1-1 notes.list {}"#]],
        ),
        (
            "a number without end",
            call(json!({ "index": u64::MAX, "id": "a", "function": { "name": "dice__roll", "arguments": "{}" } })) + END,
            expect![[r#"
            ||End 0 (0) 0
            a dice.roll {}"#]],
        ),
        (
            "arguments as JSON",
            call(json!({ "index": 0, "id": "a", "function": { "name": "dice__roll", "arguments": { "notation": "d6" } } })) + END,
            expect![[r#"
            ||End 0 (0) 0
            a dice.roll {"notation":"d6"}"#]],
        ),
        (
            "a name that is repeated",
            call(json!({ "index": 0, "id": "a", "function": { "name": "dice__roll", "arguments": "{" } }))
                + &call(json!({ "index": 0, "id": "a", "function": { "name": "dice__roll", "arguments": "}" } }))
                + END,
            expect![[r#"
            ||End 0 (0) 0
            a dice.roll {}"#]],
        ),
        (
            "a call without a name",
            call(json!({ "index": 0, "id": "a", "function": { "arguments": "{}" } })) + END,
            expect!["||End 0 (0) 0"],
        ),
        (
            "thoughts in a list",
            part(
                json!({ "content": [{ "type": "thinking", "thinking": [{ "type": "text", "text": "hm" }] }, { "type": "text", "text": "yes" }] }),
            ) + END,
            expect!["hm|yes|End 0 (0) 0"],
        ),
        (
            "thoughts by another name",
            part(json!({ "reasoning_content": "hm" })) + &part(json!({ "content": "yes" })) + END,
            expect!["hm|yes|End 0 (0) 0"],
        ),
        (
            "an end by length",
            part(json!({ "content": "yes" })) + "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"length\"}]}",
            expect!["|yes|Length 0 (0) 0"],
        ),
        (
            "a filter",
            "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"content_filter\"}]}\n\n".to_owned(),
            expect!["||Filtered 0 (0) 0"],
        ),
        (
            "comments",
            ": OPENROUTER PROCESSING\n\n".to_owned() + &part(json!({ "content": "yes" })) + END,
            expect!["|yes|End 0 (0) 0"],
        ),
        (
            "wrong types",
            "data: {\"choices\":[{\"delta\":{\"content\":3,\"tool_calls\":{}}}],\"usage\":[]}\n\ndata: []\n\n".to_owned() + END,
            expect!["||End 0 (0) 0"],
        ),
    ] {
        expected.assert_eq(&of_text(Provider::Ollama, &stream).await);
        let _ = what;
    }
}

#[tokio::test]
async fn an_answer_that_is_no_stream_is_read_too() {
    let openai = json!({
        "choices": [{ "message": { "content": "yes", "tool_calls": [{ "id": "a", "function": { "name": "dice__roll", "arguments": "{}" } }] }, "finish_reason": "stop" }],
        "usage": { "prompt_tokens": 3, "completion_tokens": 2 },
    });
    let anthropic = json!({
        "type": "message", "stop_reason": "max_tokens", "usage": { "input_tokens": 3, "output_tokens": 2 },
        "content": [{ "type": "text", "text": "yes" }, { "type": "tool_use", "id": "a", "name": "dice__roll", "input": { "notation": "d6" } }],
    });
    for (provider, answer, expected) in [
        (
            Provider::Openai,
            openai,
            expect![[r#"
            |yes|End 3 (0) 2
            a dice.roll {}"#]],
        ),
        (
            Provider::Anthropic,
            anthropic,
            expect![[r#"
            |yes|Length 3 (0) 2
            a dice.roll {"notation":"d6"}"#]],
        ),
        (Provider::Openai, json!({}), expect!["Unavailable: the model `main` did not answer: it sent JSON without an answer"]),
        (
            Provider::Anthropic,
            json!([1]),
            expect!["Unavailable: the model `main` did not answer: it sent JSON without an answer"],
        ),
        (Provider::Openai, json!({ "error": "no" }), expect!["Unavailable: the model `main` did not answer: it broke off: no"]),
    ] {
        let answer = script(200, false, vec![bytes(&answer.to_string())]);
        expected.assert_eq(&asked(&model(provider, None, answer)).await);
    }
}

#[tokio::test]
async fn what_goes_wrong_is_told_by_its_sort_and_without_the_key() {
    for (provider, status, body, expected) in [
        (
            Provider::Openai,
            401,
            r#"{"error":{"message":"the key s3cret-key is wrong"}}"#,
            expect!["Unauthorized: the model `main` did not answer: 401: the key (secret) is wrong (`models.main.api_key`)"],
        ),
        (Provider::Openai, 500, "team t34m-secret", expect!["Unavailable: the model `main` did not answer: 500: team (secret)"]),
        (
            Provider::Openai,
            200,
            "data: {\"error\":{\"message\":\"busy\",\"code\":429}}\n\n",
            expect!["RateLimited: the model `main` did not answer: it broke off: busy"],
        ),
        (
            Provider::Openai,
            200,
            "data: {nonsense\n\n",
            expect!["Unavailable: the model `main` did not answer: it sent something that is not JSON"],
        ),
        (Provider::Openai, 200, "<html>", expect!["Unavailable: the model `main` did not answer: the answer broke off"]),
        (Provider::Openai, 200, "data: [DONE]\n\n", expect!["||End 0 (0) 0"]),
        (
            Provider::Anthropic,
            200,
            "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"Overloaded\"}}\n\n",
            expect!["Unavailable: the model `main` did not answer: it broke off: Overloaded"],
        ),
        (
            Provider::Anthropic,
            529,
            r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#,
            expect!["Unavailable: the model `main` did not answer: 529: Overloaded"],
        ),
    ] {
        expected.assert_eq(&asked(&model(provider, None, script(status, true, vec![bytes(body)]))).await);
    }
}

#[tokio::test(start_paused = true)]
async fn a_stall_ends_with_the_name_of_the_limit() {
    let wait = |seconds| Piece::Wait(Duration::from_secs(seconds));
    let say = || bytes("data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\n");
    let end = || bytes("data: [DONE]\n\n");
    for (pieces, expected) in [
        (
            vec![wait(21)],
            expect!["Unavailable: the model `main` did not answer: nothing came within 20s (`timeouts.first_byte`)"],
        ),
        (
            vec![wait(19), say(), wait(11)],
            expect!["Unavailable: the model `main` did not answer: nothing more came within 10s (`timeouts.between_chunks`)"],
        ),
        (vec![wait(19), say(), wait(9), bytes(": alive\n\n"), wait(9), say(), wait(9), end()], expect!["|aa|End 0 (0) 0"]),
    ] {
        expected.assert_eq(&of_pieces(Provider::Openai, pieces).await);
    }
}

#[tokio::test]
async fn an_answer_without_end_is_broken_off() {
    let told = "BadRequest: the model `main` did not answer: the answer has more than 10000 bytes (`max_answer_bytes`)";
    let text = part(json!({ "content": "x".repeat(100) }));
    let thought = part(json!({ "reasoning": "x".repeat(100) }));
    let calls =
        part(json!({ "tool_calls": [{ "id": "a", "function": { "name": "b" } }, { "id": "b", "function": { "name": "b" } }] }));
    let nothing = ": nothing at all\n\n".to_owned();
    let line = "data: x".to_owned();
    for piece in [text, thought, calls, nothing, line] {
        let pieces = std::iter::repeat_n(bytes(&piece), 200_000).collect();
        assert_eq!(of_pieces(Provider::Openai, pieces).await, told, "{piece}");
    }
    let json = script(200, false, std::iter::repeat_n(bytes("[[[["), 5_000).collect());
    assert_eq!(asked(&model(Provider::Openai, None, json)).await, told);
    let refusal = script(500, false, std::iter::repeat_n(bytes("no "), 100_000).collect());
    assert!(asked(&model(Provider::Openai, None, refusal)).await.len() < 1_000);
}

/// A conversation with everything in it.
fn everything() -> Request {
    let image = || Image { media_type: "image/png".to_owned(), bytes: vec![1, 2, 3] };
    let call =
        |id: &str, arguments: &str| ToolUse { id: id.to_owned(), tool: "dice.roll".to_owned(), arguments: arguments.to_owned() };
    let result = |id: &str, failed| Entry::Result {
        call: id.to_owned(),
        tool: "dice.roll".to_owned(),
        text: "7".to_owned(),
        images: vec![image()],
        failed,
    };
    Request {
        system: vec!["Be kind.".to_owned(), " ".to_owned(), "It is noon.".to_owned()],
        entries: vec![
            Entry::Answer { text: "Hello!".to_owned(), calls: Vec::new() },
            Entry::Person { name: Some("Ada".to_owned()), text: "look".to_owned(), images: vec![image()] },
            Entry::Notice { text: "a bell".to_owned() },
            Entry::Answer { text: "I roll.".to_owned(), calls: vec![call("a", r#"{"notation":"2d6"}"#), call("b", "{nonsense")] },
            result("b", true),
            result("a", false),
        ],
        prefill: Some("So".to_owned()),
        max_output_tokens: Some(100),
        temperature: Some(1.5),
        ..offered()
    }
}

async fn sent(provider: Provider, url: Option<&str>, expected: Expect) {
    let network = script(200, true, vec![bytes("data: [DONE]\n\n")]);
    let model = model(provider, url, Arc::clone(&network) as _);
    let _ = model.ask(&everything(), &mut |_: Chunk<'_>| {}).await;
    let sent = network.sent.lock().unwrap_or_else(PoisonError::into_inner).take().expect("it was sent");
    let lines = |(key, value): (&String, &Value)| match value {
        Value::Array(items) => format!("{key}:\n{}", items.iter().map(|item| format!("  {item}\n")).collect::<String>()),
        value => format!("{key}: {value}\n"),
    };
    expected.assert_eq(&sent.as_object().expect("an object").iter().map(lines).collect::<String>());
}

#[tokio::test]
async fn a_conversation_is_written_as_the_provider_wants_it() {
    sent(Provider::Openai, None, expect![[r#"
        (headers):
          "authorization: Bearer s3cret-key"
          "x-team: t34m-secret"
        (url): "https://api.openai.com/v1/chat/completions"
        max_completion_tokens: 100
        messages:
          {"content":"Be kind.\n\nIt is noon.","role":"system"}
          {"content":"Hello!","role":"assistant"}
          {"content":[{"text":"Ada: look","type":"text"},{"image_url":{"url":"data:image/png;base64,AQID"},"type":"image_url"}],"role":"user"}
          {"content":"[Notice to the agent] a bell","role":"user"}
          {"content":"I roll.","role":"assistant","tool_calls":[{"function":{"arguments":"{\"notation\":\"2d6\"}","name":"dice__roll"},"id":"a","type":"function"},{"function":{"arguments":"{nonsense","name":"dice__roll"},"id":"b","type":"function"}]}
          {"content":"7","role":"tool","tool_call_id":"a"}
          {"content":"This failed: 7","role":"tool","tool_call_id":"b"}
          {"content":[{"text":"[Pictures in the result of dice.roll]","type":"text"},{"image_url":{"url":"data:image/png;base64,AQID"},"type":"image_url"}],"role":"user"}
          {"content":[{"text":"[Pictures in the result of dice.roll]","type":"text"},{"image_url":{"url":"data:image/png;base64,AQID"},"type":"image_url"}],"role":"user"}
          {"content":"[Notice to the agent] Begin your answer with exactly this, and go on from there:\nSo","role":"user"}
        model: "x-1"
        stream: true
        stream_options: {"include_usage":true}
        temperature: 1.5
        tools:
          {"function":{"description":"Does dice.roll.","name":"dice__roll","parameters":{"type":"object"}},"type":"function"}
          {"function":{"description":"Does notes.list.","name":"notes__list","parameters":{"type":"object"}},"type":"function"}
    "#]]).await;
    sent(Provider::Openai, Some("http://127.0.0.1:8080/v1/"), expect![[r#"
        (headers):
          "authorization: Bearer s3cret-key"
          "x-team: t34m-secret"
        (url): "http://127.0.0.1:8080/v1/chat/completions"
        max_tokens: 100
        messages:
          {"content":"Be kind.\n\nIt is noon.","role":"system"}
          {"content":"Hello!","role":"assistant"}
          {"content":[{"text":"Ada: look","type":"text"},{"image_url":{"url":"data:image/png;base64,AQID"},"type":"image_url"}],"role":"user"}
          {"content":"[Notice to the agent] a bell","role":"user"}
          {"content":"I roll.","role":"assistant","tool_calls":[{"function":{"arguments":"{\"notation\":\"2d6\"}","name":"dice__roll"},"id":"a","type":"function"},{"function":{"arguments":"{nonsense","name":"dice__roll"},"id":"b","type":"function"}]}
          {"content":"7","role":"tool","tool_call_id":"a"}
          {"content":"This failed: 7","role":"tool","tool_call_id":"b"}
          {"content":[{"text":"[Pictures in the result of dice.roll]","type":"text"},{"image_url":{"url":"data:image/png;base64,AQID"},"type":"image_url"}],"role":"user"}
          {"content":[{"text":"[Pictures in the result of dice.roll]","type":"text"},{"image_url":{"url":"data:image/png;base64,AQID"},"type":"image_url"}],"role":"user"}
          {"content":"[Notice to the agent] Begin your answer with exactly this, and go on from there:\nSo","role":"user"}
        model: "x-1"
        stream: true
        stream_options: {"include_usage":true}
        temperature: 1.5
        tools:
          {"function":{"description":"Does dice.roll.","name":"dice__roll","parameters":{"type":"object"}},"type":"function"}
          {"function":{"description":"Does notes.list.","name":"notes__list","parameters":{"type":"object"}},"type":"function"}
    "#]]).await;
    sent(Provider::Anthropic, None, expect![[r#"
        (headers):
          "anthropic-version: 2023-06-01"
          "x-api-key: s3cret-key"
          "x-team: t34m-secret"
        (url): "https://api.anthropic.com/v1/messages"
        max_tokens: 100
        messages:
          {"content":[{"text":"(The conversation begins.)","type":"text"}],"role":"user"}
          {"content":[{"text":"Hello!","type":"text"}],"role":"assistant"}
          {"content":[{"text":"Ada: look","type":"text"},{"source":{"data":"AQID","media_type":"image/png","type":"base64"},"type":"image"},{"text":"[Notice to the agent] a bell","type":"text"}],"role":"user"}
          {"content":[{"text":"I roll.","type":"text"},{"id":"a","input":{"notation":"2d6"},"name":"dice__roll","type":"tool_use"},{"id":"b","input":{"unreadable":"{nonsense"},"name":"dice__roll","type":"tool_use"}],"role":"assistant"}
          {"content":[{"content":[{"text":"7","type":"text"},{"source":{"data":"AQID","media_type":"image/png","type":"base64"},"type":"image"}],"is_error":false,"tool_use_id":"a","type":"tool_result"},{"content":[{"text":"7","type":"text"},{"source":{"data":"AQID","media_type":"image/png","type":"base64"},"type":"image"}],"is_error":true,"tool_use_id":"b","type":"tool_result"},{"cache_control":{"type":"ephemeral"},"text":"[Notice to the agent] Begin your answer with exactly this, and go on from there:\nSo","type":"text"}],"role":"user"}
        model: "x-1"
        stream: true
        system:
          {"cache_control":{"type":"ephemeral"},"text":"Be kind.","type":"text"}
          {"text":"It is noon.","type":"text"}
        temperature: 1.0
        tools:
          {"description":"Does dice.roll.","input_schema":{"type":"object"},"name":"dice__roll"}
          {"description":"Does notes.list.","input_schema":{"type":"object"},"name":"notes__list"}
    "#]]).await;
    sent(Provider::Gemini, None, expect![[r#"
        (headers):
          "authorization: Bearer s3cret-key"
          "x-team: t34m-secret"
        (url): "https://generativelanguage.googleapis.com/v1beta/openai/chat/completions"
        max_tokens: 100
        messages:
          {"content":"Be kind.\n\nIt is noon.","role":"system"}
          {"content":"Hello!","role":"assistant"}
          {"content":[{"text":"Ada: look","type":"text"},{"image_url":{"url":"data:image/png;base64,AQID"},"type":"image_url"}],"role":"user"}
          {"content":"[Notice to the agent] a bell","role":"user"}
          {"content":"I roll.","role":"assistant","tool_calls":[{"extra_content":{"google":{"thought_signature":"skip_thought_signature_validator"}},"function":{"arguments":"{\"notation\":\"2d6\"}","name":"dice__roll"},"id":"a","type":"function"},{"extra_content":{"google":{"thought_signature":"skip_thought_signature_validator"}},"function":{"arguments":"{nonsense","name":"dice__roll"},"id":"b","type":"function"}]}
          {"content":"7","role":"tool","tool_call_id":"a"}
          {"content":"This failed: 7","role":"tool","tool_call_id":"b"}
          {"content":[{"text":"[Pictures in the result of dice.roll]","type":"text"},{"image_url":{"url":"data:image/png;base64,AQID"},"type":"image_url"}],"role":"user"}
          {"content":[{"text":"[Pictures in the result of dice.roll]","type":"text"},{"image_url":{"url":"data:image/png;base64,AQID"},"type":"image_url"}],"role":"user"}
          {"content":"[Notice to the agent] Begin your answer with exactly this, and go on from there:\nSo","role":"user"}
        model: "x-1"
        stream: true
        stream_options: {"include_usage":true}
        temperature: 1.5
        tools:
          {"function":{"description":"Does dice.roll.","name":"dice__roll","parameters":{"type":"object"}},"type":"function"}
          {"function":{"description":"Does notes.list.","name":"notes__list","parameters":{"type":"object"}},"type":"function"}
    "#]]).await;
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn no_bytes_make_a_reader_panic_or_grow(
        lines in proptest::collection::vec(
            prop_oneof!["data: .{0,40}", "event: [a-z_]{0,20}", Just(String::new()),
                proptest::sample::select([OPENAI, ANTHROPIC, OLLAMA].iter().flat_map(|stream| stream.lines()).map(str::to_owned).collect::<Vec<_>>())],
            0..30,
        ),
        noise in proptest::collection::vec(any::<u8>(), 0..40),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
        let text = lines.join("\n");
        for provider in [Provider::Openai, Provider::Anthropic] {
            runtime.block_on(of_pieces(provider, vec![bytes(&text), Piece::Bytes(noise.clone())]));
        }
    }
}

/// A server on a real socket that gives each connection what the test says, and returns what it was sent.
async fn serve(answers: Vec<&'static str>) -> (String, tokio::task::JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}/v1", listener.local_addr().expect("its address"));
    let served = tokio::spawn(async move {
        let mut received = Vec::new();
        for answer in answers {
            let (mut stream, _) = listener.accept().await.expect("a connection");
            let mut request = Vec::new();
            // The body is JSON and ends with the request: its last brace is followed by nothing.
            while !request.ends_with(b"}") {
                if stream.read_buf(&mut request).await.expect("a request") == 0 {
                    break;
                }
            }
            received.push(String::from_utf8_lossy(&request).into_owned());
            for piece in answer.as_bytes().chunks(7) {
                stream.write_all(piece).await.expect("somebody listens");
                stream.flush().await.expect("somebody listens");
            }
        }
        received
    });
    (url, served)
}

#[tokio::test]
async fn over_a_real_socket_a_model_is_asked_again_until_it_answers() {
    let (url, served) = serve(vec![
        "HTTP/1.1 429 Too Many Requests\r\nretry-after: 0.01\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: 34\r\n\r\n{\"error\":{\"message\":\"slow down!\"}}",
        "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: 1000\r\n\r\ndata: {\"choices\":[{\"delta\":{\"content\":\"hal\"}}]}\n\n",
        "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\ndata: {\"choices\":[{\"delta\":{\"content\":\"hello\"},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n",
    ])
    .await;
    let settings = json!({
        "main": {
            "provider": "openai", "model": "x-1", "url": url, "api_key": "s3cret-key", "headers": { "x-team": "blue" },
            "retries": { "wait": "1ms" },
        },
    });
    let settings: ModelsSettings = serde_json::from_value(settings).expect("settings");
    let models = crate::model::Models::new(&settings, std::path::Path::new(""))
        .map_err(|mistakes| format!("{mistakes:?}"))
        .expect("models");
    let mut lines = Vec::new();
    let mut sink = |chunk: Chunk<'_>| lines.push(written(chunk));
    let answer = models.model(None).expect("the only one").ask(&offered(), &mut sink).await.expect("an answer");
    assert_eq!((answer.text.as_str(), answer.model.as_str()), ("hello", "main"));
    assert!(lines[0].contains("again main") && lines[0].contains("429: slow down!"), "{lines:#?}");
    assert!(lines[1..].join(" ").contains("hal [again main after") && lines.join(" ").contains("broke off"), "{lines:#?}");
    let received = served.await.expect("the server");
    for request in received {
        assert!(request.starts_with("POST /v1/chat/completions HTTP/1.1\r\n"), "{request}");
        assert!(request.contains("authorization: Bearer s3cret-key\r\n") && request.contains("x-team: blue\r\n"), "{request}");
        assert!(request.contains("\"model\":\"x-1\"") && !request.contains("max_tokens"), "{request}");
    }
}

#[tokio::test]
async fn a_server_that_is_not_there_or_leads_elsewhere_is_told() {
    let (url, served) =
        serve(vec!["HTTP/1.1 307 Temporary Redirect\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n"]).await;
    let network: Arc<Network> = Arc::default();
    let told = asked(&model(Provider::Openai, Some(&url), Arc::clone(&network) as _)).await;
    assert!(told.starts_with("BadRequest") && told.contains("it points to another address"), "{told}");
    served.await.expect("the server");
    let told = asked(&model(Provider::Openai, Some("http://user:s3cret@127.0.0.1:1/v1"), network as _)).await;
    assert!(told.starts_with("Unavailable: the model `main` did not answer: it cannot be reached"), "{told}");
}

#[tokio::test]
async fn over_a_real_socket_texts_become_vectors() {
    let (url, served) = serve(vec![
        "HTTP/1.1 503 Service Unavailable\r\nretry-after: 0.01\r\nconnection: close\r\ncontent-length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n\r\n{\"data\":[{\"index\":1,\"embedding\":[0,2]},{\"index\":0,\"embedding\":[1,0]}],\"usage\":{\"prompt_tokens\":7,\"total_tokens\":7}}",
        "HTTP/1.1 401 Unauthorized\r\nconnection: close\r\ncontent-length: 45\r\n\r\n{\"error\":{\"message\":\"no such key: s3cret-key\"}}",
    ])
    .await;
    let settings = json!({ "url": url, "model": "small", "api_key": "s3cret-key", "dimensions": 2, "batch": 2, "price": 0.5 });
    let embedder = crate::model::embedder(&serde_json::from_value(settings).expect("settings"));
    assert_eq!(embedder.model(), "small/2");
    let embedded = embedder.embed(&["a".to_owned(), "b".to_owned()]).await.expect("vectors");
    assert_eq!(embedded.vectors, [[1.0, 0.0], [0.0, 2.0]]);
    assert_eq!((embedded.tokens, embedder.cost(embedded.tokens)), (7, Some(4)), "as the server counts, and rounded up");
    let error = embedder.embed(&["c".to_owned()]).await.expect_err("it is refused");
    assert_eq!(error.hint(), Some("the operator looks at `vectors.embedding.api_key`"));
    assert!(error.message().contains("401") && !error.message().contains("s3cret"), "{error}");
    for (number, request) in served.await.expect("the server").into_iter().enumerate() {
        let input = if number < 2 { r#""input":["a","b"]"# } else { r#""input":["c"]"# };
        assert!(request.starts_with("POST /v1/embeddings HTTP/1.1\r\n") && request.contains(input), "{request}");
        assert!(request.contains("authorization: Bearer s3cret-key\r\n") && request.contains("\"dimensions\":2"), "{request}");
    }
}
