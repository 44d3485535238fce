//! What the schema says of a setting.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{
    key::Key,
    schema::{HOLDS_VALUES, NAMES_SCHEMAS},
};

/// What the schema says of one place in the settings. References are followed; where there is a choice, every branch of it counts.
#[derive(Clone)]
pub(crate) struct Form<'s> {
    root: &'s Value,
    here: Vec<&'s Value>,
}

impl<'s> Form<'s> {
    /// Returns the form of the whole.
    pub(crate) fn root(schema: &'s Value) -> Self {
        Self::of(schema, [schema])
    }

    /// Returns the form that schemas have together; their references are those of `root`.
    pub(super) fn of(root: &'s Value, schemas: impl IntoIterator<Item = &'s Value>) -> Self {
        let mut form = Self { root, here: Vec::new() };
        schemas.into_iter().for_each(|schema| form.expand(schema));
        form
    }

    fn expand(&mut self, schema: &'s Value) {
        // A schema may refer to itself.
        if schema == &Value::Bool(false) || self.here.iter().any(|known| std::ptr::eq(*known, schema)) {
            return;
        }
        self.here.push(schema);
        if let Some(reference) = schema.get("$ref").and_then(Value::as_str)
            && let Some(target) = reference.strip_prefix('#').and_then(|pointer| self.root.pointer(pointer))
        {
            self.expand(target);
        }
        for choice in ["allOf", "anyOf", "oneOf"] {
            if let Some(branches) = schema.get(choice).and_then(Value::as_array) {
                branches.iter().for_each(|branch| self.expand(branch));
            }
        }
    }

    /// Returns the form of what stands under a key; `None` if there is no such key.
    pub(crate) fn key(&self, name: &str) -> Option<Self> {
        let named = self.here.iter().filter_map(|schema| schema.get("properties")?.get(name));
        let mut found = Self::of(self.root, named);
        if found.here.is_empty() {
            let others = self.here.iter().filter_map(|schema| {
                let any =
                    schema.get("patternProperties").and_then(Value::as_object).and_then(|patterns| patterns.values().next());
                schema.get("additionalProperties").or(any)
            });
            found = Self::of(self.root, others);
        }
        if found.here.is_empty() && self.is_open() {
            return Some(self.clone());
        }
        (!found.here.is_empty()).then_some(found)
    }

    /// Returns the form of what a key leads to.
    pub(crate) fn at(&self, key: &Key) -> Option<Self> {
        key.parts().iter().try_fold(self.clone(), |form, part| form.key(part))
    }

    /// Returns the form of a list's items.
    pub(crate) fn item(&self) -> Option<Self> {
        let items = self.here.iter().filter_map(|schema| schema.get("items"));
        let first = self.here.iter().filter_map(|schema| schema.get("prefixItems")?.as_array()).flatten();
        let found = Self::of(self.root, items.chain(first));
        if found.here.is_empty() && self.is_open() {
            return Some(self.clone());
        }
        (!found.here.is_empty()).then_some(found)
    }

