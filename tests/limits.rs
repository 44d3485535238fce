//! The policy limits the use of every capability that is waited for: a plugin that uses each of them is refused by the limit of each.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use nekro_core::{
    BoxFuture, Schedule, ServerAnswer, ServerTool, ToolServerFollower, ToolServerLink, ToolServers, ToolServersPort,
    kernel::Registry,
    manifest::Manifest,
    policy::Policy,
    prelude::*,
    testing::{FakeAnswer, FakeOutput, Host},
};
// What this plugin requires.
use nekro_fixture_alpha as _;
use serde_json::{Map, Value, json};

/// The capabilities whose uses wait for nothing, and have no limits; how many tools `offers` may hold is a limit of the kernel, and
/// `resources` says what others may read.
const NOT_WAITED_FOR: [&str; 6] = ["clock", "env", "events", "offers", "random", "resources"];

/// Uses everything.
#[plugin(id = "every", http = ["api.example.org"], process = ["git"], secrets = ["key"], requires = ["alpha"])]
pub struct Every;

/// Uses `files`.
#[tool]
async fn files(files: &Files) -> Result<bool> {
    Ok(files.own().metadata("a.txt").await?.is_some())
}

/// Uses `http`.
#[tool]
async fn http(http: &Http) -> Result<u16> {
    Ok(http.get("https://api.example.org/").send().await?.status())
}

/// Uses `messages`.
#[tool]
async fn messages(messages: &Messages) -> Result<()> {
    messages.send("Hello.").await.map(drop)
}

/// Uses `model`.
#[tool]
async fn model(model: &Model) -> Result<String> {
    Ok(model.complete("Hello?").await?.text)
}

/// Uses `peers`.
#[tool]
async fn peers(peers: &Peers) -> Result<Value> {
    peers.call("alpha.typed", &json!({ "text": "hi" })).await
}

/// Uses `process`.
#[tool]
async fn process(process: &Process) -> Result<String> {
    process.command("git").args(["--version"]).run().await?.success()?.text().map(str::to_owned)
}

/// Uses `schedules`.
#[tool]
async fn schedules(schedules: &Schedules) -> Result<usize> {
    let tea = Schedule::every("tea", Duration::from_secs(900)).message("Tea!");
    schedules.add(tea).await?;
    Ok(1)
}

/// Uses `secrets`.
#[tool]
async fn secrets(secrets: &Secrets) -> Result<usize> {
    Ok(secrets.get("key").await?.expose().len())
}

/// Uses `sessions`.
#[tool]
async fn sessions(sessions: &Sessions) -> Result<usize> {
    Ok(sessions.own()?.messages(None, 2).await?.len())
}

/// Uses `store`.
#[tool]
async fn store(store: &Store) -> Result<u32> {
    store.set("count", &1).await?;
    Ok(1)
}

/// Does nothing, later.
#[task]
async fn rest(store: &Store) -> Result<()> {
    store.set("rested", &true).await
}

/// Uses `tasks`.
#[tool]
async fn tasks(tasks: &Tasks) -> Result<TaskId> {
    tasks.start(rest {}).await
}

/// Does nothing, later, as a tool.
#[task(tool)]
async fn rest_as_tool(store: &Store) -> Result<()> {
    store.set("rested", &true).await
}

/// Uses `vectors`.
#[tool]
async fn vectors(vectors: &Vectors) -> Result<u64> {
    Ok(vectors.collection::<Value>("notes").state().await?.points)
}

/// Uses `tool_servers`.
#[tool]
async fn tool_servers(servers: &ToolServers) -> Result<usize> {
    Ok(servers.follow("echo", Arc::new(Nobody))?.call("echo", Map::new(), &Progress::new(None)).await?.parts.len())
}

/// A server that answers nothing, and whoever follows it.
struct Nobody;

impl ToolServersPort for Nobody {
    fn names(&self) -> Vec<String> {
        vec!["echo".to_owned()]
    }

