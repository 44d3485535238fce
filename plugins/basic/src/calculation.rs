//! Calculation: what is let through to the library that calculates, and what becomes of it there.
//!
//! The library, `fend-core`, has a language with functions and variables, in which one can also write what never ends or overflows the
//! stack. Nothing of that gets through the door here: an expression is short, is nested a little, and has no signs but those of arithmetic.
//! Behind it, time is limited, and the stack is large enough for whatever came through.

use std::{
    borrow::Cow,
    fmt,
    thread::{self, Scope},
    time::{Duration, Instant},
};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use crate::limit::TimeLimit;

/// Something to calculate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
// Invariant: what `door` lets through.
pub(crate) struct Expression(String);

/// The most characters of an expression.
pub(crate) const MOST_CHARACTERS: usize = 300;

/// How deep brackets may be nested.
const MOST_DEPTH: usize = 16;

/// The most characters of a result.
const MOST_RESULT: usize = 1_000;

/// The stack of a calculation: several times what the deepest expression takes in a build without optimisation, where it takes the most.
const STACK: usize = 64 << 20;

/// What was calculated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Answer {
    /// The result, with its unit if it has one.
    pub result: String,
    /// Whether this is the result itself, and not rounded.
    pub exact: bool,
}

/// Why a text is not let through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum DoorError {
    /// There is nothing in it.
    Empty,
    /// It is too long.
    Length,
    /// A sign in it is not one of arithmetic.
    Sign(char),
    /// Its brackets do not fit together.
    Brackets,
    /// Its brackets are nested too deep.
    Depth,
    /// A word in it does something else.
    Word(String),
    /// Dice are in it.
    Dice,
}

/// Why there is no result.
// Not a `std::error::Error`: it becomes one of the plugin's errors, with its code and its advice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// It takes too long.
    Time(TimeLimit),
    /// The result has too many characters.
    Size(usize),
    /// It is about money.
    Currency,
    /// There is nothing to tell: the library has failed.
    Failed,
    /// It has no result, for this reason.
    Reason(String),
}

impl Expression {
    /// Calculates it.
    ///
    /// # Errors
    ///
    /// If it has no result, or none within the limits.
    pub(crate) fn evaluate(&self, limit: TimeLimit) -> Result<Answer, Refusal> {
        evaluate(&self.0, limit)
    }
}

/// Tells what is wrong with a text that is to be calculated.
pub(crate) fn door(text: &str, most: usize) -> Result<(), DoorError> {
    if text.trim().is_empty() {
        return Err(DoorError::Empty);
    }
    if text.chars().nth(most).is_some() {
        return Err(DoorError::Length);
    }
    let is_of_arithmetic = |sign: &char| sign.is_ascii_alphanumeric() || " \t+-*/^%!().,_°µμΩÅπ×÷·−²³½¼¾".contains(*sign);
    if let Some(sign) = text.chars().find(|sign| !is_of_arithmetic(sign)) {
        return Err(DoorError::Sign(sign));
    }
    let mut depth = 0_usize;
    for sign in text.chars() {
        match sign {
            '(' => depth += 1,
            ')' => depth = depth.checked_sub(1).ok_or(DoorError::Brackets)?,
            _ => continue,
        }
        if depth > MOST_DEPTH {
            return Err(DoorError::Depth);
        }
    }
    if depth > 0 {
        return Err(DoorError::Brackets);
    }
    text.split(|sign: char| !sign.is_alphanumeric() && sign != '_').try_for_each(word)
}

/// Words of the library's language that lead to something else than a number.
const NOT_NUMBERS: [&str; 19] = [
    "print",
    "println",
    "sample",
    "roll",
    "mean",
    "average",
    "words",
    "roman",
    "roman_numeral",
    "string",
    "text",
    "codepoint",
    "char",
    "character",
    "date",
    "today",
    "tomorrow",
    "yesterday",
    "trans",
];

