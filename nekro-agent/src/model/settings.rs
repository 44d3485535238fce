//! What an operator sets for the models: `[models]` in `nekro.toml`.

use std::{borrow::Cow, collections::BTreeMap, fmt, path::PathBuf, time::Duration};

use jiff::fmt::serde::unsigned_duration::friendly::compact::required as friendly;
use nekro_core::{ConfigMistake, Secret, suggest};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{MapAccess, Visitor},
};

use super::Price;

/// The name of the model that is always there.
pub(crate) const OFFLINE: &str = "offline";
/// The model that is asked if there are several and none is named.
const MAIN: &str = "main";

/// The models that the agent may ask: a table to each, such as `[models.main]`. Without any, `offline` answers, which needs no network
/// and is no language model.
#[derive(Clone, Debug)]
pub(crate) struct ModelsSettings {
    /// The model that is asked if nothing else is chosen.
    pub(crate) default: Option<String>,
    /// The currency of the prices and the budgets.
    pub(crate) currency: String,
    /// What may be spent.
    pub(crate) budget: BudgetSettings,
    /// The models, by name.
    pub(crate) models: BTreeMap<String, ModelSettings>,
}

impl Default for ModelsSettings {
    fn default() -> Self {
        Self { default: None, currency: "USD".to_owned(), budget: BudgetSettings::default(), models: BTreeMap::new() }
    }
}

/// What may be spent. Whoever reaches a budget is told, and nothing more is asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct BudgetSettings {
    /// How many tokens one turn may cost, read and written together; without it, any number.
    pub(crate) turn_tokens: Option<u64>,
    /// How much money one turn may cost, by the prices of the models; without it, any amount.
    #[schemars(range(min = 0.0))]
    pub(crate) turn_cost: Option<f64>,
    /// How many tokens a session may cost, from its beginning; without it, any number.
    pub(crate) session_tokens: Option<u64>,
    /// How much money a session may cost, from its beginning; without it, any amount.
    #[schemars(range(min = 0.0))]
    pub(crate) session_cost: Option<f64>,
}

/// A model, and how it is asked.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ModelSettings {
    /// Who answers.
    pub(crate) provider: Provider,
    /// What the provider calls the model.
    #[serde(default)]
    pub(crate) model: Option<String>,
    /// How it calls functions.
    #[serde(default)]
    pub(crate) calls: CallsBy,
    /// The key: as it is, or better where it is kept.
    #[serde(default)]
    pub(crate) api_key: Option<Secret<String>>,
    /// Another address than the provider's own, up to and with its version, such as `http://127.0.0.1:8080/v1`.
    #[serde(default)]
    pub(crate) url: Option<String>,
    /// What else is sent with each request: headers by their names. Nothing of it is shown.
    #[serde(default)]
    pub(crate) headers: BTreeMap<String, Secret<String>>,
    /// The recording that `replay` plays.
    #[serde(default)]
    pub(crate) file: Option<PathBuf>,
    /// How many tokens it may write in one answer; without it, what the provider allows.
    #[serde(default)]
    pub(crate) max_output_tokens: Option<u32>,
    /// How freely it chooses its words, from 0 to 2; without it, what the provider finds right.
    #[serde(default)]
    pub(crate) temperature: Option<f64>,
    /// How many tokens it can read, what it writes included.
    #[serde(default)]
    pub(crate) context_window: Option<u64>,
    /// What it costs.
    #[serde(default)]
    pub(crate) price: Option<Price>,
    /// The models that are asked instead if it does not answer, in this order.
    #[serde(default)]
    pub(crate) fallback: Vec<String>,
    /// How long it may take.
    #[serde(default)]
    pub(crate) timeouts: Timeouts,
    /// How often, and when, it is asked again.
    #[serde(default)]
    pub(crate) retries: Retries,
    /// When it is left alone for a while.
    #[serde(default)]
    pub(crate) breaker: BreakerSettings,
    /// How many bytes an answer may have.
    #[serde(default = "eight_mebibytes")]
    pub(crate) max_answer_bytes: usize,
}

fn eight_mebibytes() -> usize {
    8 << 20
}

/// How a model calls functions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub(crate) enum CallsBy {
    /// Each by itself, as the provider has it.
    #[default]
    Tools,
    /// By scripts in Python, each of which may make many calls; `[sandbox]` says what such a script may use.
    Code,
}

/// Who answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub(crate) enum Provider {
    /// The program itself, by words in common: no key, no network, and no language model.
    Offline,
    /// A recording.
    Replay,
    /// OpenAI, or with `url` anything that speaks as it does: vLLM, llama.cpp, LM Studio, a gateway.
    Openai,
    /// Anthropic.
    Anthropic,
    /// Cerebras.
    Cerebras,
    /// Cohere.
    Cohere,
    /// DeepSeek.
    Deepseek,
    /// Fireworks.
    Fireworks,
    /// Google Gemini.
    Gemini,
    /// Groq.
    Groq,
    /// Mistral.
    Mistral,
    /// Ollama on this machine, or with `url` on another one.
    Ollama,
    /// OpenRouter.
    Openrouter,
    /// Together.
    Together,
    /// xAI.
    Xai,
}

