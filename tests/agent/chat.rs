//! `nekro chat`, through a pipe.

use serde_json::Value;

use crate::support::Place;
#[cfg(unix)]
use crate::terminal::Terminal;

fn chat(input: &str) -> String {
    Place::new().run_with(&["chat"], input).good()
}

#[test]
fn commands_and_direct_calls_run() {
    let out = chat("/roll 5d1\ndice.roll(notation=\"7d1\")\ndice.roll('2d1')\n/dice.roll 3d1\n");
    let lines: Vec<_> = out.lines().filter(|line| line.contains("total")).collect();
    assert!(out.contains("5d1: 5"), "{out}");
    let dice = |ones: &str, total| format!(r#"{{"dice":[{ones}],"total":{total}}}"#);
    assert_eq!(lines, [dice("1,1,1,1,1,1,1", 7), dice("1,1", 2), dice("1,1,1", 3)]);
}

#[test]
fn the_chat_is_what_runs_without_a_command() {
    assert!(Place::new().run_with(&[], "/roll 5d1\n").good().contains("5d1: 5"));
}

#[test]
fn whoever_opens_a_session_is_greeted() {
    assert!(chat("").starts_with("greeter: "));
}

#[test]
fn a_message_runs_through_its_decisions_and_facts() {
    let out = Place::new().run_with(&["--json", "chat"], "hello\n").good();
    let lines: Vec<Value> = out.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect();
    // Plugins start, and one greets, at a time of their own.
    let of_turn = lines.iter().filter(|line| line["data"]["plugin"].is_null());
    let events: Vec<_> = of_turn.filter_map(|line| line["event"].as_str()).collect();
    assert_eq!(
        events,
        [
            "session_created",
            "message_received",
            "processing_started",
            "agent_busy_changed",
            "turn_begin",
            "llm_thinking",
            "llm_response_chunk",
            "llm_usage",
            "final_answer",
            "message_sent",
            "turn_complete",
            "agent_busy_changed"
        ]
    );
    let end = lines.iter().find(|line| line["event"] == "turn_complete").expect("the turn ends");
    assert_eq!(end["data"]["outcome"], "answered");
    assert_eq!(end["data"]["session"], "terminal");
}

#[test]
fn a_wrong_line_is_told_and_the_next_one_runs() {
    let run = Place::new().run_with(&["chat"], "/rol\n/say \"\ndice.roll(\nnotes.nothing()\ndice.rol(\"2d6\")\n/roll 5d1\n");
    assert!(run.out.contains("5d1: 5"));
    let err = run.bad(1);
    for told in [
        "there is no command `/rol`",
        "did you mean `/roll`?",
        "not closed",
        "at column 11",
        "there is no tool `notes.nothing`",
        "did you mean `dice.roll`?",
    ] {
        assert!(err.contains(told), "{told}: {err}");
    }
}

#[test]
fn values_stay_for_the_session() {
    let out = chat("notes.save(key=\"milk\", text=\"buy milk\")\nnotes.find(\"milk\")\n");
    assert!(out.contains("buy milk"), "{out}");
}

#[test]
fn quit_ends_the_chat() {
    assert!(!chat("/quit\n/roll 5d1\n").contains("5d1"));
}

#[test]
fn help_shows_commands_and_calls() {
    let out = chat("/help\n");
    assert!(out.contains("/roll [notation]") && out.contains("/quit"), "{out}");
}

#[test]
fn hostile_lines_do_no_harm() {
    let deep = format!("a.b({})\n", "[".repeat(10_000));
    let long = format!("{}\n", "x".repeat(1_000_000));
    let run =
        Place::new().run_with(&["chat"], &format!("{deep}{long}\u{0}\u{1b}[2J\n/\n//\n/roll {}\n/roll 5d1\n", "9".repeat(5_000)));
    assert!(run.out.contains("5d1: 5"), "{}", run.err);
}

#[test]
fn one_thing_is_said_and_the_chat_ends() {
    let place = Place::new();
    let out = place.run(&["chat", "--once", "/roll 5d1"]).good();
    assert!(out.contains("5d1: 5"), "{out}");
    let err = place.run(&["chat", "--once", "/rol"]).bad(1);
    assert!(err.contains("did you mean `/roll`?"), "{err}");
    let out = place.run(&["--json", "chat", "--session", "work", "--once", "hello"]).good();
    assert!(out.contains(r#""session":"terminal:work""#), "{out}");
}

#[test]
fn a_session_shows_how_it_is_doing_and_is_changed() {
    let out = chat("hello\n/status\n/plugins off dice\n/plugins\n/persona Be a dog.\n/prompt\n/sessions\n/reset\n/stop\n");
    for told in ["`dice` is off in this session", "off here", "Be a dog.", "begun anew", "there is nothing to stop", "notes.save"]
    {
        assert!(out.contains(told), "{told}: {out}");
    }
    assert!(!out.contains('\u{1b}'), "what is piped has no styles: {out:?}");
    assert!(!out.contains("dice.roll"), "what is off is not offered: {out}");
    let err = Place::new().run_with(&["chat"], "/status now\n/plugins off nots\n/model other\n").bad(1);
    for told in ["it is used as `/status`", "did you mean `notes`?", "there is no model `other`"] {
        assert!(err.contains(told), "{told}: {err}");
    }
}

#[test]
fn the_prompt_is_shown_with_what_each_plugin_costs() {
    let settings = "[agent]\npersona = 'Be kind.'\n[agent.plugins.notes]\nsleep = true\nbrief = 'keeps notes'\n";
    let shown = Place::with_settings(settings).run(&["prompt", "--json"]).json();
    assert_eq!(shown["parts"][0]["text"], "Be kind.");
    assert!(shown["parts"][1]["text"].as_str().is_some_and(|text| text.contains("- notes: keeps notes")), "{shown}");
    let tools: Vec<_> = shown["tools"].as_array().into_iter().flatten().filter_map(|tool| tool[1].as_str()).collect();
    assert!(tools.contains(&"dice.roll") && tools.contains(&"activate_plugin"), "{tools:?}");
    assert!(!tools.iter().any(|tool| tool.starts_with("notes.")), "{tools:?}");
}

#[test]
fn a_plain_sentence_is_answered_without_a_language_model() {
    let out = chat("roll 5d1\nnote that the milk is empty\nwhat notes do I have about milk\n");
    assert!(out.contains("total: 5") && out.contains("text: the milk is empty"), "{out}");
}

#[test]
fn a_chat_that_was_recorded_is_played_again_to_the_byte() {
    let said = "roll 5d1\nwhat can you do?\n";
    let place = Place::with_settings("[plugins.notes]\nmax_notes = 7\n");
    let live = place.run_with(&["chat", "--record", "turns.jsonl"], said).good();
    assert!(live.contains("total: 5"), "{live}");
    let settings = "[models]\ndefault = 'again'\n[models.again]\nprovider = 'replay'\nfile = 'turns.jsonl'\n";
    std::fs::write(place.path().join("nekro.toml"), settings).expect("a file");
    let played = place.run_with(&["--data", "second", "chat"], said).good();
    assert_eq!(played, live);
    let err = place.run_with(&["--data", "third", "chat"], "roll 6d1\n").bad(1);
    assert!(err.contains("line 2") && err.contains("roll 5d1"), "{err}");
    let err = place.run(&["chat", "--record", "turns.jsonl"]).bad(2);
    assert!(err.contains("turns.jsonl cannot be begun") && err.contains("name a new file"), "{err}");
}

#[cfg(unix)]
#[test]
fn what_a_plugin_says_later_is_shown_while_nothing_is_typed() {
    let place = Place::new();
    let mut terminal = Terminal::start(place.command(&["chat"]));
    terminal.see("> ");
    terminal.enter("timer.remind(text=\"tea is ready\", when=\"in 1 second\")");
    // The line itself, as it is typed; then what the plugin says, above a line that nobody has typed.
    terminal.see("in 1 second");
    terminal.see("timer:");
    terminal.enter("/quit");
    terminal.ends_well();
}
