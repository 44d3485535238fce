//! The tools as a model and a person use them.

use nekro_core::{Result, testing::Host};
use nekro_plugin_basic::{Answer, Basic, Chosen, Converted, Distance, Moment};
use proptest::prelude::*;
use serde_json::{Value, json};

fn host() -> Host {
    Host::of::<Basic>()
}

fn configured(config: Value) -> Result<Host, String> {
    Host::builder::<Basic>().config(config).try_start()
}

#[track_caller]
fn refused(result: Result<impl std::fmt::Debug>, code: &str, message: &str) {
    let error = result.expect_err("a refusal");
    assert_eq!((error.code(), error.message()), (code, message));
}

#[test]
fn the_time_is_that_of_the_clock_in_the_zone_that_is_asked_for_or_configured() {
    let host = configured(json!({ "zone": "Asia/Tokyo" })).expect("a good configuration");
    for (arguments, zone, offset) in [(json!({}), "Asia/Tokyo", "+09:00"), (json!({ "zone": "UTC-3:30" }), "UTC-03:30", "-03:30")]
    {
        let reply = host.call("now", arguments.clone()).expect("the time").json;
        assert!(reply.contains(offset), "{reply}");
        let moment: Moment = host.call_as("now", arguments).expect("the time");
        assert_eq!(moment.zone, zone);
    }
    let before: Moment = host.call_as("now", json!({})).expect("the time");
    host.advance(std::time::Duration::from_secs(90));
    let after: Moment = host.call_as("now", json!({})).expect("the time");
    assert_eq!(before.time.duration_until(&after.time).as_secs(), 90);
}

#[test]
fn dates_are_reckoned_with() {
    let host = host();
    let arguments = json!({ "time": "2030-07-01 15:30", "from": "Berlin", "to": "New York" });
    let moment: Moment = host.call_as("convert_time", arguments).expect("a moment");
    assert_eq!((moment.to_string(), &*moment.weekday), ("Monday, 2030-07-01 09:30:00 (America/New_York)".into(), "Monday"));
    let moment: Moment = host.call_as("add_time", json!({ "start": "2030-01-31", "amount": "1 month" })).expect("a moment");
    assert_eq!(moment.to_string(), "Thursday, 2030-02-28 00:00:00 (UTC)");
    let distance: Distance =
        host.call_as("time_between", json!({ "start": "2030-01-01", "end": "2030-12-25" })).expect("a distance");
    assert_eq!(distance, Distance { text: "11 months 24 days".into(), days: 358.0, seconds: 358 * 86_400 });
}

#[test]
fn calculations_and_conversions_have_results_with_types() {
    let host = host();
    let answer: Answer = host.call_as("calculate", json!({ "expression": "2^64" })).expect("an answer");
    assert_eq!(answer, Answer { result: "18446744073709551616".into(), exact: true });
    let converted: Converted =
        host.call_as("convert_units", json!({ "value": 5, "from": "miles", "to": "km" })).expect("a number");
    assert_eq!(converted, Converted { value: 8.04672, text: "8.04672 km".into(), exact: true });
}

#[test]
fn what_is_wrong_is_told_with_its_place_and_the_way_out() {
    let host = host();
    refused(
        host.call("now", json!({ "zone": "Atlantis" })),
        "invalid_arguments",
        "`zone`: expected a time zone such as \"Europe/Berlin\" or \"UTC+2\", or a large city in one",
    );
    refused(
        host.call("calculate", json!({ "expression": "2d6" })),
        "invalid_arguments",
        "`expression`: dice are not calculated: `dice.roll` rolls them",
    );
    refused(
        host.call("calculate", json!({ "expression": "9^9^9^9" })),
        "too_large",
        "the calculation takes longer than 100 ms (`calculation_ms`)",
    );
    refused(
        host.call("convert_units", json!({ "value": 1, "from": "USD", "to": "EUR" })),
        "no_currencies",
        "currencies cannot be converted: there are no exchange rates here",
    );
    refused(host.call("choose", json!({ "options": [] })), "invalid_arguments", "`options`: expected from 1 to 1000 options");
    refused(
        host.call("add_time", json!({ "amount": "19000 years" })),
        "failed",
        "the result lies outside of the years -9999 to 9999",
    );
}

#[test]
fn a_configuration_outside_of_its_limits_is_refused() {
    for (config, problem) in [
        (json!({ "calculation_ms": 0 }), "`calculation_ms`: expected a number from 1 to 2000, but 0 came"),
        (json!({ "zone": "Atlantis" }), "`zone`: expected a time zone"),
    ] {
        let error = configured(config).expect_err("a refusal");
        assert!(error.contains(problem), "{error}");
    }
}

#[test]
fn lots_are_drawn_without_a_repetition() {
    let chosen: Chosen = host().call_as("choose", json!({ "options": ["a", "b", "c"], "count": 3 })).expect("a choice");
    let mut sorted = chosen.chosen;
    sorted.sort();
    assert_eq!(sorted, ["a", "b", "c"]);
    let firsts: std::collections::BTreeSet<_> = (0..30)
        .map(|seed| {
            let host = Host::builder::<Basic>().seed(seed).start();
            host.call_as::<Chosen>("choose", json!({ "options": ["a", "b", "c"] })).expect("a choice").chosen
        })
        .collect();
    assert_eq!(firsts.len(), 3, "each has a chance");
}

#[test]
fn a_person_has_commands() {
    let host = host();
    let say = |line: &str| host.command(line).expect("an answer").to_text();
    assert!(say("/time new york").ends_with("(America/New_York)"));
    assert_eq!(say("/calc 15% of 80"), "12");
    assert_eq!(say("/calc 1 / 3"), "about 0.3333333333");
    assert_eq!(say("/choose tea"), "tea");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(100) })]

    #[test]
    fn no_tool_panics_whatever_it_is_given(text in "\\PC{0,30}", other in "\\PC{0,30}", number in any::<f64>(), count in any::<i64>()) {
        let host = host();
        for (tool, arguments) in [
            ("now", json!({ "zone": text })),
            ("convert_time", json!({ "time": text, "to": other })),
            ("add_time", json!({ "start": text, "amount": other })),
            ("add_time", json!({ "amount": format!("{count} days") })),
            ("time_between", json!({ "start": text, "end": other })),
            ("calculate", json!({ "expression": text })),
            ("convert_units", json!({ "value": number, "from": text, "to": other })),
            ("choose", json!({ "options": [text, other], "count": count })),
        ] {
            if let Err(error) = host.call(tool, arguments) {
                prop_assert_ne!(error.code(), "panicked", "{}", error);
            }
        }
    }
}
