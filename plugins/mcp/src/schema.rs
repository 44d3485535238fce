//! JSON Schemas of somebody else's, made harmless: small, flat enough, and without references.
//!
//! Whoever reads a schema later (a model's provider, the stubs of scripts, a client) would follow references, and a schema can be written so that
//! this never ends. So they are written out here, within a budget; where one leads back to itself, anything is allowed.

use serde_json::{Map, Value, json};

use crate::text::clean;

/// How large and how deep a schema may be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// In bytes, as it comes and once more as it is written out.
    pub(crate) bytes: usize,
    /// In schemas within schemas.
    pub(crate) depth: usize,
}

/// How many characters a description within a schema may have.
const MOST_OF_A_DESCRIPTION: usize = 500;

/// What holds schemas by name, a list of them, or one.
const BY_NAME: [&str; 4] = ["properties", "patternProperties", "dependentSchemas", "$defs"];
const LISTS: [&str; 4] = ["allOf", "anyOf", "oneOf", "prefixItems"];
const SINGLE: [&str; 11] = [
    "items",
    "additionalProperties",
    "unevaluatedProperties",
    "unevaluatedItems",
    "propertyNames",
    "contains",
    "not",
    "if",
    "then",
    "else",
    "contentSchema",
];
const TYPES: [&str; 7] = ["array", "boolean", "integer", "null", "number", "object", "string"];

/// Makes a schema of an object harmless.
///
/// # Errors
///
/// What is wrong with it, and where.
pub(crate) fn tidy(schema: &Value, bounds: Bounds) -> Result<Value, String> {
    let size = schema.to_string().len();
    if size > bounds.bytes {
        return Err(format!("its schema has {size} bytes, and {} are allowed (`schema_bytes`)", bounds.bytes));
    }
    let mut reader = Reader { root: schema, bounds, left: bounds.bytes, open: Vec::new() };
    let mut tidy = reader.schema(schema, "", 0)?;
    let Some(object) = tidy.as_object_mut() else { return Err("its schema is no object".to_owned()) };
    match object.get("type") {
        None => drop(object.insert("type".to_owned(), json!("object"))),
        Some(Value::String(kind)) if kind == "object" => {}
        Some(other) => return Err(format!("its schema is about {other}, and not about an object")),
    }
    Ok(tidy)
}

struct Reader<'s> {
    root: &'s Value,
    bounds: Bounds,
    // How many bytes may still be written.
    left: usize,
    // The references that are being written out.
    open: Vec<&'s str>,
}

impl<'s> Reader<'s> {
    fn schema(&mut self, schema: &'s Value, path: &str, depth: usize) -> Result<Value, String> {
        let at = || if path.is_empty() { "its schema".to_owned() } else { format!("its schema, at `{}`,", clean(path, 200)) };
        if depth > self.bounds.depth {
            return Err(format!("{} is deeper than {} (`schema_depth`)", at(), self.bounds.depth));
        }
        let object = match schema {
            Value::Bool(_) => return Ok(schema.clone()),
            Value::Object(object) => object,
            _ => return Err(format!("{} is neither an object nor `true` or `false`", at())),
        };
        let mut written = match object.get("$ref") {
            None => Map::new(),
            Some(Value::String(reference)) => match self.reference(reference, path, depth)? {
                Value::Object(written) => written,
                other => return Ok(other),
            },
            Some(_) => return Err(format!("{} has a `$ref` that is no text", at())),
        };
        if object.contains_key("$dynamicRef") || object.contains_key("$recursiveRef") {
            return Err(format!("{} has a reference that depends on where it is read", at()));
        }
        for (key, value) in object {
            let here = format!("{path}/{key}");
            let value = match (key.as_str(), value) {
                // Written out, or about the schema itself.
                ("$ref" | "$defs" | "definitions" | "$schema" | "$id" | "$anchor" | "$dynamicAnchor" | "$comment", _) => continue,
                ("description" | "title", Value::String(text)) => Value::String(clean(text, MOST_OF_A_DESCRIPTION)),
                ("type", kind) if !is_type(kind) => return Err(format!("{} has a `type` that there is not", at())),
                ("required", Value::Array(names)) if names.iter().all(Value::is_string) => value.clone(),
                ("enum", Value::Array(values)) if !values.is_empty() => value.clone(),
                ("required" | "enum", _) => return Err(format!("{} has a `{key}` that is none", at())),
                (key, Value::Object(schemas)) if BY_NAME.contains(&key) => {
                    let schema = |(name, schema): (&'s String, &'s Value)| {
                        self.spend(name.len())?;
                        let written = self.schema(schema, &format!("{here}/{name}"), depth + 1)?;
                        Ok((clean(name, MOST_OF_A_DESCRIPTION), written))
                    };
                    Value::Object(schemas.iter().map(schema).collect::<Result<_, String>>()?)
                }
                (key, Value::Array(schemas)) if LISTS.contains(&key) && !schemas.is_empty() => {
                    let schema = |schema: &'s Value| self.schema(schema, &here, depth + 1);
                    Value::Array(schemas.iter().map(schema).collect::<Result<_, String>>()?)
                }
                // A list of schemas, in older drafts.
                ("items", Value::Array(schemas)) => {
                    let schema = |schema: &'s Value| self.schema(schema, &here, depth + 1);
                    Value::Array(schemas.iter().map(schema).collect::<Result<_, String>>()?)
                }
                (key, schema) if SINGLE.contains(&key) => self.schema(schema, &here, depth + 1)?,
                (key, _) if BY_NAME.contains(&key) || LISTS.contains(&key) => {
                    return Err(format!("{} has a `{key}` that is none", at()));
                }
                (_, value) => value.clone(),
            };
            let is_of_schemas = [&BY_NAME[..], &LISTS, &SINGLE].iter().any(|keys| keys.contains(&key.as_str()));
            // Schemas within it have been counted already.
            self.spend(key.len() + if is_of_schemas { 8 } else { value.to_string().len() })?;
            written.insert(key.clone(), value);
        }
        Ok(Value::Object(written))
    }

