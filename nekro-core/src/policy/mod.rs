//! What the plugins of a program may ask for, and who may call what: `nekro.policy.toml`.
//!
//! The build step reads the file, checks what is linked against it, and puts it into the program; the kernel enforces there what
//! depends on the call. So what runs is what was reviewed. Everything here only ever forbids: without a policy, everything that is
//! linked may be done.
//!
//! A policy is plain data. Each part of it knows its line, for whoever is refused is told by what.

mod allowance;
#[cfg(feature = "build")]
mod build;
mod check;
#[cfg(feature = "build")]
mod file;
mod pattern;
mod rule;
mod schema;
mod scope;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

#[cfg(feature = "build")]
pub(crate) use self::build::checked;
#[cfg(feature = "build")]
pub use self::file::{Mistake, PolicyError};
pub(crate) use self::pattern::matches;
pub use self::{
    allowance::{Allowance, Cap, CapabilityCaps, Caps, Entry, List, Of},
    check::Finding,
    rule::{OriginKind, Rate, Rule},
};

/// The name of the file.
pub const FILE: &str = "nekro.policy.toml";

/// What the plugins of a program may ask for, and who may call what.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Policy {
    /// What every plugin may ask for.
    pub default: Allowance,
    /// What a plugin may ask for: what its table says counts in place of what `default` says.
    pub plugins: BTreeMap<String, Allowance>,
    /// Who may call what: every rule that fits a tool or a command counts.
    pub rules: Vec<Rule>,
}

/// A line of the policy, as messages name it.
pub(crate) fn place(line: u32) -> String {
    format!("{FILE}:{line}")
}

/// The policy that [`embed_manifest!`](crate::embed_manifest) has put into this program, as JSON; `null` if it was built without one.
#[derive(Debug)]
pub struct Embedded(pub &'static str);

inventory::collect!(Embedded);

/// Returns the policy that this program was built with, if it was.
///
/// # Errors
///
/// If it cannot be read: it was made by another version of `nekro-core`.
pub fn embedded() -> Result<Option<Policy>, serde_json::Error> {
    // More than one is refused with the manifest, which comes with it.
    inventory::iter::<Embedded>.into_iter().next().map_or(Ok(None), |Embedded(json)| serde_json::from_str(json))
}
