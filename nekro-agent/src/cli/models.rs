//! `nekro models`

use serde::Serialize;
use serde_json::json;

use super::{Failure, Screen, output::table};
use crate::{
    model::{Chunk, Entry, ModelError, Models, Request, settings::Provider},
    style::DIM,
};

/// What there is to know of a model.
#[derive(Debug, Serialize)]
struct Row {
    name: String,
    provider: String,
    /// What the provider calls it.
    #[serde(skip_serializing_if = "Option::is_none")]
    model: Option<String>,
    /// Whether it is asked if nothing else is chosen.
    default: bool,
    key: Key,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    fallback: Vec<String>,
    /// What came of asking it, if it was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    online: Option<Online>,
}

/// Whether the key is there. It is never shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Key {
    Set,
    NotSet,
    NotNeeded,
}

#[derive(Debug, Serialize)]
struct Online {
    answered: bool,
    detail: String,
}

/// Lists the models. Nothing is sent anywhere unless `online`.
pub(super) async fn list(models: &Models, online: bool, screen: &Screen) -> Result<(), Failure> {
    let mut rows = Vec::new();
    for name in models.names() {
        rows.push(row(models, &name, online).await);
    }
    screen.show(&rows, || {
        let line = |row: &Row| {
            let mark = if row.default { "*" } else { "" };
            let mut cells = vec![
                mark.to_owned(),
                row.name.clone(),
                row.provider.clone(),
                row.model.clone().unwrap_or_default(),
                key(row.key).to_owned(),
            ];
            cells.extend(row.online.as_ref().map(|online| online.detail.clone()));
            cells
        };
        let lines = table(&rows.iter().map(line).collect::<Vec<_>>());
        format!("{lines}\n{DIM}* is asked if nothing else is chosen; docs/models.md shows how to set up others{DIM:#}")
    });
    failed(&rows)
}

/// Shows one model.
pub(super) async fn show(models: &Models, name: &str, online: bool, screen: &Screen) -> Result<(), Failure> {
    models.model(Some(name)).map_err(|error| Failure::usage(error.message()).with_hint("`nekro models` lists them"))?;
    let row = row(models, name, online).await;
    let settings = models.settings(name);
    let price = settings.and_then(|settings| settings.price);
    let value = json!({
        "model": row, "currency": models.currency(), "price": price, "budget": models.budget(),
        "context_window": settings.and_then(|settings| settings.context_window),
        "max_output_tokens": settings.and_then(|settings| settings.max_output_tokens),
        "timeouts": settings.map(|settings| settings.timeouts), "retries": settings.map(|settings| settings.retries),
    });
    screen.show(&value, || {
        let mut lines = vec![("provider", row.provider.clone()), ("model", row.model.clone().unwrap_or_else(|| "-".to_owned()))];
        lines.push(("key", key(row.key).to_owned()));
        lines.push(("asked by default", if row.default { "yes" } else { "no" }.to_owned()));
        let or_none = |text: String| if text.is_empty() { "none".to_owned() } else { text };
        lines.push(("fallback", or_none(row.fallback.join(", "))));
        if let Some(settings) = settings {
            let unit = models.currency();
            let price =
                price.map(|price| format!("{} {unit} read, {} {unit} written, per million tokens", price.input, price.output));
            lines.push(("price", or_none(price.unwrap_or_default())));
            lines.push((
                "context window",
                settings.context_window.map_or_else(|| "not set".to_owned(), |tokens| format!("{tokens} tokens")),
            ));
            let timeouts = settings.timeouts;
            lines.push((
                "time-outs",
                format!(
                    "{:?} to begin, {:?} in between, {:?} in all",
                    timeouts.first_byte, timeouts.between_chunks, timeouts.whole
                ),
            ));
            lines.push((
                "retries",
                format!("{}, after {:?} to {:?}", settings.retries.times, settings.retries.wait, settings.retries.most_wait),
            ));
        }
        lines.extend(row.online.as_ref().map(|online| ("asked now", online.detail.clone())));
        table(&lines.into_iter().map(|(what, text)| vec![what.to_owned(), text]).collect::<Vec<_>>())
    });
    failed(&[row])
}

fn failed(rows: &[Row]) -> Result<(), Failure> {
    let silent: Vec<_> = rows
        .iter()
        .filter(|row| row.online.as_ref().is_some_and(|online| !online.answered))
        .map(|row| format!("`{}`", row.name))
        .collect();
    if silent.is_empty() { Ok(()) } else { Err(Failure::work(format!("no answer from {}", silent.join(", ")))) }
}

async fn row(models: &Models, name: &str, online: bool) -> Row {
    let settings = models.settings(name);
    let provider = settings.map_or(Provider::Offline, |settings| settings.provider);
    let has_key = settings.is_some_and(|settings| settings.api_key.is_some());
    let key = match (has_key, provider.wants_key(settings.and_then(|settings| settings.url.as_deref()))) {
        (true, _) => Key::Set,
        (false, true) => Key::NotSet,
        (false, false) => Key::NotNeeded,
    };
    let online = if online && provider.is_remote() { Some(ask(models, name).await) } else { None };
    Row {
        name: name.to_owned(),
        provider: provider.name(),
        model: settings.and_then(|settings| settings.model.clone()),
        default: models.default_name() == name,
        key,
        fallback: settings.map(|settings| settings.fallback.clone()).unwrap_or_default(),
        online,
    }
}

fn key(key: Key) -> &'static str {
    match key {
        Key::Set => "the key is set",
        Key::NotSet => "the key is NOT set",
        Key::NotNeeded => "no key",
    }
}

/// Asks a model for a word.
async fn ask(models: &Models, name: &str) -> Online {
    let person = Entry::Person { name: None, text: "Answer with the word: ready".to_owned(), images: Vec::new() };
    let request = Request { entries: vec![person], max_output_tokens: Some(200), ..Request::default() };
    let answered = async {
        let model = models.model(Some(name)).map_err(|error| error.message().to_owned())?;
        let answer = model.ask(&request, &mut |_: Chunk<'_>| {}).await;
        answer.map_err(|ModelError { message, .. }| message)
    };
    match answered.await {
        Ok(answer) if answer.model == name => Online { answered: true, detail: "it answers".to_owned() },
        Ok(answer) => Online { answered: false, detail: format!("`{}` answered in its place", answer.model) },
        Err(problem) => Online { answered: false, detail: problem },
    }
}

/// Says in a line which model is in use, and whether it is ready.
pub(super) async fn line(models: &Models, online: bool) -> (bool, String) {
    let name = models.default_name();
    let row = row(models, name, online).await;
    let called = row.model.map(|model| format!(", {model}")).unwrap_or_default();
    let asked = row.online.as_ref().map(|online| format!("; {}", online.detail)).unwrap_or_default();
    let good = row.key != Key::NotSet && row.online.as_ref().is_none_or(|online| online.answered);
    if name == crate::model::settings::OFFLINE {
        return (
            good,
            "`offline`: no language model, and no key or network needed; docs/models.md shows how to set up one".to_owned(),
        );
    }
    (good, format!("`{name}`: {}{called}; {}{asked}", row.provider, key(row.key)))
}
