//! `nekro schema`

use std::fs;

use crate::support::Place;

#[test]
fn schemas_are_written_and_then_current() {
    let place = Place::new();
    place.run(&["schema", "--out", "made", "--check"]).bad(1);
    assert!(place.run(&["schema", "--out", "made"]).good().contains("files were written to made"));
    assert!(place.path().join("made/config.schema.json").is_file());
    assert!(place.path().join("made/tools/dice.roll.arguments.json").is_file());
    assert!(place.path().join("made/events/notes.note_saved.json").is_file());
    assert!(place.run(&["schema", "--out", "made", "--check"]).good().contains("files are current"));
    assert!(place.run(&["schema", "--out", "made"]).good().starts_with("0 of "));
}

#[test]
fn what_is_not_current_is_listed() {
    let place = Place::new();
    place.run(&["schema"]).good();
    let schemas = place.path().join("schemas");
    fs::write(schemas.join("tools/dice.roll.arguments.json"), "{}").expect("it can be written");
    fs::write(schemas.join("tools/old.tool.result.json"), "{}").expect("it can be written");
    fs::remove_file(schemas.join("events/turn_begin.json")).expect("it is there");
    let error = place.run(&["schema", "--check"]).bad(1);
    for told in [
        "tools/dice.roll.arguments.json is different",
        "tools/old.tool.result.json describes nothing that is linked",
        "events/turn_begin.json is missing",
        "hint: `nekro schema --out schemas` writes them",
    ] {
        assert!(error.contains(told), "{told}: {error}");
    }
    assert_eq!(error.matches("\n  - ").count(), 3, "{error}");
    assert!(place.run(&["schema"]).good().contains("old.tool.result.json describes nothing that is linked: delete it"));
}
