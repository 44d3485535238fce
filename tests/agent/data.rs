//! What is kept: the data directory, `nekro plugins enable|disable`, `nekro sessions`, `nekro data` and `nekro logs`.

use std::fs;

use serde_json::{Value, json};

use crate::support::{Place, Talk};

fn add(place: &Place, key: &str) {
    place.run(&["call", "notes.save", "--key", key, "--text", "buy milk"]).good();
}

fn keys(place: &Place, arguments: &[&str]) -> Vec<String> {
    let words: Vec<_> = ["--json", "call", "notes.list"].iter().chain(arguments).copied().collect();
    let notes = place.run(&words).json();
    let list = notes["value"]["notes"].as_array().or(notes["value"].as_array()).expect("a list").clone();
    list.iter().map(|note| note["key"].as_str().expect("a key").to_owned()).collect()
}

#[test]
fn notes_are_kept_from_one_run_to_the_next() {
    let place = Place::new();
    add(&place, "milk");
    add(&place, "eggs");
    assert_eq!(keys(&place, &[]), ["eggs", "milk"]);
    assert!(place.path().join(".nekro/nekro.db").exists());
}

#[test]
fn the_data_directory_is_named_on_the_command_line_or_in_the_environment() {
    let place = Place::new();
    add(&place, "one");
    place.run(&["--data", "other", "call", "notes.save", "--key", "two", "--text", "x"]).good();
    assert_eq!(keys(&place, &[]), ["one"]);
    let listed = place.run_in(&[("NEKRO_DATA", "other")], &["--json", "call", "notes.list"]).good();
    assert!(listed.contains("two") && !listed.contains("one"), "{listed}");
}

#[test]
fn what_only_lists_leaves_nothing_behind() {
    let place = Place::new();
    for words in [
        &["plugins"][..],
        &["doctor"],
        &["tools"],
        &["call", "dice.roll"],
        &["sessions"],
        &["logs"],
        &["data", "export", "-"],
        &["config", "show"],
    ] {
        place.run(words).good();
    }
    assert_eq!(fs::read_dir(place.path()).expect("the directory").count(), 0);
}

#[test]
fn a_data_directory_that_cannot_be_used_is_told() {
    let place = Place::new();
    fs::write(place.path().join("taken"), "").expect("a file");
    let error = place.run(&["--data", "taken", "call", "notes.save", "--key", "k", "--text", "x"]).bad(1);
    assert!(error.contains("the data directory taken cannot be used") && error.contains("NEKRO_DATA"), "{error}");
    fs::create_dir(place.path().join(".nekro")).expect("a directory");
    fs::write(place.path().join(".nekro/nekro.db"), "no database".repeat(1_000)).expect("a file");
    let error = place.run(&["call", "dice.roll"]).bad(1);
    assert!(error.contains("the database is damaged") && error.contains("hint"), "{error}");
    let doctor = place.run(&["doctor"]);
    assert!(doctor.code == 1 && doctor.out.contains("the database is damaged"), "{doctor:?}");
}

#[test]
fn the_doctor_names_the_data_directory_and_how_it_is() {
    let place = Place::new();
    let data = |place: &Place| {
        let findings = place.run(&["--json", "doctor"]).json();
        let found = findings.as_array().expect("a list").iter().find(|finding| finding["what"] == "data").cloned();
        found.expect("the doctor looked at the data")
    };
    assert_eq!(data(&place)["state"], "note");
    add(&place, "milk");
    let found = data(&place);
    let detail = found["detail"].as_str().expect("a text");
    assert!(found["state"] == "good" && detail.contains(".nekro: ") && detail.contains("KiB, in order"), "{found}");
}

#[test]
fn a_plugin_that_was_disabled_stays_so() {
    let place = Place::new();
    let said = place.run(&["plugins", "disable", "dice"]).good();
    assert!(said.contains("dice is disabled"), "{said}");
    let unknown = place.run(&["call", "dice.roll"]).bad(2);
    assert!(unknown.contains("there is no tool"), "{unknown}");
    let plugins = place.run(&["--json", "plugins"]).json();
    let dice = plugins.as_array().expect("a list").iter().find(|plugin| plugin["id"] == "dice").expect("it is linked");
    assert!(dice["status"].to_string().contains("disabled"), "{dice}");
    let enabled = place.run(&["--json", "plugins", "enable", "dice"]).json();
    assert_eq!(enabled, json!({ "id": "dice", "enabled": true, "running_agent": null }));
    place.run(&["call", "dice.roll"]).good();
    let unknown = place.run(&["plugins", "disable", "dise"]).bad(2);
    assert!(unknown.contains("did you mean `dice`?"), "{unknown}");
}

