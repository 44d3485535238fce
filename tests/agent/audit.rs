//! `nekro audit`

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use nekro_core::manifest::{MAGIC, Manifest, section};
use serde_json::{Value, json};

use crate::{
    programs::{Form, program, universal},
    support::{Place, Run, nekro},
};

const NEKRO: &str = env!("CARGO_BIN_EXE_nekro");

/// A manifest with one plugin, which may do what is told.
fn manifest(version: &str, capabilities: &Value) -> Value {
    let plugin = json!({
        "id": "weather", "title": null, "description": "Weather.", "category": null, "version": version, "package": "nekro-plugin-weather",
        "authors": [], "license": "MIT", "repository": "", "requires": [], "location": "src/lib.rs:1", "capabilities": capabilities,
        "tools": [], "commands": [], "handlers": [], "prompts": [], "events": [], "config": null, "hooks": [],
    });
    json!({ "format": 1, "core": "0.1.0", "plugins": [plugin], "events": [] })
}

fn http(hosts: &[&str]) -> Value {
    json!([{ "name": "http", "summary": "", "scope": hosts, "used_by": [] }])
}

fn section_of(manifest: &Value) -> Vec<u8> {
    section(&serde_json::from_value::<Manifest>(manifest.clone()).expect("a manifest"))
}

/// Writes a program with a manifest into a place.
fn write(place: &Place, name: &str, manifest: &Value) {
    fs::write(place.path().join(name), program(Form::Elf64, &section_of(manifest))).expect("it can be written");
}

/// Runs a tool of the system; `None` if there is none.
fn system(tool: &str, arguments: &[&str], file: &Path) -> Option<()> {
    let Ok(output) = Command::new(tool).args(arguments).arg(file).output() else {
        eprintln!("skipped: there is no `{tool}` here");
        return None;
    };
    assert!(output.status.success(), "{output:?}");
    Some(())
}

fn copy(place: &Place) -> PathBuf {
    let file = place.path().join("copy");
    fs::copy(NEKRO, &file).expect("it can be copied");
    file
}

#[test]
fn this_program_and_its_file_say_the_same() {
    let text = nekro(&["audit"]).good();
    assert_eq!(nekro(&["audit", NEKRO]).good(), text);
    for told in [
        "nekro-agent 0.1.0 with nekro-core 0.1.0: 10 plugins, linked from ",
        "\n\nnotes 0.1.0\n  package       nekro-plugin-notes\n  source        path\n  unsafe code   no\n  build script  no\n",
        "\n  may           random for command roll, tool roll\n",
        "\n  tool          notes.remove destructive, idempotent, value\n",
        "\n  command       /guard admin\n",
        "\n  event         notes.note_saved fact\n",
        "\n  decides on    tool_call judge early, priority 0\n",
        "\n  setting       max_notes\n",
    ] {
        assert!(text.contains(told), "{told}: {text}");
    }
    let json = nekro(&["--json", "audit"]).json();
    assert_eq!(nekro(&["--json", "audit", NEKRO]).json(), json);
    assert_eq!(json["surface"]["plugins"]["dice"]["capabilities"]["random"]["used_by"], json!(["command roll", "tool roll"]));
}

