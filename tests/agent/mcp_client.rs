//! The plugin `mcp`: the agent uses the tools of MCP servers, here those of another `nekro mcp`.

use serde_json::{Value, json};

use crate::support::Place;

const NEKRO: &str = env!("CARGO_BIN_EXE_nekro");

/// An agent with another one as its server.
fn place(options: &str) -> Place {
    let place = Place::new();
    let inner = place.path().join("inner");
    std::fs::create_dir(&inner).expect("a directory");
    let settings = format!(
        "[mcp_servers.inner]\ncommand = '{NEKRO}'\nargs = ['mcp']\ndirectory = '{}'\n[plugins.mcp.servers.inner]\n{options}\n",
        inner.display()
    );
    std::fs::write(place.path().join("nekro.toml"), settings).expect("the settings");
    place
}

#[test]
fn a_tool_of_another_agent_is_listed_described_and_called() {
    let place = place("trust_hints = true\ntools = ['dice.*', 'notes.*']");
    let tools = place.run(&["tools", "--json"]).json();
    let tool = tools
        .as_array()
        .expect("a list")
        .iter()
        .find(|tool| tool["name"] == "mcp.inner.dice_roll")
        .expect("it is listed")
        .clone();
    assert_eq!((&tool["plugin"], &tool["location"]), (&json!("mcp"), &json!("offered at run time")));
    assert!(
        tool["description"].as_str().is_some_and(|text| text.starts_with("The MCP server `inner` says of this tool")),
        "{tool}"
    );
    let answer = place.run(&["call", "mcp.inner.dice_roll", "--notation", "3d1", "--json"]).json();
    let data = &answer["value"]["data"];
    assert_eq!(data["total"], 3, "{answer}");
    assert!(answer["value"]["from"].as_str().is_some_and(|from| from.contains("outside of this agent")), "{answer}");
    let usage = place.run(&["call", "mcp.inner.dice_roll", "--help"]).good();
    assert!(usage.contains("--notation"), "{usage}");
    assert!(place.run(&["call", "mcp.inner.dice_rol"]).bad(2).contains("did you mean `mcp.inner.dice_roll`?"));

    let shown: Value = place.run(&["plugins", "show", "mcp", "--json"]).json();
    let offered: Vec<_> = shown["offered"].as_array().expect("a list").iter().map(|tool| tool["name"].clone()).collect();
    assert!(offered.contains(&json!("mcp.inner.notes_save")) && !offered.contains(&json!("mcp.inner.basic_now")), "{offered:?}");
}

#[cfg(unix)]
#[test]
fn a_server_is_started_by_commands_that_need_its_tools_and_by_no_others() {
    let place = Place::new();
    let started = place.path().join("started");
    let settings = format!(
        "[mcp_servers.inner]\ncommand = '/bin/sh'\nargs = ['-c', 'echo x >> {}; exec {NEKRO} mcp']\n[plugins.mcp.servers.inner]\n",
        started.display()
    );
    std::fs::write(place.path().join("nekro.toml"), settings).expect("the settings");
    for arguments in [&["plugins"][..], &["events"], &["emit", "nobody.knows"], &["tasks", "run", "nobody.knows"]] {
        let run = place.run(arguments);
        assert!(!started.exists(), "{arguments:?}: {run:?}");
    }
    for arguments in [&["tools"][..], &["plugins", "show", "mcp"], &["doctor"]] {
        place.run(arguments);
        assert!(std::fs::remove_file(&started).is_ok(), "{arguments:?}");
    }
}

#[test]
fn what_its_server_says_is_not_believed_unless_the_operator_does() {
    let place = place("");
    let refused = place.run(&["call", "mcp.inner.dice_roll", "--notation", "3d1"]).bad(1);
    assert!(refused.contains("may destroy") && refused.contains("a person has to approve it"), "{refused}");
}

#[test]
fn a_model_is_offered_the_tools_and_a_script_can_call_them() {
    let place = place("trust_hints = true\ntools = ['dice.roll']");
    let stubs = place.run(&["stubs"]);
    assert!(stubs.good().contains("inner_dice_roll"));
    let said = place.run_with(&["run", "-"], "mcp.inner_dice_roll(notation='4d1')['data']['total']\n");
    assert!(said.good().contains('4'));
}

#[test]
fn a_server_that_cannot_be_started_is_told_by_the_doctor_and_hinders_nobody() {
    let place = Place::with_settings("[mcp_servers.gone]\ncommand = '/nowhere/at/all'\n");
    let doctor = place.run(&["doctor"]).good();
    assert!(doctor.contains("mcp.gone") && doctor.contains("cannot be started"), "{doctor}");
    assert!(place.run(&["call", "dice.roll", "--notation", "3d1"]).good().contains('3'));
}

#[test]
fn a_server_that_is_wrong_in_the_settings_is_told_with_its_place() {
    let place =
        Place::with_settings("[mcp_servers.files]\nurl = 'http://files.example/mcp'\nheaders = { Authorization = 'x' }\n");
    let told = place.run(&["config", "check"]);
    assert!(told.err.contains("nekro.toml:2:7") && told.err.contains("use `https`"), "{told:?}");
}
