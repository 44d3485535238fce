//! How deep and how many: a look at JSON before it is parsed, so that a parser never meets what it could drown in.

/// How much a message may hold.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// How deep lists and objects may be nested.
    pub(crate) depth: usize,
    /// How many values there may be, with the keys of objects.
    pub(crate) values: usize,
}

/// What there was too much of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TooMuch {
    /// Nesting.
    Depth,
    /// Values.
    Values,
}

/// Refuses JSON that is nested too deeply or holds too many values. Whether it is JSON at all is the parser's matter.
pub(crate) fn measure(json: &[u8], bounds: &Bounds) -> Result<(), TooMuch> {
    let mut depth = 0_usize;
    let mut values = 0_usize;
    let mut bytes = json.iter();
    // A number or a word is counted at its first byte, a text or a list where it begins.
    let mut inside_word = false;
    while let Some(byte) = bytes.next() {
        let begins = match byte {
            b'"' => {
                while let Some(byte) = bytes.next() {
                    match byte {
                        b'\\' => _ = bytes.next(),
                        b'"' => break,
                        _ => {}
                    }
                }
                inside_word = false;
                true
            }
            b'[' | b'{' => {
                depth += 1;
                if depth > bounds.depth {
                    return Err(TooMuch::Depth);
                }
                inside_word = false;
                true
            }
            b']' | b'}' => {
                depth = depth.saturating_sub(1);
                inside_word = false;
                false
            }
            b',' | b':' | b' ' | b'\n' | b'\r' | b'\t' => {
                inside_word = false;
                false
            }
            _ => !std::mem::replace(&mut inside_word, true),
        };
        if begins {
            values += 1;
            if values > bounds.values {
                return Err(TooMuch::Values);
            }
        }
    }
    Ok(())
}
