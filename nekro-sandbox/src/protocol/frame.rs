//! One frame: its length, kind, token and body.

use std::fmt;

/// Bytes before the body.
pub(crate) const HEADER: usize = 4 + AFTER_LENGTH;
const AFTER_LENGTH: usize = 1 + 16;

/// What a frame is. The host sends the first four, a worker the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Kind {
    /// What an earlier script of the session left; before `Begin`.
    State = 1,
    /// A script.
    Begin = 2,
    /// Answers to calls.
    Answers = 3,
    /// The script ends here.
    Stop = 4,
    /// The worker is confined and waits.
    Ready = 5,
    /// Text that was printed.
    Printed = 6,
    /// Calls, and how long to wait for an answer.
    Exchange = 7,
    /// What the script leaves to the next; before `Finished`.
    Kept = 8,
    /// The report.
    Finished = 9,
}

impl Kind {
    const ALL: [Self; 9] = [
        Self::State,
        Self::Begin,
        Self::Answers,
        Self::Stop,
        Self::Ready,
        Self::Printed,
        Self::Exchange,
        Self::Kept,
        Self::Finished,
    ];

    fn of(byte: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| *kind as u8 == byte)
    }
}

/// What binds a frame to one run.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Token(pub(crate) [u8; 16]);

impl Token {
    /// Draws a new one.
    pub(crate) fn random() -> Self {
        let mut token = [0; 16];
        crate::random(&mut token);
        Self(token)
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token")
    }
}

/// Everything before a body.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Header {
    pub(crate) kind: Kind,
    pub(crate) token: Token,
    pub(crate) length: usize,
}

impl Header {
    /// Reads one, and refuses a body that is longer than `most`.
    pub(crate) fn read(bytes: &[u8; HEADER], most: usize) -> Result<Self, FrameError> {
        let [a, b, c, d, kind, token @ ..] = *bytes;
        let length = u32::from_le_bytes([a, b, c, d]) as usize;
        let length = length.checked_sub(AFTER_LENGTH).ok_or(FrameError::Short)?;
        if length > most {
            return Err(FrameError::Long);
        }
        let kind = Kind::of(kind).ok_or(FrameError::Kind)?;
        Ok(Self { kind, token: Token(token), length })
    }
}

/// A frame in a buffer.
#[derive(Debug)]
pub(crate) struct Frame<'a> {
    pub(crate) kind: Kind,
    #[cfg_attr(not(test), expect(dead_code, reason = "compared where headers are read on their own"))]
    pub(crate) token: Token,
    pub(crate) body: &'a [u8],
}

impl<'a> Frame<'a> {
    /// Splits the first frame off a buffer; `None` if it is not whole yet.
    pub(crate) fn split(bytes: &'a [u8], most: usize) -> Result<Option<(Self, &'a [u8])>, FrameError> {
        let Some((header, rest)) = bytes.split_first_chunk::<HEADER>() else { return Ok(None) };
        let Header { kind, token, length } = Header::read(header, most)?;
        Ok(rest.split_at_checked(length).map(|(body, rest)| (Self { kind, token, body }, rest)))
    }
}

/// Why bytes are no frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FrameError {
    /// Shorter than its own header.
    Short,
    /// Longer than is allowed here.
    Long,
    /// Of a kind that does not exist.
    Kind,
}

/// Appends a frame, its body in pieces.
pub(crate) fn encode(into: &mut Vec<u8>, kind: Kind, token: Token, body: &[&[u8]]) {
    let length = AFTER_LENGTH + body.iter().map(|piece| piece.len()).sum::<usize>();
    into.reserve(4 + length);
    into.extend(u32::try_from(length).expect("limits keep a frame far below 4 GiB").to_le_bytes());
    into.push(kind as u8);
    into.extend(token.0);
    for piece in body {
        into.extend_from_slice(piece);
    }
}
