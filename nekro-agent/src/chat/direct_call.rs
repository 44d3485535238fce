//! A tool called directly: `dice.roll(notation="2d6")`, as a script would write it.
//!
//! Values are JSON, with what Python spells otherwise: `True`, `False`, `None`, and strings in single quotes.

use std::fmt;

use nekro_core::Error;
use serde_json::{Map, Number, Value};

/// A call that was typed.
#[derive(Debug, PartialEq)]
pub(super) struct DirectCall {
    /// The tool, such as `dice.roll`.
    pub(super) tool: String,
    positional: Vec<Value>,
    named: Map<String, Value>,
}

/// Why a call cannot be read.
#[derive(Debug, PartialEq)]
pub(super) struct Mistake {
    // Counted in characters, from 1.
    column: usize,
    expected: &'static str,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the call cannot be read: expected {} at column {}", self.expected, self.column)
    }
}

/// How deep values may be nested.
const DEPTH: usize = 64;

impl DirectCall {
    /// Reads a line. Returns `None` if it does not begin like a call.
    pub(super) fn parse(line: &str) -> Option<Result<Self, Mistake>> {
        let mut reader = Reader { text: line, at: 0 };
        let plugin = reader.name()?;
        reader.take('.').then_some(())?;
        let tool = reader.name()?;
        reader.space();
        reader.take('(').then_some(())?;
        Some(reader.arguments(format!("{plugin}.{tool}")))
    }

