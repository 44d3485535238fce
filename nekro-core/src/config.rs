//! Reading a plugin's configuration.

use std::any::Any;

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::argument::{ConfigMistake, config_mistake};

/// Reads the configuration of a plugin that has one.
///
/// # Errors
///
/// Names the key and what is wrong with it.
pub fn read_config<T: DeserializeOwned + Send + Sync + 'static>(json: &str) -> Result<Box<dyn Any + Send + Sync>, ConfigMistake> {
    // Serde's derive would also take a list of the fields' values, in their order.
    if !json.trim_ascii_start().starts_with('{') {
        return Err(ConfigMistake { path: String::new(), problem: "expected a table".to_owned() });
    }
    // A key that nobody reads is a mistake wherever it stands, also inside types that do not say so themselves.
    let mut unknown = None;
    let mut note = |path: serde_ignored::Path<'_>| {
        unknown.get_or_insert_with(|| path.to_string());
    };
    let mut reader = serde_json::Deserializer::from_str(json);
    let reader = serde_ignored::Deserializer::new(&mut reader, &mut note);
    let config = serde_path_to_error::deserialize::<_, T>(reader).map_err(|error| config_mistake(&error))?;
    match unknown {
        // An `Option` on the way shows as `?`, which no file has.
        Some(path) => Err(ConfigMistake { path: path.replace("?.", ""), problem: "unknown key".to_owned() }),
        None => Ok(Box::new(config)),
    }
}

/// Reads the configuration of a plugin that has none: nothing may be set.
///
/// # Errors
///
/// If something is set.
pub fn read_nothing<T: Send + Sync + 'static>(json: &str, make: fn() -> T) -> Result<Box<dyn Any + Send + Sync>, ConfigMistake> {
    match serde_json::from_str::<serde_json::Map<String, Value>>(json) {
        Ok(map) if map.is_empty() => Ok(Box::new(make())),
        Ok(map) => Err(ConfigMistake {
            path: map.keys().next().cloned().unwrap_or_default(),
            problem: "this plugin has no configuration".to_owned(),
        }),
        Err(_) => Err(ConfigMistake { path: String::new(), problem: "expected a table".to_owned() }),
    }
}

/// Says in a schema what [`read_config`] does: an object has no other keys than those that are described.
pub(crate) fn close(schema: &mut Value) {
    const COMPOSED: [&str; 6] = ["allOf", "anyOf", "oneOf", "$ref", "additionalProperties", "patternProperties"];
    match schema {
        Value::Object(object) => {
            if object.get("properties").is_some_and(Value::is_object) && !COMPOSED.iter().any(|key| object.contains_key(*key)) {
                object.insert("additionalProperties".to_owned(), false.into());
            }
            object.values_mut().for_each(close);
        }
        Value::Array(items) => items.iter_mut().for_each(close),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use expect_test::{Expect, expect};
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only printed")]
    struct Config {
        #[serde(default)]
        stops: Vec<Stop>,
        #[serde(default)]
        extra: Option<Stop>,
        #[serde(default)]
        named: BTreeMap<String, Stop>,
        #[serde(default)]
        unit: Unit,
    }

    // Says nothing of unknown keys.
    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "only printed")]
    struct Stop {
        name: String,
    }

    #[derive(Debug, Default, Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Unit {
        #[default]
        Metric,
    }

    #[track_caller]
    fn check(json: &str, expected: Expect) {
        expected.assert_eq(&match read_config::<Config>(json) {
            Ok(config) => format!("{:?}", config.downcast_ref::<Config>()),
            Err(mistake) => mistake.to_string(),
        });
    }

    #[test]
    fn unknown_keys_are_refused_at_every_depth() {
        check(
            r#"{"stops":[{"name":"a"}],"unit":"metric"}"#,
            expect![[r#"Some(Config { stops: [Stop { name: "a" }], extra: None, named: {}, unit: Metric })"#]],
        );
        check(r#"{"stop":[]}"#, expect!["`stop`: unknown key: did you mean `stops`?"]);
        check(r#"{"stops":[{"name":"a"},{"name":"b","nmae":"c"}]}"#, expect!["`stops.1.nmae`: unknown key"]);
        check(r#"{"extra":{"name":"b","x":1}}"#, expect!["`extra.x`: unknown key"]);
        check(r#"{"named":{"k":{"name":"b","x":1}}}"#, expect!["`named.k.x`: unknown key"]);
    }

    #[test]
    fn a_wrong_value_has_its_path() {
        check(r#"{"stops":[{"name":3}]}"#, expect!["`stops[0].name`: invalid type: integer `3`, expected a string"]);
        check(r#"{"unit":"imperial"}"#, expect!["`unit`: unknown variant `imperial`, expected `metric`"]);
        check("[]", expect!["expected a table"]);
    }
}
