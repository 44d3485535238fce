//! Servers as they should be and as they should not: one in this process by the SDK, and some that say what they must not.

use std::sync::atomic::{AtomicUsize, Ordering};

use nekro_core::{Part, ProgressPort, ServerTool, testing::FakeProgress};
use rmcp::{
    ErrorData, RoleServer, ServerHandler,
    model::{
        CallToolResponse, CallToolResult, ContentBlock, ListToolsResult, ProgressNotificationParam, ServerCapabilities,
        ServerConfig, Tool,
    },
    service::RequestContext,
};
use serde_json::json;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, DuplexStream, duplex};

use super::*;

/// Follows no call.
static NOBODY: Progress = Progress::new(None);

/// Keeps what it is told.
#[derive(Default)]
pub(super) struct Notebook {
    pub(super) lists: Mutex<Vec<(Vec<String>, bool)>>,
    pub(super) lost: Mutex<Vec<String>>,
    pub(super) told: tokio::sync::Notify,
}

impl ToolServerFollower for Notebook {
    fn listed(&self, tools: Vec<ServerTool>, left_off: bool) -> BoxFuture<'_, ()> {
        let names = tools.into_iter().map(|tool| tool.name).collect();
        self.lists.lock().expect("nobody panicked").push((names, left_off));
        self.told.notify_one();
        Box::pin(async {})
    }

    fn lost(&self, problem: Error) {
        self.lost.lock().expect("nobody panicked").push(problem.to_string());
        self.told.notify_one();
    }
}

/// Whose tools are `echo`, which says the same, and those that a test adds.
#[derive(Default)]
struct Honest {
    more: AtomicUsize,
}

impl ServerHandler for Honest {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
    }

    async fn list_tools(
        &self,
        _: Option<rmcp::model::PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let more = self.more.fetch_add(1, Ordering::Relaxed);
        let tool = |name: String| Tool::new(name, "Says the same.", Arc::new(Map::new()));
        let names = std::iter::once("echo".to_owned()).chain((0..more).map(|number| format!("more{number}")));
        Ok(ListToolsResult::with_all_items(names.map(tool).collect()))
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        match request.name.as_ref() {
            "echo" => {
                let text = request.arguments.unwrap_or_default().remove("text").unwrap_or_default();
                let mut result = CallToolResult::success(vec![ContentBlock::text(text.as_str().unwrap_or_default())]);
                result.structured_content = Some(json!({ "text": text }));
                Ok(result.into())
            }
            "change" => {
                let _ = context.peer.notify_tool_list_changed().await;
                Ok(CallToolResult::success(Vec::new()).into())
            }
            "hang" => std::future::pending().await,
            "count" => {
                let token = context.meta.get_progress_token().expect("the client gives one");
                for done in [1.0, 2.0] {
                    let told = ProgressNotificationParam::new(token.clone(), done).with_total(2.0).with_message("counting");
                    let _ = context.peer.notify_progress(told).await;
                    // Notices that come together may be told in any order.
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
                Ok(CallToolResult::success(Vec::new()).into())
            }
            _ => Err(ErrorData::invalid_params("no such\u{1b}[2J tool", None)),
        }
    }
}

pub(super) fn settings() -> McpServer {
    McpServer { start_deadline: Duration::from_secs(5), call_deadline: Duration::from_secs(5), ..McpServer::default() }
}

pub(super) fn shared(settings: McpServer) -> Shared {
    Shared {
        name: "test".to_owned(),
        places: Semaphore::new(settings.calls_at_once),
        settings,
        state: Mutex::new(State::Gone("it is being started".to_owned())),
    }
}

async fn honest(settings: &McpServer) -> Connection {
    let (ours, theirs) = duplex(64 * 1024);
    tokio::spawn(async move {
        if let Ok(serving) = rmcp::serve_server(Honest::default(), theirs).await {
            let _ = serving.waiting().await;
        }
    });
    let (output, input) = tokio::io::split(ours);
    Connection::with(output, input, settings).await.expect("it shakes hands")
}

