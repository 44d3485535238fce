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

#[cfg(test)]
mod tests {
    use nekro_core::manifest::{FORMAT, MAGIC, section};
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;
    use crate::audit::{Surface, cyclonedx, diff::Diff, lock, view};

    fn manifest(name: &str) -> Value {
        let tool = json!({
            "name": name, "description": name, "category": null, "tags": [], "kind": "value", "conditional": false, "deadline_ms": null,
            "effect": { "read_only": true }, "arguments": { "type": "object" }, "result": null, "location": "src/lib.rs:1",
        });
        let used_by = json!([{ "what": "tool", "name": name, "location": "src/lib.rs:1" }]);
        let plugin = json!({
            "id": name, "title": null, "description": name, "category": null, "version": name, "package": name, "authors": [],
            "license": "MIT", "repository": "", "requires": [], "location": "src/lib.rs:1", "commands": [], "handlers": [],
            "prompts": [], "events": [], "config": null, "hooks": [], "tools": [tool],
            "capabilities": [{ "name": "http", "summary": "", "scope": [name], "used_by": used_by }],
        });
        json!({ "format": 1, "core": name, "plugins": [plugin], "events": [] })
    }

    fn provenance(name: &str) -> Value {
        json!({
            "format": 1,
            "agent": 0,
            "packages": [
                { "name": "agent", "version": "1", "source": "path", "checksum": null, "license": "", "linked": true, "dependencies": [1] },
                { "name": name, "version": name, "source": name, "checksum": name, "license": name, "linked": true, "dependencies": [] },
            ],
            "plugins": [{ "id": name, "package": 1, "unsafe_code": true, "build_script": null }],
        })
    }

    fn whole(name: &str) -> Vec<u8> {
        let manifest: Manifest = serde_json::from_value(manifest(name)).expect("a manifest");
        let provenance: Provenance = serde_json::from_value(provenance(name)).expect("where it comes from");
        [section(&manifest), provenance.section()].concat()
    }

    fn with_json(json: &[u8]) -> Vec<u8> {
        let length = u32::try_from(json.len()).expect("it is small");
        [&MAGIC[..], &FORMAT.to_le_bytes(), &length.to_le_bytes(), json].concat()
    }

    /// Does all that is done with a program, if it is one.
    fn use_all(section: &[u8]) -> Result<String, String> {
        let program = Program::of_section(section).map_err(|error| error.to_string())?;
        let surface = Surface::of(&program)?;
        let nothing = Surface { nekro_core: String::new(), plugins: Default::default() };
        let mut all = view::text(&program, &surface) + &lock::text(&surface) + &Diff::between(&nothing, &surface).to_text();
        if let Some(provenance) = &program.provenance {
            all += &crate::audit::harmless::escaped(&cyclonedx::document(&surface, provenance).to_string());
        }
        Ok(anstream::adapter::strip_str(&all).to_string())
    }

    #[test]
    fn a_section_is_read_whole() {
        let section = whole("weather");
        let program = Program::of_section(&section).expect("it is whole");
        assert_eq!(program.provenance.expect("it is there").packages[1].name, "weather");
        let text = use_all(&section).expect("it is whole");
        assert!(text.contains("weather"), "{text}");
        let manifest: Manifest = serde_json::from_value(manifest("weather")).expect("a manifest");
        let alone = Program::of_section(&padded(&manifest)).expect("what a linker adds is no harm");
        assert!(alone.provenance.is_none());
    }

    fn padded(manifest: &Manifest) -> Vec<u8> {
        [section(manifest), vec![0; 64]].concat()
    }

