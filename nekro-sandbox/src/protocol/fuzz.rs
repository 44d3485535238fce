//! What both sides do with bytes that were right once: conversations of either side, changed here and there.
//!
//! `NEKRO_FUZZ_CASES` says how many are tried; each case changes a conversation in up to eight places.

use proptest::{prelude::*, sample::Index, test_runner::Config};

use super::*;

const CASES: u32 = 2_000;

fn cases() -> u32 {
    std::env::var("NEKRO_FUZZ_CASES").ok().and_then(|count| count.parse().ok()).unwrap_or(CASES)
}

/// What one of the sides says, whole and right.
fn frame(kind: Kind, body: &[&[u8]]) -> Vec<u8> {
    let mut bytes = Vec::new();
    encode(&mut bytes, kind, Token([7; 16]), body);
    bytes
}

fn corpus() -> Vec<Vec<u8>> {
    let exchange = |calls: &str| frame(Kind::Exchange, &[&5_u64.to_le_bytes(), calls.as_bytes()]);
    let begin = r#"{"cpu_ms":5000,"memory":167772160,"output":1048576,"message":8388608,"state":1048576,"request":{"source":"1 + 1","functions":{"a.b":["a.b",[["c",1]]]},"keep":false,"check":false,"text":16384,"json":1048576}}"#;
    vec![
        frame(Kind::Ready, &[br#"{"version":1,"confinement":{"landlock":{"in_force":"all"},"identity":{"missing":"why"},"system_calls":"off"}}"#]),
        frame(Kind::Printed, &["hello \u{e9}\n".as_bytes()]),
        exchange(r#"[[1,"weather.forecast",{"city":"Berlin","days":[1,2,{"x":null}]}],[2,"notes.save",{"text":"a\"b\\"}]]"#),
        exchange("[]"),
        frame(Kind::Kept, &[&[0x80, 4, 0x95, 0, 0xff]]),
        frame(Kind::Finished, &[br#"{"report":{"done":{"text":"2","json":"2"}}}"#]),
        frame(Kind::Finished, &[br#"{"report":{"done":null}}"#]),
        frame(Kind::Finished, &[br#"{"report":{"refused":[{"line":1,"column":2,"message":"m","hint":null}]}}"#]),
        frame(
            Kind::Finished,
            &[br#"{"report":{"failed":{"kind":"ValueError","message":"m","line":3,"traceback":"t","code":null,"hint":"h"}}}"#],
        ),
        frame(Kind::Finished, &[br#"{"ended":"cpu_time"}"#]),
        frame(Kind::State, &[b"state"]),
        frame(Kind::Begin, &[begin.as_bytes()]),
        frame(Kind::Answers, &[br#"[[1,{"a":[1,2.5e9,"x"]}],[2,null,{"code":"c","message":"m","hint":null}]]"#]),
        frame(Kind::Stop, &[]),
    ]
}

/// One change to a conversation.
#[derive(Clone, Debug)]
enum Change {
    Byte(Index, u8),
    Bit(Index, u8),
    Insert(Index, Vec<u8>),
    Remove(Index, usize),
    Repeat(Index, usize),
    Number(Index, u32),
    End(Index),
}

fn change() -> impl Strategy<Value = Change> {
    let at = any::<Index>;
    // What parsers trip over, beside bytes of any kind.
    let pieces = prop_oneof![
        proptest::collection::vec(any::<u8>(), 1..20),
        Just(b"[".repeat(200)),
        Just(br#"{"a":"#.repeat(100)),
        Just(b"1e999999".to_vec()),
        Just(b"-18446744073709551616".to_vec()),
        Just(br#""\ud800""#.to_vec()),
        Just(vec![0xff, 0xfe, 0]),
        Just(b"\"".to_vec()),
    ];
    prop_oneof![
        (at(), any::<u8>()).prop_map(|(at, byte)| Change::Byte(at, byte)),
        (at(), 0..8_u8).prop_map(|(at, bit)| Change::Bit(at, bit)),
        (at(), pieces).prop_map(|(at, piece)| Change::Insert(at, piece)),
        (at(), 1..40_usize).prop_map(|(at, count)| Change::Remove(at, count)),
        (at(), 1..60_usize).prop_map(|(at, count)| Change::Repeat(at, count)),
        (at(), prop_oneof![any::<u32>(), Just(0), Just(16), Just(17), Just(u32::MAX), Just(1 << 20)])
            .prop_map(|(at, number)| Change::Number(at, number)),
        at().prop_map(Change::End),
    ]
}

impl Change {
    fn make(&self, bytes: &mut Vec<u8>) {
        if bytes.is_empty() {
            return;
        }
        let length = bytes.len();
        let part = |at: &Index, count: usize| at.index(length)..(at.index(length) + count).min(length);
        match self {
            Self::Byte(at, byte) => bytes[at.index(length)] = *byte,
            Self::Bit(at, bit) => bytes[at.index(length)] ^= 1 << bit,
            Self::Insert(at, piece) => {
                bytes.splice(at.index(length)..at.index(length), piece.iter().copied());
            }
            Self::Remove(at, count) => {
                bytes.drain(part(at, *count));
            }
            Self::Repeat(at, count) => bytes.extend_from_within(part(at, *count)),
            Self::Number(at, number) => {
                let part = part(at, 4);
                let end = part.len();
                bytes[part].copy_from_slice(&number.to_le_bytes()[..end]);
            }
            Self::End(at) => bytes.truncate(at.index(length)),
        }
    }
}

/// A body that was changed in a frame whose length is right again, so that the change reaches whoever reads bodies.
fn reframed(bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    if bytes.len() >= HEADER {
        let length = u32::try_from(bytes.len() - 4).expect("it is short");
        bytes[..4].copy_from_slice(&length.to_le_bytes());
    }
    bytes
}

proptest! {
    #![proptest_config(Config { cases: cases(), failure_persistence: None, ..Config::default() })]

    #[test]
    fn a_conversation_that_was_changed_brings_nobody_down(
        frames in proptest::collection::vec(any::<Index>(), 1..5),
        changes in proptest::collection::vec(change(), 1..8),
    ) {
        let corpus = corpus();
        let mut bytes: Vec<u8> = frames.iter().flat_map(|frame| corpus[frame.index(corpus.len())].clone()).collect();
        changes.iter().for_each(|change| change.make(&mut bytes));
        for bytes in [bytes.clone(), reframed(&bytes)] {
            read_from_worker(&bytes);
            read_from_host(&bytes);
        }
    }
}

#[test]
fn the_corpus_is_right_before_it_is_changed() {
    for bytes in corpus() {
        let of_worker = read_from_worker(&bytes);
        assert!(of_worker && read_from_host(&bytes), "{}", String::from_utf8_lossy(&bytes));
    }
}
