//! Secrets that the operator gave to plugins: in the settings, or in the system's keyring.

use std::{collections::BTreeMap, sync::Arc};

use nekro_core::{BoxFuture, ConfigMistake, Error, PluginDecl, PluginId, Result, Secret, SecretsPort, suggest};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::{log, settings::keyring};

/// Secrets for plugins: a table to each plugin, in it the secrets by the names that the plugin declares. One that is not here is looked for
/// in the system's keyring, as `<plugin>.<name>`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(transparent)]
pub(crate) struct SecretsSettings(BTreeMap<String, BTreeMap<String, Secret<String>>>);

impl SecretsSettings {
    /// Finds secrets that no plugin reads.
    pub(crate) fn mistakes(&self, plugins: &[&'static PluginDecl]) -> Vec<ConfigMistake> {
        let mistake = |path: String, what: String, meant: Option<&str>| {
            let problem = match meant {
                Some(meant) => format!("{what}: did you mean `{meant}`?"),
                None => what,
            };
            ConfigMistake { path, problem }
        };
        let mut mistakes = Vec::new();
        for (id, names) in &self.0 {
            let Some(plugin) = plugins.iter().find(|plugin| plugin.id == id) else {
                let meant = suggest(id, plugins.iter().map(|plugin| plugin.id));
                mistakes.push(mistake(id.clone(), "no plugin of this name is linked".to_owned(), meant));
                continue;
            };
            let declared = plugin.scope("secrets");
            for name in names.keys().filter(|name| !declared.contains(&name.as_str())) {
                let what = format!("the plugin `{id}` declares no secret of this name");
                mistakes.push(mistake(format!("{id}.{name}"), what, suggest(name, declared.iter().copied())));
            }
        }
        mistakes
    }
}

/// Gives plugins their secrets.
#[derive(Clone, Debug)]
pub(crate) struct Vault(Arc<SecretsSettings>);

impl Vault {
    pub(crate) fn new(settings: &SecretsSettings) -> Self {
        Self(Arc::new(settings.clone()))
    }

    /// Returns a secret. It may wait for the keyring.
    fn find(&self, plugin: &PluginId, name: &str) -> Result<Option<Secret<String>>> {
        if let Some(secret) = self.0.0.get(plugin.as_str()).and_then(|names| names.get(name)) {
            return Ok(Some(secret.clone()));
        }
        match keyring::find(&entry(plugin, name)) {
            Ok(None) => Ok(None),
            Ok(Some(text)) => {
                // What stands in the settings is hidden already.
                log::hide_too(&text);
                Ok(Some(Secret::new(text)))
            }
            Err(problem) => Err(Error::new(problem.to_string()).with_code("no_keyring").with_hint(way(plugin, name))),
        }
    }

    /// Returns the secrets that plugins declare and that are nowhere, with the way to give them.
    pub(crate) fn missing<'a>(
        &'a self,
        plugins: impl IntoIterator<Item = &'static PluginDecl> + 'a,
    ) -> impl Iterator<Item = (&'static PluginDecl, &'static str, String)> + 'a {
        let declared = plugins.into_iter().flat_map(|plugin| plugin.scope("secrets").iter().map(move |name| (plugin, *name)));
        declared.filter_map(|(plugin, name)| {
            let id = PluginId::from(plugin.id);
            let is_there = matches!(self.find(&id, name), Ok(Some(_)));
            (!is_there).then(|| (plugin, name, way(&id, name)))
        })
    }
}

/// What a secret is called in the keyring.
fn entry(plugin: &PluginId, name: &str) -> String {
    format!("{plugin}.{name}")
}

fn way(plugin: &PluginId, name: &str) -> String {
    let key = |text: &str| text.to_uppercase();
    format!(
        "`nekro secret set {}` puts it into the keyring; or set `secrets.{plugin}.{name}`, or the variable `NEKRO_SECRETS__{}__{}`",
        entry(plugin, name),
        key(plugin.as_str()),
        key(name)
    )
}

impl SecretsPort for Vault {
    fn get(&self, plugin: &PluginId, name: &str) -> BoxFuture<'_, Result<Option<Secret<String>>>> {
        let (vault, plugin, name) = (self.clone(), plugin.clone(), name.to_owned());
        Box::pin(async move {
            let found = tokio::task::spawn_blocking(move || vault.find(&plugin, &name)).await;
            found.unwrap_or_else(|_| Err(Error::new("the secret could not be read: the agent is ending").with_code("ending")))
        })
    }

    fn way(&self, plugin: &PluginId, name: &str) -> String {
        way(plugin, name)
    }
}
