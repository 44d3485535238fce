//! Asking a language model, within what the operator lets this plugin spend.

mod extract;

use std::{fmt, sync::Arc};

use schemars::JsonSchema;
use serde::de::DeserializeOwned;

use super::{CapabilityDecl, Events};
use crate::{
    call::{BoxFuture, Call},
    error::{Error, Result},
    event::facts::LlmUsage,
    ids::{SessionId, TurnId},
    lend::{Lend, Loan},
    plugin::{Plugin, PluginDecl},
};

/// Asking a language model, within what the operator lets this plugin spend.
///
/// What is asked here is no part of the conversation: the model knows nothing but what it is given. What it costs is booked to the plugin, for
/// each turn and each day (`[plugin_models]` in the settings).
///
/// ```
/// use nekro_core::prelude::*;
///
/// /// Reads invoices.
/// #[plugin(id = "invoices")]
/// pub struct Invoices;
///
/// /// An invoice.
/// #[derive(Serialize, Deserialize, JsonSchema)]
/// pub struct Invoice {
///     /// Who wants the money.
///     from: String,
///     /// How much, in cents.
///     #[schemars(range(min = 1))]
///     cents: u64,
/// }
///
/// /// Reads an invoice out of a text.
/// #[tool]
/// async fn read(
///     model: &Model,
///     /// The text of the invoice.
///     text: String,
/// ) -> Result<Invoice> {
///     model.instructions("Read the invoice.").extract::<Invoice>(text).await
/// }
/// # fn main() {
/// # use nekro_core::testing::Host;
/// # use serde_json::json;
/// let host = Host::builder::<Invoices>()
///     .model_says("Of course: {\"from\": \"Ada\", \"cents\": 0}")
///     .model_says("{\"from\": \"Ada\", \"cents\": 250}")
///     .start();
/// let invoice: Invoice = host.call_as("read", json!({ "text": "2.50 for Ada, please" })).unwrap();
/// assert_eq!(invoice.cents, 250);
/// // What did not fit was told to the model, and asked for once more.
/// assert!(host.asked()[1].messages[2].text.contains("`cents`"));
/// # }
/// ```
#[derive(Clone)]
pub struct Model {
    asker: ModelAsker,
    request: ModelRequest,
    port: Arc<dyn ModelPort>,
    events: Option<Events>,
}

/// Who asks a model, and on whose behalf.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ModelAsker {
    /// The plugin.
    pub plugin: &'static PluginDecl,
    /// The conversation, if it asks in one.
    pub session: Option<SessionId>,
    /// The turn, if it asks in one.
    pub turn: Option<TurnId>,
}

/// What a model is asked, as a port is given it.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct ModelRequest {
    /// The model, by the name that it has in the settings; `None` for the one that plugins ask.
    pub model: Option<String>,
    /// What it is told first.
    pub instructions: Option<String>,
    /// What was said: first the plugin, then by turns.
    pub messages: Vec<ModelMessage>,
    /// The most tokens that it may write, if that is less than the host allows.
    pub most_tokens: Option<u32>,
    /// How freely it chooses its words, from 0 to 2.
    pub temperature: Option<f64>,
}

/// What was said to a model, or by it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ModelMessage {
    /// Whether the model said it.
    pub by_model: bool,
    /// What.
    pub text: String,
}

/// What a model answered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ModelAnswer {
    /// The model that answered, which may be one that stood in.
    pub model: String,
    /// What it said.
    pub text: String,
    /// Whether it was not finished, for it may write no more.
    pub cut: bool,
    /// Tokens read.
    pub input_tokens: u64,
    /// Tokens written.
    pub output_tokens: u64,
    /// Of the tokens read, those that came from the provider's cache.
    pub cached_tokens: u64,
}

/// What asks models. Implemented by the host, which knows them, their prices, and what each plugin may spend.
pub trait ModelPort: Send + Sync {
    /// Asks, and books what it cost.
    ///
    /// # Errors
    ///
    /// `budget_spent`, `no_model` if there is no language model, `unknown_model`, `too_long`, `model_refused`, and `model_unavailable`,
    /// which is retryable.
    fn ask<'a>(&'a self, asker: &'a ModelAsker, request: &'a ModelRequest) -> BoxFuture<'a, Result<ModelAnswer>>;
}

impl ModelAnswer {
    /// Makes an answer that cost nothing.
    pub fn new(model: impl Into<String>, text: impl Into<String>) -> Self {
        Self { model: model.into(), text: text.into(), ..Self::default() }
    }
}

impl ModelAsker {
    /// Names a plugin that asks outside of a conversation.
    pub fn new(plugin: &'static PluginDecl) -> Self {
        Self { plugin, session: None, turn: None }
    }

    /// The same, in a turn of a conversation.
    #[must_use]
    pub fn in_turn(self, session: impl Into<SessionId>, turn: impl Into<TurnId>) -> Self {
        Self { session: Some(session.into()), turn: Some(turn.into()), ..self }
    }
}