/// Shakes hands as a server should, and then goes on as `then` says with what it was asked.
async fn fake<F, G>(settings: &McpServer, then: F) -> Result<Connection>
where
    F: FnOnce(BufReader<tokio::io::ReadHalf<DuplexStream>>, tokio::io::WriteHalf<DuplexStream>) -> G + Send + 'static,
    G: Future<Output = ()> + Send + 'static,
{
    let (ours, theirs) = duplex(64 * 1024);
    tokio::spawn(async move {
        let (input, mut output) = tokio::io::split(theirs);
        let mut input = BufReader::new(input);
        let mut line = String::new();
        input.read_line(&mut line).await.expect("a line");
        let asked: Value = serde_json::from_str(&line).expect("JSON");
        let hello = json!({ "jsonrpc": "2.0", "id": asked["id"], "result": {
            "protocolVersion": "2025-11-25", "capabilities": { "tools": {} }, "serverInfo": { "name": "x", "version": "1" },
        } });
        output.write_all(format!("{hello}\n").as_bytes()).await.expect("the client reads");
        line.clear();
        input.read_line(&mut line).await.expect("it is initialized");
        then(input, output).await;
    });
    let (output, input) = tokio::io::split(ours);
    Connection::with(output, input, settings).await
}

async fn id(input: &mut BufReader<tokio::io::ReadHalf<DuplexStream>>) -> Value {
    let mut line = String::new();
    input.read_line(&mut line).await.expect("a line");
    serde_json::from_str::<Value>(&line).map(|asked| asked["id"].clone()).unwrap_or_default()
}

fn object(value: Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap_or_default()
}

