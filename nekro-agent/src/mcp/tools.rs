//! Tools and their answers, as MCP has them.
//!
//! What an MCP tool answers with in a structured form is an object. An answer that is something else is its `result`, as the other SDKs do.

use std::sync::Arc;

use nekro_core::{Error, Message, PluginId, Reply, kernel};
use rmcp::model::{Annotations, CallToolResult, ContentBlock, JsonObject, MetaObject, Role, TextContent, Tool, ToolAnnotations};
use serde_json::{Value, json};

use super::content::block;
use crate::cli::first_line;

/// Under which key an error stands for programs.
const ERROR_KEY: &str = "nekro/error";

/// A tool, as clients are told of it.
#[derive(Clone, Debug)]
pub(super) struct Described {
    pub(super) tool: Tool,
    output: Output,
}

/// In what form a tool's answer is structured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Output {
    /// It is an object.
    Object,
    /// It is something else, and stands as `result` in one.
    Wrapped,
    /// It has no structured form.
    None,
}

impl Described {
    pub(super) fn new(entry: &kernel::Tool<'_>) -> Self {
        Self::answering(entry, entry.output())
    }

    /// Describes a tool by another answer than its own.
    pub(super) fn answering(entry: &kernel::Tool<'_>, schema: Option<&Value>) -> Self {
        let (schema, output) = output(schema);
        let effect = entry.effect();
        let title = first_line(entry.docs());
        let hints = ToolAnnotations::new()
            .read_only(effect.read_only)
            .destructive(effect.destructive)
            .idempotent(effect.idempotent || effect.read_only);
        let input = Arc::new(object(entry.arguments()));
        let mut tool = Tool::new(entry.name().to_owned(), entry.docs().to_owned(), input)
            .with_title(title.trim_end_matches('.'))
            .with_annotations(hints);
        tool.output_schema = schema.map(Arc::new);
        Self { tool, output }
    }

    /// Returns what a client is given of an answer.
    pub(super) fn result(&self, reply: Reply) -> CallToolResult {
        let mut content = Vec::with_capacity(1);
        if reply.content.is_empty() {
            let value = serde_json::from_str(&reply.json).unwrap_or(Value::Null);
            let text = match &value {
                Value::String(text) => text.clone(),
                Value::Null => String::new(),
                _ => reply.json,
            };
            content.push(ContentBlock::text(text));
            content.extend(reply.note.map(ContentBlock::text));
            let mut result = CallToolResult::success(content);
            result.structured_content = self.structured(value);
            return result;
        }
        content.extend(reply.content.into_iter().map(block));
        CallToolResult::success(content)
    }

    /// Returns what a client is given of an answer that was kept as JSON.
    pub(super) fn value(&self, value: &Value) -> CallToolResult {
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Null => String::new(),
            _ => value.to_string(),
        };
        let mut result = CallToolResult::success(vec![ContentBlock::text(text)]);
        result.structured_content = self.structured(value.clone());
        result
    }

    fn structured(&self, value: Value) -> Option<Value> {
        match self.output {
            Output::Object => Some(value),
            Output::Wrapped => Some(json!({ "result": value })),
            Output::None => None,
        }
    }
}

/// Returns what a client is given of an error: a text for the model, and the same in parts for programs.
pub(super) fn failure(error: &Error) -> CallToolResult {
    let mut text = format!("{}: {}", error.code(), error.message());
    if let Some(hint) = error.hint() {
        text.push_str("\nhint: ");
        text.push_str(hint);
    }
    let mut result = CallToolResult::error(vec![ContentBlock::text(text)]);
    let mut meta = MetaObject::default();
    meta.0.insert(ERROR_KEY.to_owned(), serde_json::to_value(error).unwrap_or(Value::Null));
    result.meta = Some(meta);
    result
}

/// Returns what plugins had to say to the people of the conversation.
pub(super) fn messages(messages: Vec<(PluginId, Message)>) -> impl Iterator<Item = ContentBlock> {
    messages.into_iter().map(|(plugin, message)| {
        let mut annotations = Annotations::default();
        annotations.audience = Some(vec![Role::User]);
        ContentBlock::Text(TextContent::new(format!("{plugin}: {}", message.text)).with_annotations(annotations))
    })
}

fn object(schema: &Value) -> JsonObject {
    schema.as_object().cloned().unwrap_or_default()
}

