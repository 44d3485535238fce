//! Reading a plugin's configuration.

use std::any::Any;

use serde::de::DeserializeOwned;

use crate::argument::{ConfigMistake, config_mistake};

/// Reads the configuration of a plugin that has one.
///
/// # Errors
///
/// Names the key and what is wrong with it.
pub fn read_config<T: DeserializeOwned + Send + Sync + 'static>(json: &str) -> Result<Box<dyn Any + Send + Sync>, ConfigMistake> {
    let mut reader = serde_json::Deserializer::from_str(json);
    match serde_path_to_error::deserialize::<_, T>(&mut reader) {
        Ok(config) => Ok(Box::new(config)),
        Err(error) => Err(config_mistake(&error)),
    }
}

/// Reads the configuration of a plugin that has none: nothing may be set.
///
/// # Errors
///
/// If something is set.
pub fn read_nothing<T: Send + Sync + 'static>(json: &str, make: fn() -> T) -> Result<Box<dyn Any + Send + Sync>, ConfigMistake> {
    match serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(json) {
        Ok(map) if map.is_empty() => Ok(Box::new(make())),
        Ok(map) => Err(ConfigMistake {
            path: map.keys().next().cloned().unwrap_or_default(),
            problem: "this plugin has no configuration".to_owned(),
        }),
        Err(_) => Err(ConfigMistake { path: String::new(), problem: "expected a table".to_owned() }),
    }
}
