//! What holds in one session: the persona, the model and the plugins.
//!
//! The session's own settings lie over those of its channel, these over a preset, and that over the agent.

use std::collections::BTreeMap;

use nekro_core::SessionId;

use super::settings::AgentSettings;
use crate::history::SessionSettings;

/// What holds in one session.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Profile {
    /// What the model reads first.
    pub(crate) persona: String,
    /// The model; the agent's own if none.
    pub(crate) model: Option<String>,
    /// Plugins that are on or off.
    pub(crate) plugins: BTreeMap<String, bool>,
}

impl Profile {
    /// Puts the layers over each other.
    pub(crate) fn new(settings: &AgentSettings, id: &SessionId, session: &SessionSettings) -> Self {
        let mut profile = Self { persona: settings.persona.clone(), model: settings.model.clone(), plugins: BTreeMap::new() };
        let channel = settings.channels.get(id.as_str()).or_else(|| settings.channels.get(id.channel()));
        // A persona that a session has chosen is a preset's name, or a text of its own.
        let chosen = session.persona.as_deref();
        let preset = chosen.filter(|name| settings.presets.contains_key(*name));
        let preset = preset.or_else(|| channel?.preset.as_deref()).or(settings.preset.as_deref());
        if let Some(preset) = preset.and_then(|name| settings.presets.get(name)) {
            profile.lay(preset.persona.as_ref(), preset.model.as_ref(), &preset.plugins);
        }
        if let Some(channel) = channel {
            // What a person has chosen counts for more than what the operator set for the place.
            let persona = channel.persona.as_ref().filter(|_| chosen.is_none());
            profile.lay(persona, channel.model.as_ref(), &BTreeMap::new());
        }
        let own = session.persona.as_ref().filter(|name| !settings.presets.contains_key(*name));
        profile.lay(own, session.model.as_ref(), &session.plugins);
        profile
    }

    fn lay(&mut self, persona: Option<&String>, model: Option<&String>, plugins: &BTreeMap<String, bool>) {
        if let Some(persona) = persona {
            self.persona.clone_from(persona);
        }
        if model.is_some() {
            self.model = model.cloned();
        }
        self.plugins.extend(plugins.iter().map(|(plugin, on)| (plugin.clone(), *on)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> AgentSettings {
        serde_json::from_value(serde_json::json!({
            "persona": "agent", "model": "agent", "preset": "usual",
            "presets": {
                "usual": { "persona": "usual", "plugins": { "a": false, "b": false } },
                "cat": { "persona": "meow", "model": "cat" },
            },
            "channels": { "place": { "persona": "place" }, "place:1": { "model": "first" }, "catty": { "preset": "cat" } },
        }))
        .expect("settings")
    }

    #[track_caller]
    fn check(id: &str, session: SessionSettings, expected: &str) {
        let profile = Profile::new(&settings(), &id.into(), &session);
        let plugins: Vec<_> = profile.plugins.iter().map(|(plugin, on)| format!("{plugin}={on}")).collect();
        let text = format!("{} {} {}", profile.persona, profile.model.unwrap_or_default(), plugins.join(","));
        assert_eq!(text, expected);
    }

    #[test]
    fn the_session_lies_over_its_channel_that_over_a_preset_and_that_over_the_agent() {
        let none = SessionSettings::default;
        check("elsewhere", none(), "usual agent a=false,b=false");
        check("place", none(), "place agent a=false,b=false");
        check("place:2", none(), "place agent a=false,b=false");
        check("place:1", none(), "usual first a=false,b=false");
        check("catty", none(), "meow cat ");
        check("place", SessionSettings { persona: Some("cat".into()), ..none() }, "meow cat ");
        check("place", SessionSettings { persona: Some("Be a dog.".into()), ..none() }, "Be a dog. agent a=false,b=false");
        let own = SessionSettings { model: Some("own".into()), plugins: [("a".to_owned(), true)].into(), ..none() };
        check("place", own, "place own a=true,b=false");
    }
}
