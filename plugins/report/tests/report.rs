//! Digests as a model, a person and a schedule ask for them.

use nekro_core::{
    Action, By, Caller, Error, Origin, Role, ScheduleWhen,
    testing::{FakeRun, Host},
};
use nekro_plugin_report::{Digest, Report, Summary};
use serde_json::{Value, json};

const SUMMARY: &str = r#"{"headline":"The kettle is broken.","points":["Ada has found it."],"open":["Bob buys another one."]}"#;

fn said(host: &Host) {
    host.said("test", By::Person { user: Some("ada".into()) }, "the kettle is broken");
    host.said("test", By::System { plugin: None }, "a secret of the system");
    host.said("test", By::Plugin { plugin: "report".into() }, "an earlier digest");
    host.said("test", By::Person { user: Some("bob".into()) }, "I buy another one");
}

fn names(host: &Host) -> Vec<String> {
    let entries = host.run(host.files::<Report>().own().list_in("digests/test")).unwrap_or_default();
    entries.into_iter().map(|entry| entry.path.name().to_owned()).collect()
}

#[track_caller]
fn digest(host: &Host, run: &std::sync::Arc<FakeRun>) -> Digest {
    let reply = host.run_task("now", json!({}), run).expect("a digest");
    serde_json::from_str(&reply.json).expect("a digest")
}

#[test]
fn a_digest_is_written_by_the_model_kept_and_sent() {
    let host = Host::builder::<Report>().model_says(SUMMARY).start();
    said(&host);
    let run = FakeRun::new().shared();
    let made = digest(&host, &run);
    let summary: Summary = serde_json::from_str(SUMMARY).expect("a summary");
    let file = "digests/test/2030-01-01-t1.md".to_owned();
    assert_eq!(made, Digest { summary: Some(summary), messages: 2, cut: false, file: Some(file.clone()) });
    let asked = host.asked();
    assert_eq!(
        asked[0].messages[0].text,
        "[2030-01-01T12:00:00Z] ada: the kettle is broken\n[2030-01-01T12:00:00Z] bob: I buy another one\n"
    );
    assert!(host.sent()[0].contains("- [ ] Bob buys another one."), "{:?}", host.sent());
    let (_, _, message) = host.outbox().messages().remove(0);
    assert_eq!(message.files[0].name, "2030-01-01-t1.md");
    let kept = host.run(host.files::<Report>().own().read(&*file)).expect("a file");
    assert_eq!(message.files[0].bytes.to_vec(), kept);
    assert_eq!(run.told_progress().iter().map(|(percent, _)| *percent).collect::<Vec<_>>(), [10, 30, 80]);
}

#[test]
fn what_was_paid_and_what_was_sent_is_not_done_again() {
    let host = Host::of::<Report>();
    said(&host);
    let made =
        json!({ "summary": serde_json::from_str::<Value>(SUMMARY).expect("JSON"), "messages": 2, "cut": false, "file": "a.md" });
    // The process ended after the model had answered.
    let run = FakeRun::new().resumed(&json!({ "Written": made })).shared();
    digest(&host, &run);
    assert_eq!((host.asked().len(), host.sent().len()), (0, 1));
    // And once more, after the people had it.
    let sent = run.checkpoint_now().expect("it has sent it");
    digest(&host, &FakeRun::new().resumed(&sent).shared());
    assert_eq!((host.asked().len(), host.sent().len()), (0, 1));
}

#[test]
fn only_what_was_said_lately_counts_and_nothing_makes_no_digest() {
    let host = Host::builder::<Report>().config(json!({ "max_messages": 1 })).model_says(SUMMARY).start();
    host.said("test", By::Person { user: None }, "long ago");
    host.advance(std::time::Duration::from_secs(25 * 3_600));
    host.said("test", By::Plugin { plugin: "greeter".into() }, "Hello!");
    let none = digest(&host, &FakeRun::new().shared());
    assert_eq!(none, Digest { summary: None, messages: 0, cut: false, file: None });
    assert!(host.sent().is_empty() && names(&host).is_empty());
    assert!(host.command("/report").expect("an answer").to_text().starts_with("nobody said anything within 24 hours"));
    said(&host);
    let cut = digest(&host, &FakeRun::new().shared());
    assert_eq!((cut.messages, cut.cut), (1, true));
    assert!(host.asked()[0].messages[0].text.ends_with("bob: I buy another one\n"));
}

