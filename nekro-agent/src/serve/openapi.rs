//! The description of everything that is linked: OpenAPI 3.1, <https://spec.openapis.org/oas/v3.1.1>.
//!
//! It is made of the rows of `api` and of the plugins' own declarations, with the schemas that the agent works with.

use std::collections::BTreeMap;

use nekro_core::{
    Method, Role,
    kernel::{Registry, RouteEntry, WebhookEntry},
};
use schemars::{SchemaGenerator, generate::SchemaSettings};
use serde_json::{Map, Value, json};

use super::{
    api::{self, Answers, Operation},
    problem::Problem,
};

/// Describes everything that is linked.
pub(super) fn document(registry: &Registry) -> Value {
    let mut paths = Paths::new();
    for operation in api::operations() {
        let tag = match operation.path.split('/').nth(2).filter(|_| operation.path.starts_with("/api/")) {
            Some(part) => part.split('.').next().unwrap_or(part),
            None if operation.path.starts_with("/v1/") => "openai",
            None => "agent",
        };
        paths.add(operation.path, operation.method, of_operation(operation, tag));
    }
    for entry in registry.tools() {
        let mut described = described(&format!("call_{}", entry.name), entry.decl.docs, "tools", Some(Role::User));
        described["requestBody"] = body(true, "application/json", lifted(&mut paths.schemas, &entry.name, entry.arguments()));
        described["parameters"] = json!([session_parameter()]);
        let value = entry.output().map(|schema| lifted(&mut paths.schemas, &entry.name, schema));
        let reply = json!({
            "type": "object",
            "properties": {
                "kind": { "type": "string" },
                "value": value.unwrap_or(json!({})),
                "note": { "type": "string" },
                "text": { "type": "string" },
            },
            "required": ["kind", "value"],
        });
        good(&mut described, 200, Some(("application/json", reply)));
        paths.add(&format!("/api/tools/{}", entry.name), Method::Post, described);
    }
    // What is below a router, it alone knows.
    for entry in registry.routes().iter().filter(|entry| !entry.is_router()) {
        let described = of_route(entry, &mut paths.schemas);
        paths.add(&entry.path(), entry.decl.method, described);
    }
    for entry in registry.webhooks() {
        let described = of_webhook(entry, &mut paths.schemas);
        paths.add(&entry.path(), Method::Post, described);
    }
    paths.schemas.insert("Problem".to_owned(), schema(Problem::describe));
    json!({
        "openapi": "3.1.1",
        "info": {
            "title": "nekro",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "An agent and its plugins. Every operation needs a token, unless it says otherwise; `x-role` is the least that its holder must be.",
            "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" },
        },
        "servers": [{ "url": "/" }],
        "security": [{ "token": [] }, { "login": [] }],
        "tags": paths.tags(),
        "x-routers": registry.routes().iter().filter(|entry| entry.is_router()).map(of_router).collect::<Vec<_>>(),
        "paths": paths.paths,
        "components": {
            "schemas": paths.schemas,
            "securitySchemes": {
                "token": { "type": "http", "scheme": "bearer" },
                "login": { "type": "apiKey", "in": "cookie", "name": "nekro" },
            },
        },
    })
}

impl Problem {
    fn describe(generator: &mut SchemaGenerator) -> schemars::Schema {
        generator.root_schema_for::<Self>()
    }
}

struct Paths {
    paths: BTreeMap<String, Map<String, Value>>,
    schemas: Map<String, Value>,
}

impl Paths {
    fn new() -> Self {
        Self { paths: BTreeMap::new(), schemas: Map::new() }
    }

    fn add(&mut self, path: &str, method: Method, mut described: Value) {
        let names: Vec<_> =
            path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')).map(str::to_owned).collect();
        let mut parameters = described["parameters"].take().as_array().cloned().unwrap_or_default();
        for name in names {
            if !parameters.iter().any(|known| known["name"] == name.as_str() && known["in"] == "path") {
                parameters.push(json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } }));
            }
        }
        if parameters.is_empty() {
            described.as_object_mut().map(|described| described.remove("parameters"));
        } else {
            described["parameters"] = parameters.into();
        }
        self.paths.entry(path.to_owned()).or_default().insert(method.name().to_lowercase(), described);
    }

    fn tags(&self) -> Vec<Value> {
        let all = self.paths.values().flat_map(|methods| methods.values()).filter_map(|described| described["tags"][0].as_str());
        let names: std::collections::BTreeSet<_> = all.collect();
        names.into_iter().map(|name| json!({ "name": name, "description": about(name) })).collect()
    }
}

