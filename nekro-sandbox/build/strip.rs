//! Leaves out of a component what only debuggers read.
//!
//! The names of the interpreter's 12,000 functions would become part of the image, and every worker would read them when it starts.

use std::mem;

use wasm_encoder::{Component, ComponentSectionId, Encode, Module, RawSection, Section};
use wasmparser::{BinaryReaderError, Encoding, Parser, Payload};

/// Returns a component without custom sections, also of the modules and components in it.
pub(crate) fn strip(component: &[u8]) -> Result<Vec<u8>, BinaryReaderError> {
    let mut out = Vec::with_capacity(component.len());
    let mut around = Vec::new();
    for payload in Parser::new(0).parse_all(component) {
        let payload = payload?;
        match &payload {
            Payload::Version { encoding: Encoding::Component, .. } => out.extend_from_slice(&Component::HEADER),
            Payload::Version { encoding: Encoding::Module, .. } => out.extend_from_slice(&Module::HEADER),
            // Its own sections follow, and then its end.
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => around.push(mem::take(&mut out)),
            Payload::End(_) => {
                let Some(outer) = around.pop() else { break };
                let inner = mem::replace(&mut out, outer);
                let section = if inner.starts_with(&Component::HEADER) {
                    ComponentSectionId::Component
                } else {
                    ComponentSectionId::CoreModule
                };
                out.push(section.into());
                inner.encode(&mut out);
            }
            Payload::CustomSection(_) => {}
            _ => {
                if let Some((id, range)) = payload.as_section() {
                    RawSection { id, data: &component[range] }.append_to(&mut out);
                }
            }
        }
    }
    Ok(out)
}