fn word(word: &str) -> Result<(), DoorError> {
    let lower = word.to_ascii_lowercase();
    if NOT_NUMBERS.contains(&&*lower) {
        return Err(DoorError::Word(lower));
    }
    // `2d6` would be a distribution of all that may be rolled.
    match lower.trim_start_matches(|sign: char| sign.is_ascii_digit()).strip_prefix('d') {
        Some(rest) if rest.starts_with(|sign: char| sign.is_ascii_digit()) => Err(DoorError::Dice),
        _ => Ok(()),
    }
}

/// Calculates what came through the door.
pub(crate) fn evaluate(text: &str, limit: TimeLimit) -> Result<Answer, Refusal> {
    // On a thread of its own: how much stack the caller has left is not known.
    let result = thread::scope(|scope| run(scope, text, limit.get())?.join().map_err(|_| Refusal::Failed))?;
    let text = match result {
        Ok(result) => result.get_main_result().trim().to_owned(),
        Err(reason) if reason == "interrupted" => return Err(Refusal::Time(limit)),
        Err(reason) if reason.contains("exchange rates") => return Err(Refusal::Currency),
        Err(reason) => return Err(Refusal::Reason(cut(&reason))),
    };
    if text.is_empty() {
        return Err(Refusal::Reason("there is nothing to calculate".to_owned()));
    }
    let length = text.chars().count();
    if length > MOST_RESULT {
        return Err(Refusal::Size(length));
    }
    Ok(match text.strip_prefix("approx. ") {
        Some(rounded) => Answer { result: rounded.to_owned(), exact: false },
        None => Answer { result: text, exact: true },
    })
}

type Evaluation<'scope> = thread::ScopedJoinHandle<'scope, Result<fend_core::FendResult, String>>;

fn run<'scope>(scope: &'scope Scope<'scope, '_>, text: &str, limit: Duration) -> Result<Evaluation<'scope>, Refusal> {
    let text = text.to_owned();
    let calculate = move || {
        let mut context = fend_core::Context::new();
        fend_core::evaluate_with_interrupt(&text, &mut context, &Until(Instant::now() + limit))
    };
    thread::Builder::new()
        .name("calculation".to_owned())
        .stack_size(STACK)
        .spawn_scoped(scope, calculate)
        .map_err(|_| Refusal::Failed)
}

/// Ends a calculation at this moment. Not by the agent's clock: it is about the work of this machine, and not about the time of day.
struct Until(Instant);

impl fend_core::Interrupt for Until {
    fn should_interrupt(&self) -> bool {
        Instant::now() >= self.0
    }
}

/// Shortens what the library says, which may have a part of the expression in it.
fn cut(reason: &str) -> String {
    const MOST: usize = 300;
    reason.chars().take(MOST).collect()
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", if self.exact { "" } else { "about " }, self.result)
    }
}

impl fmt::Display for DoorError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("expected something to calculate, such as \"(3 + 4) * 2\""),
            Self::Length => write!(f, "expected {MOST_CHARACTERS} characters at most, or 60 for a unit"),
            Self::Sign(sign) => write!(f, "{sign:?} is no sign of arithmetic: expected such as \"(3 + 4) * 2^10\""),
            Self::Brackets => f.write_str("the brackets do not fit together"),
            Self::Depth => write!(f, "brackets may be nested {MOST_DEPTH} deep at most"),
            Self::Word(word) => write!(f, "`{word}` is nothing to calculate with"),
            Self::Dice => f.write_str("dice are not calculated: `dice.roll` rolls them"),
        }
    }
}

impl std::error::Error for DoorError {}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Time(limit) => write!(f, "the calculation takes longer than {limit} (`calculation_ms`)"),
            Self::Size(length) => write!(f, "the result has {length} characters, and {MOST_RESULT} is the most"),
            Self::Currency => f.write_str("currencies cannot be converted: there are no exchange rates here"),
            Self::Failed => f.write_str("this cannot be calculated"),
            Self::Reason(reason) => f.write_str(reason),
        }
    }
}

