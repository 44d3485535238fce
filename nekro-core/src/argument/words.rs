//! Arguments as a person types them: words and options, turned into JSON by the schema.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::{ArgumentsError, Mistake, MistakeKind, suggest};

/// An argument, as its schema describes it.
pub(crate) struct Form<'a> {
    pub(crate) name: &'a str,
    pub(crate) schema: &'a Value,
    pub(crate) definitions: Option<&'a Value>,
    pub(crate) kind: Kind,
}

/// What a word for an argument is turned into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    Switch,
    List,
    // Numbers, objects and whatever else has a JSON form of its own.
    Json,
}

/// Turns words into a JSON object: `--name value`, `--name=value`, `--switch`, `--no-switch`, and the rest by position. The last
/// positional text or list takes every word that is left.
pub(crate) fn from_words(forms: &[Form<'_>], words: &[String]) -> Result<String, ArgumentsError> {
    let mut object = Map::new();
    let mut mistakes = Vec::new();
    let mut positional = Vec::new();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let Some(option) = word.strip_prefix("--") else {
            positional.push(word.as_str());
            continue;
        };
        if option.is_empty() {
            positional.extend(words.by_ref().map(String::as_str));
            break;
        }
        let (name, value) = match option.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (option, None),
        };
        let name = name.replace('-', "_");
        let find = |name: &str| forms.iter().find(|form| form.name == name);
        let (form, negated) = match (find(&name), name.strip_prefix("no_").and_then(find)) {
            (Some(form), _) => (form, false),
            (None, Some(form)) if form.kind() == Kind::Switch => (form, true),
            _ => {
                let known: Vec<_> = forms.iter().map(|form| form.name.to_owned()).collect();
                let meant = suggest(&name, known.iter().map(String::as_str)).map(str::to_owned);
                mistakes.push(Mistake::new(name, MistakeKind::Unknown { meant, known }));
                // The word after it may be its value: what follows cannot be told apart.
                break;
            }
        };
        let value = match value {
            Some(value) => form.value(value),
            None if form.kind() == Kind::Switch => Value::Bool(!negated),
            None => match words.next() {
                Some(value) => form.value(value),
                None => {
                    mistakes.push(Mistake::new(name, MistakeKind::Wrong { problem: "expected a value after it".to_owned() }));
                    continue;
                }
            },
        };
        form.put(&mut object, value, &mut mistakes);
    }
    if mistakes.is_empty() {
        place(forms, &positional, &mut object, &mut mistakes);
    }
    if mistakes.is_empty() { Ok(Value::Object(object).to_string()) } else { Err(ArgumentsError::new(mistakes)) }
}

/// Writes texts with names as a JSON object, if each is there once and is plainly a text, a number or a switch: what a request nearly
/// always gives, without looking at a schema. `None` for everything else.
pub(crate) fn from_plain_pairs<'a>(
    kinds: impl Iterator<Item = (&'a str, Kind)> + Clone,
    pairs: &[(Cow<'_, str>, Cow<'_, str>)],
) -> Option<String> {
    // Whatever type reads it, no digit of these is lost.
    const MOST_DIGITS: usize = 15;
    // Each with its name in quotes, a colon and a comma, and quotes if it is a text.
    let length: usize = pairs.iter().map(|(name, text)| name.len() + text.len() + 6).sum();
    let mut json = Vec::with_capacity(length + 2);
    json.push(b'{');
    for (at, (name, text)) in pairs.iter().enumerate() {
        let (_, kind) = kinds.clone().find(|(known, _)| known == name)?;
        if pairs[..at].iter().any(|(before, _)| before == name) {
            return None;
        }
        if at > 0 {
            json.push(b',');
        }
        // The name is an argument's, and so has nothing in it that would have to be escaped.
        json.push(b'"');
        json.extend_from_slice(name.as_bytes());
        json.extend_from_slice(b"\":");
        let is_number = text.len() <= MOST_DIGITS && text.bytes().all(|byte| byte.is_ascii_digit());
        match (kind, text.as_bytes()) {
            (Kind::Text, _) => serde_json::to_writer(&mut json, text).ok()?,
            (Kind::Json, [b'1'..=b'9', ..] | [b'0']) if is_number => json.extend_from_slice(text.as_bytes()),
            (Kind::Switch, b"true" | b"false") => json.extend_from_slice(text.as_bytes()),
            _ => return None,
        }
    }
    json.push(b'}');
    String::from_utf8(json).ok()
}