impl Provider {
    /// Tells whether it is reached over the network.
    pub(crate) fn is_remote(self) -> bool {
        !matches!(self, Self::Offline | Self::Replay)
    }

    /// Tells whether it wants a key. A server of one's own may want one or not.
    pub(crate) fn wants_key(self, url: Option<&str>) -> bool {
        self.is_remote() && self != Self::Ollama && url.is_none()
    }

    /// Returns the name, as in the settings.
    pub(crate) fn name(self) -> String {
        // Every unit variant is a text.
        serde_json::to_value(self).ok().and_then(|name| name.as_str().map(str::to_owned)).unwrap_or_default()
    }
}

/// How long a model may take. Durations are written like `30s` or `2m`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(inline)]
pub(crate) struct Timeouts {
    /// Until the first of an answer comes.
    #[serde(with = "friendly")]
    #[schemars(with = "String")]
    pub(crate) first_byte: Duration,
    /// Until more of it comes.
    #[serde(with = "friendly")]
    #[schemars(with = "String")]
    pub(crate) between_chunks: Duration,
    /// Until all of it is there.
    #[serde(with = "friendly")]
    #[schemars(with = "String")]
    pub(crate) whole: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self { first_byte: Duration::from_secs(120), between_chunks: Duration::from_secs(60), whole: Duration::from_secs(600) }
    }
}

/// How often a model is asked again that could not be reached, was too slow or had too much to do, and after what time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(inline)]
pub(crate) struct Retries {
    /// How often; 0 for never.
    pub(crate) times: u32,
    /// How long to wait before the first time. It doubles from time to time, with some chance in it, so that not everybody comes at once.
    #[serde(with = "friendly")]
    #[schemars(with = "String")]
    pub(crate) wait: Duration,
    /// How long to wait at most. If the provider says that it wants to be left alone for longer, it is not asked again.
    #[serde(with = "friendly")]
    #[schemars(with = "String")]
    pub(crate) most_wait: Duration,
}

impl Default for Retries {
    fn default() -> Self {
        Self { times: 3, wait: Duration::from_secs(1), most_wait: Duration::from_secs(30) }
    }
}

/// When a model is left alone for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(inline)]
pub(crate) struct BreakerSettings {
    /// After how many failures in a row; with 0, never.
    pub(crate) failures: u32,
    /// For how long. After that it is tried once.
    #[serde(with = "friendly")]
    #[schemars(with = "String")]
    pub(crate) pause: Duration,
}

impl Default for BreakerSettings {
    fn default() -> Self {
        Self { failures: 8, pause: Duration::from_secs(30) }
    }
}

impl ModelsSettings {
    /// Returns the name of the model that is asked if nothing else is chosen.
    pub(crate) fn chosen(&self) -> &str {
        let only = || if self.models.len() == 1 { self.models.keys().next() } else { None };
        let main = || self.models.contains_key(MAIN).then_some(MAIN);
        self.default.as_deref().or_else(main).or_else(|| only().map(String::as_str)).unwrap_or(OFFLINE)
    }

    /// Returns what is wrong and each value by itself cannot know, with the keys under `models`.
    pub(crate) fn mistakes(&self) -> Vec<ConfigMistake> {
        let mut mistakes = Vec::new();
        let mut wrong = |path: String, problem: String| mistakes.push(ConfigMistake { path, problem });
        if let Some(default) = self.default.as_deref().filter(|name| !self.knows(name)) {
            wrong("default".to_owned(), self.unknown(default));
        }
        if self.default.is_none() && self.models.len() > 1 && !self.models.contains_key(MAIN) {
            wrong("default".to_owned(), format!("this must be set, for there are several models and none is called `{MAIN}`"));
        }
        for (name, model) in &self.models {
            for (key, problem) in model.mistakes() {
                wrong(format!("{name}.{key}"), problem);
            }
            for (number, other) in model.fallback.iter().enumerate() {
                let problem = match other {
                    other if other == name => "a model cannot stand in for itself".to_owned(),
                    other if model.fallback[..number].contains(other) => format!("`{other}` stands here twice"),
                    other if !self.knows(other) => self.unknown(other),
                    _ => continue,
                };
                wrong(format!("{name}.fallback[{number}]"), problem);
            }
        }
        mistakes
    }

    /// Tells whether any model acts by scripts.
    #[cfg(feature = "sandbox")]
    pub(crate) fn any_acts_by_scripts(&self) -> bool {
        self.models.values().any(|model| model.calls == CallsBy::Code)
    }

