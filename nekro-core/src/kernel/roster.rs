//! Whether what is linked is what the bundle names, and whether two things have one name.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::Problem;
use crate::{location::Location, plugin::PluginDecl};

pub(super) fn index_has(plugins: &[&'static PluginDecl], id: &str) -> bool {
    plugins.iter().any(|plugin| plugin.id == id)
}

/// Compares what a bundle names with what is linked.
pub(super) fn compare_roster(bundle: &[&'static PluginDecl], linked: &[&'static PluginDecl]) -> Vec<Problem> {
    let named: BTreeMap<_, _> = bundle.iter().map(|decl| (decl.id, decl.package)).collect();
    let linked: BTreeMap<_, _> = linked.iter().map(|decl| (decl.id, decl.package)).collect();
    let mut seen = BTreeSet::new();
    // Two different plugins of one id are found by their registration.
    let twice = bundle.iter().filter(|decl| !seen.insert((decl.id, decl.location)));
    let unnamed = linked.iter().filter(|(id, _)| !named.contains_key(*id));
    let unregistered = named.iter().filter(|(id, _)| !linked.contains_key(*id));
    (twice.map(|decl| Problem::NamedTwice { plugin: decl.id }))
        .chain(unnamed.map(|(plugin, package)| Problem::Unnamed { plugin, package }))
        .chain(unregistered.map(|(plugin, package)| Problem::Unregistered { plugin, package }))
        .collect()
}

pub(super) fn duplicate(what: &'static str, name: &str, first: Location, second: Location) -> Problem {
    Problem::Duplicate { what, name: name.to_owned(), first, second }
}

pub(super) fn names(
    problems: &mut Vec<Problem>,
    what: &'static str,
    named: impl Iterator<Item = (Box<str>, Location)>,
) -> HashMap<Box<str>, usize> {
    let mut names = HashMap::new();
    let mut places: Vec<Location> = Vec::new();
    for (at, (name, location)) in named.enumerate() {
        places.push(location);
        if let Some(first) = names.insert(name.clone(), at) {
            problems.push(duplicate(what, &name, places[first], location));
        }
    }
    names
}
