//! The environment as a layer: `NEKRO_PLUGINS__WEATHER__UNITS=metric`.
//!
//! Two underscores stand between the parts of a key. Case does not matter, nor do `-` and `_` differ, for names of variables have
//! neither on every system.

use std::{collections::BTreeMap, ffi::OsString};

use super::{form::Form, key::Key, mistake::Mistake, node::Node, origin::Origin, typed};

/// What every variable of ours begins with.
const PREFIX: &str = "NEKRO_";

/// The most parts of a name; what follows is taken as one. No setting is as deep.
const MOST_PARTS: usize = 32;

/// A variable that may be a setting.
#[derive(Clone)]
pub(crate) struct Variable {
    name: String,
    // Nothing if it is not UTF-8.
    value: Option<String>,
}

/// Returns the variables that may be settings.
pub(crate) fn variables(all: impl Iterator<Item = (OsString, OsString)>) -> Vec<Variable> {
    let ours = all.filter_map(|(name, value)| {
        let name = name.into_string().ok()?;
        let is_ours = name.get(..PREFIX.len()).is_some_and(|start| start.eq_ignore_ascii_case(PREFIX));
        is_ours.then(|| Variable { name, value: value.into_string().ok() })
    });
    let mut variables: Vec<_> = ours.collect();
    variables.sort_by(|one, other| one.name.cmp(&other.name));
    variables
}

/// Reads variables as settings. One whose name is neither a setting's nor has parts is not meant for us, such as `NEKRO_CONFIG`.
pub(crate) fn layer(variables: &[Variable], form: &Form<'_>) -> (Node, Vec<Mistake>) {
    let (mut layer, mut mistakes) = (Node::empty(), Vec::new());
    let mut found: BTreeMap<(usize, Key), &Variable> = BTreeMap::new();
    for variable in variables {
        let name = &variable.name[PREFIX.len()..];
        let key = key(name, form);
        if !name.contains("__") && form.at(&key).is_none() {
            continue;
        }
        let origin = origin(variable);
        // Shorter keys come first, so that `NEKRO_PLUGINS__A__B` adds to `NEKRO_PLUGINS__A`, whatever their names.
        if let Some(other) = found.insert((key.parts().len(), key.clone()), variable) {
            let problem = format!("{} sets it too: only one of them can hold", other.name);
            mistakes.push(Mistake::new(&origin, key.to_string(), problem));
        }
    }
    for ((_, key), variable) in found {
        let origin = origin(variable);
        match &variable.value {
            Some(text) => {
                let value = Node::from_json(typed::read(text, form.at(&key).as_ref()), &origin);
                let mut one = Node::empty();
                one.insert(&key, value);
                layer.overlay(one, Some(form));
            }
            None => mistakes.push(Mistake::new(&origin, key.to_string(), "this is not UTF-8")),
        }
    }
    (layer, mistakes)
}

fn origin(variable: &Variable) -> Origin {
    Origin::Environment { variable: variable.name.as_str().into() }
}

/// Finds the key that the name of a variable means. Names that the schema has count first, so that they may have `__` in them.
fn key(name: &str, form: &Form<'_>) -> Key {
    let mut parts = Vec::new();
    let (mut form, mut rest) = (Some(form.clone()), name);
    loop {
        let names = form.as_ref().map(Form::names).unwrap_or_default();
        let fits = names.into_iter().filter_map(|name| Some((name, after(rest, name)?)));
        let (part, next) = match fits.max_by_key(|(name, _)| name.len()) {
            Some((name, next)) => (name.to_owned(), next),
            None => match rest.split_once("__") {
                Some((part, next)) if parts.len() < MOST_PARTS => (part.to_lowercase(), Some(next)),
                _ => (rest.to_lowercase(), None),
            },
        };
        form = form.and_then(|form| form.key(&part));
        parts.push(part);
        match next {
            Some(next) => rest = next,
            None => return Key::of(parts.iter().map(String::as_str)),
        }
    }
}

