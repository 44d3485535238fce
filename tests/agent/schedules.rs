//! `nekro schedules`: what is due, from a shell.

use serde_json::{Value, json};

use crate::support::{Place, Talk};

/// A place with a reminder, and with what plugins declare.
fn place() -> Place {
    let place = Place::new();
    place.run_with(&["chat"], "timer.remind(text=\"tea\", when=\"every day at 17:00\")\n").good();
    place
}

#[test]
fn schedules_are_listed_and_shown() {
    let empty = Place::new();
    assert!(empty.run(&["schedules"]).good().contains("those that plugins declare are there once an agent has run"));
    let place = place();
    let all = place.run(&["schedules", "list"]).good();
    assert!(all.contains("report.tidy") && all.contains("timer.terminal/1"), "{all}");
    assert!(!place.run(&["schedules", "list", "--plugin", "timer"]).good().contains("report.tidy"));
    let reminder = place.run(&["schedules", "show", "timer.terminal/1", "--json"]).json();
    assert_eq!(reminder["schedule"]["when"], json!({ "cron": { "cron": "0 17 * * *", "zone": "UTC" } }));
    assert_eq!(reminder["session"], "terminal");
    assert!(place.run(&["schedules", "show", "report.tidy"]).good().contains("30 3 * * *"));
}

#[test]
fn what_is_due_next_is_told_in_its_order() {
    let place = place();
    let next = place.run(&["schedules", "next", "--json"]).json();
    let next = next.as_array().expect("a list");
    let moments: Vec<_> = next.iter().map(|one| one["at"].as_str().expect("a moment")).collect();
    assert!(next.len() == 10 && moments.is_sorted(), "{next:?}");
    let tea = next.iter().filter(|one| one["schedule"] == "timer.terminal/1").count();
    assert_eq!(tea, 5, "each is due once a day");
    assert_eq!(place.run(&["schedules", "next", "3"]).good().lines().count(), 3);
    assert!(place.run(&["schedules", "next", "many"]).bad(2).contains("invalid digit"));
}

#[test]
fn a_schedule_rests_goes_on_and_is_deleted() {
    let place = place();
    let schedules = |arguments: &[&str]| place.run(&[&["schedules"], arguments].concat());
    assert_eq!(schedules(&["pause", "timer.terminal/1"]).good().trim_end(), "timer.terminal/1 rests");
    assert!(schedules(&["show", "timer.terminal/1"]).good().contains("somebody paused it"));
    assert!(!schedules(&["next"]).good().contains("timer"));
    // An agent that comes and goes changes nothing of that.
    place.run(&["chat"]).good();
    assert!(!schedules(&["next"]).good().contains("timer"));
    assert!(schedules(&["resume", "timer.terminal/1"]).good().contains("timer.terminal/1 goes on at "));
    assert!(schedules(&["next"]).good().contains("timer"));
    assert_eq!(schedules(&["delete", "timer.terminal/1"]).good().trim_end(), "timer.terminal/1 is deleted");
    assert!(schedules(&["delete", "timer.terminal/1"]).bad(2).contains("there is no schedule `timer.terminal/1`"));
    let declared = schedules(&["delete", "report.tidy"]).good();
    assert!(declared.contains("its plugin declares it") && declared.contains("`pause`"), "{declared}");
    place.run(&["chat"]).good();
    assert!(schedules(&["list"]).good().contains("report.tidy"), "the next agent has set it up again");
}

#[test]
fn a_schedule_is_run_now_by_the_agent_that_is_at_work() {
    let place = place();
    let mut talk = Talk::begin(&place, &["--json", "chat"]);
    talk.say("/roll 5d1");
    talk.hear("5d1");
    assert!(place.run(&["schedules", "run", "timer.terminal/1"]).good().contains("is run by the agent that is running"));
    let sent = talk.hear("⏰ tea");
    assert!(sent.contains("message_sent") && sent.contains(r#""plugin":"timer""#), "{sent}");
    talk.say("timer.remind(text=\"now\", when=\"in 1 second\")");
    assert!(talk.hear("schedule_fired").contains("terminal/2"), "it comes by itself");
    talk.hear("⏰ now");
    drop(talk);
    let runs = |name: &str| place.run(&["schedules", "show", name, "--json"]).json()["runs"].clone();
    assert_eq!(runs("timer.terminal/1"), 1);
    let tasks = place.run(&["tasks", "list", "--plugin", "timer", "--json"]).json();
    let of: Vec<&Value> = tasks.as_array().expect("a list").iter().map(|task| &task["schedule"]).collect();
    assert!(of.contains(&&"terminal/1".into()) && of.contains(&&"terminal/2".into()), "each run is a task: {of:?}");
}

#[test]
fn a_name_that_is_not_there_is_told_with_what_was_meant() {
    let place = place();
    for command in ["show", "pause", "resume", "run", "delete"] {
        let told = place.run(&["schedules", command, "report.tidi"]).bad(2);
        assert!(told.contains("there is no schedule `report.tidi`") && told.contains("did you mean `report.tidy`?"), "{told}");
        assert!(place.run(&["schedules", command]).bad(2).contains("<NAME>"));
    }
    let wrong = Place::with_settings("[schedules]\nzone = 'Europe/Berlinn'\n").run(&["schedules"]).bad(1);
    assert!(wrong.contains("`schedules.zone`") && wrong.contains("Europe/Berlin"), "{wrong}");
}
