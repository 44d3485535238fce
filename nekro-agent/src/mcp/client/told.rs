//! What a server says, as plugins are told it.

use base64::{Engine, prelude::BASE64_STANDARD};
use nekro_core::{Image, MessageFile, Part, ServerAnswer, ServerTool, Sound};
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

/// Returns an answer. What cannot be read, or is only a link, is named.
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
        ContentBlock::Audio(audio) => match BASE64_STANDARD.decode(&audio.data) {
            Ok(bytes) if audio.mime_type.starts_with("audio/") => {
                return Part::Sound(Sound { media_type: audio.mime_type, bytes });
            }
            _ => "[sound that cannot be read]".to_owned(),
        },
        ContentBlock::Resource(resource) => match resource.resource {
            ResourceContents::TextResourceContents { uri, mime_type, text, .. } => {
                let media_type = mime_type.unwrap_or_else(|| "text/plain".to_owned());
                let file = MessageFile::new(uri, media_type, text.clone());
                // Some say of text that it is something else.
                if file.text().is_none() { text } else { return Part::File(file) }
            }
            ResourceContents::BlobResourceContents { uri, mime_type, blob, .. } => match BASE64_STANDARD.decode(&blob) {
                Ok(bytes) => {
                    let media_type = mime_type.unwrap_or_else(|| "application/octet-stream".to_owned());
                    return Part::File(MessageFile::new(uri, media_type, bytes));
                }
                Err(_) => format!("[{uri}, which cannot be read]"),
            },
            _ => "[a resource of an unknown kind]".to_owned(),
        },
        ContentBlock::ResourceLink(link) => format!("{}: {}", link.name, link.uri),
        _ => "[content of an unknown kind]".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(block: Value, expected: Expect) {
        expected.assert_eq(&format!("{:?}", part(serde_json::from_value(block).expect("a block"))));
    }

    #[test]
    fn sound_and_files_are_what_they_are() {
        check(
            json!({ "type": "audio", "data": "UklGRg==", "mimeType": "audio/wav" }),
            expect!["Sound(Sound(audio/wav, 4 bytes))"],
        );
        check(
            json!({ "type": "resource", "resource": { "uri": "file:///a.md", "mimeType": "text/markdown", "text": "# a" } }),
            expect![[r#"File(MessageFile("file:///a.md", text/markdown, 3 bytes))"#]],
        );
        check(
            json!({ "type": "resource", "resource": { "uri": "x:a", "blob": "UEs=" } }),
            expect![[r#"File(MessageFile("x:a", application/octet-stream, 2 bytes))"#]],
        );
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        check(
            json!({ "type": "audio", "data": "?", "mimeType": "audio/wav" }),
            expect![[r#"Text("[sound that cannot be read]")"#]],
        );
        check(
            json!({ "type": "audio", "data": "UklGRg==", "mimeType": "text/html" }),
            expect![[r#"Text("[sound that cannot be read]")"#]],
        );
        check(
            json!({ "type": "resource", "resource": { "uri": "x:a", "blob": "?" } }),
            expect![[r#"Text("[x:a, which cannot be read]")"#]],
        );
        check(
            json!({ "type": "resource", "resource": { "uri": "x:a", "mimeType": "image/png", "text": "tea" } }),
            expect![[r#"Text("tea")"#]],
        );
        check(json!({ "type": "resource_link", "uri": "x:a", "name": "a" }), expect![[r#"Text("a: x:a")"#]]);
    }
}