/// Returns what follows a name at the start of a text: nothing at all, or what stands after `__`.
fn after<'t>(text: &'t str, name: &str) -> Option<Option<&'t str>> {
    let start = text.get(..name.len())?;
    let same = |one: u8, other: u8| one.eq_ignore_ascii_case(&other) || (one == b'_' && other == b'-');
    if !start.bytes().zip(name.bytes()).all(|(one, other)| same(one, other)) {
        return None;
    }
    match &text[name.len()..] {
        "" => Some(None),
        rest => rest.strip_prefix("__").map(Some),
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(variables: &[(&str, &str)], expected: Expect) {
        let schema = json!({ "properties": {
            "disabled": { "type": "array", "items": { "type": "string" } },
            "limits": { "properties": { "mailbox": { "type": "integer" } } },
            "plugins": { "properties": {
                "weather": { "type": "object", "properties": {
                    "units": { "type": "string" }, "maxStops": { "type": "integer" }, "api-key": { "type": "string" },
                    "a__b": { "type": "integer" }, "a": { "type": "object", "properties": { "b": { "type": "integer" } } },
                    "names": { "type": "object", "additionalProperties": { "type": "string" } },
                } },
            } },
        } });
        let all = variables.iter().map(|(name, value)| (OsString::from(name), OsString::from(value)));
        let (node, mistakes) = layer(&super::variables(all), &Form::root(&schema));
        let mistakes: String = mistakes.iter().map(|mistake| format!("\n{mistake}")).collect();
        expected.assert_eq(&format!("{}{mistakes}", node.to_json()));
    }

    #[test]
    fn a_variable_is_a_key() {
        check(
            &[("NEKRO_PLUGINS__WEATHER__UNITS", "5"), ("nekro_limits__MailBox", "7"), ("NEKRO_DISABLED", "['dice']")],
            expect![[r#"{"disabled":["dice"],"limits":{"mailbox":7},"plugins":{"weather":{"units":"5"}}}"#]],
        );
        check(
            &[("NEKRO_PLUGINS__WEATHER__MAXSTOPS", "5"), ("NEKRO_PLUGINS__WEATHER__API_KEY", "x")],
            expect![[r#"{"plugins":{"weather":{"api-key":"x","maxStops":5}}}"#]],
        );
        check(&[("NEKRO_PLUGINS__WEATHER__NAMES__ADA", "Ada")], expect![[r#"{"plugins":{"weather":{"names":{"ada":"Ada"}}}}"#]]);
    }

    #[test]
    fn a_name_with_underscores_of_its_own_counts_first() {
        check(&[("NEKRO_PLUGINS__WEATHER__A__B", "1")], expect![[r#"{"plugins":{"weather":{"a__b":1}}}"#]]);
    }

    #[test]
    fn a_longer_key_adds_to_a_shorter_one() {
        check(
            &[("NEKRO_PLUGINS__WEATHER__UNITS", "b"), ("NEKRO_PLUGINS__WEATHER", r#"{"units": "a", "maxStops": 1}"#)],
            expect![[r#"{"plugins":{"weather":{"maxStops":1,"units":"b"}}}"#]],
        );
    }

    #[test]
    fn two_variables_for_one_key_are_a_mistake() {
        check(
            &[("NEKRO_LIMITS__MAILBOX", "1"), ("nekro_limits__mailbox", "2")],
            expect![[r#"
                {"limits":{"mailbox":2}}
                nekro_limits__mailbox: `limits.mailbox`: NEKRO_LIMITS__MAILBOX sets it too: only one of them can hold"#]],
        );
    }

    #[test]
    fn what_is_no_setting_is_left_alone_and_what_looks_like_one_is_told() {
        check(
            &[("NEKRO_CONFIG", "x"), ("NEKRO_HOME", "x"), ("NEKRO_", "x"), ("OTHER__A", "x"), ("NÉKRO_A__B", "x")],
            expect!["{}"],
        );
        check(
            &[("NEKRO_LIMIT__MAILBOX", "x"), ("NEKRO_PLUGINS____UNITS", "y"), ("NEKRO___", "z")],
            expect![[r#"{"":{"":"z"},"limit":{"mailbox":"x"},"plugins":{"":{"units":"y"}}}"#]],
        );
    }

    #[test]
    fn a_name_without_end_does_no_harm() {
        let name = format!("NEKRO_{}", "A__".repeat(100_000));
        let (node, _) = layer(&variables([(name.into(), "x".into())].into_iter()), &Form::root(&json!({ "type": "object" })));
        assert!(node.to_json()["a"]["a"].is_object());
    }

    #[cfg(unix)]
    #[test]
    fn what_is_not_text_is_told() {
        use std::os::unix::ffi::OsStringExt;

        let all = [(OsString::from("NEKRO_LIMITS__MAILBOX"), OsString::from_vec(vec![0xff]))];
        let schema = json!({ "properties": { "limits": { "properties": { "mailbox": {} } } } });
        let (_, mistakes) = layer(&variables(all.into_iter()), &Form::root(&schema));
        assert_eq!(mistakes[0].to_string(), "NEKRO_LIMITS__MAILBOX: `limits.mailbox`: this is not UTF-8");
    }
}
