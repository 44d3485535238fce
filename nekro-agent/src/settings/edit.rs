//! Changing one value in the text of the settings file. What else stands there stays as it is: comments, order, spaces.

use serde_json::Value;
use toml_edit::{Array, DocumentMut, InlineTable, Item, Table, TableLike, Value as Toml};

use super::key::{Key, quoted};

/// Why a value cannot be put into the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum EditError {
    /// The text is no TOML.
    Text,
    /// On the way to the key stands something that is no table.
    NoTable,
    /// TOML has no such value.
    Value,
}

/// Puts a value under a key, in place of the one there.
pub(crate) fn set(text: &str, key: &Key, value: &Value) -> Result<String, EditError> {
    let mut document: DocumentMut = text.parse().map_err(|_| EditError::Text)?;
    let (last, way) = key.parts().split_last().ok_or(EditError::NoTable)?;
    if way.is_empty() && document.iter().all(|(name, item)| name != last && !item.is_value()) {
        return Ok(set_first(text, last, &toml(value)?));
    }
    let mut table: &mut dyn TableLike = document.as_table_mut();
    let mut inline = false;
    for part in way {
        let item = table.entry(part).or_insert_with(|| {
            if inline {
                return Item::Value(Toml::InlineTable(InlineTable::new()));
            }
            let mut new = Table::new();
            // `[plugins.weather]` needs no `[plugins]` before it.
            new.set_implicit(true);
            Item::Table(new)
        });
        inline |= item.is_inline_table();
        table = item.as_table_like_mut().ok_or(EditError::NoTable)?;
    }
    put(table, last, toml(value)?);
    Ok(document.to_string())
}

/// Puts in the first value that stands above all tables: below the comments that open the file, and above those of the first table.
fn set_first(text: &str, name: &str, value: &Toml) -> String {
    let (mut at, mut cut) = (0, 0);
    for line in text.split_inclusive('\n') {
        let words = line.trim();
        if !words.is_empty() && !words.starts_with('#') {
            break;
        }
        at += line.len();
        if words.is_empty() {
            cut = at;
        }
    }
    // Nothing but comments: the value comes after all of them.
    let (before, after) = text.split_at(if at == text.len() { at } else { cut });
    let end = if before.is_empty() || before.ends_with('\n') { "" } else { "\n" };
    let space = if after.is_empty() { "" } else { "\n" };
    format!("{before}{end}{} = {value}\n{space}{after}", quoted(name))
}

/// Takes a key out; `None` if it is not there.
pub(crate) fn unset(text: &str, key: &Key) -> Result<Option<String>, EditError> {
    let mut document: DocumentMut = text.parse().map_err(|_| EditError::Text)?;
    let (last, way) = key.parts().split_last().ok_or(EditError::NoTable)?;
    let mut table: &mut dyn TableLike = document.as_table_mut();
    for part in way {
        let Some(inside) = table.get_mut(part).and_then(Item::as_table_like_mut) else { return Ok(None) };
        table = inside;
    }
    Ok(table.remove(last).map(|_| document.to_string()))
}

fn put(table: &mut dyn TableLike, name: &str, value: Toml) {
    match (table.get_mut(name), value) {
        // A table with a header keeps it, and the comments above it.
        (Some(Item::Table(there)), Toml::InlineTable(new)) => {
            there.clear();
            there.set_implicit(false);
            for (name, value) in new {
                there.insert(&name, Item::Value(value));
            }
        }
        (Some(Item::Value(there)), mut value) => {
            *value.decor_mut() = there.decor().clone();
            *there = value;
        }
        (_, value) => {
            table.remove(name);
            table.insert(name, Item::Value(value));
        }
    }
}

/// Writes a value as TOML does; `None` for one that TOML does not have.
pub(crate) fn written(value: &Value) -> Option<String> {
    toml(value).ok().map(|value| value.to_string())
}