    /// Counts what is written.
    fn spend(&mut self, size: usize) -> Result<(), String> {
        match self.left.checked_sub(size) {
            Some(left) => {
                self.left = left;
                Ok(())
            }
            None => {
                let most = self.bounds.bytes;
                Err(format!("its schema has more than {most} bytes once its references are written out (`schema_bytes`)"))
            }
        }
    }

    /// Writes out what a reference leads to.
    fn reference(&mut self, reference: &'s str, path: &str, depth: usize) -> Result<Value, String> {
        if self.open.contains(&reference) {
            return Ok(Value::Bool(true));
        }
        let Some(pointer) = reference.strip_prefix('#') else {
            return Err(format!("its schema refers to `{}`, which is not in it", clean(reference, 200)));
        };
        let Some(target) = self.root.pointer(pointer) else {
            return Err(format!("its schema refers to `{}`, and there is nothing", clean(reference, 200)));
        };
        self.open.push(reference);
        let written = self.schema(target, path, depth + 1);
        self.open.pop();
        written
    }
}

fn is_type(kind: &Value) -> bool {
    let is_one = |kind: &Value| kind.as_str().is_some_and(|kind| TYPES.contains(&kind));
    match kind {
        Value::Array(kinds) => !kinds.is_empty() && kinds.iter().all(is_one),
        kind => is_one(kind),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOUNDS: Bounds = Bounds { bytes: 4_096, depth: 8 };

    #[track_caller]
    fn refused(schema: Value, why: &str) {
        let problem = tidy(&schema, BOUNDS).expect_err("it is refused");
        assert!(problem.contains(why), "{problem}");
    }

    #[test]
    fn a_schema_is_written_without_references() {
        let schema = json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "properties": { "at": { "$ref": "#/$defs/Place", "description": "Where\u{1b}[2J." } },
            "required": ["at"],
            "$defs": { "Place": { "type": "object", "properties": { "x": { "type": "integer" } } } },
        });
        assert_eq!(
            tidy(&schema, BOUNDS),
            Ok(json!({
                "type": "object",
                "properties": { "at": { "type": "object", "properties": { "x": { "type": "integer" } }, "description": "Where[2J." } },
                "required": ["at"],
            }))
        );
    }

    #[test]
    fn what_leads_back_to_itself_may_be_anything() {
        let tree = json!({
            "$ref": "#/$defs/Tree",
            "$defs": { "Tree": { "type": "object", "properties": { "kids": { "type": "array", "items": { "$ref": "#/$defs/Tree" } } } } },
        });
        assert_eq!(
            tidy(&tree, BOUNDS),
            Ok(json!({ "type": "object", "properties": { "kids": { "type": "array", "items": true } } }))
        );
        assert_eq!(
            tidy(&json!({ "allOf": [{ "$ref": "#" }] }), BOUNDS).map(|schema| schema["type"].clone()),
            Ok(json!("object"))
        );
        let ring = json!({ "$ref": "#/$defs/a", "$defs": { "a": { "$ref": "#/$defs/b" }, "b": { "$ref": "#/$defs/a" } } });
        assert_eq!(tidy(&ring, BOUNDS), Err("its schema is no object".to_owned()));
    }

    #[test]
    fn a_bomb_does_not_go_off() {
        // Each definition has the next one ten times: a billion of them.
        let mut definitions = Map::new();
        for level in 0..9 {
            let next = json!({ "$ref": format!("#/$defs/l{}", level + 1) });
            let ten: Map<_, _> = (0..10).map(|key| (key.to_string(), next.clone())).collect();
            definitions.insert(format!("l{level}"), json!({ "type": "object", "properties": ten }));
        }
        definitions.insert("l9".to_owned(), json!({ "type": "string" }));
        let bomb = json!({ "$ref": "#/$defs/l0", "$defs": definitions });
        let bounds = Bounds { bytes: 64 * 1024, depth: 64 };
        let problem = tidy(&bomb, bounds).expect_err("it is refused");
        assert!(problem.contains("once its references are written out"), "{problem}");
    }

    #[test]
    fn a_schema_that_is_too_large_or_too_deep_is_refused() {
        refused(json!({ "description": "x".repeat(5_000) }), "`schema_bytes`");
        let mut deep = json!({});
        for _ in 0..9 {
            deep = json!({ "not": deep });
        }
        refused(deep, "`schema_depth`");
    }

    #[test]
    fn a_schema_that_is_none_is_refused_with_the_place() {
        refused(json!({ "type": "string" }), "not about an object");
        refused(json!(["object"]), "neither an object");
        refused(json!({ "type": "thing" }), "`type`");
        refused(json!({ "properties": { "a": { "type": ["string", 7] } } }), "at `/properties/a`");
        refused(json!({ "properties": { "a": 7 } }), "at `/properties/a`");
        refused(json!({ "properties": [] }), "`properties`");
        refused(json!({ "required": "a" }), "`required`");
        refused(json!({ "required": [1] }), "`required`");
        refused(json!({ "anyOf": [] }), "`anyOf`");
        refused(json!({ "$ref": "https://evil.example/schema" }), "which is not in it");
        refused(json!({ "$ref": "#/$defs/none" }), "there is nothing");
        refused(json!({ "$ref": 7 }), "`$ref`");
        refused(json!({ "$dynamicRef": "#x" }), "depends on");
        assert_eq!(tidy(&json!({}), BOUNDS), Ok(json!({ "type": "object" })));
    }
}
