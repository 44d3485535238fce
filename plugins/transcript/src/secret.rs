//! Leaving out what looks like a secret.
//!
//! Nobody can tell every secret from other text. What is left out is what secrets usually look like: values under a telling name, tokens with
//! the beginnings that large services give them, and private keys.

use std::borrow::Cow;

use serde_json::Value;

/// What stands in the place of a secret.
pub(crate) const HIDDEN: &str = "[hidden]";

/// How names end whose values are secrets, without `_` and `-`.
const NAMES: [&str; 13] = [
    "password",
    "passwd",
    "passphrase",
    "secret",
    "token",
    "apikey",
    "accesskey",
    "privatekey",
    "authorization",
    "credential",
    "credentials",
    "cookie",
    "pin",
];

/// How tokens begin.
const BEGINNINGS: [&str; 17] = [
    "sk-",
    "sk_live_",
    "rk_live_",
    "pk_live_",
    "ghp_",
    "gho_",
    "ghs_",
    "ghu_",
    "github_pat_",
    "glpat-",
    "xoxb-",
    "xoxp-",
    "AKIA",
    "ASIA",
    "AIza",
    "eyJ",
    "hf_",
];

/// The least characters of a token; what is shorter is a word that happens to begin like that.
const LEAST: usize = 12;

/// Leaves out the secrets in a text.
pub(crate) fn hide(text: &str) -> String {
    let text = without_keys(text);
    let mut hidden = String::with_capacity(text.len());
    // Whether the words before lead to a secret, as `password:` and `Bearer` do.
    let mut expected = false;
    for piece in text.split_inclusive(char::is_whitespace) {
        let word = piece.trim_end();
        if word.is_empty() {
            hidden.push_str(piece);
            continue;
        }
        if expected && !matches!(word, "=" | ":" | "Bearer" | "Basic") {
            hidden.push_str(HIDDEN);
            expected = false;
        } else {
            let (shown, leads) = hide_word(word);
            hidden.push_str(&shown);
            expected |= leads;
        }
        hidden.push_str(&piece[word.len()..]);
    }
    hidden
}

/// Leaves out private keys, which are many lines.
fn without_keys(text: &str) -> Cow<'_, str> {
    let mut rest = text;
    let mut shown = String::new();
    while let Some(begin) = rest.find("-----BEGIN") {
        let (before, key) = rest.split_at(begin);
        shown.push_str(before);
        shown.push_str(HIDDEN);
        // One that was cut has no end.
        let end = key.find("-----END").map(|end| end + "-----END".len());
        let end = end.and_then(|end| key[end..].find("-----").map(|more| end + more + "-----".len()));
        rest = &key[end.unwrap_or(key.len())..];
    }
    if shown.is_empty() { Cow::Borrowed(text) } else { Cow::Owned(shown + rest) }
}

/// Leaves out the secret in a word, and tells whether the next one is a secret.
fn hide_word(word: &str) -> (String, bool) {
    if word == "Bearer" {
        return (word.to_owned(), true);
    }
    if let Some((name, value)) = word.split_once(['=', ':']).filter(|(name, _)| is_secret(name)) {
        let sign = &word[name.len()..=name.len()];
        let quotes = |character| matches!(character, '"' | '\'');
        return if value.trim_matches(quotes).is_empty() {
            (word.to_owned(), true)
        } else {
            (format!("{name}{sign}{HIDDEN}"), false)
        };
    }
    // Signs around it, such as quotation marks, are none of the token; nor is what is before it, as in a URL.
    let token = word.split(|character: char| !character.is_ascii_alphanumeric() && !matches!(character, '-' | '_' | '.'));
    let found =
        token.into_iter().find(|token| token.len() >= LEAST && BEGINNINGS.iter().any(|beginning| token.starts_with(beginning)));
    (if found.is_some() { HIDDEN.to_owned() } else { word.to_owned() }, false)
}

/// Leaves out the secrets in a value.
pub(crate) fn hide_in(value: &Value) -> Value {
    match value {
        Value::String(text) => Value::String(hide(text)),
        Value::Array(items) => Value::Array(items.iter().map(hide_in).collect()),
        Value::Object(fields) => Value::Object(
            fields
                .iter()
                .map(|(name, value)| {
                    (name.clone(), if is_secret(name) { Value::String(HIDDEN.to_owned()) } else { hide_in(value) })
                })
                .collect(),
        ),
        other => other.clone(),
    }
}

fn is_secret(name: &str) -> bool {
    let name: String = name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
    NAMES.iter().any(|secret| name.ends_with(secret) && (*secret != "pin" || name == "pin"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn what_looks_like_a_secret_is_left_out() {
        for (text, expected) in [
            ("my key is sk-abcdefghijklmnop, thanks", "my key is [hidden] thanks"),
            ("password: hunter2 and more", "password: [hidden] and more"),
            ("PASSWORD=hunter2", "PASSWORD=[hidden]"),
            ("Authorization: Bearer abc.def", "Authorization: Bearer [hidden]"),
            ("use Bearer abc.def here", "use Bearer [hidden] here"),
            ("\"api_key\":\"abc\"", "\"api_key\":[hidden]"),
            ("https://x.test/?t=ghp_0123456789abcdef", "[hidden]"),
            ("-----BEGIN RSA PRIVATE KEY-----\nMIIE\nabcd\n-----END RSA PRIVATE KEY-----\nafter", "[hidden]\nafter"),
            ("the token of our friendship", "the token of our friendship"),
            ("sk-8 is short", "sk-8 is short"),
            ("the time: 12:30", "the time: 12:30"),
            ("  two  spaces\n", "  two  spaces\n"),
        ] {
            assert_eq!(hide(text), expected);
        }
    }

    #[test]
    fn values_under_a_telling_name_are_left_out() {
        let value = json!({ "user": "ada", "auth": { "api-key": 5, "x": ["sk-abcdefghijklmnop", 1] }, "Access_Token": "t", "spin": "up" });
        let expected =
            json!({ "user": "ada", "auth": { "api-key": HIDDEN, "x": [HIDDEN, 1] }, "Access_Token": HIDDEN, "spin": "up" });
        assert_eq!(hide_in(&value), expected);
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn a_token_is_left_out_wherever_it_stands(before in "[a-z .,\n]{0,20}", after in "[ ,.\n][a-z .,\n]{0,20}", rest in "[A-Za-z0-9]{12,40}") {
            for text in [format!("{before} ghp_{rest}{after}"), format!("{before} password={rest}{after}")] {
                prop_assert!(!hide(&text).contains(&rest), "{}", text);
            }
        }

        #[test]
        fn any_text_can_be_read_for_secrets(text in any::<String>()) {
            let _ = hide(&text);
        }
    }
}
