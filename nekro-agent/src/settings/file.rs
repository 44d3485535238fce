//! The settings file as a layer: TOML, read with the place of every key and value.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
    sync::Arc,
};

use serde_json::{Number, Value};
use toml::{
    Spanned,
    de::{DeInteger, DeString, DeTable, DeValue},
};

use super::{
    mistake::{Mistake, Mistakes},
    node::{Content, Node},
    origin::{Lines, Origin},
};

/// The most bytes of a settings file.
pub(crate) const MOST_BYTES: u64 = 1024 * 1024;
/// The most mistakes in the syntax that are told: one of them tends to bring others.
const MOST_MISTAKES: usize = 10;

/// Reads a file; `None` if there is none.
pub(crate) fn read(file: &Path) -> Result<Option<String>, Mistakes> {
    let wrong = |problem: String| Mistakes::from(Mistake::of_file(file, problem));
    let mut bytes = Vec::new();
    match File::open(file).and_then(|open| open.take(MOST_BYTES + 1).read_to_end(&mut bytes)) {
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(wrong(error.to_string())),
    }
    if bytes.len() as u64 > MOST_BYTES {
        return Err(wrong(format!("a settings file has {MOST_BYTES} bytes at most")));
    }
    String::from_utf8(bytes).map(Some).map_err(|error| {
        let good = error.utf8_error().valid_up_to();
        let text = String::from_utf8_lossy(&error.as_bytes()[..good]).into_owned();
        let origin = Origin::File { file: file.into(), place: Lines::of(&text).place(good) };
        Mistake::new(&origin, "", "this is not UTF-8").into()
    })
}

/// Reads the text of a file: every mistake in its syntax at once.
pub(crate) fn parse(text: &str, file: &Path) -> Result<Node, Mistakes> {
    let mut reading = Reading { file: file.into(), lines: Lines::of(text), mistakes: Vec::new() };
    let (table, errors) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        // The message names what was expected, and does not quote the line, which may hold a secret.
        let place = |span: Option<std::ops::Range<usize>>| reading.origin(span.map_or(text.len(), |span| span.start));
        let mistakes =
            errors.iter().take(MOST_MISTAKES).map(|error| Mistake::new(&place(error.span()), "", error.message().trim()));
        return Err(Mistakes::of(mistakes.collect()).unwrap_or_else(|| Mistake::of_file(file, "it cannot be read").into()));
    }
    let node = reading.table(table.get_ref(), reading.origin(0), "");
    match Mistakes::of(reading.mistakes) {
        Some(mistakes) => Err(mistakes),
        None => Ok(node),
    }
}

struct Reading<'t> {
    file: Arc<Path>,
    lines: Lines<'t>,
    mistakes: Vec<Mistake>,
}

impl Reading<'_> {
    fn origin(&self, offset: usize) -> Origin {
        Origin::File { file: Arc::clone(&self.file), place: self.lines.place(offset) }
    }

    fn table(&mut self, table: &DeTable<'_>, origin: Origin, key: &str) -> Node {
        let entries = table.iter().map(|(name, value)| {
            let node = self.value(value, &super::key::join(key, name.get_ref()));
            (name.get_ref().to_string(), node.with_key(self.key(name)))
        });
        let entries = entries.collect();
        Node::new(origin, Content::Table(entries))
    }

    fn key(&self, name: &Spanned<DeString<'_>>) -> Origin {
        self.origin(name.span().start)
    }

    fn value(&mut self, value: &Spanned<DeValue<'_>>, key: &str) -> Node {
        let origin = self.origin(value.span().start);
        let plain = match value.get_ref() {
            DeValue::Table(table) => return self.table(table, origin, key),
            DeValue::Array(items) => {
                let items =
                    items.iter().enumerate().map(|(number, item)| self.value(item, &format!("{key}[{number}]"))).collect();
                return Node::new(origin, Content::List(items));
            }
            DeValue::String(text) => Some(Value::String(text.to_string())),
            DeValue::Boolean(yes) => Some(Value::Bool(*yes)),
            // Plugins read dates and times from text.
            DeValue::Datetime(moment) => Some(Value::String(moment.to_string())),
            DeValue::Integer(number) => integer(number).map(Value::Number),
            DeValue::Float(number) => number.as_str().parse().ok().and_then(Number::from_f64).map(Value::Number),
        };
        let plain = plain.unwrap_or_else(|| {
            self.mistakes.push(Mistake::new(&origin, key, "this number is too large, or not a number"));
            Value::Null
        });
        Node::new(origin, Content::Plain(plain))
    }
}