impl ModelRequest {
    /// Makes a request of one message.
    pub fn of(text: impl Into<String>) -> Self {
        Self::default().and(false, text)
    }

    fn and(mut self, by_model: bool, text: impl Into<String>) -> Self {
        self.messages.push(ModelMessage { by_model, text: text.into() });
        self
    }
}

impl Model {
    /// Makes a handle over a port. What is asked by it is told to nobody.
    pub fn new(asker: ModelAsker, port: Arc<dyn ModelPort>) -> Self {
        Self { asker, request: ModelRequest::default(), port, events: None }
    }

    /// Asks a certain model, by the name that it has in the settings.
    #[must_use]
    pub fn named(&self, name: impl Into<String>) -> Self {
        self.with(|request| request.model = Some(name.into()))
    }

    /// Tells the model something before it is asked.
    #[must_use]
    pub fn instructions(&self, text: impl Into<String>) -> Self {
        self.with(|request| request.instructions = Some(text.into()))
    }

    /// Lets the model write so many tokens at most, if the host does not allow less.
    #[must_use]
    pub fn most_tokens(&self, tokens: u32) -> Self {
        self.with(|request| request.most_tokens = Some(tokens))
    }

    /// Says how freely the model chooses its words: from 0, always the likeliest, to 2.
    #[must_use]
    pub fn temperature(&self, temperature: f64) -> Self {
        self.with(|request| request.temperature = Some(temperature))
    }

    fn with(&self, change: impl FnOnce(&mut ModelRequest)) -> Self {
        let mut other = self.clone();
        change(&mut other.request);
        other
    }

    /// Asks, and returns the whole answer.
    ///
    /// # Errors
    ///
    /// As [`ModelPort::ask`] says.
    pub async fn complete(&self, text: impl Into<String>) -> Result<ModelAnswer> {
        self.ask(self.request.clone().and(false, text)).await
    }

    /// Has the model read a value out of a text. What it answers is compared with the JSON Schema of the type; if it does not fit, the
    /// model is told why, and asked once more.
    ///
    /// # Errors
    ///
    /// `not_extracted` if the second answer does not fit either, and as [`ModelPort::ask`] says.
    pub async fn extract<T: DeserializeOwned + JsonSchema>(&self, text: impl Into<String>) -> Result<T> {
        let schema = extract::schema::<T>();
        let mut request = self.request.clone().and(false, text);
        request.instructions = Some(extract::instructions(request.instructions.as_deref(), &schema));
        let first = self.ask(request.clone()).await?;
        let problem = match extract::read(&first.text, &schema) {
            Ok(value) => return Ok(value),
            Err(problem) => problem,
        };
        let request = request.and(true, first.text).and(false, extract::repair(&problem));
        let second = self.ask(request).await?;
        extract::read(&second.text, &schema).map_err(|problem| {
            let cut = if second.cut { "; its answer was cut off" } else { "" };
            Error::new(format!("the model `{}` gave no answer of the form that was asked for: {problem}{cut}", second.model))
                .with_code("not_extracted")
                .with_hint("ask for less at once, or have the operator choose a stronger model in `plugin_models.model`")
        })
    }

    async fn ask(&self, request: ModelRequest) -> Result<ModelAnswer> {
        let answer = self.port.ask(&self.asker, &request).await?;
        if let (Some(events), Some(session), Some(turn)) = (&self.events, &self.asker.session, &self.asker.turn) {
            events.emit(LlmUsage {
                session: session.clone(),
                turn: turn.clone(),
                plugin: Some(self.asker.plugin.id.into()),
                model: answer.model.clone(),
                input_tokens: answer.input_tokens,
                output_tokens: answer.output_tokens,
                cached_tokens: answer.cached_tokens,
            });
        }
        Ok(answer)
    }
}

impl fmt::Debug for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Model").field("plugin", &self.asker.plugin.id).field("model", &self.request.model).finish_non_exhaustive()
    }
}

static MODEL: CapabilityDecl = CapabilityDecl {
    name: "model",
    summary: "asks a language model, at the operator's cost",
    scope: None,
    provided: |ports| ports.has::<dyn ModelPort>(),
};

impl<P: Plugin> Lend<P> for Model {
    const CAPABILITY: Option<&'static CapabilityDecl> = Some(&MODEL);

    fn lend<'a>(call: &'a Call<'a>) -> Result<Loan<'a, Self>, Error> {
        let port = call.port::<dyn ModelPort>(&MODEL, |gated| Arc::new(gated))?;
        let (session, turn) = (call.caller.session.clone(), call.caller.turn.clone());
        let asker = ModelAsker { plugin: call.plugin.decl(), session, turn };
        Ok(Loan::Handle(Self { events: Some(Events::new(call.kernel)), ..Self::new(asker, port) }))
    }
}
