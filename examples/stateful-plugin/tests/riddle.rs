//! The riddle, from its start to its end.

use std::sync::Arc;

use nekro_core::{MemoryStore, StorePort, testing::Host};
use serde_json::json;
use stateful_plugin::{Outcome, Riddle, Tally};

#[track_caller]
fn guess(host: &Host, word: &str) -> Outcome {
    host.call_as("guess", json!({ "word": word })).expect("a guess is judged")
}

#[test]
fn a_guess_is_judged_and_counted() {
    let host = Host::of::<Riddle>();
    assert_eq!(guess(&host, "map"), Outcome { right: false, tally: Tally { guesses: 1, solved: 0 } });
    assert_eq!(guess(&host, " Piano"), Outcome { right: true, tally: Tally { guesses: 2, solved: 1 } });
}

#[test]
fn the_tally_outlasts_the_agent() {
    let store: Arc<dyn StorePort> = Arc::new(MemoryStore::default());
    let start = || Host::builder::<Riddle>().port(Arc::clone(&store)).start();
    // The host stops its plugins when it is dropped: `#[cleanup]` has run then.
    assert_eq!(guess(&start(), "map").tally.guesses, 1);
    assert_eq!(guess(&start(), "map").tally.guesses, 2);
}

#[test]
fn an_operator_can_set_another_riddle() {
    let host =
        Host::builder::<Riddle>().config(json!({ "question": "What has an eye, but cannot see?", "answer": "needle" })).start();
    assert_eq!(host.call("ask", json!({})).expect("a question").to_text(), "What has an eye, but cannot see?");
    assert!(guess(&host, "needle").right);
}

#[test]
fn without_an_answer_the_plugin_does_not_start() {
    let error = Host::builder::<Riddle>().config(json!({ "answer": " " })).try_start().expect_err("a refusal");
    assert!(error.contains("a riddle needs an `answer`"), "{error}");
}

#[test]
fn a_wrong_secret_is_not_repeated_in_the_error() {
    let error = Host::builder::<Riddle>().config(json!({ "answer": 12345 })).try_start().expect_err("a refusal");
    assert!(error.contains("`answer`") && !error.contains("12345"), "{error}");
}
