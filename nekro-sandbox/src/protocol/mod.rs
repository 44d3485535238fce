//! What the host and a worker say to each other, over one pair of sockets.
//!
//! A frame is `u32 length | u8 kind | 16 bytes token | body`, numbers in little endian; the length counts what comes after it. The token is
//! drawn anew for each run, and a frame with another one is a reason to end the worker: nothing of an earlier run counts in a later one.
//! Bodies are JSON, but for what is only passed on (printed text, kept state). The worker is a stranger: its frames are measured before
//! they are read (`measure.rs`).
//!
//! The two take turns: a worker that has sent calls waits for their answers, one that has sent its report waits for the next script.

mod frame;
#[cfg(test)]
mod fuzz;
mod measure;
mod message;

pub(crate) use self::{
    frame::{Frame, HEADER, Header, Kind, Token, encode},
    measure::{Bounds, TooMuch, measure},
    message::{Begin, BodyError, CallLine, Exchange, Finish, Ready, Told, ToldReport, VERSION, answers},
};

/// Reads what a worker sent, as the host does; for fuzzing.
#[doc(hidden)]
pub fn read_from_worker(bytes: &[u8]) -> bool {
    read(bytes, |frame, bounds| match frame.kind {
        Kind::Ready => serde_json::from_slice::<Ready>(frame.body).is_ok(),
        Kind::Exchange => Exchange::read(frame.body, bounds).is_ok(),
        Kind::Finished => Finish::read(frame.body, bounds).is_ok(),
        _ => true,
    })
}

/// Reads what a host sent, as a worker does; for fuzzing.
#[doc(hidden)]
pub fn read_from_host(bytes: &[u8]) -> bool {
    read(bytes, |frame, _| match frame.kind {
        Kind::Begin => serde_json::from_slice::<Begin<'_>>(frame.body).is_ok(),
        _ => true,
    })
}

fn read(mut bytes: &[u8], mut body: impl FnMut(&Frame<'_>, &Bounds) -> bool) -> bool {
    let bounds = Bounds { depth: 64, values: 10_000 };
    while let Ok(Some((frame, rest))) = Frame::split(bytes, 1 << 20) {
        if !body(&frame, &bounds) {
            return false;
        }
        bytes = rest;
    }
    bytes.is_empty()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_bytes_bring_down_whoever_reads_them(bytes in proptest::collection::vec(any::<u8>(), 0..512)) {
            read_from_worker(&bytes);
            read_from_host(&bytes);
        }

        #[test]
        fn no_body_of_any_kind_brings_down_whoever_reads_it(
            kind in 0u8..12,
            body in "[\\[\\]{}0-9,:\"a-z\\\\ \\-.]{0,200}",
        ) {
            let mut bytes = ((body.len() + 17) as u32).to_le_bytes().to_vec();
            bytes.push(kind);
            bytes.extend([7; 16]);
            bytes.extend(body.as_bytes());
            read_from_worker(&bytes);
            read_from_host(&bytes);
        }

        #[test]
        fn a_frame_is_read_as_it_was_written(body in proptest::collection::vec(any::<u8>(), 0..300), token in any::<[u8; 16]>()) {
            let mut bytes = Vec::new();
            encode(&mut bytes, Kind::Printed, Token(token), &[&body]);
            let (frame, rest) = Frame::split(&bytes, 1 << 20).expect("it is whole").expect("it is whole");
            prop_assert_eq!((frame.kind, frame.token, frame.body), (Kind::Printed, Token(token), &body[..]));
            prop_assert!(rest.is_empty());
            for end in 0..bytes.len() {
                prop_assert!(matches!(Frame::split(&bytes[..end], 1 << 20), Ok(None)));
            }
        }

        #[test]
        fn what_is_measured_as_small_is_small(value in json()) {
            let text = serde_json::to_vec(&value).expect("a value has a text");
            let (depth, values) = size(&value);
            let measured = |depth, values| measure(&text, &Bounds { depth, values });
            prop_assert_eq!(measured(depth, values), Ok(()));
            prop_assert_eq!(measured(depth.wrapping_sub(1).min(depth), values).is_err(), depth > 0);
            prop_assert_eq!(measured(depth, values - 1), Err(TooMuch::Values));
        }
    }

    fn json() -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            Just(serde_json::Value::Null),
            any::<bool>().prop_map(Into::into),
            any::<i64>().prop_map(Into::into),
            "[a-z\\[\\]{},:\"\\\\]{0,8}".prop_map(Into::into),
        ];
        leaf.prop_recursive(6, 60, 6, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..6).prop_map(serde_json::Value::Array),
                proptest::collection::btree_map("[a-z\\[\"]{0,4}", inner, 0..6)
                    .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
            ]
        })
    }

    /// Depth, and number of values with the keys of objects.
    fn size(value: &serde_json::Value) -> (usize, usize) {
        let children: Vec<_> = match value {
            serde_json::Value::Array(items) => items.iter().collect(),
            serde_json::Value::Object(map) => map.values().collect(),
            _ => return (0, 1),
        };
        let keys = value.as_object().map_or(0, |map| map.len());
        let inner: Vec<_> = children.into_iter().map(size).collect();
        let depth = 1 + inner.iter().map(|each| each.0).max().unwrap_or(0);
        (depth, 1 + keys + inner.iter().map(|each| each.1).sum::<usize>())
    }
}
