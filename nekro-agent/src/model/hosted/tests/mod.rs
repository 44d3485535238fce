//! Providers that do what the test says: over a port in memory, where time stands still, and over a real socket.

mod answers;
mod questions;
mod sockets;

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
};

use serde_json::json;
use tokio::time::sleep;

use super::{
    transport::{Body, Post, Response},
    *,
};
use crate::model::{Chunk, Entry, ToolSpec, Usage, around::testing::written, settings::Provider};

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

const OPENAI: &str = include_str!("../streams/openai.sse");
const ANTHROPIC: &str = include_str!("../streams/anthropic.sse");
const OLLAMA: &str = include_str!("../streams/ollama.sse");
