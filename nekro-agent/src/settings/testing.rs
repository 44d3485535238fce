//! A plugin with every sort of setting, for the tests of this module.

use std::{collections::BTreeMap, path::Path};

use nekro_core::{
    ConfigDecl, Location, PluginDecl, Secret,
    kernel::{Declarations, Registry},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Catalogue, Mistakes, check::check, file};

/// Knows the weather.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[expect(dead_code, reason = "only read")]
struct Weather {
    /// What the service knows us by.
    token: Secret<String>,
    /// How to count degrees.
    #[serde(default)]
    units: Units,
    /// How many stops there may be.
    #[serde(default = "ten")]
    max_stops: u16,
    /// Where to look.
    #[serde(default)]
    stops: Vec<Stop>,
    /// Who we are.
    #[serde(default)]
    login: Option<Login>,
    /// More of what we are known by.
    #[serde(default)]
    keys: Vec<Secret<String>>,
    /// A number that nobody knows.
    #[serde(default)]
    pin: Option<Secret<u16>>,
    /// What places are called.
    #[serde(default)]
    names: BTreeMap<String, String>,
    /// Which are not.
    #[serde(default)]
    default: Units,
}

#[derive(Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Units {
    #[default]
    Metric,
    Nautical,
}

#[derive(Serialize, Deserialize, JsonSchema)]
struct Stop {
    name: String,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only read")]
struct Login {
    user: String,
    key: Secret<String>,
}

fn ten() -> u16 {
    10
}

/// A section of the host with every sort of setting.
#[derive(Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Trial {
    /// How fast it goes.
    pub(super) pace: u8,
    /// What opens it.
    pub(super) key: Option<Secret<String>>,
    /// Where it goes, by name.
    pub(super) lanes: BTreeMap<String, Lane>,
}

impl Default for Trial {
    fn default() -> Self {
        Self { pace: 1, key: None, lanes: BTreeMap::new() }
    }
}

/// Where something goes.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Lane {
    /// In metres.
    pub(super) length: u16,
    /// What it is made of.
    #[serde(default = "sand")]
    pub(super) surface: String,
    /// What it costs.
    #[serde(default)]
    pub(super) toll: Option<Secret<String>>,
}

fn sand() -> String {
    "sand".to_owned()
}

pub(super) static WEATHER: PluginDecl = PluginDecl {
    id: "weather",
    docs: "Knows the weather.",
    title: None,
    category: None,
    version: "1.0.0",
    authors: "",
    license: "",
    repository: "",
    package: "weather",
    requires: &[],
    scopes: &[],
    migrations: &[],
    location: Location { file: "weather.rs", line: 1 },
    config: ConfigDecl {
        read: nekro_core::__private::read_config::<Weather>,
        schema: Some(<Weather as JsonSchema>::json_schema),
    },
};

pub(super) fn registry() -> Registry {
    let mut declarations = Declarations::default();
    declarations.plugins.push(&WEATHER);
    Registry::new(declarations).expect("one plugin cannot clash")
}

pub(super) fn catalogue() -> Catalogue {
    Catalogue::of(&registry())
}

/// Returns everything that is wrong with the text of a file.
pub(super) fn problems(text: &str) -> Vec<String> {
    let checked = file::parse(text, Path::new("nekro.toml")).map(|node| check(&node, &catalogue(), Path::new("")).all_mistakes());
    match checked {
        Ok(mistakes) => Mistakes::of(mistakes).map(|mistakes| mistakes.each()).unwrap_or_default(),
        Err(mistakes) => mistakes.each(),
    }
}
