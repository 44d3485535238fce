//! The models that the settings name, ready to be asked.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use nekro_core::{BoxFuture, ConfigMistake, Error, Result, Secret};

use super::{
    Answer, Model, ModelError, Offline, Request, Sink, Usage,
    around::{Budgeted, Chain, Link, Spent},
    replay::Replay,
    settings::{BreakerSettings, BudgetSettings, CallsBy, ModelSettings, ModelsSettings, OFFLINE, Provider, Retries, Timeouts},
};
use crate::vectors::{Embedder, EmbeddingSettings};

/// The models. Cheap to clone; settings that change make new ones.
#[derive(Clone)]
pub(crate) struct Models(Arc<Inner>);

struct Inner {
    settings: ModelsSettings,
    models: BTreeMap<String, Arc<dyn Model>>,
}

impl Models {
    /// Makes what the settings name. Nothing is asked. Paths in the settings begin in `folder`.
    ///
    /// # Errors
    ///
    /// Tells every mistake, with its key under `models`.
    pub(crate) fn new(settings: &ModelsSettings, folder: &Path) -> std::result::Result<Self, Vec<ConfigMistake>> {
        let mut mistakes = settings.mistakes();
        let mut links = BTreeMap::new();
        let network = Network::default();
        links.insert(
            OFFLINE.to_owned(),
            link(Arc::new(Offline::new(OFFLINE)), &Timeouts::default(), Retries::default(), BreakerSettings::default()),
        );
        for (name, model) in &settings.models {
            match provider(name, model, folder, &network) {
                Ok(made) => {
                    links.insert(name.clone(), link(made, &model.timeouts, model.retries, model.breaker));
                }
                // What is set wrongly has been told, and with its key.
                Err(_) if mistakes.iter().any(|mistake| mistake.path.starts_with(&format!("{name}."))) => {}
                Err(problem) => mistakes.push(problem),
            }
        }
        if !mistakes.is_empty() {
            return Err(mistakes);
        }
        let chain = |(name, link): (&String, &Arc<Link>)| {
            let others = settings.models.get(name).map_or(&[][..], |model| model.fallback.as_slice());
            let others = others.iter().filter_map(|other| links.get(other).cloned());
            (name.clone(), Arc::new(Chain::new(Arc::clone(link), others)) as Arc<dyn Model>)
        };
        let models = links.iter().map(chain).collect();
        Ok(Self(Arc::new(Inner { settings: settings.clone(), models })))
    }

    /// Returns a model by its name, or the one that is asked if none is named.
    ///
    /// # Errors
    ///
    /// If there is none of this name; says which there are.
    pub(crate) fn model(&self, name: Option<&str>) -> Result<Arc<dyn Model>> {
        let name = name.unwrap_or_else(|| self.default_name());
        match self.0.models.get(name) {
            Some(model) => Ok(Arc::clone(model)),
            None => {
                Err(Error::new(self.0.settings.unknown(name)).with_code("unknown_model").with_hint("`nekro models` lists them"))
            }
        }
    }

    /// Returns the same for one turn, within the budgets. `spent` is what the session has spent before.
    ///
    /// # Errors
    ///
    /// If there is none of this name.
    pub(crate) fn for_turn(&self, name: Option<&str>, spent: Spent) -> Result<Arc<dyn Model>> {
        Ok(Arc::new(Budgeted::new(self.model(name)?, self.clone(), spent)))
    }

    /// Tells whether a model acts by scripts, and not by calls of its own. Models that stand in for it do as it does.
    pub(crate) fn acts_by_scripts(&self, name: Option<&str>) -> bool {
        self.settings(name.unwrap_or_else(|| self.default_name())).is_some_and(|model| model.calls == CallsBy::Code)
    }

    /// Returns the name of the model that is asked if none is named.
    pub(crate) fn default_name(&self) -> &str {
        self.0.settings.chosen()
    }

    /// Returns the names, for people to choose from.
    pub(crate) fn names(&self) -> Vec<String> {
        self.0.models.keys().cloned().collect()
    }

    /// Returns what is set for a model; `None` for `offline`, if nobody has set anything for it.
    pub(crate) fn settings(&self, name: &str) -> Option<&ModelSettings> {
        self.0.settings.models.get(name)
    }

