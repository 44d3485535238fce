//! `nekro mcp`: a client over pipes, as it should be and as it should not.

use std::{
    io::{BufRead, BufReader, Write},
    process::{Child, ChildStdin, Stdio},
    sync::{Arc, mpsc},
    time::Duration,
};

use serde_json::{Value, json};

use crate::support::Place;

/// A client that goes on.
pub(crate) struct Client {
    place: Arc<Place>,
    child: Child,
    input: Option<ChildStdin>,
    lines: mpsc::Receiver<String>,
    next: i64,
}

impl Client {
    /// Starts the program without saying anything.
    fn silent(place: impl Into<Arc<Place>>, arguments: &[&str]) -> Self {
        let place = place.into();
        let mut child = place.command(&[&["mcp"], arguments].concat()).stderr(Stdio::null()).spawn().expect("the program starts");
        let out = child.stdout.take().expect("it was piped");
        let (said, lines) = mpsc::channel();
        std::thread::spawn(move || BufReader::new(out).lines().map_while(Result::ok).try_for_each(|line| said.send(line)));
        let input = child.stdin.take();
        Self { place, child, input, lines, next: 1 }
    }

    /// Starts it and speaks the protocol of 2025-11-25.
    pub(crate) fn begin(place: impl Into<Arc<Place>>, arguments: &[&str], capabilities: Value) -> Self {
        let mut client = Self::silent(place, arguments);
        client.initialize(capabilities);
        client
    }

    /// Starts another one in the same place.
    fn begin_beside(other: &Self, arguments: &[&str], capabilities: Value) -> Self {
        Self::begin(Arc::clone(&other.place), arguments, capabilities)
    }

    /// Ends the program as nobody should, and starts it anew.
    fn killed_and_begun_again(mut self, arguments: &[&str], capabilities: Value) -> Self {
        self.child.kill().expect("it runs");
        self.child.wait().expect("it ends");
        Self::begin_beside(&self, arguments, capabilities)
    }

