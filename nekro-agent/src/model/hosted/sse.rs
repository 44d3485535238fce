//! Server-sent events, out of pieces of any size.
//!
//! As the HTML standard has them (section 9.2.6): lines end with LF, CR or CRLF, wherever the pieces are cut. An event may not be longer
//! than whoever reads allows.

/// An event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Event {
    /// What sort it is; empty for one that does not say.
    pub(super) name: String,
    /// What it carries.
    pub(super) data: String,
}

/// An event is longer than it may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TooLong;

/// Reads events.
#[derive(Debug)]
pub(super) struct Events {
    line: Vec<u8>,
    // Whether the last byte was a CR, so that an LF that follows ends nothing.
    after_return: bool,
    name: String,
    data: Option<String>,
    // How many bytes an event may have.
    most: usize,
}

impl Events {
    /// Makes a reader of events of at most this many bytes.
    pub(super) fn new(most: usize) -> Self {
        Self { line: Vec::new(), after_return: false, name: String::new(), data: None, most }
    }

    /// Reads a piece, and returns the events that it completes.
    pub(super) fn read(&mut self, mut piece: &[u8]) -> Result<Vec<Event>, TooLong> {
        let mut events = Vec::new();
        if self.after_return && !piece.is_empty() {
            self.after_return = false;
            piece = piece.strip_prefix(b"\n").unwrap_or(piece);
        }
        while let Some(end) = piece.iter().position(|byte| matches!(byte, b'\n' | b'\r')) {
            self.extend(&piece[..end])?;
            let returned = piece[end] == b'\r';
            piece = &piece[end + 1..];
            if returned {
                self.after_return = piece.is_empty();
                piece = piece.strip_prefix(b"\n").unwrap_or(piece);
            }
            self.end_line(&mut events);
        }
        self.extend(piece)?;
        Ok(events)
    }

    /// Returns the event that the stream ended in, for there are servers that forget the empty line after the last.
    pub(super) fn finish(&mut self) -> Option<Event> {
        let mut events = Vec::new();
        self.end_line(&mut events);
        self.end_line(&mut events);
        events.into_iter().next()
    }

    fn extend(&mut self, bytes: &[u8]) -> Result<(), TooLong> {
        let held = self.line.len() + self.data.as_ref().map_or(0, String::len) + self.name.len();
        if held + bytes.len() > self.most {
            return Err(TooLong);
        }
        self.line.extend_from_slice(bytes);
        Ok(())
    }

    fn end_line(&mut self, events: &mut Vec<Event>) {
        let line = String::from_utf8_lossy(&self.line);
        let line = line.trim_start_matches('\u{feff}');
        if line.is_empty() {
            let name = std::mem::take(&mut self.name);
            events.extend(self.data.take().map(|data| Event { name, data }));
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match (field, &mut self.data) {
            ("data", Some(data)) => {
                data.push('\n');
                data.push_str(value);
            }
            ("data", data @ None) => *data = Some(value.to_owned()),
            ("event", _) => value.clone_into(&mut self.name),
            // A comment, with which a server shows that it is alive; or a field that is of no use here.
            _ => {}
        }
        self.line.clear();
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(pieces: &[&[u8]]) -> Vec<Event> {
        let mut events = Events::new(1_000);
        let mut read: Vec<_> = pieces.iter().flat_map(|piece| events.read(piece).expect("short enough")).collect();
        read.extend(events.finish());
        read
    }

    fn event(name: &str, data: &str) -> Event {
        Event { name: name.to_owned(), data: data.to_owned() }
    }

    const ENDS: [&str; 3] = ["\n", "\r", "\r\n"];

    #[test]
    fn a_stream_may_be_cut_at_every_byte_and_end_its_lines_in_every_way() {
        let expected = [event("first", "schön\n\u{1f3b2}"), event("", "[DONE]")];
        for end in ENDS {
            let text =
                ["\u{feff}event: first", ": alive", "data: schön", "data:\u{1f3b2}", "id: 3", "", "", "data: [DONE]", "", ""];
            let text = text.join(end);
            assert_eq!(read(&[text.as_bytes()]), expected, "{end:?}");
            for cut in 0..=text.len() {
                let (left, right) = text.as_bytes().split_at(cut);
                assert_eq!(read(&[left, right]), expected, "{end:?} cut at {cut}");
            }
            let bytes: Vec<_> = text.as_bytes().chunks(1).collect();
            assert_eq!(read(&bytes), expected, "{end:?} byte by byte");
        }
    }

    #[test]
    fn the_last_event_needs_no_empty_line() {
        for text in ["data: [DONE]", "data: [DONE]\n", "data: [DONE]\r", "data: [DONE]\r\n\r\n"] {
            assert_eq!(read(&[text.as_bytes()]), [event("", "[DONE]")], "{text:?}");
        }
        assert_eq!(read(&[b"event: a\n\n: only comments\n"]), []);
    }

    #[test]
    fn an_event_that_never_ends_is_given_up() {
        let mut events = Events::new(100);
        assert_eq!((0..100).find_map(|_| events.read(b"data: more\n").err()), Some(TooLong));
        let mut events = Events::new(100);
        assert_eq!((0..100).find_map(|_| events.read(b"no line break ").err()), Some(TooLong));
        let mut events = Events::new(100);
        for _ in 0..100 {
            assert_eq!(events.read(b"data: short\n\n").map(|events| events.len()), Ok(1), "what was read does not count");
        }
    }

    proptest! {
        #[test]
        fn cuts_change_nothing(
            bytes in proptest::collection::vec(prop_oneof![Just(b'\n'), Just(b'\r'), Just(b':'), Just(b'd'), any::<u8>()], 0..200),
            cuts in proptest::collection::vec(0usize..200, 0..8),
        ) {
            let mut cuts: Vec<_> = cuts.into_iter().map(|cut| cut.min(bytes.len())).collect();
            cuts.extend([0, bytes.len()]);
            cuts.sort_unstable();
            let pieces: Vec<_> = cuts.windows(2).map(|cut| &bytes[cut[0]..cut[1]]).collect();
            prop_assert_eq!(read(&pieces), read(&[&bytes]));
        }

        #[test]
        fn whatever_is_written_is_read(
            sent in proptest::collection::vec(("[a-z]{0,5}", "[^\r\n\u{feff}]{1,20}"), 0..6),
            end in 0usize..3,
        ) {
            let end = ENDS[end];
            let text: String = sent.iter().map(|(name, data)| format!("event: {name}{end}data: {data}{end}{end}")).collect();
            let expected: Vec<_> = sent.iter().map(|(name, data)| event(name, data)).collect();
            prop_assert_eq!(read(&[text.as_bytes()]), expected);
        }
    }
}
