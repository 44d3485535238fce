//! `nekro tasks`: what goes on in the background, from a shell.

use std::process::Child;

use serde_json::Value;

use crate::support::{Place, Run, Talk, finish};
#[cfg(unix)]
use crate::terminal::Terminal;

/// Begins a task that waits for a person.
fn ask(place: &Place) -> Child {
    let child = place.command(&["tasks", "run", "approval.ask", "--question", "Go on?"]).spawn().expect("the program starts");
    while place.run(&["tasks", "list", "--state", "waiting", "--json"]).json().as_array().is_none_or(Vec::is_empty) {}
    child
}

/// Waits for the end of one, and returns each state in which it was seen.
fn states(run: &Run) -> Vec<Value> {
    let lines = run.out.lines().map(|line| serde_json::from_str::<Value>(line).expect("a line of JSON"));
    lines.filter(|line| line["task"].is_object()).map(|line| line["task"]["state"].clone()).collect()
}

#[test]
fn a_task_is_shown_in_lines_of_json_to_its_end_and_given_what_it_waits_for() {
    let place = Place::new();
    let child = ask(&place);
    let listed = place.run(&["tasks"]).good();
    assert!(listed.contains("t1") && listed.contains("approval.ask") && listed.contains("waits for answer"), "{listed}");
    let shown = place.run(&["tasks", "show", "t1"]).good();
    assert!(shown.contains(r#"{"question":"Go on?"}"#) && shown.contains("terminal"), "{shown}");
    assert_eq!(place.run(&["tasks", "notify", "t1", "answer", r#"{"answer":"yes"}"#]).good().trim_end(), "t1 is told");
    let run = finish(child, "");
    assert_eq!(run.code, 0, "{run:?}");
    assert!(run.out.contains("❓ Go on?") && run.out.contains(r#""result":{"answer":"yes"}"#), "{}", run.out);
    let states = states(&run);
    assert!(states.contains(&"waiting".into()) && states.last() == Some(&"succeeded".into()), "{states:?}");
    assert!(place.run(&["tasks", "notify", "t1", "answer", "no"]).good().contains("no longer waits"));
    assert_eq!(place.run(&["--json", "tasks", "show", "t1"]).json()["result"]["answer"], "yes");
    assert!(place.run(&["tasks", "retry", "t1"]).bad(1).contains("the task t1 has not failed: it is succeeded"));
}

#[test]
fn a_task_is_cancelled_where_it_runs() {
    let place = Place::new();
    let child = ask(&place);
    assert_eq!(place.run(&["tasks", "cancel", "t1"]).good().trim_end(), "t1 ends where it runs");
    assert!(finish(child, "").bad(1).contains("the task t1 is cancelled"));
    assert!(place.run(&["tasks", "cancel", "t1"]).good().contains("t1 had ended already: it is cancelled"));
    assert_eq!(place.run(&["tasks", "retry", "t1", "--json"]).json()["task"], "t2");
    // Nobody runs that one.
    assert_eq!(place.run(&["tasks", "cancel", "t2", "--json"]).json()["state"], "cancelled");
}

#[cfg(unix)]
#[test]
fn whoever_shows_a_task_and_leaves_has_cancelled_it() {
    let place = Place::new();
    let child = ask(&place);
    let process = i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw).expect("a process");
    rustix::process::kill_process(process, rustix::process::Signal::INT).expect("it runs");
    let run = finish(child, "");
    assert_eq!(states(&run).last(), Some(&"cancelled".into()), "{run:?}");
    run.bad(1);
}

#[test]
fn a_task_that_fails_is_dead_until_somebody_retries_it() {
    let place = Place::new();
    let told = place.run(&["tasks", "run", "approval.ask", "--question", " "]).bad(1);
    assert!(told.contains("a question has 1 to 1000 characters") && told.contains("nekro tasks retry t1"), "{told}");
    let dead = || place.run(&["tasks", "list", "--dead", "--json"]).json();
    assert_eq!((&dead()[0]["id"], &dead()[0]["problem"]["code"]), (&"t1".into(), &"invalid_arguments".into()));
    assert!(place.run(&["tasks", "logs", "t1"]).good().contains("the task has failed"));
    assert_eq!(place.run(&["tasks", "retry", "t1"]).good().trim_end(), "t2 does the work of t1 again");
    assert_eq!(dead(), Value::Array(Vec::new()));
    assert!(place.run(&["tasks", "show", "t1"]).good().contains("retried as"));
    assert!(place.run(&["tasks", "retry", "t2"]).bad(1).contains("the task t2 has not failed: it is queued"));
    let of_timer = place.run(&["tasks", "list", "--plugin", "timer"]).good();
    assert_eq!(of_timer.trim_end(), "there are no tasks");
}

#[test]
fn what_cannot_be_run_is_told_with_what_can() {
    let place = Place::new();
    let run = |arguments: &[&str]| place.run(&[&["tasks"], arguments].concat()).bad(2);
    for (arguments, told) in [
        (&["run", "approval.aks"][..], "did you mean `approval.ask`?"),
        (&["run", "ask"], "there is no task `ask`"),
        (&["run", "approval.ask"], "nekro tasks run approval.ask --question VALUE [--hours VALUE]"),
        (&["run", "approval.ask", "--question", "Well?", "--hours", "1000"], "1 to 720"),
        (&["run", "approval.ask", "--qestion", "Well?"], "did you mean `question`?"),
        (&["show", "t99"], "there is no task `t99`"),
        (&["show", "99"], "`nekro tasks list` shows those that are kept"),
        (&["cancel", "t99"], "there is no task `t99`"),
        (&["retry", "t99999999999999999999"], "there is no task"),
        (&["notify", "t99", "answer", "yes"], "there is no task `t99`"),
        (&["list", "--state", "done"], "queued, running, waiting, succeeded, failed, cancelled"),
        (&["list", "--dead", "--state", "failed"], "cannot be used with"),
    ] {
        let err = run(arguments);
        assert!(err.contains(told), "{arguments:?}: {err}");
    }
    assert!(place.run(&["tasks", "list"]).good().contains("there are no tasks"));
}

#[test]
fn what_the_end_of_a_task_starts_is_run_too() {
    let place = Place::new();
    let told = place.run(&["tasks", "run", "report.now"]);
    assert!(told.out.contains("\"succeeded\""), "{told:?}");
    let listed = place.run(&["tasks", "list", "--json"]).json();
    assert_eq!((&listed[0]["name"], &listed[0]["state"]), (&"told".into(), &"succeeded".into()), "{listed:#}");
    let disabled = Place::with_settings("disabled = ['report']\n").run(&["tasks", "run", "report.now"]).bad(1);
    assert!(
        disabled.contains("the plugin `report` does not run") && disabled.contains("`nekro plugins` tells why"),
        "{disabled}"
    );
}

#[test]
fn an_agent_that_is_at_work_runs_what_a_shell_starts() {
    let place = Place::new();
    let talk = Talk::begin(&place, &["--json", "chat"]);
    talk.hear("session_created");
    let run = place.run(&["tasks", "run", "report.tidy"]);
    assert_eq!(states(&run).last(), Some(&"succeeded".into()), "{run:?}");
    assert!(talk.hear("task_ended").contains(r#""name":"tidy""#), "it is told where it runs");
    run.good();
}

#[cfg(unix)]
#[test]
fn on_a_terminal_a_bar_shows_how_far_a_task_has_come() {
    let place = Place::new();
    let shown = |arguments: &[&str], last: &str| {
        let mut terminal = Terminal::start(place.command(arguments));
        let seen = terminal.see(last);
        terminal.ends_well();
        seen
    };
    let bar = shown(&["tasks", "run", "report.tidy"], "100 %");
    let lines = shown(&["tasks", "run", "report.tidy", "--json"], "succeeded");
    assert!(bar.contains("██████████") && bar.contains("100 %") && !bar.contains('{'), "{bar:?}");
    assert!(lines.contains("succeeded") && !lines.contains('█'), "{lines:?}");
}