#[tokio::test(start_paused = true)]
async fn tools_are_listed_and_called() {
    let (shared, notebook) = (shared(settings()), Notebook::default());
    let connection = honest(&shared.settings).await;
    list(&shared, &notebook, &connection).await.expect("a list");
    assert_eq!(*notebook.lists.lock().expect("a list"), [(vec!["echo".to_owned()], false)]);
    let answer = shared.call("echo", object(json!({ "text": "tea" })), &NOBODY).await.expect("an answer");
    assert_eq!(
        answer,
        ServerAnswer { parts: vec![Part::Text("tea".to_owned())], data: Some(json!({ "text": "tea" })), failed: false }
    );
    let error = shared.call("nothing", Map::new(), &NOBODY).await.expect_err("no such tool");
    assert_eq!(error.code(), "server_failed");
    assert_eq!(error.message(), r#"the MCP server `test` refused the call, and says: "no such[2J tool""#);
}

#[tokio::test(start_paused = true)]
async fn how_far_a_server_has_come_is_passed_on() {
    let shared = shared(settings());
    let connection = honest(&shared.settings).await;
    list(&shared, &Notebook::default(), &connection).await.expect("a list");
    let told = FakeProgress::default();
    shared.call("count", Map::new(), &Progress::new(told.follower())).await.expect("an answer");
    let told: Vec<_> = told.reports().iter().map(ToString::to_string).collect();
    assert_eq!(told, ["1 of 2, counting", "2 of 2, counting"]);
}

#[tokio::test(start_paused = true)]
async fn progress_that_goes_back_is_of_another_call_or_comes_late_is_passed_over() {
    let shared = shared(settings());
    let connection = fake(&shared.settings, |mut input, mut output| async move {
        let id = id(&mut input).await;
        let list = json!({ "jsonrpc": "2.0", "id": id, "result": { "tools": [] } });
        output.write_all(format!("{list}\n").as_bytes()).await.expect("the client reads");
        for _ in 0..2 {
            let mut line = String::new();
            input.read_line(&mut line).await.expect("a line");
            let asked: Value = serde_json::from_str(&line).expect("a call");
            let token = &asked["params"]["_meta"]["progressToken"];
            let says = |token: &Value, progress: Value| {
                let params = json!({ "progressToken": token, "progress": progress, "total": -1, "message": "x".repeat(1_000) });
                json!({ "jsonrpc": "2.0", "method": "notifications/progress", "params": params }).to_string()
            };
            let mut lines = Vec::new();
            for (token, progress) in [(token, json!(5)), (token, json!(3)), (&json!("nobody's"), json!(9)), (token, json!("all"))]
            {
                lines.push(says(token, progress));
            }
            for line in lines {
                output.write_all(format!("{line}\n").as_bytes()).await.expect("the client reads");
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            let answer = json!({ "jsonrpc": "2.0", "id": asked["id"], "result": { "content": [] } });
            for line in [answer.to_string(), says(token, json!(8))] {
                output.write_all(format!("{line}\n").as_bytes()).await.expect("the client reads");
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
        std::future::pending().await
    })
    .await
    .expect("it shakes hands");
    list(&shared, &Notebook::default(), &connection).await.expect("a list");
    let told = FakeProgress::default();
    for _ in 0..2 {
        shared.call("x", Map::new(), &Progress::new(told.follower())).await.expect("an answer");
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    let told: Vec<_> = told.reports().iter().map(|one| (one.done(), one.total(), one.text().len())).collect();
    assert_eq!(told, [(5.0, None, 200), (5.0, None, 200)]);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_hangs_and_one_too_many_end() {
    let shared = shared(McpServer { calls_at_once: 1, ..settings() });
    let connection = honest(&shared.settings).await;
    list(&shared, &Notebook::default(), &connection).await.expect("a list");
    let (slow, refused) = tokio::join!(shared.call("hang", Map::new(), &NOBODY), shared.call("echo", Map::new(), &NOBODY));
    let slow = slow.expect_err("it hangs");
    assert_eq!((slow.code(), slow.hint()), ("timeout", Some("the limit is `mcp_servers.test.call_deadline`")));
    assert_eq!(refused.expect_err("one too many").code(), "busy");
    shared.call("echo", Map::new(), &NOBODY).await.expect("the place is free again");
}

#[tokio::test(start_paused = true)]
async fn a_list_that_changes_is_told_and_no_more_often_than_allowed() {
    let (shared, notebook) = (Arc::new(shared(settings())), Arc::new(Notebook::default()));
    let connection = honest(&shared.settings).await;
    list(&shared, &*notebook, &connection).await.expect("a list");
    let staying = tokio::spawn({
        let (shared, notebook) = (Arc::clone(&shared), Arc::clone(&notebook));
        async move { stay(&shared, &*notebook, connection).await }
    });
    notebook.told.notified().await;
    for _ in 0..20 {
        shared.call("change", Map::new(), &NOBODY).await.expect("it changes");
    }
    notebook.told.notified().await;
    tokio::time::sleep(Duration::from_secs(60)).await;
    let lists = notebook.lists.lock().expect("a list").len();
    assert!((2..=3).contains(&lists), "{lists}");
    staying.abort();
}

#[tokio::test(start_paused = true)]
async fn of_too_many_tools_some_are_left_off() {
    let shared = shared(McpServer { tools: 2, ..settings() });
    let connection = honest(&shared.settings).await;
    let notebook = Notebook::default();
    for _ in 0..5 {
        list(&shared, &notebook, &connection).await.expect("a list");
    }
    let last = notebook.lists.lock().expect("a list").pop();
    assert_eq!(last, Some((vec!["echo".to_owned(), "more0".to_owned()], true)));
}

#[tokio::test(start_paused = true)]
async fn a_server_that_never_answers_is_given_up() {
    let (ours, _theirs) = duplex(64 * 1024);
    let (output, input) = tokio::io::split(ours);
    let settings = settings();
    let waiting = tokio::time::timeout(settings.start_deadline, Connection::with(output, input, &settings)).await;
    assert!(waiting.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_server_that_dies_during_a_call_fails_that_call() {
    let shared = shared(settings());
    let connection = fake(&shared.settings, |mut input, mut output| async move {
        let id = id(&mut input).await;
        let list = json!({ "jsonrpc": "2.0", "id": id, "result": { "tools": [] } });
        output.write_all(format!("{list}\n").as_bytes()).await.expect("the client reads");
        self::id(&mut input).await;
    })
    .await
    .expect("it shakes hands");
    list(&shared, &Notebook::default(), &connection).await.expect("a list");
    let error = shared.call("x", Map::new(), &NOBODY).await.expect_err("it dies");
    assert_eq!(error.code(), "unavailable", "{error}");
    assert_eq!(stay(&shared, &Notebook::default(), connection).await, "it ended the connection");
}

#[tokio::test(start_paused = true)]
async fn a_line_without_an_end_is_not_kept() {
    let settings = McpServer { message_bytes: 1_024 * 1_024, ..settings() };
    let connection = fake(&settings, |_input, mut output| async move {
        let piece = vec![b'x'; 64 * 1024];
        // 100 MB of it, or until nobody reads any more.
        for _ in 0..1_600 {
            if output.write_all(&piece).await.is_err() {
                return;
            }
        }
        panic!("somebody has read all of it");
    })
    .await
    .expect("it shakes hands");
    connection.closed().await;
    assert_eq!(connection.ended().await, "one of its messages has more than 1048576 bytes (`message_bytes`)");
}

#[tokio::test(start_paused = true)]
async fn a_flood_of_messages_ends_the_connection() {
    let connection = fake(&settings(), |_input, mut output| async move {
        let noise = json!({ "jsonrpc": "2.0", "method": "notifications/message", "params": { "level": "info", "data": "x" } });
        while output.write_all(format!("{noise}\n").as_bytes()).await.is_ok() {}
    })
    .await
    .expect("it shakes hands");
    connection.closed().await;
    assert_eq!(connection.ended().await, "it sent more than 200 messages in a second (`messages_per_second`)");
}

#[tokio::test(start_paused = true)]
async fn answers_to_what_was_not_asked_and_noise_are_passed_over() {
    let shared = shared(settings());
    let connection = fake(&shared.settings, |mut input, mut output| async move {
        let id = id(&mut input).await;
        let tools = json!([{ "name": "bad", "inputSchema": 7 }, { "name": "good", "inputSchema": { "type": "object" } }]);
        let lines = [
            "this is no JSON".to_owned(),
            json!({ "jsonrpc": "2.0", "id": 4_711, "result": { "tools": [] } }).to_string(),
            json!({ "jsonrpc": "2.0", "id": "x", "error": { "code": 1, "message": "x" } }).to_string(),
            json!({ "jsonrpc": "2.0", "id": 1, "method": "sampling/createMessage", "params": {} }).to_string(),
            json!({ "jsonrpc": "2.0", "id": id, "result": { "tools": tools } }).to_string(),
        ];
        output.write_all(format!("{}\n", lines.join("\n")).as_bytes()).await.expect("the client reads");
        std::future::pending().await
    })
    .await
    .expect("it shakes hands");
    let notebook = Notebook::default();
    list(&shared, &notebook, &connection).await.expect("a list");
    assert_eq!(*notebook.lists.lock().expect("a list"), [(vec!["good".to_owned()], false)]);
}

#[tokio::test]
async fn a_program_that_is_not_there_or_ends_at_once_is_told_and_tried_again() {
    let settings = |command: &str, args: &[&str]| McpServer {
        command: Some(command.to_owned()),
        args: args.iter().map(|one| (*one).to_owned()).collect(),
        retry_first: Duration::from_millis(1),
        ..settings()
    };
    let notebook = Arc::new(Notebook::default());
    let link = Link::new("test", &settings("/nowhere/at/all", &[]), Arc::clone(&notebook) as _);
    link.settled(Duration::from_secs(30)).await;
    let error = link.call("x", Map::new(), &NOBODY).await.expect_err("it is not there");
    assert_eq!(error.code(), "unavailable");
    while notebook.lost.lock().expect("a list").len() < 2 {
        notebook.told.notified().await;
    }
    let lost = notebook.lost.lock().expect("a list")[0].clone();
    assert!(lost.contains("`/nowhere/at/all` cannot be started"), "{lost}");

    let notebook = Arc::new(Notebook::default());
    let script = "echo 'no key was given' >&2; exit 3";
    let link = Link::new("test", &settings("/bin/sh", &["-c", script]), Arc::clone(&notebook) as _);
    link.settled(Duration::from_secs(30)).await;
    let lost = notebook.lost.lock().expect("a list")[0].clone();
    assert!(lost.contains("exit status: 3") && lost.contains("no key was given"), "{lost}");
}

#[test]
fn a_server_that_is_not_named_is_unknown() {
    let settings: McpServersSettings = serde_json::from_value(json!({ "files": { "command": "x" } })).expect("settings");
    let servers = Servers::new(&settings);
    assert_eq!(servers.names(), ["files"]);
    let error = servers.follow("fils", Arc::new(Notebook::default())).map(drop).expect_err("it is not named");
    assert_eq!((error.code(), error.hint()), ("unknown_server", Some("did you mean `files`?")));
}

/// Speaks the protocol without a handshake, and no other.
#[tokio::test]
async fn a_server_that_refuses_the_handshake_is_spoken_to_without() {
    let script = r#"
import json, sys
def answer(id, **what):
    print(json.dumps({"jsonrpc": "2.0", "id": id, **what}), flush=True)
for line in sys.stdin:
    asked = json.loads(line)
    method, id = asked["method"], asked.get("id")
    if method == "server/discover":
        answer(id, result={"resultType": "complete", "supportedVersions": ["2026-07-28"], "capabilities": {"tools": {"listChanged": True}},
                           "ttlMs": 0, "cacheScope": "private"})
    elif method == "subscriptions/listen":
        meta = {"io.modelcontextprotocol/subscriptionId": id}
        said = {"_meta": meta, "notifications": {"toolsListChanged": True}}
        print(json.dumps({"jsonrpc": "2.0", "method": "notifications/subscriptions/acknowledged", "params": said}), flush=True)
        print(json.dumps({"jsonrpc": "2.0", "method": "notifications/tools/list_changed", "params": {"_meta": meta}}), flush=True)
    elif method == "tools/list" and asked["params"]["_meta"]["io.modelcontextprotocol/protocolVersion"] == "2026-07-28":
        tools = [{"name": "new", "inputSchema": {"type": "object"}}]
        answer(id, result={"resultType": "complete", "tools": tools, "ttlMs": 0, "cacheScope": "private"})
    elif method == "tools/call":
        answer(id, result={"resultType": "complete", "content": [{"type": "text", "text": "without"}]})
    elif id is not None:
        answer(id, error={"code": -32601, "message": "no such method"})
"#;
    let settings = McpServer {
        command: Some("python3".to_owned()),
        args: vec!["-c".to_owned(), script.to_owned()],
        list_interval: Duration::from_millis(1),
        ..settings()
    };
    let notebook = Arc::new(Notebook::default());
    let link = Link::new("test", &settings, Arc::clone(&notebook) as _);
    link.settled(Duration::from_secs(30)).await;
    let answer = link.call("new", Map::new(), &NOBODY).await.expect("an answer");
    assert_eq!(answer.parts, [Part::Text("without".to_owned())]);
    // Its list was asked for again, for it said that it has changed.
    while notebook.lists.lock().expect("a list").len() < 2 {
        notebook.told.notified().await;
    }
    assert_eq!(notebook.lists.lock().expect("a list")[1], (vec!["new".to_owned()], false));
    assert_eq!(*notebook.lost.lock().expect("a list"), [""; 0]);
}

#[test]
fn servers_at_rest_are_named_and_not_started() {
    let settings: McpServersSettings = serde_json::from_value(json!({ "files": { "command": "/nowhere" } })).expect("settings");
    let (servers, notebook) = (Servers::at_rest(&settings), Arc::new(Notebook::default()));
    assert_eq!(servers.names(), ["files"]);
    // Without a runtime nothing could be started.
    let link = servers.follow("files", Arc::clone(&notebook) as _).expect("it is named");
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let error = runtime.block_on(link.call("read", Map::new(), &NOBODY)).expect_err("it is not there");
    assert_eq!((error.code(), error.message()), ("unavailable", "the MCP server `files` is not started for this command"));
    assert_eq!(*notebook.lost.lock().expect("a list"), [""; 0]);
}
