//! Finding the section of the manifest in a program's file: ELF, Mach-O (for one or several machines) and PE.
//!
//! Only headers and that section are read, whatever the size of the file, and never more than [`MAX_READ`].

use std::{
    cell::Cell,
    fmt,
    fs::File,
    io::{self, Read, Seek},
    ops::Range,
    path::Path,
};

use nekro_core::manifest::MAX_SECTION;
use object::{
    Endianness, FileKind, elf, macho, pe,
    read::{
        self, ReadCache, ReadCacheOps, ReadRef,
        elf::{FileHeader, SectionHeader},
        macho::{FatArch, MachHeader, MachOFatFile32, MachOFatFile64, Section, Segment},
        pe::ImageNtHeaders,
    },
};

/// The most that is read of a file: the longest section, and as much again for headers.
pub(crate) const MAX_READ: usize = 2 * MAX_SECTION;

/// The section's name, but in Mach-O.
const NAME: &[u8] = b".nekro";
/// Segment and section in Mach-O.
const MACH_O: (&[u8], &[u8]) = (b"__DATA", b"__nekro");

/// Why a file has no section that could be read.
#[derive(Debug)]
pub(crate) enum ReadError {
    /// The system does not let us.
    Io(io::Error),
    /// A directory, a device.
    NoFile,
    /// No program of a known kind.
    NoProgram,
    /// The headers do not fit the file.
    Broken(String),
    /// More would have to be read than is allowed.
    TooLarge,
    /// A program without the section.
    NoSection,
    /// There is more than one section, and they differ.
    Two,
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => write!(f, "it cannot be read: {error}"),
            Self::NoFile => f.write_str("it is not a file"),
            Self::NoProgram => f.write_str("it is not a program: neither ELF, nor Mach-O, nor PE"),
            Self::Broken(error) => write!(f, "it is broken: its headers do not fit the file ({error})"),
            Self::TooLarge => write!(f, "its headers and its section `.nekro` have more than the {MAX_READ} bytes that are read"),
            Self::NoSection => f.write_str("it has no section `.nekro`"),
            Self::Two => f.write_str("it has several manifests, and they differ"),
        }
    }
}

/// Reads the section of a program's file.
pub(crate) fn read(file: &Path) -> Result<Vec<u8>, ReadError> {
    // Opening a pipe would wait for its other end.
    if !std::fs::metadata(file).map_err(ReadError::Io)?.is_file() {
        return Err(ReadError::NoFile);
    }
    find(File::open(file).map_err(ReadError::Io)?)
}

/// Finds the section in what a file holds.
pub(crate) fn find(file: impl Read + Seek) -> Result<Vec<u8>, ReadError> {
    let left = Cell::new(MAX_READ as u64);
    let cache = ReadCache::new(file);
    let size = cache.len().map_err(|()| ReadError::Io(io::ErrorKind::NotSeekable.into()))?;
    let window = Window { file: &cache, start: 0, size, left: &left };
    let found = sections(window).map_err(|error| match (left.get(), error) {
        (0, _) => ReadError::TooLarge,
        (_, None) => ReadError::NoProgram,
        (_, Some(Broken(error))) => ReadError::Broken(error),
    })?;
    let (first, others) = found.split_first().ok_or(ReadError::NoSection)?;
    if others.iter().any(|other| other != first) {
        return Err(ReadError::Two);
    }
    Ok(first.to_vec())
}

/// What does not fit.
struct Broken(String);

impl From<read::Error> for Broken {
    fn from(error: read::Error) -> Self {
        Self(error.to_string())
    }
}

