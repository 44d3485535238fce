//! What language models are bad at and computers are good at: the time, dates, calculation, units, and chance.

#![forbid(unsafe_code)]

mod amount;
mod calculation;
mod choice;
mod limit;
mod moment;
mod units;
mod zone;

use nekro_core::prelude::*;

use crate::{
    amount::Amount,
    calculation::{Expression, Refusal},
    choice::Options,
    limit::TimeLimit,
    moment::When,
    units::{Number, UnitText},
    zone::Zone,
};
pub use crate::{
    calculation::Answer,
    moment::{Distance, Moment},
    units::Converted,
};

/// The time, dates, calculation, units of measurement, and random choice.
#[plugin(category = "basics")]
#[derive(Default)]
#[serde(default)]
pub struct Basic {
    /// The time zone of whoever does not name one, such as "Europe/Berlin".
    zone: Zone,
    /// The longest that a calculation may take, in milliseconds.
    calculation_ms: TimeLimit,
}

/// What was chosen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Chosen {
    /// The options that were chosen, in the order in which they were drawn.
    pub chosen: Vec<String>,
}

/// Tells the current time, date and weekday, here or in any city or time zone.
///
/// Use it whenever the answer depends on what time it is now, or on which day it is today.
#[tool(read_only, tags = ["time", "clock", "date", "today", "weekday"])]
fn now(
    clock: &Clock,
    basic: &Basic,
    /// The time zone or a large city, such as "Europe/Berlin", "Tokyo" or "UTC+2".
    zone: Option<Zone>,
) -> Result<Moment, moment::OutOfRange> {
    When::Now.resolve(clock.now(), &zone.unwrap_or_else(|| basic.zone.clone()))
}

/// Converts a time or date from one time zone to another.
#[tool(read_only, tags = ["time", "timezone", "convert"])]
fn convert_time(
    clock: &Clock,
    basic: &Basic,
    /// The time to convert, such as "15:30", "2030-05-01 15:30" or "now".
    time: When,
    /// The time zone or city to convert to, such as "Asia/Tokyo" or "New York".
    to: Zone,
    /// The time zone or city in which the time is given.
    from: Option<Zone>,
) -> Result<Moment, moment::OutOfRange> {
    let from = from.unwrap_or_else(|| basic.zone.clone());
    Ok(time.resolve(clock.now(), &from)?.in_zone(&to))
}

/// Adds a duration to a date or time, or subtracts it, and tells the weekday of the result.
///
/// Use it for questions such as "which day is in 90 days" or "when was it three weeks ago".
#[tool(read_only, tags = ["date", "time", "add", "subtract", "in", "ago"])]
fn add_time(
    clock: &Clock,
    basic: &Basic,
    /// What to add, such as "90 days", "1 year 2 months", "3 hours 20 minutes" or "2 weeks ago".
    amount: Amount,
    /// The date or time to start from, such as "2030-05-01", "15:30" or "today".
    #[arg(default = When::Now)]
    start: When,
    /// The time zone or city in which this happens.
    zone: Option<Zone>,
) -> Result<Moment, moment::OutOfRange> {
    let zone = zone.unwrap_or_else(|| basic.zone.clone());
    start.resolve(clock.now(), &zone)?.plus(&amount)
}

/// Tells how much time lies between two dates or times: in years, months and days, and as a number of days.
///
/// Use it for ages and countdowns, such as "how many days until Christmas". Negative if the end is before the start.
#[tool(read_only, tags = ["date", "time", "difference", "until", "since", "countdown", "age"])]
fn time_between(
    clock: &Clock,
    basic: &Basic,
    /// The end, such as "2030-12-25" or "18:00".
    end: When,
    /// The start, such as "2030-05-01", "15:30" or "today".
    #[arg(default = When::Now)]
    start: When,
    /// The time zone or city of both.
    zone: Option<Zone>,
) -> Result<Distance, moment::OutOfRange> {
    let zone = zone.unwrap_or_else(|| basic.zone.clone());
    let now = clock.now();
    start.resolve(now, &zone)?.until(&end.resolve(now, &zone)?)
}

/// Calculates an arithmetic expression exactly, also with percentages and units.
///
/// Use it for every calculation instead of calculating yourself. Knows `+ - * / ^ % !`, brackets, `mod`, `sqrt`, `abs`, `round`, `floor`,
/// `ceil`, `sin`, `cos`, `tan`, `ln`, `log2`, `log10`, `exp`, `pi` and `e`; angles are radians, or such as `90°`.
#[tool(read_only, tags = ["math", "arithmetic", "calculator", "compute", "sum", "percent"])]
fn calculate(
    basic: &Basic,
    /// What to calculate, such as "(3 + 4) * 2^10", "15% of 80" or "(90 km) / (45 min) to km/h".
    expression: Expression,
) -> Result<Answer> {
    Ok(expression.evaluate(basic.calculation_ms)?)
}

/// Converts a measurement from one unit to another: length, weight, temperature, volume, area, speed, data size, energy and more.
///
/// It knows no currencies.
#[tool(read_only, tags = ["unit", "convert", "measurement", "temperature", "length", "weight"])]
fn convert_units(
    basic: &Basic,
    /// How much, such as 12.5.
    value: Number,
    /// The unit of the value, such as "miles", "°F", "kg" or "km/h".
    from: UnitText,
    /// The unit to convert to, such as "km", "°C", "pounds" or "m/s".
    to: UnitText,
) -> Result<Converted> {
    Ok(units::convert(value, &from, &to, basic.calculation_ms)?)
}

/// Chooses at random between options, each with the same chance.
///
/// Use it to pick, to draw lots or to decide between things; for numbers and dice there is `dice.roll`.
#[tool(tags = ["random", "choose", "pick", "decide", "lots"])]
fn choose(
    random: &Random,
    /// What to choose from, such as ["pizza", "pasta", "salad"].
    options: Options,
    /// How many to choose; no option is chosen twice.
    #[arg(default = 1, range = 1..=1_000)]
    count: usize,
) -> Chosen {
    Chosen { chosen: options.draw(count, |last| random.between(0..=last)) }
}

/// Tells the time here, or in a city or time zone, such as /time New York.
#[command(name = "time")]
fn time_command(
    clock: &Clock,
    basic: &Basic,
    /// The city or time zone.
    zone: Option<Zone>,
) -> Result<String, moment::OutOfRange> {
    now(clock, basic, zone).map(|moment| moment.to_string())
}

/// Calculates, also with units, such as /calc 15% of 80.
#[command(name = "calc")]
fn calculate_command(
    basic: &Basic,
    /// What to calculate.
    expression: Expression,
) -> Result<String> {
    calculate(basic, expression).map(|answer| answer.to_string())
}

/// Chooses one of some words, such as /choose pizza pasta salad.
#[command(name = "choose")]
fn choose_command(
    random: &Random,
    /// What to choose from.
    options: Options,
) -> String {
    choose(random, options, 1).chosen.concat()
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        let error = Self::new(refusal.to_string()).with_code(refusal.code());
        match refusal.hint() {
            Some(hint) => error.with_hint(hint),
            None => error,
        }
    }
}
