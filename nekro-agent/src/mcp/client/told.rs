//! What a server says, as plugins are told it.

use base64::{Engine, prelude::BASE64_STANDARD};
use nekro_core::{Image, Part, ServerAnswer, ServerTool};
use rmcp::model::{CallToolResult, ContentBlock, ResourceContents, Tool};
use serde_json::Value;

/// Returns a tool.
pub(super) fn tool(tool: Tool) -> ServerTool {
    let hints = tool.annotations.unwrap_or_default();
    ServerTool {
        name: tool.name.into_owned(),
        description: tool.description.map(Into::into).or(tool.title).unwrap_or_default(),
        arguments: Value::Object(tool.input_schema.as_ref().clone()),
        output: tool.output_schema.map(|schema| Value::Object(schema.as_ref().clone())),
        read_only: hints.read_only_hint,
        destructive: hints.destructive_hint,
        idempotent: hints.idempotent_hint,
    }
}

/// Returns an answer. What is neither text nor an image is named.
pub(super) fn answer(result: CallToolResult) -> ServerAnswer {
    ServerAnswer {
        parts: result.content.into_iter().map(part).collect(),
        data: result.structured_content,
        failed: result.is_error == Some(true),
    }
}

fn part(block: ContentBlock) -> Part {
    Part::Text(match block {
        ContentBlock::Text(text) => text.text,
        ContentBlock::Image(image) => match BASE64_STANDARD.decode(&image.data) {
            Ok(bytes) if image.mime_type.starts_with("image/") => {
                return Part::Image(Image { media_type: image.mime_type, bytes });
            }
            _ => "[an image that cannot be read]".to_owned(),
        },
        ContentBlock::Audio(audio) => format!("[{}, which is not shown]", audio.mime_type),
        ContentBlock::Resource(resource) => match resource.resource {
            ResourceContents::TextResourceContents { text, .. } => text,
            ResourceContents::BlobResourceContents { uri, .. } => format!("[{uri}, which is not shown]"),
            _ => "[a resource of an unknown kind]".to_owned(),
        },
        ContentBlock::ResourceLink(link) => format!("{}: {}", link.name, link.uri),
        _ => "[content of an unknown kind]".to_owned(),
    })
}
