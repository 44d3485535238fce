//! Reading data URLs: a file inside of a text, as RFC 2397 describes it.

/// Reads a data URL. Returns the media type, if it names one, and the bytes; `None` if it is not one.
pub(super) fn read(url: &str) -> Option<(Option<&str>, Vec<u8>)> {
    let scheme = url.get(..5).filter(|scheme| scheme.eq_ignore_ascii_case("data:"))?;
    let (head, data) = url[scheme.len()..].split_once(',')?;
    let (kind, is_base64) = match head.len().checked_sub(7).and_then(|at| head.split_at_checked(at)) {
        Some((kind, end)) if end.eq_ignore_ascii_case(";base64") => (kind, true),
        _ => (head, false),
    };
    let media_type = kind.split(';').next().filter(|kind| !kind.is_empty());
    let bytes = unescape(data)?;
    Some((media_type, if is_base64 { base64(&bytes)? } else { bytes }))
}

/// Reads `%41` as `A`.
fn unescape(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(if byte == b'%' {
            let digit = |byte: Option<u8>| char::from(byte?).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
            digit(rest.next())? << 4 | digit(rest.next())?
        } else {
            byte
        });
    }
    Some(bytes)
}

/// Reads base64 of RFC 4648, section 4, with or without the `=` at its end.
fn base64(text: &[u8]) -> Option<Vec<u8>> {
    let padding = text.iter().rev().take(2).take_while(|byte| **byte == b'=').count();
    let digits = &text[..text.len() - padding];
    if digits.len() % 4 == 1 || (padding > 0 && !text.len().is_multiple_of(4)) {
        return None;
    }
    let mut bytes = Vec::with_capacity(digits.len() / 4 * 3 + 2);
    let (mut buffer, mut bits) = (0_u32, 0);
    for digit in digits {
        let value = match digit {
            b'A'..=b'Z' => digit - b'A',
            b'a'..=b'z' => digit - b'a' + 26,
            b'0'..=b'9' => digit - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        buffer = buffer << 6 | u32::from(value);
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.extend(u8::try_from(buffer >> bits & 0xff));
        }
    }
    // What is left over says nothing, and must not.
    (buffer & ((1 << bits) - 1) == 0).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_data_url_holds_a_file() {
        let read = |url: &str| read(url).map(|(kind, bytes)| (kind.map(str::to_owned), String::from_utf8(bytes).expect("text")));
        let plain = |text: &str| Some((None, text.to_owned()));
        assert_eq!(read("data:,a%20b"), plain("a b"));
        assert_eq!(read("DATA:;base64,"), plain(""));
        for (encoded, text) in
            [("Zg==", "f"), ("Zm8=", "fo"), ("Zm9v", "foo"), ("Zm9vYmFy", "foobar"), ("Zg", "f"), ("Zm8", "fo")]
        {
            assert_eq!(read(&format!("data:;base64,{encoded}")), plain(text));
        }
        assert_eq!(read("data:image/png;x=y;Base64,Zg%3D%3D"), Some((Some("image/png".to_owned()), "f".to_owned())));
        for wrong in [
            "data:",
            "data:a",
            "data:,%4",
            "data:,%zz",
            "data:;base64,Z",
            "data:;base64,Zg=",
            "data:;base64,Zh==",
            "data:;base64,Z g=",
            "x",
            "dätä:,",
            "",
        ] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