fn integer(number: &DeInteger<'_>) -> Option<Number> {
    i64::from_str_radix(number.as_str(), number.radix())
        .map(Number::from)
        .or_else(|_| u64::from_str_radix(number.as_str(), number.radix()).map(Number::from))
        .ok()
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Expect) {
        expected.assert_eq(&match parse(text, Path::new("nekro.toml")) {
            Ok(node) => node.to_json().to_string(),
            Err(mistakes) => mistakes.to_string(),
        });
    }

    #[test]
    fn values_are_those_of_json() {
        check(
            "a = 1_0\nb = 0xff\nc = 1.5e3\nd = 1979-05-27T07:32:00Z\n[e.\"f.g\"]\nh = [{ i = true }]\n",
            expect![[r#"{"a":10,"b":255,"c":1500.0,"d":"1979-05-27T07:32:00Z","e":{"f.g":{"h":[{"i":true}]}}}"#]],
        );
        check("a = 18446744073709551615\n", expect![[r#"{"a":18446744073709551615}"#]]);
    }

    #[test]
    fn every_mistake_in_the_syntax_is_told() {
        check(
            "a = \nb = 1\nc 2\n[d\n",
            expect![[r#"
            the settings have 3 mistakes
              - nekro.toml:1:5: string values must be quoted, expected literal string
              - nekro.toml:3:3: key with no value, expected `=`
              - nekro.toml:4:3: unclosed table, expected `]`"#]],
        );
        check("a = 1\na = 2\n", expect!["nekro.toml:2:1: duplicate key"]);
        check(
            "[a]\nb = nan\nc = [1, 99999999999999999999]\n",
            expect![[r#"
            the settings have 2 mistakes
              - nekro.toml:2:5: `a.b`: this number is too large, or not a number
              - nekro.toml:3:9: `a.c[1]`: this number is too large, or not a number"#]],
        );
    }

    #[test]
    fn a_mistake_does_not_quote_the_line() {
        for text in [
            "a = s3cret\n",
            "a = \"s3cret\n",
            "a = 's3cret\n",
            "a = \"\\s3cret\"\n",
            "s3cret\n",
            "a = \"s3cret\" s3cret\n",
            "[s3cret\n",
        ] {
            let mistakes = parse(text, Path::new("nekro.toml")).err().expect("a mistake");
            assert!(!mistakes.to_string().contains("s3cret"), "{mistakes}");
        }
    }

    #[test]
    fn every_value_has_its_place() {
        let node =
            parse("[a]\n  \"b.c\" = [1,\n 'x']\n", Path::new("f")).map_err(|mistakes| mistakes.to_string()).expect("a tree");
        let found = node.locate("a.b.c[1]");
        assert_eq!(node.at(&found).origin.to_string(), "f:3:2");
        let list = node.at(&node.locate("a.b.c"));
        assert_eq!((list.key.to_string(), list.origin.to_string()), ("f:2:3".to_owned(), "f:2:11".to_owned()));
    }

    #[test]
    fn hostile_files_are_refused_in_a_moment() {
        for text in [
            format!("a = {}", "[".repeat(200_000)),
            format!("a = {}{}", "[".repeat(200_000), "]".repeat(200_000)),
            format!("a = {}", "{a=".repeat(100_000)),
            format!("{}a = 1", "a.".repeat(200_000)),
            format!("[{}a]", "a.".repeat(200_000)),
            "[a]\n".repeat(100_000),
            "\"".repeat(100_000),
        ] {
            assert!(parse(&text, Path::new("f")).is_err(), "{}", &text[..20]);
        }
    }
}
