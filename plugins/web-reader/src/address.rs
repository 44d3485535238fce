//! Where a page is.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use url::Url;

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
        let text = text.trim();
        let bare = |text: &str| {
            Url::parse(&format!("https://{text}")).ok().filter(|url| url.domain().is_some_and(|name| name.contains('.')))
        };
        let url = Url::parse(text).ok().filter(Url::has_host).or_else(|| bare(text)).ok_or(AddressError)?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(AddressError);
        }
        Ok(Self(url.into()))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_completed_and_nothing_else_is_one() {
        for (text, address) in [
            (" https://example.org/a b ", "https://example.org/a%20b"),
            ("http://EXAMPLE.org:8080", "http://example.org:8080/"),
            ("example.org/news", "https://example.org/news"),
            ("bücher.example", "https://xn--bcher-kva.example/"),
        ] {
            assert_eq!(PageAddress::try_from(text.to_owned()).map(String::from).as_deref(), Ok(address));
        }
        for text in ["", "news", "file:///etc/passwd", "ftp://example.org", "javascript:alert(1)", "https://", "data:text/html,x"]
        {
            assert_eq!(PageAddress::try_from(text.to_owned()), Err(AddressError), "{text}");
        }
    }
}
