//! The edited prompt: history, and completion of commands, tools and their arguments.

use std::path::PathBuf;

use nekro_core::{Caller, kernel::Kernel};
use rustyline::{
    CompletionType, Config, Context, Editor as Rustyline, Helper,
    completion::{Completer, Pair},
    error::ReadlineError,
    highlight::Highlighter,
    hint::Hinter,
    history::FileHistory,
    validate::Validator,
};

use super::commands::OWN;
use crate::cli::Failure;

/// Asks for lines.
pub(super) struct Editor {
    rustyline: Rustyline<Completions, FileHistory>,
    history: PathBuf,
}

impl Editor {
    pub(super) fn new(kernel: &Kernel, caller: &Caller) -> Result<Self, Failure> {
        let problem = |error| Failure::work(format!("the terminal cannot be used: {error}"));
        let config = Config::builder().completion_type(CompletionType::List).build();
        let mut rustyline = Rustyline::with_config(config).map_err(problem)?;
        rustyline.set_helper(Some(Completions::new(kernel, caller)));
        let history = PathBuf::from(".nekro/history");
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
        if let Some(folder) = self.history.parent()
            && std::fs::create_dir_all(folder).is_ok()
        {
            let _ = self.rustyline.save_history(&self.history);
        }
    }
}

/// What can be completed.
struct Completions {
    commands: Vec<String>,
    // With the names of their arguments.
    tools: Vec<(String, Vec<&'static str>)>,
}

impl Completions {
    fn new(kernel: &Kernel, caller: &Caller) -> Self {
        let plugins = kernel.commands(caller).flat_map(|entry| std::iter::once(&entry.decl.name).chain(entry.decl.aliases));
        let mut commands: Vec<_> =
            plugins.copied().chain(OWN.iter().map(|own| own.name)).map(|name| format!("/{name}")).collect();
        commands.sort();
        let arguments = |tool: &nekro_core::kernel::ToolEntry| tool.decl.arguments.iter().map(|one| one.name).collect();
        let tools = kernel.tools(caller).map(|tool| (tool.name.clone(), arguments(tool))).collect();
        Self { commands, tools }
    }

    /// Returns where the word to complete begins, and what it can become.
    fn of(&self, before: &str) -> (usize, Vec<String>) {
        if before.starts_with('/') && !before.contains(char::is_whitespace) {
            return (0, starting_with(before, self.commands.iter().cloned()));
        }
        let Some((tool, inside)) = before.split_once('(') else {
            return (0, starting_with(before, self.tools.iter().map(|(name, _)| format!("{name}("))));
        };
        let Some((_, arguments)) = self.tools.iter().find(|(name, _)| name == tool) else { return (0, Vec::new()) };
        let word = inside.rsplit([',', '(']).next().unwrap_or_default().trim_start();
        let open = arguments.iter().filter(|name| !inside.contains(&format!("{name}=")));
        (before.len() - word.len(), starting_with(word, open.map(|name| format!("{name}="))))
    }
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
            commands: vec!["/help".to_owned(), "/roll".to_owned()],
            tools: vec![("dice.roll".to_owned(), vec!["notation", "times"])],
        };
        words.of(before)
    }

    #[test]
    fn commands_tools_and_arguments_are_completed() {
        assert_eq!(completions("/r"), (0, vec!["/roll".to_owned()]));
        assert_eq!(completions("di"), (0, vec!["dice.roll(".to_owned()]));
        assert_eq!(completions("dice.roll("), (10, vec!["notation=".to_owned(), "times=".to_owned()]));
        assert_eq!(completions("dice.roll(notation=1, t"), (22, vec!["times=".to_owned()]));
        assert_eq!(completions("hello there"), (0, Vec::new()));
    }
}
