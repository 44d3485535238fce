//! `nekro config`, and the layers of the settings.

use serde_json::{Value, json};

use crate::support::{Place, Talk, nekro};

const FILE: &str = "\
# Ours.
disabled = [\"dice\"] # for now

[plugins.greeter] # hello
# What to say.
text = 'Ahoy'
";

fn text(place: &Place) -> String {
    std::fs::read_to_string(place.path().join("nekro.toml")).expect("the file")
}

#[test]
fn each_layer_lies_over_the_one_below() {
    let place = Place::with_settings("[plugins.greeter]\ntext = \"file\"\nstranger = \"file\"\nchannels = [\"file\"]\n");
    let origins = |run: crate::support::Run| {
        let all = run.json();
        let of = |name: &str| {
            let found = all.as_array().expect("a list").iter().find(|one| one["key"] == format!("plugins.greeter.{name}"));
            let found = found.expect("a setting");
            (found["value"].clone(), found["origin"].clone())
        };
        [of("text"), of("stranger"), of("channels")]
    };
    let variables =
        [("NEKRO_PLUGINS__GREETER__STRANGER", "environment"), ("nekro_plugins__greeter__channels", "['environment']")];
    let set = ["--set", "plugins.greeter.channels=[\"line\"]", "--json", "config", "show"];
    let [text, stranger, channels] = origins(place.run_in(&variables, &set));
    assert_eq!(text, (json!("file"), json!({ "kind": "file", "file": "nekro.toml", "line": 2, "column": 8 })));
    let environment = json!({ "kind": "environment", "variable": "NEKRO_PLUGINS__GREETER__STRANGER" });
    assert_eq!(stranger, (json!("environment"), environment));
    assert_eq!(channels, (json!(["line"]), json!({ "kind": "command_line" })));
    let default = nekro(&["config", "get", "plugins.greeter.stranger", "--json"]).json();
    assert_eq!(default["origin"], json!({ "kind": "default" }));
    // They hold where they are used, too.
    let greeting = place.run_in(
        &[("NEKRO_PLUGINS__GREETER__TEXT", "Moin")],
        &["emit", "session_created", "--fields", SESSION, "--set=plugins.greeter.channels=[]"],
    );
    assert!(greeting.good().contains("greeter: Moin"));
}

const SESSION: &str = r#"{"session": "s", "channel": "terminal"}"#;

#[test]
fn a_value_is_printed_as_a_script_wants_it() {
    let place = Place::with_settings(FILE);
    for (key, value) in [
        ("plugins.greeter.text", "Ahoy"),
        ("limits.mailbox", "1024"),
        ("disabled", r#"["dice"]"#),
        ("plugins.guard", r#"{ default = "allow", destructive = "ask", rules = [] }"#),
    ] {
        assert_eq!(place.run(&["config", "get", key]).good().trim_end(), value);
    }
    let unknown = place.run(&["config", "get", "plugins.greeter.txt"]).bad(2);
    assert!(unknown.contains("did you mean `plugins.greeter.text`?"), "{unknown}");
    for key in ["", "a b", "plugins..x", "limits.\"", &"a.".repeat(100)] {
        let error = place.run(&["config", "get", key]).bad(2);
        assert!(error.contains("expected a key such as"), "{error}");
    }
}

#[test]
fn set_changes_one_value_and_nothing_else() {
    let place = Place::with_settings(FILE);
    place.run(&["config", "set", "plugins.greeter.text", "Moin"]).good();
    place.run(&["config", "set", "disabled", "[]"]).good();
    assert_eq!(text(&place), FILE.replace("'Ahoy'", "\"Moin\"").replace("[\"dice\"]", "[]"));
    place.run(&["config", "set", "plugins.notes.max_notes", "7"]).good();
    assert_eq!(place.run(&["config", "get", "plugins.notes.max_notes"]).good().trim_end(), "7");
    place.run(&["config", "unset", "plugins.notes.max_notes"]).good();
    place.run(&["config", "unset", "plugins.notes.max_notes"]).bad(1);
    assert_eq!(place.run(&["config", "get", "plugins.notes.max_notes"]).good().trim_end(), "100");
}

#[test]
fn set_makes_the_file_if_there_is_none() {
    let place = Place::new();
    let done = place.run(&["--json", "config", "set", "limits.call_deadline", "5s"]).json();
    assert_eq!(done, json!({ "key": "limits.call_deadline", "file": "nekro.toml", "set_above": null }));
    assert_eq!(text(&place), "[limits]\ncall_deadline = \"5s\"\n");
}

#[test]
fn set_says_when_something_above_the_file_holds() {
    let run = Place::new().run_in(&[("NEKRO_LIMITS__MAILBOX", "3")], &["config", "set", "limits.mailbox", "5"]);
    let out = run.good();
    assert!(out.contains("NEKRO_LIMITS__MAILBOX sets it too"), "{out}");
}

#[test]
fn a_wrong_value_changes_nothing() {
    let place = Place::with_settings(FILE);
    for (key, value, told) in [
        ("plugins.notes.max_notes", "0", "a number from 1 to 1000"),
        ("plugins.notes.max_notes", "many", "invalid type: string \"many\""),
        ("plugins.greeter.text", "{nobody}", "plugins.greeter.text"),
        ("plugins.guard.rules", "[{tools='a', action='dny'}]", "`plugins.guard.rules[0].action`"),
        ("limits.call_deadline", "-5s", "limits.call_deadline"),
        ("limits.call_deadline", "", "limits.call_deadline"),
        ("limits.call_dedline", "5s", "did you mean `limits.call_deadline`?"),
        ("disabled", "[\"dise\"]", "did you mean `dice`?"),
        ("plugins", "3", "expected a table"),
        ("plugins.dice", "{a = 1}", "no configuration"),
    ] {
        let run = place.run(&["config", "set", key, value]);
        assert!(run.err.contains(told), "{key}: {run:?}");
        run.bad(2);
        assert_eq!(text(&place), FILE, "{key}");
    }
    // Also when something above the file hides it.
    place.run_in(&[("NEKRO_PLUGINS__NOTES__MAX_NOTES", "3")], &["config", "set", "plugins.notes.max_notes", "0"]).bad(2);
    assert_eq!(text(&place), FILE);
}

#[test]
fn a_file_that_is_wrong_elsewhere_is_not_written() {
    let wrong = "[plugins.notes]\nmax_nots = 1\n";
    let place = Place::with_settings(wrong);
    let error = place.run(&["config", "set", "limits.mailbox", "3"]).bad(2);
    assert!(error.contains("nekro.toml:2:1: `plugins.notes.max_nots`") && error.contains("nothing was changed"), "{error}");
    assert_eq!(text(&place), wrong);
    place.run(&["config", "unset", "plugins.notes.max_nots"]).good();
    place.run(&["config", "set", "limits.mailbox", "3"]).good();
}

#[test]
fn check_tells_every_mistake_at_once() {
    let place = Place::with_settings(
        "dissabled = []\n[limits]\nmailbox = 'x'\n[plugins.greeter]\ntxt = 1\nstranger = 5\n[plugins.note]\n[[plugins.guard.rules]]\n",
    );
    let variables = [("NEKRO_LIMIT__MAILBOX", "3"), ("NEKRO_PLUGINS__NOTES__MAX_NOTES", "none")];
    let run =
        place.run_in(&variables, &["--json", "--set", "plugins.notes.prompt_notes=99", "--set", "nonsense", "config", "check"]);
    assert_eq!(run.code, 2);
    let found: Value = serde_json::from_str(&run.out).expect("one JSON value");
    let lines: Vec<_> = found["mistakes"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|one| (one["key"].as_str(), one["origin"]["line"].as_u64()))
        .collect();
    assert_eq!(
        lines,
        [
            (Some("dissabled"), Some(1)),
            (Some("limits.mailbox"), Some(3)),
            (Some("plugins.greeter.txt"), Some(5)),
            (Some("plugins.greeter.stranger"), Some(6)),
            (Some("plugins.note"), Some(7)),
            (Some("plugins.guard.rules[0].action"), Some(8)),
            (Some("plugins.guard.rules[0].tools"), Some(8)),
            (Some("limit"), None),
            (Some("plugins.notes.max_notes"), None),
            (Some(""), None),
            (Some("plugins.notes.prompt_notes"), None),
        ]
    );
    let error = place.run(&["config", "check"]).bad(2);
    for told in
        ["nekro.toml:1:1: `dissabled`: unknown key: did you mean `disabled`?", "did you mean `notes`?", "did you mean `text`?"]
    {
        assert!(error.contains(told), "{told}: {error}");
    }
}

#[test]
fn check_looks_at_the_file_that_is_named() {
    let place = Place::new();
    assert!(place.run(&["config", "check"]).good().contains("there is no nekro.toml"));
    place.run(&["config", "check", "nowhere.toml"]).bad(2);
    std::fs::write(place.path().join("other.toml"), "a = \nb = \n").expect("a file");
    let error = place.run(&["config", "check", "other.toml"]).bad(2);
    assert!(error.contains("other.toml:1:5") && error.contains("other.toml:2:5"), "{error}");
}

#[test]
fn init_writes_a_file_that_is_right_and_only_once() {
    let place = Place::new();
    place.run(&["config", "init"]).good();
    let written = text(&place);
    assert!(written.contains("# max_notes = 100\n") && written.contains("\n[limits]\n"), "{written}");
    place.run(&["config", "check"]).good();
    place.run(&["config", "init"]).bad(2);
    assert_eq!(text(&place), written);
    place.run(&["config", "set", "disabled", "[\"dice\"]"]).good();
    assert!(text(&place).starts_with("# The settings of this agent."));
}

#[test]
fn the_schema_is_that_of_the_linked_plugins() {
    let schema = nekro(&["config", "schema"]).json();
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    let plugins = schema["properties"]["plugins"]["properties"].as_object().expect("a table");
    assert_eq!(
        plugins.keys().collect::<Vec<_>>(),
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
        ],
    );
    assert_eq!(schema["properties"]["plugins"]["additionalProperties"], false);
    assert_eq!(plugins["guard"]["properties"]["default"]["$ref"], "#/$defs/guard.Action");
}

#[test]
fn hostile_files_and_variables_do_no_harm() {
    let place = Place::new();
    let write = |bytes: &[u8]| std::fs::write(place.path().join("nekro.toml"), bytes).expect("a file");
    write(&vec![b'#'; 2 * 1024 * 1024]);
    assert!(place.run(&["config", "check"]).bad(2).contains("1048576 bytes at most"));
    write(b"a = 1\nb = \"\xff\"\n");
    assert!(place.run(&["config", "check"]).bad(2).contains("nekro.toml:2:6: this is not UTF-8"));
    write(format!("a = {}", "[".repeat(500_000)).as_bytes());
    place.run(&["config", "show"]).bad(2);
    write(b"[plugins.\"a.b\".\"c\\\"d\"]\n\"\\u001b[2J\" = 1\n");
    let error = place.run(&["config", "check"]).bad(2);
    assert!(error.contains("`plugins.\"a.b\"`") && !error.contains('\u{1b}'), "{error}");
    write(b"");
    let deep = "[".repeat(50_000);
    let long = format!("NEKRO_{}", "A__".repeat(10_000));
    let clash =
        [("NEKRO_LIMITS__MAILBOX", "1"), ("Nekro_Limits__Mailbox", "2"), ("NEKRO_DISABLED", deep.as_str()), (long.as_str(), "x")];
    let error = place.run_in(&clash, &["config", "check"]).bad(2);
    assert!(error.contains("only one of them can hold") && error.contains("`disabled`"), "{error}");
}

#[cfg(unix)]
#[test]
fn a_linked_file_is_changed_where_it_is() {
    use std::os::unix::fs::{PermissionsExt, symlink};

    let place = Place::new();
    let real = place.path().join("real.toml");
    std::fs::write(&real, FILE).expect("a file");
    std::fs::set_permissions(&real, std::fs::Permissions::from_mode(0o640)).expect("its mode");
    symlink("real.toml", place.path().join("nekro.toml")).expect("a link");
    place.run(&["config", "set", "plugins.greeter.text", "Moin"]).good();
    assert!(std::fs::read_to_string(&real).expect("the file").contains("Moin"));
    assert!(place.path().join("nekro.toml").is_symlink());
    assert_eq!(std::fs::metadata(&real).expect("the file").permissions().mode() & 0o777, 0o640);
}

#[test]
fn a_running_chat_follows_its_file() {
    let place = Place::new();
    let write = |text: &str| std::fs::write(place.path().join("nekro.toml"), text).expect("a file");
    let mut talk = Talk::begin(&place, &["--json", "chat"]);
    talk.say("dice.roll('5d1')");
    talk.hear("\"total\":5");
    // Nobody says anything: it is found out all the same.
    write("[plugins.guard]\ndefault = \"deny\"\n");
    assert!(talk.hear("config_changed").contains("guard"));
    talk.say("dice.roll('6d1')");
    assert!(talk.hear("\"settings\"").contains("\"reconfigured\":[\"guard\"]"));
    // A file that is wrong changes nothing and says why, whatever else it says.
    write("[plugins.guard]\ndefault = \"allow\"\n[plugins.notes]\nmax_nots = 1\n");
    talk.say("dice.roll('7d1')");
    let wrong = talk.hear("\"changed\":false");
    assert!(wrong.contains("plugins.notes.max_nots") && wrong.contains("\"line\":4"), "{wrong}");
    // What is right holds from the next line on.
    write("disabled = [\"greeter\"]\n[limits]\nmailbox = 3\n");
    talk.say("dice.roll('8d1')");
    let changed: Value = serde_json::from_str(&talk.hear("\"changed\":true")).expect("a line of JSON");
    let expected = json!({ "changed": true, "reconfigured": ["guard"], "enabled": [], "disabled": ["greeter"], "channels": [], "failed": [], "restart": ["limits"] });
    assert_eq!(changed["settings"], expected);
    talk.hear("\"total\":8");
    std::fs::remove_file(place.path().join("nekro.toml")).expect("the file");
    talk.say("dice.roll('9d1')");
    assert!(talk.hear("\"changed\":true").contains("\"enabled\":[\"greeter\"]"));
    talk.hear("\"total\":9");
}

#[test]
fn a_plugin_that_could_not_start_starts_when_its_configuration_is_right() {
    let place = Place::with_settings("[plugins.guard]\ndefalt = \"deny\"\n");
    let mut talk = Talk::begin(&place, &["chat"]);
    // It has read its settings when it greets.
    talk.hear("greeter");
    std::fs::write(place.path().join("nekro.toml"), "# fine now\n").expect("a file");
    talk.say("dice.roll('6d1')");
    assert!(talk.hear("has changed").contains("enabled guard"));
    talk.hear("\"total\":6");
}

#[test]
fn a_secret_in_the_keyring_is_found_and_not_shown() {
    let name = format!("nekro-test-{}/token", std::process::id());
    let place = Place::with_settings(&format!("[plugins.greeter]\ntext = {{ keyring = \"{name}\" }}\n"));
    // It refers to a secret where one can be, and is a table like any other elsewhere.
    assert!(place.run(&["config", "check"]).bad(2).contains("`plugins.greeter.text`"));
    assert!(place.run_with(&["secret", "set", &name], "").bad(2).contains("nothing came"));
    let put = place.run_with(&["secret", "set", &name], "s3cret\n");
    assert!(!format!("{put:?}").contains("s3cret"), "{put:?}");
    if put.code != 0 {
        // A container, as a rule.
        assert!(put.err.contains("the keyring"), "{put:?}");
        eprintln!("not tested further: there is no keyring here ({})", put.err.trim());
        return;
    }
    let again = place.run_with(&["secret", "set", &name, "--json"], "s3cret").json();
    assert_eq!(again, json!({ "name": name }));
    place.run(&["secret", "unset", &name]).good();
    let gone = place.run(&["secret", "unset", &name]).bad(1);
    assert!(gone.contains("nekro secret set"), "{gone}");
}
