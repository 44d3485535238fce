//! Questions of plugins: what a plugin asks within a client's call goes to the person behind that client, with a field for the answer.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use nekro_core::{
    Answer, AnswerForm, AnswerKind, BoxFuture, Delivery, Error, Message, MessagesPort, PluginId, Pushed, Result, SessionId,
    Trigger, UserId,
};
use rmcp::model::{ElicitRequestParams, ElicitResult, ElicitationAction, ElicitationSchema};
use serde_json::{Value, json};

use super::elicit::{self, Asker};

/// Under which key the answer comes back, and what its field is called.
const ANSWER: &str = "answer";

/// Messages, whose questions go to the client that has made the call.
pub(crate) struct Questions {
    messages: Arc<dyn MessagesPort>,
    asked: AtomicU64,
}

impl Questions {
    pub(crate) fn new(messages: Arc<dyn MessagesPort>) -> Self {
        Self { messages, asked: AtomicU64::new(0) }
    }

    async fn ask_client(&self, asker: Asker, question: Message) -> Result<Answer> {
        if !asker.can_ask {
            return Err(Error::new("the MCP client has no way to ask its person")
                .with_code("not_at_work")
                .with_hint("a client that declares `elicitation` is asked"));
        }
        let user = asker.user.clone();
        let answer = asker.ask(ANSWER, form(&question)?).await;
        let answer = answer.ok_or_else(|| Error::new("the MCP client does not answer").with_code("no_answer"))?;
        let text = match answer.action {
            ElicitationAction::Accept => said(&answer),
            ElicitationAction::Decline => {
                return Err(Error::new("the person does not want to answer").with_code("declined"));
            }
            _ => return Err(Error::new("the person has put the question aside").with_code("cancelled")),
        };
        let number = self.asked.fetch_add(1, Ordering::Relaxed) + 1;
        Ok(Answer::new(text, format!("elicitation-{number}"), user))
    }
}

impl MessagesPort for Questions {
    fn send(&self, to: &SessionId, from: &PluginId, message: Message) -> BoxFuture<'_, Result<Delivery>> {
        self.messages.send(to, from, message)
    }

    fn reaches(&self, to: &SessionId) -> Result<()> {
        self.messages.reaches(to)
    }

    fn push(&self, to: &SessionId, from: &PluginId, text: String, trigger: Trigger) -> BoxFuture<'_, Result<Pushed>> {
        self.messages.push(to, from, text, trigger)
    }

    fn ask(&self, to: &SessionId, from: &PluginId, user: Option<&UserId>, question: Message) -> BoxFuture<'_, Result<Answer>> {
        // In other conversations it is other people who are asked.
        match elicit::asker().filter(|asker| asker.session.as_ref() == Some(to)) {
            Some(asker) => Box::pin(self.ask_client(asker, question)),
            None => self.messages.ask(to, from, user, question),
        }
    }
}

/// Returns the question with a field for its answer.
fn form(question: &Message) -> Result<ElicitRequestParams> {
    let mut message = question.text.clone();
    for file in &question.files {
        message.push_str(&format!("\n[{}, which is not shown]", file.name));
    }
    let wanted = question.form.clone().unwrap_or_default();
    let required: &[&str] = if wanted.default.is_some() { &[] } else { &[ANSWER] };
    let schema = json!({ "type": "object", "properties": { ANSWER: field(&wanted) }, "required": required });
    let schema = ElicitationSchema::from_json_schema(schema.as_object().cloned().unwrap_or_default())?;
    Ok(ElicitRequestParams::FormElicitationParams { meta: None, message, requested_schema: schema })
}

fn field(form: &AnswerForm) -> Value {
    let mut field = match &form.kind {
        AnswerKind::YesOrNo => json!({ "type": "boolean" }),
        AnswerKind::OneOf(choices) if choices.iter().all(|choice| choice.title == choice.value) => {
            json!({ "type": "string", "enum": choices.iter().map(|choice| &choice.value).collect::<Vec<_>>() })
        }
        AnswerKind::OneOf(choices) => {
            let titled = choices.iter().map(|choice| json!({ "const": choice.value, "title": choice.title }));
            json!({ "type": "string", "oneOf": titled.collect::<Vec<_>>() })
        }
        _ => json!({ "type": "string" }),
    };
    if let Some(default) = &form.default {
        field["default"] = match form.kind {
            AnswerKind::YesOrNo => json!(form.read(default).is_ok_and(|answer| answer == "yes")),
            _ => json!(default),
        };
    }
    field
}

/// Returns what stands in the field, as somebody would say it; nothing if it was left out.
fn said(answer: &ElicitResult) -> String {
    match answer.content.as_ref().and_then(|content| content.get(ANSWER)) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Null) | None => String::new(),
        Some(other) => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    #[track_caller]
    fn check(form: AnswerForm, expected: Expect) {
        expected.assert_eq(&field(&form).to_string());
    }

    fn wanting(kind: AnswerKind, default: Option<&str>) -> AnswerForm {
        let mut form = AnswerForm::default();
        (form.kind, form.default) = (kind, default.map(str::to_owned));
        form
    }

    #[test]
    fn what_is_wanted_is_a_field_of_the_protocol() {
        check(wanting(AnswerKind::Text, None), expect![[r#"{"type":"string"}"#]]);
        check(wanting(AnswerKind::Text, Some("here")), expect![[r#"{"default":"here","type":"string"}"#]]);
        check(wanting(AnswerKind::YesOrNo, Some("yes")), expect![[r#"{"default":true,"type":"boolean"}"#]]);
        check(
            wanting(AnswerKind::OneOf(vec!["red".into(), "blue".into()]), Some("blue")),
            expect![[r#"{"default":"blue","enum":["red","blue"],"type":"string"}"#]],
        );
        check(
            wanting(AnswerKind::OneOf(vec![("cgn", "Köln").into(), "Bonn".into()]), None),
            expect![[r#"{"oneOf":[{"const":"cgn","title":"Köln"},{"const":"Bonn","title":"Bonn"}],"type":"string"}"#]],
        );
    }
}
