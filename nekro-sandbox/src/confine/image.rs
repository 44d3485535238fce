//! Loading the interpreter's native code.

use std::path::Path;

use wasmtime::{Engine, component::Component};

/// Loads what the build script made.
#[expect(unsafe_code, reason = "native code is trusted, or it is not loaded")]
pub(crate) fn load(engine: &Engine, file: &Path) -> wasmtime::Result<Component> {
    // SAFETY: the file is the sealed memory that the host, the same binary, unpacked from its own constants.
    unsafe { Component::deserialize_file(engine, file) }
}