#[test]
fn what_the_program_is_linked_from_is_what_cargo_has_locked() {
    let json = nekro(&["--json", "audit"]).json();
    let packages = json["provenance"]["packages"].as_array().expect("a list");
    let lock: toml::Table = include_str!("../../Cargo.lock").parse().expect("TOML");
    let locked = lock["package"].as_array().expect("a list");
    for package in packages {
        let is_it = |other: &&toml::Value| ["name", "version"].iter().all(|key| other[*key].as_str() == package[*key].as_str());
        let found = locked.iter().find(is_it).unwrap_or_else(|| panic!("{package} is not locked"));
        assert_eq!(found.get("checksum").and_then(toml::Value::as_str), package["checksum"].as_str());
        assert_eq!(found.get("source").map_or(Some("path"), toml::Value::as_str), package["source"].as_str());
    }
    let linked = |name: &str| packages.iter().find(|package| package["name"] == name).map(|package| &package["linked"]);
    assert_eq!(linked("serde"), Some(&json!(true)));
    assert_eq!(linked("serde_derive"), Some(&json!(false)));
    assert_eq!(linked("tempfile"), None, "the tests are no part of the program");
    // Nothing in the section tells where it was built.
    let bytes = fs::read(NEKRO).expect("the program");
    let at = bytes.windows(MAGIC.len()).rposition(|window| window == MAGIC).expect("it has a section");
    let section = String::from_utf8_lossy(&bytes[at..(at + 200_000).min(bytes.len())]);
    let end = section.find('\0').unwrap_or(section.len());
    assert!(!json.to_string().contains(env!("CARGO_MANIFEST_DIR")) && !section[..end].contains(env!("CARGO_MANIFEST_DIR")));
}

#[test]
fn the_program_that_is_looked_at_is_not_run() {
    let place = Place::new();
    let file = copy(&place);
    let mut permissions = fs::metadata(&file).expect("it is there").permissions();
    #[cfg(unix)]
    std::os::unix::fs::PermissionsExt::set_mode(&mut permissions, 0o444);
    #[cfg(not(unix))]
    permissions.set_readonly(true);
    fs::set_permissions(&file, permissions).expect("it is ours");
    assert_eq!(place.run(&["audit", "copy"]).good(), nekro(&["audit"]).good());
}

/// The program's first instruction makes a directory.
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
#[test]
fn a_program_that_does_something_at_once_does_nothing() {
    const START: u64 = 0x40_0000;
    let place = Place::new();
    let mut bytes = program(Form::Elf64, &section_of(&manifest("1.0.0", &http(&["a.example"]))));
    let segments = bytes.len();
    let code = segments + 56;
    // mov eax, 83 (mkdir); lea rdi, [rip + 16]; mov esi, 0o755; syscall; mov eax, 60 (exit); xor edi, edi; syscall; "ran\0"
    let instructions = b"\xb8\x53\0\0\0\x48\x8d\x3d\x10\0\0\0\xbe\xed\x01\0\0\x0f\x05\xb8\x3c\0\0\0\x31\xff\x0f\x05ran\0";
    let end = (code + instructions.len()) as u64;
    bytes.extend([1_u32.to_le_bytes(), 5_u32.to_le_bytes()].concat());
    bytes.extend([0, START, START, end, end, 0x1000].map(u64::to_le_bytes).concat());
    bytes.extend(instructions);
    bytes[24..32].copy_from_slice(&(START + code as u64).to_le_bytes());
    bytes[32..40].copy_from_slice(&(segments as u64).to_le_bytes());
    bytes[54..58].copy_from_slice(&[56, 0, 1, 0]);
    let (file, trace) = (place.path().join("acts"), place.path().join("ran"));
    // Were it open for writing here, a process that another test starts at this moment could hold it open, and nobody could run it.
    fs::write(place.path().join("data"), bytes).expect("it can be written");
    assert!(Command::new("cp").arg(place.path().join("data")).arg(&file).status().expect("every system has it").success());
    fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o755)).expect("it is ours");
    assert!(place.run(&["audit", "acts"]).good().contains("http: a.example"));
    place.run(&["audit", "acts", "--accept"]).good();
    place.run(&["audit", "--diff", "acts", "acts"]).good();
    assert!(!trace.exists(), "it was run");
    // It would have done it.
    let ran = Command::new(&file).current_dir(place.path()).status().expect("it is a program");
    assert!(ran.success() && trace.exists());
}

#[test]
fn a_stripped_program_still_says_what_it_may_do() {
    let place = Place::new();
    let file = copy(&place);
    if system("strip", &[], &file).is_some() {
        assert_eq!(place.run(&["audit", "copy"]).good(), nekro(&["audit"]).good());
    }
}

