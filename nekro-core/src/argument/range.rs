//! `#[arg(range = …)]`: limits of a number.

use std::{fmt::Display, ops::Bound};

use schemars::Schema;
use serde_json::Value;

/// A number that can be limited, or an `Option` of one.
#[diagnostic::on_unimplemented(
    message = "`range` limits a number, and `{Self}` is none",
    label = "not a number",
    note = "numbers are `u8` to `u64`, `i8` to `i64`, `usize`, `isize`, `f32`, `f64`, and an `Option` of one of these",
    note = "remove `range`, or check the value in a type of your own with `#[serde(try_from = …)]`"
)]
pub trait Number {
    /// The number itself.
    type Unit: Copy + PartialOrd + Display + Into<Value>;

    /// Returns the number, if there is one.
    fn unit(&self) -> Option<Self::Unit>;

    /// Checks a value, or describes the limits; called by the expansion of `#[arg(range = …)]`.
    ///
    /// # Errors
    ///
    /// Says what was expected and what came.
    fn limit(what: LimitUse<'_, Self>, low: Bound<Self::Unit>, high: Bound<Self::Unit>) -> Result<(), String>
    where
        Self: Sized,
    {
        let limits = Limits::<Self> { low, high };
        match what {
            LimitUse::Check(value) => limits.check(value),
            LimitUse::Describe(schema) => {
                limits.describe(schema);
                Ok(())
            }
        }
    }
}

macro_rules! numbers {
    ($($number:ty)*) => {
        $(
            #[diagnostic::do_not_recommend]
            impl Number for $number {
                type Unit = Self;

                fn unit(&self) -> Option<Self> {
                    Some(*self)
                }
            }
        )*
    };
}

numbers!(u8 u16 u32 u64 usize i8 i16 i32 i64 isize f32 f64);

#[diagnostic::do_not_recommend]
impl<N: Number> Number for Option<N> {
    type Unit = N::Unit;

    fn unit(&self) -> Option<N::Unit> {
        self.as_ref().and_then(N::unit)
    }
}

/// What limits are asked for.
#[derive(Debug)]
pub enum LimitUse<'a, T> {
    /// To check a value.
    Check(&'a T),
    /// To be added to a schema.
    Describe(&'a mut Schema),
}

/// The limits of a number of type `T`.
struct Limits<T: Number> {
    low: Bound<T::Unit>,
    high: Bound<T::Unit>,
}

impl<T: Number> Limits<T> {
    fn check(&self, value: &T) -> Result<(), String> {
        let Some(value) = value.unit() else { return Ok(()) };
        let fits = match self.low {
            Bound::Included(low) => value >= low,
            Bound::Excluded(low) => value > low,
            Bound::Unbounded => true,
        } && match self.high {
            Bound::Included(high) => value <= high,
            Bound::Excluded(high) => value < high,
            Bound::Unbounded => true,
        };
        if fits { Ok(()) } else { Err(format!("expected {}, but {value} came", self.words())) }
    }

    fn describe(&self, schema: &mut Schema) {
        // An explicit limit takes the place of the type's own.
        for (low, word) in [(self.low, ["minimum", "exclusiveMinimum"]), (self.high, ["maximum", "exclusiveMaximum"])] {
            let (word, other, limit) = match low {
                Bound::Included(limit) => (word[0], word[1], limit),
                Bound::Excluded(limit) => (word[1], word[0], limit),
                Bound::Unbounded => continue,
            };
            schema.remove(other);
            schema.insert(word.to_owned(), limit.into());
        }
    }

    fn words(&self) -> String {
        match (self.low, self.high) {
            (Bound::Included(low), Bound::Included(high)) => format!("a number from {low} to {high}"),
            (low, high) => {
                let low = match low {
                    Bound::Included(low) => Some(format!("at least {low}")),
                    Bound::Excluded(low) => Some(format!("above {low}")),
                    Bound::Unbounded => None,
                };
                let high = match high {
                    Bound::Included(high) => Some(format!("at most {high}")),
                    Bound::Excluded(high) => Some(format!("below {high}")),
                    Bound::Unbounded => None,
                };
                format!("a number {}", low.into_iter().chain(high).collect::<Vec<_>>().join(" and "))
            }
        }
    }
}
