//! The edited prompt: history, and completion of commands, tools and their arguments.

use std::path::PathBuf;

use nekro_core::Caller;
use rustyline::{
    CompletionType, Config, Context, Editor as Rustyline, ExternalPrinter, Helper,
    completion::{Completer, FilenameCompleter, Pair},
    error::ReadlineError,
    highlight::Highlighter,
    hint::Hinter,
    history::FileHistory,
    validate::Validator,
};

use super::{
    commands::{DEFAULT, OWN},
    complete::{Completed, complete},
};
use crate::{assemble::Agent, cli::Failure, completion};

/// Asks for lines.
pub(super) struct Editor {
    rustyline: Rustyline<Completions, FileHistory>,
    history: PathBuf,
}

impl Editor {
    pub(super) fn new(agent: &Agent, caller: &Caller, history: PathBuf) -> Result<Self, Failure> {
        let problem = |error| Failure::work(format!("the terminal cannot be used: {error}"));
        let config = Config::builder().completion_type(CompletionType::List).build();
        let mut rustyline = Rustyline::with_config(config).map_err(problem)?;
        rustyline.set_helper(Some(Completions::new(agent, caller)));
        // The first chat in a place has no history.
        let _ = rustyline.load_history(&history);
        Ok(Self { rustyline, history })
    }

    /// Asks for a line; `None` ends the chat.
    pub(super) fn line(&mut self) -> Result<Option<String>, Failure> {
        loop {
            match self.rustyline.readline("> ") {
                Ok(line) => {
                    // A history that is full or cannot be kept is no reason to complain.
                    let _ = self.rustyline.add_history_entry(&line);
                    return Ok(Some(line));
                }
                // Ctrl-C gives up the line.
                Err(ReadlineError::Interrupted) => {}
                Err(ReadlineError::Eof) => return Ok(None),
                Err(error) => return Err(Failure::work(format!("the line cannot be read: {error}"))),
            }
        }
    }

    /// Returns what prints above the line that is being typed; `None` where the terminal cannot do that.
    pub(super) fn printer(&mut self) -> Option<impl ExternalPrinter + Send + use<>> {
        self.rustyline.create_external_printer().ok()
    }

    /// Asks a question. Nothing typed, Ctrl-C and Ctrl-D all mean no.
    pub(super) fn ask(&mut self, question: &str) -> String {
        let (text, prompt) = question.rsplit_once('\n').unwrap_or(("", question));
        println!("{text}");
        self.rustyline.readline(prompt).unwrap_or_default()
    }
}

impl Drop for Editor {
    fn drop(&mut self) {
        // History is a comfort: a read-only directory is no reason to complain.
        let _ = self.rustyline.save_history(&self.history);
    }
}

/// An argument of a tool, and what it may be.
type Values = (String, Vec<String>);

/// What can be completed.
struct Completions {
    commands: Vec<Completed>,
    // With their arguments, and what each may be.
    tools: Vec<(String, Vec<Values>)>,
    // What may follow a command, by the words before.
    words: Vec<(&'static str, Vec<String>)>,
    files: FilenameCompleter,
}

/// What is followed by a path.
const BEFORE_A_PATH: &str = "/image ";

impl Completions {
    fn new(agent: &Agent, caller: &Caller) -> Self {
        let (kernel, machine) = (&agent.kernel, &agent.machine);
        let commands = kernel.commands(caller).flat_map(Completed::all).chain(OWN.iter().map(|own| Completed::named(own.name)));
        let commands = commands.collect();
        let arguments = |tool: &nekro_core::kernel::Tool<'_>| {
            let values = |name: &str| (name.to_owned(), completion::complete(tool.arguments(), name, ""));
            tool.parameters().iter().map(|one| values(one.name)).collect()
        };
        let tools = kernel.tools(caller).map(|tool| (tool.name().to_owned(), arguments(&tool))).collect();
        let or_default = |names: Vec<String>| names.into_iter().chain([DEFAULT.to_owned()]).collect::<Vec<_>>();
        let plugins: Vec<_> = kernel.registry().plugins().iter().map(|entry| entry.decl.id.to_owned()).collect();
        let words = vec![
            ("/model ", or_default(machine.models())),
            ("/persona ", or_default(machine.personas().map(str::to_owned).collect())),
            ("/state ", machine.states().to_vec()),
            ("/plugins ", vec!["on ".to_owned(), "off ".to_owned()]),
            ("/plugins on ", plugins.clone()),
            ("/plugins off ", plugins),
        ];
        Self { commands, tools, words, files: FilenameCompleter::new() }
    }

