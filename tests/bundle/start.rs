//! The program and its manifest.

use nekro_core::manifest::{MAGIC, Manifest, Package, Provenance, unwrap_provenance, unwrap_section};

use crate::project::Project;

#[test]
fn a_program_carries_its_manifest_and_starts() {
    let project = Project::new("good").plugin("alpha", "alpha").bundle(&["alpha"], "alpha");
    assert_eq!(project.runs(), "all is well\n");
    let program = project.program();
    let json = unwrap_section(section(&program)).expect("it was found");
    let manifest: Manifest = serde_json::from_slice(json).expect("it holds a manifest");
    assert_eq!(manifest.plugin("alpha").map(|plugin| plugin.tools[0].name.as_str()), Some("alpha.act"));
}

/// Returns the section that a built program has.
fn section(program: &[u8]) -> &[u8] {
    let mut places = program.windows(MAGIC.len()).enumerate().filter(|(_, bytes)| *bytes == MAGIC).map(|(at, _)| &program[at..]);
    places.find(|section| unwrap_section(section).is_ok()).expect("the program has the section")
}

#[test]
fn a_program_carries_where_it_comes_from() {
    let project =
        Project::new("origin").plugin("alpha", "alpha").plugin("beta", "beta").bundle(&["alpha", "beta"], "alpha, beta");
    project.edit(
        "alpha/src/lib.rs",
        "/// Does something.",
        "unsafe fn quick() {}\nconst _: unsafe fn() = quick;\n/// Does something.",
    );
    project.write("alpha/build.rs", "fn main() {}\n");
    project.edit("beta/src/lib.rs", "/// Does something.", "/// Nothing unsafe.");
    project.builds();
    let read = || {
        let program = project.program();
        let json = unwrap_provenance(section(&program)).expect("it is whole").expect("it is there");
        serde_json::from_slice::<Provenance>(json).expect("it has the form")
    };
    let known = read();
    let answers = |known: &Provenance| {
        let of = |id: &str| {
            known.plugin(id).map(|(plugin, package)| (plugin.unsafe_code, plugin.build_script, package.source.clone()))
        };
        [of("alpha"), of("beta")]
    };
    let path = || "path".to_owned();
    assert_eq!(answers(&known), [Some((Some(true), Some(true), path())), Some((Some(false), Some(false), path()))]);
    assert_eq!(known.packages[known.agent].name, "agent-origin");
    let serde = known.packages.iter().find(|package| package.name == "serde").expect("every plugin is linked with it");
    assert!(serde.linked && serde.checksum.as_ref().is_some_and(|checksum| checksum.len() == 64), "{serde:?}");
    let package = |name: &str| known.packages.iter().position(|package: &Package| package.name == name).expect("it is linked");
    let alpha = &known.packages[package("alpha")];
    assert!(alpha.dependencies.contains(&package("nekro-core")) && !alpha.dependencies.contains(&package("beta")), "{alpha:?}");
    // What it is linked from may change without a change of a plugin.
    project.edit("Cargo.toml", "[build-dependencies]", "alpha = { path = 'alpha' }\n[build-dependencies]");
    project.builds();
    assert!(read().packages[read().agent].dependencies.contains(&package("alpha")));
}

#[test]
fn a_program_can_be_built_without_knowing_where_it_comes_from() {
    let project = Project::new("unknown").plugin("alpha", "alpha").bundle(&["alpha"], "alpha");
    project.edit("Cargo.toml", "exclude = ['src']", "exclude = ['src', '.cargo']");
    project.write(".cargo/config.toml", "[env]\nNEKRO_PROVENANCE = 'perhaps'\n");
    project.fails(&["`NEKRO_PROVENANCE` is `perhaps`: only `none` is understood"]);
    project.write(".cargo/config.toml", "[env]\nNEKRO_PROVENANCE = 'none'\n");
    assert_eq!(project.runs(), "all is well\n");
    assert!(matches!(unwrap_provenance(section(&project.program())), Ok(None)));
}

#[test]
fn only_a_change_of_a_plugin_runs_the_build_step_again() {
    let ran = |text: &str| text.contains("build-script-build`");
    let project = Project::new("again").plugin("alpha", "alpha").bundle(&["alpha"], "alpha");
    // Without a policy, the step looks for one at every build.
    project.write("nekro.policy.toml", "");
    let first = project.builds();
    assert!(ran(&first) && !first.contains("warning"), "{first}");
    assert!(!ran(&project.builds()));
    project.edit("src/main.rs", "all is well", "all is fine");
    project.write("README.md", "# Agent\n");
    assert!(!ran(&project.builds()));
    project.edit("alpha/src/lib.rs", "Does something.", "Does something else.");
    assert!(ran(&project.builds()));
    assert_eq!(project.runs(), "all is fine\n");
}

#[test]
fn a_program_that_is_not_what_its_manifest_says_refuses_to_start() {
    let project = Project::new("differs").plugin("alpha", "alpha").bundle(&["alpha"], "alpha");
    project.edit("alpha/Cargo.toml", "[dependencies]", "[features]\nwide = []\n[dependencies]");
    project.edit(
        "alpha/src/lib.rs",
        "/// Does something",
        "#[cfg(feature = \"wide\")]\n#[tool]\n/// More.\nfn more() {}\n/// Does something",
    );
    project.edit("alpha/src/lib.rs", "what: u8", "what: What");
    project.edit("alpha/src/lib.rs", "-> u8", "-> What");
    let what = "#[cfg(feature = \"wide\")]\ntype What = u16;\n#[cfg(not(feature = \"wide\"))]\ntype What = u8;\n/// A plugin";
    project.edit("alpha/src/lib.rs", "/// A plugin", what);
    // For the program, and not for its build script.
    project.edit("Cargo.toml", "[build-dependencies]", "alpha = { path = 'alpha', features = ['wide'] }\n[build-dependencies]");
    let said = project.runs();
    for told in [
        "what is linked is not what the program's manifest says",
        "the tool `alpha.more` was added",
        "the tool `alpha.act` has another `arguments`",
        "give a plugin the same features and version under `[dependencies]` as under `[build-dependencies]`",
    ] {
        assert!(said.contains(told), "{told}: {said}");
    }
}
