//! Exists because `links` requires a build script; see `Cargo.toml`.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
}
