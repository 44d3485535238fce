//! Who brought which lines, as `git blame --porcelain` writes it.

use std::collections::HashMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Lines that follow each other and that one commit brought.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BlamedLines {
    /// The commit.
    pub commit: String,
    /// Who wrote it.
    pub author: String,
    /// The first line of its message.
    pub title: String,
    /// The number of the first of these lines.
    pub first_line: usize,
    /// The lines.
    pub lines: Vec<String>,
}

/// Reads what was written. Of a commit, git tells only once who made it.
pub(crate) fn read(output: &[u8]) -> Vec<BlamedLines> {
    let text = String::from_utf8_lossy(output);
    let (mut authors, mut titles) = (HashMap::new(), HashMap::new());
    let mut found: Vec<BlamedLines> = Vec::new();
    let (mut commit, mut number) = ("", 0);
    for line in text.split('\n') {
        if let Some(content) = line.strip_prefix('\t') {
            let follows = found.last().is_some_and(|last| last.commit == commit && last.first_line + last.lines.len() == number);
            if !follows {
                let told = |known: &HashMap<&str, &str>| known.get(commit).copied().unwrap_or_default().to_owned();
                let (author, title) = (told(&authors), told(&titles));
                found.push(BlamedLines { commit: commit.to_owned(), author, title, first_line: number, lines: Vec::new() });
            }
            let last = found.last_mut().expect("there is one, or it was just added");
            last.lines.push(content.to_owned());
        } else if let Some(author) = line.strip_prefix("author ") {
            authors.insert(commit, author);
        } else if let Some(title) = line.strip_prefix("summary ") {
            titles.insert(commit, title);
        } else if let Some((hash, place)) = header(line) {
            (commit, number) = (hash, place);
        }
    }
    found
}

/// Reads `<commit> <line there> <line here> …`.
fn header(line: &str) -> Option<(&str, usize)> {
    let mut words = line.split(' ');
    let commit = words.next().filter(|hash| hash.len() >= 40 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()))?;
    Some((commit, words.nth(1)?.parse().ok()?))
}
