//! The smallest plugin: a struct that is the plugin, and a function that is its tool.

#![forbid(unsafe_code)]

use nekro_core::prelude::*;

/// Says hello.
#[plugin(id = "hello")]
pub struct Hello;

/// Greets somebody by name.
#[tool(read_only)]
fn greet(
    /// Whom to greet.
    name: &str,
) -> String {
    format!("Hello, {name}!")
}

#[cfg(test)]
mod tests {
    use nekro_core::testing::Host;
    use serde_json::json;

    use super::*;

    #[test]
    fn the_function_stays_a_function() {
        assert_eq!(greet("Ada"), "Hello, Ada!");
    }

    #[test]
    fn the_model_calls_it_with_json() {
        let reply = Host::of::<Hello>().call("greet", json!({ "name": "Ada" })).expect("a greeting");
        assert_eq!(reply.to_text(), "Hello, Ada!");
    }
}
