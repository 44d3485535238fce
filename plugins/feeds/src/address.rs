//! Where a feed is.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where a feed is, such as `https://example.org/feed.xml`. Without a scheme, it is https.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(inline)]
// Invariant: http or https, with a host; `try_from` is the only way in. Whether it may be reached, the host's border decides.
pub struct FeedAddress(String);

/// A text is no address of a feed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AddressError;

impl FeedAddress {
    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for FeedAddress {
    type Error = AddressError;

    fn try_from(text: String) -> Result<Self, AddressError> {
        nekro_page::address(&text).map(|url| Self(url.into())).ok_or(AddressError)
    }
}

impl From<FeedAddress> for String {
    fn from(address: FeedAddress) -> Self {
        address.0
    }
}

impl fmt::Display for AddressError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("expected the address of a feed, such as \"https://example.org/feed.xml\"")
    }
}

impl std::error::Error for AddressError {}