#[test]
fn a_program_whose_section_was_taken_out_says_nothing() {
    let place = Place::new();
    let file = copy(&place);
    if system("objcopy", &["--remove-section", ".nekro"], &file).is_some() {
        let error = place.run(&["audit", "copy"]).bad(1);
        assert!(error.contains("copy: it has no section `.nekro`") && error.contains("hint: an agent has it if"), "{error}");
    }
}

#[test]
fn what_cannot_be_read_is_an_error_that_says_why() {
    let place = Place::new();
    let whole = fs::read(NEKRO).expect("the program");
    let weather = section_of(&manifest("1.0.0", &http(&["a.example"])));
    let one = program(Form::MachO64, &weather);
    let other = program(Form::MachO64, &section_of(&manifest("2.0.0", &http(&["a.example"]))));
    for (name, bytes, told) in [
        ("empty", Vec::new(), "it is not a program"),
        ("script", b"#!/bin/sh\necho it was run\n".to_vec(), "it is not a program"),
        ("half", whole[..whole.len() / 2].to_vec(), "it is broken: its headers do not fit the file"),
        ("start", whole[..100].to_vec(), "it is broken: its headers do not fit the file"),
        ("without", program(Form::Pe64, b"other"), "its section `.nekro` is not a manifest"),
        ("cut", program(Form::Elf32, &weather[..200]), "its manifest cannot be read: it ends too early"),
        ("two", universal(&[&one, &other]), "it has several manifests, and they differ"),
    ] {
        fs::write(place.path().join(name), bytes).expect("it can be written");
        for words in [&["audit", name][..], &["audit", name, "--format", "cyclonedx"], &["audit", "--diff", NEKRO, name]] {
            let error = place.run(words).bad(1);
            assert!(error.contains(&format!("{name}: {told}")), "{words:?}: {error}");
        }
    }
    assert!(place.run(&["audit", "nowhere"]).bad(1).contains("nowhere: it cannot be read: "));
    assert!(place.run(&["audit", "."]).bad(1).contains(".: it is not a file"));
}

#[test]
fn a_program_for_another_system_is_read() {
    let place = Place::new();
    let weather = section_of(&manifest("1.0.0", &http(&["a.example"])));
    for form in Form::ALL {
        fs::write(place.path().join("program"), program(form, &weather)).expect("it can be written");
        assert!(place.run(&["audit", "program"]).good().contains("http: a.example"), "{form:?}");
    }
}

#[test]
fn names_of_a_hostile_program_steer_no_terminal() {
    let place = Place::new();
    let name = "x\u{1b}[2J\u{9b}1A\r\u{202e}\n  - capability http";
    write(&place, "old", &manifest("1.0.0", &http(&[])));
    write(&place, "hostile", &manifest(name, &http(&[name])));
    let runs = [
        place.run(&["audit", "hostile"]),
        place.run(&["--json", "audit", "hostile"]),
        place.run(&["audit", "--diff", "old", "hostile"]),
        place.run(&["--json", "audit", "--diff", "old", "hostile"]),
        place.run(&["audit", "hostile", "--accept"]),
    ];
    for Run { out, err, .. } in runs {
        let harmful = |one: char| (one.is_control() && one != '\n') || one == '\u{202e}';
        assert!(!out.contains(harmful) && !err.contains(harmful), "{out:?} {err:?}");
        assert!(!out.contains("\n  - capability"), "{out}");
    }
    let json = place.run(&["--json", "audit", "hostile"]).json();
    assert_eq!(json["surface"]["plugins"]["weather"]["version"], name);
    place.run(&["audit", "hostile", "--check"]).good();
}

