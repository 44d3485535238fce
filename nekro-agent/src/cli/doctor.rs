//! `nekro doctor`

use nekro_core::kernel::Stage;
use serde::Serialize;

use super::{Failure, Screen, output::table};
use crate::{
    assemble::Agent,
    settings::{DEFAULT_FILE, Layers},
};

/// A thing that was looked at.
#[derive(Debug, Serialize)]
struct Finding {
    what: String,
    state: State,
    detail: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum State {
    Good,
    Note,
    Bad,
}

pub(super) fn check(agent: &Agent, settings: &Layers, screen: &Screen) -> Result<(), Failure> {
    let findings = look(agent, settings);
    screen.show(&findings, || {
        let row = |finding: &Finding| {
            let mark = match finding.state {
                State::Good => "ok",
                State::Note => "note",
                State::Bad => "FAILED",
            };
            vec![mark.to_owned(), finding.what.clone(), finding.detail.clone()]
        };
        table(&findings.iter().map(row).collect::<Vec<_>>())
    });
    match findings.iter().filter(|finding| finding.state == State::Bad).count() {
        0 => Ok(()),
        count => Err(Failure::work(format!("{count} of {} checks failed", findings.len()))),
    }
}

fn look(agent: &Agent, settings: &Layers) -> Vec<Finding> {
    let registry = agent.kernel.registry();
    let finding = |what: &str, state, detail: String| Finding { what: what.to_owned(), state, detail };
    let mut findings = vec![
        finding(
            "registry",
            State::Good,
            format!(
                "{} plugins, {} tools, {} commands, {} event handlers",
                registry.plugins().len(),
                registry.tools().len(),
                registry.commands().len(),
                registry.handler_count()
            ),
        ),
        match &settings.path {
            Some(file) => finding("settings", State::Good, file.display().to_string()),
            None => finding("settings", State::Note, format!("there is no {DEFAULT_FILE}: everything has its default")),
        },
        finding("store", State::Note, "values are kept in memory and are gone when the program ends".to_owned()),
        finding("model", State::Note, "none is connected: the chat runs commands and direct calls".to_owned()),
    ];
    findings.push(finding("files", State::Note, "they are kept as long as the program runs".to_owned()));
    for program in agent.reach.missing_programs() {
        let users = registry.plugins().iter().filter(|plugin| plugin.decl.scope("process").contains(&program));
        let users: Vec<_> = users.map(|plugin| plugin.decl.id).collect();
        let detail = format!("it is not installed, and is needed by {}", users.join(", "));
        findings.push(finding(&format!("program {program}"), State::Bad, detail));
    }
    for status in agent.kernel.status() {
        let mut problems = Vec::new();
        let state = match &status.stage {
            Stage::Running => State::Good,
            Stage::Failed { reason } => {
                problems.push(reason.clone());
                State::Bad
            }
            _ => {
                problems.push("disabled".to_owned());
                State::Note
            }
        };
        if status.dropped > 0 {
            problems.push(format!("{} events were dropped, for its mailbox was full (`limits.mailbox`)", status.dropped));
        }
        if !status.quarantined.is_empty() {
            problems.push(format!("not called for a while after failures: {}", status.quarantined.join(", ")));
        }
        let state = if state == State::Good && !problems.is_empty() { State::Note } else { state };
        let detail = if problems.is_empty() { "running".to_owned() } else { problems.join("; ") };
        findings.push(finding(&format!("plugin {}", status.id), state, detail));
    }
    findings
}
