//! What plugins require of one another: read, looked for, and put into an order to start in.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use semver::{Version, VersionReq};

use super::Problem;
use crate::{argument::suggest, plugin::PluginDecl};

/// Splits `notes ^1` into a plugin's id and a range of versions.
pub(crate) fn parse_requirement(text: &str) -> Result<(&str, VersionReq), String> {
    let text = text.trim();
    let (id, range) = text.split_once(char::is_whitespace).unwrap_or((text, "*"));
    VersionReq::parse(range.trim()).map(|range| (id, range)).map_err(|error| error.to_string())
}

pub(super) fn read_requirements(
    plugins: &[&'static PluginDecl],
    index: &HashMap<&str, usize>,
    problems: &mut Vec<Problem>,
) -> Vec<Vec<usize>> {
    let mut read = |plugin: &'static PluginDecl, requirement: &'static str| {
        let bad = |problem| Problem::BadRequirement { plugin: plugin.id, requirement, problem };
        let unmet = |found| Problem::Unmet { plugin: plugin.id, requirement, found };
        let found = parse_requirement(requirement).map_err(bad).and_then(|(id, range)| {
            let Some(at) = index.get(id).copied() else {
                let meant = suggest(id, index.keys().copied());
                let meant = meant.map(|meant| format!(": did you mean `{meant}`?")).unwrap_or_default();
                return Err(unmet(format!("no such plugin is linked{meant}")));
            };
            let version = plugins[at].version;
            match Version::parse(version) {
                Ok(parsed) if range.matches(&parsed) => Ok(at),
                _ => Err(unmet(format!("`{id}` is linked in version {version}"))),
            }
        });
        found.map_err(|problem| problems.push(problem)).ok()
    };
    plugins.iter().map(|plugin| plugin.requires.iter().filter_map(|one| read(plugin, one)).collect()).collect()
}

/// Orders the plugins so that each comes after those it requires, and otherwise by id.
pub(super) fn start_order(plugins: &[&'static PluginDecl], requires: &[Vec<usize>], problems: &mut Vec<Problem>) -> Vec<usize> {
    let mut open: BTreeMap<usize, usize> = requires.iter().map(Vec::len).enumerate().collect();
    let mut dependents = vec![Vec::new(); plugins.len()];
    for (at, requires) in requires.iter().enumerate() {
        requires.iter().for_each(|required| dependents[*required].push(at));
    }
    let mut ready: BTreeSet<usize> = open.iter().filter(|(_, count)| **count == 0).map(|(at, _)| *at).collect();
    let mut order = Vec::with_capacity(plugins.len());
    while let Some(next) = ready.pop_first() {
        order.push(next);
        open.remove(&next);
        for dependent in &dependents[next] {
            if let Some(count) = open.get_mut(dependent) {
                *count -= 1;
                if *count == 0 {
                    ready.insert(*dependent);
                }
            }
        }
    }
    // What is left requires a circle, or is part of one.
    let mut circles: Vec<Vec<usize>> = Vec::new();
    for at in open.into_keys() {
        if circles.iter().any(|circle| circle.contains(&at)) {
            continue;
        }
        let circle: Vec<_> = reach(at, requires).into_iter().filter(|other| reach(*other, requires).contains(&at)).collect();
        if !circle.is_empty() {
            problems.push(Problem::Circle { plugins: circle.iter().map(|at| plugins[*at].id).collect() });
            circles.push(circle);
        }
    }
    order
}

/// Returns everything that a plugin requires, directly or not.
fn reach(from: usize, requires: &[Vec<usize>]) -> BTreeSet<usize> {
    let mut reached = BTreeSet::new();
    let mut open = vec![from];
    while let Some(next) = open.pop() {
        open.extend(requires[next].iter().filter(|required| reached.insert(**required)));
    }
    reached
}
