//! Reminders as a model and a person use them.

use nekro_core::{Action, Caller, ScheduleWhen, testing::Host};
use nekro_plugin_timer::{Reminder, Timer};
use serde_json::json;

fn remind(host: &Host, text: &str, when: &str) -> Reminder {
    host.call_as("remind", json!({ "text": text, "when": when })).expect("it is set")
}

#[test]
fn a_reminder_is_a_schedule_of_its_conversation() {
    let host = Host::builder::<Timer>().config(json!({ "zone": "Europe/Berlin" })).start();
    assert_eq!(remind(&host, "tea", "in 10 minutes").next.map(|at| at.to_string()).as_deref(), Some("2030-01-01T12:10:00Z"));
    assert!(remind(&host, "stand up", "every monday at 9").repeated);
    host.call("remind", json!({ "text": "look", "when": "tomorrow at 9", "wake_me": true })).expect("it is set");
    let all = host.schedules();
    assert_eq!(all.iter().map(|record| record.schedule.name.as_str()).collect::<Vec<_>>(), ["test/1", "test/2", "test/3"]);
    assert_eq!(all[0].schedule.action, Action::Message { text: "⏰ tea".into() });
    assert_eq!(all[1].schedule.when, ScheduleWhen::Cron { cron: "0 9 * * 1".into(), zone: "Europe/Berlin".into() });
    assert_eq!(all[2].schedule.action, Action::Prompt { text: "Reminder: look".into() });
    assert_eq!(all[2].next.map(|at| at.to_string()).as_deref(), Some("2030-01-02T08:00:00Z"));
}

#[test]
fn reminders_are_listed_and_cancelled_where_they_were_set() {
    let mut host = Host::of::<Timer>();
    remind(&host, "later", "in 2 hours");
    remind(&host, "sooner", "in 1 hour");
    let told = host.command("/reminders").expect("a listing").to_text();
    assert!(told.find("sooner") < told.find("later"), "{told}");
    // A conversation whose name begins like that of the other.
    host.act_as(Caller::operator().in_session("test/1"));
    assert_eq!(host.call("cancel", json!({ "number": "1" })).expect_err("it is another's").code(), "not_found");
    assert_eq!(host.command("/reminders").expect("a listing").to_text(), "there are no reminders here");
    host.act_as(Caller::operator().in_session("test"));
    host.call("cancel", json!({ "number": "1" })).expect("it is there");
    let left: Vec<Reminder> = host.call_as("list", json!({})).expect("a listing");
    assert_eq!(left.iter().map(|reminder| reminder.text.as_str()).collect::<Vec<_>>(), ["sooner"]);
}

#[test]
fn what_cannot_be_is_refused_with_a_way_out() {
    let host = Host::builder::<Timer>().config(json!({ "max_reminders": 1, "max_length": 10 })).start();
    let refused = |text: &str, when: &str| host.call("remind", json!({ "text": text, "when": when })).expect_err("a refusal");
    assert!(refused("tea", "soon").hint().is_some_and(|hint| hint.contains("in 10 minutes")));
    assert_eq!(refused("", "in 1 hour").code(), "invalid_arguments");
    assert_eq!(refused("far too long a text", "in 1 hour").code(), "invalid_arguments");
    assert_eq!(refused("tea", "61 9 * * *").code(), "invalid_schedule");
    remind(&host, "tea", "in 1 hour");
    let error = refused("tea", "in 1 hour");
    assert!(error.code() == "busy" && error.message().contains("`plugins.timer.max_reminders`"), "{error:?}");
    let mut host = Host::of::<Timer>();
    host.act_as(Caller::operator());
    assert_eq!(host.call("list", json!({})).expect_err("nobody is there").code(), "no_session");
}
