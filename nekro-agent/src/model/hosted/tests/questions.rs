//! How a conversation is written, as each provider wants it.

use expect_test::{Expect, expect};
use nekro_core::Image;

use super::*;
use crate::model::ToolUse;

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