impl Refusal {
    /// Returns the code, which programs compare.
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::Time(_) | Self::Size(_) => "too_large",
            Self::Currency => "no_currencies",
            Self::Failed | Self::Reason(_) => "no_result",
        }
    }

    /// Returns what to do instead.
    pub(crate) fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Time(_) => Some("calculate with smaller numbers"),
            Self::Size(_) => Some("calculate with smaller numbers, or divide the result"),
            Self::Currency | Self::Failed => None,
            Self::Reason(reason) if reason.starts_with("unknown identifier") => Some(
                "write it without words: numbers, `+ - * / ^ %`, brackets, functions such as `sqrt(2)`, and units such as `km`",
            ),
            Self::Reason(_) => None,
        }
    }
}

impl TryFrom<String> for Expression {
    type Error = DoorError;

    fn try_from(text: String) -> Result<Self, DoorError> {
        // Models like to end with an equals sign.
        let text = text.trim().trim_end_matches('=').trim_end();
        door(text, MOST_CHARACTERS)?;
        Ok(Self(text.to_owned()))
    }
}

impl From<Expression> for String {
    fn from(expression: Expression) -> Self {
        expression.0
    }
}

impl JsonSchema for Expression {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Expression".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "minLength": 1, "maxLength": MOST_CHARACTERS })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// With all the time that may be set: what a result is should not depend on how busy the machine is.
    fn calculate(text: &str) -> Result<String, String> {
        calculate_within(TimeLimit::try_from(2_000).expect("within its limits"), text)
    }

    fn calculate_within(limit: TimeLimit, text: &str) -> Result<String, String> {
        let expression = Expression::try_from(text.to_owned()).map_err(|error| error.to_string())?;
        expression.evaluate(limit).map(|answer| answer.to_string()).map_err(|refusal| refusal.to_string())
    }

