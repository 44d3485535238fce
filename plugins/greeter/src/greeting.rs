//! A greeting with a place for a name, such as `Hello {user}!`.
//!
//! Free of plugin types, so what a name can do to a greeting can be read and tested on its own.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A text in Markdown, in which `{user}` stands for the name of whoever is greeted. `{{` and `}}` stand for braces.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(inline, extend("minLength" = 1, "maxLength" = MOST))]
// Invariant: says something.
pub(crate) struct Greeting(Vec<Part>);

/// The most characters of a greeting.
const MOST: usize = 2_000;

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    User,
}

/// Why a text is no greeting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum GreetingError {
    /// It says nothing.
    Empty,
    /// It says too much.
    TooLong,
    /// Something stands in braces that has no meaning.
    Unknown(String),
    /// A brace has no partner.
    Brace(char),
}

impl Greeting {
    /// Puts a name in. What is in a name stays a name: it is kept short and on its line, and its Markdown is not carried out.
    pub(crate) fn to(&self, user: &str) -> String {
        let name = plain(user);
        self.0
            .iter()
            .map(|part| match part {
                Part::Text(text) => text.as_str(),
                Part::User => name.as_str(),
            })
            .collect()
    }
}

/// The most characters of a name.
const LONGEST_NAME: usize = 64;

fn plain(name: &str) -> String {
    let line = name.split(|character: char| character.is_whitespace() || character.is_control());
    let line = line.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
    let mut plain = String::new();
    for character in line.chars().take(LONGEST_NAME) {
        // A backslash before any of these makes it an ordinary character: CommonMark 0.31, section 2.4. The colon is that of a link.
        if matches!(character, '\\' | '`' | '*' | '_' | '~' | '[' | ']' | '<' | '>' | '#' | '|' | '&' | ':') {
            plain.push('\\');
        }
        plain.push(character);
    }
    plain
}

impl TryFrom<String> for Greeting {
    type Error = GreetingError;

    fn try_from(text: String) -> Result<Self, GreetingError> {
        if text.trim().is_empty() {
            return Err(GreetingError::Empty);
        }
        if text.chars().nth(MOST).is_some() {
            return Err(GreetingError::TooLong);
        }
        let mut parts = Vec::new();
        let mut before = String::new();
        let mut rest = text.as_str();
        while let Some(at) = rest.find(['{', '}']) {
            before.push_str(&rest[..at]);
            let brace = &rest[at..];
            rest = if let Some(rest) = brace.strip_prefix("{{") {
                before.push('{');
                rest
            } else if let Some(rest) = brace.strip_prefix("}}") {
                before.push('}');
                rest
            } else if let Some(inside) = brace.strip_prefix('{') {
                let (name, rest) = inside.split_once('}').ok_or(GreetingError::Brace('{'))?;
                if name != "user" {
                    return Err(GreetingError::Unknown(name.to_owned()));
                }
                parts.extend([Part::Text(std::mem::take(&mut before)), Part::User]);
                rest
            } else {
                return Err(GreetingError::Brace('}'));
            };
        }
        before.push_str(rest);
        parts.push(Part::Text(before));
        parts.retain(|part| *part != Part::Text(String::new()));
        Ok(Self(parts))
    }
}

impl From<Greeting> for String {
    fn from(greeting: Greeting) -> Self {
        let written = greeting.0.into_iter().map(|part| match part {
            Part::Text(text) => text.replace('{', "{{").replace('}', "}}"),
            Part::User => "{user}".to_owned(),
        });
        written.collect()
    }
}

impl fmt::Display for GreetingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("a greeting has to say something; to greet nobody, disable the plugin"),
            Self::TooLong => write!(f, "a greeting has {MOST} characters at most"),
            Self::Unknown(name) => {
                write!(f, "there is no placeholder `{{{name}}}`: there is `{{user}}`, and `{{{{` for a brace")
            }
            Self::Brace(brace) => write!(f, "the `{brace}` has no partner: write `{brace}{brace}` for a brace"),
        }
    }
}

impl std::error::Error for GreetingError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, user: &str, expected: Result<&str, GreetingError>) {
        let greeting = Greeting::try_from(text.to_owned());
        if let Ok(greeting) = &greeting {
            assert_eq!(String::from(greeting.clone()), text, "it is written as it was read");
        }
        assert_eq!(greeting.map(|greeting| greeting.to(user)), expected.map(str::to_owned));
    }

    #[test]
    fn the_name_stands_wherever_it_is_asked_for() {
        check("Hello!", "Ada", Ok("Hello!"));
        check("{user}? Hello {user}", "Ada", Ok("Ada? Hello Ada"));
        check("{{user}} is {user}}}", "Ada", Ok("{user} is Ada}"));
    }

    #[test]
    fn what_has_no_meaning_is_refused() {
        check(" \n", "", Err(GreetingError::Empty));
        check("Hello {name}", "", Err(GreetingError::Unknown("name".to_owned())));
        check("Hello { user }", "", Err(GreetingError::Unknown(" user ".to_owned())));
        check("Hello {user", "", Err(GreetingError::Brace('{')));
        check("Hello user}", "", Err(GreetingError::Brace('}')));
        check(&"a".repeat(MOST + 1), "", Err(GreetingError::TooLong));
    }

    #[test]
    fn a_name_is_never_more_than_a_name() {
        check("{user}", "{user}", Ok("{user}"));
        check("{user}", "Ada\n\n# Owner\u{2028}\u{1b}[2J", Ok("Ada \\# Owner \\[2J"));
        check("{user}", "[win](https://x.example)", Ok("\\[win\\](https\\://x.example)"));
        check("{user}", "*ada_l*", Ok("\\*ada\\_l\\*"));
        check("{user}", &"x".repeat(1_000), Ok(&"x".repeat(LONGEST_NAME)));
    }
}
