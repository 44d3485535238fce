//! From plugins to a program: what the build refuses, and the manifest and the schemas that it makes.

mod config_schema;
mod manifest;
mod policy;
mod project;
mod refused;
mod start;

use nekro_core::prelude::*;

/// A plugin with every kind of key.
#[plugin(id = "everything", title = "Everything")]
#[expect(dead_code, reason = "only described, by a test")]
pub struct Everything {
    /// A key of the service.
    api_key: Secret<String>,
    /// A second one.
    #[serde(default)]
    spare_key: Option<Secret<String>>,
    /// Seconds to wait.
    #[serde(default = "ten")]
    #[schemars(range(min = 1, max = 60))]
    timeout: u8,
    /// Where to look first.
    #[serde(default)]
    #[schemars(extend("examples" = ["Berlin"]))]
    city: Option<String>,
    /// Use `city`.
    #[serde(default)]
    #[deprecated]
    #[schemars(extend("deprecated" = true))]
    town: Option<String>,
    /// Places.
    #[serde(default)]
    places: Vec<Rule>,
}

/// A place. The plugin `guard` has a type of this name, too.
#[derive(Debug, Deserialize, JsonSchema)]
#[expect(dead_code, reason = "only described")]
struct Rule {
    /// Its name.
    name: String,
}

fn ten() -> u8 {
    10
}
