//! Reading a JSON object straight into the slots of a call.
//!
//! The object's outer punctuation is read here, and each value by serde_json where it stands: one pass, no tree, and only the
//! reading of a value depends on its type. So a tool needs no params struct, and two tools that take a `String` share the code.

use std::{borrow::Cow, fmt};

use serde::de::{Deserializer, IgnoredAny, Visitor, value::Error as ValueError};

use super::{ArgumentsError, Mistake, MistakeKind, Slot, mistake, suggest};

/// Reads the value at the start of a text, and tells how many bytes it took.
pub(super) fn value<T: serde::de::DeserializeOwned>(text: &str) -> Result<(T, usize), serde_json::Error> {
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<T>();
    match values.next() {
        Some(Ok(value)) => Ok((value, values.byte_offset())),
        Some(Err(error)) => Err(error),
        None => Err(serde::de::Error::custom("expected a value, but the text ends")),
    }
}

/// Reads a JSON object into slots. An empty text counts as an object without keys: models send that.
pub(crate) fn read_object(text: &str, slots: &mut [&mut dyn Slot]) -> Result<(), ArgumentsError> {
    let mut mistakes = Vec::new();
    let mut rest = text.trim_ascii_start();
    if !rest.is_empty() {
        rest = rest.strip_prefix('{').ok_or_else(|| not_an_object(text))?.trim_ascii_start();
        if let Some(after) = rest.strip_prefix('}') {
            rest = after;
        } else {
            loop {
                rest = member(rest, slots, &mut mistakes)?.trim_ascii_start();
                match rest.as_bytes().first() {
                    Some(b',') => rest = rest[1..].trim_ascii_start(),
                    Some(b'}') => break rest = &rest[1..],
                    _ => return Err(malformed(text, rest, "expected `,` or `}`")),
                }
            }
        }
        if !rest.trim_ascii().is_empty() {
            return Err(malformed(text, rest, "expected nothing more after the object"));
        }
    }
    for slot in slots {
        if !slot.is_filled() && !mistakes.iter().any(|mistake| concerns(mistake, slot.decl().name)) && !slot.fill_absent() {
            mistakes.push(Mistake::new(slot.decl().name, MistakeKind::Missing));
        }
    }
    if mistakes.is_empty() { Ok(()) } else { Err(ArgumentsError::new(mistakes)) }
}

/// Reads one `"key": value`, and returns what follows it.
fn member<'t>(text: &'t str, slots: &mut [&mut dyn Slot], mistakes: &mut Vec<Mistake>) -> Result<&'t str, ArgumentsError> {
    let (key, rest) = key(text)?;
    let rest = rest.trim_ascii_start();
    let rest = rest.strip_prefix(':').ok_or_else(|| malformed(text, rest, "expected `:` after a key"))?.trim_ascii_start();
    let Some(slot) = slots.iter_mut().find(|slot| slot.decl().name == key) else {
        let known: Vec<_> = slots.iter().map(|slot| slot.decl().name.to_owned()).collect();
        let meant = suggest(&key, known.iter().map(String::as_str)).map(str::to_owned);
        mistakes.push(Mistake::new(key, MistakeKind::Unknown { meant, known }));
        return skip(rest);
    };
    if slot.is_filled() {
        mistakes.push(Mistake::new(key, MistakeKind::Twice));
        return skip(rest);
    }
    match slot.read(rest) {
        Ok(taken) => Ok(&rest[taken..]),
        Err(mistake) => {
            let rest = skip(rest)?;
            mistakes.push(mistake);
            Ok(rest)
        }
    }
}

/// Reads a key.
fn key(text: &str) -> Result<(Cow<'_, str>, &str), ArgumentsError> {
    let plain = text.strip_prefix('"').ok_or_else(|| malformed(text, text, "expected a key in double quotes"))?;
    match plain.bytes().position(|byte| byte == b'"' || byte == b'\\' || byte < b' ') {
        Some(end) if plain.as_bytes()[end] == b'"' => Ok((Cow::Borrowed(&plain[..end]), &plain[end + 1..])),
        // Escapes are rare in a key; their rules are serde_json's.
        _ => {
            let (key, taken) = value::<String>(text).map_err(|error| malformed(text, text, &mistake::message(&error)))?;
            Ok((Cow::Owned(key), &text[taken..]))
        }
    }
}

/// Passes over a value of any kind.
fn skip(text: &str) -> Result<&str, ArgumentsError> {
    let (IgnoredAny, taken) = value(text).map_err(|error| malformed(text, text, &mistake::message(&error)))?;
    Ok(&text[taken..])
}

/// Tells whether a mistake was already found in this argument, so that it is not missing as well.
fn concerns(mistake: &Mistake, name: &str) -> bool {
    matches!(mistake.kind, MistakeKind::Wrong { .. } | MistakeKind::Twice)
        && mistake.path.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}

#[cold]
fn not_an_object(text: &str) -> ArgumentsError {
    ArgumentsError::whole(format!("expected the arguments as a JSON object, but {} came", excerpt(text)))
}

#[cold]
fn malformed(text: &str, rest: &str, problem: &str) -> ArgumentsError {
    let _ = text;
    let came = if rest.is_empty() { "the text ends".to_owned() } else { format!("{} came", excerpt(rest)) };
    ArgumentsError::whole(format!("the arguments are not valid JSON: {problem}, but {came}"))
}