fn toml(value: &Value) -> Result<Toml, EditError> {
    Ok(match value {
        Value::Null => return Err(EditError::Value),
        Value::Bool(yes) => (*yes).into(),
        Value::Number(number) => match (number.as_i64(), number.is_f64()) {
            (Some(number), _) => number.into(),
            (None, true) => number.as_f64().ok_or(EditError::Value)?.into(),
            (None, false) => return Err(EditError::Value),
        },
        Value::String(text) => text.as_str().into(),
        Value::Array(items) => Toml::Array(items.iter().map(toml).collect::<Result<Array, _>>()?),
        Value::Object(table) => {
            let entries = table.iter().map(|(key, value)| Ok((key.as_str(), toml(value)?)));
            Toml::InlineTable(entries.collect::<Result<InlineTable, _>>()?)
        }
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use expect_test::{Expect, expect};
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::settings::{Node, Origin, file};

    const FILE: &str = "\
# Mine.
disabled = [] # nobody

# How long.
[limits]
call_deadline = '5s' # enough
mailbox = 3

[plugins.greeter] # hello
text = \"Ahoy\"
login = { user = 'ada' }
a.b = 1
";

    fn key(text: &str) -> Key {
        Key::parse(text).expect("a key")
    }

    #[track_caller]
    fn check(text: &str, key: &str, value: &Value, expected: Expect) {
        expected.assert_eq(&set(text, &self::key(key), value).unwrap_or_else(|error| format!("{error:?}")));
    }

    #[test]
    fn everything_else_stays_as_it_is() {
        for (name, value, old, new) in [
            ("limits.call_deadline", json!("7s"), "'5s' #", "\"7s\" #"),
            ("disabled", json!(["dice"]), "disabled = []", "disabled = [\"dice\"]"),
            ("plugins.greeter.text", json!("Hi"), "\"Ahoy\"", "\"Hi\""),
            ("plugins.greeter.a.b", json!(2), "a.b = 1", "a.b = 2"),
            ("plugins.greeter.login.user", json!("eve"), "'ada'", "\"eve\""),
        ] {
            assert_eq!(set(FILE, &key(name), &value), Ok(FILE.replace(old, new)), "{name}");
        }
    }

    #[test]
    fn a_new_value_gets_its_place() {
        check(
            "",
            "plugins.notes.max_notes",
            &json!(3),
            expect![[r#"
            [plugins.notes]
            max_notes = 3
        "#]],
        );
        check(
            "[plugins.a]\nx = 1\n",
            "plugins.a.y",
            &json!({ "z": [true] }),
            expect![[r#"
            [plugins.a]
            x = 1
            y = { z = [true] }
        "#]],
        );
        check(
            "# top\n\n[limits]\n",
            "disabled",
            &json!(["dice"]),
            expect![[r##"
                # top

                disabled = ["dice"]

                [limits]
            "##]],
        );
        check(
            "# a\n[limits]\n",
            "disabled",
            &json!(["dice"]),
            expect![[r#"
            disabled = ["dice"]

            # a
            [limits]
        "#]],
        );
        check(
            "# a",
            "disabled",
            &json!(["dice"]),
            expect![[r##"
            # a
            disabled = ["dice"]
        "##]],
        );
        check(
            "a = { b = 1 }\n",
            "a.c.d",
            &json!(2),
            expect![[r#"
            a = { b = 1 , c = { d = 2 } }
        "#]],
        );
        check(
            "[a]\n# note\nb = 1\n\n[[a.list]]\nc = 1\n",
            "a.list",
            &json!([]),
            expect![[r#"
            [a]
            # note
            b = 1
            list = []
        "#]],
        );
        check(
            "# head\n[a]\nb = 1\n",
            "a",
            &json!({ "c": 2 }),
            expect![[r#"
            # head
            [a]
            c = 2
        "#]],
        );
        check("a = 1\n", "a.b", &json!(2), expect!["NoTable"]);
        check("a = 1\n", "b", &json!([null]), expect!["Value"]);
        check("a = \n", "b", &json!(1), expect!["Text"]);
    }

    #[test]
    fn a_value_is_taken_out() {
        assert_eq!(unset(FILE, &key("limits.mailbox")), Ok(Some(FILE.replace("mailbox = 3\n", ""))));
        assert_eq!(unset(FILE, &key("limits.mail")), Ok(None));
        assert_eq!(unset(FILE, &key("limits.mailbox.x")), Ok(None));
    }

    fn part() -> impl Strategy<Value = String> {
        prop_oneof![Just("a".to_owned()), Just("b".to_owned()), "[a-z.\" é]{0,3}"]
    }

    fn value() -> impl Strategy<Value = Value> {
        let leaf =
            prop_oneof![any::<i64>().prop_map(Value::from), any::<bool>().prop_map(Value::from), ".{0,8}".prop_map(Value::from)];
        leaf.prop_recursive(3, 12, 3, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
                proptest::collection::btree_map(part(), inner, 0..3).prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        // Whatever is set one after the other: the text says what the tree says.
        #[test]
        fn the_text_says_what_was_set(edits in proptest::collection::vec((proptest::collection::vec(part(), 1..4), value()), 1..6)) {
            let mut text = "# top\n[a]\nb = 1 # one\n[a.c]\n[[a.d]]\nx = 1\n".to_owned();
            for (parts, value) in edits {
                let key = Key::of(parts.iter().map(String::as_str));
                let Ok(edited) = set(&text, &key, &value) else { continue };
                let tree = |text: &str| file::parse(text, Path::new("f")).ok();
                let mut expected = tree(&text).expect("it was TOML");
                expected.insert(&key, Node::from_json(value, &Origin::Given));
                let found = tree(&edited);
                prop_assert!(found.is_some(), "{edited}");
                prop_assert_eq!(found.map(|node| node.to_json()), Some(expected.to_json()), "{}", edited);
                text = edited;
            }
        }
    }
}
