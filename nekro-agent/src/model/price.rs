//! What answers cost.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Usage;

/// What a model costs, for a million tokens each.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub(crate) struct Price {
    /// Those that it reads.
    pub(crate) input: f64,
    /// Those that it writes.
    pub(crate) output: f64,
    /// Those that it reads and the provider had kept; without it, as the others that it reads.
    #[serde(default)]
    pub(crate) cached: Option<f64>,
}

impl Price {
    /// Returns what an answer cost, in millionths of the currency, rounded up.
    pub(crate) fn of(self, usage: Usage) -> u64 {
        let cached = usage.cached_tokens.min(usage.input_tokens);
        // A price for a million tokens is a price in millionths for one.
        let parts = [
            ((usage.input_tokens - cached) as f64) * self.input,
            (cached as f64) * self.cached.unwrap_or(self.input),
            (usage.output_tokens as f64) * self.output,
        ];
        // What is too large for the type becomes the largest, which no budget allows. The noise of binary fractions is no cost.
        (parts.iter().sum::<f64>() - 1e-6).ceil().max(0.0) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_provider_had_kept_is_cheaper() {
        let price = Price { input: 3.0, output: 15.0, cached: Some(0.3) };
        let usage = Usage { input_tokens: 1_000, output_tokens: 100, cached_tokens: 600 };
        assert_eq!(price.of(usage), 1_200 + 180 + 1_500);
        assert_eq!(Price { cached: None, ..price }.of(usage), 3_000 + 1_500);
        assert_eq!(price.of(Usage::default()), 0);
    }

    #[test]
    fn no_usage_makes_a_cost_wrap_around() {
        let price = Price { input: 3.0, output: f64::MAX, cached: None };
        let usage = Usage { input_tokens: u64::MAX, output_tokens: u64::MAX, cached_tokens: u64::MAX };
        assert_eq!(price.of(usage), u64::MAX);
        assert_eq!(Price { output: 0.0, cached: Some(0.0), ..price }.of(usage), 0);
    }
}
