//! Which bytes are which letters.

use encoding_rs::{Encoding, UTF_8};

/// How far from its beginning a page may say what it is written in, as the HTML standard has it.
const PRESCAN: usize = 1024;

/// Decodes a page: by the mark at its beginning, by what the server says, by what the page itself says, or as UTF-8.
pub fn decode(bytes: &[u8], content_type: Option<&str>) -> String {
    let told = content_type.and_then(named);
    let beginning = || String::from_utf8_lossy(&bytes[..bytes.len().min(PRESCAN)]).to_ascii_lowercase();
    let encoding = told.or_else(|| named(&beginning())).unwrap_or(UTF_8);
    encoding.decode(bytes).0.into_owned()
}

/// Finds `charset=` and what follows.
fn named(text: &str) -> Option<&'static Encoding> {
    let lower = text.to_ascii_lowercase();
    let (_, rest) = lower.split_once("charset")?;
    let rest = rest.trim_start().strip_prefix('=')?.trim_start().trim_start_matches(['"', '\'']);
    let label = rest.split(|one: char| one.is_whitespace() || matches!(one, '"' | '\'' | ';' | '>' | '/')).next()?;
    Encoding::for_label(label.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_are_found_by_what_is_said_of_them() {
        for (bytes, content_type, text) in [
            ("ä".as_bytes(), None, "ä"),
            (&b"\xe4"[..], Some("text/html; charset=ISO-8859-1"), "ä"),
            (b"<meta charset='windows-1251'>\xe4", Some("text/html"), "<meta charset='windows-1251'>д"),
            (b"<meta content=\"text/html; charset=gbk\">\xc4\xe3", None, "<meta content=\"text/html; charset=gbk\">你"),
            (b"\xef\xbb\xbf\xc3\xa4", Some("text/html; charset=latin1"), "ä"),
            (b"\xff\xfea\0", None, "a"),
            (b"\xff", Some("text/html; charset=no-such"), "\u{fffd}"),
        ] {
            assert_eq!(decode(bytes, content_type), text);
        }
    }
}