    /// Returns the keys that have names, in the order of the schema.
    pub(crate) fn names(&self) -> Vec<&'s str> {
        let tables = self.here.iter().filter_map(|schema| schema.get("properties")?.as_object());
        let mut seen = BTreeSet::new();
        tables.flat_map(|table| table.keys().map(String::as_str)).filter(|name| seen.insert(*name)).collect()
    }

    /// Tells whether a key must be set.
    pub(crate) fn requires(&self, name: &str) -> bool {
        let required = self.here.iter().filter_map(|schema| schema.get("required")?.as_array());
        required.flatten().any(|one| one.as_str() == Some(name))
    }

    /// Returns the types that are taken: `string`, `integer`, `number`, `boolean`, `array`, `object`; none if the schema says nothing.
    pub(crate) fn types(&self) -> BTreeSet<&'s str> {
        let mut types = BTreeSet::new();
        for &schema in &self.here {
            match schema.get("type") {
                Some(Value::String(one)) => {
                    types.insert(one.as_str());
                }
                Some(Value::Array(several)) => types.extend(several.iter().filter_map(Value::as_str)),
                _ => {
                    let constants = schema.get("enum").and_then(Value::as_array).into_iter().flatten().chain(schema.get("const"));
                    constants.for_each(|constant| {
                        types.insert(kind(constant));
                    });
                }
            }
        }
        types.remove("null");
        types
    }

    /// Tells whether anything at all is taken.
    fn is_open(&self) -> bool {
        const SAYS_SOMETHING: [&str; 11] = [
            "type",
            "properties",
            "additionalProperties",
            "patternProperties",
            "items",
            "enum",
            "const",
            "$ref",
            "anyOf",
            "oneOf",
            "allOf",
        ];
        self.here.iter().all(|schema| !SAYS_SOMETHING.iter().any(|word| schema.get(word).is_some()))
    }

    /// Tells whether this is a table of settings that have names, and nothing else.
    pub(crate) fn is_section(&self) -> bool {
        !self.names().is_empty() && self.types().into_iter().eq(["object"])
    }

    /// Tells whether this is a table whose keys are names that the operator chose, each with a table of settings.
    pub(crate) fn is_map_of_sections(&self) -> bool {
        self.names().is_empty() && !self.is_secret() && self.key("").is_some_and(|form| form.is_section() && !form.is_secret())
    }

    /// Tells whether the value must not be shown.
    pub(crate) fn is_secret(&self) -> bool {
        self.here.iter().any(|schema| schema.get("x-secret") == Some(&Value::Bool(true)))
    }

    /// Tells whether this is, or may hold, something that must not be shown.
    pub(crate) fn holds_secret(&self) -> bool {
        let mut seen = Vec::new();
        self.here.iter().any(|schema| holds_secret(self.root, schema, &mut seen))
    }

    pub(crate) fn default(&self) -> Option<&'s Value> {
        self.here.iter().find_map(|schema| schema.get("default"))
    }

    pub(crate) fn description(&self) -> Option<&'s str> {
        self.here.iter().find_map(|schema| schema.get("description")?.as_str())
    }

    /// Returns the values that can be chosen from, if there is a choice of words.
    pub(crate) fn words(&self) -> Vec<&'s str> {
        let constants = self.here.iter().filter_map(|schema| schema.get("const"));
        let listed = self.here.iter().filter_map(|schema| schema.get("enum")?.as_array()).flatten();
        constants.chain(listed).filter_map(Value::as_str).collect()
    }
}

fn holds_secret<'s>(root: &'s Value, schema: &'s Value, seen: &mut Vec<&'s Value>) -> bool {
    if seen.iter().any(|known| std::ptr::eq(*known, schema)) {
        return false;
    }
    seen.push(schema);
    schema.as_object().into_iter().flatten().any(|(word, value)| match (word.as_str(), value) {
        ("x-secret", _) => value == &Value::Bool(true),
        ("$ref", Value::String(reference)) => {
            let target = reference.strip_prefix('#').and_then(|pointer| root.pointer(pointer));
            target.is_some_and(|target| holds_secret(root, target, seen))
        }
        // What the whole defines is only reached by name.
        ("$defs", _) => false,
        (word, Value::Object(named)) if NAMES_SCHEMAS.contains(&word) => {
            named.values().any(|part| holds_secret(root, part, seen))
        }
        (word, _) if HOLDS_VALUES.contains(&word) => false,
        (_, Value::Array(several)) => several.iter().any(|part| holds_secret(root, part, seen)),
        (_, part) => holds_secret(root, part, seen),
    })
}

/// Returns the schema's word for the type of a value.
pub(crate) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn references_and_choices_are_followed() {
        let schema = json!({
            "properties": { "login": { "$ref": "#/$defs/Login" }, "tree": { "$ref": "#/$defs/Tree" }, "any": {}, "unit": { "enum": ["a", "b"] } },
            "$defs": {
                "Login": { "type": "object", "properties": { "user": { "type": "string" }, "key": { "type": "string", "x-secret": true } } },
                "Tree": { "anyOf": [{ "type": "null" }, { "type": "object", "properties": { "left": { "$ref": "#/$defs/Tree" } } }] },
            },
        });
        let root = Form::root(&schema);
        let at = |text: &str| root.at(&Key::parse(text).expect("a key"));
        assert!(at("login").is_some_and(|form| form.is_section() && form.holds_secret() && !form.is_secret()));
        assert!(at("login.key").is_some_and(|form| form.is_secret()));
        assert!(at("login.user").is_some_and(|form| !form.holds_secret()));
        assert!(at("login.kye").is_none());
        assert!(at("tree.left.left.left").is_some_and(|form| !form.holds_secret()));
        assert!(at("any.thing.goes").is_some_and(|form| form.types().is_empty()));
        assert!(at("unit").is_some_and(|form| form.types() == BTreeSet::from(["string"]) && form.words() == ["a", "b"]));
    }
}
