//! An amount of time to add, such as `2 weeks 3 days`.

use std::{borrow::Cow, fmt};

use jiff::Span;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// An amount of time.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct Amount(Span);

/// The most characters of an amount.
const MOST: usize = 100;

/// A text is no amount of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct AmountError;

impl Amount {
    /// Returns it.
    pub(crate) fn span(&self) -> Span {
        self.0
    }
}

impl TryFrom<String> for Amount {
    type Error = AmountError;

    fn try_from(text: String) -> Result<Self, AmountError> {
        if text.chars().nth(MOST).is_some() {
            return Err(AmountError);
        }
        let text = text.trim().to_ascii_lowercase().replace(" and ", " ");
        // As one says "in 3 days".
        let text = text.strip_prefix("in ").unwrap_or(&text).trim_start();
        text.parse().map(Self).map_err(|_| AmountError)
    }
}

impl From<Amount> for String {
    fn from(amount: Amount) -> Self {
        amount.0.to_string()
    }
}

impl fmt::Display for AmountError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("expected an amount of time such as \"2 weeks 3 days\", \"90 minutes\" or \"3 days ago\"")
    }
}

impl std::error::Error for AmountError {}

impl JsonSchema for Amount {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Amount".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "minLength": 1, "maxLength": MOST })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_amount_is_written_as_people_do() {
        for (text, expected) in [
            ("90 days", Some("P90D")),
            ("1 year and 2 months", Some("P1Y2M")),
            ("in 3 hours 20 minutes", Some("PT3H20M")),
            ("2 weeks ago", Some("-P2W")),
            ("-3 Days", Some("-P3D")),
            ("p1dt12h", Some("P1DT12H")),
            ("1.5 hours", Some("PT1H30M")),
            ("", None),
            ("soon", None),
            ("99999999999999999999 years", None),
        ] {
            assert_eq!(Amount::try_from(text.to_owned()).map(String::from).ok().as_deref(), expected, "{text}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_text_is_an_amount_or_refused(text in "(in |-)?[0-9.]{0,12} ?(days|y|h|weeks|ns|\\PC{0,9})( ago)?") {
            let _ = Amount::try_from(text);
        }
    }
}
