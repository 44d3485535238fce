//! `nekro --server URL …`: the same commands, carried out by an agent that runs elsewhere, or here already.

mod background;

use std::{path::Path, time::Duration};

use reqwest::{Client, Method, Url, redirect::Policy};
use serde_json::{Value, json};

use super::{
    Failure, Screen,
    args::{Command, Global, PluginsCommand, SessionsCommand},
    output::{first_line, plain, table},
};

/// How long it may take to reach the server.
const CONNECT: Duration = Duration::from_secs(15);

/// A server, as a client sees it.
struct Remote {
    client: Client,
    url: Url,
    token: Option<String>,
}

/// Carries out a command at a server.
pub(super) fn run(command: Command, server: &str, global: &Global, directory: &Path, screen: &Screen) -> Result<(), Failure> {
    let url = Url::parse(server).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    let Some(url) = url else {
        return Err(
            Failure::usage(format!("`{server}` is no address of a server")).with_hint("write `--server http://127.0.0.1:8642`")
        );
    };
    // Without a token that was given, the one of the data directory: this machine's own agent is served then.
    let token = match &global.token {
        Some(token) => Some(token.clone()),
        None if is_here(&url) => std::fs::read_to_string(directory.join("token")).ok(),
        None => None,
    };
    let token = token.map(|token| token.trim().to_owned()).filter(|token| !token.is_empty());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::work(format!("the runtime cannot be started: {error}")))?;
    // Somebody else in this process may have chosen before; any choice will do.
    let _ = rustls::crypto::ring::default_provider().install_default();
    // A token must not travel to where a redirection leads.
    let client = Client::builder().redirect(Policy::none()).connect_timeout(CONNECT).build().map_err(Failure::work)?;
    runtime.block_on(Remote { client, url, token }.carry_out(command, screen))
}