    /// Tells whether there is a model of this name.
    pub(crate) fn knows(&self, name: &str) -> bool {
        name == OFFLINE || self.models.contains_key(name)
    }

    /// Says that there is no such model.
    pub(crate) fn unknown(&self, name: &str) -> String {
        let known = || self.models.keys().map(String::as_str).chain([OFFLINE]);
        match suggest(name, known()) {
            Some(meant) => format!("there is no model `{name}`: did you mean `{meant}`?"),
            None => {
                let names: Vec<_> = known().map(|name| format!("`{name}`")).collect();
                format!("there is no model `{name}`: there are {}", names.join(", "))
            }
        }
    }
}

impl ModelSettings {
    fn mistakes(&self) -> Vec<(&'static str, String)> {
        let mut mistakes = Vec::new();
        let mut wrong = |key, problem: &str| mistakes.push((key, problem.to_owned()));
        let is_url = |url: &str| {
            let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
            let host = rest.and_then(|rest| rest.split(['/', '?', '#']).next());
            host.is_some_and(|host| !host.is_empty()) && !url.contains(|one: char| one.is_whitespace() || one.is_control())
        };
        if self.provider.is_remote() {
            if self.model.as_deref().is_none_or(|model| model.trim().is_empty()) {
                wrong("model", "this must be set: what the provider calls the model");
            }
            if self.url.as_deref().is_some_and(|url| !is_url(url)) {
                // It may hold a password and is not quoted.
                wrong("url", "expected an address such as `https://models.example/v1`");
            }
            let key = self.api_key.as_ref().map_or("", |key| key.expose().trim());
            if self.provider.wants_key(self.url.as_deref()) && key.is_empty() {
                wrong("api_key", "this must be set: the key, or where it is kept, such as `{ env = \"MODEL_KEY\" }`");
            }
        }
        if self.provider == Provider::Replay && self.file.is_none() {
            wrong("file", "this must be set: the recording, as `nekro chat --record FILE` makes it");
        }
        match self.calls {
            CallsBy::Code if self.provider == Provider::Offline => {
                wrong("calls", "`offline` is no language model, and writes no code")
            }
            CallsBy::Code if !cfg!(feature = "sandbox") => {
                wrong("calls", "this program was built without the sandbox that runs code")
            }
            CallsBy::Code | CallsBy::Tools => {}
        }
        if self.temperature.is_some_and(|temperature| !(0.0..=2.0).contains(&temperature)) {
            wrong("temperature", "expected a number from 0 to 2");
        }
        if self.price.is_some_and(|price| {
            [price.input, price.output, price.cached.unwrap_or(0.0)].iter().any(|one| !(one.is_finite() && *one >= 0.0))
        }) {
            wrong("price", "expected amounts, 0 or more, for a million tokens");
        }
        for (key, is_zero) in [
            ("max_output_tokens", self.max_output_tokens == Some(0)),
            ("context_window", self.context_window == Some(0)),
            ("max_answer_bytes", self.max_answer_bytes == 0),
            ("timeouts.first_byte", self.timeouts.first_byte.is_zero()),
            ("timeouts.between_chunks", self.timeouts.between_chunks.is_zero()),
            ("timeouts.whole", self.timeouts.whole.is_zero()),
        ] {
            if is_zero {
                wrong(key, "nothing would ever be answered with 0");
            }
        }
        mistakes
    }
}

/// What stands beside the tables of the models.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "only described")]
struct Beside {
    /// The model that is asked if nothing else is chosen; without it `main`, or the only one.
    #[serde(default)]
    default: Option<String>,
    /// The currency of the prices and the budgets: a word for people, nothing is converted.
    #[serde(default = "usd")]
    currency: String,
    /// What may be spent. Whoever reaches a budget is told, and nothing more is asked.
    #[serde(default)]
    budget: BudgetSettings,
}

fn usd() -> String {
    "USD".to_owned()
}

impl JsonSchema for ModelsSettings {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "ModelsSettings".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let beside = Beside::json_schema(generator);
        json_schema!({
            "type": "object",
            "description": "The models that the agent may ask: a table to each, such as `[models.main]`. Without any, `offline` answers, which needs no network and is no language model.",
            "properties": beside.get("properties"),
            "additionalProperties": generator.subschema_for::<ModelSettings>(),
        })
    }
}

impl<'de> Deserialize<'de> for ModelsSettings {
    // By hand: a flattened map would lose the place of what is wrong in it.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read;