    /// Returns where the word to complete begins, and what it can become.
    fn of(&self, before: &str) -> (usize, Vec<String>) {
        let of_command = |(start, words): &(&str, Vec<String>)| {
            let word = before.strip_prefix(start).filter(|word| !word.contains(' '))?;
            Some((start.len(), starting_with(word, words.iter().cloned())))
        };
        if let Some(found) = self.words.iter().find_map(of_command) {
            return found;
        }
        if before.starts_with('/') {
            return complete(&self.commands, before);
        }
        let Some((tool, inside)) = before.split_once('(') else {
            return (0, starting_with(before, self.tools.iter().map(|(name, _)| format!("{name}("))));
        };
        let Some((_, arguments)) = self.tools.iter().find(|(name, _)| name == tool) else { return (0, Vec::new()) };
        let word = inside.rsplit([',', '(']).next().unwrap_or_default().trim_start();
        if let Some((name, value)) = word.split_once('=') {
            let values = arguments.iter().find(|(known, _)| *known == name.trim()).map(|(_, values)| written(values));
            return (before.len() - value.len(), starting_with(value, values.unwrap_or_default().into_iter()));
        }
        let open = arguments.iter().map(|(name, _)| name).filter(|name| !inside.contains(&format!("{name}=")));
        (before.len() - word.len(), starting_with(word, open.map(|name| format!("{name}="))))
    }
}

/// Writes values as they stand in a call.
fn written(values: &[String]) -> Vec<String> {
    let is_switch = *values == ["true", "false"];
    values.iter().map(|value| if is_switch { value.clone() } else { format!("{value:?}") }).collect()
}

fn starting_with(start: &str, words: impl Iterator<Item = String>) -> Vec<String> {
    words.filter(|word| word.starts_with(start)).collect()
}

impl Helper for Completions {}

impl Highlighter for Completions {}

impl Hinter for Completions {
    type Hint = String;
}

impl Validator for Completions {}

impl Completer for Completions {
    type Candidate = Pair;

    fn complete(&self, line: &str, at: usize, _: &Context<'_>) -> rustyline::Result<(usize, Vec<Pair>)> {
        if line[..at].starts_with(BEFORE_A_PATH) {
            return self.files.complete_path(line, at);
        }
        let (start, words) = self.of(&line[..at]);
        let pair = |word: String| Pair { display: word.clone(), replacement: word };
        Ok((start, words.into_iter().map(pair).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn completions(before: &str) -> (usize, Vec<String>) {
        let words = Completions {
            commands: vec![Completed::named("help"), Completed::named("roll")],
            tools: vec![(
                "dice.roll".to_owned(),
                vec![
                    ("notation".to_owned(), Vec::new()),
                    ("times".to_owned(), Vec::new()),
                    ("how".to_owned(), vec!["fairly".to_owned(), "luckily".to_owned()]),
                    ("loud".to_owned(), vec!["true".to_owned(), "false".to_owned()]),
                ],
            )],
            words: vec![
                ("/model ", vec!["main".to_owned(), "offline".to_owned()]),
                ("/plugins ", vec!["on ".to_owned(), "off ".to_owned()]),
                ("/plugins off ", vec!["dice".to_owned()]),
            ],
            files: FilenameCompleter::new(),
        };
        words.of(before)
    }

    #[test]
    fn commands_tools_and_arguments_are_completed() {
        assert_eq!(completions("/r"), (0, vec!["/roll".to_owned()]));
        assert_eq!(completions("di"), (0, vec!["dice.roll(".to_owned()]));
        assert_eq!(completions("dice.roll(").1, ["notation=", "times=", "how=", "loud="]);
        assert_eq!(completions("dice.roll(how=\"f"), (14, vec!["\"fairly\"".to_owned()]));
        assert_eq!(completions("dice.roll(notation=1, loud="), (27, vec!["true".to_owned(), "false".to_owned()]));
        assert_eq!(completions("dice.roll(notation=1, t"), (22, vec!["times=".to_owned()]));
        assert_eq!(completions("hello there"), (0, Vec::new()));
    }

    #[test]
    fn what_follows_a_command_is_completed() {
        assert_eq!(completions("/model m"), (7, vec!["main".to_owned()]));
        assert_eq!(completions("/plugins o"), (9, vec!["on ".to_owned(), "off ".to_owned()]));
        assert_eq!(completions("/plugins off "), (13, vec!["dice".to_owned()]));
        assert_eq!(completions("/model main x").1, [""; 0]);
    }
}
