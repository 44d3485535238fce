//! The error of a plugin's function. Its reader is the model or the person who made the call.

use std::{borrow::Cow, error::Error as StdError, fmt};

use serde::{Serialize, Serializer, ser::SerializeStruct};

/// The result of a plugin's function.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a call failed, told to whoever made it.
///
/// Every [`std::error::Error`] becomes one by `?`, with the code `failed`. A hint says how to ask better.
///
/// ```
/// # use nekro_core::Error;
/// let error = Error::new("no city is called Atlantis")
///     .with_code("not_found")
///     .with_hint("ask for the nearest larger city");
/// assert_eq!(error.to_string(), "no city is called Atlantis");
/// ```
pub struct Error(Box<Inner>);

struct Inner {
    code: Cow<'static, str>,
    message: String,
    hint: Option<String>,
    retryable: bool,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl Error {
    /// Makes an error with the code `failed`.
    pub fn new(message: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            code: Cow::Borrowed("failed"),
            message: message.into(),
            hint: None,
            retryable: false,
            source: None,
        }))
    }

    /// Sets the code, which programs compare: a short word in `snake_case`.
    #[must_use]
    pub fn with_code(mut self, code: impl Into<Cow<'static, str>>) -> Self {
        self.0.code = code.into();
        self
    }

    /// Adds advice: what to do instead.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hint = Some(hint.into());
        self
    }

    /// Says that the same call may succeed later.
    #[must_use]
    pub fn retryable(mut self) -> Self {
        self.0.retryable = true;
        self
    }

    /// Returns the code, such as `not_found`.
    pub fn code(&self) -> &str {
        &self.0.code
    }

    /// Returns what went wrong.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Returns the advice, if there is one.
    pub fn hint(&self) -> Option<&str> {
        self.0.hint.as_deref()
    }

    /// Tells whether the same call may succeed later.
    pub fn is_retryable(&self) -> bool {
        self.0.retryable
    }

    /// Returns the error that this one was made from.
    pub fn source(&self) -> Option<&(dyn StdError + Send + Sync + 'static)> {
        self.0.source.as_deref()
    }
}

// `Error` is not itself a `std::error::Error`: that is what lets `?` turn every other error into it.
impl<E: StdError + Send + Sync + 'static> From<E> for Error {
    fn from(source: E) -> Self {
        let mut error = Self::new(source.to_string());
        error.0.source = Some(Box::new(source));
        error
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("code", &self.0.code)
            .field("message", &self.0.message)
            .field("hint", &self.0.hint)
            .field("retryable", &self.0.retryable)
            .field("source", &self.0.source)
            .finish()
    }
}

impl Serialize for Error {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("Error", 4)?;
        fields.serialize_field("code", &self.0.code)?;
        fields.serialize_field("message", &self.0.message)?;
        fields.serialize_field("retryable", &self.0.retryable)?;
        match &self.0.hint {
            Some(hint) => fields.serialize_field("hint", hint)?,
            None => fields.skip_field("hint")?,
        }
        fields.end()
    }
}

/// What a function of a plugin may have as the `E` of its `Result<T, E>`: [`Error`] and every [`std::error::Error`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the error of a plugin's function",
    label = "not an error that a caller can be told",
    note = "return `nekro_core::Error` (made by `Error::new(\"…\")`), or a type that implements `std::error::Error`"
)]
pub trait IntoError {
    /// Turns it into the error that the caller is told.
    fn into_error(self) -> Error;
}

#[diagnostic::do_not_recommend]
impl<E: Into<Error>> IntoError for E {
    fn into_error(self) -> Error {
        self.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_serialised_without_an_empty_hint() {
        let json = serde_json::to_string(&Error::new("no")).expect("plain data");
        assert_eq!(json, r#"{"code":"failed","message":"no","retryable":false}"#);
    }

    #[test]
    fn any_standard_error_becomes_one_and_stays_as_its_source() {
        let error = Error::from("x".parse::<u8>().expect_err("not a number"));
        assert_eq!(error.code(), "failed");
        assert!(error.source().is_some());
    }
}