    fn initialize(&mut self, capabilities: Value) {
        let hello = json!({ "protocolVersion": "2025-11-25", "capabilities": capabilities, "clientInfo": { "name": "test", "version": "1" } });
        let answer = self.ask("initialize", hello);
        assert_eq!(answer["result"]["serverInfo"]["name"], "nekro", "{answer}");
        self.send(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }));
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.input.as_mut().expect("it was not closed").write_all(bytes).expect("the program listens");
    }

    fn send(&mut self, message: &Value) {
        self.bytes(format!("{message}\n").as_bytes());
    }

    /// Sends a request, and returns its id.
    fn request(&mut self, method: &str, params: Value) -> i64 {
        let id = self.next;
        self.next += 1;
        self.send(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }));
        id
    }

    /// Returns the next message.
    #[track_caller]
    fn hear(&self) -> Value {
        let line = self.lines.recv_timeout(Duration::from_secs(30)).expect("the program says something");
        serde_json::from_str(&line).expect("nothing but the protocol is on standard output")
    }

    /// Sends a request, and returns the next message, which has to answer it.
    #[track_caller]
    pub(crate) fn ask(&mut self, method: &str, params: Value) -> Value {
        let id = self.request(method, params);
        let answer = self.hear();
        assert_eq!(answer["id"], id, "{answer}");
        answer
    }

    #[track_caller]
    fn call(&mut self, tool: &str, arguments: Value) -> Value {
        self.ask("tools/call", json!({ "name": tool, "arguments": arguments }))
    }

    #[track_caller]
    fn names(&mut self, what: &str) -> Vec<String> {
        let list = self.ask(&format!("{what}/list"), json!({}));
        let list = list["result"][what].as_array().expect("a list").clone();
        list.iter().map(|one| one["name"].as_str().expect("a name").to_owned()).collect()
    }

    fn disable_dice(&self) {
        // In one piece, for the client's server watches the file.
        std::fs::write(self.place.path().join("new.toml"), "disabled = ['dice']\n").expect("the settings");
        std::fs::rename(self.place.path().join("new.toml"), self.place.path().join("nekro.toml")).expect("its place");
    }

    /// Asks for something that works, to see that it still does.
    #[track_caller]
    fn is_well(&mut self) {
        let answer = self.call("dice.roll", json!({ "notation": "3d1" }));
        assert_eq!(answer["result"]["structuredContent"]["total"], 3, "{answer}");
    }

    /// Ends the input, and returns the exit code.
    fn end(mut self) -> Option<i32> {
        drop(self.input.take());
        self.child.wait().expect("the program ends").code()
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        // One that has ended already cannot be ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn tools_are_listed_with_their_schemas_and_called() {
    let mut client = Client::begin(Place::new(), &[], json!({}));
    let list = client.ask("tools/list", json!({}));
    let roll =
        list["result"]["tools"].as_array().and_then(|tools| tools.iter().find(|tool| tool["name"] == "dice.roll")).cloned();
    let roll = roll.expect("it is listed");
    assert_eq!(roll["title"], "Rolls dice and returns each die and the total");
    assert_eq!(roll["inputSchema"]["properties"]["notation"]["default"], "1d6");
    assert_eq!(roll["outputSchema"]["required"], json!(["dice", "total"]));
    assert_eq!(roll["outputSchema"].get("$defs"), None, "{roll}");
    let hints = json!({ "readOnlyHint": false, "destructiveHint": false, "idempotentHint": false });
    assert_eq!(roll["annotations"], hints);
    let answer = client.call("dice.roll", json!({ "notation": "2d1" }));
    assert_eq!(
        answer["result"],
        json!({
            "content": [{ "type": "text", "text": r#"{"dice":[1,1],"total":2}"# }],
            "structuredContent": { "dice": [1, 1], "total": 2 },
            "isError": false,
        })
    );
    assert_eq!(client.end(), Some(0));
}

#[test]
fn a_mistake_is_a_result_that_the_model_reads() {
    let mut client = Client::begin(Place::new(), &[], json!({}));
    let answer = client.call("dice.roll", json!({ "notaton": "2d1" }));
    let result = &answer["result"];
    assert_eq!(result["isError"], true, "{answer}");
    assert_eq!(result["content"][0]["text"], "invalid_arguments: there is no argument `notaton`: did you mean `notation`?");
    assert_eq!(result["_meta"]["nekro/error"]["code"], "invalid_arguments");
    let unknown = client.call("dice.rol", json!({}));
    assert_eq!(unknown["error"]["code"], -32602, "{unknown}");
    assert!(unknown["error"]["message"].as_str().is_some_and(|text| text.contains("did you mean `dice.roll`?")), "{unknown}");
}

#[test]
fn commands_and_sections_are_prompts() {
    let mut client = Client::begin(Place::new(), &["--role", "admin"], json!({}));
    let names = client.names("prompts");
    for name in ["roll", "notes", "guard", "notes.remembered"] {
        assert!(names.iter().any(|known| known == name), "{name}: {names:?}");
    }
    let roll = client.ask("prompts/get", json!({ "name": "roll", "arguments": { "notation": "4d1" } }));
    assert!(roll["result"]["messages"][0]["content"]["text"].as_str().is_some_and(|text| text.starts_with("4d1: 4")), "{roll}");
    client.call("notes.save", json!({ "key": "milk", "text": "buy milk" }));
    let notes = client.ask("prompts/get", json!({ "name": "notes.remembered" }));
    assert!(notes["result"]["messages"][0]["content"]["text"].as_str().is_some_and(|text| text.contains("buy milk")), "{notes}");
    let wrong = client.ask("prompts/get", json!({ "name": "roll", "arguments": { "notation": "two" } }));
    assert_eq!(wrong["error"]["code"], -32602, "{wrong}");
    assert_eq!(client.ask("prompts/get", json!({ "name": "rol" }))["error"]["code"], -32602);
    let reference = json!({ "type": "ref/prompt", "name": "guard" });
    let words = client.ask("completion/complete", json!({ "ref": reference, "argument": { "name": "role", "value": "m" } }));
    assert_eq!(words["result"]["completion"]["values"], json!(["manager"]), "{words}");
}

#[test]
fn a_client_sees_what_its_role_may_use_and_nothing_more() {
    let names = Client::begin(Place::new(), &[], json!({})).names("prompts");
    assert!(!names.iter().any(|name| name == "guard"), "{names:?}");
    let mut client = Client::begin(Place::new(), &[], json!({}));
    let hidden = client.ask("prompts/get", json!({ "name": "guard" }));
    assert_eq!(hidden["error"]["message"], "there is no prompt `guard`");
    let wrong = Place::new().run(&["mcp", "--role", "root"]).bad(2);
    assert!(wrong.contains("manager"), "{wrong}");
}

#[test]
fn what_is_hidden_from_clients_is_neither_listed_nor_callable_and_looks_unknown() {
    let mut client = Client::begin(Place::with_settings("[channels.mcp]\ndisabled = ['notes']\n"), &[], json!({}));
    let names = client.names("tools");
    assert!(names.iter().any(|name| name == "dice.roll") && !names.iter().any(|name| name.starts_with("notes.")), "{names:?}");
    let (hidden, unknown) = (client.call("notes.list", json!({})), client.call("nobody.list", json!({})));
    let told = |answer: &Value| answer["error"]["message"].as_str().unwrap_or_default().replace("notes", "nobody");
    assert_eq!(told(&hidden), told(&unknown), "{hidden} {unknown}");
    let mut other =
        Client::begin(Place::with_settings("[channels.mcp]\ndisabled = ['notes']\n"), &["--session", "editor:1"], json!({}));
    assert!(other.names("tools").iter().any(|name| name == "notes.list"), "another channel has it");
}

#[test]
fn whoever_cannot_be_asked_is_denied_and_told_why() {
    let mut client = Client::begin(Place::new(), &[], json!({}));
    let answer = client.call("notes.remove", json!({ "key": "milk" }));
    let text = answer["result"]["content"][0]["text"].as_str().unwrap_or_default();
    assert!(text.starts_with("denied: ") && text.contains("nobody is there to ask"), "{answer}");
}

#[test]
fn a_person_approves_by_elicitation() {
    for (action, expected) in [("accept", "buy milk"), ("decline", "the person said no"), ("cancel", "the person said no")] {
        let mut client = Client::begin(Place::new(), &[], json!({ "elicitation": {} }));
        client.call("notes.save", json!({ "key": "milk", "text": "buy milk" }));
        let call = client.request("tools/call", json!({ "name": "notes.remove", "arguments": { "key": "milk" } }));
        let question = client.hear();
        assert_eq!(question["method"], "elicitation/create", "{question}");
        let text = question["params"]["message"].as_str().unwrap_or_default();
        assert!(text.contains("notes.remove") && text.contains(r#"{"key":"milk"}"#), "{question}");
        client.send(&json!({ "jsonrpc": "2.0", "id": question["id"], "result": { "action": action } }));
        let answer = client.hear();
        assert_eq!(answer["id"], call);
        assert!(answer["result"]["content"][0]["text"].as_str().is_some_and(|text| text.contains(expected)), "{answer}");
    }
}

#[test]
fn a_question_is_taken_back_when_its_call_is() {
    let mut client = Client::begin(Place::new(), &[], json!({ "elicitation": {} }));
    let call = client.request("tools/call", json!({ "name": "notes.remove", "arguments": { "key": "milk" } }));
    let question = client.hear();
    client.send(&json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": { "requestId": call } }));
    let taken_back = client.hear();
    assert_eq!(taken_back["method"], "notifications/cancelled", "{taken_back}");
    assert_eq!(taken_back["params"]["requestId"], question["id"]);
    client.is_well();
}

/// What every request of the protocol of 2026-07-28 carries.
fn modern(mut params: Value) -> Value {
    params["_meta"] = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": { "name": "test", "version": "1" },
        "io.modelcontextprotocol/clientCapabilities": { "elicitation": {} },
    });
    params
}

#[test]
fn a_client_without_a_handshake_is_served_and_asked_by_ending_the_call() {
    let mut client = Client::silent(Place::new(), &[]);
    let found = client.ask("server/discover", modern(json!({})));
    assert!(found["result"]["supportedVersions"].as_array().is_some_and(|all| all.contains(&json!("2026-07-28"))), "{found}");
    let remove = json!({ "name": "notes.remove", "arguments": { "key": "milk" } });
    let save = json!({ "name": "notes.save", "arguments": { "key": "milk", "text": "buy milk" } });
    assert_eq!(client.ask("tools/call", modern(save))["result"]["isError"], false);
    let asked = client.ask("tools/call", modern(remove.clone()));
    let asked = &asked["result"];
    assert_eq!(asked["resultType"], "input_required", "{asked}");
    assert_eq!(asked["inputRequests"]["approval"]["method"], "elicitation/create", "{asked}");
    let mut again = remove.clone();
    again["requestState"] = asked["requestState"].clone();
    again["inputResponses"] = json!({ "approval": { "action": "accept" } });
    // What was approved is this call and no other.
    let mut other = again.clone();
    other["arguments"]["key"] = "bread".into();
    assert_eq!(client.ask("tools/call", modern(other))["result"]["resultType"], "input_required");
    // And the answer was used up by that.
    let anew = client.ask("tools/call", modern(again.clone()));
    assert_eq!(anew["result"]["resultType"], "input_required", "{anew}");
    again["requestState"] = anew["result"]["requestState"].clone();
    let done = client.ask("tools/call", modern(again));
    assert_eq!(done["result"]["structuredContent"]["text"], "buy milk", "{done}");
    assert_eq!(client.end(), Some(0));
}

/// What a client says that can look after tasks.
fn with_tasks() -> Value {
    json!({ "extensions": { "io.modelcontextprotocol/tasks": {} } })
}

/// Looks at the first task until it is as wanted.
#[track_caller]
fn until(client: &mut Client, wanted: impl Fn(&Value) -> bool) -> Value {
    let began = std::time::Instant::now();
    loop {
        let task = client.ask("tasks/get", json!({ "taskId": "t1" }));
        if wanted(&task) {
            return task;
        }
        assert!(began.elapsed() < Duration::from_secs(60), "{task}");
    }
}

#[test]
fn a_long_tool_is_a_task_that_outlasts_the_process_that_began_it() {
    let mut client = Client::begin(Place::with_settings("[tasks]\nlease = '1s'\n"), &[], with_tasks());
    let created = client.call("approval.ask", json!({ "question": "Go on?" }));
    let created = &created["result"];
    assert_eq!((&created["resultType"], &created["taskId"]), (&json!("task"), &json!("t1")), "{created}");
    assert_eq!((&created["ttlMs"], &created["pollIntervalMs"]), (&Value::Null, &json!(1_000)), "{created}");
    let waits = |task: &Value| task["result"]["statusMessage"] == "it waits for `answer`";
    until(&mut client, waits);
    let mut client = client.killed_and_begun_again(&[], with_tasks());
    // Its time with the process that was killed runs out, and it is taken up here.
    let place = Arc::clone(&client.place);
    let begun_again = |_: &Value| {
        let shown = place.run(&["tasks", "show", "t1", "--json"]).json();
        shown["attempts"] == 2 && shown["state"] == "waiting"
    };
    until(&mut client, begun_again);
    let waiting = until(&mut client, waits);
    assert_eq!(waiting["result"]["status"], "working", "{waiting}");
    assert_eq!(client.place.run(&["tasks", "notify", "t1", "answer", r#"{"answer":"yes"}"#]).good().trim_end(), "t1 is told");
    let ended = until(&mut client, |task| task["result"]["status"] != "working");
    let result = &ended["result"]["result"];
    assert_eq!((&ended["result"]["status"], &result["structuredContent"]["answer"]), (&json!("completed"), &json!("yes")));
    assert_eq!(client.end(), Some(0));
}

#[test]
fn a_client_cancels_its_task_and_sees_no_others() {
    let place = Place::with_settings("");
    let mut client = Client::begin(place, &["--session", "editor"], with_tasks());
    assert_eq!(client.call("approval.ask", json!({ "question": "Go on?" }))["result"]["taskId"], "t1");
    let mut other = Client::begin_beside(&client, &["--session", "desk"], with_tasks());
    let unknown = other.ask("tasks/get", json!({ "taskId": "t1" }));
    assert_eq!((&unknown["error"]["code"], &unknown["error"]["message"]), (&json!(-32602), &json!("there is no task `t1`")));
    assert_eq!(other.ask("tasks/cancel", json!({ "taskId": "t1" }))["error"], unknown["error"]);
    assert_eq!(other.ask("tasks/cancel", json!({ "task": 1 }))["error"]["code"], -32602);
    assert_eq!(client.ask("tasks/cancel", json!({ "taskId": "t1" }))["result"]["resultType"], "complete");
    until(&mut client, |task| task["result"]["status"] == "cancelled");
    assert_eq!(client.end(), Some(0));
}

/// Takes a document in, with or without asking how far that has come, and returns all that is said until the answer.
fn ingest(client: &mut Client, meta: Option<Value>) -> Vec<Value> {
    let file = "data:text/plain,Green%20tea%20wants%20seventy%20degrees.";
    let mut params = json!({ "name": "knowledge.ingest", "arguments": { "file": file, "name": "tea" } });
    if let Some(meta) = meta {
        params["_meta"] = meta;
    }
    let id = client.request("tools/call", params);
    let mut said = Vec::new();
    while said.last().is_none_or(|last: &Value| last["id"] != id) {
        said.push(client.hear());
    }
    assert_eq!(said.last().expect("an answer")["result"]["structuredContent"]["places"], 1, "{said:?}");
    said
}

#[test]
fn a_client_that_asks_for_it_is_told_how_far_a_call_has_come() {
    let mut client = Client::begin(Place::new(), &[], json!({}));
    assert_eq!(ingest(&mut client, None).len(), 1);
    let said = ingest(&mut client, Some(json!({ "progressToken": "tea" })));
    let told = json!({ "progressToken": "tea", "progress": 0.0, "total": 1.0, "message": "writing places of tea" });
    assert_eq!((said.len(), &said[0]["method"], &said[0]["params"]), (2, &json!("notifications/progress"), &told));

    let mut modern = Client::silent(Place::new(), &[]);
    let mut meta = self::modern(json!({}))["_meta"].take();
    meta["progressToken"] = json!(7);
    let said = ingest(&mut modern, Some(meta));
    assert_eq!((said.len(), &said[0]["params"]["progressToken"]), (2, &json!(7)));
}

#[test]
fn what_a_route_answers_is_read_as_a_resource() {
    let mut client = Client::begin(Place::with_settings(""), &[], json!({}));
    for text in ["buy milk", "make tea"] {
        client.call("board.put", json!({ "text": text }));
    }
    client.call("board.move", json!({ "id": 2, "column": "done" }));
    let listed = client.ask("resources/list", json!({}));
    let resources = listed["result"]["resources"].as_array().expect("a list").clone();
    let uris: Vec<_> = resources.iter().map(|one| one["uri"].as_str().expect("a name")).collect();
    assert_eq!(uris, ["nekro://board/cards"], "{listed}");
    let templates = client.ask("resources/templates/list", json!({}));
    let templates = templates["result"]["resourceTemplates"].as_array().expect("a list").clone();
    let templates: Vec<_> = templates.iter().map(|one| one["uriTemplate"].as_str().expect("a template").to_owned()).collect();
    let of_files = "nekro://report/files/digests/mcp/{+path}";
    assert_eq!(templates, ["nekro://board/cards{?column}", "nekro://board/cards/{id}", of_files]);

    let mut read = |uri: &str| client.ask("resources/read", json!({ "uri": uri }));
    let cards = |answer: &Value| {
        let text = answer["result"]["contents"][0]["text"].as_str().unwrap_or_default().to_owned();
        serde_json::from_str::<Value>(&text).unwrap_or_default()
    };
    assert_eq!(cards(&read("nekro://board/cards")).as_array().map(Vec::len), Some(2));
    assert_eq!(cards(&read("nekro://board/cards?column=done"))[0]["text"], "make tea");
    assert_eq!(cards(&read("nekro://board/cards/1"))["text"], "buy milk");
    for (uri, code) in [
        ("nekro://board/cards/7", -32_002),
        ("nekro://board/", -32_002),
        ("nekro://board/board.js", -32_002),
        ("nekro://nobody/cards", -32_002),
        ("nekro:", -32_002),
        ("file:///etc/passwd", -32_002),
        ("nekro://board/cards/x", -32_602),
        ("nekro://board/cards?column=nowhere", -32_602),
    ] {
        let answer = read(uri);
        assert_eq!(answer["error"]["code"], code, "{uri}: {answer}");
    }
    let template = json!({ "type": "ref/resource", "uri": "nekro://board/cards{?column}" });
    let completed =
        client.ask("completion/complete", json!({ "ref": template, "argument": { "name": "column", "value": "do" } }));
    let words = completed["result"]["completion"]["values"].as_array().expect("a list").clone();
    assert!(words.contains(&json!("done")), "{completed}");
}

#[test]
fn a_resource_that_the_caller_may_not_see_is_unknown() {
    for (arguments, settings) in [(&["--role", "guest"][..], ""), (&[], "[channels.mcp]\ndisabled = ['board']\n")] {
        let mut client = Client::begin(Place::with_settings(settings), arguments, json!({}));
        let listed = client.ask("resources/list", json!({}));
        assert_eq!(listed["result"]["resources"], json!([]), "{arguments:?}");
        let answer = client.ask("resources/read", json!({ "uri": "nekro://board/cards" }));
        assert_eq!(answer["error"]["code"], -32_002, "{answer}");
    }
}

#[test]
fn the_client_is_told_when_its_lists_change() {
    let mut client = Client::begin(Place::with_settings(""), &[], json!({}));
    assert!(client.names("tools").iter().any(|name| name == "dice.roll"));
    client.disable_dice();
    let mut told =
        [client.hear(), client.hear(), client.hear()].map(|message| message["method"].as_str().unwrap_or_default().to_owned());
    told.sort();
    assert_eq!(told, ["prompts", "resources", "tools"].map(|what| format!("notifications/{what}/list_changed")));
    // More may follow, for a change of the settings is one too.
    let id = client.request("tools/list", json!({}));
    let answer = loop {
        let message = client.hear();
        if message["id"] == id {
            break message;
        }
    };
    assert!(!answer.to_string().contains(r#""name":"dice.roll""#), "{answer}");
}

#[test]
fn a_listening_client_is_told_on_its_subscription() {
    let mut client = Client::silent(Place::with_settings(""), &[]);
    client.request("subscriptions/listen", modern(json!({ "notifications": { "toolsListChanged": true } })));
    assert_eq!(client.hear()["method"], "notifications/subscriptions/acknowledged");
    client.disable_dice();
    assert_eq!(client.hear()["method"], "notifications/tools/list_changed");
}

#[test]
fn whoever_has_subscribed_to_a_resource_is_told_when_it_changes() {
    let mut client = Client::begin(Place::with_settings("[mcp]\nsubscriptions = 2\n"), &[], json!({}));
    client.call("board.put", json!({ "text": "make tea" }));
    for uri in ["nekro://board/cards/1", "nekro://board/cards/1", "nekro://board/cards/2"] {
        let answer = client.ask("resources/subscribe", json!({ "uri": uri }));
        assert_eq!(answer["result"], json!({}), "{answer}");
    }
    let refused = client.ask("resources/subscribe", json!({ "uri": "nekro://board/cards" }));
    assert!(refused["error"]["message"].as_str().expect("a text").contains("`mcp.subscriptions`"), "{refused}");
    for uri in ["nekro://board/", "nekro://notes/files/x", "nekro://report/files/../../x", "file:///etc/passwd", ""] {
        let answer = client.ask("resources/subscribe", json!({ "uri": uri }));
        assert_eq!(answer["error"]["code"], -32_002, "{uri}: {answer}");
    }
    client.call("board.move", json!({ "id": 1, "column": "done" }));
    let told = client.hear();
    assert_eq!(told["method"], "notifications/resources/updated", "{told}");
    assert_eq!(told["params"]["uri"], "nekro://board/cards/1");
    for uri in ["nekro://board/cards/1", "nekro://board/cards/1", "nekro://nobody"] {
        assert_eq!(client.ask("resources/unsubscribe", json!({ "uri": uri }))["result"], json!({}));
    }
    client.call("board.move", json!({ "id": 1, "column": "open" }));
    client.call("board.put", json!({ "text": "buy milk" }));
    assert_eq!(client.hear()["params"]["uri"], "nekro://board/cards/2", "of the other one nothing is told");
}

#[test]
fn a_listening_client_is_told_of_the_resources_that_it_names() {
    let mut client = Client::silent(Place::with_settings(""), &[]);
    let wanted = json!({ "resourceSubscriptions": ["nekro://board/cards", "nekro://board/none"] });
    client.request("subscriptions/listen", modern(json!({ "notifications": wanted })));
    let taken = client.hear();
    assert_eq!(taken["method"], "notifications/subscriptions/acknowledged", "{taken}");
    let call = modern(json!({ "name": "board.put", "arguments": { "text": "make tea" } }));
    let put = client.ask("tools/call", call);
    assert_eq!(put["result"]["structuredContent"]["id"], 1, "{put}");
    let told = client.hear();
    assert_eq!(
        (&told["method"], &told["params"]["uri"]),
        (&json!("notifications/resources/updated"), &json!("nekro://board/cards"))
    );
    let refused = client.ask("resources/subscribe", modern(json!({ "uri": "nekro://board/cards" })));
    assert_eq!(refused["error"]["code"], -32_601, "the protocol without a handshake has no such method: {refused}");
}

#[test]
fn hostile_lines_are_answered_and_harm_nobody() {
    let mut client = Client::silent(Place::with_settings("[mcp]\nmessage_bytes = 1000\n"), &[]);
    // Before anything was agreed upon, too.
    client.send(&json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": { "requestId": 7 } }));
    client.send(&json!({ "jsonrpc": "2.0", "id": 7, "result": {} }));
    client.initialize(json!({}));
    let deep = format!("{}\n", "[".repeat(900));
    for (line, code) in [
        (&b"nonsense\n"[..], -32700),
        (b"{\"jsonrpc\":\"2.0\",\"id\":\"\xff\xfe\",\"method\":\"ping\"}\n", -32700),
        (b"\x00\x1b[2J\n", -32700),
        (deep.as_bytes(), -32700),
        (b"[1, 2]\n", -32600),
        (b"{}\n", -32600),
        (b"{\"jsonrpc\":\"1.0\",\"id\":1,\"method\":\"ping\"}\n", -32600),
        (b"{\"jsonrpc\":\"2.0\",\"id\":null,\"method\":\"ping\"}\n", -32600),
        (b"{\"jsonrpc\":\"2.0\",\"id\":{\"a\":1},\"method\":\"ping\"}\n", -32600),
    ] {
        client.bytes(line);
        let answer = client.hear();
        assert_eq!(answer["error"]["code"], code, "{answer} to {}", String::from_utf8_lossy(line));
    }
    for (method, params, code) in [
        ("no/such", json!({}), -32601),
        ("tools/call", json!({ "nam": "dice.roll" }), -32602),
        ("tools/call", json!({ "name": "dice.roll", "arguments": [1] }), -32602),
        ("tools/list", json!({ "cursor": "7" }), -32602),
        ("logging/setLevel", json!({ "level": "loud" }), -32602),
    ] {
        let answer = client.ask(method, params);
        assert_eq!(answer["error"]["code"], code, "{answer}");
    }
    // Nobody asked these.
    client.bytes(b"\n\r\n   \n");
    client.send(&json!({ "jsonrpc": "2.0", "id": 12345, "result": {} }));
    client.send(&json!({ "jsonrpc": "2.0", "id": "x", "error": { "code": 1, "message": "no" } }));
    client.send(&json!({ "jsonrpc": "2.0", "method": "notifications/no/such", "params": { "a": 1 } }));
    client.send(&json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": { "requestId": "x" } }));
    client.is_well();
    assert_eq!(client.end(), Some(0));
}

#[test]
fn a_line_that_is_too_long_is_thrown_away_and_told() {
    let mut client = Client::begin(Place::with_settings("[mcp]\nmessage_bytes = 1000\n"), &[], json!({}));
    client.bytes(&b"x".repeat(1_000_000));
    let answer = client.hear();
    assert_eq!(answer["error"]["message"], "the message has more than 1000 bytes (`mcp.message_bytes`)");
    client.bytes(b"the rest of it\n");
    client.is_well();
}

#[test]
fn requests_beyond_the_limit_are_refused_and_an_id_is_used_once_at_a_time() {
    let mut client = Client::begin(Place::with_settings("[mcp]\nrequests_at_once = 2\n"), &[], json!({ "elicitation": {} }));
    let remove = json!({ "name": "notes.remove", "arguments": { "key": "milk" } });
    // Both wait for a person.
    let first = client.request("tools/call", remove.clone());
    let question = client.hear();
    client.request("tools/call", remove.clone());
    client.hear();
    let refused = client.ask("tools/call", remove);
    assert_eq!(refused["error"]["code"], -32000);
    assert!(refused["error"]["message"].as_str().is_some_and(|text| text.contains("`mcp.requests_at_once`")), "{refused}");
    client.send(&json!({ "jsonrpc": "2.0", "id": first, "method": "ping" }));
    let refused = client.hear();
    assert_eq!(refused["error"]["message"], "a request with this id is under way", "{refused}");
    // The answer of the person gets through all the same.
    client.send(&json!({ "jsonrpc": "2.0", "id": question["id"], "result": { "action": "decline" } }));
    assert_eq!(client.hear()["id"], first);
    client.is_well();
}

#[test]
fn a_flood_is_survived() {
    let mut client = Client::begin(Place::new(), &[], json!({}));
    let flood: String =
        (0..5_000).map(|id| format!("{}\n", json!({ "jsonrpc": "2.0", "id": id + 100, "method": "tools/list" }))).collect();
    client.bytes(flood.as_bytes());
    let answers: Vec<_> = (0..5_000).map(|_| client.hear()).collect();
    assert!(answers.iter().any(|answer| answer.get("result").is_some()));
    client.is_well();
    assert_eq!(client.end(), Some(0));
}

#[test]
fn the_end_of_the_input_ends_the_program() {
    assert_eq!(Client::silent(Place::new(), &[]).end(), Some(0), "before anything was said");
    let mut client = Client::begin(Place::new(), &[], json!({}));
    client.bytes(b"{\"jsonrpc\":\"2.0\",\"id\":9,\"method\":\"tools/call\",\"para");
    assert_eq!(client.end(), Some(0), "in the middle of a message");
    let mut client = Client::begin(Place::new(), &[], json!({}));
    let id = client.request("tools/call", json!({ "name": "dice.roll" }));
    drop(client.input.take());
    assert_eq!(client.hear()["id"], id, "what was asked before is answered");
    assert_eq!(client.end(), Some(0));
}

#[cfg(unix)]
#[test]
fn a_signal_ends_the_program_while_the_input_is_open() {
    let mut client = Client::begin(Place::new(), &[], json!({}));
    client.is_well();
    let id = client.child.id().to_string();
    assert!(std::process::Command::new("kill").args(["-TERM", &id]).status().expect("kill runs").success());
    assert_eq!(client.child.wait().expect("the program ends").code(), Some(0));
}
