//! Which capabilities the functions of each plugin take, and whether that is what the plugin says.

use std::collections::BTreeMap;

use super::Problem;
use crate::{
    capability::{CapabilityDecl, RESOURCES, STORE},
    lend::{LentDecl, LentKind},
    location::Location,
    plugin::PluginDecl,
    schedule::ScheduleDecl,
};

/// What a function takes: its plugin, what it borrows, and where it stands.
type Lent = (usize, &'static [LentDecl], Location);

/// Returns the capabilities of each plugin by name. Tasks come apart from the other functions, for they alone may take `&Task`.
pub(super) fn taken(
    plugins: &[&'static PluginDecl],
    lent: impl Iterator<Item = Lent> + Clone,
    of_tasks: impl Iterator<Item = Lent>,
    problems: &mut Vec<Problem>,
) -> Vec<BTreeMap<&'static str, &'static CapabilityDecl>> {
    let mut capabilities = vec![BTreeMap::new(); plugins.len()];
    let takes_itself = |lent: &[LentDecl]| lent.iter().any(|lent| lent.kind == LentKind::Task);
    for (at, _, location) in lent.clone().filter(|(_, lent, _)| takes_itself(lent)) {
        problems.push(Problem::NoTask { plugin: plugins[at].id, location });
    }
    for (at, lent, location) in lent.chain(of_tasks) {
        let decl = plugins[at];
        for capability in lent.iter().filter_map(|lent| lent.capability) {
            capabilities[at].insert(capability.name, capability);
            if capability.scope.is_some() && decl.scope(capability.name).is_empty() {
                problems.push(Problem::Unbounded { plugin: decl.id, capability, location });
            }
        }
    }
    for (decl, taken) in plugins.iter().zip(&mut capabilities) {
        // What a plugin shows, it has to keep.
        if !decl.scope(RESOURCES.name).is_empty() && taken.contains_key("files") {
            taken.insert(RESOURCES.name, &RESOURCES);
        }
        let unused = decl.scopes.iter().filter(|scope| !taken.contains_key(scope.capability));
        problems.extend(unused.map(|scope| Problem::UnusedScope {
            plugin: decl.id,
            capability: scope.capability,
            location: decl.location,
        }));
        if !decl.migrations.is_empty() && !taken.contains_key(STORE.name) {
            problems.push(Problem::UnusedMigrations { plugin: decl.id, location: decl.location });
        }
    }
    capabilities
}

/// Finds the schedules whose times cannot be read.
pub(super) fn unread(schedules: &[&'static ScheduleDecl], problems: &mut Vec<Problem>) {
    problems.extend(schedules.iter().filter_map(|decl| {
        let (plugin, name, location) = (decl.task.plugin.id, decl.task.name, decl.location);
        decl.schedule().err().map(|problem| Problem::BadSchedule { plugin, name, problem, location })
    }));
}
