//! The providers that have a name, and where they are.

use super::{
    anthropic::Anthropic,
    openai::{Dialect, OpenAi},
    wire::Wire,
};
use crate::model::settings::Provider;

/// What there is to know of a provider.
pub(in crate::model) struct Vendor {
    /// Where its interface begins.
    pub(in crate::model) url: &'static str,
    // What is asked under that address.
    path: &'static str,
    wire: &'static dyn Wire,
    // How the key is sent.
    key_header: (&'static str, &'static str),
    headers: &'static [(&'static str, &'static str)],
}

impl Vendor {
    /// Returns the provider of this name; `None` for one that needs no network. With an address of its own it is a server that speaks
    /// as the provider does, and may not know what only the provider itself wants.
    pub(in crate::model) fn of(provider: Provider, url: Option<&str>) -> Option<Self> {
        const BEARER: (&str, &str) = ("authorization", "Bearer ");
        let speaks = |dialect: &'static OpenAi, url| Self {
            url,
            path: "/chat/completions",
            wire: dialect,
            key_header: BEARER,
            headers: &[],
        };
        const COMMON: &OpenAi = &OpenAi { dialect: Dialect::Common };
        Some(match provider {
            Provider::Offline | Provider::Replay => return None,
            Provider::Openai if url.is_some() => speaks(COMMON, ""),
            Provider::Openai => speaks(&OpenAi { dialect: Dialect::OpenAi }, "https://api.openai.com/v1"),
            Provider::Anthropic => Self {
                url: "https://api.anthropic.com/v1",
                path: "/messages",
                wire: &Anthropic,
                key_header: ("x-api-key", ""),
                headers: &[("anthropic-version", "2023-06-01")],
            },
            Provider::Cerebras => speaks(COMMON, "https://api.cerebras.ai/v1"),
            Provider::Cohere => speaks(COMMON, "https://api.cohere.ai/compatibility/v1"),
            Provider::Deepseek => speaks(COMMON, "https://api.deepseek.com"),
            Provider::Fireworks => speaks(COMMON, "https://api.fireworks.ai/inference/v1"),
            Provider::Gemini => {
                speaks(&OpenAi { dialect: Dialect::Google }, "https://generativelanguage.googleapis.com/v1beta/openai")
            }
            Provider::Groq => speaks(COMMON, "https://api.groq.com/openai/v1"),
            Provider::Mistral => speaks(&OpenAi { dialect: Dialect::Mistral }, "https://api.mistral.ai/v1"),
            Provider::Ollama => speaks(COMMON, "http://127.0.0.1:11434/v1"),
            Provider::Openrouter => speaks(COMMON, "https://openrouter.ai/api/v1"),
            Provider::Together => speaks(COMMON, "https://api.together.xyz/v1"),
            Provider::Xai => speaks(COMMON, "https://api.x.ai/v1"),
        })
    }

    pub(super) fn wire(&self) -> &'static dyn Wire {
        self.wire
    }

    /// Returns the address that is asked.
    pub(super) fn address(&self, url: Option<&str>) -> String {
        let base = url.unwrap_or(self.url).trim_end_matches('/');
        if base.ends_with(self.path) { base.to_owned() } else { format!("{base}{}", self.path) }
    }

    /// Returns the headers that go with every request.
    pub(super) fn headers(&self, key: Option<&str>) -> Vec<(String, String)> {
        let key = key.map(|key| (self.key_header.0.to_owned(), format!("{}{key}", self.key_header.1)));
        let others = self.headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        others.chain(key).collect()
    }
}
