//! What plugins ask models: within what each may spend, and written down for each.
//!
//! What was spent is asked of the history each time, so that it counts across processes and restarts.

mod settings;
#[cfg(test)]
mod tests;

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use jiff::{Timestamp, tz::Offset};
use nekro_core::{BoxFuture, ClockPort, Error, ModelAnswer, ModelAsker, ModelPort, ModelRequest, PluginId, Result};
use tokio::sync::Semaphore;

use self::settings::Budget;
pub(crate) use self::settings::PluginModelSettings;
use crate::{
    agent::Models,
    history::{HistoryPort, UsageRecord, UsageTotal},
    model::{Answer, Chunk, Entry, ModelError, ModelErrorKind, Request, Stop, Usage, settings::OFFLINE},
};

/// How long before a turn's own beginning its costs are looked for: no turn takes longer.
const LONGEST_TURN: Duration = Duration::from_secs(7 * 24 * 3600);

/// Asks the models for all plugins.
pub(crate) struct Asked {
    settings: PluginModelSettings,
    models: Arc<dyn Models>,
    history: Arc<dyn HistoryPort>,
    clock: Arc<dyn ClockPort>,
    free: Mutex<HashMap<&'static str, Arc<Semaphore>>>,
}

impl Asked {
    /// Makes one over the models of the agent.
    pub(crate) fn new(
        settings: &PluginModelSettings,
        models: Arc<dyn Models>,
        history: Arc<dyn HistoryPort>,
        clock: Arc<dyn ClockPort>,
    ) -> Self {
        Self { settings: settings.clone(), models, history, clock, free: Mutex::default() }
    }

    fn free(&self, plugin: &'static str) -> Arc<Semaphore> {
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(free.entry(plugin).or_insert_with(|| Arc::new(Semaphore::new(self.settings.concurrency.max(1)))))
    }

    async fn ask(&self, asker: &ModelAsker, request: &ModelRequest) -> Result<ModelAnswer> {
        let plugin = asker.plugin.id;
        let request = self.request(plugin, request)?;
        let free = self.free(plugin);
        let _permit = free.acquire().await?;
        self.check(asker).await?;
        let (name, request) = request;
        let model = self.models.model(name.as_deref())?;
        if model.name() == OFFLINE {
            return Err(Error::new("there is no language model to ask")
                .with_code("no_model")
                .with_hint("the operator sets one up under `[models]`; docs/models.md tells how"));
        }
        let began = std::time::Instant::now();
        let mut nobody = |_: Chunk<'_>| {};
        let mut answer = model.ask(&request, &mut nobody).await.map_err(explain)?;
        if answer.usage == Usage::default() {
            answer.usage = estimate(&request, &answer);
        }
        let usage = answer.usage;
        tracing::info!(
            target: "nekro::model",
            plugin,
            model = answer.model,
            input_tokens = usage.input_tokens,
            output_tokens = usage.output_tokens,
            milliseconds = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
            "a plugin asked a model"
        );
        let record = UsageRecord {
            plugin: Some(plugin.into()),
            session: asker.session.clone(),
            turn: asker.turn.clone(),
            at: self.clock.now(),
            model: answer.model.clone(),
            usage,
            cost_micros: self.models.cost(&answer.model, usage),
        };
        // What is not written down could be spent again without end.
        self.history.record_usage(record).await?;
        let mut told = ModelAnswer::new(answer.model, answer.text);
        told.cut = answer.stop == Stop::Length;
        (told.input_tokens, told.output_tokens) = (usage.input_tokens, usage.output_tokens);
        told.cached_tokens = usage.cached_tokens;
        Ok(told)
    }

