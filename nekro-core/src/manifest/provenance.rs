//! Where a program comes from: the packages it is linked from, and what its plugins' sources say.
//!
//! The build step writes it into the section of the manifest, behind the manifest. It is data for whoever judges a program without running
//! it; the program itself, which knows nothing of packages, never reads it.

use serde::{Deserialize, Serialize};

use super::{
    SectionError,
    embedded::{block, split_block},
};

/// The version of the form. It changes when a reader of the old form would misread the new one.
pub const PROVENANCE_FORMAT: u32 = 1;

/// What the part of the section begins with that holds this.
const MAGIC: [u8; 8] = *b"\x7fBUILD\r\n";

/// The source of a package that lies in a directory.
pub const PATH: &str = "path";

/// Where a program comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Provenance {
    /// [`PROVENANCE_FORMAT`].
    pub format: u32,
    /// The agent's package, as a position in `packages`.
    pub agent: usize,
    /// The packages that the program is built from, sorted by name, version and source. Those of build scripts are not among them.
    pub packages: Vec<Package>,
    /// The plugins, sorted by id.
    pub plugins: Vec<PluginSource>,
}

/// A package.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Package {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Where it was taken from, as `Cargo.lock` says it: `registry+…` or `git+…`; [`PATH`] for one that lies in a directory.
    pub source: String,
    /// The SHA-256 of what was taken from a registry, in hexadecimal digits.
    pub checksum: Option<String>,
    /// Its licence, as an SPDX expression; empty if it says none.
    pub license: String,
    /// Whether it is in the program. What is not has run while the program was compiled: a macro, and what that needs.
    pub linked: bool,
    /// What it depends on, as positions in the list of packages.
    pub dependencies: Vec<usize>,
}

/// What is known of a plugin's source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PluginSource {
    /// The plugin's id.
    pub id: String,
    /// Its package, as a position in the list of packages.
    pub package: usize,
    /// Whether its source says `unsafe`; `None` if the source was not found.
    pub unsafe_code: Option<bool>,
    /// Whether it has a build script; `None` if the source was not found.
    pub build_script: Option<bool>,
}

impl Provenance {
    /// Puts this into the form in which it follows the manifest: a magic, two numbers and JSON, as there.
    pub fn section(&self) -> Vec<u8> {
        let json = serde_json::to_vec(self).expect("every key is text, and memory takes what is written");
        block(MAGIC, PROVENANCE_FORMAT, &json)
    }

    /// Returns what the plugin with an id was built from.
    pub fn plugin(&self, id: &str) -> Option<(&PluginSource, &Package)> {
        let found = self.plugins.iter().find(|plugin| plugin.id == id)?;
        Some((found, self.packages.get(found.package)?))
    }

    /// Tells whether every position is one: of what this program has built, always; of what somebody else hands in, it is to be asked.
    pub fn is_sound(&self) -> bool {
        let mut positions = self.packages.iter().flat_map(|package| &package.dependencies);
        let mut others = self.plugins.iter().map(|plugin| &plugin.package).chain([&self.agent]);
        let is_one = |at: &usize| *at < self.packages.len();
        positions.all(is_one) && others.all(is_one)
    }
}

/// Returns the JSON of a [`Provenance`] in a section; `None` if there is nothing behind the manifest.
///
/// # Errors
///
/// If the manifest is not whole, or what is behind it is of another format or not whole.
pub fn unwrap_provenance(section: &[u8]) -> Result<Option<&[u8]>, SectionError> {
    let (_, rest) = split_block(section, super::MAGIC, super::FORMAT)?;
    if !rest.starts_with(&MAGIC) {
        return Ok(None);
    }
    split_block(rest, MAGIC, PROVENANCE_FORMAT).map(|(json, _)| Some(json))
}
