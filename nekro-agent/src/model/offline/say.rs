//! What it says.

use serde_json::Value;

use crate::model::ToolSpec;

/// What it is, for people who expect more.
const WHAT_I_AM: &str = "I am no language model: I choose a tool by the words of a sentence, without a key or a network.";
const HOW_TO_GET_MORE: &str =
    "To talk with a language model, set one up in `nekro.toml` under `[models.main]`; `nekro models` shows what is in use.";
/// How many tools are listed, and how many characters of a result are shown.
const MOST_TOOLS: usize = 40;
const MOST_TEXT: usize = 8_000;

/// Says what there is.
pub(super) fn help(tools: &[ToolSpec]) -> String {
    if tools.is_empty() {
        return format!("{WHAT_I_AM} There are no tools, so there is nothing that I can do. {HOW_TO_GET_MORE}");
    }
    format!("{WHAT_I_AM} This is what I can call:\n\n{}\n\n{HOW_TO_GET_MORE}", list(tools))
}

/// Says that nothing fits.
pub(super) fn nothing(tools: &[ToolSpec]) -> String {
    if tools.is_empty() {
        return help(tools);
    }
    let tried = match tools {
        [one] => format!("`{}` does not fit", one.name),
        _ => format!("none of the {} fits", tools.len()),
    };
    format!("I found no tool for that: {tried}. {WHAT_I_AM} Ask \"what can you do?\"")
}

/// Says that it sees no pictures.
pub(super) fn blind() -> String {
    format!("{WHAT_I_AM} I cannot look at pictures.")
}

fn list(tools: &[ToolSpec]) -> String {
    let line = |tool: &ToolSpec| format!("- `{}`: {}", tool.name, tool.description.lines().next().unwrap_or_default());
    let mut lines: Vec<_> = tools.iter().take(MOST_TOOLS).map(line).collect();
    if tools.len() > MOST_TOOLS {
        lines.push(format!("- and {} more: `nekro tools` lists them", tools.len() - MOST_TOOLS));
    }
    lines.join("\n")
}

/// Says what a tool answered.
pub(super) fn result(tool: &str, text: &str, failed: bool) -> String {
    if failed {
        return format!("`{tool}` did not work: {}", cut(text));
    }
    let shown = match serde_json::from_str::<Value>(text) {
        Ok(value) => show(&value, 0),
        Err(_) => text.trim().to_owned(),
    };
    if shown.is_empty() { format!("`{tool}`: done.") } else { labelled(&format!("`{tool}`"), &cut(&shown)) }
}

/// Puts a label before a text, which may begin with a line of its own.
fn labelled(label: &str, text: &str) -> String {
    let space = if text.starts_with('\n') { "" } else { " " };
    format!("{label}:{space}{text}")
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(MOST_TEXT) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// Shows JSON as a person would write it down.
fn show(value: &Value, depth: usize) -> String {
    let indent = "  ".repeat(depth);
    match value {
        Value::Null => String::new(),
        Value::Bool(yes) => if *yes { "yes" } else { "no" }.to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(items) if items.iter().all(|item| !item.is_array() && !item.is_object()) => {
            items.iter().map(|item| show(item, depth)).collect::<Vec<_>>().join(", ")
        }
        Value::Array(items) => items.iter().map(|item| format!("\n{indent}- {}", flat(item))).collect(),
        Value::Object(object) => {
            let line = |(key, value): (&String, &Value)| {
                let empty = value.as_array().is_some_and(Vec::is_empty);
                let text = if empty { "none".to_owned() } else { show(value, depth + 1) };
                labelled(&format!("\n{indent}{key}"), &text)
            };
            object.iter().filter(|(_, value)| !value.is_null()).map(line).collect()
        }
        number => number.to_string(),
    }
}

/// Shows JSON in one line.
fn flat(value: &Value) -> String {
    match value {
        Value::Object(object) => object
            .iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(key, value)| format!("{key}: {}", flat(value)))
            .collect::<Vec<_>>()
            .join(", "),
        Value::Array(items) => items.iter().map(flat).collect::<Vec<_>>().join(", "),
        plain => show(plain, 0),
    }
}
