//! What the weather is, as <https://open-meteo.com/en/docs> answers and as it is told.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::sky::Sky;

/// What is asked for of the present; the fields of [`AnswerNow`].
pub(crate) const NOW: &str = "temperature_2m,apparent_temperature,relative_humidity_2m,precipitation,weather_code,wind_speed_10m";
/// What is asked for of a day; the fields of [`AnswerDays`].
pub(crate) const DAYS: &str =
    "weather_code,temperature_2m_max,temperature_2m_min,precipitation_sum,precipitation_probability_max,wind_speed_10m_max";

/// The units of the weather.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Units {
    /// °C, km/h and mm.
    #[default]
    Metric,
    /// °F, mph and inches.
    Imperial,
}

impl Units {
    /// Returns what asks for them.
    pub(crate) fn query(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Metric => &[],
            Self::Imperial => &[("temperature_unit", "fahrenheit"), ("wind_speed_unit", "mph"), ("precipitation_unit", "inch")],
        }
    }
}

/// The weather at a place now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Current {
    /// Which place it is.
    pub place: String,
    /// The units: metric is °C, km/h and mm, imperial °F, mph and inches.
    pub units: Units,
    /// The weather.
    pub now: Now,
}

/// The weather at one moment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Now {
    /// The time there, such as `2030-01-01T12:00`.
    pub time: String,
    /// What the sky looks like.
    pub sky: Sky,
    /// How warm it is.
    pub temperature: f64,
    /// How warm it feels.
    pub feels_like: f64,
    /// How moist the air is, in percent.
    pub humidity: f64,
    /// How much falls from the sky, in an hour.
    pub precipitation: f64,
    /// How fast the wind is.
    pub wind: f64,
}

/// The weather of a place, day by day.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Forecast {
    /// Which place it is.
    pub place: String,
    /// The units: metric is °C, km/h and mm, imperial °F, mph and inches.
    pub units: Units,
    /// The days, beginning with today.
    pub days: Vec<Day>,
}

/// The weather of a day. Days far ahead lack what nobody can foretell.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Day {
    /// The day, such as `2030-01-01`.
    pub date: String,
    /// What the sky looks like.
    pub sky: Option<Sky>,
    /// The lowest temperature.
    pub low: Option<f64>,
    /// The highest temperature.
    pub high: Option<f64>,
    /// How much falls from the sky.
    pub precipitation: Option<f64>,
    /// How likely it is that something falls, in percent.
    pub chance_of_precipitation: Option<f64>,
    /// How fast the wind is at most.
    pub wind: Option<f64>,
}

/// The answer of the service.
#[derive(Debug, Deserialize)]
pub(crate) struct Answer {
    #[serde(default)]
    current: Option<AnswerNow>,
    #[serde(default)]
    daily: Option<AnswerDays>,
}

#[derive(Debug, Deserialize)]
struct AnswerNow {
    time: String,
    temperature_2m: f64,
    apparent_temperature: f64,
    relative_humidity_2m: f64,
    precipitation: f64,
    weather_code: u8,
    wind_speed_10m: f64,
}

/// A list to each quantity, with an entry to each day.
#[derive(Debug, Deserialize)]
struct AnswerDays {
    time: Vec<String>,
    weather_code: Vec<Option<u8>>,
    temperature_2m_max: Vec<Option<f64>>,
    temperature_2m_min: Vec<Option<f64>>,
    precipitation_sum: Vec<Option<f64>>,
    precipitation_probability_max: Vec<Option<f64>>,
    wind_speed_10m_max: Vec<Option<f64>>,
}

impl Answer {
    /// Returns the weather now; `None` if the answer lacks it.
    pub(crate) fn current(self, place: String, units: Units) -> Option<Current> {
        let now = self.current?;
        let now = Now {
            time: now.time,
            sky: now.weather_code.into(),
            temperature: now.temperature_2m,
            feels_like: now.apparent_temperature,
            humidity: now.relative_humidity_2m,
            precipitation: now.precipitation,
            wind: now.wind_speed_10m,
        };
        Some(Current { place, units, now })
    }

    /// Returns the weather of the days; `None` if the answer lacks it.
    pub(crate) fn forecast(self, place: String, units: Units) -> Option<Forecast> {
        let daily = self.daily.filter(|daily| !daily.time.is_empty())?;
        let at = |list: &[Option<f64>], day: usize| list.get(day).copied().flatten();
        let days = daily.time.iter().enumerate().map(|(day, date)| Day {
            date: date.clone(),
            sky: daily.weather_code.get(day).copied().flatten().map(Sky::from),
            low: at(&daily.temperature_2m_min, day),
            high: at(&daily.temperature_2m_max, day),
            precipitation: at(&daily.precipitation_sum, day),
            chance_of_precipitation: at(&daily.precipitation_probability_max, day),
            wind: at(&daily.wind_speed_10m_max, day),
        });
        Some(Forecast { place, units, days: days.collect() })
    }
}
