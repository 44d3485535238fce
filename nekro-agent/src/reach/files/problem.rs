//! What is said when something with a file goes wrong: to a plugin, in the words of its own paths.

use std::io;

use nekro_core::{Error, SandboxPath};
use rustix::io::Errno;

pub(super) fn not_a_file(path: &SandboxPath) -> Error {
    Error::new(format!("`{path}` is not a file")).with_code("not_a_file")
}

pub(super) fn not_a_directory(path: &SandboxPath) -> Error {
    Error::new(format!("`{path}` is not a directory")).with_code("not_a_directory")
}

pub(super) fn exists(path: &SandboxPath) -> Error {
    Error::new(format!("`{path}` is there already")).with_code("exists")
}

pub(super) fn too_large(path: &SandboxPath, most: u64) -> Error {
    Error::new(format!("`{path}` has, or would have, more than {most} bytes"))
        .with_code("too_large")
        .with_hint("the limit is `files.file_bytes`")
}

pub(super) fn over_quota(what: &str, most: u64, limit: &str) -> Error {
    Error::new(format!("there may be {most} {what} here, and this would be more"))
        .with_code("over_quota")
        .with_hint(format!("remove what is not needed; the limit is `{limit}`"))
}

pub(super) fn unavailable(problem: &io::Error) -> Error {
    Error::new(format!("the directory cannot be used: {problem}")).with_code("unavailable")
}

/// Says what an operation on a path met.
pub(super) fn met(path: &SandboxPath, problem: &io::Error) -> Error {
    // What a link is met with where none is followed, and a pipe or a device that nobody reads.
    if [Errno::LOOP, Errno::NXIO].iter().any(|code| problem.raw_os_error() == Some(code.raw_os_error())) {
        return forbidden(path);
    }
    match problem.kind() {
        io::ErrorKind::NotFound => Error::new(format!("there is no file `{path}`")).with_code("not_found"),
        io::ErrorKind::AlreadyExists => exists(path),
        io::ErrorKind::NotADirectory => not_a_directory(path),
        io::ErrorKind::IsADirectory => not_a_file(path),
        io::ErrorKind::DirectoryNotEmpty => Error::new(format!("the directory `{path}` is not empty")).with_code("not_empty"),
        // What a path is met with that leads out.
        io::ErrorKind::PermissionDenied | io::ErrorKind::CrossesDevices => forbidden(path),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            Error::new("the disk of this machine is full").with_code("unavailable")
        }
        _ => Error::new(format!("`{path}` cannot be used: {problem}")),
    }
}

pub(super) fn forbidden(path: &SandboxPath) -> Error {
    Error::new(format!("`{path}` is a link, or leads to something that may not be used")).with_code("forbidden_path")
}
