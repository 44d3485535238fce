//! Models: which are in use, and whether their keys are there.

use crate::support::{Place, nekro};

#[test]
fn a_fresh_machine_has_a_model_that_needs_nothing() {
    let models = nekro(&["--json", "models"]).json();
    assert_eq!(models[0]["name"], "offline");
    assert_eq!((&models[0]["default"], &models[0]["key"]), (&true.into(), &"not_needed".into()));
    let doctor = nekro(&["doctor"]);
    assert_eq!(doctor.code, 0, "{doctor:?}");
    assert!(doctor.out.contains("no language model"), "{doctor:?}");
}

const TWO: &str = "
[models.main]
provider = 'anthropic'
model = 'claude-x'
api_key = { env = 'A_KEY' }
fallback = ['local']
price = { input = 3.0, output = 15.0 }
[models.local]
provider = 'ollama'
model = 'qwen3'
";

#[test]
fn a_model_is_shown_with_whether_its_key_is_there_and_never_with_the_key() {
    let place = Place::with_settings(TWO);
    let key = [("A_KEY", "s3cret-key")];
    let list = place.run_in(&key, &["models"]);
    assert!(list.out.contains("main") && list.out.contains("claude-x") && list.out.contains("the key is set"), "{list:?}");
    let show = place.run_in(&key, &["models", "show", "main"]);
    assert!(show.out.contains("local") && show.out.contains("3 USD read, 15 USD written"), "{show:?}");
    let doctor = place.run_in(&key, &["doctor"]);
    assert!(doctor.out.contains("`main`: anthropic, claude-x; the key is set"), "{doctor:?}");
    let config = place.run_in(&key, &["config", "show"]);
    assert!(config.out.contains("models.main.api_key") && config.out.contains("models.local.provider"), "{config:?}");
    for run in [list, show, doctor, config] {
        assert_eq!(run.code, 0, "{run:?}");
        assert!(!run.out.contains("s3cret") && !run.err.contains("s3cret"), "{run:?}");
    }
    let unknown = place.run_in(&key, &["models", "show", "mian"]);
    assert_eq!(unknown.code, 2);
    assert!(unknown.err.contains("did you mean `main`?"), "{unknown:?}");
}

#[test]
fn what_is_wrong_with_the_models_is_told_at_once_and_with_its_place() {
    let place = Place::with_settings(&TWO.replace("'local']", "'lokal']").replace("model = 'qwen3'", "temperature = 7.0"));
    let run = place.run(&["models"]);
    assert_eq!(run.code, 2);
    for told in [
        "`models.main.api_key`: the environment variable `A_KEY` is not set",
        "nekro.toml:6:13: `models.main.fallback[0]`: there is no model `lokal`: did you mean `local`?",
        "`models.local.model`: this must be set",
        "`models.local.temperature`: expected a number from 0 to 2",
    ] {
        assert!(run.err.contains(told), "{told}\n{}", run.err);
    }
}