    fn follow(&self, _: &str, _: Arc<dyn ToolServerFollower>) -> Result<Arc<dyn ToolServerLink>> {
        Ok(Arc::new(Self))
    }
}

impl ToolServerLink for Nobody {
    fn settled(&self, _: Duration) -> BoxFuture<'_, ()> {
        Box::pin(async {})
    }

    fn call<'a>(&'a self, _: &'a str, _: Map<String, Value>, _: &'a Progress) -> BoxFuture<'a, Result<ServerAnswer>> {
        Box::pin(async { Ok(ServerAnswer::default()) })
    }
}

impl ToolServerFollower for Nobody {
    fn listed(&self, _: Vec<ServerTool>, _: bool) -> BoxFuture<'_, ()> {
        Box::pin(async {})
    }

    fn lost(&self, _: Error) {}
}

fn host(limits: &str) -> Host {
    let policy = Policy::parse(&format!("[plugins.every.limits]\n{limits}\n")).unwrap_or_else(|error| panic!("{error}"));
    Host::builder::<Every>()
        .policy(policy)
        .secret("key", "s3cret")
        .answer("GET https://api.example.org/", FakeAnswer::json(json!({})))
        .output("git --version", FakeOutput::text("git 2"))
        .model_says("Hello!")
        .port::<dyn ToolServersPort>(Arc::new(Nobody))
        .start()
}

fn words(value: &Value) -> BTreeSet<&str> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

#[test]
fn every_capability_that_is_waited_for_can_be_limited() {
    let schema = Manifest::of(&Registry::linked().expect("they fit together")).policy_schema();
    let known = words(&schema["$defs"]["capabilities"]["items"]["enum"]);
    let limits = schema["properties"]["default"]["properties"]["limits"]["properties"].as_object().expect("a schema of a table");
    let limited: BTreeSet<&str> =
        limits.iter().filter(|(_, of)| of["$ref"] == "#/$defs/use").map(|(name, _)| name.as_str()).collect();
    let expected: BTreeSet<_> = known.into_iter().filter(|name| !NOT_WAITED_FOR.contains(name)).collect();
    assert_eq!(limited, expected, "a new capability has limits, or is named above and says why it needs none");

    for capability in limited {
        host("").call(capability, json!({})).unwrap_or_else(|error| panic!("without a limit, `{capability}` works: {error}"));

        let rated = host(&format!("{capability}.rate = '1/1h'"));
        rated.call(capability, json!({})).unwrap_or_else(|error| panic!("the first use of `{capability}`: {error}"));
        let refused = rated.call(capability, json!({})).err().unwrap_or_else(|| panic!("`{capability}` is not limited"));
        assert_eq!(
            (refused.code(), refused.hint()),
            ("rate_limited", Some(&*format!("the limit is `rate` of `{capability}` at nekro.policy.toml:2"))),
            "{capability}"
        );
    }
}

#[test]
fn what_is_refused_was_not_done() {
    let host = host("tasks.rate = '1/1h'\nschedules.rate = '1/1h'\nmodel.rate = '1/1h'");
    for tool in ["tasks", "schedules", "model"] {
        assert_eq!([host.call(tool, json!({})).is_ok(), host.call(tool, json!({})).is_ok()], [true, false], "{tool}");
    }
    assert_eq!((host.started().len(), host.schedules().len(), host.asked().len()), (1, 1, 1));
}

#[test]
fn a_task_that_is_a_tool_counts_as_one_that_a_tool_starts() {
    let host = host("tasks.rate = '1/1h'");
    host.call("rest_as_tool", json!({})).expect("the first");
    assert_eq!(host.call("rest_as_tool", json!({})).expect_err("the second").code(), "rate_limited");
    assert_eq!(host.call("tasks", json!({})).expect_err("nor otherwise").code(), "rate_limited");
    assert_eq!(host.started().len(), 1);
}
