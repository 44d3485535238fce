//! Tasks and schedules of an agent that serves: over HTTP, and from a shell elsewhere.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::{
    serve::{Answer, Server},
    support::{Run, finish},
};

/// Whoever looks until something has happened asks more often than anybody should.
const OFTEN: &str = "[serve]\nrate = '1000000/1m'\n";

const PEOPLE: &str = "[serve]\nrate = '1000000/1m'\n[serve.tokens.ada]\ntoken = 'ada has this token'\n[serve.tokens.bob]\ntoken = 'bob has this token'\n\
    [serve.tokens.carol]\ntoken = 'carol has this token'\nrole = 'manager'\n";

fn ask(server: &Server, who: &str, method: &str, path: &str, body: &Value) -> Answer {
    server.ask_as(&format!("{who} has this token"), method, path, body)
}

fn json(answer: &Answer) -> Value {
    serde_json::from_str(&answer.body).unwrap_or_else(|_| panic!("no JSON: {}", answer.body))
}

/// Asks until a task is in a state.
#[track_caller]
fn until(server: &Server, task: &str, state: &str) -> Value {
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(30) {
        let found = json(&server.ask("GET", &format!("/api/tasks/{task}"), &Value::Null));
        if found["state"] == state {
            return found;
        }
    }
    panic!("{task} is never {state}");
}

#[test]
fn a_task_is_started_followed_and_given_what_it_waits_for() {
    let server = Server::start(OFTEN);
    let start = json!({ "task": "approval.ask", "arguments": { "question": "Go on?" }, "key": "once" });
    let started = server.ask("POST", "/api/tasks", &start);
    assert_eq!(started.status, 202, "{}", started.body);
    assert!(started.head.contains("location: /api/tasks/t1"), "{}", started.head);
    let again = server.ask("POST", "/api/tasks", &start);
    assert_eq!(json(&again)["id"], "t1", "its key says that it is the same");
    let waiting = until(&server, "t1", "waiting");
    assert_eq!((&waiting["waits_for"], &waiting["session"]), (&"answer".into(), &"http:operator".into()));
    let notice = json!({ "name": "answer", "value": { "answer": "yes" } });
    assert_eq!(json(&server.ask("POST", "/api/tasks/t1/notify", &notice))["notified"], true);
    assert_eq!(until(&server, "t1", "succeeded")["result"]["answer"], "yes");
    let conflict = server.ask("POST", "/api/tasks/t1/retry", &Value::Null);
    assert_eq!((conflict.status, json(&conflict)["code"].clone()), (409, "not_failed".into()));
}

#[test]
fn a_task_that_failed_is_listed_logged_and_retried() {
    let server = Server::start(OFTEN);
    server.ask("POST", "/api/tasks", &json!({ "task": "approval.ask", "words": ["--question", " "] }));
    until(&server, "t1", "failed");
    let dead = json(&server.ask("GET", "/api/tasks?dead=true", &Value::Null));
    assert_eq!((&dead["items"][0]["id"], &dead["next"]), (&"t1".into(), &Value::Null));
    assert!(server.ask("GET", "/api/tasks/t1/logs?last=5", &Value::Null).body.contains("the task has failed"));
    assert_eq!(json(&server.ask("POST", "/api/tasks/t1/retry", &Value::Null)), json!({ "task": "t2", "retries": "t1" }));
    until(&server, "t2", "failed");
    let page = json(&server.ask("GET", "/api/tasks?limit=1&plugin=approval", &Value::Null));
    assert_eq!((&page["items"][0]["id"], &page["next"]), (&"t2".into(), &"t2".into()));
    let next = json(&server.ask("GET", "/api/tasks?limit=1&before=t2", &Value::Null));
    assert_eq!((&next["items"][0]["id"], &next["next"]), (&"t1".into(), &Value::Null));
    let cancelled = json(&server.ask("POST", "/api/tasks/t2/cancel", &Value::Null));
    assert_eq!(cancelled, json!({ "task": "t2", "cancelled": false, "state": "failed" }));
}

