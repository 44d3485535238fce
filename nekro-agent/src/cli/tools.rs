//! `nekro tools`

use nekro_core::{Caller, kernel::ToolEntry, manifest};
use serde::Serialize;
use serde_json::Value;

use super::{
    Failure, Screen,
    output::{first_line, table},
};
use crate::{assemble::Agent, style::DIM};

pub(super) fn list(agent: &Agent, caller: &Caller, screen: &Screen) -> Result<(), Failure> {
    let tools: Vec<_> = agent.kernel.tools(caller).collect();
    let values: Vec<_> = tools.iter().map(|tool| describe(tool)).collect();
    screen.show(&values, || {
        let row = |tool: &&ToolEntry| vec![signature(tool), first_line(tool.decl.docs).to_owned()];
        if tools.is_empty() { "there are no tools".to_owned() } else { table(&tools.iter().map(row).collect::<Vec<_>>()) }
    });
    Ok(())
}

pub(super) fn show(agent: &Agent, name: &str, caller: &Caller, screen: &Screen) -> Result<(), Failure> {
    let tool = find(agent, name, caller)?;
    screen.show(&describe(tool), || usage(tool));
    Ok(())
}

/// Finds a tool that the caller can see.
pub(super) fn find<'a>(agent: &'a Agent, name: &str, caller: &Caller) -> Result<&'a ToolEntry, Failure> {
    let visible: Vec<_> = agent.kernel.tools(caller).map(|tool| tool.name.as_str()).collect();
    match agent.kernel.registry().tool(name).filter(|_| visible.contains(&name)) {
        Some(tool) => Ok(tool),
        None => Err(Failure::unknown("tool", name, visible)),
    }
}

/// The manifest's word on a tool.
#[derive(Serialize)]
struct Description {
    plugin: &'static str,
    #[serde(flatten)]
    tool: manifest::Tool,
}

fn describe(tool: &ToolEntry) -> Description {
    Description { plugin: tool.decl.plugin.id, tool: manifest::Tool::of(tool) }
}

/// Returns `dice.roll(notation?)`.
pub(crate) fn signature(tool: &ToolEntry) -> String {
    let argument = |decl: &nekro_core::ArgumentDecl| format!("{}{}", decl.name, if decl.is_optional() { "?" } else { "" });
    format!("{}({})", tool.name, tool.decl.arguments.iter().map(argument).collect::<Vec<_>>().join(", "))
}

/// Returns all that a person needs to call a tool.
pub(super) fn usage(tool: &ToolEntry) -> String {
    let properties = &tool.arguments()["properties"];
    let row = |decl: &nekro_core::ArgumentDecl| {
        let property = &properties[decl.name];
        let default = match property.get("default") {
            Some(default) => format!("[default: {default}]"),
            None if decl.is_optional() => "[optional]".to_owned(),
            None => String::new(),
        };
        let form = form(property, tool.arguments());
        vec![format!("  --{}", decl.name), form, format!("{} {default}", decl.docs.replace('\n', " "))]
    };
    let arguments = tool.decl.arguments.iter().map(row).collect::<Vec<_>>();
    let mut text = format!("{}\n\n{DIM}Usage:{DIM:#} nekro call {}", tool.decl.docs, tool.name);
    for decl in tool.decl.arguments {
        let option = format!("--{} <{}>", decl.name, decl.name.to_uppercase());
        text += &if decl.is_optional() { format!(" [{option}]") } else { format!(" {option}") };
    }
    if !arguments.is_empty() {
        text += &format!("\n\n{DIM}Arguments:{DIM:#}\n{}", table(&arguments));
    }
    text + &format!("\n\nOr all at once, as JSON: nekro call {} --args '{{…}}'", tool.name)
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
