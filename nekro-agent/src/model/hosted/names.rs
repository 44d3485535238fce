//! The names of tools, as providers allow them: letters, digits, `_` and `-`, at most 64.
//!
//! How a name is written depends on the name alone, so that a provider sees the same in every request and can keep what it has read.
//! What it writes is read back by the tools that it was offered.

use std::collections::HashMap;

use crate::model::{Entry, Request};

const MOST: usize = 64;

/// The names in a request.
#[derive(Debug, Default)]
pub(super) struct Names {
    safe: HashMap<String, String>,
    own: HashMap<String, String>,
}

impl Names {
    /// Takes the names of the tools that are offered, and of those that were called before.
    pub(super) fn of(request: &Request) -> Self {
        let mut names = Self::default();
        let called = request.entries.iter().flat_map(|entry| match entry {
            Entry::Answer { calls, .. } => calls.as_slice(),
            _ => &[],
        });
        for name in request.tools.iter().map(|tool| &tool.name).chain(called.map(|call| &call.tool)) {
            names.add(name);
        }
        names
    }

    fn add(&mut self, name: &str) {
        if self.safe.contains_key(name) {
            return;
        }
        let mut safe = safe(name, 0);
        // Two names of one hash: nobody has seen that, and it would be wrong all the same.
        for round in 1.. {
            if !self.own.contains_key(&safe) {
                break;
            }
            safe = hashed(name, round);
        }
        self.own.insert(safe.clone(), name.to_owned());
        self.safe.insert(name.to_owned(), safe);
    }

    /// Returns how a name is written.
    pub(super) fn write(&self, name: &str) -> String {
        self.safe.get(name).cloned().unwrap_or_else(|| safe(name, 0))
    }

    /// Returns the name that was meant. A model may also write the name as it is; one that nobody offered is left as it was written.
    pub(super) fn read(&self, written: &str) -> String {
        self.own.get(written).cloned().unwrap_or_else(|| written.to_owned())
    }
}

/// Writes a name so that another one is written differently.
fn safe(name: &str, round: u32) -> String {
    let is_plain = |part: &str| {
        let ends = !part.starts_with('_') && !part.ends_with('_') && !part.is_empty();
        ends && !part.contains("__") && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
    };
    let written = name.replace('.', "__");
    if written.len() <= MOST && name.split('.').all(is_plain) { written } else { hashed(name, round) }
}

/// Writes what can be written of a name, and a hash of all of it.
fn hashed(name: &str, round: u32) -> String {
    let allowed = |one: char| if one.is_ascii_alphanumeric() || matches!(one, '_' | '-') { one } else { '_' };
    let beginning: String = name.chars().map(allowed).take(MOST - 20).collect();
    // FNV-1a, for its values are the same everywhere and always.
    let hash = name
        .bytes()
        .chain(round.to_le_bytes())
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    format!("{beginning}___{hash:016x}")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;
    use crate::model::ToolSpec;

    fn names(names: &[&str]) -> Names {
        let tool =
            |name: &&str| ToolSpec { name: (*name).to_owned(), description: String::new(), arguments: serde_json::json!({}) };
        Names::of(&Request { tools: names.iter().map(tool).collect(), ..Request::default() })
    }

    #[test]
    fn a_name_is_written_so_that_one_can_still_read_it() {
        let names = names(&["dice.roll", "memory-notes.find_all"]);
        assert_eq!(names.write("dice.roll"), "dice__roll");
        assert_eq!(names.write("memory-notes.find_all"), "memory-notes__find_all");
        assert_eq!(names.read("dice__roll"), "dice.roll");
    }

    #[test]
    fn names_that_look_alike_stay_apart() {
        let alike = ["a.b_c", "a_b.c", "a__b", "a.b", "a_.b", "a._b", "a..b", "a_b_c", "a.b__c", "ä.b", "ö.b", "", "."];
        let long: Vec<_> = ["x", "y"].iter().map(|end| format!("{}.{end}", "n".repeat(80))).collect();
        let all: Vec<&str> = alike.iter().copied().chain(long.iter().map(String::as_str)).collect();
        let names = names(&all);
        let written: BTreeSet<_> = all.iter().map(|name| names.write(name)).collect();
        assert_eq!(written.len(), all.len(), "{written:#?}");
        for name in all {
            assert_eq!(names.read(&names.write(name)), name);
        }
    }

    #[test]
    fn a_model_may_write_the_name_as_it_is_or_one_that_does_not_exist() {
        let names = names(&["dice.roll"]);
        assert_eq!(names.read("dice.roll"), "dice.roll");
        assert_eq!(names.read("dice__toss"), "dice__toss");
    }

    proptest! {
        #[test]
        fn every_name_is_allowed_and_read_back(all in proptest::collection::btree_set("[ab_.\\-]{0,6}|\\PC{0,80}", 0..12)) {
            let all: Vec<_> = all.iter().map(String::as_str).collect();
            let names = names(&all);
            for name in &all {
                let written = names.write(name);
                prop_assert!(written.len() <= MOST && !written.is_empty());
                prop_assert!(written.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')), "{}", written);
                prop_assert_eq!(&names.read(&written), name);
            }
        }
    }
}