#[test]
fn a_digest_that_cannot_be_written_is_told() {
    let host = Host::builder::<Report>().model_fails(&Error::new("the budget is spent").with_code("budget_spent")).start();
    said(&host);
    let error = host.run_task("now", json!({}), &FakeRun::new().shared()).expect_err("there is no model");
    assert_eq!(error.code(), "budget_spent");
    let end = |state: &str| {
        json!({ "end": { "task": "t1", "name": "report.now", "state": state,
        "problem": { "code": "budget_spent", "message": "the budget is spent" } } })
    };
    host.run_task("told", end("cancelled"), &FakeRun::new().shared()).expect("nothing to tell");
    host.run_task("told", end("failed"), &FakeRun::new().shared()).expect("it is told");
    assert_eq!(host.sent(), ["There is no digest: the budget is spent"]);
}

#[test]
fn a_conversation_has_one_daily_digest_as_the_operator_or_somebody_in_it_says() {
    let mut host = Host::builder::<Report>().config(json!({ "cron": "0 17 * * *", "zone": "Europe/Berlin" })).start();
    said(&host);
    let when = |host: &Host| host.schedules().into_iter().map(|record| record.schedule.when).collect::<Vec<_>>();
    let cron = |cron: &str| ScheduleWhen::Cron { cron: cron.into(), zone: "Europe/Berlin".into() };
    host.call("daily", json!({})).expect("it is set up");
    assert_eq!(when(&host), [cron("0 17 * * *")]);
    host.call("daily", json!({ "cron": "0 9 * * 1", "hours": 168 })).expect("it takes its place");
    assert_eq!(when(&host), [cron("0 9 * * 1")]);
    let Action::Task { task, arguments, on_terminal } = host.schedules().remove(0).schedule.action else {
        panic!("it runs a task")
    };
    assert_eq!((task.as_str(), arguments, on_terminal.as_deref()), ("now", json!({ "hours": 168 }), Some("told")));
    assert_eq!(host.call("daily", json!({ "cron": "every day" })).expect_err("no cron").code(), "invalid_schedule");
    assert!(host.command("/report 48").expect("an answer").to_text().starts_with("t1 writes a digest; the daily one rests"));
    assert_eq!(host.started()[0].arguments, json!({ "hours": 48 }));
    assert!(host.call_as::<bool>("stop", json!({})).expect("it was there") && host.schedules().is_empty());
    host.act_as(Caller::operator());
    for (tool, arguments) in [("daily", json!({})), ("stop", json!({}))] {
        assert_eq!(host.call(tool, arguments).expect_err("nobody is there").code(), "no_session");
    }
}

#[test]
fn digests_are_kept_for_some_days() {
    let host = Host::builder::<Report>().config(json!({ "keep_days": 30 })).start();
    let folder = host.files::<Report>().own();
    for name in ["2029-12-01-t1.md", "2029-12-02-t2.md", "2030-01-01-t3.md", "notes.md"] {
        host.run(folder.write(format!("digests/test/{name}"), "…")).expect("a file");
    }
    host.run_task("tidy", json!({}), &FakeRun::new().shared()).expect("it is tidy");
    assert_eq!(names(&host), ["2029-12-02-t2.md", "2030-01-01-t3.md", "notes.md"]);
}

#[test]
fn a_digest_is_shown_to_its_own_conversation_alone() {
    let host = Host::builder::<Report>().model_says(SUMMARY).start();
    said(&host);
    digest(&host, &FakeRun::new().shared());
    let client = |session: &str| Caller::new(Origin::McpClient, Role::User).in_session(session);
    let shown = |caller: &Caller| {
        let files = host.run(host.kernel().shared_files(caller, 10));
        files.into_iter().map(|file| (file.entry.path.to_string(), file.media_type)).collect::<Vec<_>>()
    };
    let path = "digests/test/2030-01-01-t1.md";
    assert_eq!(shown(&client("test")), [(path.to_owned(), "text/markdown; charset=utf-8")]);
    assert_eq!(shown(&client("other")), []);
    let read =
        |session: &str| host.run(host.kernel().read_shared("report", &path.parse().expect("a path"), &client(session), 1_000));
    let (bytes, _) = read("test").expect("it is there");
    assert!(bytes.starts_with(b"# The kettle is broken."));
    assert_eq!(read("other").expect_err("it is another's").code(), "not_found");
}
