//! `nekro call`

use nekro_core::Caller;

use super::{Failure, Screen, tools};
use crate::{assemble::Agent, ports::tool_on_terminal};

pub(super) async fn call(
    agent: &Agent,
    tool: &str,
    help: bool,
    mut words: Vec<String>,
    caller: &Caller,
    screen: &Screen,
) -> Result<(), Failure> {
    let entry = tools::find(agent, tool, caller)?;
    let is_argument = |name: &str| entry.parameters().iter().any(|argument| argument.name == name);
    // What follows the tool is the tool's, except for these options, unless it has arguments of that name.
    if help || !is_argument("help") && words.iter().any(|word| word == "--help" || word == "-h") {
        screen.line(tools::usage(&entry));
        return Ok(());
    }
    let json = !is_argument("json") && take_switch(&mut words, "--json");
    let screen = &Screen::new(screen.is_json() || json);
    let result = match if is_argument("args") { None } else { take_option(&mut words, "--args")? } {
        Some(_) if !words.is_empty() => {
            return Err(Failure::usage(format!("`--args` has all the arguments, but `{}` came too", words.join(" "))));
        }
        Some(arguments) => tool_on_terminal(&agent.kernel, tool, screen, agent.kernel.call(tool, &arguments, caller)).await,
        None => tool_on_terminal(&agent.kernel, tool, screen, agent.kernel.call_words(tool, &words, caller)).await,
    };
    let reply = result.map_err(|error| Failure::of(&error))?;
    screen.reply(&reply);
    Ok(())
}

pub(super) fn take_switch(words: &mut Vec<String>, name: &str) -> bool {
    let before = words.len();
    words.retain(|word| word != name);
    words.len() < before
}

fn take_option(words: &mut Vec<String>, name: &str) -> Result<Option<String>, Failure> {
    let Some(at) = words.iter().position(|word| word.split('=').next() == Some(name)) else { return Ok(None) };
    let word = words.remove(at);
    if let Some((_, value)) = word.split_once('=') {
        return Ok(Some(value.to_owned()));
    }
    if at < words.len() { Ok(Some(words.remove(at))) } else { Err(Failure::usage(format!("`{name}` needs a value"))) }
}
