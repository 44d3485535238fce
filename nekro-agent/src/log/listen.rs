//! What plugins write to the log during a call, for whoever made it.
//!
//! Whose an entry is, the module says that wrote it: what the host notes of a plugin is the operator's alone. Which call it belongs to, the
//! task says that makes it.

use std::sync::Arc;

use serde_json::{Map, Value};
use tracing::Level;

use super::Keeper;

tokio::task_local! {
    // Whoever listens to the call that is being made.
    static LISTENER: Arc<dyn Listener>;
}

/// An entry of a plugin, without the secrets that the settings know.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Written {
    pub(crate) plugin: &'static str,
    pub(crate) level: Level,
    pub(crate) message: String,
    pub(crate) fields: Map<String, Value>,
}

/// Listens to one call. It must neither wait nor write to the log.
pub(crate) trait Listener: Send + Sync {
    /// Tells whether entries of this level are wanted.
    fn wants(&self, level: Level) -> bool;

    /// Takes one up.
    fn hear(&self, entry: Written);
}

/// Makes a call, and has somebody listen to what plugins write meanwhile: `INFO` and above, as the log keeps it.
#[cfg(feature = "mcp")]
pub(crate) async fn listening<T>(listener: Arc<dyn Listener>, call: impl Future<Output = T>) -> T {
    LISTENER.scope(listener, call).await
}

/// Returns whoever listens and wants entries of a level.
pub(super) fn listener(level: Level) -> Option<Arc<dyn Listener>> {
    LISTENER.try_with(|listener| listener.wants(level).then(|| Arc::clone(listener))).ok().flatten()
}

/// Reads an entry, if a plugin wrote it.
pub(super) fn written(keeper: &Keeper, mut fields: Map<String, Value>, level: Level, module: &str) -> Option<Written> {
    let plugin = keeper.plugin_of(module)?;
    for value in fields.values_mut() {
        if let Value::String(text) = value {
            *text = keeper.clean(std::mem::take(text));
        }
    }
    let message = match fields.remove("message") {
        Some(Value::String(text)) => text,
        Some(other) => other.to_string(),
        None => String::new(),
    };
    Some(Written { plugin, level, message, fields })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_entry_is_of_the_plugin_whose_module_wrote_it_and_says_no_secret() {
        let keeper =
            Keeper { file: None, secrets: vec!["s3cret".to_owned()], plugins: vec![("nekro_plugin_dice".to_owned(), "dice")] };
        let read = |module: &str| {
            let fields = json!({ "message": "the key s3cret", "url": "?s3cret", "n": 1, "plugin": "notes" });
            let Value::Object(fields) = fields else { panic!("fields are an object") };
            written(&keeper, fields, Level::WARN, module)
        };
        let entry = read("nekro_plugin_dice::cup").expect("a plugin wrote it");
        assert_eq!((entry.plugin, entry.message.as_str(), &entry.fields["url"]), ("dice", "the key •••", &json!("?•••")));
        assert_eq!(read("nekro::http"), None, "what the host notes of a plugin is not the plugin's");
    }
}
