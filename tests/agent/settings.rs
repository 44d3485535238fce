//! `nekro.toml`

use crate::support::{Place, Talk};

#[test]
fn a_plugin_is_configured() {
    let place = Place::with_settings("[plugins.greeter]\ntext = \"Ahoy\"\n");
    assert!(place.run_with(&["chat"], "").good().contains("Ahoy"));
}

#[test]
fn a_wrong_configuration_stops_its_plugin_and_no_other() {
    let place = Place::with_settings("[plugins.greeter]\ntxt = \"Ahoy\"\n");
    let plugins = place.run(&["plugins", "show", "greeter"]).good();
    assert!(plugins.contains("unknown key: did you mean `text`?"), "{plugins}");
    assert!(place.run(&["call", "dice.roll"]).code == 0);
    let doctor = place.run(&["doctor"]);
    assert_eq!(doctor.code, 1);
    let strict = place.run(&["--strict", "call", "dice.roll"]).bad(2);
    assert!(strict.contains("greeter"), "{strict}");
}

#[test]
fn a_guard_that_cannot_start_leaves_no_door_open() {
    let place = Place::with_settings("[plugins.guard]\ndefalt = \"deny\"\n");
    let refused = place.run(&["call", "dice.roll"]).bad(1);
    assert!(refused.contains("guard") && refused.contains("not running"), "{refused}");
    let off = Place::with_settings("disabled = [\"guard\"]\n");
    off.run(&["call", "dice.roll"]).good();
}

#[test]
fn a_mistake_in_the_file_has_its_place() {
    let place = Place::with_settings("[limits]\ncall_dedline = \"5s\"\n");
    let error = place.run(&["plugins"]).bad(2);
    assert!(
        error.contains("nekro.toml:2:1: `limits.call_dedline`") && error.contains("did you mean `call_deadline`?"),
        "{error}"
    );
    let unknown = Place::with_settings("[plugins.dise]\n").run(&["plugins"]).bad(2);
    assert!(unknown.contains("did you mean `dice`?"), "{unknown}");
}

#[test]
fn a_file_that_is_named_must_be_there() {
    let error = Place::new().run(&["--config", "nowhere.toml", "plugins"]).bad(2);
    assert!(error.contains("nowhere.toml"), "{error}");
}

#[test]
fn a_chat_says_what_holds_from_the_next_start_on() {
    let place = Place::with_settings("[agent]\nrounds = 3\n");
    let mut talk = Talk::begin(&place, &["chat"]);
    talk.say("/roll 5d1");
    talk.hear("5d1: 5");
    // In one piece, for the chat looks at it now and then.
    let write = |text: &str| {
        std::fs::write(place.path().join("new.toml"), text).expect("a file");
        std::fs::rename(place.path().join("new.toml"), place.path().join("nekro.toml")).expect("its place");
    };
    write("[agent]\nrounds = 4\n[models.main]\nprovider = 'offline'\n");
    talk.say("/model");
    let told = talk.hear("has changed");
    assert!(told.contains("from the next start on hold agent, models"), "{told}");
    write("[agent]\npreset = 'pirat'\n");
    talk.say("/model");
    assert!(talk.hear("has changed").contains("`agent.preset`: there is no preset `pirat`"));
}
