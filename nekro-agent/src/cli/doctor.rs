//! `nekro doctor`

use nekro_core::{kernel::Stage, policy};
use serde::Serialize;

use super::{
    Failure, Loaded, Screen, models,
    output::{bytes, plain, table},
};
use crate::{
    assemble::Agent,
    settings::{DEFAULT_FILE, Layers},
    storage::{Health, Storage, StorageError},
    vectors::VectorsSettings,
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

pub(super) async fn check(
    agent: &Agent,
    loaded: &Loaded,
    storage: &Storage,
    online: bool,
    screen: &Screen,
) -> Result<(), Failure> {
    let model = models::line(&loaded.models, online).await;
    let mut findings = look(agent, &loaded.layers, data(storage).await, model);
    findings.push(embedding(&loaded.settings.host.vectors));
    #[cfg(feature = "sandbox")]
    findings.extend(sandbox(agent, loaded.settings.host.models.any_acts_by_scripts()).await);
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

/// Tells how texts are compared that plugins keep.
fn embedding(settings: &VectorsSettings) -> Finding {
    let (state, detail) = match &settings.embedding {
        Some(embedding) => (State::Good, format!("`{}`, and words", embedding.model)),
        None => {
            let lexical = "lexical: texts are compared by their words alone, for no model is set in `vectors.embedding`";
            (State::Note, lexical.to_owned())
        }
    };
    Finding { what: "embedding".to_owned(), state, detail }
}

/// Looks at where everything is kept.
async fn data(storage: &Storage) -> Finding {
    let directory = storage.directory();
    let path = directory.path().display();
    let (state, detail) = match storage.health().await {
        Ok(Health::Absent) => (State::Note, format!("{path}: nothing has been kept yet")),
        Ok(Health::Good) if directory.is_open_to_others() => {
            let advice = format!("others on this machine may read it; `chmod 700 {path}` closes it");
            (State::Note, format!("{path}: {}, in order; {advice}", bytes(directory.size())))
        }
        Ok(Health::Good) => (State::Good, format!("{path}: {}, in order", bytes(directory.size()))),
        Ok(Health::Damaged(problem)) => {
            let problem = StorageError::Damaged(problem);
            (State::Bad, format!("{path}: {problem}; {}", problem.hint().unwrap_or_default()))
        }
        Err(problem) => (State::Bad, format!("{path}: {problem}; {}", problem.hint().unwrap_or_default())),
    };
    let agent = directory.agent().map(|agent| format!("; an agent is running on it ({agent})"));
    Finding { what: "data".to_owned(), state, detail: detail + &agent.unwrap_or_default() }
}

/// Looks at how scripts are confined: as a whole, and layer by layer. If none can be run, that is bad only where models act by them.
#[cfg(feature = "sandbox")]
async fn sandbox(agent: &Agent, is_needed: bool) -> Vec<Finding> {
    use nekro_sandbox::{Confinement, Layer, Require, SandboxError, Standing};

    let require = agent.code.settings().require;
    let required = match require {
        Require::Full => "every layer (`sandbox.require = \"full\"`)",
        Require::BestEffort => "what the machine has (`sandbox.require = \"best-effort\"`)",
    };
    let layers = |confinement: &Confinement| {
        let layer = |(layer, standing): (Layer, &Standing)| {
            let is_lacking = require.lacks(confinement).contains(&layer);
            let (state, detail) = match standing {
                Standing::InForce(what) => (State::Good, what.clone()),
                Standing::Missing(why) if is_lacking => (State::Bad, format!("missing, and required: {why}")),
                Standing::Missing(why) => (State::Note, format!("missing: {why}")),
                _ => (State::Note, "switched off".to_owned()),
            };
            Finding { what: format!("sandbox {layer}"), state, detail }
        };
        confinement.layers().map(layer).collect::<Vec<_>>()
    };
    let whole = |state, detail| Finding { what: "sandbox".to_owned(), state, detail };
    match agent.code.sandbox().await {
        Ok(sandbox) => {
            let confinement = sandbox.confinement();
            let (missing, all) = (confinement.missing().len(), Layer::ALL.len());
            let state = if missing == 0 { State::Good } else { State::Note };
            let detail = format!("scripts are run; {} of {all} layers are in force, required is {required}", all - missing);
            std::iter::once(whole(state, detail)).chain(layers(confinement)).collect()
        }
        Err(error) => {
            let state = if is_needed || !matches!(error, SandboxError::Absent) { State::Bad } else { State::Note };
            let hint = error.hint().map(|hint| format!("; {hint}")).unwrap_or_default();
            let of_layers =
                if let SandboxError::Confinement { confinement, .. } = &error { layers(confinement) } else { Vec::new() };
            std::iter::once(whole(state, format!("{error}{hint}"))).chain(of_layers).collect()
        }
    }
}

fn look(agent: &Agent, settings: &Layers, data: Finding, (model_is_ready, model): (bool, String)) -> Vec<Finding> {
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
        match agent.kernel.policy() {
            Some(policy) => {
                let own = registry.plugins().iter().filter(|plugin| policy.plugins.contains_key(plugin.decl.id)).count();
                let text = format!(
                    "rules: {}; plugins with a table of their own: {own} of {}",
                    policy.rules.len(),
                    registry.plugins().len()
                );
                finding("policy", State::Good, text)
            }
            None => finding(
                "policy",
                State::Note,
                format!("this program was built without a {}: everything that is linked is allowed", policy::FILE),
            ),
        },
        data,
        finding("model", if model_is_ready { State::Good } else { State::Bad }, model),
    ];
    for program in agent.reach.missing_programs() {
        let users = registry.plugins().iter().filter(|plugin| plugin.decl.scope("process").contains(&program));
        let users: Vec<_> = users.map(|plugin| plugin.decl.id).collect();
        let detail = format!("it is not installed, and is needed by {}", users.join(", "));
        findings.push(finding(&format!("program {program}"), State::Bad, detail));
    }
    for (plugin, secret, way) in agent.reach.missing_secrets(registry.plugins().iter().map(|entry| entry.decl)) {
        let detail = format!("{} was not given it: {way}", plugin.id);
        findings.push(finding(&format!("secret {secret}"), State::Note, detail));
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
            problems.push(format!(
                "{} events were dropped, for its mailbox was full (`limits.mailbox`, or `mailbox` in the policy)",
                status.dropped
            ));
        }
        if !status.quarantined.is_empty() {
            problems.push(format!("not called for a while after failures: {}", status.quarantined.join(", ")));
        }
        let not_offered = agent.kernel.not_offered(status.id);
        problems.extend(not_offered.iter().map(|one| format!("not offered: `{}`: {}", plain(&one.name), plain(&one.reason))));
        let state = if state == State::Good && !problems.is_empty() { State::Note } else { state };
        let detail = if problems.is_empty() { "running".to_owned() } else { problems.join("; ") };
        findings.push(finding(&format!("plugin {}", status.id), state, detail));
    }
    findings
}
