//! Reading a plugin's configuration, and a host's own settings in the same way.

mod bounds;

use std::any::Any;

use schemars::{JsonSchema, Schema, SchemaGenerator, generate::SchemaSettings};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::argument::{ConfigMistake, config_mistake};

/// Reads the configuration of a plugin that has one.
///
/// # Errors
///
/// Names the key and what is wrong with it.
pub fn read_config<T: DeserializeOwned + JsonSchema + Send + Sync + 'static>(
    json: &str,
) -> Result<Box<dyn Any + Send + Sync>, ConfigMistake> {
    let config: T = read_settings(json)?;
    Ok(Box::new(config))
}

/// Reads a table of settings: a key that nobody reads is a mistake, wherever it stands, and so is a value beyond the bounds that the schema
/// says, such as `#[schemars(range(min = 1))]`.
///
/// # Errors
///
/// Names the key and what is wrong with it.
pub fn read_settings<T: DeserializeOwned + JsonSchema>(json: &str) -> Result<T, ConfigMistake> {
    // Serde's derive would also take a list of the fields' values, in their order.
    if !json.trim_ascii_start().starts_with('{') {
        return Err(ConfigMistake { path: String::new(), problem: "expected a table".to_owned() });
    }
    // Also inside types that do not say so themselves.
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
        None => bounds::check(json, || schema(T::json_schema)).map(|()| config),
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

/// Compares a value of any kind with the bounds that a schema sets: ranges and lengths.
pub(crate) fn value_within_bounds(value: &Value, schema: &Value) -> Result<(), ConfigMistake> {
    bounds::check_value(value, schema)
}

/// Describes a table of settings, as [`read_settings`] reads it: a JSON Schema, version 2020-12, without `$schema`.
pub fn settings_schema<T: JsonSchema>() -> Value {
    schema(T::json_schema)
}

/// The same, of a type that is known by how it describes itself.
pub(crate) fn schema(describe: fn(&mut SchemaGenerator) -> Schema) -> Value {
    let mut generator = SchemaSettings::draft2020_12().into_generator();
    let mut schema = describe(&mut generator).to_value();
    let definitions = generator.take_definitions(true);
    if let (false, Some(object)) = (definitions.is_empty(), schema.as_object_mut()) {
        object.insert("$defs".to_owned(), Value::Object(definitions));
    }
    close(&mut schema);
    schema
}

/// Says in a schema what the reader does: an object has no other keys than those that are described.
fn close(schema: &mut Value) {
    const COMPOSED: [&str; 6] = ["allOf", "anyOf", "oneOf", "$ref", "additionalProperties", "patternProperties"];
    let Value::Object(object) = schema else { return };
    if object.get("properties").is_some_and(Value::is_object) && !COMPOSED.iter().any(|key| object.contains_key(*key)) {
        object.insert("additionalProperties".to_owned(), false.into());
    }
    for (word, value) in object {
        match (word.as_str(), value) {
            // Here stand schemas by names, which may be any words.
            ("properties" | "patternProperties" | "dependentSchemas" | "$defs", Value::Object(named)) => {
                named.values_mut().for_each(close);
            }
            // And here values, which are no schemas.
            ("default" | "const" | "enum" | "examples", _) => {}
            (_, Value::Array(several)) => several.iter_mut().for_each(close),
            (_, part) => close(part),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use expect_test::{Expect, expect};
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize, JsonSchema)]
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
    #[derive(Debug, Deserialize, JsonSchema)]
    #[expect(dead_code, reason = "only printed")]
    struct Stop {
        name: String,
    }

    #[derive(Debug, Default, Deserialize, JsonSchema)]
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

    #[test]
    fn a_schema_is_closed_where_it_describes_a_table() {
        #[derive(Deserialize, JsonSchema)]
        #[expect(dead_code, reason = "only described")]
        struct Odd {
            properties: BTreeMap<String, String>,
            default: Option<Inside>,
        }

        #[derive(Deserialize, JsonSchema)]
        #[expect(dead_code, reason = "only described")]
        struct Inside {
            properties: u8,
        }

        let schema = settings_schema::<Odd>();
        let keys = |at: &str| {
            let table = schema.pointer(at).and_then(Value::as_object).expect("a table of schemas");
            table.keys().map(String::as_str).collect::<Vec<_>>()
        };
        // What is called as a word of schemas is a key as any other.
        assert_eq!(keys("/properties"), ["default", "properties"]);
        assert_eq!(keys("/$defs/Inside/properties"), ["properties"]);
        for table in ["", "/$defs/Inside"] {
            assert_eq!(schema.pointer(&format!("{table}/additionalProperties")), Some(&Value::Bool(false)), "{schema:#}");
        }
        let mut values = serde_json::json!({ "default": { "properties": {} }, "examples": [{ "properties": {} }] });
        let before = values.clone();
        close(&mut values);
        assert_eq!(values, before);
    }
}