fn about(tag: &str) -> String {
    match tag {
        "agent" => "The agent itself.".to_owned(),
        "openai" => "The agent as a model, for clients of the OpenAI API.".to_owned(),
        _ => match tag.strip_prefix("plugin ") {
            Some(plugin) => format!("What the plugin `{plugin}` has."),
            None => format!("The agent's {tag}."),
        },
    }
}

/// What every operation has.
fn described(id: &str, docs: &str, tag: &str, role: Option<Role>) -> Value {
    let summary = docs.lines().next().unwrap_or_default();
    let mut described = json!({
        "operationId": id.replace(['.', '-'], "_"),
        "summary": summary,
        "description": docs,
        "tags": [tag],
        "responses": { "default": {
            "description": "What went wrong.",
            "content": { "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } } },
        } },
    });
    match role {
        Some(role) => described["x-role"] = json!(role),
        None => described["security"] = json!([{}]),
    }
    described
}

fn good(described: &mut Value, status: u16, content: Option<(&str, Value)>) {
    let mut answer = json!({ "description": "All went well." });
    if let Some((media_type, schema)) = content {
        answer["content"] = json!({ media_type: { "schema": schema } });
    }
    described["responses"][status.to_string()] = answer;
}

fn body(required: bool, media_type: &str, schema: Value) -> Value {
    json!({ "required": required, "content": { media_type: { "schema": schema } } })
}

fn of_operation(operation: &Operation, tag: &str) -> Value {
    let mut of = described(operation.id, operation.docs, tag, operation.role);
    if let Some(query) = operation.query {
        let schema = schema(query);
        let required: Vec<_> = schema["required"].as_array().cloned().unwrap_or_default();
        let properties = schema["properties"].as_object().cloned().unwrap_or_default();
        let parameters = properties.into_iter().map(|(name, schema)| {
            let is_required = required.iter().any(|one| one == name.as_str());
            parameter(&name, "query", is_required, given(schema))
        });
        of["parameters"] = parameters.collect();
    }
    if let Some(describe) = operation.body {
        let is_free = schema(describe)["properties"].is_null();
        of["requestBody"] = body(!is_free, "application/json", schema(describe));
    }
    let text = || json!({ "type": "string" });
    match operation.answers {
        Answers::Json(status, describe) => good(&mut of, status, Some(("application/json", schema(describe)))),
        Answers::Events => good(&mut of, 200, Some(("text/event-stream", text()))),
        Answers::JsonOrEvents(describe) => {
            good(&mut of, 200, Some(("application/json", schema(describe))));
            of["responses"]["200"]["content"]["text/event-stream"] = json!({ "schema": text() });
            // These clients know errors in a form of their own.
            let error = json!({ "type": "object", "properties": { "error": { "type": "object" } }, "required": ["error"] });
            of["responses"]["default"]["content"]["application/json"] = json!({ "schema": error });
        }
        Answers::Other(media_type) => good(&mut of, 200, Some((media_type.split(';').next().unwrap_or_default(), text()))),
        Answers::Nothing(status) => good(&mut of, status, None),
    }
    of
}

fn of_route(entry: &RouteEntry, schemas: &mut Map<String, Value>) -> Value {
    let decl = entry.decl;
    let plugin = decl.plugin.id;
    let mut of = described(&format!("{plugin}_{}", decl.name), decl.docs, &format!("plugin {plugin}"), decl.role);
    let arguments = lifted(schemas, &format!("{plugin}.{}", decl.name), entry.arguments());
    let required: Vec<_> = arguments["required"].as_array().cloned().unwrap_or_default();
    let in_path: Vec<_> = entry.path_arguments().collect();
    let (mut parameters, mut properties) = (Vec::new(), Map::new());
    let takes_body = !matches!(decl.method, Method::Get | Method::Delete);
    for (name, schema) in arguments["properties"].as_object().cloned().unwrap_or_default() {
        let is_required = required.iter().any(|one| one == name.as_str());
        if in_path.contains(&name.as_str()) {
            parameters.push(parameter(&name, "path", true, schema));
        } else if takes_body {
            properties.insert(name, schema);
        } else {
            parameters.push(parameter(&name, "query", is_required, given(schema)));
        }
    }
    of["parameters"] = parameters.into();
    if !properties.is_empty() {
        let required: Vec<_> =
            required.into_iter().filter(|name| name.as_str().is_some_and(|name| properties.contains_key(name))).collect();
        let is_required = !required.is_empty();
        let schema = json!({ "type": "object", "properties": properties, "required": required, "additionalProperties": false });
        of["requestBody"] = body(is_required, "application/json", schema);
    }
    let shape = (decl.output)().shape;
    let status = if shape.status == 0 { 200 } else { shape.status };
    let json = entry.output().map(|schema| ("application/json", lifted(schemas, &format!("{plugin}.{}", decl.name), schema)));
    let other = shape.media_type.map(|media_type| (media_type, json!({ "type": "string" })));
    good(&mut of, status, json.or(other));
    of
}

fn of_router(entry: &RouteEntry) -> Value {
    json!({ "path": entry.path(), "description": entry.decl.docs, "x-role": entry.decl.role })
}

fn of_webhook(entry: &WebhookEntry, schemas: &mut Map<String, Value>) -> Value {
    let decl = entry.decl;
    let plugin = decl.plugin.id;
    let mut of = described(&format!("{plugin}_webhook_{}", decl.name), decl.docs, &format!("plugin {plugin}"), None);
    of["requestBody"] = body(true, "application/json", lifted(schemas, &format!("{plugin}.{}", decl.name), entry.payload()));
    of["x-signature"] = decl.signature.name().into();
    good(&mut of, 202, None);
    of
}

fn parameter(name: &str, place: &str, required: bool, mut schema: Value) -> Value {
    let description = schema.as_object_mut().and_then(|schema| schema.remove("description"));
    let mut parameter = json!({ "name": name, "in": place, "required": required, "schema": schema });
    if let Some(description) = description {
        parameter["description"] = description;
    }
    parameter
}

fn session_parameter() -> Value {
    let docs = "The session; the caller's own if none is named.";
    json!({ "name": "session", "in": "query", "description": docs, "required": false, "schema": { "type": "string" } })
}

/// Takes `null` out of what a query may have: what is not given is not there.
fn given(mut schema: Value) -> Value {
    if let Some(types) = schema["type"].as_array() {
        let rest: Vec<_> = types.iter().filter(|one| *one != "null").cloned().collect();
        if let [only] = rest.as_slice() {
            schema["type"] = only.clone();
        }
    }
    schema
}

/// Describes a type in one piece.
fn schema(describe: api::Describe) -> Value {
    let mut generator = SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true).into_generator();
    let mut schema = describe(&mut generator).to_value();
    if let Some(schema) = schema.as_object_mut() {
        schema.remove("$schema");
    }
    plain(&mut schema);
    schema
}

