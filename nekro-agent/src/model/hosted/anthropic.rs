//! The way Anthropic writes (messages).

use std::collections::HashMap;

use base64::{Engine, engine::general_purpose::STANDARD};
use nekro_core::Image;
use serde_json::{Map, Value, json};

use super::{
    assembly::Assembly,
    failure,
    names::Names,
    sse::Event,
    steps::{Given, Step, steps},
    wire::{self, Reader, Wire, list, number, text},
};
use crate::model::{ModelError, Request, Stop, ToolUse};

/// How Anthropic writes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Anthropic;

/// They want to be told; this is what all of their current models can write.
const MOST_TOKENS: u32 = 8_192;

impl Wire for Anthropic {
    fn write(&self, request: &Request, names: &Names) -> Value {
        let mut body = json!({
            "messages": messages(request, names),
            "max_tokens": request.max_output_tokens.unwrap_or(MOST_TOKENS),
            "stream": true,
        });
        let block = |text: &&String| json!({ "type": "text", "text": text });
        let mut system: Vec<_> = request.system.iter().filter(|text| !text.trim().is_empty()).map(|text| block(&text)).collect();
        if let Some(first) = system.first_mut() {
            // What seldom changes stands first. What was read up to here is kept, the tools with it.
            keep(first);
            body["system"] = system.into();
        }
        let tool = |tool: &crate::model::ToolSpec| {
            json!({
                "name": names.write(&tool.name), "description": tool.description, "input_schema": wire::schema(&tool.arguments),
            })
        };
        if !request.tools.is_empty() {
            body["tools"] = request.tools.iter().map(tool).collect();
        }
        if let Some(temperature) = request.temperature {
            // Theirs goes to 1.
            body["temperature"] = temperature.min(1.0).into();
        }
        body
    }

    fn stream(&self) -> Box<dyn Reader> {
        Box::new(Stream::default())
    }

    fn read_whole(&self, answer: &Value, to: &mut Assembly<'_>) -> Result<(), ModelError> {
        if text(answer, "/type") != "message" {
            return Err(failure::strange("it sent JSON without an answer"));
        }
        for block in list(answer, "/content") {
            read_block(block, to)?;
        }
        read_usage(&answer["usage"], to);
        to.stop(stop(text(answer, "/stop_reason")));
        Ok(())
    }
}

/// Asks that what was read up to this block is kept for the next request.
fn keep(block: &mut Value) {
    block["cache_control"] = json!({ "type": "ephemeral" });
}

fn messages(request: &Request, names: &Names) -> Vec<Value> {
    let mut messages: Vec<(&str, Vec<Value>)> = Vec::new();
    let mut add = |role: &'static str, blocks: Vec<Value>| match messages.last_mut() {
        Some((last, all)) if *last == role => all.extend(blocks),
        // A conversation begins with what somebody says.
        None if role == "assistant" => {
            messages.push(("user", vec![json!({ "type": "text", "text": "(The conversation begins.)" })]));
            messages.push((role, blocks));
        }
        _ => messages.push((role, blocks)),
    };
    for step in steps(request) {
        match step {
            Step::Said { text, images } => add("user", content(&text, images)),
            Step::Answer { text, calls } => {
                let mut blocks = content(text, &[]);
                blocks.extend(calls.iter().map(|call| self::call(call, names)));
                add("assistant", blocks);
            }
            Step::Results(results) => add("user", results.iter().map(result).collect()),
        }
    }
    if let Some(last) = messages.last_mut().and_then(|(_, blocks)| blocks.last_mut()) {
        keep(last);
    }
    messages.into_iter().map(|(role, content)| json!({ "role": role, "content": content })).collect()
}

fn content(text: &str, images: &[Image]) -> Vec<Value> {
    let picture = |image: &Image| {
        let source = json!({ "type": "base64", "media_type": image.media_type, "data": STANDARD.encode(&image.bytes) });
        json!({ "type": "image", "source": source })
    };
    let text = (!text.trim().is_empty()).then(|| json!({ "type": "text", "text": text }));
    text.into_iter().chain(images.iter().map(picture)).collect()
}

