//! What the model is shown of the functions: typed Python stubs, within a budget.

use std::{collections::BTreeMap, fmt::Write};

use serde_json::Value;

use crate::{
    Function, Functions, Parameter,
    functions::{python_name, python_path},
};

/// Characters to a token, about: what models count in, and we do not.
const CHARACTERS: usize = 4;

/// Characters that the line has which says how many functions are not shown.
const LAST_LINE: usize = 40;

impl Functions {
    /// Returns stubs of the functions as Python, in about so many tokens: with less space the descriptions of parameters go first, then
    /// all but the first sentence of those of functions, then the signatures, and at last only names remain.
    pub fn stubs(&self, tokens: usize) -> String {
        let budget = tokens.saturating_mul(CHARACTERS);
        let written = Detail::ALL.into_iter().map(|detail| self.stubs_with(detail));
        let mut last = String::new();
        for stubs in written {
            if stubs.len() <= budget {
                return stubs;
            }
            last = stubs;
        }
        // The line that says what is missing belongs to it.
        let mut end = budget.saturating_sub(LAST_LINE).min(last.len());
        while !last.is_char_boundary(end) {
            end -= 1;
        }
        // Whole lines only: half a name would be called.
        let end = last[..end].rfind('\n').map_or(0, |line| line + 1);
        let left_out = last[end..].lines().filter(|line| line.contains("def ")).count();
        last.truncate(end);
        format!("{last}# {left_out} more functions are not shown.\n")
    }

    fn stubs_with(&self, detail: Detail) -> String {
        let mut modules = BTreeMap::<String, Vec<(&Function, String)>>::new();
        for function in self.iter() {
            let path = python_path(&function.name);
            let (module, name) = path.split_once('.').unwrap_or(("", &path));
            modules.entry(module.to_owned()).or_default().push((function, name.to_owned()));
        }
        let mut text = String::new();
        for (module, functions) in modules {
            let indent = if module.is_empty() { "" } else { "    " };
            if !module.is_empty() {
                text += &format!("class {module}:\n");
            }
            for (function, name) in functions {
                write_stub(&mut text, indent, &name, function, detail);
            }
        }
        text
    }
}

/// How much is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Detail {
    Names,
    Signatures,
    Sentences,
    Descriptions,
    Everything,
}

impl Detail {
    const ALL: [Self; 5] = [Self::Everything, Self::Descriptions, Self::Sentences, Self::Signatures, Self::Names];
}

fn write_stub(text: &mut String, indent: &str, name: &str, function: &Function, detail: Detail) {
    if detail == Detail::Names {
        text.push_str(&format!("{indent}def {name}(...): ...\n"));
        return;
    }
    let parameters: Vec<_> = function.parameters.iter().map(parameter).collect();
    let returns = function.returns.as_ref().map_or_else(|| "Any".into(), |schema| python_type(schema, schema, 0));
    text.push_str(&format!("{indent}def {name}({}) -> {returns}: ...\n", parameters.join(", ")));
    let description = match detail {
        Detail::Everything | Detail::Descriptions => function.description.trim(),
        Detail::Sentences => function.description.trim().split_inclusive(". ").next().unwrap_or_default().trim(),
        _ => "",
    };
    for line in description.lines().filter(|line| !line.trim().is_empty()) {
        _ = writeln!(text, "{indent}    # {}", line.trim());
    }
    if detail == Detail::Everything {
        for parameter in function.parameters.iter().filter(|parameter| !parameter.description.is_empty()) {
            let description = parameter.description.split_whitespace().collect::<Vec<_>>().join(" ");
            _ = writeln!(text, "{indent}    # {}: {description}", python_name(&parameter.name));
        }
    }
}

fn parameter(parameter: &Parameter) -> String {
    let name = python_name(&parameter.name);
    let kind = python_type(&parameter.schema, &parameter.schema, 0);
    match parameter.schema.get("default") {
        _ if !parameter.optional => format!("{name}: {kind}"),
        Some(default) => format!("{name}: {kind} = {}", literal(default)),
        None => format!("{name}: {kind} = ..."),
    }
}

/// Writes a JSON value as Python does.
fn literal(value: &Value) -> String {
    match value {
        Value::Null => "None".into(),
        Value::Bool(true) => "True".into(),
        Value::Bool(false) => "False".into(),
        Value::Array(items) => format!("[{}]", items.iter().map(literal).collect::<Vec<_>>().join(", ")),
        Value::Object(map) => {
            let fields: Vec<_> =
                map.iter().map(|(key, value)| format!("{}: {}", literal(&key.clone().into()), literal(value))).collect();
            format!("{{{}}}", fields.join(", "))
        }
        other => other.to_string(),
    }
}

/// How deep a type is written out; a schema may contain itself.
const DEPTH: usize = 6;

