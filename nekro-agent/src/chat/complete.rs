//! What a line that begins with a slash can become: commands and their groups as a tree, and what their arguments may be.

use nekro_core::kernel::CommandEntry;

use crate::completion;

/// A command, as it is completed.
pub(super) struct Completed {
    /// Its name without the slash: a word, or that of its group and its own.
    name: String,
    arguments: Vec<Argument>,
}

struct Argument {
    name: &'static str,
    is_switch: bool,
    values: Vec<String>,
}

impl Completed {
    /// A command without arguments that are known.
    pub(super) fn named(name: impl Into<String>) -> Self {
        Self { name: name.into(), arguments: Vec::new() }
    }

    /// A command of a plugin, by its name and its other names.
    pub(super) fn all(entry: &CommandEntry) -> impl Iterator<Item = Self> {
        let names = std::iter::once(entry.decl.name).chain(entry.decl.aliases.iter().copied());
        names.map(|name| Self {
            name: name.to_owned(),
            arguments: entry.decl.arguments.iter().map(|one| argument(entry, one.name)).collect(),
        })
    }
}

fn argument(entry: &CommandEntry, name: &'static str) -> Argument {
    let values = completion::complete(entry.arguments(), name, "");
    Argument { name, is_switch: values == ["true", "false"], values }
}

/// Returns where the word to complete begins in a line, and what it can become.
pub(super) fn complete(commands: &[Completed], before: &str) -> (usize, Vec<String>) {
    let Some(line) = before.strip_prefix('/') else { return (0, Vec::new()) };
    let typed = line.rsplit(char::is_whitespace).next().unwrap_or_default();
    let start = before.len() - typed.len();
    // Groups have the words before in common, and end in a space: another word follows.
    let said = &line[..line.len() - typed.len()];
    let next = commands.iter().filter_map(|command| command.name.strip_prefix(said));
    let next = next.map(|rest| rest.split_once(' ').map_or_else(|| rest.to_owned(), |(group, _)| format!("{group} ")));
    let mut found: Vec<_> = next.filter(|word| word.starts_with(typed)).collect();
    // The one with the longest name is meant, as when it is called.
    let mut meant: Vec<_> =
        commands.iter().filter(|command| said.strip_prefix(&*command.name).is_some_and(|rest| rest.starts_with(' '))).collect();
    meant.sort_by_key(|command| command.name.len());
    if let Some(command) = meant.last() {
        found.extend(command.next(&said[command.name.len()..], typed));
    }
    found.sort();
    found.dedup();
    if said.is_empty() {
        return (0, found.into_iter().map(|word| format!("/{word}")).collect());
    }
    (start, found)
}

impl Completed {
    /// Returns what can follow the words that were said.
    fn next(&self, said: &str, typed: &str) -> Vec<String> {
        let (mut given, mut positional, mut open) = (Vec::new(), 0, None);
        for word in said.split_whitespace() {
            let name = word.strip_prefix("--").map(|option| option.split('=').next().unwrap_or_default().replace('-', "_"));
            match (open.take(), name) {
                (Some(_), _) => {}
                (None, None) => positional += 1,
                (None, Some(name)) => {
                    let argument = self.arguments.iter().find(|argument| argument.name == name);
                    open = argument.filter(|argument| !argument.is_switch && !word.contains('='));
                    given.push(name);
                }
            }
        }
        let left = || self.arguments.iter().filter(|argument| !given.iter().any(|name| name == argument.name));
        let words: Vec<String> = match open {
            Some(argument) => argument.values.clone(),
            None if typed.starts_with("--") => left().map(|argument| format!("--{}", argument.name)).collect(),
            None => left().nth(positional).map(|argument| argument.values.clone()).unwrap_or_default(),
        };
        words.into_iter().filter(|word| word.starts_with(typed)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(before: &str, start: usize, words: &[&str]) {
        let values = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        let argument = |name, words: &[&str]| Argument { name, is_switch: words == ["true", "false"], values: values(words) };
        let arguments =
            || vec![argument("colour", &["red", "green"]), argument("loud", &["true", "false"]), argument("text", &[])];
        let commands = [
            Completed::named("help"),
            Completed { name: "note".to_owned(), arguments: arguments() },
            Completed { name: "note add".to_owned(), arguments: arguments() },
            Completed::named("note list"),
            Completed::named("notify"),
        ];
        assert_eq!(complete(&commands, before), (start, values(words)), "{before}");
    }

    #[test]
    fn a_command_is_completed_word_by_word() {
        check("/", 0, &["/help", "/note", "/note ", "/notify"]);
        check("/noti", 0, &["/notify"]);
        check("/note l", 6, &["list"]);
        check("/note ", 6, &["add", "green", "list", "red"]);
        check("/note list ", 11, &[]);
        check("/nothing ", 9, &[]);
        check("hello /n", 0, &[]);
    }

    #[test]
    fn what_an_argument_may_be_is_offered_by_its_place_or_its_name() {
        check("/note add ", 10, &["green", "red"]);
        check("/note add g", 10, &["green"]);
        check("/note add red ", 14, &["false", "true"]);
        check("/note add red true ", 19, &[]);
        check("/note add --", 10, &["--colour", "--loud", "--text"]);
        check("/note add --colour ", 19, &["green", "red"]);
        check("/note add --colour=red --l", 23, &["--loud"]);
        check("/note add --loud ", 17, &["green", "red"]);
        check("/note add --text red ", 21, &["green", "red"]);
    }
}
