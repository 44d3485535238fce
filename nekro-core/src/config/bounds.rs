//! The bounds that a schema sets: what `#[schemars(range(…))]` and `#[schemars(length(…))]` tell an editor holds in the agent too.
//!
//! Types and keys are the reader's own business, which has read the value before. Of a choice, the branch counts whose type and
//! constants the value has; where none has them, the reader knows better than the schema.

use std::cmp::Ordering;

use serde_json::{Map, Number, Value};

use crate::argument::ConfigMistake;

/// How many references may follow each other without a step into the value: a schema may refer to itself.
const MOST_REFERENCES: u32 = 8;

/// Compares a table of settings with the bounds of its schema. The schema is made only if anything is set.
///
/// # Errors
///
/// Names the first value that is beyond its bounds.
pub(super) fn check(json: &str, schema: impl FnOnce() -> Value) -> Result<(), ConfigMistake> {
    match serde_json::from_str::<Map<String, Value>>(json) {
        Ok(table) if !table.is_empty() => {
            let schema = schema();
            check_value(&Value::Object(table), &schema)
        }
        // Nothing is set; what is no table has been refused.
        _ => Ok(()),
    }
}

/// Compares any value with the bounds of a schema.
///
/// # Errors
///
/// Names the first value that is beyond its bounds.
pub(super) fn check_value(value: &Value, schema: &Value) -> Result<(), ConfigMistake> {
    let mut mistakes = Vec::new();
    Visit { root: schema, mistakes: &mut mistakes }.value(schema, value, "", MOST_REFERENCES);
    mistakes.into_iter().next().map_or(Ok(()), Err)
}

struct Visit<'a> {
    root: &'a Value,
    mistakes: &'a mut Vec<ConfigMistake>,
}

impl Visit<'_> {
    /// Visits a value, and tells whether it is of the sort that the schema describes.
    fn value(&mut self, schema: &Value, value: &Value, path: &str, references: u32) -> bool {
        let Value::Object(words) = schema else { return true };
        let mut fits = is_of_type(words, value) && is_of_constants(words, value);
        if let Some(target) =
            words.get("$ref").and_then(Value::as_str).and_then(|text| self.root.pointer(text.strip_prefix('#')?))
            && let Some(left) = references.checked_sub(1)
        {
            fits &= self.value(target, value, path, left);
        }
        for part in words.get("allOf").and_then(Value::as_array).into_iter().flatten() {
            fits &= self.value(part, value, path, references);
        }
        for choice in ["anyOf", "oneOf"] {
            if let Some(branches) = words.get(choice).and_then(Value::as_array) {
                fits &= self.choice(branches, value, path, references);
            }
        }
        if let Some(problem) = problem(words, value) {
            self.mistakes.push(ConfigMistake { path: path.to_owned(), problem });
        }
        match value {
            Value::Object(table) => {
                for (key, value) in table {
                    let named = words.get("properties").and_then(|properties| properties.get(key));
                    let Some(schema) = named.or_else(|| words.get("additionalProperties")) else { continue };
                    let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                    fits &= self.value(schema, value, &path, MOST_REFERENCES);
                }
            }
            Value::Array(items) => {
                let first = words.get("prefixItems").and_then(Value::as_array);
                for (number, value) in items.iter().enumerate() {
                    let own = first.and_then(|first| first.get(number));
                    let Some(schema) = own.or_else(|| words.get("items")) else { continue };
                    fits &= self.value(schema, value, &format!("{path}[{number}]"), MOST_REFERENCES);
                }
            }
            _ => {}
        }
        let has = |key: &Value| key.as_str().is_some_and(|key| value.get(key).is_some());
        fits && words.get("required").and_then(Value::as_array).is_none_or(|keys| !value.is_object() || keys.iter().all(has))
    }

    fn choice(&mut self, branches: &[Value], value: &Value, path: &str, references: u32) -> bool {
        let mut wrong = None;
        for branch in branches {
            let mut mistakes = Vec::new();
            if (Visit { root: self.root, mistakes: &mut mistakes }).value(branch, value, path, references) {
                if mistakes.is_empty() {
                    return true;
                }
                wrong.get_or_insert(mistakes);
            }
        }
        let fits = wrong.is_some();
        self.mistakes.extend(wrong.unwrap_or_default());
        fits
    }
}

