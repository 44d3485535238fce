//! What does not become a program.

use crate::project::Project;

#[test]
fn a_plugin_in_cargo_toml_only_is_an_error() {
    let project = Project::new("forgotten").plugin("alpha", "alpha").plugin("beta", "beta").bundle(&["alpha", "beta"], "alpha");
    project.fails(&["extern crate `beta` is unused in crate `bundle`", "help: remove the dependency or add `use beta as _;`"]);
}

#[test]
fn a_crate_that_is_no_plugin_is_an_error() {
    let project = Project::new("no-plugin").plugin("alpha", "alpha").package("plain", "", "pub fn nothing() {}\n");
    project
        .bundle(&["alpha", "plain"], "alpha, plain")
        .fails(&["plain` is not a plugin", "put `#[plugin]` on the struct at the root of the crate"]);
}

#[test]
fn two_plugins_of_one_id_are_an_error() {
    let project = Project::new("twins").plugin("alpha", "twin").plugin("beta", "twin").bundle(&["alpha", "beta"], "alpha, beta");
    project.fails(&[
        "two plugins are called `twin`: at alpha/src/lib.rs:4 and at beta/src/lib.rs:4",
        "leave one of them out, or give one another `id`",
        "two tools are called `twin.act`: at alpha/src/lib.rs:7 and at beta/src/lib.rs:7",
    ]);
}

#[test]
fn a_plugin_that_is_named_twice_is_an_error() {
    let project = Project::new("twice").plugin("alpha", "alpha").bundle(&["alpha"], "alpha, alpha");
    project.fails(&["the bundle names the plugin `alpha` twice", "remove one of the two from `bundle!`"]);
}

#[test]
fn a_plugin_that_comes_along_unnamed_is_an_error() {
    let project = Project::new("unnamed").plugin("stowaway-plugin", "stowaway").plugin("alpha", "alpha");
    project.edit("alpha/Cargo.toml", "[dependencies]", "[dependencies]\nstowaway-plugin = { path = '../stowaway-plugin' }");
    project.edit("alpha/src/lib.rs", "use nekro_core", "use stowaway_plugin as _;\nuse nekro_core");
    project.bundle(&["alpha"], "alpha").fails(&[
        "the plugin `stowaway` of the package `stowaway-plugin` is linked, but the bundle does not name it",
        "add `stowaway_plugin` to `bundle!`, or remove the dependency that brings it",
    ]);
}

#[test]
fn an_unmet_requirement_is_an_error() {
    let project = Project::new("unmet").plugin("alpha", "alpha").bundle(&["alpha"], "alpha");
    project.edit("alpha/src/lib.rs", "id = \"alpha\"", "id = \"alpha\", requires = [\"notes ^1\"]");
    project.fails(&["the plugin `alpha` requires `notes ^1`, but no such plugin is linked", "add that plugin to the bundle"]);
}

#[test]
fn two_versions_of_the_contract_are_an_error() {
    let project = Project::new("two-contracts").plugin("alpha", "alpha").bundle(&["alpha"], "alpha");
    let other = "[package]\nname = 'nekro-core'\nversion = '9.0.0'\nedition = '2024'\nlinks = 'nekro-core'\nbuild = 'build.rs'\n";
    project.write("other-core/Cargo.toml", other);
    project.write("other-core/build.rs", "fn main() {}\n");
    project.write("other-core/src/lib.rs", "");
    let project = project.package("beta", "[dependencies]\nnekro-core = { path = '../other-core' }\n", "");
    project.fails(&[
        "`nekro-core`",
        "links to the native library `nekro-core`",
        "Only one package in the dependency graph may specify the same links value",
    ]);
}