/// Turns texts with names, and values that have their form already, into a JSON object. What a page leaves empty was not given, unless
/// it is a text; a box that was ticked says `on`.
pub(crate) fn from_pairs(
    forms: &[Form<'_>],
    pairs: &[(Cow<'_, str>, Cow<'_, str>)],
    mut object: Map<String, Value>,
) -> Result<String, ArgumentsError> {
    let mut mistakes = Vec::new();
    for (name, text) in pairs {
        let Some(form) = forms.iter().find(|form| form.name == name) else {
            let known: Vec<_> = forms.iter().map(|form| form.name.to_owned()).collect();
            let meant = suggest(name, known.iter().map(String::as_str)).map(str::to_owned);
            mistakes.push(Mistake::new(name.to_string(), MistakeKind::Unknown { meant, known }));
            continue;
        };
        let value = match (form.kind(), &**text) {
            (Kind::Switch, "" | "on") => Value::Bool(true),
            (Kind::Json, "") => continue,
            _ => form.value(text),
        };
        form.put(&mut object, value, &mut mistakes);
    }
    if mistakes.is_empty() { Ok(Value::Object(object).to_string()) } else { Err(ArgumentsError::new(mistakes)) }
}

/// Gives the words without a name to the arguments that have no value yet, in order.
fn place(forms: &[Form<'_>], mut words: &[&str], object: &mut Map<String, Value>, mistakes: &mut Vec<Mistake>) {
    let open: Vec<_> = forms.iter().filter(|form| !object.contains_key(form.name)).collect();
    for (index, form) in open.iter().enumerate() {
        let last = index + 1 == open.len();
        match (words, form.kind()) {
            ([], _) => return,
            (_, Kind::Text) if last => {
                form.put(object, Value::String(words.join(" ")), mistakes);
                return;
            }
            // A value in brackets is the whole list.
            ([word], Kind::List) if word.starts_with('[') => {
                form.put(object, form.value(word), mistakes);
                return;
            }
            (_, Kind::List) if last => {
                for word in words {
                    form.put(object, form.value(word), mistakes);
                }
                return;
            }
            ([first, rest @ ..], _) => {
                form.put(object, form.value(first), mistakes);
                words = rest;
            }
        }
    }
    if let Some(word) = words.first() {
        let problem = format!("expected no more words, but `{word}` came");
        mistakes.push(Mistake::new("", MistakeKind::Wrong { problem }));
    }
}

impl<'a> Form<'a> {
    /// Reads off a schema what a word becomes.
    pub(crate) fn new(name: &'a str, schema: &'a Value, definitions: Option<&'a Value>) -> Self {
        Self { name, schema, definitions, kind: kind(schema, definitions, 8) }
    }

    fn kind(&self) -> Kind {
        self.kind
    }

    fn value(&self, word: &str) -> Value {
        match self.kind() {
            Kind::Text => Value::String(word.to_owned()),
            // What has no JSON form is passed on as text: the argument's own type says what is wrong with it.
            Kind::Switch | Kind::Json => serde_json::from_str(word).unwrap_or_else(|_| Value::String(word.to_owned())),
            Kind::List if word.starts_with('[') => serde_json::from_str(word).unwrap_or_else(|_| Value::String(word.to_owned())),
            Kind::List => {
                let items = resolve(self.schema, self.definitions).get("items").unwrap_or(&Value::Null);
                Form::new(self.name, items, self.definitions).value(word)
            }
        }
    }

    /// Sets the value; a list grows by it.
    fn put(&self, object: &mut Map<String, Value>, value: Value, mistakes: &mut Vec<Mistake>) {
        match (self.kind(), object.get_mut(self.name), value) {
            (Kind::List, Some(Value::Array(items)), Value::Array(more)) => items.extend(more),
            (Kind::List, Some(Value::Array(items)), value) => items.push(value),
            (_, Some(_), _) => mistakes.push(Mistake::new(self.name, MistakeKind::Twice)),
            (Kind::List, None, value @ Value::Array(_)) => drop(object.insert(self.name.to_owned(), value)),
            (Kind::List, None, value) => drop(object.insert(self.name.to_owned(), Value::Array(vec![value]))),
            (_, None, value) => drop(object.insert(self.name.to_owned(), value)),
        }
    }
}

/// Follows a reference into the definitions.
fn resolve<'a>(schema: &'a Value, definitions: Option<&'a Value>) -> &'a Value {
    schema
        .get("$ref")
        .and_then(Value::as_str)
        .and_then(|reference| reference.strip_prefix("#/$defs/"))
        .and_then(|name| definitions?.get(name))
        .unwrap_or(schema)
}

/// Reads off a schema what a word becomes. `depth` ends references that go in circles.
fn kind(schema: &Value, definitions: Option<&Value>, depth: u8) -> Kind {
    let schema = resolve(schema, definitions);
    if let Some(branches) = schema.get("anyOf").or_else(|| schema.get("oneOf")).and_then(Value::as_array)
        && depth > 0
    {
        let mut kinds = branches
            .iter()
            .filter(|branch| branch.get("type").and_then(Value::as_str) != Some("null"))
            .map(|branch| kind(branch, definitions, depth - 1));
        let Some(first) = kinds.next() else { return Kind::Json };
        return if kinds.all(|kind| kind == first) { first } else { Kind::Json };
    }
    if schema.get("const").or_else(|| schema.get("enum")?.get(0)).is_some_and(Value::is_string) {
        return Kind::Text;
    }
    let word = match schema.get("type") {
        Some(Value::String(word)) => Some(word.as_str()),
        Some(Value::Array(words)) => {
            match words.iter().filter_map(Value::as_str).filter(|word| *word != "null").collect::<Vec<_>>()[..] {
                [word] => Some(word),
                _ => None,
            }
        }
        _ => None,
    };
    match word {
        Some("string") => Kind::Text,
        Some("boolean") => Kind::Switch,
        Some("array") => Kind::List,
        _ => Kind::Json,
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(words: &str, expected: Expect) {
        let (city, days) = (json!({ "type": "string" }), json!({ "type": ["integer", "null"] }));
        let (raw, tags) = (json!({ "type": "boolean" }), json!({ "type": "array", "items": { "$ref": "#/$defs/Tag" } }));
        let definitions = json!({ "Tag": { "oneOf": [{ "const": "a" }, { "const": "b" }] } });
        let form = |name, schema| Form::new(name, schema, Some(&definitions));
        let forms = [form("city", &city), form("days", &days), form("raw", &raw), form("tags", &tags)];
        let words: Vec<_> = words.split_whitespace().map(str::to_owned).collect();
        expected.assert_eq(&from_words(&forms, &words).unwrap_or_else(|error| error.to_string()));
    }

    #[test]
    fn options_and_positions_mix() {
        check("Berlin 3", expect![[r#"{"city":"Berlin","days":3}"#]]);
        check("--days 3 Berlin --raw", expect![[r#"{"city":"Berlin","days":3,"raw":true}"#]]);
        check("--days=3 --no-raw -- --city", expect![[r#"{"city":"--city","days":3,"raw":false}"#]]);
        check("Berlin 3 true a b", expect![[r#"{"city":"Berlin","days":3,"raw":true,"tags":["a","b"]}"#]]);
        check("--tags a --tags b --tags=[\"c\"] 7", expect![[r#"{"city":"7","tags":["a","b","c"]}"#]]);
        check("1 two", expect![[r#"{"city":"1","days":"two"}"#]]);
    }

    #[test]
    fn what_is_plain_is_written_as_what_is_not() {
        let (text, number, switch, list) =
            (json!({ "type": "string" }), json!({ "type": "integer" }), json!({ "type": "boolean" }), json!({ "type": "array" }));
        let forms = [("text", &text), ("number", &number), ("switch", &switch), ("list", &list)];
        let forms = forms.map(|(name, schema)| Form::new(name, schema, None));
        let names = ["text", "number", "switch", "list", "other"];
        let texts = [
            "",
            "0",
            "7",
            "007",
            "-1",
            "1.5",
            "1e3",
            "123456789012345",
            "1234567890123456789",
            "true",
            "on",
            "a\"\\\n\u{1}ä",
            "[1]",
        ];
        let mut plain = 0;
        for (name, text, second) in combined(&names, &texts) {
            let mut pairs = vec![(Cow::Borrowed(name), Cow::Borrowed(text))];
            pairs.extend(second.map(|second| (Cow::Borrowed(second), Cow::Borrowed("7"))));
            let kinds = forms.iter().map(|form| (form.name, form.kind));
            let Some(written) = from_plain_pairs(kinds, &pairs) else { continue };
            plain += 1;
            let of_map = from_pairs(&forms, &pairs, Map::new()).expect("it is plain");
            let read = |json: &str| serde_json::from_str::<Value>(json).expect("JSON");
            assert_eq!(read(&written), read(&of_map), "{pairs:?}");
        }
        assert!(plain > 20, "{plain}");
    }

    /// Every name with every text, alone and before each other name.
    fn combined<'a>(
        names: &'a [&'static str],
        texts: &'a [&'static str],
    ) -> impl Iterator<Item = (&'static str, &'static str, Option<&'static str>)> + 'a {
        let seconds = || std::iter::once(None).chain(names.iter().copied().map(Some));
        names.iter().flat_map(move |name| texts.iter().flat_map(move |text| seconds().map(move |second| (*name, *text, second))))
    }

    #[test]
    fn mistakes_are_named() {
        check("--dyas 3", expect!["there is no argument `dyas`: did you mean `days`?"]);
        check("--days", expect!["`days`: expected a value after it"]);
        check("--days 3 --days 4", expect!["`days` is given twice"]);
    }
}
