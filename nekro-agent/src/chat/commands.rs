//! The chat's own commands: what they are called, what follows them, and what they do.

use std::path::Path;

use nekro_core::{Error, Result, suggest};
use serde_json::json;

use super::{Chat, Next};
use crate::{
    agent::Source,
    cli::{plain, table},
    style::DIM,
};

/// A command of the chat.
pub(super) struct Own {
    pub(super) name: &'static str,
    pub(super) words: &'static str,
    pub(super) docs: &'static str,
}

/// All of them, in the order in which they are shown.
pub(super) const OWN: [Own; 13] = [
    Own { name: "help", words: "", docs: "Shows what you can do." },
    Own { name: "tools", words: "", docs: "Lists the tools." },
    Own { name: "status", words: "", docs: "Shows how this session is doing." },
    Own { name: "prompt", words: "", docs: "Shows what the model reads first, and what each plugin costs." },
    Own { name: "stop", words: "", docs: "Ends what is under way." },
    Own { name: "reset", words: "", docs: "Begins this session anew." },
    Own { name: "model", words: " [name]", docs: "Shows or chooses the model of this session; `default` for the usual one." },
    Own { name: "persona", words: " [name]", docs: "Shows or chooses the persona of this session; `default` for the usual one." },
    Own { name: "state", words: " [name]", docs: "Shows the state of the agent in this session, or moves it to another." },
    Own { name: "plugins", words: " [on|off plugin]", docs: "Shows the plugins, or switches one in this session." },
    Own { name: "sessions", words: "", docs: "Lists the sessions that were used last." },
    Own { name: "image", words: " path [text]", docs: "Sends a picture, with something to say about it." },
    Own { name: "quit", words: "", docs: "Ends the chat." },
];

/// How many sessions are listed.
const SESSIONS: usize = 20;

/// The word that takes a choice back.
pub(super) const DEFAULT: &str = "default";

