//! The manifest of the bundled plugins.

use nekro_core::{
    Plugin,
    kernel::{Declarations, Registry},
    manifest::{Difference, Manifest},
};

use crate::Everything;

fn linked() -> Manifest {
    Registry::linked().expect("the bundle fits together").manifest()
}

#[test]
fn the_order_of_registration_does_not_matter() {
    let expected = linked().to_json();
    for turn in 1..8 {
        let mut shuffled = Declarations::linked();
        let rotate = |length: usize| turn * 7 % length.max(1);
        macro_rules! shuffle {
            ($($list:ident)*) => { $(
                let by = rotate(shuffled.$list.len());
                shuffled.$list.rotate_left(by);
                if turn % 2 == 1 {
                    shuffled.$list.reverse();
                }
            )* };
        }
        shuffle!(plugins tools handlers commands prompts hooks events);
        let manifest = Registry::new(shuffled).expect("the order does not matter").manifest();
        assert!(manifest.to_json() == expected, "turn {turn}");
    }
}

#[test]
fn the_bundle_names_all_that_is_linked() {
    let mut named = nekro_plugins::PLUGINS.to_vec();
    let unnamed = Registry::of_bundle(&named).expect_err("a test brings one more").to_string();
    assert!(unnamed.contains("the plugin `everything` of the package `nekro-tests` is linked, but"), "{unnamed}");
    named.push(Everything::DECL);
    Registry::of_bundle(&named).expect("now all are named");
}

#[test]
fn a_manifest_says_who_takes_what_and_where() {
    let manifest = linked();
    let dice = manifest.plugin("dice").expect("it is bundled");
    let random = &dice.capabilities[0];
    let by: Vec<_> = random.used_by.iter().map(|used| (used.what.as_str(), used.name.as_str())).collect();
    assert_eq!((random.name.as_str(), by), ("random", vec![("tool", "roll"), ("command", "roll")]));
    assert!(random.used_by[0].location.starts_with("plugins/dice/src/lib.rs:"));
    let notes = manifest.plugin("notes").expect("it is bundled");
    assert!(notes.events.iter().any(|event| event.name == "notes.note_saved"));
    assert!(manifest.events.iter().any(|event| event.name == "session_created"));
}

#[test]
fn differences_are_named() {
    let (one, mut other) = (linked(), linked());
    assert_eq!(one.differences(&other), []);
    let dice = other.plugins.iter_mut().find(|plugin| plugin.id == "dice").expect("it is bundled");
    dice.version = "9.9.9".to_owned();
    dice.tools.clear();
    other.plugins.retain(|plugin| plugin.id != "notes");
    let all: Vec<_> = one.differences(&other).iter().map(Difference::to_string).collect();
    assert_eq!(
        all,
        ["the tool `dice.roll` is missing", "the plugin `dice` has another `version`", "the plugin `notes` is missing"]
    );
}

#[test]
fn every_schema_is_valid_and_refers_to_what_is_there() {
    for (name, text) in linked().schema_files() {
        let schema = serde_json::from_str(&text).expect("JSON");
        jsonschema::meta::validate(&schema).unwrap_or_else(|error| panic!("{name}: {error}"));
        if let Err(error) = jsonschema::validator_for(&schema) {
            panic!("{name}: {error}");
        }
    }
}
