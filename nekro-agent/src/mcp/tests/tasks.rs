//! Long tools as tasks.

use std::sync::Arc;

use rmcp::{
    ClientServiceExt, RoleClient,
    model::{
        CallToolResponse, CancelTaskParams, ClientCapabilities, ClientConfig, DetailedTask, ErrorCode, GetTaskParams,
        TaskPayload, TaskStatus, UpdateTaskParams,
    },
    service::{RunningService, ServiceError},
    transport::StreamableHttpClientTransport,
};
use serde_json::{Value, json};

use super::world::{BOTH, Protocol, World, call, caller, config, start};
use crate::{
    mcp::{Asking, Limits, service},
    storage::Ledger,
};

type Running = RunningService<RoleClient, ClientConfig>;

fn knows_tasks() -> ClientConfig {
    config(ClientCapabilities::builder().enable_tasks().build())
}

async fn get(client: &Running, id: &str) -> Result<DetailedTask, ServiceError> {
    client.get_task(GetTaskParams::new(id)).await.map(|result| result.task)
}

#[track_caller]
fn completed(task: DetailedTask) -> Value {
    match task.payload {
        TaskPayload::Completed { result } => Value::Object(result),
        other => panic!("{other:?} is no result"),
    }
}

async fn to_its_end(world: &World, client: &Running) {
    let tools = client.list_all_tools().await.expect("a list");
    let count = tools.iter().find(|tool| tool.name == "probe.long_count").expect("it is listed");
    let schema = Value::from((**count.output_schema.as_ref().expect("an answer")).clone());
    assert!(schema["properties"]["steps"].is_object(), "{schema}");

    let task = start(client).await;
    assert_eq!((task.status, task.ttl_ms, task.poll_interval_ms), (TaskStatus::Working, None, Some(1_000)));
    world.until(&task.task_id, |record| record.waits_for.is_some()).await;
    let working = get(client, &task.task_id).await.expect("it is there");
    assert_eq!(working.payload, TaskPayload::Working);
    assert_eq!(working.task.status_message.as_deref(), Some("it waits for `go`"));

    world.go(&task.task_id, true).await;
    world.until(&task.task_id, |_| false).await;
    let ended = get(client, &task.task_id).await.expect("it is kept");
    assert!(ended.task.ttl_ms.is_some_and(|ttl| ttl >= 168 * 3_600_000), "{:?}", ended.task);
    let result = completed(ended);
    assert_eq!(result["structuredContent"], json!({ "steps": 3 }));
    assert_eq!(result["isError"], false);
    assert_eq!(result["content"], json!([{ "type": "text", "text": r#"{"steps":3}"# }]));
    // What takes no time is answered at once.
    let quick = call(client, "probe.quick_count", json!({})).await.expect("it is called");
    assert!(matches!(quick, CallToolResponse::Complete(result) if result.structured_content == Some(json!({ "result": 7 }))));
}

#[tokio::test]
async fn a_long_tool_is_a_task_of_the_protocol_to_its_end() {
    for protocol in BOTH {
        let world = World::on(&Ledger::memory()).await;
        let client = world.client("mcp", protocol, knows_tasks()).await;
        to_its_end(&world, &client).await;
        world.stop().await;
    }
}

#[tokio::test]
async fn over_http_a_long_tool_is_a_task_too() {
    for protocol in BOTH {
        let world = World::on(&Ledger::memory()).await;
        let ending = tokio::sync::watch::Sender::new(false);
        let service = service(world.kernel.clone(), Arc::default(), &Limits::default(), world.desk.clone(), ending.subscribe());
        let asking = |mut request: axum::extract::Request, next: axum::middleware::Next| async move {
            request.extensions_mut().insert(Asking(caller("mcp")));
            next.run(request).await
        };
        let router = axum::Router::new().route_service("/mcp", service).layer(axum::middleware::from_fn(asking));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}/mcp", listener.local_addr().expect("it listens"));
        tokio::spawn(async move { axum::serve(listener, router).await });
        let _ = rustls::crypto::ring::default_provider().install_default();
        let transport = StreamableHttpClientTransport::from_uri(url);
        let client =
            knows_tasks().serve_with_lifecycle(transport, protocol.lifecycle()).await.expect("they understand each other");
        to_its_end(&world, &client).await;
        client.cancel().await.expect("it goes");
        world.stop().await;
    }
}

#[tokio::test]
async fn a_client_that_knows_no_tasks_gets_the_number() {
    for protocol in BOTH {
        let world = World::on(&Ledger::memory()).await;
        let client = world.client("mcp", protocol, config(ClientCapabilities::default())).await;
        let tools = client.list_all_tools().await.expect("a list");
        let count = tools.iter().find(|tool| tool.name == "probe.long_count").expect("it is listed");
        assert!(count.output_schema.as_ref().is_some_and(|schema| schema["properties"]["task"].is_object()));
        match call(&client, "probe.long_count", json!({ "steps": 3 })).await.expect("it is called") {
            CallToolResponse::Complete(result) => assert_eq!(result.structured_content, Some(json!({ "task": "t1" }))),
            other => panic!("{other:?} is no answer"),
        }
        let refused = get(&client, "t1").await.expect_err("it has not said that it knows tasks");
        assert!(refused.to_string().contains("capability"), "{refused}");
        world.stop().await;
    }
}

#[tokio::test]
async fn a_task_is_cancelled_in_the_middle_and_stays_so() {
    let world = World::on(&Ledger::memory()).await;
    let client = world.client("mcp", Protocol::Newest, knows_tasks()).await;
    let id = start(&client).await.task_id;
    world.until(&id, |record| record.waits_for.is_some()).await;
    for _ in 0..2 {
        client.cancel_task(CancelTaskParams::new(id.as_str())).await.expect("it is there");
        world.until(&id, |_| false).await;
        let task = get(&client, &id).await.expect("it is kept");
        assert_eq!((task.payload, task.task.status), (TaskPayload::Cancelled, TaskStatus::Cancelled));
    }
    world.stop().await;
}

#[tokio::test]
async fn what_a_task_fails_with_is_its_result_and_what_the_agent_lost_is_a_failure() {
    let ledger = Ledger::memory();
    let world = World::on(&ledger).await;
    let client = world.client("mcp", Protocol::Newest, knows_tasks()).await;
    let id = start(&client).await.task_id;
    world.go(&id, false).await;
    world.until(&id, |_| false).await;
    let result = completed(get(&client, &id).await.expect("it is kept"));
    assert_eq!(
        (&result["isError"], &result["content"][0]["text"]),
        (&json!(true), &json!("forbidden_to_count: it must not count"))
    );

    let problem = r#"UPDATE task SET problem = '{"code":"lost","message":"the process ended under it"}'"#;
    ledger.write(|db| Ok(db.execute(problem, [])?)).await.expect("it writes");
    match get(&client, &id).await.expect("it is kept").payload {
        TaskPayload::Failed { error } => {
            assert_eq!(Value::Object(error), json!({ "code": -32603, "message": "the process ended under it" }))
        }
        other => panic!("{other:?} is no failure"),
    }
    world.stop().await;
}

#[tokio::test]
async fn a_task_of_somebody_else_looks_unknown_as_does_what_is_no_id() {
    let world = World::on(&Ledger::memory()).await;
    let owner = world.client("mcp", Protocol::Newest, knows_tasks()).await;
    let other = world.client("elsewhere", Protocol::Newest, knows_tasks()).await;
    let id = start(&owner).await.task_id;
    let long = "7".repeat(10_000);
    for id in
        [id.as_str(), "t0", "t2", "t-1", "t", "", "1", "t99999999999999999999", "t1; DROP TABLE task", "\u{0}\u{1b}[2J", &long]
    {
        let refusals = [
            get(&other, id).await.map(drop),
            other.cancel_task(CancelTaskParams::new(id)).await,
            other.update_task(UpdateTaskParams::new(id, Default::default())).await,
        ];
        for refused in refusals {
            let Err(ServiceError::McpError(error)) = refused else { panic!("{id}: {refused:?}") };
            assert_eq!(error.code, ErrorCode::INVALID_PARAMS);
            assert_eq!(error.message, format!("there is no task `{}`", id.escape_debug()));
        }
    }
    assert_eq!(get(&owner, &id).await.expect("it is its own").payload, TaskPayload::Working);
    owner.update_task(UpdateTaskParams::new(id.as_str(), [("x".to_owned(), json!(1))].into())).await.expect("nothing was asked");
    world.stop().await;
}

#[tokio::test]
async fn a_task_goes_on_in_the_next_process() {
    let ledger = Ledger::memory();
    let world = World::on(&ledger).await;
    let client = world.client("mcp", Protocol::Newest, knows_tasks()).await;
    let id = start(&client).await.task_id;
    world.until(&id, |record| record.waits_for.is_some()).await;
    world.stop().await;
    drop(client);

    let world = World::on(&ledger).await;
    let client = world.client("mcp", Protocol::Newest, knows_tasks()).await;
    assert_eq!(get(&client, &id).await.expect("it is kept").payload, TaskPayload::Working);
    world.go(&id, true).await;
    world.until(&id, |_| false).await;
    assert_eq!(completed(get(&client, &id).await.expect("it is kept"))["structuredContent"], json!({ "steps": 3 }));
    world.stop().await;
}

#[tokio::test]
async fn beside_an_agent_at_work_only_the_tasks_of_the_own_conversation_are_run() {
    let world = World::on(&Ledger::memory()).await;
    let other = world.client("elsewhere", Protocol::Newest, knows_tasks()).await;
    let client = world.client("mcp", Protocol::Newest, knows_tasks()).await;
    let (theirs, own) = (start(&other).await.task_id, start(&client).await.task_id);
    world.go(&own, true).await;
    world.go(&theirs, true).await;
    world.until(&own, |_| false).await;
    let task = get(&other, &theirs).await.expect("it is there");
    assert_eq!(task.task.status_message.as_deref(), Some("it waits for its turn"));
    world.stop().await;
}
