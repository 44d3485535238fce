//! What is sent along: queries, forms, and forms with files.

use std::fmt::{Display, Write as _};

/// Escapes all but the unreserved characters of RFC 3986, section 2.3: what it makes is right in a query and in a form.
fn push_escaped(into: &mut String, text: &str) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            into.push(char::from(byte));
        } else {
            let _ = write!(into, "%{byte:02X}");
        }
    }
}

fn push_pair(into: &mut String, name: &str, value: &str) {
    push_escaped(into, name);
    into.push('=');
    push_escaped(into, value);
}

/// Adds a pair to the query of a URL, before its fragment.
pub(super) fn push_query(url: &mut String, name: &str, value: &str) {
    let fragment = url.find('#').map(|at| url.split_off(at));
    match url.find('?') {
        None => url.push('?'),
        Some(_) if url.ends_with(['?', '&']) => {}
        Some(_) => url.push('&'),
    }
    push_pair(url, name, value);
    url.extend(fragment);
}

/// Writes pairs as `application/x-www-form-urlencoded`.
pub(super) fn form<N: AsRef<str>, V: Display>(pairs: impl IntoIterator<Item = (N, V)>) -> String {
    let mut form = String::new();
    for (name, value) in pairs {
        if !form.is_empty() {
            form.push('&');
        }
        push_pair(&mut form, name.as_ref(), &value.to_string());
    }
    form
}

/// A form with files: `multipart/form-data`, as RFC 7578 describes it.
#[derive(Clone, Debug, Default)]
pub struct Multipart {
    parts: Vec<(String, Vec<u8>)>,
}

impl Multipart {
    /// Makes an empty form.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a text.
    #[must_use]
    pub fn text(mut self, name: &str, value: impl Display) -> Self {
        let head = format!("Content-Disposition: form-data; name=\"{}\"", quoted(name));
        self.parts.push((head, value.to_string().into_bytes()));
        self
    }

    /// Adds a file.
    #[must_use]
    pub fn file(mut self, name: &str, file_name: &str, media_type: &str, bytes: impl Into<Vec<u8>>) -> Self {
        let (name, file_name) = (quoted(name), quoted(file_name));
        let media_type: String = media_type.chars().filter(|one| !one.is_control()).collect();
        let head =
            format!("Content-Disposition: form-data; name=\"{name}\"; filename=\"{file_name}\"\r\nContent-Type: {media_type}");
        self.parts.push((head, bytes.into()));
        self
    }

    /// Returns the media type and the bytes.
    pub(super) fn encode(self) -> (String, Vec<u8>) {
        let boundary = self.boundary();
        let mut bytes = Vec::new();
        for (head, content) in self.parts {
            bytes.extend_from_slice(format!("--{boundary}\r\n{head}\r\n\r\n").as_bytes());
            bytes.extend_from_slice(&content);
            bytes.extend_from_slice(b"\r\n");
        }
        bytes.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
        (format!("multipart/form-data; boundary={boundary}"), bytes)
    }

    /// Finds a line that is in none of the parts.
    fn boundary(&self) -> String {
        let contains = |boundary: &str| {
            let found = |bytes: &[u8]| bytes.windows(boundary.len()).any(|window| window == boundary.as_bytes());
            self.parts.iter().any(|(head, content)| found(head.as_bytes()) || found(content))
        };
        let mut number = 0_u64;
        loop {
            let boundary = format!("nekro-boundary-{number:016x}");
            if !contains(&boundary) {
                return boundary;
            }
            number += 1;
        }
    }
}

/// Escapes what would end a quoted name, as browsers do.
fn quoted(name: &str) -> String {
    name.replace('"', "%22").replace('\r', "%0D").replace('\n', "%0A")
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    #[test]
    fn a_query_is_added_where_it_belongs() {
        let added = |url: &str| {
            let mut url = url.to_owned();
            push_query(&mut url, "q", "a b&c=d/ü");
            url
        };
        assert_eq!(added("https://a.org"), "https://a.org?q=a%20b%26c%3Dd%2F%C3%BC");
        assert_eq!(added("https://a.org/x?y=1#z"), "https://a.org/x?y=1&q=a%20b%26c%3Dd%2F%C3%BC#z");
        assert_eq!(added("https://a.org/x?"), "https://a.org/x?q=a%20b%26c%3Dd%2F%C3%BC");
    }

    #[test]
    fn a_form_is_pairs() {
        assert_eq!(form([("a", 1), ("b c", 2)]), "a=1&b%20c=2");
    }

    #[test]
    fn a_form_with_files_has_a_boundary_that_is_in_none_of_them() {
        let parts =
            Multipart::new().text("say", "nekro-boundary-0000000000000000").file("f\"\r\nX: y", "a.txt", "text/plain", "hi");
        let (media_type, bytes) = parts.encode();
        assert_eq!(media_type, "multipart/form-data; boundary=nekro-boundary-0000000000000001");
        expect![[r#"
            --nekro-boundary-0000000000000001
            Content-Disposition: form-data; name="say"

            nekro-boundary-0000000000000000
            --nekro-boundary-0000000000000001
            Content-Disposition: form-data; name="f%22%0D%0AX: y"; filename="a.txt"
            Content-Type: text/plain

            hi
            --nekro-boundary-0000000000000001--
        "#]]
        .assert_eq(&String::from_utf8_lossy(&bytes).replace('\r', ""));
    }
}
