//! Addresses, as people write them.

use url::Url;

/// Reads the address of something on the web: http or https, with a host. Without a scheme, it is https.
pub fn address(text: &str) -> Option<Url> {
    let text = text.trim();
    let bare = |text: &str| {
        Url::parse(&format!("https://{text}")).ok().filter(|url| url.domain().is_some_and(|name| name.contains('.')))
    };
    let url = Url::parse(text).ok().filter(Url::has_host).or_else(|| bare(text))?;
    matches!(url.scheme(), "http" | "https").then_some(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_completed_and_nothing_else_is_one() {
        for (text, expected) in [
            (" https://example.org/a b ", "https://example.org/a%20b"),
            ("http://EXAMPLE.org:8080", "http://example.org:8080/"),
            ("example.org/news", "https://example.org/news"),
            ("bücher.example", "https://xn--bcher-kva.example/"),
        ] {
            assert_eq!(address(text).as_ref().map(Url::as_str), Some(expected));
        }
        for text in ["", "news", "file:///etc/passwd", "ftp://example.org", "javascript:alert(1)", "https://", "data:text/html,x"]
        {
            assert_eq!(address(text), None, "{text}");
        }
    }
}
