//! The weather, with answers in the form that Open-Meteo gives them.

use expect_test::{Expect, expect};
use nekro_core::{
    Error,
    testing::{FakeAnswer, Host},
};
use nekro_plugin_weather::{Forecast, Sky, Weather};
use serde_json::{Value, json};

const PLACES: &str = "GET https://geocoding-api.open-meteo.com/v1/search";
const WEATHER: &str = "GET https://api.open-meteo.com/v1/forecast";

fn answer(recorded: &str) -> FakeAnswer {
    FakeAnswer::bytes("application/json", recorded)
}

/// A service that knows Berlin.
fn host(weather: &str, config: Value) -> Host {
    let places = answer(include_str!("recorded/places.json"));
    Host::builder::<Weather>().config(config).answer(PLACES, places).answer(WEATHER, answer(weather)).start()
}

const NOW: &str = include_str!("recorded/current.json");
const DAYS: &str = include_str!("recorded/forecast.json");

#[track_caller]
fn asked(host: &Host, expected: Expect) {
    expected.assert_eq(&host.requests().iter().map(|request| request.url.clone()).collect::<Vec<_>>().join("\n"));
}

#[test]
fn the_weather_now_is_told_with_the_place_it_is_of() {
    let host = host(NOW, json!({}));
    let reply = host.call("current", json!({ "city": " Berlin " })).expect("weather");
    expect![[r#"{"place":"Berlin, State of Berlin, Germany","units":"metric","now":{"time":"2026-11-20T14:15","sky":"rain","temperature":4.7,"feels_like":0.9,"humidity":86.0,"precipitation":0.2,"wind":15.8}}"#]].assert_eq(&reply.json);
    asked(
        &host,
        expect![[r#"
        https://geocoding-api.open-meteo.com/v1/search?name=Berlin&count=20&language=en&format=json
        https://api.open-meteo.com/v1/forecast?latitude=52.52437&longitude=13.41053&timezone=auto&current=temperature_2m%2Capparent_temperature%2Crelative_humidity_2m%2Cprecipitation%2Cweather_code%2Cwind_speed_10m"#]],
    );
}

#[test]
fn a_forecast_is_a_list_of_days() {
    let host = host(DAYS, json!({}));
    let forecast: Forecast = host.call_as("forecast", json!({ "city": "Berlin" })).expect("a forecast");
    let days: Vec<_> =
        forecast.days.iter().map(|day| (day.date.as_str(), day.sky, day.low, day.chance_of_precipitation)).collect();
    assert_eq!(
        days,
        [
            ("2026-11-20", Some(Sky::Rain), Some(1.9), Some(88.0)),
            ("2026-11-21", Some(Sky::Overcast), Some(0.3), Some(13.0)),
            ("2026-11-22", Some(Sky::Snow), Some(-4.6), None),
        ]
    );
    assert!(host.requests()[1].url.ends_with("&forecast_days=3"));
}

#[test]
fn the_country_tells_which_of_several_places_is_meant() {
    for (country, place) in [
        (json!(null), "Berlin, State of Berlin, Germany"),
        (json!("de"), "Berlin, State of Berlin, Germany"),
        (json!("United States"), "Berlin, New Hampshire, United States"),
        (json!(""), "Berlin, State of Berlin, Germany"),
    ] {
        let host = host(DAYS, json!({}));
        let forecast: Forecast = host.call_as("forecast", json!({ "city": "Berlin", "country": country })).expect("a forecast");
        assert_eq!(forecast.place, place);
    }
}

#[test]
fn the_operator_chooses_the_units() {
    let host = host(NOW, json!({ "units": "imperial" }));
    let reply = host.call("current", json!({ "city": "Berlin" })).expect("weather");
    assert!(reply.json.contains(r#""units":"imperial""#), "{}", reply.json);
    let asked = &host.requests()[1].url;
    assert!(asked.contains("&temperature_unit=fahrenheit&wind_speed_unit=mph&precipitation_unit=inch"), "{asked}");
}

#[test]
fn what_went_wrong_is_told_so_that_one_can_ask_better() {
    let no_places = answer(include_str!("recorded/no-places.json"));
    let refused = answer(r#"{"error":true,"reason":"Daily API request limit exceeded."}"#).with_status(429);
    let timeout = FakeAnswer::error(&Error::new("geocoding-api.open-meteo.com took too long").with_code("timeout").retryable());
    let places = || answer(include_str!("recorded/places.json"));
    let problems = [
        (no_places, answer(NOW), json!({ "city": "Atlantis" })),
        (places(), answer(NOW), json!({ "city": "Berlin", "country": "France" })),
        (places(), refused, json!({ "city": "Berlin" })),
        (timeout, answer(NOW), json!({ "city": "Berlin" })),
        (places(), answer("{}"), json!({ "city": "Berlin" })),
        (answer("<html>"), answer(NOW), json!({ "city": "Berlin" })),
        (places(), answer(NOW), json!({ "city": "Berlin", "days": 16 })),
    ];
    let told = problems.map(|(places, weather, arguments)| {
        let host = Host::builder::<Weather>().answer(PLACES, places).answer(WEATHER, weather).start();
        let tool = if arguments.get("days").is_some() { "forecast" } else { "current" };
        let error = host.call(tool, arguments).expect_err("no weather");
        let hint = error.hint().map(|hint| format!(" ({hint})")).unwrap_or_default();
        format!("{}{}: {error}{hint}", error.code(), if error.is_retryable() { ", retryable" } else { "" })
    });
    expect![[r#"
        not_found: no place is called Atlantis (check the spelling, or ask for the nearest larger city)
        not_found: no place is called Berlin in France (check the spelling, or ask for the nearest larger city)
        http_status, retryable: api.open-meteo.com answered with the status 429: {"error":true,"reason":"Daily API request limit exceeded."}
        timeout, retryable: geocoding-api.open-meteo.com took too long
        incomplete, retryable: the weather service answered without the weather that was asked for
        not_json: geocoding-api.open-meteo.com answered with something unexpected: expected value at line 1 column 1
        invalid_arguments: `days`: expected a number from 0 to 15, but 16 came"#]].assert_eq(&told.join("\n"));
}