#[test]
fn what_the_settings_disable_is_enabled_in_the_settings() {
    let place = Place::with_settings("disabled = [\"dice\"]\n");
    let error = place.run(&["plugins", "enable", "dice"]).bad(1);
    assert!(error.contains("the settings disable") && error.contains("`disabled`"), "{error}");
}

#[test]
fn one_agent_runs_on_a_directory_and_commands_beside_it() {
    let place = Place::new();
    add(&place, "before");
    let mut chat = Talk::begin(&place, &["chat"]);
    chat.say("/notes.list");
    chat.hear("before");
    let refused = place.run(&["chat"]).bad(1);
    assert!(refused.contains("another agent (process ") && refused.contains("--data"), "{refused}");
    // What is written beside it is seen by it, and the other way round.
    add(&place, "beside");
    chat.say("/notes.list");
    chat.hear("beside");
    chat.say("/notes.save --key inside --text eggs");
    chat.say("/notes.list");
    chat.hear("inside");
    assert!(keys(&place, &[]).contains(&"inside".to_owned()));
    let disabled = place.run(&["plugins", "disable", "dice"]).good();
    assert!(disabled.contains("the agent that runs goes on as it is"), "{disabled}");
    let doctor = place.run(&["doctor"]).good();
    assert!(doctor.contains("an agent is running on it (process "), "{doctor}");
    place.run(&["data", "export", "backup.jsonl"]).good();
    let refused = place.run(&["data", "import", "--replace", "backup.jsonl"]).bad(1);
    assert!(refused.contains("another agent"), "{refused}");
    drop(chat);
    // It was killed: whoever comes next is not kept from coming.
    place.run_with(&["chat"], "").good();
}

#[test]
fn an_export_is_a_backup() {
    let (place, other) = (Place::new(), Place::new());
    add(&place, "milk");
    let made = place.run(&["--json", "data", "export", "backup.jsonl"]).json();
    assert_eq!((&made["file"], &made["exported"]["values"]), (&"backup.jsonl".into(), &1.into()));
    let again = place.run(&["data", "export", "backup.jsonl"]).bad(2);
    assert!(again.contains("already"), "{again}");
    let text = fs::read_to_string(place.path().join("backup.jsonl")).expect("the export");
    assert!(text.lines().all(|line| serde_json::from_str::<Value>(line).is_ok_and(|line| line.is_object())), "{text}");
    assert_eq!(place.run(&["data", "export", "-"]).good().lines().count(), text.lines().count());
    let said = other.run_with(&["data", "import", "-"], &text).good();
    assert!(said.contains("imported") && said.contains("1 values"), "{said}");
    assert_eq!(keys(&other, &[]), ["milk"]);
    add(&other, "eggs");
    let refused = other.run_with(&["data", "import", "-"], &text).bad(2);
    assert!(refused.contains("has data already") && refused.contains("--replace"), "{refused}");
    let cut = other.run_with(&["data", "import", "--replace", "-"], &text[..text.len() / 2]).bad(2);
    assert!(cut.contains("of the export") && cut.contains("nothing was imported"), "{cut}");
    assert_eq!(keys(&other, &[]), ["eggs", "milk"]);
    other.run_with(&["data", "import", "--replace", "-"], &text).good();
    assert_eq!(keys(&other, &[]), ["milk"]);
    assert_eq!(fs::read_dir(place.path()).expect("the directory").count(), 2, "no half of an export is left behind");
}

