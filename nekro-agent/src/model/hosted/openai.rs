//! The way OpenAI writes (chat completions), and with it most vendors and nearly every server of one's own.
//!
//! What the others do differently is read too: reasoning under two names, calls without a number or all of the same number, usage in
//! places of its own.

use std::collections::HashMap;

use base64::{Engine, engine::general_purpose::STANDARD};
use nekro_core::Image;
use serde_json::{Value, json};

use super::{
    assembly::Assembly,
    failure,
    names::Names,
    sse::Event,
    steps::{Given, Step, steps},
    wire::{self, Reader, Wire, list, number, text},
};
use crate::model::{ModelError, Request, Stop, Usage};

/// How OpenAI writes, and where others want something else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct OpenAi {
    /// The model's name there.
    pub(super) dialect: Dialect,
}

/// Whose way of writing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Dialect {
    /// What nearly all understand.
    #[default]
    Common,
    /// OpenAI itself, whose newer models know the most tokens by another name.
    OpenAi,
    /// Google, who wants a signature with each call that goes back.
    Google,
    /// Mistral, who refuses what it does not know and tells the usage unasked.
    Mistral,
}

impl Wire for OpenAi {
    fn write(&self, request: &Request, names: &Names) -> Value {
        let mut body = json!({ "messages": self.messages(request, names), "stream": true });
        if self.dialect != Dialect::Mistral {
            body["stream_options"] = json!({ "include_usage": true });
        }
        let tool = |tool: &crate::model::ToolSpec| {
            json!({
                "type": "function",
                "function": {
                    "name": names.write(&tool.name), "description": tool.description, "parameters": wire::schema(&tool.arguments),
                },
            })
        };
        if !request.tools.is_empty() {
            body["tools"] = request.tools.iter().map(tool).collect();
        }
        if let Some(most) = request.max_output_tokens {
            let key = if self.dialect == Dialect::OpenAi { "max_completion_tokens" } else { "max_tokens" };
            body[key] = most.into();
        }
        if let Some(temperature) = request.temperature {
            body["temperature"] = temperature.into();
        }
        body
    }

    fn stream(&self) -> Box<dyn Reader> {
        Box::new(Stream::default())
    }

    fn read_whole(&self, answer: &Value, to: &mut Assembly<'_>) -> Result<(), ModelError> {
        let mut stream = Stream::default();
        stream.value(answer, "message", to)?;
        if stream.seen { Ok(()) } else { Err(failure::strange("it sent JSON without an answer")) }
    }
}

impl OpenAi {
    fn messages(&self, request: &Request, names: &Names) -> Vec<Value> {
        let mut messages = Vec::new();
        let system: Vec<_> = request.system.iter().map(|text| text.trim()).filter(|text| !text.is_empty()).collect();
        if !system.is_empty() {
            messages.push(json!({ "role": "system", "content": system.join("\n\n") }));
        }
        for step in steps(request) {
            match step {
                Step::Said { text, images } => messages.push(json!({ "role": "user", "content": content(&text, images) })),
                Step::Answer { text, calls } => {
                    let mut message = json!({ "role": "assistant", "content": text });
                    if !calls.is_empty() {
                        message["tool_calls"] = calls.iter().map(|call| self.call(call, names)).collect();
                    }
                    messages.push(message);
                }
                Step::Results(results) => {
                    messages.extend(results.iter().map(result));
                    messages.extend(results.iter().filter(|given| !given.images.is_empty()).map(pictures));
                }
            }
        }
        messages
    }

    fn call(&self, call: &crate::model::ToolUse, names: &Names) -> Value {
        let function = json!({ "name": names.write(&call.tool), "arguments": call.arguments });
        let mut written = json!({ "id": call.id, "type": "function", "function": function });
        if self.dialect == Dialect::Google {
            // Their word for a call whose signature was not kept.
            written["extra_content"] = json!({ "google": { "thought_signature": "skip_thought_signature_validator" } });
        }
        written
    }
}

fn content(text: &str, images: &[Image]) -> Value {
    if images.is_empty() {
        return text.into();
    }
    let picture = |image: &Image| {
        let url = format!("data:{};base64,{}", image.media_type, STANDARD.encode(&image.bytes));
        json!({ "type": "image_url", "image_url": { "url": url } })
    };
    let text = (!text.is_empty()).then(|| json!({ "type": "text", "text": text }));
    text.into_iter().chain(images.iter().map(picture)).collect()
}

