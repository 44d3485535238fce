//! Configuration values that must not be shown.

use std::{borrow::Cow, fmt};

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Deserializer};
use zeroize::{Zeroize, Zeroizing};

/// A value that an operator sets and nobody reads back: a key, a password, a token.
///
/// It cannot be printed or serialised, and its memory is wiped when it is dropped. Its schema carries
/// `writeOnly` and `x-secret`, so that forms and listings know.
///
/// ```
/// # use nekro_core::Secret;
/// let key = Secret::new(String::from("s3cret"));
/// assert_eq!(format!("{key:?}"), "Secret(…)");
/// assert_eq!(key.expose(), "s3cret");
/// ```
#[derive(Clone)]
pub struct Secret<T: Zeroize>(Zeroizing<T>);

impl<T: Zeroize> Secret<T> {
    /// Hides a value.
    pub fn new(value: T) -> Self {
        Self(Zeroizing::new(value))
    }

    /// Returns the value. The name is long enough to be seen in a review.
    pub fn expose(&self) -> &T {
        &self.0
    }
}

impl<T: Zeroize> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl<'de, T: Zeroize + Deserialize<'de>> Deserialize<'de> for Secret<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::deserialize(deserializer).map(Self::new).map_err(|error| {
            // One that is not there has no value to quote; its error names the key.
            if error.to_string().starts_with("missing field `") {
                return error;
            }
            // The parser's own error would quote the value.
            serde::de::Error::custom("the secret has the wrong type (its value is not shown)")
        })
    }
}

impl<T: Zeroize + JsonSchema> JsonSchema for Secret<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("Secret_of_{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut schema = generator.subschema_for::<T>();
        schema.insert("writeOnly".into(), true.into());
        schema.insert("x-secret".into(), true.into());
        schema
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "only printed")]
    struct Login {
        key: Secret<String>,
    }

    #[test]
    fn an_error_names_the_key_and_never_the_value() {
        let error = |json: &str| serde_json::from_str::<Login>(json).expect_err("no login").to_string();
        assert!(error("{}").starts_with("missing field `key`"));
        for json in [r#"{"key": ["s3cret"]}"#, r#"{"key": {"s3cret": "missing field `s3cret`"}}"#] {
            assert!(error(json).starts_with("the secret has the wrong type"), "{json}");
        }
    }
}