/// Returns every section of the name. An error of `None` is a file of another kind.
fn sections<'d, S: ReadCacheOps>(file: Window<'d, S>) -> Result<Vec<&'d [u8]>, Option<Broken>> {
    match FileKind::parse(file).map_err(|_| None)? {
        FileKind::Elf32 => elf::<elf::FileHeader32<Endianness>, _>(file),
        FileKind::Elf64 => elf::<elf::FileHeader64<Endianness>, _>(file),
        FileKind::MachO32 => mach_o::<macho::MachHeader32<Endianness>, _>(file),
        FileKind::MachO64 => mach_o::<macho::MachHeader64<Endianness>, _>(file),
        FileKind::MachOFat32 => universal(file, MachOFatFile32::parse(file).map_err(|error| Some(error.into()))?.arches()),
        FileKind::MachOFat64 => universal(file, MachOFatFile64::parse(file).map_err(|error| Some(error.into()))?.arches()),
        FileKind::Pe32 => windows::<pe::ImageNtHeaders32, _>(file),
        FileKind::Pe64 => windows::<pe::ImageNtHeaders64, _>(file),
        _ => return Err(None),
    }
    .map_err(Some)
}

fn elf<'d, H: FileHeader<Endian = Endianness>, S: ReadCacheOps>(file: Window<'d, S>) -> Result<Vec<&'d [u8]>, Broken> {
    let header = H::parse(file)?;
    let endian = header.endian()?;
    let sections = header.sections(endian, file)?;
    let ours = sections.iter().filter(|section| sections.section_name(endian, section) == Ok(NAME));
    ours.map(|section| Ok(section.data(endian, file)?)).collect()
}

fn mach_o<'d, H: MachHeader<Endian = Endianness>, S: ReadCacheOps>(file: Window<'d, S>) -> Result<Vec<&'d [u8]>, Broken> {
    let header = H::parse(file, 0)?;
    let endian = header.endian()?;
    let mut commands = header.load_commands(endian, file, 0)?;
    let mut found = Vec::new();
    while let Some(command) = commands.next()? {
        let Some((segment, rest)) = H::Segment::from_command(command)? else { continue };
        for section in segment.sections(endian, rest)? {
            if (section.segment_name(), section.name()) == MACH_O {
                let data = section.data(endian, file);
                found.push(data.map_err(|()| Broken("a section reaches beyond the end of the file".to_owned()))?);
            }
        }
    }
    Ok(found)
}

/// Several programs in one file, each for a machine of its own.
fn universal<'d, A: FatArch, S: ReadCacheOps>(file: Window<'d, S>, programs: &[A]) -> Result<Vec<&'d [u8]>, Broken> {
    let mut found = Vec::new();
    for program in programs {
        let (start, size) = program.file_range();
        let inside = Window { start, size, ..file };
        let sections = match FileKind::parse(inside)? {
            FileKind::MachO32 => mach_o::<macho::MachHeader32<Endianness>, _>(inside)?,
            FileKind::MachO64 => mach_o::<macho::MachHeader64<Endianness>, _>(inside)?,
            _ => return Err(Broken("it holds something other than programs".to_owned())),
        };
        // One that says nothing does not say the same as the others.
        found.extend(if sections.is_empty() { vec![&[][..]] } else { sections });
    }
    Ok(if found.iter().all(|section| section.is_empty()) { Vec::new() } else { found })
}

fn windows<'d, H: ImageNtHeaders, S: ReadCacheOps>(file: Window<'d, S>) -> Result<Vec<&'d [u8]>, Broken> {
    let dos = pe::ImageDosHeader::parse(file)?;
    let mut offset = dos.nt_headers_offset().into();
    let (header, _) = H::parse(file, &mut offset)?;
    let sections = header.sections(file, offset)?;
    sections.iter().filter(|section| section.raw_name() == NAME).map(|section| Ok(section.pe_data(file)?)).collect()
}

/// A part of a file, of which only so much more is read.
struct Window<'d, S: ReadCacheOps> {
    file: &'d ReadCache<S>,
    start: u64,
    size: u64,
    left: &'d Cell<u64>,
}

impl<S: ReadCacheOps> Clone for Window<'_, S> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<S: ReadCacheOps> Copy for Window<'_, S> {}

impl<S: ReadCacheOps> Window<'_, S> {
    /// Allows so many bytes. Once that was refused, nothing more is allowed.
    fn pay(&self, bytes: u64) -> Result<(), ()> {
        let left = self.left.get().checked_sub(bytes).filter(|left| *left > 0);
        self.left.set(left.unwrap_or(0));
        left.map(|_| ()).ok_or(())
    }

    fn within(&self, range: Range<u64>) -> Result<Range<u64>, ()> {
        if range.start > range.end || range.end > self.size {
            return Err(());
        }
        let moved = |at| self.start.checked_add(at).ok_or(());
        Ok(moved(range.start)?..moved(range.end)?)
    }
}

