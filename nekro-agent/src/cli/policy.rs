//! What the policy says of a plugin.

use nekro_core::{
    manifest,
    policy::{Cap, FILE, List, Of, Policy, Rule},
};
use serde::Serialize;

/// What the policy says of a plugin.
#[derive(Serialize)]
pub(super) struct Word<'p> {
    #[serde(flatten)]
    of: Of<'p>,
    /// The rules about its tools, commands and routes.
    rules: Vec<&'p Rule>,
}

impl<'p> Word<'p> {
    pub(super) fn of(policy: &'p Policy, plugin: &manifest::Plugin, offered: &[manifest::Tool]) -> Self {
        let fits = |rule: &&Rule| {
            let mut commands = plugin.commands.iter().flat_map(|command| std::iter::once(&command.name).chain(&command.aliases));
            plugin.tools.iter().chain(offered).any(|tool| rule.fits_tool(&tool.name))
                || commands.any(|name| rule.fits_command(name))
                || plugin.routes.iter().any(|route| rule.fits_route(route.method, &route.path))
        };
        Self { of: policy.of(&plugin.id), rules: policy.rules.iter().filter(fits).collect() }
    }

    /// Returns it as rows: what it is about, what it says, and where.
    pub(super) fn rows(&self) -> Vec<Vec<String>> {
        let Of { capabilities, deny, scopes, limits, .. } = &self.of;
        let row = |what: &str, text: String, line: u32| vec![what.to_owned(), text, format!("{FILE}:{line}")];
        let list = |what: &str, list: &List| {
            let entries: Vec<_> = list.texts().collect();
            row(what, if entries.is_empty() { "nothing".to_owned() } else { entries.join(", ") }, list.line)
        };
        let mut rows = Vec::new();
        rows.extend(capabilities.map(|capabilities| list("allows", capabilities)));
        rows.extend(deny.iter().map(|denied| row("denies", denied.text.clone(), denied.line)));
        rows.extend(scopes.iter().map(|(capability, scope)| list(capability, scope)));
        rows.extend(limits.call_deadline.map(|Cap { most, line, .. }| row("call_deadline", format!("{most:?}"), line)));
        let numbers = [("calls_at_once", limits.calls_at_once), ("mailbox", limits.mailbox), ("concurrency", limits.concurrency)];
        rows.extend(
            numbers.into_iter().filter_map(|(what, cap)| cap.map(|Cap { most, line, .. }| row(what, most.to_string(), line))),
        );
        rows.extend(self.rules.iter().map(|rule| row("rule", describe(rule), rule.line)));
        rows
    }
}

/// Says a rule in a line, such as `calm: notes.*, /note: rate 10/1m, a person is asked`.
fn describe(rule: &Rule) -> String {
    let commands = rule.commands.iter().map(|pattern| format!("/{}", pattern.text));
    let routes = rule.routes.iter().map(|pattern| pattern.text.clone());
    let about =
        rule.tools.iter().map(|pattern| pattern.text.clone()).chain(commands).chain(routes).collect::<Vec<_>>().join(", ");
    let mut says = Vec::new();
    says.extend(rule.deny.then(|| "nobody may".to_owned()));
    says.extend(rule.role.map(|role| format!("role {role} and above")));
    says.extend(
        rule.origins
            .as_ref()
            .map(|origins| format!("from {}", origins.iter().map(|origin| origin.name()).collect::<Vec<_>>().join(", "))),
    );
    says.extend(rule.rate.map(|rate| format!("rate {rate}")));
    says.extend(rule.ask.then(|| "a person is asked".to_owned()));
    let name = rule.name.as_ref().map(|name| format!("{name}: ")).unwrap_or_default();
    format!("{name}{about}: {}", says.join(", "))
}
