//! `nekro emit`

use crate::support::nekro;

#[test]
fn a_fact_reaches_its_handlers() {
    let data = r#"{"session": "s", "channel": "terminal"}"#;
    let out = nekro(&["emit", "session_created", "--fields", data]).good();
    assert!(out.contains("session_created was emitted; 2 handlers listen to it"), "{out}");
    assert!(out.contains("greeter: "), "{out}");
}

#[test]
fn a_decision_prints_its_verdict() {
    let data = r#"{"call": "c", "tool": "x.y", "arguments": {}, "effect": {"destructive": true},
                   "caller": {"origin": "model", "role": "user"}, "approved": false}"#;
    let verdict = nekro(&["--json", "emit", "tool_call", "--fields", data]).json();
    assert_eq!(verdict["verdict"]["verdict"], "ask");
}

#[test]
fn wrong_data_is_told_with_the_way_out() {
    let missing = nekro(&["emit", "session_created"]).bad(2);
    assert!(missing.contains("missing field `session`") && missing.contains("nekro events session_created"), "{missing}");
    let unknown = nekro(&["emit", "session_crated"]).bad(2);
    assert!(unknown.contains("did you mean `session_created`?"), "{unknown}");
}
