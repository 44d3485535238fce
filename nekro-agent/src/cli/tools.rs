//! `nekro tools`

use nekro_core::{
    Caller,
    kernel::{Parameter, Tool},
    manifest,
};
use serde::Serialize;
use serde_json::Value;

use super::{
    Failure, Screen,
    output::{first_line, plain, table},
};
use crate::{assemble::Agent, style::DIM};

pub(super) fn list(agent: &Agent, caller: &Caller, screen: &Screen) -> Result<(), Failure> {
    let tools: Vec<_> = agent.kernel.tools(caller).collect();
    let values: Vec<_> = tools.iter().map(describe).collect();
    screen.show(&values, || {
        let row = |tool: &Tool<'_>| vec![plain(&signature(tool)).into_owned(), plain(first_line(tool.docs())).into_owned()];
        if tools.is_empty() { "there are no tools".to_owned() } else { table(&tools.iter().map(row).collect::<Vec<_>>()) }
    });
    Ok(())
}

pub(super) fn show(agent: &Agent, name: &str, caller: &Caller, screen: &Screen) -> Result<(), Failure> {
    let tool = find(agent, name, caller)?;
    screen.show(&describe(&tool), || usage(&tool));
    Ok(())
}

/// Finds a tool that the caller can see.
pub(super) fn find<'a>(agent: &'a Agent, name: &str, caller: &Caller) -> Result<Tool<'a>, Failure> {
    let visible: Vec<_> = agent.kernel.tools(caller).collect();
    match agent.kernel.tool(name).filter(|_| visible.iter().any(|tool| tool.name() == name)) {
        Some(tool) => Ok(tool),
        None => Err(Failure::unknown("tool", name, visible.iter().map(Tool::name))),
    }
}

/// The manifest's word on a tool.
#[derive(Serialize)]
struct Description {
    plugin: &'static str,
    #[serde(flatten)]
    tool: manifest::Tool,
}

fn describe(tool: &Tool<'_>) -> Description {
    Description { plugin: tool.plugin().id, tool: manifest::Tool::of(tool) }
}

/// Returns `dice.roll(notation?)`.
pub(crate) fn signature(tool: &Tool<'_>) -> String {
    let argument = |one: &Parameter<'_>| format!("{}{}", one.name, if one.optional { "?" } else { "" });
    format!("{}({})", tool.name(), tool.parameters().iter().map(argument).collect::<Vec<_>>().join(", "))
}

/// Returns all that a person needs to call a tool.
pub(super) fn usage(tool: &Tool<'_>) -> String {
    let row = |one: &Parameter<'_>| {
        let property = one.schema;
        let default = match property.get("default") {
            Some(default) => format!("[default: {default}]"),
            None if one.optional => "[optional]".to_owned(),
            None => String::new(),
        };
        let form = form(property, tool.arguments());
        vec![format!("  --{}", one.name), form, format!("{} {default}", one.docs.replace('\n', " "))]
    };
    let parameters = tool.parameters();
    let arguments = parameters.iter().map(row).collect::<Vec<_>>();
    let mut text = format!("{}\n\n{DIM}Usage:{DIM:#} nekro call {}", tool.docs(), tool.name());
    for one in &parameters {
        let option = format!("--{} <{}>", one.name, one.name.to_uppercase());
        text += &if one.optional { format!(" [{option}]") } else { format!(" {option}") };
    }
    if !arguments.is_empty() {
        text += &format!("\n\n{DIM}Arguments:{DIM:#}\n{}", table(&arguments));
    }
    text + &format!("\n\nOr all at once, as JSON: nekro call {} --args '{{…}}'", tool.name())
}

/// Returns the form of a value in a word or two.
fn form(property: &Value, schema: &Value) -> String {
    let resolved = property.get("$ref").and_then(Value::as_str).and_then(|reference| schema.pointer(&reference[1..]));
    let property = resolved.unwrap_or(property);
    let words = |values: &Vec<Value>| values.iter().filter_map(Value::as_str).collect::<Vec<_>>().join("|");
    if let Some(values) = property.get("enum").and_then(Value::as_array) {
        return words(values);
    }
    let constants = property
        .get("oneOf")
        .and_then(Value::as_array)
        .map(|branches| branches.iter().filter_map(|branch| branch.get("const").cloned()).collect::<Vec<_>>());
    if let Some(values) = constants.filter(|values| !values.is_empty()) {
        return words(&values);
    }
    let word = match property.get("type") {
        Some(Value::String(word)) => word.clone(),
        Some(Value::Array(types)) => {
            types.iter().filter_map(Value::as_str).filter(|word| *word != "null").collect::<Vec<_>>().join("|")
        }
        _ => "JSON".to_owned(),
    };
    match (property.get("minimum"), property.get("maximum")) {
        (Some(low), Some(high)) => format!("{word} {low} to {high}"),
        _ => word,
    }
}
