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
        // The parser's own error would quote the value.
        T::deserialize(deserializer)
            .map(Self::new)
            .map_err(|_| serde::de::Error::custom("the secret has the wrong type (its value is not shown)"))
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