fn call(call: &ToolUse, names: &Names) -> Value {
    // What a model wrote need not be JSON; what goes back must be an object.
    let input = serde_json::from_str::<Map<String, Value>>(&call.arguments);
    let input = input.unwrap_or_else(|_| Map::from_iter([("unreadable".to_owned(), call.arguments.as_str().into())]));
    json!({ "type": "tool_use", "id": call.id, "name": names.write(&call.tool), "input": input })
}

fn result(given: &Given<'_>) -> Value {
    let content = content(given.text, given.images);
    json!({ "type": "tool_result", "tool_use_id": given.call.id, "content": content, "is_error": given.failed })
}

#[derive(Debug, Default)]
struct Stream {
    // The calls by the numbers of their blocks.
    calls: HashMap<u64, usize>,
}

impl Reader for Stream {
    fn read(&mut self, event: &Event, to: &mut Assembly<'_>) -> Result<bool, ModelError> {
        let value = wire::json(&event.data)?;
        match text(&value, "/type") {
            "message_start" => read_usage(&value["message"]["usage"], to),
            "content_block_start" => {
                let number = read_block(&value["content_block"], to)?;
                self.calls.extend(number.map(|call| (self::number(&value, "/index"), call)));
            }
            "content_block_delta" => {
                let delta = &value["delta"];
                match text(delta, "/type") {
                    "text_delta" => to.text(text(delta, "/text"))?,
                    "thinking_delta" => to.reasoning(text(delta, "/thinking"))?,
                    "input_json_delta" => {
                        if let Some(call) = self.calls.get(&number(&value, "/index")) {
                            to.call(*call, "", "", text(delta, "/partial_json"))?;
                        }
                    }
                    _ => {}
                }
            }
            "message_delta" => {
                read_usage(&value["usage"], to);
                to.stop(stop(text(&value, "/delta/stop_reason")));
            }
            "message_stop" => return Ok(true),
            "error" => return Err(failure::in_stream(&value["error"])),
            // `ping`, the end of a block, and what they will think of.
            _ => {}
        }
        Ok(false)
    }

    fn may_end(&self) -> bool {
        false
    }
}

/// Reads a block, or its beginning. Returns the number of the call, if it is one.
fn read_block(block: &Value, to: &mut Assembly<'_>) -> Result<Option<usize>, ModelError> {
    match text(block, "/type") {
        "text" => to.text(text(block, "/text"))?,
        "thinking" => to.reasoning(text(block, "/thinking"))?,
        "tool_use" => {
            let number = to.begin_call()?;
            // In a stream the arguments are empty here and come in parts.
            let arguments = block.get("input").filter(|input| input.as_object().is_some_and(|input| !input.is_empty()));
            let arguments = arguments.map(Value::to_string).unwrap_or_default();
            to.call(number, text(block, "/id"), text(block, "/name"), &arguments)?;
            return Ok(Some(number));
        }
        _ => {}
    }
    Ok(None)
}

/// Reads what is told of the cost. What was kept before and what is kept now was read too, and they count it apart.
fn read_usage(usage: &Value, to: &mut Assembly<'_>) {
    if usage.get("input_tokens").is_some_and(Value::is_u64) {
        let cached = number(usage, "/cache_read_input_tokens");
        let read = [number(usage, "/input_tokens"), cached, number(usage, "/cache_creation_input_tokens")];
        to.usage().input_tokens = read.into_iter().fold(0, u64::saturating_add);
        to.usage().cached_tokens = cached;
    }
    if usage.get("output_tokens").is_some_and(Value::is_u64) {
        to.usage().output_tokens = number(usage, "/output_tokens");
    }
}

fn stop(reason: &str) -> Stop {
    match reason {
        "max_tokens" | "model_context_window_exceeded" => Stop::Length,
        "refusal" => Stop::Filtered,
        _ => Stop::End,
    }
}
