//! The program and its manifest.

use nekro_core::manifest::{MAGIC, Manifest, unwrap_section};

use crate::project::Project;

#[test]
fn a_program_carries_its_manifest_and_starts() {
    let project = Project::new("good").plugin("alpha", "alpha").bundle(&["alpha"], "alpha");
    assert_eq!(project.runs(), "all is well\n");
    let program = project.program();
    let mut sections = program.windows(MAGIC.len()).enumerate().filter(|(_, bytes)| *bytes == MAGIC);
    let json = sections.find_map(|(at, _)| unwrap_section(&program[at..]).ok()).expect("the program has the section");
    let manifest: Manifest = serde_json::from_slice(json).expect("it holds a manifest");
    assert_eq!(manifest.plugin("alpha").map(|plugin| plugin.tools[0].name.as_str()), Some("alpha.act"));
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
