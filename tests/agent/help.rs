//! What a new user sees first.

use crate::support::nekro;

#[test]
fn help_lists_every_command() {
    let help = nekro(&["--help"]).good();
    for command in [
        "chat",
        "plugins",
        "tools",
        "events",
        "call",
        "run",
        "stubs",
        "emit",
        "schema",
        "audit",
        "config",
        "models",
        "sessions",
        "data",
        "logs",
        "doctor",
        "completions",
    ] {
        assert!(help.contains(&format!("\n  {command} ")), "{command}: {help}");
    }
}

#[test]
fn help_tells_the_exit_codes() {
    let help = nekro(&["--help"]).good().replace('\n', " ");
    for code in ["0 all went well", "1 the work failed", "2 the command line", "of `audit`, 5", "4 anything else"] {
        assert!(help.contains(code), "{code}: {help}");
    }
}

#[test]
fn nothing_is_coloured_in_a_pipe() {
    for words in [&["--help"][..], &["plugins"], &["plugins", "show", "dice"], &["events"], &["doctor"], &["audit"]] {
        let run = nekro(words);
        assert!(!run.out.contains('\u{1b}') && !run.err.contains('\u{1b}'), "{words:?}");
    }
}

#[test]
fn an_unknown_command_exits_with_2() {
    let error = nekro(&["plugin"]).bad(2);
    assert!(error.contains("'plugins'"), "{error}");
}

#[test]
fn every_shell_has_completions() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        assert!(nekro(&["completions", shell]).good().contains("nekro"));
    }
}

#[test]
fn the_doctor_is_content() {
    let findings = nekro(&["--json", "doctor"]).json();
    let findings = findings.as_array().expect("a list");
    assert!(findings.iter().all(|finding| finding["state"] != "bad"), "{findings:?}");
    assert!(findings.iter().any(|finding| finding["what"] == "plugin dice"));
}
