//! The schemas of a manifest as files, for editors and for other programs.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{DIALECT, Manifest};

/// The name of the file that describes the configuration.
const CONFIG: &str = "config.schema.json";

/// The name of the file that describes the policy.
const POLICY: &str = "policy.schema.json";

impl Manifest {
    /// Returns every schema as a file: its path, with `/`, and its text.
    ///
    /// There are `config.schema.json`, `policy.schema.json`, `tools/<tool>.arguments.json`, `tools/<tool>.result.json`, the same below `tasks/`, and `events/<event>.json`.
    pub fn schema_files(&self) -> BTreeMap<String, String> {
        let mut files =
            BTreeMap::from([(CONFIG.to_owned(), text(&self.config_schema())), (POLICY.to_owned(), text(&self.policy_schema()))]);
        let tools = self.plugins.iter().flat_map(|plugin| &plugin.tools);
        let tools = tools.map(|tool| ("tools", &tool.name, &tool.arguments, &tool.result));
        let tasks = self.plugins.iter().flat_map(|plugin| &plugin.tasks);
        let tasks = tasks.map(|task| ("tasks", &task.name, &task.arguments, &task.result));
        for (folder, name, arguments, result) in tools.chain(tasks) {
            let mut add = |part: &str, schema: &Value| {
                let title = format!("{name}: {part}");
                files.insert(format!("{folder}/{name}.{part}.json"), text(&document(&title, schema)));
            };
            add("arguments", arguments);
            if let Some(result) = result {
                add("result", result);
            }
        }
        for event in self.plugins.iter().flat_map(|plugin| &plugin.events).chain(&self.events) {
            files.insert(format!("events/{}.json", event.name), text(&document(&event.name, &event.schema)));
        }
        files
    }

    /// Describes the table `plugins` of `nekro.toml`, for exactly these plugins.
    ///
    /// What the plugins' types share a name for is kept apart: a definition is called `<plugin>.<name>`.
    pub fn config_schema(&self) -> Value {
        let (mut properties, mut definitions) = (Map::new(), Map::new());
        for plugin in &self.plugins {
            let nothing = || json!({ "type": "object", "additionalProperties": false });
            let mut schema = plugin.config.clone().unwrap_or_else(nothing);
            rename_references(&mut schema, &plugin.id);
            if let Value::Object(schema) = &mut schema {
                if let Some(Value::Object(own)) = schema.remove("$defs") {
                    definitions.extend(own.into_iter().map(|(name, schema)| (format!("{}.{name}", plugin.id), schema)));
                }
                schema.insert("title".to_owned(), plugin.title.as_ref().unwrap_or(&plugin.id).as_str().into());
                schema.entry("description").or_insert_with(|| plugin.description.as_str().into());
            }
            properties.insert(plugin.id.clone(), schema);
        }
        let mut schema = json!({
            "$schema": DIALECT,
            "title": "plugins",
            "description": "The configuration of the linked plugins.",
            "type": "object",
            "properties": properties,
            "additionalProperties": false,
        });
        if !definitions.is_empty() {
            schema["$defs"] = definitions.into();
        }
        schema.sort_all_objects();
        schema
    }
}

/// Makes a document of a schema.
fn document(title: &str, schema: &Value) -> Value {
    let mut document = schema.clone();
    if let Value::Object(document) = &mut document {
        document.insert("$schema".to_owned(), DIALECT.into());
        document.entry("title").or_insert_with(|| title.into());
    }
    document.sort_all_objects();
    document
}

fn text(document: &Value) -> String {
    format!("{document:#}\n")
}

/// Lets references to `#/$defs/Name` point to `#/$defs/plugin.Name`.
fn rename_references(schema: &mut Value, plugin: &str) {
    match schema {
        Value::Object(object) => {
            for (key, value) in object {
                match (key.as_str(), value) {
                    ("$ref", Value::String(reference)) => {
                        if let Some(name) = reference.strip_prefix("#/$defs/") {
                            *reference = format!("#/$defs/{plugin}.{name}");
                        }
                    }
                    // The keys in these are names, such as `default`, and no keywords.
                    ("properties" | "patternProperties" | "dependentSchemas" | "$defs", Value::Object(named)) => {
                        named.values_mut().for_each(|schema| rename_references(schema, plugin));
                    }
                    // These hold values, not schemas.
                    ("default" | "const" | "enum" | "examples", _) => {}
                    (_, value) => rename_references(value, plugin),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| rename_references(item, plugin)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_renamed_and_values_are_not() {
        let mut schema = json!({
            "properties": {
                "default": { "$ref": "#/$defs/A" },
                "b": { "anyOf": [{ "$ref": "#/$defs/B" }, { "type": "null" }], "default": { "$ref": "#/$defs/B" } },
            },
            "$defs": { "const": { "items": { "$ref": "#/$defs/A" } } },
        });
        rename_references(&mut schema, "p");
        let expected = json!({
            "properties": {
                "default": { "$ref": "#/$defs/p.A" },
                "b": { "anyOf": [{ "$ref": "#/$defs/p.B" }, { "type": "null" }], "default": { "$ref": "#/$defs/B" } },
            },
            "$defs": { "const": { "items": { "$ref": "#/$defs/p.A" } } },
        });
        assert_eq!(schema, expected);
    }
}
