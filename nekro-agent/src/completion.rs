//! Completing an argument: the words that it may be.

use serde_json::Value;

/// How deep a schema is followed. One that refers to itself has no end.
const DEEPEST: usize = 8;

/// Returns the words with the beginning that was typed which an argument may be: those of an enumeration, or `true` and `false`.
pub(crate) fn complete(arguments: &Value, argument: &str, typed: &str) -> Vec<String> {
    let mut words = Vec::new();
    if let Some(schema) = arguments.get("properties").and_then(|properties| properties.get(argument)) {
        collect(schema, arguments.get("$defs"), DEEPEST, &mut words);
    }
    let typed = typed.to_lowercase();
    words.retain(|word| word.to_lowercase().starts_with(&typed));
    words
}

fn collect(schema: &Value, definitions: Option<&Value>, depth: usize, words: &mut Vec<String>) {
    let Some(depth) = depth.checked_sub(1) else { return };
    if let Some(name) = schema.get("$ref").and_then(Value::as_str).and_then(|path| path.strip_prefix("#/$defs/"))
        && let Some(definition) = definitions.and_then(|definitions| definitions.get(name))
    {
        collect(definition, definitions, depth, words);
    }
    for several in ["anyOf", "oneOf"] {
        let schemas = schema.get(several).and_then(Value::as_array).into_iter().flatten();
        schemas.for_each(|one| collect(one, definitions, depth, words));
    }
    let listed = schema.get("enum").and_then(Value::as_array).into_iter().flatten();
    words.extend(listed.chain(schema.get("const")).filter_map(Value::as_str).map(str::to_owned));
    if schema.get("type").and_then(Value::as_str) == Some("boolean") {
        words.extend(["true", "false"].map(str::to_owned));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_enumeration_is_completed_wherever_it_stands() {
        let arguments = json!({
            "properties": {
                "unit": { "$ref": "#/$defs/Unit" },
                "maybe": { "anyOf": [{ "$ref": "#/$defs/Unit" }, { "type": "null" }] },
                "listed": { "type": "string", "enum": ["a", "b"] },
                "exact": { "type": "boolean" },
                "free": { "type": "string" },
                "endless": { "$ref": "#/$defs/Endless" },
            },
            "$defs": {
                "Unit": { "oneOf": [{ "const": "metric" }, { "const": "imperial" }] },
                "Endless": { "anyOf": [{ "$ref": "#/$defs/Endless" }] },
            },
        });
        for (argument, typed, words) in [
            ("unit", "", &["metric", "imperial"][..]),
            ("maybe", "I", &["imperial"]),
            ("listed", "", &["a", "b"]),
            ("exact", "t", &["true"]),
            ("free", "", &[]),
            ("endless", "", &[]),
            ("unknown", "", &[]),
        ] {
            assert_eq!(complete(&arguments, argument, typed), words, "{argument} {typed}");
        }
    }
}
