//! Prompts: what a person may put into the client's conversation.
//!
//! A command is one, for clients show prompts as commands with a slash; and so is a section that a plugin tells its model first.

use nekro_core::{
    Caller, Error, Part,
    kernel::{CommandEntry, Kernel, Stage},
};
use rmcp::model::{GetPromptResult, JsonObject, Prompt, PromptArgument, PromptMessage, Role};
use serde_json::Value;

use super::content::block;

/// Returns the prompts that there are for a caller.
pub(super) fn list(kernel: &Kernel, caller: &Caller) -> Vec<Prompt> {
    let commands = kernel.commands(caller).map(command);
    commands.chain(sections(kernel)).collect()
}

/// Makes a prompt; `None` if there is none of that name.
///
/// # Errors
///
/// What the command said.
pub(super) async fn get(
    kernel: &Kernel,
    caller: &Caller,
    name: &str,
    arguments: Option<&JsonObject>,
) -> Result<Option<GetPromptResult>, Error> {
    if let Some(entry) = kernel.commands(caller).find(|entry| entry.decl.name == name) {
        let words: Vec<_> = arguments.into_iter().flatten().map(|(name, value)| word(name, value)).collect();
        let reply = kernel.command(entry.decl.name, &words, caller).await?;
        let made = if reply.content.is_empty() { with_text(reply.to_text()) } else { with_parts(reply.content) };
        return Ok(Some(made.with_description(entry.decl.docs)));
    }
    let Some(prompt) = sections(kernel).find(|prompt| prompt.name == name) else { return Ok(None) };
    let section = kernel.prompt(caller).await.into_iter().find(|section| section_name(section.plugin, section.name) == name);
    let text = section.map(|section| section.text).unwrap_or_default();
    Ok(Some(with_text(text).with_description(prompt.description.unwrap_or_default())))
}

/// Returns the words that an argument of a command may be.
pub(super) fn complete(kernel: &Kernel, caller: &Caller, prompt: &str, argument: &str, typed: &str) -> Vec<String> {
    let command = kernel.commands(caller).find(|entry| entry.decl.name == prompt);
    command.map(|entry| crate::completion::complete(entry.arguments(), argument, typed)).unwrap_or_default()
}

fn command(entry: &CommandEntry) -> Prompt {
    let arguments = entry.decl.arguments.iter().map(|argument| {
        PromptArgument::new(argument.name).with_description(argument.docs).with_required(!argument.is_optional())
    });
    Prompt::new(entry.decl.name, Some(entry.decl.docs), Some(arguments.collect()))
}

/// Returns the sections of the plugins that run, also those that have nothing to say at the moment.
fn sections(kernel: &Kernel) -> impl Iterator<Item = Prompt> {
    let running: Vec<_> =
        kernel.status().into_iter().filter(|plugin| matches!(plugin.stage, Stage::Running)).map(|one| one.id).collect();
    let sections = kernel.registry().prompts().filter(move |section| running.contains(&section.plugin.id));
    sections.map(|section| Prompt::new(section_name(section.plugin.id, section.name), Some(section.docs), None))
}

fn section_name(plugin: &str, section: &str) -> String {
    format!("{plugin}.{section}")
}

fn with_text(text: String) -> GetPromptResult {
    let messages = if text.is_empty() { Vec::new() } else { vec![PromptMessage::new_text(Role::User, text)] };
    GetPromptResult::new(messages)
}

/// A message carries one part: text, an image, sound or a file.
fn with_parts(parts: Vec<Part>) -> GetPromptResult {
    GetPromptResult::new(parts.into_iter().map(|part| PromptMessage::new(Role::User, block(part))).collect())
}

/// Clients give every argument as a text.
fn word(name: &str, value: &Value) -> String {
    match value {
        Value::String(text) => format!("--{name}={text}"),
        value => format!("--{name}={value}"),
    }
}