#[test]
fn a_request_that_is_wrong_is_told_what_would_be_right() {
    let server = Server::start(OFTEN);
    for (method, path, body, status, told) in [
        ("POST", "/api/tasks", json!({ "task": "approval.aks" }), 404, "did you mean `approval.ask`?"),
        ("POST", "/api/tasks", json!({ "task": "approval.ask" }), 400, "question"),
        ("POST", "/api/tasks", json!({ "task": "approval.ask", "arguments": { "question": 5 } }), 400, "question"),
        ("POST", "/api/tasks", json!({ "task": "approval.ask", "arguments": {}, "words": [] }), 400, "and not both"),
        ("POST", "/api/tasks", json!({ "task": "approval.ask", "key": "" }), 400, "`key` has 1 to 200 bytes"),
        ("POST", "/api/tasks", json!({ "tusk": "approval.ask" }), 400, "tusk"),
        ("GET", "/api/tasks/t99", Value::Null, 404, "there is no task `t99`"),
        ("GET", "/api/tasks/%00", Value::Null, 404, "unknown_task"),
        ("POST", "/api/tasks/99/cancel", Value::Null, 404, "GET /api/tasks"),
        ("GET", "/api/tasks?state=done", Value::Null, 400, "succeeded"),
        ("GET", "/api/tasks?before=x", Value::Null, 404, "there is no task `x`"),
        ("GET", "/api/schedules/report.tidi", Value::Null, 404, "did you mean `report.tidy`?"),
        ("DELETE", "/api/schedules/none", Value::Null, 404, "GET /api/schedules"),
        ("GET", "/api/schedules/next?count=-1", Value::Null, 400, "count"),
    ] {
        let answer = server.ask(method, path, &body);
        assert_eq!(answer.status, status, "{path} {body}: {}", answer.body);
        assert!(answer.body.contains(told) && answer.head.contains("problem+json"), "{path} {body}: {}", answer.body);
    }
}

#[test]
fn people_reach_what_belongs_to_their_conversations() {
    let server = Server::start(PEOPLE);
    let reminder = json!({ "text": "tea", "when": "every day at 17:00" });
    assert_eq!(ask(&server, "ada", "POST", "/api/tools/timer.remind", &reminder).status, 200);
    let question = json!({ "question": "Go on?" });
    assert_eq!(ask(&server, "ada", "POST", "/api/tools/approval.ask", &question).status, 200);
    let of = |who: &str, path: &str| ask(&server, who, "GET", path, &Value::Null);
    for (who, task, schedules) in [("ada", 200, 1), ("bob", 404, 0), ("carol", 200, 2)] {
        assert_eq!(of(who, "/api/tasks/t1").status, task, "{who}");
        assert_eq!(json(&of(who, "/api/tasks"))["items"].as_array().map_or(0, Vec::len), usize::from(task == 200), "{who}");
        assert_eq!(json(&of(who, "/api/schedules")).as_array().map_or(0, Vec::len), schedules, "{who}");
        let next = json(&of(who, "/api/schedules/next?count=1000"));
        assert_eq!(next.to_string().contains("http:ada"), task == 200, "{who}");
    }
    assert_eq!(ask(&server, "bob", "POST", "/api/tasks/t1/cancel", &Value::Null).status, 404);
    for (path, body) in [
        ("/api/tasks", json!({ "task": "report.tidy" })),
        ("/api/tasks/t1/retry", Value::Null),
        ("/api/tasks/t1/notify", Value::Null),
    ] {
        assert_eq!(ask(&server, "ada", "POST", path, &body).status, 403, "{path}");
    }
    assert_eq!(of("ada", "/api/tasks/t1/logs").status, 403);
    let path = "/api/schedules/timer.http:ada%2F1";
    assert_eq!(ask(&server, "bob", "DELETE", path, &Value::Null).status, 404);
    assert_eq!(ask(&server, "ada", "DELETE", path, &Value::Null).status, 204);
    assert_eq!(ask(&server, "ada", "POST", "/api/tasks/t1/cancel", &Value::Null).status, 200);
    until(&server, "t1", "cancelled");
}