/// Puts the definitions of a schema beside those of all others, under the name of whose they are.
fn lifted(schemas: &mut Map<String, Value>, whose: &str, schema: &Value) -> Value {
    let mut schema = schema.clone();
    let definitions = schema.as_object_mut().and_then(|schema| schema.remove("$defs"));
    let whose: String = whose.chars().map(|one| if one.is_ascii_alphanumeric() { one } else { '_' }).collect();
    refer(&mut schema, &whose);
    plain(&mut schema);
    if let Some(Value::Object(definitions)) = definitions {
        for (name, mut definition) in definitions {
            refer(&mut definition, &whose);
            plain(&mut definition);
            schemas.insert(format!("{whose}.{name}"), definition);
        }
    }
    schema
}

/// Lets references to `#/$defs/Name` point to where definitions are in the document.
fn refer(schema: &mut Value, whose: &str) {
    match schema {
        Value::Object(object) => {
            for (key, value) in object {
                match value {
                    Value::String(reference) if key == "$ref" => {
                        if let Some(name) = reference.strip_prefix("#/$defs/") {
                            *reference = format!("#/components/schemas/{whose}.{name}");
                        }
                    }
                    _ => refer(value, whose),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| refer(item, whose)),
        _ => {}
    }
}

/// Takes out the formats of numbers that only this language has.
fn plain(schema: &mut Value) {
    match schema {
        Value::Object(object) => {
            let is_ours =
                |format: &str| format.starts_with("uint") || matches!(format, "int8" | "int16" | "int128" | "int" | "uint");
            if object.get("format").and_then(Value::as_str).is_some_and(is_ours) {
                object.remove("format");
            }
            object.values_mut().for_each(plain);
        }
        Value::Array(items) => items.iter_mut().for_each(plain),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_is_described_once_and_by_another_name() {
        let document = document(&crate::registry_of(|_| true));
        let operations =
            document["paths"].as_object().expect("paths").values().flat_map(|methods| methods.as_object().expect("methods"));
        let mut ids: Vec<_> =
            operations.map(|(_, described)| described["operationId"].as_str().expect("an id").to_owned()).collect();
        let count = ids.len();
        assert!(count >= api::operations().count());
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), count);
    }

    #[test]
    fn no_reference_leads_nowhere() {
        let document = document(&crate::registry_of(|_| true));
        let text = document.to_string();
        for reference in text.split("\"$ref\":\"#").skip(1) {
            let path = reference.split('"').next().expect("an end");
            assert!(document.pointer(path).is_some(), "{path}");
        }
        assert!(!text.contains("$defs"), "all definitions are in one place");
    }
}
