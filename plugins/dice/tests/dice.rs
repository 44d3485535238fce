//! The dice as a model and a person use them.

use nekro_core::testing::Host;
use nekro_plugin_dice::{DicePlugin, Roll};
use serde_json::json;

#[test]
fn a_roll_has_its_dice_and_their_total() {
    let roll: Roll = Host::of::<DicePlugin>().call_as("roll", json!({ "notation": "3d6+2" })).expect("a roll");
    assert!(roll.dice.len() == 3 && roll.dice.iter().all(|die| (1..=6).contains(die)));
    assert_eq!(roll.total, roll.dice.iter().map(|die| i64::from(*die)).sum::<i64>() + 2);
}

#[test]
fn a_wrong_notation_is_refused_with_its_place() {
    let error = Host::of::<DicePlugin>().call("roll", json!({ "notation": "two" })).expect_err("no notation");
    assert_eq!(error.code(), "invalid_arguments");
    assert_eq!(error.message(), "`notation`: expected dice notation such as \"2d6+1\"");
}

#[test]
fn the_command_takes_the_notation_as_a_word() {
    let host = Host::of::<DicePlugin>();
    assert!(host.command("/roll 2d6").expect("a roll").to_text().starts_with("2d6: "));
    assert!(host.command("/r").expect("a roll").to_text().starts_with("1d6: "));
}
