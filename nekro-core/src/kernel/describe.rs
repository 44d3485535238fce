//! JSON Schemas of what is linked.

use schemars::{Schema, SchemaGenerator, generate::SchemaSettings};
use serde_json::{Map, Value, json};

use crate::argument::ArgumentDecl;

/// Describes a type.
pub(super) fn described(schema: fn(&mut SchemaGenerator) -> Schema) -> Value {
    let mut generator = generator();
    let schema = schema(&mut generator);
    with_definitions(schema.to_value(), &mut generator)
}

/// Describes an answer; `None` for one whose form is not JSON.
pub(super) fn body_schema(schema: fn(&mut SchemaGenerator) -> Option<Schema>) -> Option<Value> {
    let mut generator = generator();
    let schema = schema(&mut generator)?;
    Some(with_definitions(schema.to_value(), &mut generator))
}

fn generator() -> SchemaGenerator {
    SchemaSettings::draft2020_12().into_generator()
}

fn with_definitions(mut schema: Value, generator: &mut SchemaGenerator) -> Value {
    let definitions = generator.take_definitions(true);
    if let (false, Some(object)) = (definitions.is_empty(), schema.as_object_mut()) {
        object.insert("$defs".to_owned(), Value::Object(definitions));
    }
    schema
}

/// Returns what the schema of an object says of one of its keys.
pub(super) fn schema_of<'s>(schema: &'s Value, name: &str) -> &'s Value {
    schema.get("properties").and_then(|properties| properties.get(name)).unwrap_or(&Value::Null)
}

pub(super) fn object_schema(arguments: &[ArgumentDecl]) -> Value {
    let mut generator = generator();
    let properties: Map<_, _> =
        arguments.iter().map(|argument| (argument.name.to_owned(), argument.schema(&mut generator).to_value())).collect();
    let required: Vec<_> = arguments.iter().filter(|argument| !argument.is_optional()).map(|argument| argument.name).collect();
    let schema = json!({
        "type": "object", "properties": properties, "required": required, "additionalProperties": false,
    });
    with_definitions(schema, &mut generator)
}
