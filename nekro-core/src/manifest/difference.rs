//! What differs between two manifests, in words.

use std::{collections::BTreeMap, fmt};

use serde::Serialize;
use serde_json::{Map, Value};

use super::Manifest;

/// Something that is not the same in two manifests.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Difference {
    /// Only the first has it.
    Missing {
        /// What it is, such as ``the tool `dice.roll` ``.
        what: String,
    },
    /// Only the second has it.
    Added {
        /// What it is.
        what: String,
    },
    /// Both have it, and it is not the same.
    Changed {
        /// What it is.
        what: String,
        /// What of it changed, such as `version`.
        field: String,
    },
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { what } => write!(f, "{what} is missing"),
            Self::Added { what } => write!(f, "{what} was added"),
            Self::Changed { what, field } => write!(f, "{what} has another `{field}`"),
        }
    }
}

impl Manifest {
    /// Returns what is different in another manifest.
    pub fn differences(&self, other: &Self) -> Vec<Difference> {
        let mut found = Vec::new();
        if (self.format, &self.core) != (other.format, &other.core) {
            found.push(Difference::Changed { what: "`nekro-core`".to_owned(), field: "version".to_owned() });
        }
        let events = (fields(&self.events), fields(&other.events));
        compare_lists("event", None, (&events.0, &events.1), &mut found);
        let plugins = (fields(&self.plugins), fields(&other.plugins));
        compare_lists("plugin", None, (&plugins.0, &plugins.1), &mut found);
        found
    }
}

fn fields(of: &impl Serialize) -> Value {
    serde_json::to_value(of).expect("every key of a manifest is text")
}

/// Compares two lists of things that have names.
fn compare_lists(kind: &str, of: Option<&str>, (one, other): (&Value, &Value), found: &mut Vec<Difference>) {
    let (one, other) = (by_name(one), by_name(other));
    let what = |name: &str| match of {
        Some(of) => format!("the {kind} `{name}` of `{of}`"),
        None => format!("the {kind} `{name}`"),
    };
    for (name, one) in &one {
        match other.get(name) {
            None => found.push(Difference::Missing { what: what(name) }),
            Some(other) => compare(&what(name), name, (one, other), found),
        }
    }
    let added = other.keys().filter(|name| !one.contains_key(*name));
    found.extend(added.map(|name| Difference::Added { what: what(name) }));
}

/// Compares the fields of two things.
fn compare(what: &str, name: &str, (one, other): (&Map<String, Value>, &Map<String, Value>), found: &mut Vec<Difference>) {
    for (field, value) in one {
        let other = other.get(field).unwrap_or(&Value::Null);
        if value == other {
            continue;
        }
        let kind = match field.as_str() {
            "capabilities" => "capability",
            "tools" | "tasks" | "schedules" | "commands" | "handlers" | "prompts" | "events" | "hooks" => {
                field.trim_end_matches('s')
            }
            _ => {
                found.push(Difference::Changed { what: what.to_owned(), field: field.clone() });
                continue;
            }
        };
        let before = found.len();
        // A tool's and an event's name has the plugin's id in it.
        compare_lists(kind, (!matches!(kind, "tool" | "task" | "event")).then_some(name), (value, other), found);
        if found.len() == before {
            found.push(Difference::Changed { what: what.to_owned(), field: field.clone() });
        }
    }
}

fn by_name(list: &Value) -> BTreeMap<String, &Map<String, Value>> {
    let named = |object: &Map<String, Value>| {
        let text = |key: &str| object.get(key).and_then(Value::as_str);
        let name = text("id").or(text("name")).or(text("when")).unwrap_or_default();
        text("event").map_or_else(|| name.to_owned(), |event| format!("{name}({event})"))
    };
    let objects = list.as_array().into_iter().flatten().filter_map(Value::as_object);
    objects.map(|object| (named(object), object)).collect()
}