    /// Returns what an answer of a model cost, in millionths of the currency; `None` if the settings name no price.
    pub(crate) fn cost(&self, model: &str, usage: Usage) -> Option<u64> {
        Some(self.settings(model)?.price?.of(usage))
    }

    /// Returns the word for the currency.
    pub(crate) fn currency(&self) -> &str {
        &self.0.settings.currency
    }

    /// Returns what may be spent.
    pub(crate) fn budget(&self) -> BudgetSettings {
        self.0.settings.budget
    }

    /// Returns everything that must not be written down anywhere: keys and headers.
    pub(crate) fn secrets(&self) -> Vec<Secret<String>> {
        let of = |model: &ModelSettings| model.headers.values().cloned().chain(model.api_key.clone()).collect::<Vec<_>>();
        self.0.settings.models.values().flat_map(of).collect()
    }
}

/// Makes an embedding model. Nothing is asked yet.
pub(crate) fn embedder(settings: &EmbeddingSettings) -> Arc<dyn Embedder> {
    Arc::new(super::hosted::Embeddings::new(settings, Arc::new(super::hosted::Network::default())))
}

fn link(model: Arc<dyn Model>, timeouts: &Timeouts, retries: Retries, breaker: BreakerSettings) -> Arc<Link> {
    Arc::new(Link::new(model, retries, timeouts.whole, breaker))
}

/// What models over the network share: connections, which are made when the first is needed.
#[derive(Default)]
struct Network {
    connections: Arc<super::hosted::Network>,
}

/// Makes one model, without what is put around it.
fn provider(
    name: &str,
    settings: &ModelSettings,
    folder: &Path,
    network: &Network,
) -> std::result::Result<Arc<dyn Model>, ConfigMistake> {
    let wrong = |key: &str, problem: String| ConfigMistake { path: format!("{name}.{key}"), problem };
    let made: Arc<dyn Model> = match settings.provider {
        Provider::Offline => Arc::new(Offline::new(name)),
        Provider::Replay => {
            let file = settings.file.as_ref().ok_or_else(|| wrong("file", "this must be set".to_owned()))?;
            Arc::new(Replay::open(name, &folder.join(file)).map_err(|error| wrong("file", error.to_string()))?)
        }
        remote => remote_model(name, remote, settings, network).map_err(|problem| wrong("provider", problem))?,
    };
    Ok(Arc::new(Defaults { model: made, max_output_tokens: settings.max_output_tokens, temperature: settings.temperature }))
}

fn remote_model(
    name: &str,
    provider: Provider,
    settings: &ModelSettings,
    network: &Network,
) -> std::result::Result<Arc<dyn Model>, String> {
    use super::hosted::{Address, Bounds, Hosted, Vendor};

    let url = settings.url.as_deref();
    let vendor = Vendor::of(provider, url).ok_or("it needs no network")?;
    let address = Address {
        vendor,
        url,
        model: settings.model.as_deref().unwrap_or_default(),
        key: settings.api_key.as_ref(),
        headers: settings.headers.iter().map(|(name, value)| (name.clone(), value.clone())).collect(),
    };
    let Timeouts { first_byte, between_chunks, .. } = settings.timeouts;
    let bounds = Bounds { first_byte, between_chunks, most_bytes: settings.max_answer_bytes };
    Ok(Arc::new(Hosted::new(name, address, bounds, Arc::clone(&network.connections) as _)))
}

/// A model, with what is set for it where whoever asks says nothing.
struct Defaults {
    model: Arc<dyn Model>,
    max_output_tokens: Option<u32>,
    temperature: Option<f64>,
}

impl Model for Defaults {
    fn name(&self) -> &str {
        self.model.name()
    }

    fn ask<'a>(&'a self, request: &'a Request, sink: &'a mut dyn Sink) -> BoxFuture<'a, std::result::Result<Answer, ModelError>> {
        let max_output_tokens = request.max_output_tokens.or(self.max_output_tokens);
        let temperature = request.temperature.or(self.temperature);
        if (max_output_tokens, temperature) == (request.max_output_tokens, request.temperature) {
            return self.model.ask(request, sink);
        }
        Box::pin(async move {
            let request = Request { max_output_tokens, temperature, ..request.clone() };
            self.model.ask(&request, sink).await
        })
    }
}