/// Describes what a tool answers with, as an object.
fn output(schema: Option<&Value>) -> (Option<JsonObject>, Output) {
    let Some(Value::Object(schema)) = schema else { return (None, Output::None) };
    let is = |schema: &JsonObject, kind: &str| schema.get("type").and_then(Value::as_str) == Some(kind);
    if is(schema, "null") {
        return (None, Output::None);
    }
    let mut schema = schema.clone();
    let mut definitions = schema.remove("$defs");
    // A type with a name is a reference to its definition.
    let name = schema.get("$ref").and_then(Value::as_str).and_then(|path| path.strip_prefix("#/$defs/"));
    let named = name.and_then(|name| Some((name.to_owned(), definitions.as_ref()?.get(name)?.as_object()?.clone())));
    let (mut whole, output) = match (is(&schema, "object"), named) {
        (true, _) => (schema, Output::Object),
        (false, Some((name, definition))) if is(&definition, "object") => {
            // Now it stands at the root, and a second time only if it refers to itself.
            let definitions = definitions.as_mut().and_then(Value::as_object_mut);
            let reference = format!("\"#/$defs/{name}\"");
            if let Some(definitions) = definitions.filter(|all| !Value::Object((*all).clone()).to_string().contains(&reference)) {
                definitions.remove(&name);
            }
            (definition, Output::Object)
        }
        (false, _) => {
            let whole = json!({ "type": "object", "properties": { "result": schema }, "required": ["result"] });
            (object(&whole), Output::Wrapped)
        }
    };
    if let Some(definitions) = definitions.filter(|all| all != &json!({})) {
        whole.insert("$defs".to_owned(), definitions);
    }
    (Some(whole), output)
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use nekro_core::{Content, IntoReply, Note};

    use super::*;

    #[track_caller]
    fn check(schema: Value, expected: Expect) {
        let (schema, output) = output(Some(&schema));
        expected.assert_eq(&format!("{output:?} {}", schema.map(Value::Object).unwrap_or_default()));
    }

    #[test]
    fn an_answer_that_is_no_object_stands_in_one() {
        check(json!({ "type": "object", "properties": {} }), expect![[r#"Object {"properties":{},"type":"object"}"#]]);
        check(
            json!({ "type": "array", "items": { "$ref": "#/$defs/A" }, "$defs": { "A": { "type": "string" } } }),
            expect![[
                r##"Wrapped {"$defs":{"A":{"type":"string"}},"properties":{"result":{"items":{"$ref":"#/$defs/A"},"type":"array"}},"required":["result"],"type":"object"}"##
            ]],
        );
        check(json!({ "type": "null" }), expect!["None null"]);
    }

    #[track_caller]
    fn answer(output: Output, reply: Result<Reply, Error>, expected: Expect) {
        let result = Described { tool: Tool::default(), output }.result(reply.expect("it has a JSON form"));
        expected.assert_eq(&serde_json::to_string(&result).expect("plain data"));
    }

    #[test]
    fn an_answer_is_text_images_and_a_structured_form() {
        let content = Content::new().text("Your chart:").image("image/png", vec![0x89, b'P', b'N', b'G']);
        answer(
            Output::None,
            content.into_reply(),
            expect![[
                r#"{"resultType":"complete","content":[{"type":"text","text":"Your chart:"},{"type":"image","data":"iVBORw==","mimeType":"image/png"}],"isError":false}"#
            ]],
        );
        answer(
            Output::Wrapped,
            Note::new("quiet".to_owned(), "You are mute.").into_reply(),
            expect![[
                r#"{"resultType":"complete","content":[{"type":"text","text":"quiet"},{"type":"text","text":"You are mute."}],"structuredContent":{"result":"quiet"},"isError":false}"#
            ]],
        );
        answer(
            Output::None,
            ().into_reply(),
            expect![[r#"{"resultType":"complete","content":[{"type":"text","text":""}],"isError":false}"#]],
        );
    }

    #[test]
    fn a_type_with_a_name_is_described_at_the_root() {
        check(
            json!({ "$ref": "#/$defs/A", "$defs": { "A": { "type": "object", "properties": { "a": { "$ref": "#/$defs/A" } } } } }),
            expect![[
                r##"Object {"$defs":{"A":{"properties":{"a":{"$ref":"#/$defs/A"}},"type":"object"}},"properties":{"a":{"$ref":"#/$defs/A"}},"type":"object"}"##
            ]],
        );
        check(
            json!({ "$ref": "#/$defs/A", "$defs": { "A": { "enum": ["x"] } } }),
            expect![[
                r##"Wrapped {"$defs":{"A":{"enum":["x"]}},"properties":{"result":{"$ref":"#/$defs/A"}},"required":["result"],"type":"object"}"##
            ]],
        );
    }
}
