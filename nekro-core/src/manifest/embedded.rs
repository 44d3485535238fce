//! The manifest inside the program: readable without running it, and compared with what is linked when it starts.

use std::{fmt, io};

use super::{Difference, FORMAT, Manifest};
use crate::kernel::Registry;

/// What the section of a program begins with. The line break shows whether somebody has treated the program as text.
pub const MAGIC: [u8; 8] = *b"\x7fNEKRO\r\n";

/// The most bytes that a section may have: the build step makes no longer one, and whoever reads a program need not believe in one.
pub const MAX_SECTION: usize = 16 * 1024 * 1024;

/// The section that [`embed_manifest!`](crate::embed_manifest) has put into this program.
#[derive(Debug)]
pub struct Embedded(pub &'static [u8]);

inventory::collect!(Embedded);

/// Why a section is no manifest. Read by whoever looks into a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SectionError {
    /// It does not begin with [`MAGIC`].
    NotNekro,
    /// It has the form of another version.
    Format(u32),
    /// It is longer than [`MAX_SECTION`].
    TooLong,
    /// It ends too early.
    Truncated,
}

impl fmt::Display for SectionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotNekro => f.write_str("this is not a manifest"),
            Self::Format(format) => write!(f, "it has format {format}, and only {FORMAT} is understood"),
            Self::TooLong => write!(f, "it is longer than {MAX_SECTION} bytes"),
            Self::Truncated => f.write_str("it ends too early"),
        }
    }
}

impl std::error::Error for SectionError {}

/// Puts a manifest into the form in which it is embedded: [`MAGIC`], the format's version and the length, both as 32 bits with the lowest
/// byte first, and JSON.
pub fn section(manifest: &Manifest) -> Vec<u8> {
    block(MAGIC, FORMAT, &manifest.to_json())
}

pub(super) fn block(magic: [u8; 8], format: u32, json: &[u8]) -> Vec<u8> {
    let length = u32::try_from(json.len()).expect("it is much shorter than 4 GiB");
    [&magic[..], &format.to_le_bytes(), &length.to_le_bytes(), json].concat()
}

/// Returns the JSON in a section. What comes after it, such as what a linker fills up with, is ignored.
///
/// # Errors
///
/// If it is no manifest of this format, or not a whole one.
pub fn unwrap_section(section: &[u8]) -> Result<&[u8], SectionError> {
    split_block(section, MAGIC, FORMAT).map(|(json, _)| json)
}

/// Returns the JSON in a part of a section, and what comes after it.
pub(super) fn split_block(bytes: &[u8], magic: [u8; 8], known: u32) -> Result<(&[u8], &[u8]), SectionError> {
    let rest = bytes.strip_prefix(&magic).ok_or(SectionError::NotNekro)?;
    let (format, rest) = rest.split_first_chunk().ok_or(SectionError::Truncated)?;
    let format = u32::from_le_bytes(*format);
    if format != known {
        return Err(SectionError::Format(format));
    }
    let (length, rest) = rest.split_first_chunk().ok_or(SectionError::Truncated)?;
    let length = usize::try_from(u32::from_le_bytes(*length)).map_err(|_| SectionError::Truncated)?;
    if length > MAX_SECTION {
        return Err(SectionError::TooLong);
    }
    rest.split_at_checked(length).ok_or(SectionError::Truncated)
}

/// Returns the section of this program; `None` for one that was built without the build step.
pub fn own_section() -> Option<&'static [u8]> {
    inventory::iter::<Embedded>.into_iter().next().map(|embedded| embedded.0)
}

/// Why a program is not what its manifest says. Read by the operator, at start-up.
#[derive(Debug)]
#[non_exhaustive]
pub enum MismatchError {
    /// Something else is linked.
    Differences(Vec<Difference>),
    /// The section cannot be read.
    Section(SectionError),
    /// The JSON in it cannot be read.
    Json(String),
    /// There are two.
    Two,
}

impl fmt::Display for MismatchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Differences(differences) => {
                f.write_str("what is linked is not what the program's manifest says")?;
                differences.iter().try_for_each(|one| write!(f, "\n  - {one}"))
            }
            Self::Section(error) => write!(f, "the program's manifest cannot be read: {error}"),
            Self::Json(error) => write!(f, "the program's manifest cannot be read: {error}"),
            Self::Two => f.write_str("two manifests are embedded in this program"),
        }
    }
}

impl std::error::Error for MismatchError {}

impl MismatchError {
    /// Returns the way out.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Differences(_) => {
                "give a plugin the same features and version under `[dependencies]` as under `[build-dependencies]`, and build again"
            }
            Self::Section(_) | Self::Json(_) => "build the program again",
            Self::Two => "`embed_manifest!` stands in `main.rs`, once",
        }
    }
}

/// Compares what is linked with the manifest in this program. Without one there is nothing to compare with, and all is well.
///
/// # Errors
///
/// Names everything that differs.
pub fn verify(registry: &Registry) -> Result<(), MismatchError> {
    let mut embedded = inventory::iter::<Embedded>.into_iter();
    let Some(Embedded(section)) = embedded.next() else { return Ok(()) };
    if embedded.next().is_some() {
        return Err(MismatchError::Two);
    }
    compare(section, &registry.manifest())
}