/// Returns the type of a JSON Schema in Python's words.
fn python_type(schema: &Value, root: &Value, depth: usize) -> String {
    if depth > DEPTH {
        return "Any".into();
    }
    if let Some(path) = schema.get("$ref").and_then(Value::as_str) {
        let found = path.strip_prefix('#').and_then(|pointer| root.pointer(pointer));
        return found.map_or_else(|| "Any".into(), |schema| python_type(schema, root, depth + 1));
    }
    if let Some(constant) = schema.get("const") {
        return format!("Literal[{}]", literal(constant));
    }
    if let Some(values) = schema.get("enum").and_then(Value::as_array) {
        return format!("Literal[{}]", values.iter().map(literal).collect::<Vec<_>>().join(", "));
    }
    if let Some(choices) = ["anyOf", "oneOf"].iter().find_map(|key| schema.get(key)).and_then(Value::as_array) {
        return union(choices.iter().map(|choice| python_type(choice, root, depth + 1)));
    }
    if let Some([only]) = schema.get("allOf").and_then(Value::as_array).map(Vec::as_slice) {
        return python_type(only, root, depth + 1);
    }
    match schema.get("type") {
        Some(Value::String(kind)) => plain_type(kind, schema, root, depth),
        Some(Value::Array(kinds)) => {
            union(kinds.iter().filter_map(Value::as_str).map(|kind| plain_type(kind, schema, root, depth)))
        }
        _ => "Any".into(),
    }
}

fn union(kinds: impl Iterator<Item = String>) -> String {
    let mut different: Vec<String> = Vec::new();
    for kind in kinds {
        if !different.contains(&kind) {
            different.push(kind);
        }
    }
    // `None` last, as people write it.
    different.sort_by_key(|kind| kind == "None");
    if different.is_empty() { "Any".into() } else { different.join(" | ") }
}

fn plain_type(kind: &str, schema: &Value, root: &Value, depth: usize) -> String {
    match kind {
        "null" => "None".into(),
        "boolean" => "bool".into(),
        "integer" => "int".into(),
        "number" => "float".into(),
        "string" => "str".into(),
        "array" => match schema.get("items") {
            Some(items) => format!("list[{}]", python_type(items, root, depth + 1)),
            None => "list".into(),
        },
        "object" => match schema.get("properties").and_then(Value::as_object) {
            Some(fields) if !fields.is_empty() => {
                let required: Vec<_> =
                    schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
                let fields = fields.iter().map(|(name, field)| {
                    let optional = if required.contains(&name.as_str()) { "" } else { "?" };
                    format!("{name}{optional}: {}", python_type(field, root, depth + 1))
                });
                // Not Python, and what every model understands: the fields are attributes and keys.
                format!("{{{}}}", fields.collect::<Vec<_>>().join(", "))
            }
            _ => match schema.get("additionalProperties") {
                Some(values @ Value::Object(_)) => format!("dict[str, {}]", python_type(values, root, depth + 1)),
                _ => "dict".into(),
            },
        },
        _ => "Any".into(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn functions() -> Functions {
        let parameter = |name: &str, schema: Value, optional| Parameter {
            name: name.into(),
            description: format!("About {name}."),
            schema,
            optional,
        };
        let forecast = Function {
            name: "weather.forecast".into(),
            description: "Forecast for a city. Says little of next year.".into(),
            parameters: vec![
                parameter("city", json!({"type": "string"}), false),
                parameter("days", json!({"type": "integer", "default": 0}), true),
                parameter("from", json!({"type": ["string", "null"]}), true),
            ],
            returns: Some(json!({
                "type": "object",
                "properties": {"temp": {"type": "number"}, "sky": {"$ref": "#/$defs/Sky"}},
                "required": ["temp"],
                "$defs": {"Sky": {"enum": ["clear", "grey"]}},
            })),
        };
        let now = Function { name: "now".into(), description: String::new(), parameters: Vec::new(), returns: None };
        Functions::new(vec![forecast, now]).expect("their names differ")
    }

    #[test]
    fn a_stub_has_the_signature_the_types_and_what_the_docs_say() {
        assert_eq!(
            functions().stubs(1_000),
            "\
def now() -> Any: ...
class weather:
    def forecast(city: str, days: int = 0, from_: str | None = ...) -> {sky?: Literal[\"clear\", \"grey\"], temp: float}: ...
        # Forecast for a city. Says little of next year.
        # city: About city.
        # days: About days.
        # from_: About from.
"
        );
    }

    #[test]
    fn with_less_space_the_least_needed_goes_first() {
        let mut stages: Vec<String> = (20..200).rev().map(|tokens| functions().stubs(tokens)).collect();
        stages.dedup();
        let [everything, descriptions, sentences, signatures, names] = &stages[..] else { panic!("{stages:#?}") };
        assert!(everything.contains("# city: About city."));
        assert!(descriptions.contains("next year") && !descriptions.contains("About city"));
        assert!(sentences.contains("for a city.") && !sentences.contains("next year"));
        assert!(signatures.contains("city: str") && !signatures.contains('#'));
        assert_eq!(names, "def now(...): ...\nclass weather:\n    def forecast(...): ...\n");
        assert_eq!(functions().stubs(14), "# 2 more functions are not shown.\n");
    }

    #[test]
    fn stubs_are_never_longer_than_their_budget_unless_it_is_too_small_to_say_so() {
        for tokens in 0..120 {
            assert!(functions().stubs(tokens).len() <= LAST_LINE.max(tokens * CHARACTERS));
        }
    }

    #[test]
    fn a_schema_that_contains_itself_has_an_end() {
        let schema = json!({"type": "array", "items": {"$ref": "#"}});
        assert!(python_type(&schema, &schema, 0).contains("Any"));
    }
}
