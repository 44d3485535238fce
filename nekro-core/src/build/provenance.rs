//! Where the program comes from: what Cargo says of its packages, and what its plugins' sources say.

use std::env;

use super::{
    packages::{self, Packages},
    source::{self, Forbid},
};
use crate::{
    manifest::{PATH, PROVENANCE_FORMAT, Package, PluginSource, Provenance},
    plugin::PluginDecl,
};

/// The variable that says whether to look.
const VARIABLE: &str = "NEKRO_PROVENANCE";

/// Reads it; `None` if it is not wanted.
///
/// # Errors
///
/// Says why it cannot be known, and the way out.
pub(super) fn read(plugins: &[&'static PluginDecl]) -> Result<Option<Provenance>, Vec<String>> {
    println!("cargo::rerun-if-env-changed={VARIABLE}");
    match env::var(VARIABLE).as_deref() {
        Err(_) | Ok("") => {}
        Ok("none") => return Ok(None),
        Ok(other) => return Err(vec![format!("`{VARIABLE}` is `{other}`: only `none` is understood")]),
    }
    let way_out =
        format!("  it goes into the program for `nekro audit`; `{VARIABLE}=none` builds a program that does not know it");
    let failed = |error: String| vec![format!("where the program's packages come from is not known: {error}"), way_out.clone()];
    let packages = packages::read().map_err(failed)?;
    for file in &packages.files {
        println!("cargo::rerun-if-changed={}", file.display());
    }
    let mut sources = Vec::new();
    for plugin in plugins {
        sources.push(plugin_source(plugin, &packages).map_err(failed)?);
    }
    sources.sort_by(|one, other| one.id.cmp(&other.id));
    Ok(Some(Provenance { format: PROVENANCE_FORMAT, agent: packages.agent, packages: packages.all, plugins: sources }))
}

fn plugin_source(plugin: &PluginDecl, packages: &Packages) -> Result<PluginSource, String> {
    let (name, version) = (plugin.package, plugin.version);
    let is_it = |package: &Package| package.name == name && package.version == version;
    let package = packages.all.iter().position(is_it).ok_or_else(|| {
        format!("Cargo has built the plugin `{}` from {name} {version}, and does not list that package", plugin.id)
    })?;
    let forbid = if packages.all[package].source == PATH { Forbid::Counts } else { Forbid::IsIdle };
    let (unsafe_code, build_script) = match source::read(plugin, &packages.root, forbid) {
        Some(Ok(source)) => (Some(source.unsafe_code), Some(source.build_script)),
        Some(Err(error)) => return Err(format!("the source of the plugin `{}` cannot be read: {error}", plugin.id)),
        None => {
            let file = plugin.location.file;
            println!(
                "cargo::warning=the source of the plugin `{}` is not at {file}: whether it has unsafe code is not known",
                plugin.id
            );
            (None, None)
        }
    };
    Ok(PluginSource { id: plugin.id.to_owned(), package, unsafe_code, build_script })
}
