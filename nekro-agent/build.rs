//! The build step of the program `nekro`: checks the bundled plugins, and writes their manifest and their schemas.

fn main() {
    #[cfg(feature = "bundle")]
    nekro_core::build::write(nekro_plugins::PLUGINS);
    #[cfg(not(feature = "bundle"))]
    println!("cargo::rerun-if-changed=build.rs");
}
