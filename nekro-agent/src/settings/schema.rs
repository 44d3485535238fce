//! What can be set: one JSON Schema of `nekro.toml`, for exactly the plugins that are linked.

use nekro_core::{PluginDecl, kernel::Registry};
use serde_json::{Map, Value, json};

use super::{form::Form, section::SECTIONS};

/// What can be set in an agent with certain plugins.
pub(crate) struct Catalogue {
    schema: Value,
    plugins: Vec<&'static PluginDecl>,
}

impl Catalogue {
    pub(crate) fn of(registry: &Registry) -> Self {
        let mut definitions = Map::new();
        let mut plugins = Map::new();
        for entry in registry.plugins() {
            let decl = entry.decl;
            let section = entry.config_schema().map(|schema| embed(schema, decl.id, &mut definitions));
            let nothing =
                || json!({ "type": "object", "description": decl.docs, "properties": {}, "additionalProperties": false });
            plugins.insert(decl.id.to_owned(), section.unwrap_or_else(nothing));
        }
        let decls: Vec<_> = registry.plugins().iter().map(|entry| entry.decl).collect();
        let ids: Vec<_> = decls.iter().map(|decl| decl.id).collect();
        let mut schema = json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "title": "nekro.toml",
            "description": "The settings of a nekro agent with the plugins that it was built with.",
            "type": "object",
            "properties": {
                "disabled": {
                    "type": "array", "items": { "type": "string", "enum": ids }, "uniqueItems": true, "default": [],
                    "description": "The plugins that are left out.",
                },
            },
            "additionalProperties": false,
        });
        for section in SECTIONS {
            // No plugin has a dot in its name.
            let owner = format!("nekro.{}", section.name);
            schema["properties"][section.name] = embed((section.schema)(), &owner, &mut definitions);
        }
        schema["properties"]["plugins"] = json!({
            "type": "object", "properties": plugins, "additionalProperties": false,
            "description": "The configuration of each plugin.",
        });
        if !definitions.is_empty() {
            schema["$defs"] = Value::Object(definitions);
        }
        Self { schema, plugins: decls }
    }

    /// Returns the JSON Schema, version 2020-12. The same plugins have the same schema, to the byte.
    pub(crate) fn schema(&self) -> Value {
        let mut schema = self.schema.clone();
        references(&mut schema, &self.schema);
        schema
    }

    /// Returns what the schema says of the whole.
    pub(crate) fn form(&self) -> Form<'_> {
        Form::root(&self.schema)
    }

    pub(crate) fn plugins(&self) -> &[&'static PluginDecl] {
        &self.plugins
    }

    pub(crate) fn ids(&self) -> impl Iterator<Item = &'static str> {
        self.plugins.iter().map(|plugin| plugin.id)
    }
}

/// The words of a schema whose values are no schemas.
pub(super) const HOLDS_VALUES: [&str; 4] = ["default", "const", "enum", "examples"];
/// The words of a schema under which schemas stand by names, which may be any words.
pub(super) const NAMES_SCHEMAS: [&str; 4] = ["properties", "patternProperties", "dependentSchemas", "$defs"];

/// Moves the definitions of a schema to those of the whole, where they are called `plugin.Name`.
fn embed(mut schema: Value, owner: &str, definitions: &mut Map<String, Value>) -> Value {
    if let Some(Value::Object(own)) = schema.as_object_mut().and_then(|object| object.remove("$defs")) {
        for (name, mut definition) in own {
            rename(&mut definition, owner);
            definitions.insert(format!("{owner}.{name}"), definition);
        }
    }
    rename(&mut schema, owner);
    schema
}

/// Lets the references of a schema point to where its definitions went.
fn rename(schema: &mut Value, owner: &str) {
    if let Some(Value::String(reference)) = schema.get_mut("$ref")
        && let Some(name) = reference.strip_prefix("#/$defs/")
    {
        *reference = format!("#/$defs/{owner}.{name}");
    }
    for_each_part(schema, &mut |part| rename(part, owner));
}