fn compare(section: &[u8], live: &Manifest) -> Result<(), MismatchError> {
    let expected = unwrap_section(section).map_err(MismatchError::Section)?;
    let mut rest = Expected(expected);
    if serde_json::to_writer(&mut rest, live).is_ok() && rest.0.is_empty() {
        return Ok(());
    }
    let built: Manifest = serde_json::from_slice(expected).map_err(|error| MismatchError::Json(error.to_string()))?;
    Err(MismatchError::Differences(built.differences(live)))
}

/// Bytes that are to come. Comparing while writing, nothing is allocated for it.
struct Expected<'a>(&'a [u8]);

impl io::Write for Expected<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 = self.0.strip_prefix(bytes).ok_or(io::ErrorKind::InvalidData)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Embeds the manifest that the build step has written, in a section of its own, and the [policy](crate::policy) beside it: a program that reads programs finds it there, and the
/// agent compares itself with it when it starts.
///
/// It stands in `main.rs`, beside the functions, and needs a `build.rs` that calls [`build::write`](crate::build::write):
///
/// ```ignore
/// nekro_core::embed_manifest!();
///
/// fn main() -> std::process::ExitCode {
///     nekro_agent::run(my_bundle::PLUGINS)
/// }
/// ```
///
/// The section is called `.nekro`; in a Mach-O file it is `__DATA,__nekro`. It holds [`MAGIC`], two numbers of 32 bits with
/// the lowest byte first (the format's version, the length), and the manifest as JSON; then, in the same form, the
/// [`Provenance`](crate::manifest::Provenance).
#[macro_export]
macro_rules! embed_manifest {
    () => {
        const _: () = {
            const BYTES: &[u8] = ::core::include_bytes!(::core::concat!(
                ::core::env!("OUT_DIR", "the manifest is made by a build script: `nekro_core::build::write(PLUGINS)`"),
                "/manifest.section"
            ));

            #[used]
            #[expect(unsafe_code, reason = "the section is ours alone, and holds plain bytes that nobody runs or writes to")]
            #[cfg_attr(target_vendor = "apple", unsafe(link_section = "__DATA,__nekro"))]
            #[cfg_attr(not(target_vendor = "apple"), unsafe(link_section = ".nekro"))]
            static MANIFEST: [u8; BYTES.len()] = *BYTES.first_chunk().unwrap();

            $crate::__private::inventory::submit! { $crate::manifest::Embedded(&MANIFEST) }

            $crate::__private::inventory::submit! {
                $crate::policy::Embedded(::core::include_str!(::core::concat!(::core::env!("OUT_DIR"), "/policy.json")))
            }
        };
    };
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::Declarations;

    fn manifest() -> Manifest {
        let mut own = Declarations::linked();
        own.events.retain(|event| event.plugin.is_none());
        let Declarations { events, .. } = own;
        Registry::new(Declarations { events, ..Declarations::default() }).expect("the agent's own events").manifest()
    }

    #[test]
    fn a_section_is_read_back() {
        let manifest = manifest();
        let mut bytes = section(&manifest);
        bytes.extend([0; 64]);
        let json = unwrap_section(&bytes).expect("it was made so");
        assert_eq!(serde_json::from_slice::<Manifest>(json).expect("it was made so"), manifest);
        assert!(compare(&bytes, &manifest).is_ok());
    }

    #[test]
    fn what_is_no_section_is_refused() {
        let whole = section(&manifest());
        let mut other_format = whole.clone();
        other_format[MAGIC.len()] = 9;
        let mut lying = whole.clone();
        lying[MAGIC.len() + 7] = 0xff;
        for (bytes, error) in [
            (&b""[..], SectionError::NotNekro),
            (b"\x7fELF", SectionError::NotNekro),
            (&whole[..MAGIC.len() + 2], SectionError::Truncated),
            (&whole[..MAGIC.len() + 7], SectionError::Truncated),
            (&whole[..whole.len() - 1], SectionError::Truncated),
            (&other_format, SectionError::Format(9)),
            (&lying, SectionError::TooLong),
        ] {
            assert_eq!(unwrap_section(bytes), Err(error));
        }
    }

    #[test]
    fn a_difference_is_named() {
        let built = manifest();
        let mut live = built.clone();
        live.events[0].schema = true.into();
        let missing = live.events.pop().expect("there are several").name;
        let first = &live.events[0].name;
        let error = compare(&section(&built), &live).expect_err("it differs").to_string();
        assert!(error.contains(&format!("the event `{first}` has another `schema`")), "{error}");
        assert!(error.contains(&format!("the event `{missing}` is missing")), "{error}");
        assert!(matches!(compare(b"", &live), Err(MismatchError::Section(SectionError::NotNekro))));
        let broken = [&MAGIC[..], &FORMAT.to_le_bytes(), &1_u32.to_le_bytes(), b"{"].concat();
        assert!(matches!(compare(&broken, &live), Err(MismatchError::Json(_))));
    }
}