    #[test]
    fn a_hostile_section_is_refused_with_the_reason() {
        let deep = [vec![b'['; 100_000], vec![b']'; 100_000]].concat();
        let text = manifest("weather").to_string();
        let (before, after) = text.split_once("{\"type\":\"object\"}").expect("the schema of the arguments");
        let deep = [before.as_bytes(), &deep, after.as_bytes()].concat();
        let mut lying = whole("weather");
        lying[12..16].copy_from_slice(&u32::MAX.to_le_bytes());
        let mut long = whole("weather");
        let length = long.len();
        long[12..16].copy_from_slice(&u32::try_from(length).expect("it is small").to_le_bytes());
        let mut newer = whole("weather");
        newer[8] = 2;
        let twice = |key: &str| {
            let mut twice = manifest("weather");
            let list = if key == "plugins" { &mut twice[key] } else { &mut twice["plugins"][0][key] };
            let first = list[0].clone();
            list.as_array_mut().expect("a list").push(first);
            with_json(twice.to_string().as_bytes())
        };
        let astray = |change: fn(&mut Value)| {
            let manifest: Manifest = serde_json::from_value(manifest("weather")).expect("a manifest");
            let mut provenance = provenance("weather");
            change(&mut provenance);
            let provenance: Provenance = serde_json::from_value(provenance).expect("it has the form");
            [section(&manifest), provenance.section()].concat()
        };
        let not_in_it = "its list of packages refers to one that is not in it";
        for (section, told) in [
            (b"".to_vec(), "its section `.nekro` is not a manifest"),
            (b"something else".to_vec(), "its section `.nekro` is not a manifest"),
            (lying, "it is longer than 16777216 bytes"),
            (long, "it ends too early"),
            (newer, "it has format 2, and only 1 is understood"),
            (with_json(b""), "EOF while parsing"),
            (with_json(&deep), "recursion limit exceeded"),
            (with_json(b"{\"core\":\"\xff\"}"), "invalid unicode code point"),
            (with_json(text.replace("\"format\":1", "\"format\":1e999").as_bytes()), "number out of range"),
            (with_json(text.replace("\"format\":1", "\"format\":-1").as_bytes()), "invalid value: integer `-1`"),
            (with_json(text.replace("\"format\":1", "\"format\":1,\"format\":1").as_bytes()), "duplicate field `format`"),
            (
                with_json(text.replace("\"read_only\"", "\"read_only\":true,\"read_only\"").as_bytes()),
                "duplicate field `read_only`",
            ),
            (twice("plugins"), "the plugin `weather`"),
            (twice("tools"), "the tool `weather`"),
            (twice("capabilities"), "the capability `http`"),
            (astray(|it| it["agent"] = 2.into()), not_in_it),
            (astray(|it| it["plugins"][0]["package"] = 9.into()), not_in_it),
            (astray(|it| it["packages"][1]["dependencies"] = json!([u32::MAX])), not_in_it),
        ] {
            let error = use_all(&section).expect_err("it is hostile");
            assert!(error.contains(told), "{told}: {error}");
        }
    }

    #[test]
    fn a_section_that_ends_anywhere_is_refused_unless_it_ends_between_its_parts() {
        let section = whole("weather");
        let manifest = section.len()
            - Program::of_section(&section).map_or(0, |program| program.provenance.expect("it is there").section().len());
        for end in 0..section.len() {
            let is_whole = (manifest..manifest + MAGIC.len()).contains(&end);
            assert_eq!(Program::of_section(&section[..end]).is_ok(), is_whole, "{end}");
        }
    }

    #[test]
    fn packages_that_depend_on_each_other_in_a_circle_do_no_harm() {
        let manifest: Manifest = serde_json::from_value(manifest("weather")).expect("a manifest");
        let mut provenance = provenance("weather");
        provenance["packages"][1]["dependencies"] = json!([0, 1]);
        let provenance: Provenance = serde_json::from_value(provenance).expect("it has the form");
        assert!(use_all(&[section(&manifest), provenance.section()].concat()).is_ok());
    }

    proptest! {
        #[test]
        fn whatever_the_names_nothing_steers_the_terminal(name in "\\PC*|[\\x00-\\x20a\u{7f}-\u{9f}\u{202e}\\n]{1,20}") {
            let text = use_all(&whole(&name)).expect("any name will do");
            let steers = text.chars().any(|one| one != '\n' && (one.is_control() || one == '\u{202e}'));
            prop_assert!(!steers, "{:?}", text);
        }

        #[test]
        fn bytes_that_changed_do_no_harm(changes in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 1..4)) {
            let mut bytes = whole("weather");
            for (at, byte) in changes {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            let _ = use_all(&bytes);
        }
    }
}