/// Puts sessions into a place, as an export that somebody else has made.
fn with_sessions() -> Place {
    let moment = "2026-01-02T03:04:05.5Z";
    let session = |id: &str, messages: u64| json!({ "session": { "id": id, "began": moment, "used": moment, "messages": messages, "settings": { "title": "First" } } });
    let message = |number: u64, hidden: bool, body: Value| {
        json!({ "message": {
            "session": "terminal", "id": format!("m{number}"), "number": number, "at": moment, "hidden": hidden, "body": body,
        } })
    };
    let call = json!({ "call": {
        "id": "c", "session": "terminal", "turn": null, "at": moment, "tool": "dice.roll", "arguments": "{}", "result": "7",
        "outcome": "ok", "micros": 40,
    } });
    let lines = [
        json!({ "nekro": { "format": 1, "part": "everything", "program": "0.1.0", "exported": moment, "writes": 0 } }),
        session("older", 0),
        session("terminal", 2),
        message(1, true, json!({ "kind": "person", "user": "ada", "text": "hello \u{1b}[2J" })),
        message(2, false, json!({ "kind": "answer", "model": "m", "text": "hello, Ada" })),
        call,
        json!({ "end": { "sessions": 2, "messages": 2, "turns": 0, "calls": 1, "usage": 0, "values": 0, "plugins": 0 } }),
    ];
    let place = Place::new();
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    place.run_with(&["data", "import", "-"], &text).good();
    place
}

#[test]
fn sessions_are_listed_shown_exported_and_deleted() {
    assert_eq!(Place::new().run(&["sessions"]).good().trim(), "there are no sessions");
    let place = with_sessions();
    let list = place.run(&["sessions"]).good();
    let names: Vec<_> = list.lines().filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(names, ["terminal", "older"]);
    let json = place.run(&["--json", "sessions", "list", "--last", "1"]).json();
    assert_eq!((&json[0]["id"], json.as_array().map(Vec::len)), (&"terminal".into(), Some(1)));
    let shown = place.run(&["sessions", "show", "terminal"]).good();
    for words in
        ["1 ada, hidden, 2026-01-02T03:04:05Z: hello", "2 agent, 2026-01-02T03:04:05Z: hello, Ada", "dice.roll({})", "ok: 7"]
    {
        assert!(shown.contains(words), "{words}: {shown}");
    }
    assert!(!shown.contains('\u{1b}'), "{shown}");
    let json = place.run(&["--json", "sessions", "show", "terminal", "--last", "1"]).json();
    assert_eq!((&json["messages"][0]["number"], json["messages"].as_array().map(Vec::len)), (&2.into(), Some(1)));
    let text = place.run(&["sessions", "export", "terminal"]).good();
    assert!(text.lines().count() == 6 && text.contains("hello, Ada") && !text.contains("older"), "{text}");
    for words in [&["sessions", "show", "terminl"][..], &["sessions", "export", "terminl"], &["sessions", "delete", "terminl"]] {
        let unknown = place.run(words).bad(2);
        assert!(unknown.contains("there is no session `terminl`") && unknown.contains("did you mean `terminal`?"), "{unknown}");
    }
    place.run(&["sessions", "delete", "terminal"]).good();
    assert!(!place.run(&["data", "export", "-"]).good().contains("Ada"));
}

