//! Text, images, sound and files, as MCP has them.

use base64::{Engine, prelude::BASE64_STANDARD};
use nekro_core::{Image, MessageFile, Part, Sound};
use rmcp::model::{AudioContent, ContentBlock, EmbeddedResource, ImageContent, ResourceContents};
use url::Url;

/// Returns a part of an answer.
pub(super) fn block(part: Part) -> ContentBlock {
    match part {
        Part::Text(text) => ContentBlock::text(text),
        Part::Image(Image { media_type, bytes }) => {
            ContentBlock::Image(ImageContent::new(BASE64_STANDARD.encode(&bytes), media_type))
        }
        Part::Sound(Sound { media_type, bytes }) => {
            ContentBlock::Audio(AudioContent::new(BASE64_STANDARD.encode(&bytes), media_type))
        }
        Part::File(file) => {
            let uri = name_of(&file.name);
            ContentBlock::Resource(EmbeddedResource::new(contents(file.bytes, &file.media_type, &uri)))
        }
        other => ContentBlock::text(other.to_full_text()),
    }
}

/// Returns what is in a resource: text if its type says so and it is some, else bytes.
pub(super) fn contents(bytes: Vec<u8>, media_type: &str, uri: &str) -> ResourceContents {
    let file = MessageFile::new("", media_type, bytes);
    let contents = match file.text() {
        Some(text) => ResourceContents::text(text, uri),
        None => ResourceContents::blob(BASE64_STANDARD.encode(&file.bytes), uri),
    };
    if media_type.is_empty() { contents } else { contents.with_mime_type(media_type) }
}

/// Returns the URI of a file that comes with an answer: its name if that is one, for then it is a resource.
fn name_of(name: &str) -> String {
    match Url::parse(name) {
        Ok(_) if name.contains("://") => name.to_owned(),
        _ => {
            let mut uri = Url::parse("attachment:///").expect("it is a URL");
            if let Ok(mut path) = uri.path_segments_mut() {
                path.clear().push(name);
            }
            uri.into()
        }
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use nekro_core::Content;

    use super::*;

    #[track_caller]
    fn check(content: Content, expected: Expect) {
        let told: Vec<_> = content.parts().iter().cloned().map(block).collect();
        expected.assert_eq(&serde_json::to_string(&told).expect("plain data"));
    }

    #[test]
    fn each_part_is_what_it_is() {
        check(
            Content::new().text("A chord:").sound("audio/wav", b"RIFF".to_vec()).image("image/png", b"PNG".to_vec()),
            expect![[
                r#"[{"type":"text","text":"A chord:"},{"type":"audio","data":"UklGRg==","mimeType":"audio/wav"},{"type":"image","data":"UE5H","mimeType":"image/png"}]"#
            ]],
        );
    }

    #[test]
    fn a_file_is_a_resource_of_text_or_of_bytes() {
        check(
            Content::new().file("my plan.md", "text/markdown", "# Tea").file("a/b", "application/zip", b"PK".to_vec()),
            expect![[
                r##"[{"type":"resource","resource":{"uri":"attachment:///my%20plan.md","mimeType":"text/markdown","text":"# Tea"}},{"type":"resource","resource":{"uri":"attachment:///a%2Fb","mimeType":"application/zip","blob":"UEs="}}]"##
            ]],
        );
        check(
            Content::new().file("nekro://board/cards/1", "text/plain", vec![0xff]),
            expect![[
                r#"[{"type":"resource","resource":{"uri":"nekro://board/cards/1","mimeType":"text/plain","blob":"/w=="}}]"#
            ]],
        );
    }
}