    #[test]
    fn arithmetic_is_exact_where_it_can_be_and_says_where_it_is_not() {
        for (text, expected) in [
            ("1 + 2 * 3", "7"),
            ("(3 + 4) * 2^10 =", "7168"),
            ("0.1 + 0.2", "0.3"),
            ("1,234.5 * 2", "2469"),
            ("2×3 − 10÷4", "3.5"),
            ("15% of 80", "12"),
            ("7 mod 3", "1"),
            ("20!", "2432902008176640000"),
            ("2^64 - 1", "18446744073709551615"),
            ("1/3", "about 0.3333333333"),
            ("sqrt(2)", "about 1.4142135624"),
            ("2 pi", "about 6.2831853072"),
            ("sin(90°)", "1"),
            ("round(2.567)", "3"),
            ("(90 km) / (45 min) to km/h", "120 km / h"),
            ("5 km + 300 m to m", "5300 m"),
        ] {
            let result = calculate(text);
            let result = result.as_deref().map(|result| result.get(..expected.len()).unwrap_or(result));
            assert_eq!(result, Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_has_no_result_says_why() {
        for (text, expected) in [
            ("1/0", "division by zero"),
            ("1 kg to m", "cannot convert from kg to m: units 'kilogram' and 'meter' are incompatible"),
            ("100 USD to EUR", "currencies cannot be converted: there are no exchange rates here"),
            ("()", "there is nothing to calculate"),
            ("foo + 1", "unknown identifier 'foo'"),
            ("", "expected something to calculate, such as \"(3 + 4) * 2\""),
            ("(1 + 2", "the brackets do not fit together"),
            ("1) + (2", "the brackets do not fit together"),
            ("x = 3", "'=' is no sign of arithmetic: expected such as \"(3 + 4) * 2^10\""),
            ("1; 2", "';' is no sign of arithmetic: expected such as \"(3 + 4) * 2^10\""),
            ("2d6 + 1", "dice are not calculated: `dice.roll` rolls them"),
            ("D20", "dice are not calculated: `dice.roll` rolls them"),
            ("100 to Roman", "`roman` is nothing to calculate with"),
            ("1000!", "the result has 2568 characters, and 1000 is the most"),
        ] {
            assert_eq!(calculate(text), Err(expected.to_owned()), "{text}");
        }
    }

    #[test]
    fn functions_cannot_be_defined_and_so_not_call_themselves() {
        for text in
            ["(x: x x) (x: x x)", "\\x.x", "f = x => f x", "x => x", "\"a\" + \"b\"", "1 << 99999999999", "@debug 1", "#'a'"]
        {
            assert!(matches!(Expression::try_from(text.to_owned()), Err(DoorError::Sign(_))), "{text}");
        }
    }

    #[test]
    fn what_would_never_end_is_refused_at_once() {
        let begin = Instant::now();
        let texts = ["9^9^9^9", "99999999!", "1e999999999", "1e-999999999", "fib 10000000", "1.5^1000000.5", "2^(1/1000000000)"];
        for text in texts {
            assert_eq!(
                calculate_within(TimeLimit::default(), text),
                Err("the calculation takes longer than 100 ms (`calculation_ms`)".to_owned()),
                "{text}"
            );
        }
        // Many times what they take, for a machine that is busy; none of them would end within a year.
        assert!(begin.elapsed() < Duration::from_secs(60));
    }

    #[test]
    fn whatever_is_let_through_fits_on_the_stack() {
        let fill = |text: &str, end: &str| text.repeat((MOST_CHARACTERS - end.len()) / text.len()) + end;
        for text in
            ["-", "1+", "1-", "1^", "2^-", "/", "sqrt ", "cis ", "exp ", "ln ", "1 mod ", "m ", "2**", "sqrt -", "1 of ", "not "]
        {
            let _ = calculate_within(TimeLimit::default(), &fill(text, "1"));
        }
        let _ = calculate_within(TimeLimit::default(), &format!("1{}", "!".repeat(MOST_CHARACTERS - 1)));
        let _ = calculate_within(TimeLimit::default(), &format!("1 m{}", " to m".repeat(59)));
        for text in ["(", "sqrt(", "cis(", "exp(", "-(2^"] {
            let nested = format!("{}1{}", text.repeat(MOST_DEPTH), ")".repeat(MOST_DEPTH));
            assert!(Expression::try_from(nested.clone()).is_ok());
            let _ = calculate_within(TimeLimit::default(), &nested);
        }
        assert_eq!(Expression::try_from("(".repeat(17) + "1" + &")".repeat(17)), Err(DoorError::Depth));
        assert_eq!(Expression::try_from("1".repeat(MOST_CHARACTERS + 1)), Err(DoorError::Length));
    }

    /// What arithmetic is made of, and some of what it should not be.
    fn pieces() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            4 => prop::sample::select(vec!["0", "1", "2", "7", "10", "99", "365", "007"]),
            4 => prop::sample::select(vec!["+", "-", "*", "/", "^", "%", "!", "(", ")", ".", ",", " ", " to ", " of ", " mod ", "**"]),
            2 => prop::sample::select(vec!["sqrt", "ln", "sin", "e", "pi", "i", "km", "°C", "kg", "h", "nCr", "abs", "asin", "log2", "0x", "1e9"]),
            1 => prop::sample::select(vec!["d6", "fib", "base", "to hex", "to frac", "to 9 dp", "earth", "conjugate", "arg", "tanh", "inf"]),
        ];
        prop::collection::vec(piece, 0..16).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) })]

        #[test]
        fn nothing_that_is_let_through_breaks_the_library(text in pieces()) {
            let limit = TimeLimit::try_from(20).expect("within its limits");
            if let Ok(expression) = Expression::try_from(text) {
                prop_assert_ne!(expression.evaluate(limit).map(|_| ()), Err(Refusal::Failed), "{:?}", expression);
            }
        }

        #[test]
        fn any_text_is_an_expression_or_refused(text in "\\PC{0,400}") {
            if let Ok(expression) = Expression::try_from(text) {
                prop_assert_eq!(Expression::try_from(String::from(expression.clone())), Ok(expression));
            }
        }
    }
}