impl<'d, S: ReadCacheOps> ReadRef<'d> for Window<'d, S> {
    fn len(self) -> Result<u64, ()> {
        Ok(self.size)
    }

    fn read_bytes_at(self, offset: u64, size: u64) -> Result<&'d [u8], ()> {
        let range = self.within(offset..offset.checked_add(size).ok_or(())?)?;
        // What lies outside of the file is an error of the file, and no matter of size.
        if range.end > self.file.len()? {
            return Err(());
        }
        self.pay(size)?;
        self.file.read_bytes_at(range.start, size)
    }

    fn read_bytes_at_until(self, range: Range<u64>, delimiter: u8) -> Result<&'d [u8], ()> {
        let found = self.file.read_bytes_at_until(self.within(range)?, delimiter)?;
        self.pay(found.len() as u64)?;
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use proptest::prelude::*;

    use super::*;
    use crate::audit::testing::{Form, program, universal};

    fn look(bytes: &[u8]) -> Result<Vec<u8>, String> {
        find(Cursor::new(bytes)).map_err(|error| error.to_string())
    }

    #[test]
    fn the_section_is_found_in_every_kind_of_program() {
        for form in Form::ALL {
            assert_eq!(look(&program(form, b"the section")).as_deref(), Ok(&b"the section"[..]), "{form:?}");
        }
        let one = program(Form::MachO64, b"the section");
        assert_eq!(look(&universal(&[&one, &program(Form::MachO32, b"the section")])).as_deref(), Ok(&b"the section"[..]));
    }

    #[test]
    fn programs_in_one_file_must_say_the_same() {
        let (one, other) = (program(Form::MachO64, b"one"), program(Form::MachO64, b"other"));
        assert!(matches!(find(Cursor::new(universal(&[&one, &other]))), Err(ReadError::Two)));
        let silent = program(Form::MachO64, b"");
        assert!(matches!(find(Cursor::new(universal(&[&one, &silent]))), Err(ReadError::Two)));
    }

    #[test]
    fn what_is_no_program_is_refused() {
        for bytes in [&b""[..], b"#!/bin/sh\nexit 1\n", b"!<arch>\n................", b"\x7fELF", &[0; 1000]] {
            assert!(matches!(find(Cursor::new(bytes)), Err(ReadError::NoProgram)), "{bytes:?}");
        }
        assert!(matches!(read(Path::new("/")), Err(ReadError::NoFile)));
    }

    #[test]
    fn a_program_that_ends_anywhere_is_refused() {
        for form in Form::ALL {
            let whole = program(form, b"the section");
            for end in 0..whole.len() {
                if let Ok(found) = look(&whole[..end]) {
                    // Only what comes after the section may be missing.
                    assert_eq!(found, b"the section", "{form:?}, {end}");
                }
            }
        }
    }

    #[test]
    fn a_section_that_is_larger_than_what_is_read_is_refused() {
        for form in Form::ALL {
            let large = program(form, &vec![0; MAX_READ]);
            assert!(matches!(find(Cursor::new(large)), Err(ReadError::TooLarge)), "{form:?}");
        }
    }

    proptest! {
        #[test]
        fn headers_that_lie_do_no_harm(
            form in proptest::sample::select(Form::ALL.to_vec()),
            changes in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 1..8),
        ) {
            let mut bytes = program(form, b"the section");
            for (at, byte) in changes {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            let _ = look(&bytes);
        }

        #[test]
        fn no_bytes_do_any_harm(mut bytes in proptest::collection::vec(any::<u8>(), 0..400), magic in 0_usize..7) {
            let magic: &[u8] = [&b""[..], b"\x7fELF\x02\x01\x01", b"\x7fELF\x01\x02\x01", b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe\0\0\0\x02", b"MZ", b"\xfe\xed\xfa\xce"][magic];
            bytes.splice(..magic.len().min(bytes.len()), magic.iter().copied());
            let _ = look(&bytes);
        }
    }
}
