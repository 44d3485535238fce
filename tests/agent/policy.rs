//! `nekro.policy.toml`, which the program was built with.

use serde_json::Value;

use crate::support::{Place, nekro};

#[test]
fn a_plugin_is_shown_with_what_the_policy_says_of_it() {
    let notes = nekro(&["plugins", "show", "notes"]).good();
    let says = |words: &[&str]| notes.lines().any(|line| words.iter().all(|word| line.contains(word)));
    assert!(says(&["allows", "clock, events, store", "nekro.policy.toml:"]), "{notes}");
    assert!(says(&["rule", "notes.save", "rate 60/1m", "nekro.policy.toml:"]), "{notes}");
    let notes = nekro(&["plugins", "show", "notes", "--json"]).json();
    assert_eq!(notes["policy"]["rules"][0]["rate"], "60/1m");
    let allowed = notes["policy"]["capabilities"]["entries"].as_array().expect("a list");
    let taken = notes["capabilities"].as_array().expect("a list");
    let names = |list: &[Value], key: &str| list.iter().map(|one| one[key].clone()).collect::<Vec<_>>();
    assert_eq!(names(allowed, "text"), names(taken, "name"), "exactly what it takes");
    let doctor = nekro(&["doctor", "--json"]).json();
    let finding =
        doctor.as_array().and_then(|all| all.iter().find(|one| one["what"] == "policy").cloned()).expect("it is looked at");
    assert_eq!(finding["state"], "good");
}

#[test]
fn whoever_calls_too_often_is_told_when_to_come_again() {
    let place = Place::new();
    let lines = "notes.save(text=\"again\")\n".repeat(200);
    let chat = place.run_with(&["chat", "--json"], &lines);
    let said = chat.out + &chat.err;
    assert!(said.contains("`notes.save` may be called 60/1m by one caller: try again in"), "{said}");
    assert!(said.contains("the rule `no flood of notes` at nekro.policy.toml:"), "{said}");
    assert!(said.matches("\"kind\":").count() >= 60, "{said}");
}
