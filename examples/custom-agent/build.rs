//! Checks the plugins, and writes their manifest and their schemas.

#[path = "src/bundle.rs"]
mod bundle;

fn main() {
    nekro_core::build::write(bundle::PLUGINS);
}