fn is_of_type(words: &Map<String, Value>, value: &Value) -> bool {
    let is = |name: &str| match name {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "string" => value.is_string(),
        "integer" => value.as_f64().is_some_and(|number| number.fract() == 0.0),
        "number" => value.is_number(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        _ => true,
    };
    match words.get("type") {
        Some(Value::String(one)) => is(one),
        Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).any(is),
        _ => true,
    }
}

fn is_of_constants(words: &Map<String, Value>, value: &Value) -> bool {
    words.get("const").is_none_or(|constant| constant == value)
        && words.get("enum").and_then(Value::as_array).is_none_or(|constants| constants.contains(value))
}

/// Returns how a value is beyond its bounds. A secret is not quoted.
fn problem(words: &Map<String, Value>, value: &Value) -> Option<String> {
    let came = || match words.get("x-secret") {
        Some(Value::Bool(true)) => "another came (it is not shown)".to_owned(),
        _ => format!("{value} came"),
    };
    match value {
        Value::Number(number) => {
            let bound = |word: &str| words.get(word).and_then(Value::as_number);
            let is = |word: &str, wanted: Ordering| bound(word).is_some_and(|bound| compare(number, bound) == wanted);
            let at = |word: &str| is(word, Ordering::Equal);
            let beyond = is("minimum", Ordering::Less)
                || is("maximum", Ordering::Greater)
                || is("exclusiveMinimum", Ordering::Less)
                || at("exclusiveMinimum")
                || is("exclusiveMaximum", Ordering::Greater)
                || at("exclusiveMaximum");
            let words = [("minimum", "from"), ("exclusiveMinimum", "above"), ("maximum", "to"), ("exclusiveMaximum", "below")];
            let limits: Vec<_> = words.into_iter().filter_map(|(key, word)| Some(format!("{word} {}", bound(key)?))).collect();
            beyond.then(|| format!("expected a number {}, but {}", limits.join(" "), came()))
        }
        Value::String(text) => {
            length(words, "Length", text.chars().count()).map(|limits| format!("expected {limits} characters"))
        }
        Value::Array(items) => length(words, "Items", items.len()).map(|limits| format!("expected {limits} items")),
        Value::Object(table) => length(words, "Properties", table.len()).map(|limits| format!("expected {limits} keys")),
        Value::Null | Value::Bool(_) => None,
    }
}

/// Returns the limits of a length that is beyond them, such as `1 to 10`. How long a secret is does not become known either.
fn length(words: &Map<String, Value>, of: &str, length: usize) -> Option<String> {
    let bound = |word: &str| words.get(&format!("{word}{of}")).and_then(Value::as_u64);
    let (low, high) = (bound("min"), bound("max"));
    let length = u64::try_from(length).unwrap_or(u64::MAX);
    let beyond = low.is_some_and(|low| length < low) || high.is_some_and(|high| length > high);
    let limits = match (low, high) {
        (Some(low), Some(high)) => format!("{low} to {high}"),
        (Some(low), None) => format!("at least {low}"),
        (None, Some(high)) => format!("at most {high}"),
        (None, None) => return None,
    };
    beyond.then_some(limits)
}