#[test]
fn a_schedule_rests_goes_on_runs_and_is_deleted() {
    let server = Server::start(OFTEN);
    let on = |method: &str, path: &str| server.ask(method, &format!("/api/schedules/report.tidy{path}"), &Value::Null);
    assert_eq!(json(&on("GET", ""))["is_declared"], true);
    assert_eq!(json(&on("POST", "/pause"))["paused"], "somebody paused it");
    assert_eq!(json(&server.ask("GET", "/api/schedules/next", &Value::Null)), json!([]));
    assert_eq!(json(&on("POST", "/resume"))["paused"], Value::Null);
    assert_eq!(json(&server.ask("GET", "/api/schedules/next", &Value::Null)).as_array().map(Vec::len), Some(10));
    assert_eq!(json(&on("POST", "/run"))["runs"], 1);
    assert_eq!(until(&server, "t1", "succeeded")["schedule"], "tidy");
    assert_eq!(on("DELETE", "").status, 204);
    assert_eq!(on("GET", "").status, 404);
}

#[test]
fn a_shell_elsewhere_does_the_same_by_the_server() {
    let server = Server::start(OFTEN);
    let url = format!("http://{}", server.address);
    let command = |arguments: &[&str]| server.place.command(&[&["--server", url.as_str()], arguments].concat());
    let run = |arguments: &[&str]| -> Run { finish(command(arguments).spawn().expect("the program starts"), "") };
    let child = command(&["tasks", "run", "approval.ask", "--question", "Go on?"]).spawn().expect("the program starts");
    while run(&["tasks", "list", "--state", "waiting", "--json"]).json().as_array().is_none_or(Vec::is_empty) {}
    assert!(run(&["tasks"]).good().contains("waits for answer"));
    assert_eq!(run(&["tasks", "notify", "t1", "answer", r#"{"answer":"yes"}"#]).good().trim_end(), "t1 is told");
    let ended = finish(child, "");
    assert!(ended.out.lines().last().is_some_and(|line| line.contains(r#""state":"succeeded""#)), "{ended:?}");
    assert_eq!(ended.code, 0);
    let failed = run(&["tasks", "run", "approval.ask", "--question", " "]).bad(1);
    assert!(failed.contains("a question has 1 to 1000 characters") && failed.contains("nekro tasks retry t2"), "{failed}");
    assert!(run(&["tasks", "logs", "t2"]).good().contains("the task has failed"));
    assert!(run(&["tasks", "list", "--dead"]).good().contains("t2"));
    assert_eq!(run(&["tasks", "retry", "t2"]).good().trim_end(), "t3 does the work of t2 again");
    assert_eq!(run(&["tasks", "show", "t2", "--json"]).json()["retried_as"], "t3");
    assert!(run(&["tasks", "cancel", "t1"]).good().contains("t1 had ended already: it is succeeded"));
    assert!(run(&["tasks", "run", "approval.aks"]).bad(2).contains("did you mean `approval.ask`?"));
    assert!(run(&["tasks", "show", "t99"]).bad(2).contains("there is no task `t99`"));
    assert!(run(&["tasks", "logs", "t2", "--follow"]).bad(2).contains("followed where it is"));
    assert!(run(&["schedules"]).good().contains("report.tidy"));
    assert!(run(&["schedules", "show", "report.tidy"]).good().contains("30 3 * * *"));
    assert_eq!(run(&["schedules", "pause", "report.tidy"]).good().trim_end(), "report.tidy rests");
    assert!(run(&["schedules", "next"]).good().contains("nothing is due"));
    assert!(run(&["schedules", "resume", "report.tidy"]).good().contains("goes on at "));
    assert_eq!(run(&["schedules", "next", "3", "--json"]).json().as_array().map(Vec::len), Some(3));
    assert!(run(&["schedules", "run", "report.tidy"]).good().contains("is run by the agent"));
    assert!(run(&["schedules", "delete", "report.tidy"]).good().contains("its plugin declares it"));
    assert!(run(&["schedules", "show", "report.tidy"]).bad(2).contains("there is no schedule `report.tidy`"));
}
