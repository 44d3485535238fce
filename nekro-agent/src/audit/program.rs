//! What a program says of itself: this one, or one in a file.

use std::{fmt, path::Path};

use nekro_core::{
    kernel::Registry,
    manifest::{Manifest, Provenance, SectionError, own_section, unwrap_provenance, unwrap_section},
};
use serde::de::DeserializeOwned;

use super::section::{self, ReadError};

/// A program's manifest, and where the program comes from.
#[derive(Clone, Debug)]
pub(crate) struct Program {
    pub(crate) manifest: Manifest,
    /// `None` for one that was built without knowing it.
    pub(crate) provenance: Option<Provenance>,
}

/// Why a program cannot be read.
#[derive(Debug)]
pub(crate) enum ProgramError {
    /// The file.
    Read(ReadError),
    /// The section.
    Section(SectionError),
    /// What stands in it.
    Content(String),
}

impl fmt::Display for ProgramError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read(error) => error.fmt(f),
            Self::Section(SectionError::NotNekro) => f.write_str("its section `.nekro` is not a manifest"),
            Self::Section(error) => write!(f, "its manifest cannot be read: {error}"),
            Self::Content(error) => write!(f, "its manifest cannot be read: {error}"),
        }
    }
}

impl ProgramError {
    /// Returns the way out, if there is one.
    pub(crate) fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Read(ReadError::NoSection) => Some(
                "an agent has it if its `main.rs` says `nekro_core::embed_manifest!()`; `strip` leaves it in, `objcopy` can take it out",
            ),
            Self::Section(SectionError::Format(_)) => Some("a newer `nekro` may understand it"),
            _ => None,
        }
    }
}

impl Program {
    /// Reads a program's file. The program is not run.
    pub(crate) fn of_file(file: &Path) -> Result<Self, ProgramError> {
        let section = section::read(file).map_err(ProgramError::Read)?;
        Self::of_section(&section)
    }

    /// Describes this program.
    pub(crate) fn own(registry: &Registry) -> Result<Self, ProgramError> {
        match own_section() {
            Some(section) => Self::of_section(section),
            None => Ok(Self { manifest: registry.manifest(), provenance: None }),
        }
    }

    pub(crate) fn of_section(section: &[u8]) -> Result<Self, ProgramError> {
        let manifest: Manifest = parse(unwrap_section(section).map_err(ProgramError::Section)?)?;
        let provenance: Option<Provenance> = match unwrap_provenance(section).map_err(ProgramError::Section)? {
            Some(json) => Some(parse(json)?),
            None => None,
        };
        if provenance.as_ref().is_some_and(|provenance| !provenance.is_sound()) {
            return Err(ProgramError::Content("its list of packages refers to one that is not in it".to_owned()));
        }
        Ok(Self { manifest, provenance })
    }
}

fn parse<T: DeserializeOwned>(json: &[u8]) -> Result<T, ProgramError> {
    serde_json::from_slice(json).map_err(|error| ProgramError::Content(error.to_string()))
}