    /// Turns a plugin's request into a model's, and names the model.
    fn request(&self, plugin: &str, request: &ModelRequest) -> Result<(Option<String>, Request)> {
        let texts = request.messages.iter().map(|message| &message.text).chain(&request.instructions);
        let characters: usize = texts.map(|text| text.chars().count()).sum();
        let most = self.settings.request_characters;
        if characters > most {
            return Err(Error::new(format!("the request has {characters} characters, and {most} may be asked at once"))
                .with_code("too_long")
                .with_hint("ask about parts of it; the limit is `plugin_models.request_characters`"));
        }
        let entries = request.messages.iter().map(|message| match message.by_model {
            true => Entry::Answer { text: message.text.clone(), calls: Vec::new() },
            false => Entry::Person { name: None, text: message.text.clone(), images: Vec::new() },
        });
        let most = self.settings.answer_tokens;
        let asked = Request {
            system: request.instructions.iter().cloned().collect(),
            entries: entries.collect(),
            max_output_tokens: Some(request.most_tokens.map_or(most, |own| own.min(most))),
            temperature: request.temperature.filter(|temperature| temperature.is_finite()).map(|one| one.clamp(0.0, 2.0)),
            ..Request::default()
        };
        Ok((request.model.clone().or_else(|| self.settings.model_of(plugin)), asked))
    }

    /// Refuses a plugin that has spent what it may. An answer that was begun is not cut off, so that the last one may go beyond.
    async fn check(&self, asker: &ModelAsker) -> Result<()> {
        let (id, now): (PluginId, _) = (asker.plugin.id.into(), self.clock.now());
        let day = self.history.usage_of_plugin(&id, midnight(now), None).await?;
        within(self.settings.day_of(asker.plugin.id), day, asker.plugin.id, "today")?;
        if let Some(turn) = &asker.turn {
            let since = now.checked_sub(LONGEST_TURN).unwrap_or(Timestamp::MIN);
            let spent = self.history.usage_of_plugin(&id, since, Some(turn)).await?;
            within(self.settings.turn_of(asker.plugin.id), spent, asker.plugin.id, "in this turn")?;
        }
        Ok(())
    }
}

impl ModelPort for Asked {
    fn ask<'a>(&'a self, asker: &'a ModelAsker, request: &'a ModelRequest) -> BoxFuture<'a, Result<ModelAnswer>> {
        Box::pin(self.ask(asker, request))
    }
}

impl fmt::Debug for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Asked").field("settings", &self.settings).finish_non_exhaustive()
    }
}

fn within(budget: Budget, spent: UsageTotal, plugin: &str, when: &str) -> Result<()> {
    let tokens = spent.usage.input_tokens.saturating_add(spent.usage.output_tokens);
    let cost = spent.cost_micros as f64 / 1e6;
    let (told, key) = if tokens >= budget.tokens {
        (format!("{tokens} tokens of {}", budget.tokens), format!("{}_tokens", budget.key))
    } else if let Some(most) = budget.cost.filter(|most| cost >= *most) {
        (format!("{cost:.4} of {most}"), format!("{}_cost", budget.key))
    } else {
        return Ok(());
    };
    Err(Error::new(format!("the plugin `{plugin}` has spent {told} {when}, and asks no model any more"))
        .with_code("budget_spent")
        .with_hint(format!("the operator sets `plugin_models.{key}`, or `plugin_models.plugins.{plugin}.{key}`")))
}

/// Returns the beginning of the day in UTC.
fn midnight(now: Timestamp) -> Timestamp {
    let day = Offset::UTC.to_datetime(now).date();
    Offset::UTC.to_timestamp(day.to_datetime(jiff::civil::Time::midnight())).unwrap_or(now)
}

/// Estimates what an answer cost whose provider does not say: four characters to a token.
fn estimate(request: &Request, answer: &Answer) -> Usage {
    let said = request.entries.iter().map(|entry| match entry {
        Entry::Person { text, .. } | Entry::Answer { text, .. } => text.len(),
        _ => 0,
    });
    let input = said.chain(request.system.iter().map(String::len)).sum::<usize>();
    Usage { input_tokens: (input as u64).div_ceil(4), output_tokens: (answer.text.len() as u64).div_ceil(4), cached_tokens: 0 }
}

fn explain(error: ModelError) -> Error {
    let code = match error.kind {
        ModelErrorKind::Unavailable | ModelErrorKind::RateLimited => "model_unavailable",
        ModelErrorKind::TooLong => "too_long",
        ModelErrorKind::Budget => "budget_spent",
        ModelErrorKind::Unauthorized | ModelErrorKind::BadRequest => "model_refused",
    };
    let told = Error::new(error.message.clone()).with_code(code);
    if error.is_transient() { told.retryable() } else { told }
}
