//! The JSON Schema of `nekro.policy.toml`, for exactly the linked plugins: editors complete and check by it.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::scope;
use crate::{
    capability,
    manifest::{DIALECT, Manifest},
};

impl Manifest {
    /// Describes `nekro.policy.toml`, for exactly these plugins.
    pub fn policy_schema(&self) -> Value {
        let plugins: Map<_, _> = self
            .plugins
            .iter()
            .map(|plugin| {
                (
                    plugin.id.clone(),
                    allowance(&format!("What the plugin `{}` may ask for: {}", plugin.id, first_line(&plugin.description))),
                )
            })
            .collect();
        let taken = self.plugins.iter().flat_map(|plugin| &plugin.capabilities).map(|taken| taken.name.as_str());
        let capabilities: BTreeSet<_> = taken.chain(capability::NAMES.iter().copied()).collect();
        let mut schema = json!({
            "$schema": DIALECT,
            "title": "nekro.policy.toml",
            "description": "What the plugins of this program may ask for, and who may call what. Everything here only ever forbids.",
            "type": "object",
            "properties": {
                "default": allowance("What every plugin may ask for."),
                "plugins": {
                    "description": "What a plugin may ask for: what its table says counts in place of what `default` says.",
                    "type": "object",
                    "properties": plugins,
                    "additionalProperties": false,
                },
                "rules": {
                    "description": "Who may call what: a call must meet every rule that fits.",
                    "type": "array",
                    "items": { "$ref": "#/$defs/rule" },
                },
            },
            "additionalProperties": false,
            "$defs": {
                "capabilities": { "type": "array", "items": { "enum": capabilities } },
                "names": {
                    "anyOf": [{ "$ref": "#/$defs/name" }, { "type": "array", "items": { "$ref": "#/$defs/name" }, "minItems": 1 }],
                },
                "name": { "type": "string", "pattern": "^[a-z0-9_.*]+$" },
                "most": { "type": "integer", "minimum": 1 },
                "use": {
                    "description": "How much of this capability the plugin may use, all its calls together.",
                    "type": "object",
                    "properties": {
                        "at_once": { "$ref": "#/$defs/most", "description": "How many uses may be under way at the same time." },
                        "rate": { "type": "string", "pattern": "^ *[0-9]+ */.+$", "description": "How often it may be used, such as `60/1m`." },
                        "deadline": { "type": "string", "description": "How long one use may take, such as `10s`." },
                    },
                    "additionalProperties": false,
                },
                "rule": rule(),
            },
        });
        schema.sort_all_objects();
        schema
    }
}

fn allowance(description: &str) -> Value {
    let described =
        |reference: &str, description: &str| json!({ "$ref": format!("#/$defs/{reference}"), "description": description });
    let use_of = json!({ "$ref": "#/$defs/use" });
    let mut properties = Map::from_iter([
        ("capabilities".to_owned(), described("capabilities", "The capabilities that it may take; left out, any.")),
        ("deny".to_owned(), described("capabilities", "The capabilities that it may not take, whatever else is said.")),
        (
            "limits".to_owned(),
            json!({
                "description": "The most that it may use.",
                "type": "object",
                "properties": {
                    "call_deadline": { "type": "string", "description": "How long one of its tools or commands may take, such as `30s`." },
                    "calls_at_once": described("most", "How many of its tools and commands may run at the same time."),
                    "mailbox": described("most", "How many facts may wait for it."),
                    "concurrency": described("most", "How many facts it may handle at the same time."),
                    "files": use_of, "http": use_of, "messages": use_of, "peers": use_of,
                    "process": use_of, "secrets": use_of, "sessions": use_of, "store": use_of,
                    "tool_servers": use_of,
                },
                "additionalProperties": false,
            }),
        ),
    ]);
    properties.extend(scope::KINDS.iter().map(|kind| {
        let description = format!("How far `{}` may reach: {}.", kind.capability, kind.what);
        (
            kind.capability.to_owned(),
            json!({ "type": "array", "items": { "type": "string", "minLength": 1 }, "description": description }),
        )
    }));
    json!({ "description": description, "type": "object", "properties": properties, "additionalProperties": false })
}

fn rule() -> Value {
    json!({
        "type": "object",
        "properties": {
            "name": { "type": "string", "description": "What it is called; for messages." },
            "tools": { "$ref": "#/$defs/names", "description": "The tools that it is about, such as `notes.save`; `*` stands for any characters." },
            "commands": { "$ref": "#/$defs/names", "description": "The commands that it is about, without the slash; `*` stands for any characters." },
            "role": { "enum": ["guest", "user", "manager", "admin"], "description": "The least that a caller must be." },
            "origins": {
                "description": "Through what a call must come.",
                "type": "array",
                "items": { "enum": ["model", "person", "schedule", "webhook", "mcp_client", "http_client", "plugin", "host"] },
                "minItems": 1,
            },
            "rate": {
                "type": "string",
                "pattern": "^ *[0-9]+ */.+$",
                "description": "How often each caller may call each of the tools and commands: so often at once, and then evenly over the time, such as `10/1m`.",
            },
            "ask": { "type": "boolean", "description": "Whether a person has to approve each call of the tools." },
        },
        "additionalProperties": false,
        "allOf": [
            { "anyOf": [{ "required": ["tools"] }, { "required": ["commands"] }] },
            { "anyOf": [{ "required": ["role"] }, { "required": ["origins"] }, { "required": ["rate"] }, { "required": ["ask"], "properties": { "ask": { "const": true } } }] },
            { "not": { "required": ["ask", "commands"], "properties": { "ask": { "const": true } } } },
        ],
    })
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}
