//! The plugin `report`: a digest that a model writes in the background, of what was really said.

use serde_json::{Value, json};

use crate::{
    mcp::Client,
    support::Talk,
    turns::{Provider, stream},
};

#[test]
fn a_digest_of_what_was_said_is_written_in_the_background_and_sent() {
    let say = |text: &str| ("200 OK", stream(&[json!({ "content": text })], "stop"));
    let summary = json!({ "headline": "The kettle is broken.", "points": ["The operator said so."], "open": [] }).to_string();
    let provider = Provider::new(vec![say("I am sorry to hear that."), say(&format!("Here it is: {summary}"))]);
    let mut talk = Talk::begin(&provider.place, &["--json", "chat"]);
    talk.say("/report");
    talk.hear("nobody said anything within 24 hours");
    talk.say("the kettle is broken");
    talk.hear("I am sorry to hear that.");
    provider.request();
    talk.say("/report");
    talk.hear("t1 writes a digest");
    talk.hear("📋 The last 24 hours: The kettle is broken.");
    let asked = provider.request()["messages"].to_string();
    assert!(asked.contains("the kettle is broken") && asked.contains("the agent: I am sorry to hear that."), "{asked}");
    talk.say("/report.daily --cron '0 18 * * 1-5'");
    talk.hear("A digest comes every day");
    let schedules = provider.place.run(&["schedules", "list", "--plugin", "report", "--json"]).json();
    let names: Vec<_> =
        schedules.as_array().expect("a list").iter().map(|one| one["schedule"]["name"].as_str().expect("a name")).collect();
    assert_eq!(names, ["terminal", "tidy"], "the one of this conversation, and the one that the plugin declares");
    drop(talk);
    let task = provider.place.run(&["tasks", "show", "t1", "--json"]).json();
    assert_eq!(task["result"]["summary"]["headline"], "The kettle is broken.", "{task:#}");
    let path = task["result"]["file"].as_str().expect("a name");
    let file = path.rsplit('/').next().expect("a name");
    let found = provider.place.path().join(".nekro/files");
    let kept = find(&found, file).expect("the digest is kept as a file");
    assert!(kept.starts_with("# The kettle is broken.\n"), "{kept}");
    let uri = format!("nekro://report/files/{path}");
    let Provider { place, .. } = provider;
    let mut client = Client::begin(place, &["--session", "terminal"], json!({}));
    let listed = client.ask("resources/list", json!({}));
    assert_eq!(listed["result"]["resources"][1]["uri"], uri, "{listed}");
    let read = client.ask("resources/read", json!({ "uri": uri }));
    assert_eq!(read["result"]["contents"][0]["text"], kept, "{read}");
}

/// Reads the first file of a name below a directory.
fn find(directory: &std::path::Path, name: &str) -> Option<String> {
    std::fs::read_dir(directory).ok()?.filter_map(Result::ok).find_map(|entry| match entry.path() {
        path if path.is_dir() => find(&path, name),
        path => path.file_name().is_some_and(|called| called == name).then(|| std::fs::read_to_string(&path).ok())?,
    })
}

#[test]
fn without_a_language_model_people_are_told_why_there_is_no_digest() {
    let place = crate::support::Place::new();
    let ended = place.run(&["tasks", "run", "report.told", "--end", &end().to_string()]);
    assert!(ended.good().contains("There is no digest: no model"));
}

fn end() -> Value {
    json!({ "task": "t1", "name": "report.now", "state": "failed", "problem": { "code": "no_model", "message": "no model" } })
}
