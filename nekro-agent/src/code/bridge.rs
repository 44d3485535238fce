//! The sandbox's calls, made ours: answers and errors of tools in the sandbox's words.

use std::pin::Pin;

use nekro_core::{Error, Kind, Part, Reply};
use nekro_sandbox::{Answer, Call, CallError, Host};
use serde_json::value::RawValue;

use crate::agent::script::Calls;

/// Who makes the calls of one script.
pub(super) struct Bridge<'a>(pub(super) &'a dyn Calls);

impl Host for Bridge<'_> {
    fn call<'a>(&'a self, call: Call<'a>) -> Pin<Box<dyn Future<Output = Result<Answer, CallError>> + Send + 'a>> {
        Box::pin(async move { self.0.call(call.function, call.arguments.get()).await.map_err(error).and_then(answer) })
    }

    fn printed(&self, text: &str) {
        self.0.printed(text);
    }
}

fn answer(reply: Reply) -> Result<Answer, CallError> {
    let Reply { json, kind, note, content, .. } = reply;
    let value =
        || RawValue::from_string(json).map_err(|error| CallError::new("failed", format!("the answer is no JSON: {error}")));
    Ok(match (kind, note) {
        (Kind::Value | Kind::Note, Some(note)) => Answer::Note(value()?, note),
        (Kind::Value | Kind::Note, None) => Answer::Value(value()?),
        (Kind::Show, _) => Answer::Show(value()?),
        (Kind::Content, _) => Answer::Content(content.into_iter().map(part).collect()),
    })
}

/// The model that wrote the script is shown text and images, and told of what else there is.
fn part(part: Part) -> nekro_sandbox::Part {
    match part {
        Part::Image(image) => nekro_sandbox::Part::Image { media_type: image.media_type, bytes: image.bytes },
        part => nekro_sandbox::Part::Text(part.to_full_text()),
    }
}

fn error(error: Error) -> CallError {
    let told = CallError::new(error.code(), error.message());
    let later = error.is_retryable().then_some("the same call may succeed later");
    let hints: Vec<_> = error.hint().into_iter().chain(later).collect();
    if hints.is_empty() { told } else { told.with_hint(hints.join("; ")) }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use nekro_core::{Content, IntoReply, Note, Show};

    use super::*;

    #[track_caller]
    fn check(reply: impl IntoReply, expected: Expect) {
        expected.assert_eq(&format!("{:?}", answer(reply.into_reply().expect("it has a JSON form"))));
    }

    #[test]
    fn each_kind_of_tool_is_one_kind_of_answer() {
        check(7, expect!["Ok(Value(RawValue(7)))"]);
        check(Note::new(true, "It is so."), expect![[r#"Ok(Note(RawValue(true), "It is so."))"#]]);
        check(Show(["a tree"]), expect![[r#"Ok(Show(RawValue(["a tree"])))"#]]);
        check(
            Content::new().text("Your chart:").image("image/png", vec![1, 2]),
            expect![[r#"Ok(Content([Text("Your chart:"), Image(image/png, 2 bytes)]))"#]],
        );
    }

    #[test]
    fn an_error_keeps_its_code_its_message_and_its_hint() {
        let told = error(Error::new("no city").with_code("not_found").with_hint("ask for a larger one").retryable());
        expect![[
            r#"CallError { code: "not_found", message: "no city", hint: Some("ask for a larger one; the same call may succeed later") }"#
        ]]
        .assert_eq(&format!("{told:?}"));
    }
}
