//! The interpreter's native code: unpacked once, into memory that nobody can change and all workers share.

use std::{
    fs::File,
    io::{self, Write},
    os::fd::OwnedFd,
    sync::OnceLock,
};

use rustix::fs::{MemfdFlags, SealFlags};

static PACKED: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/image.zst"));

/// Returns the image. The first to ask waits while it is unpacked.
pub(crate) fn image() -> io::Result<&'static OwnedFd> {
    static IMAGE: OnceLock<Result<OwnedFd, String>> = OnceLock::new();
    IMAGE
        .get_or_init(|| unpack().map_err(|error| error.to_string()))
        .as_ref()
        .map_err(|error| io::Error::other(format!("the interpreter cannot be unpacked: {error}")))
}

fn unpack() -> io::Result<OwnedFd> {
    let memory = rustix::fs::memfd_create(c"nekro-sandbox", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?;
    let mut file = File::from(memory);
    let mut packed = PACKED;
    let mut unpacked = ruzstd::decoding::StreamingDecoder::new(&mut packed).map_err(io::Error::other)?;
    io::copy(&mut unpacked, &mut file)?;
    file.flush()?;
    let memory = OwnedFd::from(file);
    rustix::fs::fcntl_add_seals(&memory, SealFlags::WRITE | SealFlags::GROW | SealFlags::SHRINK | SealFlags::SEAL)?;
    Ok(memory)
}
