//! `nekro plugins`, `nekro tools`, `nekro events`

use crate::support::{Place, nekro};

#[test]
fn plugins_are_listed_and_shown() {
    let plugins = nekro(&["plugins", "--json"]).json();
    let ids: Vec<_> = plugins.as_array().expect("a list").iter().map(|plugin| plugin["id"].as_str().expect("an id")).collect();
    assert_eq!(
        ids,
        [
            "approval",
            "basic",
            "board",
            "dice",
            "feeds",
            "git",
            "github",
            "greeter",
            "guard",
            "knowledge",
            "mcp",
            "notes",
            "persona",
            "report",
            "search",
            "timer",
            "transcript",
            "weather",
            "web_reader"
        ]
    );
    let notes = nekro(&["plugins", "show", "notes", "--json"]).json();
    assert_eq!(notes["status"]["stage"], "running");
    let capabilities = notes["capabilities"].as_array().expect("a list");
    assert!(capabilities.iter().any(|capability| capability["name"] == "store"));
    assert!(notes["config"]["properties"].is_object());
    assert!(nekro(&["plugins", "show", "note"]).bad(2).contains("did you mean `notes`?"));
}

#[test]
fn tools_have_their_schemas() {
    let tool = nekro(&["tools", "dice.roll", "--json"]).json();
    assert_eq!(tool["arguments"]["additionalProperties"], false);
    assert_eq!(tool["arguments"]["properties"]["notation"]["default"], "1d6");
    assert!(tool["result"]["$ref"].is_string() || tool["result"]["type"] == "object", "{tool:#}");
    assert!(nekro(&["tools"]).good().contains("dice.roll(notation?)"));
}

#[test]
fn a_disabled_plugin_has_no_tools() {
    let place = Place::with_settings("disabled = [\"dice\"]\n");
    assert!(!place.run(&["tools"]).good().contains("dice.roll"));
    assert!(place.run(&["plugins"]).good().contains("disabled"));
    place.run(&["call", "dice.roll"]).bad(2);
}

#[test]
fn events_tell_who_emits_and_who_listens() {
    let event = nekro(&["events", "session_created", "--json"]).json();
    assert_eq!(event["emitted_by"], "agent");
    assert_eq!(event["listeners"][0]["plugin"], "greeter");
    let exported = nekro(&["events", "notes.note_saved", "--json"]).json();
    assert_eq!(exported["emitted_by"], "notes");
    assert!(nekro(&["events"]).good().contains("tool_call"));
}
