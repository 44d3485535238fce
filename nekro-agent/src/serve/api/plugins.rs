//! Plugins: what they are and how they do, switching them, and their settings and logs.

use nekro_core::{
    Method, Role,
    kernel::{PluginStatus, SwitchError},
    web::Answer,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{Operation, run};
use crate::{
    cli::Failure,
    history::HistoryPort,
    log::{self, Wanted},
    serve::{problem::Problem, request::Request, server::Server},
};

pub(super) const OPERATIONS: &[Operation] = &[
    Operation::new(Method::Get, "/api/plugins", "list_plugins", "Lists the plugins, and how they are doing.", run!(list))
        .json::<Vec<Plugin>>(),
    Operation::new(
        Method::Get,
        "/api/plugins/{plugin}",
        "show_plugin",
        "Shows all there is to know of a plugin: what it brings, what it may do, and how it is doing.",
        run!(show),
    )
    .json::<Map<String, Value>>(),
    Operation::new(
        Method::Post,
        "/api/plugins/{plugin}/enable",
        "enable_plugin",
        "Lets a plugin run that was disabled, now and from the next start on.",
        run!(enable),
    )
    .role(Role::Admin)
    .json::<Plugin>(),
    Operation::new(
        Method::Post,
        "/api/plugins/{plugin}/disable",
        "disable_plugin",
        "Keeps a plugin from running, now and from the next start on.",
        run!(disable),
    )
    .role(Role::Admin)
    .json::<Plugin>(),
    Operation::new(
        Method::Get,
        "/api/plugins/{plugin}/config",
        "show_plugin_config",
        "Shows the settings of a plugin with their schema. Secrets are not shown.",
        run!(config),
    )
    .role(Role::Admin)
    .json::<Config>(),
    Operation::new(
        Method::Put,
        "/api/plugins/{plugin}/config/{key}",
        "set_plugin_config",
        "Writes a setting of a plugin into the settings file, if the whole is right with it; it holds at once.",
        run!(set),
    )
    .role(Role::Admin)
    .body::<NewValue>()
    .json::<Config>(),
    Operation::new(
        Method::Delete,
        "/api/plugins/{plugin}/config/{key}",
        "unset_plugin_config",
        "Takes a setting of a plugin out of the settings file, if the whole is right without it.",
        run!(unset),
    )
    .role(Role::Admin)
    .json::<Config>(),
    Operation::new(
        Method::Get,
        "/api/plugins/{plugin}/logs",
        "list_plugin_logs",
        "Lists what the log has of a plugin, the last entries.",
        run!(logs),
    )
    .role(Role::Admin)
    .query::<Last>()
    .json::<Vec<Value>>(),
];

/// A plugin.
#[derive(Serialize, JsonSchema)]
struct Plugin {
    /// Its id, such as `dice`.
    id: &'static str,
    /// Its version.
    version: &'static str,
    /// What it is for.
    description: &'static str,
    /// How it is doing.
    status: PluginStatus,
}

fn unknown(server: &Server, id: &str) -> Problem {
    let problem = Problem::new(404, "unknown_plugin", format!("there is no plugin `{id}`"));
    let known = server.kernel.registry().plugins().iter().map(|plugin| plugin.decl.id);
    match nekro_core::suggest(id, known) {
        Some(meant) => problem.with_hint(format!("did you mean `{meant}`?")),
        None => problem,
    }
}

fn one(server: &Server, id: &str) -> Result<Plugin, Problem> {
    let entry = server.kernel.registry().plugin(id).ok_or_else(|| unknown(server, id))?;
    let status = server.kernel.status().into_iter().find(|status| status.id == id).ok_or_else(|| unknown(server, id))?;
    Ok(Plugin { id: entry.decl.id, version: entry.decl.version, description: entry.decl.docs, status })
}

async fn list(server: &Server, _: &Request) -> Result<Answer, Problem> {
    let plugins: Result<Vec<_>, _> = server.kernel.registry().plugins().iter().map(|entry| one(server, entry.decl.id)).collect();
    Ok(Answer::json(&plugins?)?)
}

async fn show(server: &Server, request: &Request) -> Result<Answer, Problem> {
    let id = request.path("plugin");
    let status = one(server, id)?.status;
    let manifest = server.kernel.registry().manifest();
    let plugin = manifest.plugin(id).ok_or_else(|| unknown(server, id))?;
    let mut value = serde_json::to_value(plugin).unwrap_or_default();
    value["status"] = json!(status);
    Ok(Answer::json(&value)?)
}

async fn enable(server: &Server, request: &Request) -> Result<Answer, Problem> {
    let id = one(server, request.path("plugin"))?.id;
    if server.live.settings_disable(id).await {
        return Err(Problem::new(409, "conflict", format!("the settings disable the plugin `{id}`"))
            .with_hint("take it out of `disabled` in the settings"));
    }
    server.kernel.enable(id).await.map_err(|error| switched(&error))?;
    // What is not disabled runs as the settings say.
    server.storage.set_enabled(id, None).await?;
    server.live.note_enabled(id, true).await;
    Ok(Answer::json(&one(server, id)?)?)
}

async fn disable(server: &Server, request: &Request) -> Result<Answer, Problem> {
    let id = one(server, request.path("plugin"))?.id;
    server.kernel.disable(id).await.map_err(|error| switched(&error))?;
    server.storage.set_enabled(id, Some(false)).await?;
    server.live.note_enabled(id, false).await;
    Ok(Answer::json(&one(server, id)?)?)
}

fn switched(error: &SwitchError) -> Problem {
    Problem::new(409, "conflict", error.to_string())
}

/// The settings of a plugin.
#[derive(Serialize, JsonSchema)]
struct Config {
    /// Their JSON Schema; `null` for a plugin without.
    schema: Value,
    /// Each setting, with its value and where that comes from.
    settings: Vec<Value>,
}

async fn config(server: &Server, request: &Request) -> Result<Answer, Problem> {
    let id = one(server, request.path("plugin"))?.id;
    let schema = server.kernel.registry().plugin(id).and_then(|entry| entry.config_schema()).unwrap_or_default();
    let settings = server.live.settings_of(id).map_err(|failure| refused(&failure))?;
    Ok(Answer::json(&Config { schema, settings })?)
}

fn refused(failure: &Failure) -> Problem {
    let (message, hint) = failure.told();
    let problem = Problem::bad_request(message);
    match hint {
        Some(hint) => problem.with_hint(hint),
        None => problem,
    }
}

/// The new value of a setting.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NewValue {
    /// The value.
    value: Value,
}