fn is_here(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

impl Remote {
    async fn carry_out(&self, command: Command, screen: &Screen) -> Result<(), Failure> {
        match command {
            Command::Sessions { command } => self.sessions(command, screen).await,
            Command::Tasks { command } => self.tasks(command, screen).await,
            Command::Schedules { command } => self.schedules(command, screen).await,
            Command::Tools { tool: None } => {
                let tools = self.get(&["api", "tools"]).await?;
                list(&tools, &["name", "description"], screen);
                Ok(())
            }
            Command::Tools { tool: Some(tool) } => self.show(&["api", "tools", &tool], screen).await,
            Command::Events { event: None } => {
                let events = self.get(&["api", "events"]).await?;
                list(&events, &["name", "sort", "description"], screen);
                Ok(())
            }
            Command::Events { event: Some(event) } => self.show(&["api", "events", &event], screen).await,
            Command::Plugins { command: None } => {
                let plugins = self.get(&["api", "plugins"]).await?;
                list(&plugins, &["id", "version", "status.stage", "description"], screen);
                Ok(())
            }
            Command::Plugins { command: Some(command) } => self.plugins(command, screen).await,
            Command::Call { tool: Some(tool), help: false, words } => self.call(&tool, words, screen).await,
            Command::Emit { event, fields } => {
                let fields: Value =
                    serde_json::from_str(&fields).map_err(|error| Failure::usage(format!("`--fields` is no JSON: {error}")))?;
                let emitted = self.ask(Method::POST, &["api", "events", &event], Some(&fields)).await?;
                screen.show(&emitted, || match &emitted["verdict"] {
                    Value::Null => format!("{} was emitted; {} handlers listen to it", plain(&event), emitted["handlers"]),
                    verdict => plain(&format!("{verdict:#}")).into_owned(),
                });
                Ok(())
            }
            Command::Chat { session, model: None, once: Some(text), record: None } => {
                self.say(session.as_deref(), &text, screen).await
            }
            _ => Err(Failure::usage("this command is not carried out by a server").with_hint(
                "with `--server` there are `sessions`, `tools`, `call`, `plugins`, `events`, `emit`, `tasks`, `schedules` and `chat --once TEXT`",
            )),
        }
    }

    async fn sessions(&self, command: Option<SessionsCommand>, screen: &Screen) -> Result<(), Failure> {
        match command.unwrap_or(SessionsCommand::List { last: 50 }) {
            SessionsCommand::List { last } => {
                let sessions =
                    self.ask_with(Method::GET, &["api", "sessions"], &[("limit", last.min(500).to_string())], None).await?;
                list(&sessions["items"], &["session", "messages", "used", "title"], screen);
                Ok(())
            }
            SessionsCommand::Show { session, last } => {
                let query = [("limit", last.min(500).to_string())];
                let messages = self.ask_with(Method::GET, &["api", "sessions", &session, "messages"], &query, None).await?;
                let mut items = messages["items"].as_array().cloned().unwrap_or_default();
                items.reverse();
                let items = Value::from(items);
                list(&items, &["number", "body.kind", "at", "body.text"], screen);
                Ok(())
            }
            SessionsCommand::Delete { session } => {
                self.ask(Method::DELETE, &["api", "sessions", &session], None).await?;
                screen.show(&json!({ "deleted": session }), || format!("{} is deleted with everything in it", plain(&session)));
                Ok(())
            }
            SessionsCommand::Export { .. } => {
                Err(Failure::usage("a session is exported where its data is")
                    .with_hint("leave `--server` out, with `--data DIR`"))
            }
        }
    }

    async fn plugins(&self, command: PluginsCommand, screen: &Screen) -> Result<(), Failure> {
        let (id, switch) = match &command {
            PluginsCommand::Show { id } => return self.show(&["api", "plugins", id], screen).await,
            PluginsCommand::Enable { id } => (id, "enable"),
            PluginsCommand::Disable { id } => (id, "disable"),
        };
        let plugin = self.ask(Method::POST, &["api", "plugins", id, switch], None).await?;
        screen.show(&plugin, || format!("{} is {}d", plain(id), switch));
        Ok(())
    }

    async fn call(&self, tool: &str, mut words: Vec<String>, screen: &Screen) -> Result<(), Failure> {
        let arguments = words.iter().position(|word| word == "--args").filter(|at| at + 1 < words.len());
        let reply = match arguments {
            Some(at) => {
                let json = words.remove(at + 1);
                let arguments =
                    serde_json::from_str(&json).map_err(|error| Failure::usage(format!("`--args` is no JSON: {error}")))?;
                self.ask(Method::POST, &["api", "tools", tool], Some(&arguments)).await?
            }
            None => self.ask(Method::POST, &["api", "tools", tool, "words"], Some(&json!({ "words": words }))).await?,
        };
        screen.show(&reply, || match (&reply["text"], &reply["value"]) {
            (Value::String(text), _) | (_, Value::String(text)) => plain(text).into_owned(),
            (_, Value::Null) => String::new(),
            (_, value) => plain(&value.to_string()).into_owned(),
        });
        Ok(())
    }

    async fn say(&self, session: Option<&str>, text: &str, screen: &Screen) -> Result<(), Failure> {
        let begun = match session {
            Some(name) if name.contains(':') => json!({ "session": name }),
            name => self.ask(Method::POST, &["api", "sessions"], Some(&json!({ "name": name }))).await?,
        };
        let session = begun["session"].as_str().unwrap_or_default();
        let body = json!({ "text": text, "wait": true });
        let said = self.ask(Method::POST, &["api", "sessions", session, "messages"], Some(&body)).await?;
        if let Some(problem) = said["problem"].as_str() {
            return Err(Failure::work(problem));
        }
        screen.show(&said, || {
            let told = said["answer"].as_str().or(said["reason"].as_str()).unwrap_or("the agent has nothing to say");
            plain(told).into_owned()
        });
        Ok(())
    }

    async fn show(&self, path: &[&str], screen: &Screen) -> Result<(), Failure> {
        let value = self.get(path).await?;
        screen.show(&value, || plain(&format!("{value:#}")).into_owned());
        Ok(())
    }

    async fn get(&self, path: &[&str]) -> Result<Value, Failure> {
        self.ask(Method::GET, path, None).await
    }

    async fn ask(&self, method: Method, path: &[&str], body: Option<&Value>) -> Result<Value, Failure> {
        self.ask_with(method, path, &[], body).await
    }

    async fn ask_with(
        &self,
        method: Method,
        path: &[&str],
        query: &[(&str, String)],
        body: Option<&Value>,
    ) -> Result<Value, Failure> {
        let mut url = self.url.clone();
        if let Ok(mut parts) = url.path_segments_mut() {
            parts.pop_if_empty().extend(path);
        }
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        let mut request = self.client.request(method, url);
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body.to_string());
        }
        let unreachable = |error: reqwest::Error| {
            let mut problem = error.to_string();
            if let Some(source) = std::error::Error::source(&error) {
                problem = format!("{problem}: {source}");
            }
            Failure::work(format!("the server at {} cannot be asked: {problem}", self.url)).with_hint("`nekro serve` starts one")
        };
        let answer = request.send().await.map_err(unreachable)?;
        let status = answer.status();
        let text = answer.text().await.map_err(unreachable)?;
        let value: Value = serde_json::from_str(&text).unwrap_or(Value::Null);
        if status.is_success() {
            return Ok(value);
        }
        let detail = value["detail"].as_str().map_or_else(|| format!("the server answered with {status}"), str::to_owned);
        let failure = if matches!(status.as_u16(), 400 | 404) { Failure::usage(detail) } else { Failure::work(detail) };
        Err(match value["hint"].as_str() {
            _ if status.as_u16() == 401 => failure.with_hint("`--token TOKEN` or NEKRO_TOKEN says who you are"),
            Some(hint) => failure.with_hint(hint),
            None => failure,
        })
    }
}

/// Prints a list: as a table of some of its fields, or as it came.
fn list(items: &Value, fields: &[&str], screen: &Screen) {
    screen.show(items, || {
        let cell = |item: &Value, field: &str| {
            let value = field.split('.').fold(item, |value, part| &value[part]);
            match value {
                Value::Null => String::new(),
                Value::String(text) => plain(first_line(text)).into_owned(),
                value => value.to_string(),
            }
        };
        let row = |item: &Value| fields.iter().map(|field| cell(item, field)).collect::<Vec<_>>();
        let rows: Vec<_> = items.as_array().into_iter().flatten().map(row).collect();
        if rows.is_empty() { "there is nothing".to_owned() } else { table(&rows) }
    });
}
