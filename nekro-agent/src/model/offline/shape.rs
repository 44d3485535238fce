//! What an argument looks like, by its JSON Schema.

use regex_lite::{Regex, RegexBuilder};
use serde_json::Value;

/// What an argument looks like.
#[derive(Debug)]
pub(super) enum Shape {
    Yes,
    Integer,
    Number,
    /// One of these.
    Choice(Vec<String>),
    /// A text of a certain form, such as `2d6`.
    Form(Regex),
    /// A day, a moment or a duration.
    Date,
    Moment,
    Duration,
    /// A name in a word or two.
    Name,
    /// Some words, to look for.
    Words,
    /// What somebody says, as it was said.
    Prose,
    /// Several texts.
    List,
    /// Something that a sentence does not have.
    Other,
}

/// The longest text that is a name, and the longest that is some words to look for.
const NAME: u64 = 64;
const WORDS: u64 = 400;

/// An argument of a tool.
#[derive(Debug)]
pub(super) struct Slot<'t> {
    pub(super) name: &'t str,
    pub(super) description: &'t str,
    pub(super) required: bool,
    pub(super) shape: Shape,
    // The least and the most that a number may be.
    bounds: (Option<f64>, Option<f64>),
}

impl Slot<'_> {
    /// Tells whether a number is within its bounds.
    pub(super) fn allows(&self, number: &Value) -> bool {
        let (least, most) = self.bounds;
        number.as_f64().is_some_and(|number| least.is_none_or(|least| number >= least) && most.is_none_or(|most| number <= most))
    }
}

/// Returns the arguments of a tool, those first that must be given.
pub(super) fn slots(arguments: &Value) -> Vec<Slot<'_>> {
    let required: Vec<_> = arguments["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let mut slots: Vec<_> = arguments["properties"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, schema)| Slot {
            name,
            description: schema["description"].as_str().unwrap_or_default(),
            required: required.contains(&name.as_str()),
            shape: shape(schema, arguments, 0),
            bounds: (schema["minimum"].as_f64(), schema["maximum"].as_f64()),
        })
        .collect();
    slots.sort_by_key(|slot| !slot.required);
    slots
}

fn shape(schema: &Value, root: &Value, depth: usize) -> Shape {
    // A schema may refer to itself.
    if depth > 8 {
        return Shape::Other;
    }
    if let Some(target) = schema["$ref"].as_str().and_then(|reference| root.pointer(reference.strip_prefix('#')?)) {
        return shape(target, root, depth + 1);
    }
    for choice in ["anyOf", "oneOf", "allOf"] {
        let Some(branches) = schema[choice].as_array() else { continue };
        let constants: Vec<_> = branches.iter().filter_map(|branch| branch["const"].as_str().map(str::to_owned)).collect();
        if !constants.is_empty() && constants.len() == branches.len() {
            return Shape::Choice(constants);
        }
        let mut others = branches.iter().filter(|branch| branch["type"] != "null");
        return match (others.next(), others.next()) {
            (Some(only), None) => shape(only, root, depth + 1),
            _ => Shape::Other,
        };
    }
    if let Some(values) = schema["enum"].as_array() {
        return Shape::Choice(values.iter().filter_map(Value::as_str).map(str::to_owned).collect());
    }
    let kind = match &schema["type"] {
        Value::Array(types) => types.iter().filter_map(Value::as_str).find(|kind| *kind != "null"),
        kind => kind.as_str(),
    };
    match kind {
        Some("boolean") => Shape::Yes,
        Some("integer") => Shape::Integer,
        Some("number") => Shape::Number,
        Some("string") => text(schema),
        Some("array") if schema["items"]["type"] == "string" => Shape::List,
        _ => Shape::Other,
    }
}

fn text(schema: &Value) -> Shape {
    match schema["format"].as_str() {
        Some("date") => return Shape::Date,
        Some("date-time") => return Shape::Moment,
        Some("duration") => return Shape::Duration,
        _ => {}
    }
    let longest = schema["maxLength"].as_u64();
    // A form that any word has tells nothing.
    let form = schema["pattern"].as_str().and_then(|pattern| RegexBuilder::new(pattern).size_limit(1 << 20).build().ok());
    if let Some(form) = form.filter(|form| !["hello", "qzx"].iter().any(|word| form.is_match(word))) {
        return Shape::Form(form);
    }
    match longest {
        Some(longest) if longest <= NAME => Shape::Name,
        Some(longest) if longest <= WORDS => Shape::Words,
        None if schema.get("pattern").is_some() => Shape::Name,
        _ => Shape::Prose,
    }
}