#[test]
fn two_programs_are_compared() {
    let place = Place::new();
    write(&place, "old", &manifest("1.0.0", &http(&["a.example"])));
    write(&place, "same", &manifest("1.0.0", &http(&["a.example"])));
    write(&place, "newer", &manifest("1.1.0", &http(&["a.example"])));
    write(&place, "wider", &manifest("1.0.0", &http(&["a.example", "b.example"])));
    let compare = |old, new| place.run(&["audit", "--diff", old, new]);
    assert_eq!(compare("old", "same").good(), "nothing changed\n");
    let newer = compare("old", "newer");
    assert_eq!((newer.code, newer.out.as_str()), (4, "weather\n  ~ plugin: version 1.0.0 → 1.1.0\n"));
    let wider = compare("old", "wider");
    assert_eq!((wider.code, wider.out.as_str()), (5, "weather\n  + scope http: b.example\n"));
    assert!(wider.err.contains("error: the programs differ: 1 capability or scope added\n"), "{}", wider.err);
    assert_eq!(compare("wider", "old").code, 4);
    let json = place.run(&["--json", "audit", "--diff", "old", "wider"]);
    let changes = serde_json::from_str::<Value>(&json.out).expect("JSON");
    let expected =
        json!([{ "plugin": "weather", "kind": "scope", "name": "http: b.example", "change": "added", "may_more": true }]);
    assert_eq!((json.code, &changes["changes"]), (5, &expected));
}

#[test]
fn what_was_reviewed_is_kept_in_a_lock() {
    let place = Place::new();
    let lock = place.path().join("nekro.lock");
    let missing = place.run(&["audit", "--check"]).bad(2);
    assert!(missing.contains("nekro.lock: there is none\nhint: `nekro audit --accept --lock nekro.lock` writes it"), "{missing}");
    let accepted = place.run(&["audit", "--accept"]).good();
    assert!(accepted.contains("\n  + capability random\n") && accepted.contains("nekro.lock is written: "), "{accepted}");
    assert_eq!(place.run(&["audit", "--check"]).good(), "nothing changed\n");
    assert!(place.run(&["audit", "--accept"]).good().contains("nekro.lock is written: nothing changed"));
    let text = fs::read_to_string(&lock).expect("it was written");
    for (from, to, code, told) in [
        ("role = \"admin\"", "role = \"guest\"", 4, "guard\n  ~ command guard: role guest → admin\n"),
        ("\"max_length\",", "", 4, "notes\n  + setting max_length\n"),
        ("unsafe_code = \"no\"", "unsafe_code = \"yes\"", 4, "dice\n  ~ plugin: unsafe code yes → no\n"),
        ("capabilities.random]", "capabilities.dust]", 5, "  + capability random\n  - use dust: command roll\n"),
        ("used_by = [\n", "scope = [\"less\"]\nused_by = [\n", 5, "dice\n  ~ capability random: scope (none) → everything\n"),
    ] {
        let changed = if from.starts_with("used") || from.starts_with("unsafe") {
            // The first is that of whichever plugin comes first.
            let (before, dice) = text.split_at(text.find("[plugins.dice]").expect("it is bundled"));
            format!("{before}{}", dice.replacen(from, to, 1))
        } else {
            text.replace(from, to)
        };
        assert_ne!(changed, text);
        fs::write(&lock, changed).expect("it can be written");
        let run = place.run(&["audit", "--check"]);
        assert!(run.code == code && run.out.contains(told), "{told}: {run:?}");
        assert!(run.err.contains("hint: review it; `nekro audit --accept --lock nekro.lock` accepts it"), "{run:?}");
        let json = place.run(&["--json", "audit", "--check"]);
        assert_eq!(json.code, code);
        assert!(serde_json::from_str::<Value>(&json.out).is_ok_and(|json| json["changes"].is_array()), "{json:?}");
    }
    let accepted = place.run(&["audit", "--accept"]).good();
    assert!(accepted.contains("~ capability random: scope (none) → everything"), "{accepted}");
    assert_eq!(fs::read_to_string(&lock).expect("it was written"), text);
}

