//! The smallest programs that carry a section.

/// A kind of program.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Form {
    Elf32,
    Elf64,
    MachO32,
    MachO64,
    Pe32,
    Pe64,
}

impl Form {
    pub(crate) const ALL: [Self; 6] = [Self::Elf32, Self::Elf64, Self::MachO32, Self::MachO64, Self::Pe32, Self::Pe64];
}

/// Makes a program whose section holds these bytes.
pub(crate) fn program(form: Form, section: &[u8]) -> Vec<u8> {
    let wide = matches!(form, Form::Elf64 | Form::MachO64 | Form::Pe64);
    let bytes = match form {
        Form::Elf32 | Form::Elf64 => elf(wide, section),
        Form::MachO32 | Form::MachO64 => mach_o(wide, section),
        Form::Pe32 | Form::Pe64 => pe(wide, section),
    };
    bytes.0
}

/// Puts programs for several machines into one file.
pub(crate) fn universal(programs: &[&[u8]]) -> Vec<u8> {
    let big = |number: usize| u32::try_from(number).expect("it is small").to_be_bytes();
    let mut file = [&0xcafe_babe_u32.to_be_bytes()[..], &big(programs.len())].concat();
    let mut start = 8 + 20 * programs.len();
    for program in programs {
        for field in [7, 3, start, program.len(), 0] {
            file.extend(big(field));
        }
        start += program.len();
    }
    [file, programs.concat()].concat()
}

#[derive(Default)]
struct Bytes(Vec<u8>);

impl Bytes {
    fn raw(mut self, bytes: &[u8]) -> Self {
        self.0.extend(bytes);
        self
    }

    fn half(self, number: u16) -> Self {
        self.raw(&number.to_le_bytes())
    }

    fn word(self, number: usize) -> Self {
        self.raw(&u32::try_from(number).expect("it is small").to_le_bytes())
    }

    /// A number as wide as an address.
    fn address(self, wide: bool, number: usize) -> Self {
        let all = (number as u64).to_le_bytes();
        self.raw(if wide { &all } else { &all[..4] })
    }

    fn name(self, name: &str, length: usize) -> Self {
        let zeros = length - name.len();
        self.raw(name.as_bytes()).raw(&vec![0; zeros])
    }
}

fn elf(wide: bool, section: &[u8]) -> Bytes {
    let (header, entry) = if wide { (64, 64) } else { (52, 40) };
    let names = b"\0.nekro\0.shstrtab\0";
    let (at_names, at_section) = (header, header + names.len());
    let table = at_section + section.len();
    let start = Bytes::default().raw(&[0x7f, b'E', b'L', b'F', if wide { 2 } else { 1 }, 1, 1, 0]).raw(&[0; 8]);
    let start =
        start.half(2).half(if wide { 62 } else { 3 }).word(1).address(wide, 0).address(wide, 0).address(wide, table).word(0);
    let size = |number: usize| u16::try_from(number).expect("it is small");
    let start = start.half(size(header)).half(0).half(0).half(size(entry)).half(3).half(2).raw(names).raw(section);
    let section_header = |bytes: Bytes, name: usize, kind: usize, offset: usize, size: usize| {
        let bytes = bytes.word(name).word(kind).address(wide, 0).address(wide, 0).address(wide, offset).address(wide, size);
        bytes.word(0).word(0).address(wide, 1).address(wide, 0)
    };
    let bytes = section_header(start, 0, 0, 0, 0);
    let bytes = section_header(bytes, 1, 1, at_section, section.len());
    section_header(bytes, 8, 3, at_names, names.len())
}

fn mach_o(wide: bool, section: &[u8]) -> Bytes {
    let (header, command, entry) = if wide { (32, 72, 80) } else { (28, 56, 68) };
    let size = command + entry;
    let bytes =
        Bytes::default().word(if wide { 0xfeed_facf } else { 0xfeed_face }).word(7).word(3).word(2).word(1).word(size).word(0);
    let bytes = if wide { bytes.word(0) } else { bytes };
    let bytes = bytes.word(if wide { 0x19 } else { 1 }).word(size).name("__DATA", 16);
    let bytes = [0, section.len(), header + size, section.len()].iter().fold(bytes, |bytes, number| bytes.address(wide, *number));
    let bytes = bytes.word(3).word(3).word(1).word(0).name("__nekro", 16).name("__DATA", 16);
    let bytes =
        bytes.address(wide, 0).address(wide, section.len()).word(header + size).word(0).word(0).word(0).word(0).word(0).word(0);
    let bytes = if wide { bytes.word(0) } else { bytes };
    bytes.raw(section)
}

fn pe(wide: bool, section: &[u8]) -> Bytes {
    let optional = if wide { 240 } else { 224 };
    let offset = 64 + 24 + optional + 40;
    let bytes = Bytes::default().raw(b"MZ").raw(&[0; 58]).word(64).raw(b"PE\0\0");
    let bytes = bytes.half(if wide { 0x8664 } else { 0x14c }).half(1).word(0).word(0).word(0);
    let bytes = bytes.half(optional as u16).half(2).half(if wide { 0x20b } else { 0x10b }).raw(&vec![0; optional - 6]).word(16);
    // The number of directories stands right before them.
    let directories = bytes.0.len() - 4;
    let mut bytes = bytes;
    bytes.0.truncate(directories);
    let count = 64 + 24 + optional - 16 * 8 - 4;
    bytes.0.resize(64 + 24 + optional, 0);
    bytes.0[count..count + 4].copy_from_slice(&16_u32.to_le_bytes());
    bytes.name(".nekro", 8).word(section.len()).word(0x1000).word(section.len()).word(offset).raw(&[0; 16]).raw(section)
}
