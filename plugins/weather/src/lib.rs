//! Weather for any place on Earth, from Open-Meteo.

#![forbid(unsafe_code)]

mod place;
mod report;
mod sky;

use nekro_core::prelude::*;

use crate::place::{Found, Place};
pub use crate::{
    report::{Current, Day, Forecast, Now, Units},
    sky::Sky,
};

/// Current weather and forecasts for any place on Earth.
#[plugin(category = "information", http = ["api.open-meteo.com", "geocoding-api.open-meteo.com"])]
#[serde(default)]
#[derive(Default)]
pub struct Weather {
    /// The units of the answers.
    units: Units,
}

/// Returns the weather at a place now: the sky, the temperature and how it feels, and the humidity.
#[tool(read_only, tags = ["weather"])]
async fn current(
    http: &Http,
    weather: &Weather,
    /// The name of a city, such as "Berlin".
    city: String,
    /// Its country, such as "Germany" or "DE", where several places have this name.
    country: Option<String>,
) -> Result<Current> {
    let place = find(http, &city, country.as_deref()).await?;
    let answer: report::Answer = ask(http, &place, weather.units).query("current", report::NOW).send().await?.json()?;
    answer.current(place.label(), weather.units).ok_or_else(incomplete)
}

/// Returns the weather forecast of a place, day by day: the sky, temperatures, rain or snow, and wind.
#[tool(read_only, tags = ["weather"])]
async fn forecast(
    http: &Http,
    weather: &Weather,
    /// The name of a city, such as "Berlin".
    city: String,
    /// Its country, such as "Germany" or "DE", where several places have this name.
    country: Option<String>,
    /// How many days after today; 0 is today alone.
    #[arg(default = 2, range = 0..=15)]
    days: u8,
) -> Result<Forecast> {
    let place = find(http, &city, country.as_deref()).await?;
    let request = ask(http, &place, weather.units).query("daily", report::DAYS).query("forecast_days", days + 1);
    let answer: report::Answer = request.send().await?.json()?;
    answer.forecast(place.label(), weather.units).ok_or_else(incomplete)
}

/// Finds the place that is meant.
async fn find(http: &Http, city: &str, country: Option<&str>) -> Result<Place> {
    let city = city.trim();
    let request = http.get("https://geocoding-api.open-meteo.com/v1/search").query("name", city).query("count", 20);
    let found: Found = request.query("language", "en").query("format", "json").send().await?.json()?;
    found.best(country).ok_or_else(|| {
        let place = country.map_or_else(|| city.to_owned(), |country| format!("{city} in {country}"));
        Error::new(format!("no place is called {place}"))
            .with_code("not_found")
            .with_hint("check the spelling, or ask for the nearest larger city")
    })
}

/// Begins to ask for the weather at a place.
fn ask<'a>(http: &'a Http, place: &Place, units: Units) -> nekro_core::RequestBuilder<'a> {
    let request = http.get("https://api.open-meteo.com/v1/forecast").query("latitude", place.latitude);
    let request = request.query("longitude", place.longitude).query("timezone", "auto");
    units.query().iter().fold(request, |request, (name, value)| request.query(name, value))
}

fn incomplete() -> Error {
    Error::new("the weather service answered without the weather that was asked for").with_code("incomplete").retryable()
}