    /// Returns the arguments as a JSON object. `names` are the tool's arguments, for those that were given by position.
    pub(super) fn arguments(&self, names: &[&str]) -> Result<String, Error> {
        let mut object = self.named.clone();
        for (at, value) in self.positional.iter().enumerate() {
            let problem = match names.get(at) {
                None if names.is_empty() => format!("`{}` takes no arguments", self.tool),
                None => format!("`{}` takes {} arguments, but {} were given", self.tool, names.len(), self.positional.len()),
                Some(name) if object.contains_key(*name) => format!("`{name}` is given twice"),
                Some(name) => {
                    object.insert((*name).to_owned(), value.clone());
                    continue;
                }
            };
            return Err(Error::new(problem).with_code("invalid_arguments"));
        }
        Ok(Value::Object(object).to_string())
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl Reader<'_> {
    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn space(&mut self) {
        self.at += self.rest().len() - self.rest().trim_start().len();
    }

    /// Passes over a character, if it is the next one.
    fn take(&mut self, one: char) -> bool {
        let found = self.rest().starts_with(one);
        if found {
            self.at += one.len_utf8();
        }
        found
    }

    fn expect(&mut self, one: char, expected: &'static str) -> Result<(), Mistake> {
        if self.take(one) { Ok(()) } else { Err(self.mistake(expected)) }
    }

    fn mistake(&self, expected: &'static str) -> Mistake {
        Mistake { column: self.text[..self.at].chars().count() + 1, expected }
    }

    fn name(&mut self) -> Option<String> {
        let rest = self.rest();
        let end = rest.find(|one: char| !one.is_ascii_alphanumeric() && one != '_').unwrap_or(rest.len());
        let name = rest[..end].to_owned();
        name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_').then(|| {
            self.at += end;
            name
        })
    }

    fn arguments(mut self, tool: String) -> Result<DirectCall, Mistake> {
        let mut call = DirectCall { tool, positional: Vec::new(), named: Map::new() };
        loop {
            self.space();
            if self.take(')') {
                break;
            }
            self.argument(&mut call)?;
            self.space();
            if !self.take(',') {
                self.expect(')', "`,` or `)`")?;
                break;
            }
        }
        self.space();
        if self.rest().is_empty() { Ok(call) } else { Err(self.mistake("nothing after the call")) }
    }

    fn argument(&mut self, call: &mut DirectCall) -> Result<(), Mistake> {
        let start = self.at;
        if let Some(name) = self.name() {
            self.space();
            if self.take('=') {
                self.space();
                let value = self.value(DEPTH)?;
                if call.named.insert(name, value).is_some() {
                    self.at = start;
                    return Err(self.mistake("each argument once"));
                }
                return Ok(());
            }
            self.at = start;
        }
        if !call.named.is_empty() {
            return Err(self.mistake("a name, for the argument before has one"));
        }
        call.positional.push(self.value(DEPTH)?);
        Ok(())
    }

    fn value(&mut self, depth: usize) -> Result<Value, Mistake> {
        if depth == 0 {
            return Err(self.mistake("fewer brackets in one another"));
        }
        match self.rest().chars().next() {
            Some('"') => self.quoted('"').map(Value::String),
            Some('\'') => self.quoted('\'').map(Value::String),
            Some('[') => {
                self.at += 1;
                let mut items = Vec::new();
                self.items(']', |reader| {
                    items.push(reader.value(depth - 1)?);
                    Ok(())
                })?;
                Ok(Value::Array(items))
            }
            Some('{') => {
                self.at += 1;
                let mut object = Map::new();
                self.items('}', |reader| {
                    let quote = if reader.rest().starts_with('\'') { '\'' } else { '"' };
                    let key = reader.quoted(quote)?;
                    reader.space();
                    reader.expect(':', "`:`")?;
                    reader.space();
                    object.insert(key, reader.value(depth - 1)?);
                    Ok(())
                })?;
                Ok(Value::Object(object))
            }
            _ => self.word(),
        }
    }

    /// Reads what stands between brackets, separated by commas.
    fn items(&mut self, end: char, mut item: impl FnMut(&mut Self) -> Result<(), Mistake>) -> Result<(), Mistake> {
        loop {
            self.space();
            if self.take(end) {
                return Ok(());
            }
            item(self)?;
            self.space();
            if !self.take(',') {
                return self.expect(end, "`,` or a closing bracket");
            }
        }
    }

    fn quoted(&mut self, quote: char) -> Result<String, Mistake> {
        self.expect(quote, "a string in quotes")?;
        let mut text = String::new();
        loop {
            let Some(one) = self.rest().chars().next() else { return Err(self.mistake("the closing quote")) };
            self.at += one.len_utf8();
            match one {
                _ if one == quote => return Ok(text),
                '\\' => text.push(self.escaped()?),
                _ => text.push(one),
            }
        }
    }

    fn escaped(&mut self) -> Result<char, Mistake> {
        let Some(one) = self.rest().chars().next() else { return Err(self.mistake("what is escaped")) };
        let hex = |reader: &Self, digits: usize| {
            let text = reader.rest().get(1..=digits)?;
            u32::from_str_radix(text, 16).ok().and_then(char::from_u32)
        };
        let (character, length) = match one {
            'n' => (Some('\n'), 1),
            't' => (Some('\t'), 1),
            'r' => (Some('\r'), 1),
            '\\' | '"' | '\'' | '/' => (Some(one), 1),
            'u' => (hex(self, 4), 5),
            'x' => (hex(self, 2), 3),
            _ => (None, 0),
        };
        let character = character.ok_or_else(|| self.mistake("an escape such as `\\n` or `\\u00e9`"))?;
        self.at += length;
        Ok(character)
    }

    /// Reads a number or a constant.
    fn word(&mut self) -> Result<Value, Mistake> {
        let rest = self.rest();
        let end = rest.find(|one: char| !one.is_ascii_alphanumeric() && !"+-._".contains(one)).unwrap_or(rest.len());
        let value = match &rest[..end] {
            "True" | "true" => Some(Value::Bool(true)),
            "False" | "false" => Some(Value::Bool(false)),
            "None" | "null" => Some(Value::Null),
            word => serde_json::from_str::<Number>(word).ok().map(Value::Number),
        };
        let value =
            value.ok_or_else(|| self.mistake("a value: a number, a string in quotes, a list, `True`, `False` or `None`"))?;
        self.at += end;
        Ok(value)
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(line: &str, expected: Expect) {
        let text = match DirectCall::parse(line) {
            None => "no call".to_owned(),
            Some(Err(mistake)) => mistake.to_string(),
            Some(Ok(call)) => match call.arguments(&["first", "second"]) {
                Ok(arguments) => format!("{} {arguments}", call.tool),
                Err(error) => error.to_string(),
            },
        };
        expected.assert_eq(&text);
    }

    #[test]
    fn arguments_are_given_by_name_or_by_position() {
        check("dice.roll()", expect!["dice.roll {}"]);
        check("dice.roll( \"2d6\" , second = 3, )", expect![[r#"dice.roll {"first":"2d6","second":3}"#]]);
        check(
            "a.b([1, -2.5e3, 'x\\'y\\u00e9'], {'k': None, \"l\": {\"m\": True}})",
            expect![[r#"a.b {"first":[1,-2500.0,"x'yé"],"second":{"k":null,"l":{"m":true}}}"#]],
        );
        check("a.b(second='ü')", expect![[r#"a.b {"second":"ü"}"#]]);
    }

    #[test]
    fn mistakes_have_a_column() {
        check("a.b(1, 2, 3)", expect!["`a.b` takes 2 arguments, but 3 were given"]);
        check("a.b(1, first=2)", expect!["`first` is given twice"]);
        check("a.b(first=1, first=2)", expect!["the call cannot be read: expected each argument once at column 14"]);
        check(
            "a.b(first=1, 2)",
            expect!["the call cannot be read: expected a name, for the argument before has one at column 14"],
        );
        check(
            "a.b(x",
            expect![
                "the call cannot be read: expected a value: a number, a string in quotes, a list, `True`, `False` or `None` at column 5"
            ],
        );
        check("a.b('x", expect!["the call cannot be read: expected the closing quote at column 7"]);
        check("a.b(1) and more", expect!["the call cannot be read: expected nothing after the call at column 8"]);
        check("a.b(1 2)", expect!["the call cannot be read: expected `,` or `)` at column 7"]);
        check("a.b('\\q')", expect![[r#"the call cannot be read: expected an escape such as `\n` or `\u00e9` at column 7"#]]);
        check("a.b", expect!["no call"]);
        check(
            &format!("a.b({})", "[".repeat(100)),
            expect!["the call cannot be read: expected fewer brackets in one another at column 69"],
        );
    }

    proptest! {
        #[test]
        fn no_line_makes_the_reader_panic(line in r#"a\.b\([\[\]{}"'\\,:=.u0-9a-z é-]{0,30}\)?"#) {
            let _ = DirectCall::parse(&line);
        }

        #[test]
        fn what_json_writes_can_be_read(text in any::<String>(), number in any::<i64>()) {
            let value = serde_json::json!({ "t": [text, number, null, true] });
            let line = format!("a.b({value})");
            // JSON escapes a few characters in ways that Python has not; `\b` and `\f` are all of them.
            prop_assume!(!line.contains("\\b") && !line.contains("\\f"));
            let call = DirectCall::parse(&line).expect("a call").expect("well formed");
            prop_assert_eq!(call.positional, vec![value]);
        }
    }
}