/// Goes to every schema that stands directly in another one.
fn for_each_part(schema: &mut Value, go: &mut dyn FnMut(&mut Value)) {
    for (word, value) in schema.as_object_mut().into_iter().flatten() {
        match (word.as_str(), value) {
            (word, Value::Object(named)) if NAMES_SCHEMAS.contains(&word) => named.values_mut().for_each(&mut *go),
            (word, _) if HOLDS_VALUES.contains(&word) => {}
            (_, Value::Array(several)) => several.iter_mut().for_each(&mut *go),
            (_, part @ Value::Object(_)) => go(part),
            _ => {}
        }
    }
}

/// Says that a secret may be kept elsewhere.
fn references(schema: &mut Value, root: &Value) {
    let is_text = |schema: &Value| !Form::of(root, [schema]).types().contains("object");
    match schema {
        schema if schema.get("x-secret") == Some(&Value::Bool(true)) && is_text(schema) => {
            let Value::Object(object) = schema else { return };
            // What says something of the value stands with the value, and what says something of the key with the key.
            let about_the_key: Map<_, _> = ["description", "title", "writeOnly", "x-secret", "deprecated"]
                .into_iter()
                .filter_map(|word| Some((word.to_owned(), object.remove(word)?)))
                .collect();
            let value = Value::Object(std::mem::replace(object, about_the_key));
            let one = |name: &str, says: &str| {
                json!({
                    "type": "object", "properties": { name: { "type": "string", "description": says } },
                    "required": [name], "additionalProperties": false,
                })
            };
            let kept = [
                one("env", "The environment variable that holds the secret."),
                one("file", "The file that holds the secret; nobody else may read it."),
            ];
            object.insert("anyOf".to_owned(), std::iter::once(value).chain(kept).collect());
        }
        schema => for_each_part(schema, &mut |part| references(part, root)),
    }
}

#[cfg(test)]
mod tests {
    use nekro_core::kernel::Declarations;

    use super::*;
    use crate::settings::testing::{WEATHER, registry};

    fn catalogue() -> Catalogue {
        Catalogue::of(&registry())
    }

    fn every_part(schema: &mut Value, look: &mut dyn FnMut(&mut Value)) {
        look(schema);
        for_each_part(schema, &mut |part| every_part(part, look));
    }

    #[test]
    fn every_reference_leads_somewhere() {
        let whole = catalogue().schema();
        let (mut schema, mut count) = (whole.clone(), 0);
        every_part(&mut schema, &mut |part| {
            if let Some(reference) = part.get("$ref") {
                let pointer = reference.as_str().and_then(|text| text.strip_prefix('#')).expect("a place in the schema");
                assert!(whole.pointer(pointer).is_some(), "{pointer}");
                count += 1;
            }
        });
        assert!(count > 1, "{whole:#}");
    }

    #[test]
    fn it_is_closed_and_always_the_same() {
        let schema = catalogue().schema();
        assert_eq!(schema.to_string(), catalogue().schema().to_string());
        for pointer in ["", "/properties/limits", "/properties/plugins", "/properties/plugins/properties/weather"] {
            assert_eq!(
                schema.pointer(pointer).and_then(|table| table.get("additionalProperties")),
                Some(&Value::Bool(false)),
                "{pointer}"
            );
        }
        assert_eq!(schema["properties"]["disabled"]["items"]["enum"], json!([WEATHER.id]));
        let none = Catalogue::of(&Registry::new(Declarations::default()).expect("nothing can clash"));
        assert_eq!(none.schema()["properties"]["plugins"]["properties"], json!({}));
    }

    #[test]
    fn a_secret_may_be_kept_elsewhere() {
        let schema = catalogue().schema();
        let token = &schema["properties"]["plugins"]["properties"]["weather"]["properties"]["token"];
        assert_eq!(token["x-secret"], true);
        assert_eq!(token["anyOf"][1]["required"], json!(["env"]));
        assert_eq!(token["anyOf"][2]["required"], json!(["file"]));
    }
}