fn result(given: &Given<'_>) -> Value {
    let text = if given.failed { format!("This failed: {}", given.text) } else { given.text.to_owned() };
    json!({ "role": "tool", "tool_call_id": given.call.id, "content": text })
}

/// A result cannot have pictures here, so they follow.
fn pictures(given: &Given<'_>) -> Value {
    let text = format!("[Pictures in the result of {}]", given.call.tool);
    json!({ "role": "user", "content": content(&text, given.images) })
}

#[derive(Debug, Default)]
struct Stream {
    // The calls by the numbers that the server gives them.
    numbers: HashMap<u64, usize>,
    last: Option<usize>,
    // Whether there was any of an answer, and its end.
    seen: bool,
    ended: bool,
}

impl Reader for Stream {
    fn read(&mut self, event: &Event, to: &mut Assembly<'_>) -> Result<bool, ModelError> {
        if event.data.trim() == "[DONE]" {
            return Ok(true);
        }
        self.value(&wire::json(&event.data)?, "delta", to)?;
        Ok(false)
    }

    fn may_end(&self) -> bool {
        self.ended
    }
}

impl Stream {
    /// Reads a part of an answer; `what` stands under this key.
    fn value(&mut self, value: &Value, what: &str, to: &mut Assembly<'_>) -> Result<(), ModelError> {
        if let Some(error) = value.get("error").filter(|error| !error.is_null()) {
            return Err(failure::in_stream(error));
        }
        for place in ["usage", "x_groq/usage"] {
            if let Some(usage) = value.pointer(&format!("/{place}")).filter(|usage| usage.is_object()) {
                *to.usage() = read_usage(usage);
            }
        }
        let Some(choice) = list(value, "/choices").first() else { return Ok(()) };
        self.seen = true;
        if let Some(part) = choice.get(what) {
            self.part(part, to)?;
        }
        if let Some(reason) = choice.get("finish_reason").and_then(Value::as_str) {
            self.ended = true;
            to.stop(match reason {
                "length" => Stop::Length,
                "content_filter" => Stop::Filtered,
                _ => Stop::End,
            });
        }
        Ok(())
    }

    fn part(&mut self, part: &Value, to: &mut Assembly<'_>) -> Result<(), ModelError> {
        let reasoning = text(part, "/reasoning_content");
        to.reasoning(if reasoning.is_empty() { text(part, "/reasoning") } else { reasoning })?;
        to.text(text(part, "/content"))?;
        // Mistral's models that think send a list of parts.
        for piece in list(part, "/content") {
            to.text(text(piece, "/text"))?;
            for thought in list(piece, "/thinking") {
                to.reasoning(text(thought, "/text"))?;
            }
        }
        to.text(text(part, "/refusal"))?;
        for call in list(part, "/tool_calls") {
            self.call(call, to)?;
        }
        Ok(())
    }

    fn call(&mut self, part: &Value, to: &mut Assembly<'_>) -> Result<(), ModelError> {
        let (id, tool) = (text(part, "/id"), text(part, "/function/name"));
        let index = part.get("index").and_then(Value::as_u64);
        let known = match index {
            Some(index) => self.numbers.get(&index).copied(),
            None => self.last.filter(|_| tool.is_empty()),
        };
        // Some give every call the number 0, and tell them apart by their ids.
        let known = known.filter(|known| id.is_empty() || to.id(*known).is_empty() || to.id(*known) == id);
        let number = match known {
            Some(number) => number,
            None => to.begin_call()?,
        };
        self.last = Some(number);
        self.numbers.extend(index.map(|index| (index, number)));
        // Some write the arguments as JSON, and not as a text with JSON in it.
        match part.pointer("/function/arguments") {
            Some(arguments @ Value::Object(_)) => to.call(number, id, tool, &arguments.to_string()),
            _ => to.call(number, id, tool, text(part, "/function/arguments")),
        }
    }
}

fn read_usage(usage: &Value) -> Usage {
    let cached = number(usage, "/prompt_tokens_details/cached_tokens");
    Usage {
        input_tokens: number(usage, "/prompt_tokens"),
        output_tokens: number(usage, "/completion_tokens"),
        // DeepSeek has a name of its own.
        cached_tokens: if cached == 0 { number(usage, "/prompt_cache_hit_tokens") } else { cached },
    }
}