impl Chat<'_> {
    /// Does what one of these commands says; `None` if it is none of them.
    pub(super) async fn own_command(&self, name: &str, words: &[String]) -> Option<Result<Next>> {
        let words: Vec<_> = words.iter().map(String::as_str).collect();
        let done = match (name, words.as_slice()) {
            ("quit" | "exit", []) => return Some(Ok(Next::End)),
            ("help", []) => {
                self.help();
                Ok(())
            }
            ("tools", []) => {
                for tool in self.agent.kernel.tools(&self.caller) {
                    self.screen.line(crate::cli::signature(&tool));
                }
                Ok(())
            }
            ("status", []) => self.status().await,
            ("prompt", []) => self.prompt().await,
            ("stop", []) => {
                let stopped = self.agent.machine.stop(&self.session);
                self.say(&json!({ "stopped": stopped }), if stopped { "stopped" } else { "there is nothing to stop" });
                Ok(())
            }
            ("reset", []) => self.reset().await,
            ("model", words @ ([] | [_])) => self.model(words.first().copied()).await,
            ("persona", words) => self.persona(&words.join(" ")).await,
            ("state", words @ ([] | [_])) => self.state(words.first().copied()).await,
            ("plugins", []) => self.plugins().await,
            ("plugins", [word @ ("on" | "off"), plugin]) => self.switch(plugin, *word == "on").await,
            ("image", [path, words @ ..]) => self.picture(Path::new(path), words).await,
            ("sessions", []) => self.sessions().await,
            _ => {
                let own = OWN.iter().find(|own| own.name == name)?;
                let error = Error::new(format!("`/{name}` is not followed by that")).with_code("invalid_arguments");
                Err(error.with_hint(format!("it is used as `/{name}{}`", own.words)))
            }
        };
        Some(done.map(|()| Next::Line))
    }

    fn say(&self, value: &serde_json::Value, text: &str) {
        self.screen.show(value, || format!("{DIM}{}{DIM:#}", plain(text)));
    }

    async fn reset(&self) -> Result<()> {
        let hidden = self.agent.machine.reset(&self.session).await?;
        self.say(&json!({ "reset": hidden }), &format!("begun anew: {hidden} messages are no longer seen by the model"));
        Ok(())
    }

    async fn status(&self) -> Result<()> {
        let status = self.agent.machine.status(&self.session).await?;
        self.screen.show(&status, || {
            let usage = status.usage.usage;
            let mut rows = vec![
                vec!["session".to_owned(), status.session.to_string()],
                vec!["model".to_owned(), status.model.clone()],
                vec!["messages".to_owned(), format!("{}, {} waiting", status.messages, status.waiting)],
                vec![
                    "tokens".to_owned(),
                    format!(
                        "{} read ({} of them kept by the provider), {} written",
                        usage.input_tokens, usage.cached_tokens, usage.output_tokens
                    ),
                ],
            ];
            rows.extend(status.state.iter().map(|state| vec!["state".to_owned(), state.clone()]));
            table(&rows)
        });
        Ok(())
    }

    async fn prompt(&self) -> Result<()> {
        let overview = self.agent.machine.overview(&self.session).await?;
        self.screen.show(&overview, || crate::cli::prompt_text(&overview));
        Ok(())
    }

    async fn model(&self, name: Option<&str>) -> Result<()> {
        let machine = &self.agent.machine;
        if let Some(name) = name {
            machine.set_model(&self.session, Some(name).filter(|name| *name != DEFAULT)).await?;
        }
        let model = machine.status(&self.session).await?.model;
        let others = machine.models();
        let text = match others.as_slice() {
            [] | [_] => format!("{model} (there is no other: `[models]` in {} names them)", self.live.file().display()),
            others => format!("{model} (there are {})", others.join(", ")),
        };
        self.say(&json!({ "model": model, "models": others }), &text);
        Ok(())
    }

    async fn persona(&self, name: &str) -> Result<()> {
        let machine = &self.agent.machine;
        if !name.is_empty() {
            machine.set_persona(&self.session, Some(name).filter(|name| *name != DEFAULT)).await?;
        }
        let persona = machine.profile(&self.session).await?.persona;
        let others: Vec<_> = machine.personas().collect();
        let text = if others.is_empty() { persona.clone() } else { format!("{persona}\nthere are {}", others.join(", ")) };
        self.say(&json!({ "persona": persona, "personas": others }), &text);
        Ok(())
    }

    async fn state(&self, name: Option<&str>) -> Result<()> {
        let machine = &self.agent.machine;
        if let Some(name) = name {
            machine.set_state(&self.session, name, &self.caller).await?;
        }
        let state = machine.status(&self.session).await?.state;
        let text = state.as_deref().unwrap_or("the agent has no states (`agent.states`)");
        self.say(&json!({ "state": state }), text);
        Ok(())
    }

    async fn switch(&self, plugin: &str, on: bool) -> Result<()> {
        self.agent.machine.set_plugin(&self.session, plugin, on).await?;
        let word = if on { "on" } else { "off" };
        self.say(&json!({ "plugin": plugin, "on": on }), &format!("`{plugin}` is {word} in this session"));
        Ok(())
    }

    async fn plugins(&self) -> Result<()> {
        let profile = self.agent.machine.profile(&self.session).await?;
        let status = self.agent.kernel.status();
        let rows: Vec<_> = status
            .iter()
            .map(|plugin| {
                let here = match profile.plugins.get(plugin.id) {
                    Some(false) => "off here",
                    _ if plugin.stage == nekro_core::kernel::Stage::Running => "on",
                    _ => "not running",
                };
                vec![plugin.id.to_owned(), here.to_owned()]
            })
            .collect();
        self.screen.show(&rows, || table(&rows));
        Ok(())
    }

    async fn sessions(&self) -> Result<()> {
        let sessions = self.agent.machine.sessions(SESSIONS).await?;
        self.screen.show(&sessions, || {
            let rows: Vec<_> = sessions
                .iter()
                .map(|one| vec![plain(one.id.as_str()).into_owned(), format!("{} messages", one.messages), one.used.to_string()])
                .collect();
            table(&rows)
        });
        Ok(())
    }

    /// The kernel knows the plugins' commands, and the chat has some of its own.
    pub(super) fn with_own_commands(&self, error: Error, name: &str) -> Error {
        if error.code() != "unknown_command" {
            return error;
        }
        if self.agent.kernel.commands(&self.caller).any(|entry| entry.group() == Some(name)) {
            return error;
        }
        let plugins = self.agent.kernel.commands(&self.caller).map(|entry| entry.group().unwrap_or(entry.decl.name));
        match suggest(name, plugins.chain(OWN.iter().map(|own| own.name))) {
            Some(meant) => error.with_hint(format!("did you mean `/{meant}`?")),
            None => error.with_hint("`/help` lists the commands"),
        }
    }
}

/// Whose something is, for people.
pub(crate) fn whose(source: &Source) -> &'static str {
    match source {
        Source::Agent => "(agent)",
        Source::Plugin(plugin) => plugin,
        Source::Turn => "(turn)",
    }
}
