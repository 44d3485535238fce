//! The schema of the configuration, judged by a validator that is not ours.

use nekro_core::kernel::{Declarations, Registry};
use serde_json::{Value, json};

fn schema() -> Value {
    // The plugin `everything` of this program comes with the others here.
    Registry::new(Declarations::linked()).expect("they fit together").manifest().config_schema()
}

#[track_caller]
fn check(config: &str, good: bool) {
    let config: Value = toml_to_json(config);
    let schema = schema();
    let validator = jsonschema::draft202012::new(&schema).expect("a schema");
    let errors: Vec<_> = validator.iter_errors(&config).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert_eq!(errors.is_empty(), good, "{config}: {errors:?}");
}

fn toml_to_json(text: &str) -> Value {
    toml::from_str(text).expect("TOML")
}

#[test]
fn good_configurations_pass() {
    for config in [
        "",
        "[dice]",
        "[notes]\nmax_notes = 50",
        "[guard]\ndefault = 'deny'\n[[guard.rules]]\ntools = 'files.*'\naction = 'ask'",
        "[guard]\nrules = [{ tools = ['a.b', 'c.*'], action = 'allow', roles = ['admin'] }]",
        "[everything]\napi_key = 'k'\ntimeout = 60\ncity = 'Rome'\ntown = 'Rome'\nplaces = [{ name = 'x' }]",
    ] {
        check(config, true);
    }
}

#[test]
fn wrong_configurations_fail() {
    for config in [
        "[dise]",
        "[dice]\nsides = 6",
        "[notes]\nmax_notes = 0",
        "[notes]\nmax_notes = 1_001",
        "[notes]\nmax_notes = '5'",
        "[notes]\nmax_note = 5",
        "[guard]\ndefault = 'perhaps'",
        "[guard]\nrules = [{ tools = 'a.b' }]",
        "[guard]\nrules = [{ tools = 'a.b', action = 'ask', role = 'admin' }]",
        "[everything]",
        "[everything]\napi_key = 3",
        "[everything]\napi_key = 'k'\ntimeout = 61",
        "[everything]\napi_key = 'k'\ntimeout = 0",
        "[everything]\napi_key = 'k'\nplaces = [{ name = 'x', nmae = 'y' }]",
    ] {
        check(config, false);
    }
}

#[test]
fn what_a_form_needs_to_know_is_kept() {
    let schema = schema();
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    let everything = &schema["properties"]["everything"];
    assert_eq!((&everything["title"], &everything["required"]), (&json!("Everything"), &json!(["api_key"])));
    assert_eq!(everything["description"], "A plugin with every kind of key.");
    let key = |name: &str| &everything["properties"][name];
    for secret in ["api_key", "spare_key"] {
        assert_eq!((&key(secret)["writeOnly"], &key(secret)["x-secret"]), (&json!(true), &json!(true)), "{secret}");
    }
    assert_eq!((&key("timeout")["minimum"], &key("timeout")["maximum"]), (&json!(1), &json!(60)));
    assert_eq!((&key("timeout")["default"], &key("timeout")["description"]), (&json!(10), &json!("Seconds to wait.")));
    assert_eq!(key("city")["examples"], json!(["Berlin"]));
    assert_eq!(key("town")["deprecated"], true);
    assert!(schema["$defs"]["everything.Rule"].is_object() && schema["$defs"]["guard.Rule"].is_object());
}
