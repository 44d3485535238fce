//! Tools to measure, and the same by hand: a params struct with serde's derive, a call, and the answer as JSON.

use nekro_core::{
    BoxFuture,
    prelude::{Deserialize, JsonSchema, Serialize, tool},
};

/// Where a trip stops.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Stop {
    place: String,
    nights: u8,
}

/// A trip.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Trip {
    name: String,
    stops: Vec<Stop>,
    budget: Option<f64>,
}

/// How to travel.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Travel {
    Train,
    Plane { class: u8 },
}

/// Answers.
#[tool]
fn ping() -> bool {
    true
}

/// Forecasts the weather.
#[tool]
fn forecast(
    /// Where.
    city: String,
    /// How many days ahead.
    days: u8,
    /// Whether to use metric units.
    metric: bool,
) -> u32 {
    u32::from(days) + u32::from(metric) + u32::try_from(city.len()).unwrap_or_default()
}

/// Plans a trip.
#[tool]
fn plan(
    /// What to plan.
    trip: Trip,
    /// What to pack.
    luggage: Vec<String>,
    /// How to travel.
    by: Travel,
) -> Trip {
    drop((luggage, by));
    trip
}

/// Says it again.
#[tool]
fn echo(
    /// What to say.
    text: String,
) -> String {
    text
}

/// Answers.
#[tool]
async fn ping_async() -> bool {
    ping()
}

/// Forecasts the weather.
#[tool]
async fn forecast_async(
    /// Where.
    city: String,
    /// How many days ahead.
    days: u8,
    /// Whether to use metric units.
    metric: bool,
) -> u32 {
    forecast(city, days, metric)
}

/// Plans a trip.
#[tool]
async fn plan_async(
    /// What to plan.
    trip: Trip,
    /// What to pack.
    luggage: Vec<String>,
    /// How to travel.
    by: Travel,
) -> Trip {
    plan(trip, luggage, by)
}

/// Says it again.
#[tool]
async fn echo_async(
    /// What to say.
    text: String,
) -> String {
    echo(text)
}

/// A tool as it would be written by hand.
pub(crate) enum ByHand {
    Sync(fn(&str) -> serde_json::Result<String>),
    Async(fn(&str) -> BoxFuture<'_, serde_json::Result<String>>),
}

/// A tool with what it is called with.
pub(crate) struct Case {
    pub(crate) what: &'static str,
    pub(crate) tool: String,
    pub(crate) arguments: String,
    pub(crate) by_hand: ByHand,
}

macro_rules! by_hand {
    ($name:ident, $name_async:ident, $function:ident ( $($field:ident: $type:ty),* )) => {
        fn $name(json: &str) -> serde_json::Result<String> {
            #[derive(Deserialize)]
            #[serde(deny_unknown_fields)]
            struct Params { $($field: $type),* }
            let Params { $($field),* } = serde_json::from_str(json)?;
            serde_json::to_string(&$function($($field),*))
        }

        fn $name_async(json: &str) -> BoxFuture<'_, serde_json::Result<String>> {
            #[derive(Deserialize)]
            #[serde(deny_unknown_fields)]
            struct Params { $($field: $type),* }
            Box::pin(async move {
                let Params { $($field),* } = serde_json::from_str(json)?;
                serde_json::to_string(&$function($($field),*))
            })
        }
    };
}

by_hand!(ping_by_hand, ping_async_by_hand, ping());
by_hand!(forecast_by_hand, forecast_async_by_hand, forecast(city: String, days: u8, metric: bool));
by_hand!(plan_by_hand, plan_async_by_hand, plan(trip: Trip, luggage: Vec<String>, by: Travel));
by_hand!(echo_by_hand, echo_async_by_hand, echo(text: String));

const PLAN: &str = r#"{"trip":{"name":"North","stops":[{"place":"Oslo","nights":2},{"place":"Bergen","nights":3},{"place":"Bod\u00f8","nights":1}],"budget":1200.5},"luggage":["tent","map","boots"],"by":{"plane":{"class":2}}}"#;

pub(crate) fn cases() -> [Case; 8] {
    let forecast = r#"{"city":"Berlin","days":3,"metric":true}"#.to_owned();
    let echo = format!(r#"{{"text":"{}"}}"#, "0123456789abcdef".repeat(256));
    let case = |what, tool: &str, arguments: &str, by_hand| Case {
        what,
        tool: format!("nekro_tests.{tool}"),
        arguments: arguments.to_owned(),
        by_hand,
    };
    [
        case("no arguments", "ping", "{}", ByHand::Sync(ping_by_hand)),
        case("3 scalars", "forecast", &forecast, ByHand::Sync(forecast_by_hand)),
        case("struct, list and enum", "plan", PLAN, ByHand::Sync(plan_by_hand)),
        case("a string of 4 KiB", "echo", &echo, ByHand::Sync(echo_by_hand)),
        case("no arguments, async", "ping_async", "{}", ByHand::Async(ping_async_by_hand)),
        case("3 scalars, async", "forecast_async", &forecast, ByHand::Async(forecast_async_by_hand)),
        case("struct, list and enum, async", "plan_async", PLAN, ByHand::Async(plan_async_by_hand)),
        case("a string of 4 KiB, async", "echo_async", &echo, ByHand::Async(echo_async_by_hand)),
    ]
}
