//! Greets whoever opens a conversation.

#![forbid(unsafe_code)]

mod greeting;

use std::collections::BTreeSet;

use nekro_core::prelude::*;

use crate::greeting::Greeting;

/// Greets whoever opens a conversation.
#[plugin(category = "conversation")]
#[serde(default)]
pub struct Greeter {
    /// What to say, in Markdown; `{user}` is the name of whoever opened the conversation.
    text: Greeting,
    /// What to call somebody whose name the channel does not tell.
    stranger: String,
    /// The channels to greet in, such as `["terminal"]`; none for all of them.
    channels: BTreeSet<String>,
}

impl Default for Greeter {
    fn default() -> Self {
        let text = Greeting::try_from("Hello! What can I do for you?".to_owned()).expect("a text without braces is a greeting");
        Self { text, stranger: "there".to_owned(), channels: BTreeSet::new() }
    }
}

/// Greets whoever opens a conversation.
#[on_event]
async fn greet(event: &SessionCreated, greeter: &Greeter, messages: &Messages) -> Result<()> {
    if greeter.channels.is_empty() || greeter.channels.contains(&event.channel) {
        let name = event.user.as_ref().map(UserId::as_str).filter(|name| !name.trim().is_empty());
        messages.send(greeter.text.to(name.unwrap_or(&greeter.stranger))).await?;
    }
    Ok(())
}