async fn set(server: &Server, request: &Request) -> Result<Answer, Problem> {
    let id = one(server, request.path("plugin"))?.id;
    let NewValue { value } = request.json()?;
    server.live.set(id, request.path("key"), Some(&value)).map_err(|failure| refused(&failure))?;
    server.live.look().await;
    config(server, request).await
}

async fn unset(server: &Server, request: &Request) -> Result<Answer, Problem> {
    let id = one(server, request.path("plugin"))?.id;
    server.live.set(id, request.path("key"), None).map_err(|failure| refused(&failure))?;
    server.live.look().await;
    config(server, request).await
}

/// How many.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Last {
    /// How many entries, the last ones, at most 1000; 100 if nobody says.
    last: Option<u16>,
}

/// How many entries of the log are listed at most.
const MOST_ENTRIES: usize = 1_000;

async fn logs(server: &Server, request: &Request) -> Result<Answer, Problem> {
    let id = one(server, request.path("plugin"))?.id;
    let Last { last } = request.query()?;
    let count = last.map_or(100, usize::from).min(MOST_ENTRIES);
    let folder = server.storage.directory().logs();
    let wanted = Wanted { plugin: Some(id.to_owned()), session: None, task: None };
    let read = tokio::task::spawn_blocking(move || log::last(&folder, wanted, count).map(|(entries, _)| entries)).await;
    let unreadable = |problem: String| Problem::new(500, "unreadable", format!("the log cannot be read: {problem}"));
    let entries = read.map_err(|error| unreadable(error.to_string()))?.map_err(|error| unreadable(error.to_string()))?;
    let entries: Vec<Value> = entries.iter().filter_map(|entry| serde_json::from_str(&entry.line).ok()).collect();
    Ok(Answer::json(&entries)?)
}
