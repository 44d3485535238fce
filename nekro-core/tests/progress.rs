//! What is told of a call while it goes on.

use std::sync::Arc;

use nekro_core::{
    ProgressPort, ProgressReport,
    prelude::*,
    testing::{FakeProgress, FakeRun, Host},
};
use serde_json::json;

/// Counts.
#[plugin(id = "counter")]
pub struct Counter;

/// Counts up to a number.
#[tool]
fn count(
    progress: &Progress,
    /// Up to which.
    to: usize,
) -> usize {
    count_to(progress, to)
}

/// Counts where nobody can know how far.
#[command(name = "count")]
fn forever(progress: &Progress) {
    progress.done(7, "counting");
}

/// Counts in the background.
#[task]
async fn slowly(
    progress: &Progress,
    /// Up to which.
    to: usize,
) -> usize {
    count_to(progress, to)
}

/// Tells nobody: no call is its own.
#[on_event]
fn heard(event: &ToolExecuted, progress: &Progress) {
    progress.done(0, &event.tool);
}

fn count_to(progress: &Progress, to: usize) -> usize {
    (1..=to).for_each(|done| progress.done_of(done, to, format!("{done} is next")));
    to
}

fn told(host: &Host) -> Vec<String> {
    host.progress().iter().map(ProgressReport::to_string).collect()
}

#[test]
fn a_tool_and_a_command_tell_how_far_they_have_come() {
    let host = Host::of::<Counter>();
    assert_eq!(host.call_as::<usize>("count", json!({ "to": 2 })).expect("it counts"), 2);
    host.command("/count").expect("it counts");
    assert_eq!(told(&host), ["1 of 2, 1 is next", "2 of 2, 2 is next", "7, counting"]);
    assert!(host.leaks().is_empty());
}

#[test]
fn a_task_tells_it_in_percent() {
    let (host, run) = (Host::of::<Counter>(), FakeRun::new().shared());
    host.run_task("slowly", json!({ "to": 2 }), &run).expect("it counts");
    assert_eq!(run.told_progress(), [(50, "1 is next".to_owned()), (100, "2 is next".to_owned())]);
    assert!(host.progress().is_empty());
}

#[test]
fn what_a_plugin_has_others_do_is_not_told_as_its_own() {
    let mut host = Host::of::<Counter>();
    host.act_as(Caller { depth: 1, ..Caller::operator() });
    assert_eq!(host.call_as::<usize>("count", json!({ "to": 2 })).expect("it counts"), 2);
    assert!(host.progress().is_empty());
}

#[test]
fn without_anybody_who_follows_a_report_is_nothing() {
    struct Nobody;
    impl ProgressPort for Nobody {
        fn follower(&self) -> Option<Arc<dyn nekro_core::ProgressFollower>> {
            None
        }
    }
    let host = Host::builder::<Counter>().port::<dyn ProgressPort>(Arc::new(Nobody)).start();
    assert_eq!(host.call_as::<usize>("count", json!({ "to": 2 })).expect("it counts"), 2);
    let followed = Progress::new(FakeProgress::default().follower());
    assert!(followed.is_followed() && !Progress::new(None).is_followed());
}

#[test]
fn a_tool_says_whether_it_tells_anything() {
    let host = Host::of::<Counter>();
    assert!(host.kernel().tool("counter.count").expect("it is there").has_progress());
    let manifest = nekro_core::manifest::Manifest::of(host.kernel().registry());
    let plugin = serde_json::to_value(manifest.plugin("counter")).expect("it is linked");
    assert_eq!(plugin["capabilities"], json!([]), "it is no permission: {plugin}");
}
