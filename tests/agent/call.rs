//! `nekro call`

use crate::support::{Place, nekro};
#[cfg(unix)]
use crate::terminal::Terminal;

#[test]
fn options_are_the_arguments() {
    let roll = nekro(&["call", "dice.roll", "--notation", "3d6", "--json"]).json();
    assert_eq!(roll["kind"], "value");
    assert_eq!(roll["value"]["dice"].as_array().map(Vec::len), Some(3));
}

#[test]
fn words_and_json_are_the_same_arguments() {
    for arguments in [&["4d1"][..], &["--args", r#"{"notation": "4d1"}"#], &["--notation=4d1"]] {
        let words: Vec<_> = ["--json", "call", "dice.roll"].iter().chain(arguments).copied().collect();
        assert_eq!(nekro(&words).json()["value"]["total"], 4, "{arguments:?}");
    }
}

#[cfg(unix)]
#[test]
fn on_a_terminal_a_line_shows_how_far_a_call_has_come() {
    let arguments = ["call", "knowledge.ingest", "--file", "data:text/plain,Green%20tea.", "--name", "tea"];
    let shown = |more: &[&str]| {
        let place = Place::new();
        let mut terminal = Terminal::start(place.command(&[&arguments, more].concat()));
        let seen = terminal.see("\"places\":1");
        terminal.ends_well();
        seen
    };
    let seen = shown(&[]);
    assert!(seen.contains("⋯ knowledge.ingest 0 of 1, writing places of tea\r\u{1b}[K"), "{seen:?}");
    let json = shown(&["--json"]);
    assert!(!json.contains('⋯'), "{json:?}");
    assert!(!Place::new().run(&arguments).good().contains('⋯'));
}

#[test]
fn wrong_use_exits_with_2_and_says_what_was_meant() {
    let unknown = nekro(&["call", "dice.rol"]).bad(2);
    assert!(unknown.contains("there is no tool `dice.rol`") && unknown.contains("did you mean `dice.roll`?"), "{unknown}");
    let argument = nekro(&["call", "dice.roll", "--notaton", "2d6"]).bad(2);
    assert!(argument.contains("did you mean `notation`?"), "{argument}");
    let value = nekro(&["call", "dice.roll", "two"]).bad(2);
    assert!(value.contains("`notation`: expected dice notation"), "{value}");
    let both = nekro(&["call", "dice.roll", "2d6", "--args", "{}"]).bad(2);
    assert!(both.contains("`--args` has all the arguments"), "{both}");
}

#[test]
fn json_errors_are_for_programs() {
    let error = nekro(&["--json", "call", "dice.roll", "two"]).bad(2);
    let error: serde_json::Value = serde_json::from_str(&error).expect("one JSON value");
    assert_eq!(error["error"]["code"], "invalid_arguments");
}

#[test]
fn help_shows_the_arguments_of_the_tool() {
    for words in [&["call", "dice.roll", "--help"][..], &["call", "-h", "dice.roll"]] {
        let help = nekro(words).good();
        assert!(help.contains("--notation") && help.contains("[default: \"1d6\"]"), "{help}");
    }
    assert!(nekro(&["call", "--help"]).good().contains("Usage: nekro call"));
}

#[test]
fn a_destructive_tool_asks_and_nobody_there_means_no() {
    let refused = nekro(&["call", "notes.remove", "--key", "x"]).bad(1);
    assert!(refused.contains("nobody is there to ask"), "{refused}");
}
