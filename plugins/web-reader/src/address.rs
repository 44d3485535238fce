//! Where a page is.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where a page is, such as `https://example.org/news`. Without a scheme, it is https.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(inline)]
// Invariant: http or https, with a host; `try_from` is the only way in. Whether it may be reached, the host's border decides.
pub struct PageAddress(String);

/// A text is no address of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AddressError;

impl PageAddress {
    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for PageAddress {
    type Error = AddressError;

    fn try_from(text: String) -> Result<Self, AddressError> {
        nekro_page::address(&text).map(|url| Self(url.into())).ok_or(AddressError)
    }
}

impl From<PageAddress> for String {
    fn from(address: PageAddress) -> Self {
        address.0
    }
}

impl fmt::Display for AddressError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("expected the address of a page, such as \"https://example.org/news\"")
    }
}

impl std::error::Error for AddressError {}