#[test]
fn what_plugins_know_of_a_session_goes_with_it() {
    let place = Place::new();
    let mut chat = Talk::begin(&place, &["chat"]);
    chat.say("/knowledge.ingest --file 'data:text/plain,The%20heron%20stands%20still.' --name birds");
    chat.hear("birds");
    chat.say("/knowledge.search --query heron");
    chat.hear("birds, line 1");
    drop(chat);
    let shared = place.path().join(".nekro/files/sessions/terminal");
    fs::create_dir_all(shared.join("sent")).expect("a directory");
    fs::write(shared.join("sent/heron.txt"), "a heron").expect("a file");
    let other = |place: &Place, line: &str| place.run_with(&["chat", "--session", "other"], line).good();
    other(&place, "/knowledge.ingest --file 'data:text/plain,An%20owl.' --name owls\n");
    let kept = |arguments: &[&str]| {
        let words: Vec<_> = ["data", "export", "-"].iter().chain(arguments).copied().collect();
        place.run(&words).good()
    };
    for part in [&["--plugin", "knowledge"][..], &[]] {
        let kept = kept(part);
        assert!(kept.contains("The heron") && kept.contains("An owl") && kept.contains(r#""session":"terminal""#), "{kept}");
    }
    place.run(&["sessions", "delete", "terminal"]).good();
    let kept = kept(&[]);
    assert!(!kept.contains("heron") && kept.contains("An owl"), "{kept}");
    assert_eq!(fs::read_dir(&shared).expect("the directory").count(), 0);
    let copy = Place::new();
    copy.run_with(&["data", "import", "-"], &kept).good();
    let found = other(&copy, "/knowledge.search --query owl\n");
    assert!(found.contains("owls, line 1"), "{found}");
    let said = place.run(&["data", "delete", "--plugin", "knowledge"]).good();
    assert!(said.contains("1 values, 1 texts"), "{said}");
}

#[test]
fn what_a_plugin_keeps_is_exported_and_deleted() {
    let place = Place::new();
    add(&place, "milk");
    let made = place.run(&["--json", "data", "export", "notes.jsonl", "--plugin", "notes"]).json();
    assert_eq!((&made["exported"]["values"], &made["exported"]["sessions"]), (&1.into(), &0.into()));
    let text = fs::read_to_string(place.path().join("notes.jsonl")).expect("the export");
    assert!(text.contains("milk") && text.contains(r#""part":"values""#), "{text}");
    assert!(place.run(&["data", "delete"]).bad(2).contains("--plugin"));
    assert!(place.run(&["data", "delete", "--plugin", "notes", "--user", "ada"]).code == 2, "one of them");
    let nothing = json!({ "deleted": { "values": 0, "texts": 0, "tasks": 0, "schedules": 0, "webhooks": 0 } });
    assert_eq!(place.run(&["--json", "data", "delete", "--user", "ada"]).json(), nothing);
    let said = place.run(&["data", "delete", "--plugin", "notes"]).good();
    assert_eq!(said.trim(), "1 values, 0 texts, 0 tasks, 0 schedules and 0 webhooks were deleted");
    assert!(keys(&place, &[]).is_empty());
}

#[test]
fn a_full_store_is_told_with_its_limit() {
    let place = Place::with_settings("[store]\nbytes = 20\n");
    let error = place.run(&["call", "notes.save", "--key", "eggs", "--text", "buy eggs"]).bad(1);
    assert!(error.contains("may keep no more than 20 bytes") && error.contains("`store.bytes`"), "{error}");
}

#[test]
fn the_log_is_kept_and_asked_by_plugin() {
    let place = Place::with_settings("[plugins.greeter]\ntxt = \"Ahoy\"\n");
    place.run(&["call", "dice.roll"]).good();
    let entries = |arguments: &[&str]| -> Vec<Value> {
        let words: Vec<_> = ["--json", "logs"].iter().chain(arguments).copied().collect();
        place.run(&words).good().lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect()
    };
    let of_greeter = entries(&["--plugin", "greeter"]);
    assert_eq!((of_greeter.len(), &of_greeter[0]["level"]), (1, &"error".into()));
    assert!(of_greeter[0]["message"].as_str().is_some_and(|text| text.contains("could not start")), "{of_greeter:?}");
    assert!(entries(&["--plugin", "dice"]).is_empty() && entries(&["--session", "s"]).is_empty());
    let text = place.run(&["logs"]).good();
    assert!(text.contains("error greeter: could not start"), "{text}");
}

#[test]
fn the_log_is_followed() {
    let place = Place::with_settings("[plugins.greeter]\ntxt = \"Ahoy\"\n");
    let follow = Talk::begin(&place, &["logs", "--follow"]);
    place.run(&["call", "dice.roll"]).good();
    follow.hear("greeter: could not start");
}

#[cfg(unix)]
#[test]
fn following_ends_when_nobody_reads_any_more() {
    let place = Place::with_settings("[plugins.greeter]\ntxt = \"Ahoy\"\n");
    place.run(&["call", "dice.roll"]).good();
    let mut follow = place.command(&["logs", "--follow"]).spawn().expect("the program starts");
    drop(follow.stdout.take());
    // The next entry finds nobody.
    place.run(&["call", "dice.roll"]).good();
    assert!(follow.wait().expect("it ends").success());
}

#[cfg(unix)]
#[test]
fn a_directory_that_may_not_be_written_is_told() {
    use std::os::unix::fs::PermissionsExt;

    let place = Place::new();
    add(&place, "milk");
    let data = place.path().join(".nekro");
    let set = |mode| fs::set_permissions(&data, fs::Permissions::from_mode(mode)).expect("its mode");
    set(0o500);
    // The superuser may write everywhere, and has nothing to be told.
    let is_superuser = fs::write(data.join("probe"), "").is_ok();
    if !is_superuser {
        let error = place.run(&["call", "notes.list"]).bad(1);
        assert!(error.contains("cannot be written") && error.contains("must be allowed to write"), "{error}");
    }
    set(0o700);
}