fn compare(one: &Number, other: &Number) -> Ordering {
    match (one.as_i128(), other.as_i128()) {
        (Some(one), Some(other)) => one.cmp(&other),
        _ => one.as_f64().partial_cmp(&other.as_f64()).unwrap_or(Ordering::Equal),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use expect_test::{Expect, expect};
    use schemars::JsonSchema;
    use serde::Deserialize;

    use crate::{config::read_config, secret::Secret};

    #[derive(Deserialize, JsonSchema)]
    #[serde(default, deny_unknown_fields)]
    #[derive(Default)]
    struct Config {
        #[schemars(range(min = 1, max = 16))]
        days: u8,
        #[schemars(range(min = 1))]
        ratio: Option<f64>,
        #[schemars(length(min = 2, max = 4), inner(length(max = 3)))]
        names: Vec<String>,
        #[schemars(length(min = 8))]
        key: Option<Secret<String>>,
        #[schemars(range(max = 9999))]
        pin: Option<Secret<u32>>,
        stops: BTreeMap<String, Stop>,
        way: Option<Way>,
        next: Option<Box<Config>>,
    }

    #[derive(Deserialize, JsonSchema)]
    #[expect(dead_code, reason = "only read")]
    struct Stop {
        #[schemars(extend("exclusiveMinimum" = 0, "maximum" = 2.5))]
        wait: f64,
    }

    #[derive(Deserialize, JsonSchema)]
    #[serde(tag = "by", rename_all = "lowercase")]
    #[expect(dead_code, reason = "only read")]
    enum Way {
        Foot {
            #[schemars(range(max = 10))]
            speed: u8,
        },
        Train {
            #[schemars(range(min = 50))]
            speed: u8,
        },
    }

    #[track_caller]
    fn check(json: &str, expected: Expect) {
        expected.assert_eq(&read_config::<Config>(json).err().map(|mistake| mistake.to_string()).unwrap_or_default());
    }

    #[test]
    fn what_is_within_its_bounds_is_taken() {
        for json in [
            "{}",
            r#"{"days":1,"ratio":null}"#,
            r#"{"days":16,"ratio":1.0,"names":["a","äöü"],"key":"12345678","pin":9999}"#,
            r#"{"stops":{"a":{"wait":2.5}},"way":{"by":"foot","speed":10}}"#,
            r#"{"way":{"by":"train","speed":50},"next":{"days":3}}"#,
        ] {
            check(json, expect![""]);
        }
    }

    #[test]
    fn what_is_beyond_its_bounds_is_told_with_its_path() {
        check(r#"{"days":17}"#, expect!["`days`: expected a number from 1 to 16, but 17 came"]);
        check(r#"{"days":0}"#, expect!["`days`: expected a number from 1 to 16, but 0 came"]);
        check(r#"{"ratio":0.5}"#, expect!["`ratio`: expected a number from 1, but 0.5 came"]);
        check(r#"{"names":["a"]}"#, expect!["`names`: expected 2 to 4 items"]);
        check(r#"{"names":["a","long"]}"#, expect!["`names[1]`: expected at most 3 characters"]);
        check(r#"{"stops":{"a":{"wait":0}}}"#, expect!["`stops.a.wait`: expected a number above 0 to 2.5, but 0 came"]);
        check(r#"{"next":{"next":{"days":99}}}"#, expect!["`next.next.days`: expected a number from 1 to 16, but 99 came"]);
    }

    #[test]
    fn of_a_choice_the_branch_counts_that_was_chosen() {
        check(r#"{"way":{"by":"foot","speed":50}}"#, expect!["`way.speed`: expected a number from 0 to 10, but 50 came"]);
        check(r#"{"way":{"by":"train","speed":10}}"#, expect!["`way.speed`: expected a number from 50 to 255, but 10 came"]);
    }

    #[test]
    fn a_secret_is_not_quoted() {
        check(r#"{"key":"s3cret"}"#, expect!["`key`: expected at least 8 characters"]);
        check(r#"{"pin":12345}"#, expect!["`pin`: expected a number from 0 to 9999, but another came (it is not shown)"]);
    }

    #[test]
    fn a_schema_that_says_less_or_refers_to_itself_takes_what_the_reader_takes() {
        for schema in [
            serde_json::json!(true),
            serde_json::json!({ "$ref": "#" }),
            serde_json::json!({ "$ref": "nowhere" }),
            serde_json::json!({ "anyOf": [{ "type": "string", "maxLength": 1 }], "allOf": [{ "$ref": "#" }] }),
            serde_json::json!({ "properties": { "a": { "type": "string", "maxLength": "x" } } }),
        ] {
            assert_eq!(super::check(r#"{"a":12}"#, || schema), Ok(()));
        }
    }
}