#[test]
fn a_lock_that_is_broken_is_not_taken_for_a_review() {
    let place = Place::new();
    let file = place.path().join("other.lock");
    place.run(&["audit", "--accept", "--lock", "other.lock"]).good();
    let text = fs::read_to_string(&file).expect("it was written");
    for (broken, told) in [
        (
            text.replace("[plugins.guard]", "<<<<<<< ours\n[plugins.guard]"),
            "other.lock: it cannot be understood: TOML parse error at line",
        ),
        (text.replace("format = 1", "format = 2"), "other.lock: it has format 2, and only 1 is understood"),
        (String::new(), "missing field `format`"),
    ] {
        fs::write(&file, broken).expect("it can be written");
        let error = place.run(&["audit", "--check", "--lock", "other.lock"]).bad(2);
        assert!(error.contains(told) && error.contains("hint: restore it, or let `nekro audit --accept"), "{error}");
        let accepted = place.run(&["audit", "--accept", "--lock", "other.lock"]).good();
        assert!(accepted.contains("What was there before is not known"), "{accepted}");
        assert_eq!(fs::read_to_string(&file).expect("it was written"), text);
    }
    fs::write(&file, b"\xff").expect("it can be written");
    place.run(&["audit", "--check", "--lock", "other.lock"]).bad(2);
    place.run(&["audit", "--accept", "--lock", "other.lock"]).bad(2);
}

#[test]
fn a_lock_does_not_depend_on_the_settings() {
    let place = Place::with_settings("this is wrong");
    place.run(&["audit", "--accept"]).good();
    place.run(&["audit", "--check"]).good();
}

#[test]
fn an_sbom_has_every_package_and_the_capabilities_of_plugins() {
    let text = nekro(&["audit", "--format", "cyclonedx"]).good();
    assert_eq!(nekro(&["audit", NEKRO, "--format", "cyclonedx"]).good(), text);
    let sbom: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(sbom["metadata"]["component"]["bom-ref"], "nekro-agent@0.1.0");
    let components = sbom["components"].as_array().expect("a list");
    let component = |name: &str| components.iter().find(|one| one["name"] == name).unwrap_or_else(|| panic!("{name}"));
    let properties = component("nekro-plugin-notes")["properties"].as_array().expect("a list");
    let capabilities: Vec<_> =
        properties.iter().filter_map(|one| one["name"].as_str()?.strip_prefix("nekro:capability:")).collect();
    assert_eq!(capabilities, ["clock", "events", "store"]);
    assert_eq!(component("serde")["hashes"][0]["content"].as_str().map(str::len), Some(64));
    assert_eq!((&component("serde")["scope"], &component("serde_derive")["scope"]), (&json!("required"), &json!("excluded")));
    let depends = sbom["dependencies"].as_array().expect("a list").iter().find(|one| one["ref"] == "nekro-plugin-dice@0.1.0");
    let on = depends.and_then(|one| one["dependsOn"].as_array()).expect("it is there");
    assert!(on.contains(&json!("nekro-core@0.1.0")), "{on:?}");
}

#[test]
fn a_program_that_does_not_know_its_packages_has_no_sbom() {
    let place = Place::new();
    write(&place, "bare", &manifest("1.0.0", &http(&["a.example"])));
    assert!(place.run(&["audit", "bare"]).good().contains("which packages it is linked from is not known"));
    let error = place.run(&["audit", "bare", "--format", "cyclonedx"]).bad(1);
    assert!(error.contains("the program does not say which packages it is linked from\nhint: build it with"), "{error}");
}

#[test]
fn the_exit_codes_are_in_the_help() {
    let help = nekro(&["audit", "--help"]).good().replace('\n', " ");
    for told in ["nekro audit --check", "0 nothing changed", "5 a capability or a scope was added", "4 anything else changed"] {
        assert!(help.contains(told), "{told}: {help}");
    }
    for wrong in [&["audit", "--check", "--accept"][..], &["audit", "--diff", "one"], &["audit", "x", "--diff", "a", "b"]] {
        nekro(wrong).bad(2);
    }
}