        impl<'de> Visitor<'de> for Read {
            type Value = ModelsSettings;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a table")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<ModelsSettings, A::Error> {
                let mut settings = ModelsSettings::default();
                while let Some(key) = map.next_key::<String>()? {
                    match key.as_str() {
                        "default" => settings.default = map.next_value()?,
                        "currency" => settings.currency = map.next_value()?,
                        "budget" => settings.budget = map.next_value()?,
                        _ => {
                            settings.models.insert(key, map.next_value()?);
                        }
                    }
                }
                Ok(settings)
            }
        }

        deserializer.deserialize_map(Read)
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    fn read(text: &str) -> ModelsSettings {
        let value: toml::Table = toml::from_str(text).expect("TOML");
        nekro_core::read_settings(&serde_json::to_string(&value).expect("JSON")).expect("settings")
    }

    #[track_caller]
    fn wrong(text: &str, expected: Expect) {
        let told: Vec<_> =
            read(text).mistakes().into_iter().map(|mistake| format!("{}: {}", mistake.path, mistake.problem)).collect();
        expected.assert_eq(&told.join("\n"));
    }

    #[test]
    fn every_mistake_is_told_with_its_key() {
        wrong(
            "default = 'mian'
             [main]
             provider = 'openai'
             url = 'ftp://user:s3cret@host'
             temperature = 3.0
             max_output_tokens = 0
             fallback = ['main', 'other', 'othr', 'other', 'offline']
             timeouts = { whole = '0s' }
             [other]
             provider = 'anthropic'
             model = 'claude-x'
             price = { input = -3.0, output = 1.0 }
             [old]
             provider = 'replay'
            ",
            expect![[r#"
                default: there is no model `mian`: did you mean `main`?
                main.model: this must be set: what the provider calls the model
                main.url: expected an address such as `https://models.example/v1`
                main.temperature: expected a number from 0 to 2
                main.max_output_tokens: nothing would ever be answered with 0
                main.timeouts.whole: nothing would ever be answered with 0
                main.fallback[0]: a model cannot stand in for itself
                main.fallback[2]: there is no model `othr`: did you mean `other`?
                main.fallback[3]: `other` stands here twice
                old.file: this must be set: the recording, as `nekro chat --record FILE` makes it
                other.api_key: this must be set: the key, or where it is kept, such as `{ env = "MODEL_KEY" }`
                other.price: expected amounts, 0 or more, for a million tokens"#]],
        );
    }

    #[test]
    fn what_is_right_is_not_touched() {
        for text in [
            "",
            "default = 'offline'",
            "[main]\nprovider = 'ollama'\nmodel = 'qwen3'",
            "[one]\nprovider = 'openai'\nmodel = 'x'\nurl = 'http://localhost:8080/v1'",
            "[main]\nprovider = 'openai'\nmodel = 'x'\napi_key = 'k'\nfallback = ['offline']\n[two]\nprovider = 'offline'",
        ] {
            wrong(text, expect![""]);
        }
    }

    #[test]
    fn the_model_that_is_asked_is_the_one_that_is_named_or_main_or_the_only_one() {
        for (text, chosen) in [
            ("", "offline"),
            ("[one]\nprovider = 'offline'", "one"),
            ("[one]\nprovider = 'offline'\n[main]\nprovider = 'offline'", "main"),
            ("default = 'one'\n[one]\nprovider = 'offline'\n[main]\nprovider = 'offline'", "one"),
        ] {
            assert_eq!(read(text).chosen(), chosen, "{text}");
        }
        wrong(
            "[a]\nprovider = 'offline'\n[b]\nprovider = 'offline'",
            expect!["default: this must be set, for there are several models and none is called `main`"],
        );
    }

    #[test]
    fn what_is_wrong_in_a_table_has_its_place() {
        let told = |text: &str| nekro_core::read_settings::<ModelsSettings>(text).expect_err("a mistake").to_string();
        expect!["`main.provider`: unknown variant `opnai`, expected one of `offline`, `replay`, `openai`, `anthropic`, `cerebras`, `cohere`, `deepseek`, `fireworks`, `gemini`, `groq`, `mistral`, `ollama`, `openrouter`, `together`, `xai`"].assert_eq(&told(r#"{"main":{"provider":"opnai"}}"#));
        expect![[r#"`main.timeouts.whole`: failed to parse input in the "friendly" duration format: expected duration to start with a unit value (a decimal integer) after an optional sign, but no integer was found"#]].assert_eq(&told(r#"{"main":{"provider":"openai","timeouts":{"whole":"soon"}}}"#));
        expect!["`budget.turn_cost`: expected a number from 0.0, but -1.0 came"]
            .assert_eq(&told(r#"{"budget":{"turn_cost":-1.0}}"#));
        expect!["`main.retries.time`: unknown key: did you mean `times`?"]
            .assert_eq(&told(r#"{"main":{"provider":"openai","retries":{"time":1}}}"#));
        expect!["`main.api_key`: the secret has the wrong type (its value is not shown)"]
            .assert_eq(&told(r#"{"main":{"provider":"openai","api_key":["s3cret"]}}"#));
    }
}
