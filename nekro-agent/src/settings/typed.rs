//! Reading a text as the value that its key takes.
//!
//! Environment variables and the command line have only text. What it means is what the schema of the key says; whether it is right,
//! the reader of the setting says, as for a value in the file.

use serde_json::{Number, Value};

use super::{
    form::{Form, kind},
    secret::Reference,
};

/// Reads a text. One that does not fit stays text, and the reader tells what it expected.
pub(crate) fn read(text: &str, form: Option<&Form<'_>>) -> Value {
    let as_text = || Value::String(text.to_owned());
    let Some(form) = form else { return any(text).unwrap_or_else(as_text) };
    if form.is_secret()
        && let Some(value) = any(text).filter(|value| Reference::of(value).is_some())
    {
        return value;
    }
    let types = form.types();
    if types.len() == 1 && types.contains("string") {
        return as_text();
    }
    let fits =
        |value: &Value| types.is_empty() || types.contains(kind(value)) || (types.contains("number") && kind(value) == "integer");
    any(text).filter(fits).unwrap_or_else(as_text)
}

/// Reads a text as JSON, or else as a value of TOML.
fn any(text: &str) -> Option<Value> {
    // What is as long is no value that somebody typed, and a value that deep is none.
    let text = text.trim();
    serde_json::from_str(text).ok().filter(|value: &Value| !value.is_null()).or_else(|| {
        let value = text.parse::<toml_edit::Value>().ok()?;
        from_toml(&value)
    })
}

/// Turns a value of TOML into one of JSON; `None` for a number that JSON does not have. Dates and times become text.
fn from_toml(value: &toml_edit::Value) -> Option<Value> {
    Some(match value {
        toml_edit::Value::String(text) => Value::String(text.value().clone()),
        toml_edit::Value::Integer(number) => Value::from(*number.value()),
        toml_edit::Value::Float(number) => Value::Number(Number::from_f64(*number.value())?),
        toml_edit::Value::Boolean(yes) => Value::Bool(*yes.value()),
        toml_edit::Value::Datetime(moment) => Value::String(moment.value().to_string()),
        toml_edit::Value::Array(items) => Value::Array(items.iter().map(from_toml).collect::<Option<_>>()?),
        toml_edit::Value::InlineTable(table) => {
            let entries = table.iter().map(|(key, value)| Some((key.to_owned(), from_toml(value)?)));
            Value::Object(entries.collect::<Option<_>>()?)
        }
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(text: &str, schema: &Value, expected: &Value) {
        assert_eq!(&read(text, Some(&Form::root(schema))), expected, "{text}");
    }

    #[test]
    fn a_text_is_read_as_its_key_says() {
        let string = json!({ "type": "string" });
        for text in ["metric", "5", "true", "[1]", "\"quoted\"", "", " "] {
            check(text, &string, &json!(text));
        }
        let integer = json!({ "type": ["integer", "null"] });
        check("5", &integer, &json!(5));
        check("1_000", &integer, &json!(1000));
        check("0x10", &integer, &json!(16));
        check("18446744073709551615", &integer, &json!(u64::MAX));
        check("five", &integer, &json!("five"));
        check("5.5", &integer, &json!("5.5"));
        check("null", &integer, &json!("null"));
        check("5", &json!({ "type": "number" }), &json!(5));
        check("nan", &json!({ "type": "number" }), &json!("nan"));
        check("true", &json!({ "type": "boolean" }), &json!(true));
        check("yes", &json!({ "type": "boolean" }), &json!("yes"));
    }

    #[test]
    fn lists_and_tables_are_json_or_toml() {
        let list = json!({ "type": "array", "items": { "type": "string" } });
        check(r#"["a", "b"]"#, &list, &json!(["a", "b"]));
        check("['a', 'b',]", &list, &json!(["a", "b"]));
        check("a", &list, &json!("a"));
        let table = json!({ "type": "object" });
        check(r#"{"a": 1}"#, &table, &json!({ "a": 1 }));
        check("{ a.b = 1979-05-27 }", &table, &json!({ "a": { "b": "1979-05-27" } }));
    }

    #[test]
    fn a_choice_takes_what_fits_best() {
        let either = json!({ "anyOf": [{ "type": "string" }, { "type": "array" }] });
        check("files.*", &either, &json!("files.*"));
        check("['files.*']", &either, &json!(["files.*"]));
        check("5", &either, &json!("5"));
        check("5", &json!({}), &json!(5));
    }

    #[test]
    fn hostile_texts_do_no_harm() {
        for text in ["[".repeat(100_000), "{a=".repeat(100_000), "9".repeat(100_000), "a.".repeat(100_000)] {
            assert_eq!(read(&text, None), json!(text));
        }
    }
}
