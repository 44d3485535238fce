//! `[channels.<name>]`: what is different in one channel. The terminal is a channel of its own.

use serde_json::{Value, json};

use crate::support::{Place, Talk};

const FILE: &str = "\
[plugins.greeter]
text = 'Ahoy'

[channels.terminal]
disabled = ['dice']

[channels.terminal.plugins.greeter]
text = 'Moin'
";

#[test]
fn the_terminal_has_what_its_channel_says() {
    let place = Place::with_settings(FILE);
    assert!(place.run_with(&["chat"], "").good().contains("greeter: Moin"));
    let elsewhere = place.run(&["emit", "session_created", "--fields", r#"{"session": "s:1", "channel": "s"}"#]);
    assert!(elsewhere.good().contains("greeter: Ahoy"));
    // It lies above the command line.
    let above = place.run_with(&["--set", "plugins.greeter.text=Hej", "chat", "--session", "other"], "");
    assert!(above.good().contains("greeter: Moin"));
    let hidden = place.run(&["call", "dice.roll"]).bad(2);
    assert!(hidden.contains("there is no tool `dice.roll`"), "{hidden}");
    let tools = place.run(&["tools"]).good();
    assert!(!tools.contains("dice.roll") && tools.contains("notes.save"), "{tools}");
}

#[test]
fn any_layer_may_say_what_is_different_in_a_channel() {
    let place = Place::new();
    let greeting = place.run_in(&[("NEKRO_CHANNELS__TERMINAL__PLUGINS__GREETER__TEXT", "Moin")], &["chat"]).good();
    assert!(greeting.contains("greeter: Moin"), "{greeting}");
    let greeting = place.run(&["--set", "channels.terminal.plugins.greeter.text=Hej", "chat", "--session", "other"]).good();
    assert!(greeting.contains("greeter: Hej"), "{greeting}");
    place.run(&["config", "set", "channels.\"mail:ada\".plugins.notes.max_notes", "5"]).good();
    place.run(&["config", "set", "channels.\"mail:ada\".disabled", "[\"dice\"]"]).good();
    let text = std::fs::read_to_string(place.path().join("nekro.toml")).expect("the file");
    let expected = "[channels.\"mail:ada\"]\ndisabled = [\"dice\"]\n[channels.\"mail:ada\".plugins.notes]\nmax_notes = 5\n";
    assert_eq!(text, expected);
}

#[test]
fn show_and_get_tell_what_holds_in_a_channel_and_where_it_comes_from() {
    let place = Place::with_settings(FILE);
    assert_eq!(place.run(&["config", "get", "plugins.greeter.text"]).good().trim_end(), "Ahoy");
    let here = |key: &str| place.run(&["config", "get", key, "--channel", "terminal", "--json"]).json();
    let text = here("plugins.greeter.text");
    assert_eq!(text["value"], "Moin");
    assert_eq!(text["origin"], json!({ "kind": "file", "file": "nekro.toml", "line": 8, "column": 8 }));
    assert_eq!(here("disabled")["value"], json!(["dice"]));
    let all = place.run(&["config", "show", "--json"]).json();
    let keys = |all: &Value| {
        let all = all.as_array().expect("a list").iter();
        all.filter_map(|one| Some(one["key"].as_str()?.to_owned())).collect::<Vec<_>>()
    };
    let channels: Vec<_> = keys(&all).into_iter().filter(|key| key.starts_with("channels")).collect();
    assert_eq!(channels, ["channels.terminal.disabled", "channels.terminal.plugins.greeter.text"]);
    let shown = place.run(&["config", "show", "--channel", "terminal:x", "--json"]).json();
    assert!(keys(&shown).iter().all(|key| !key.starts_with("channels")));
    assert!(shown.as_array().expect("a list").iter().any(|one| one["value"] == "Moin"));
    let whole = place.run(&["config", "get", "channels"]).good();
    assert_eq!(whole.trim_end(), r#"{ terminal = { disabled = ["dice"], plugins = { greeter = { text = "Moin" } } } }"#);
    place.run(&["config", "get", "channels.mail.plugins.greeter.text"]).bad(1);
}

#[test]
fn what_is_wrong_in_a_channel_stops_the_plugin_and_is_told_with_its_place() {
    let place = Place::with_settings("[channels.mail.plugins.guard]\ndefalt = 'deny'\n");
    let problems = place.run(&["config", "check"]).bad(2);
    assert!(
        problems.contains("nekro.toml:2:1: `channels.mail.plugins.guard.defalt`: unknown key: did you mean `default`?"),
        "{problems}"
    );
    // In every channel: a guard that is not sure of its rules lets nothing through.
    let refused = place.run(&["call", "dice.roll"]).bad(1);
    assert!(refused.contains("not running"), "{refused}");
    let unknown = Place::with_settings("[channels.mail]\ndisable = []\n").run(&["plugins"]).bad(2);
    assert!(unknown.contains("nekro.toml:2:1: `channels.mail.disable`: unknown key: did you mean `disabled`?"), "{unknown}");
}

#[test]
fn a_running_chat_follows_what_is_different_in_its_channel() {
    let place = Place::new();
    let write = |text: &str| std::fs::write(place.path().join("nekro.toml"), text).expect("a file");
    let mut talk = Talk::begin(&place, &["--json", "chat"]);
    talk.say("dice.roll('5d1')");
    talk.hear("\"total\":5");
    write("[channels.terminal.plugins.guard]\ndefault = \"deny\"\n");
    assert!(talk.hear("config_changed").contains("guard"), "also when only this is another one");
    talk.say("dice.roll('6d1')");
    assert!(talk.hear("\"settings\"").contains("\"reconfigured\":[\"guard\"]"));
    assert!(talk.hear("tool_executed").contains("denied"));
    write("[channels.terminal]\ndisabled = [\"guard\"]\n");
    talk.say("dice.roll('7d1')");
    assert!(talk.hear("\"settings\"").contains("\"channels\":[\"terminal\"]"));
    talk.hear("\"total\":7");
}