/// The start of a text, for a message.
fn excerpt(text: &str) -> String {
    const LENGTH: usize = 40;
    let mut characters = text.chars();
    let start: String = characters.by_ref().take(LENGTH).collect();
    format!("`{start}{}`", if characters.next().is_some() { "…" } else { "" })
}

/// What is read when an argument was not given: `None` for an `Option`, and a refusal for everything else. The same way serde's own
/// derive treats a missing field.
pub(super) struct Absent;

impl<'de> Deserializer<'de> for Absent {
    type Error = ValueError;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, ValueError> {
        Err(serde::de::Error::custom("missing"))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        visitor.visit_none()
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct newtype_struct seq tuple
        tuple_struct map struct enum identifier ignored_any
    }
}

impl fmt::Debug for Absent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Absent")
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use proptest::prelude::*;

    use super::*;
    use crate::argument::{Argument, FromArgument};

    const CITY: Argument<String> = Argument::new("city", "", FromArgument::READER);
    const DAYS: Argument<Option<u8>> = Argument::new("days", "", FromArgument::READER);
    const STOPS: Argument<Vec<(String, u8)>> = Argument::new("stops", "", FromArgument::READER).or(|| Some(Vec::new()), || None);

    type Values = (String, Option<u8>, Vec<(String, u8)>);

    fn read(text: &str) -> Result<Values, ArgumentsError> {
        let (mut city, mut days, mut stops) = (CITY.slot(), DAYS.slot(), STOPS.slot());
        read_object(text, &mut [&mut city, &mut days, &mut stops])?;
        let take = "every slot was filled";
        Ok((city.take().expect(take), days.take().expect(take), stops.take().expect(take)))
    }

    #[track_caller]
    fn check(text: &str, expected: Expect) {
        expected.assert_eq(&match read(text) {
            Ok(values) => format!("{values:?}"),
            Err(error) => error.to_string(),
        });
    }

    #[test]
    fn an_object_is_read_in_any_order_with_any_space() {
        check(r#"{"days":3,"city":"Berlin"}"#, expect![[r#"("Berlin", Some(3), [])"#]]);
        check(" {\n\"city\" : \"Ber\\u006cin\" , \"stops\" : [ [\"a\",1] ] } ", expect![[r#"("Berlin", None, [("a", 1)])"#]]);
        check(r#"{"c\u0069ty":"x","days":null}"#, expect![[r#"("x", None, [])"#]]);
    }

    #[test]
    fn every_mistake_is_told_at_once_with_its_path() {
        check(
            r#"{"ctiy":"x","days":300,"stops":[["a","b"]]}"#,
            expect![
                "there is no argument `ctiy`: did you mean `city`?; `days`: invalid value: integer `300`, expected u8; `stops[0][1]`: invalid type: string \"b\", expected u8; `city` is missing"
            ],
        );
        check(
            r#"{"city":1,"city":2}"#,
            expect!["`city`: invalid type: integer `1`, expected a string; `city`: invalid type: integer `2`, expected a string"],
        );
        check(r#"{"city":"a","city":"b"}"#, expect!["`city` is given twice"]);
        check(r#"{"city":"a","zzzzzz":{}}"#, expect!["there is no argument `zzzzzz`: there are `city`, `days`, `stops`"]);
        check("", expect!["`city` is missing"]);
    }

    #[test]
    fn what_is_not_an_object_is_refused() {
        check("[1]", expect!["expected the arguments as a JSON object, but `[1]` came"]);
        check(r#"{"city" "a"}"#, expect![[r#"the arguments are not valid JSON: expected `:` after a key, but `"a"}` came"#]]);
        check(r#"{"city":"a""#, expect!["the arguments are not valid JSON: expected `,` or `}`, but the text ends"]);
        check(
            r#"{"city":"a"} x"#,
            expect!["the arguments are not valid JSON: expected nothing more after the object, but ` x` came"],
        );
        check(r#"{"city":"a",}"#, expect!["the arguments are not valid JSON: expected a key in double quotes, but `}` came"]);
        check(r#"{"city":"#, expect!["the arguments are not valid JSON: expected a value, but the text ends, but the text ends"]);
        check(r#"{city:1}"#, expect!["the arguments are not valid JSON: expected a key in double quotes, but `city:1}` came"]);
        check(
            &format!(r#"{{"x":{}"#, "[".repeat(1_000)),
            expect![
                "the arguments are not valid JSON: EOF while parsing a list, but `[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[…` came"
            ],
        );
    }

    proptest! {
        #[test]
        fn no_text_makes_the_reader_panic(text in r#"[\{\}\[\]",:\\ \na-z0-9é]{0,40}"#) {
            let _ = read(&text);
        }

        #[test]
        fn an_object_is_accepted_just_when_serde_accepts_it(
            city in any::<String>(), days in proptest::option::of(any::<u16>()), extra in proptest::option::of("[a-z]{1,5}"),
        ) {
            #[derive(serde::Deserialize)]
            #[serde(deny_unknown_fields)]
            struct Params {
                city: String,
                days: Option<u8>,
                #[serde(default)]
                stops: Vec<(String, u8)>,
            }
            let mut object = serde_json::json!({ "city": city, "days": days });
            if let Some(extra) = extra {
                object[extra] = serde_json::Value::Null;
            }
            let text = object.to_string();
            let ours = read(&text).ok();
            let theirs = serde_json::from_str::<Params>(&text).ok().map(|it| (it.city, it.days, it.stops));
            prop_assert_eq!(ours, theirs);
        }
    }
}
