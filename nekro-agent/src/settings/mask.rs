//! What of a value may be shown.
//!
//! Hidden is a secret, whatever form it was given; anything under a key that nobody knows, for it may be a secret whose key is misspelt;
//! and a value of the wrong form in the place of a table that holds secrets.

use serde_json::Value;

use super::{
    Catalogue, Checked, Origin,
    form::Form,
    node::{Content, Node},
    secret::Reference,
};

/// What is shown instead.
pub(crate) const MASK: &str = "•••";

/// Returns what may be shown of a value; `None` as a form is a key that nobody knows.
pub(crate) fn shown(value: &Value, form: Option<&Form<'_>>) -> Value {
    let Some(form) = form.filter(|form| !form.is_secret()) else { return MASK.into() };
    match value {
        Value::Object(table) => {
            table.iter().map(|(key, value)| (key.clone(), shown(value, form.key(key).as_ref()))).collect::<Value>()
        }
        Value::Array(items) => {
            let form = form.item();
            items.iter().map(|item| shown(item, form.as_ref())).collect()
        }
        _ if form.holds_secret() => MASK.into(),
        plain => plain.clone(),
    }
}

/// Returns where a secret is kept, if it is one and is not given in clear.
pub(crate) fn kept_in(node: &Node, form: &Form<'_>) -> Option<Reference> {
    form.is_secret().then(|| Reference::of(&node.to_json())).flatten()
}

/// Takes what must not be shown out of a problem that somebody else's code has put into words.
pub(crate) fn problem(problem: &str, node: &Node, form: Option<&Form<'_>>) -> String {
    const NAMES_KEYS_ONLY: [&str; 2] = ["unknown key", "missing field"];
    let Some(form) = form else { return problem.to_owned() };
    if NAMES_KEYS_ONLY.iter().any(|words| problem.starts_with(words)) || !form.holds_secret() {
        return problem.to_owned();
    }
    let mut hidden = Vec::new();
    collect(node, Some(form), &mut hidden);
    let is_table = matches!(node.content, Content::Table(_) | Content::List(_));
    let words = problem.to_lowercase();
    let quotes = |text: &String| may_quote(&words, text);
    if is_table && !hidden.iter().any(quotes) {
        return problem.to_owned();
    }
    match form.types().into_iter().collect::<Vec<_>>().join(" or ") {
        types if types.is_empty() => "the value does not fit; it is not shown, for it may be a secret".to_owned(),
        types => format!("the value does not fit: expected {types}; it is not shown, for it may be a secret"),
    }
}

/// Returns every secret that the settings hold, so that it can be kept out of the log.
pub(crate) fn secrets(settings: &Checked, catalogue: &Catalogue) -> Vec<String> {
    let root = catalogue.form();
    let mut hidden = Vec::new();
    let mut take = |value: &Value, form: Option<&Form<'_>>| {
        collect(&Node::from_json(value.clone(), &Origin::Given), form, &mut hidden);
    };
    for (id, config) in &settings.plugins {
        let form = root.key("plugins").and_then(|form| form.key(id));
        config.iter().flat_map(|config| config.all()).for_each(|value| take(value, form.as_ref()));
    }
    for (name, section) in &settings.sections {
        take(section, root.key(name).as_ref());
    }
    hidden
}

/// Tells whether words may quote a secret, or a part of it. Code that is not ours escapes a text in its own way, so only letters and digits
/// are compared; a secret that has few of them in a row may be anywhere.
fn may_quote(words: &str, secret: &str) -> bool {
    const TELLING: usize = 4;
    let secret = secret.to_lowercase();
    let mut runs = secret.split(|one: char| !one.is_alphanumeric()).filter(|run| run.chars().count() >= TELLING).peekable();
    runs.peek().is_none() || runs.any(|run| words.contains(run))
}

/// Collects every text that must not be shown.
fn collect(node: &Node, form: Option<&Form<'_>>, hidden: &mut Vec<String>) {
    let secret = form.is_none_or(Form::is_secret);
    match &node.content {
        Content::Table(table) => {
            for (key, node) in table {
                let form = if secret { None } else { form.and_then(|form| form.key(key)) };
                collect(node, form.as_ref(), hidden);
            }
        }
        Content::List(items) => {
            let form = if secret { None } else { form.and_then(Form::item) };
            items.iter().for_each(|item| collect(item, form.as_ref(), hidden));
        }
        Content::Plain(value) if secret || form.is_some_and(Form::holds_secret) => {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            if !text.is_empty() {
                hidden.push(text);
            }
        }
        Content::Plain(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn schema() -> Value {
        json!({
            "type": "object",
            "additionalProperties": false,
            "properties": {
                "user": { "type": "string" },
                "token": { "type": "string", "x-secret": true },
                "login": { "type": "object", "properties": { "key": { "type": "string", "x-secret": true } } },
                "keys": { "type": "array", "items": { "type": "string", "x-secret": true } },
            },
        })
    }

    #[test]
    fn secrets_are_hidden_whatever_form_they_have() {
        let schema = schema();
        let form = Form::root(&schema);
        let value = json!({ "user": "ada", "token": "x", "login": { "key": "x" }, "keys": ["x", "x"], "tokn": "x" });
        let expected = json!({ "user": "ada", "token": MASK, "login": { "key": MASK }, "keys": [MASK, MASK], "tokn": MASK });
        assert_eq!(shown(&value, Some(&form)), expected);
        for wrong in
            [json!({ "token": { "a": "x" } }), json!({ "token": ["x"] }), json!({ "login": "x" }), json!({ "keys": "x" })]
        {
            assert!(!shown(&wrong, Some(&form)).to_string().contains("\"x\""), "{wrong}");
        }
        assert_eq!(shown(&json!("x"), Some(&form)), json!(MASK));
    }

    #[test]
    fn every_secret_is_found_and_nothing_else() {
        let text = "[plugins.weather]\ntoken = 'one'\nmaxStops = 7\nkeys = ['two', 'three']\npin = 4444\n\
                    [plugins.weather.login]\nuser = 'ada'\nkey = 'five'\n[limits]\nmailbox = 12\n";
        let (catalogue, path) = (crate::settings::testing::catalogue(), std::path::Path::new("nekro.toml"));
        let node = crate::settings::file::parse(text, path).unwrap_or_else(|mistakes| panic!("{mistakes}"));
        let settings = crate::settings::check::check(&node, &catalogue, std::path::Path::new(""));
        let mut found = secrets(&settings, &catalogue);
        found.sort();
        assert_eq!(found, ["4444", "five", "one", "three", "two"]);
    }

    #[test]
    fn a_problem_quotes_no_secret() {
        let schema = schema();
        let root = Form::root(&schema);
        let node = Node::from_json(json!({ "user": "ada", "token": "s3\"cret" }), &Origin::CommandLine);
        let check = |text: &str| problem(text, &node, Some(&root));
        assert_eq!(check("`ada` may not do that"), "`ada` may not do that");
        assert!(!check("the token s3\"cret is old").contains("s3"));
        assert!(!check("the token \"s3\\\"cret\" is old").contains("s3"));
        assert!(!check("the token S3\\x22CRET is old").contains("CRET"));
        assert!(check("unknown key: did you mean `token`?").contains("token"));
        let text = Node::from_json(json!("s3cret"), &Origin::CommandLine);
        let login = root.key("login");
        assert_eq!(
            problem("invalid type: string \"s3cret\"", &text, login.as_ref()),
            "the value does not fit: expected object; it is not shown, for it may be a secret"
        );
    }
}
