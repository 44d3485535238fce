//! Workers that are not what they should be: what they say is measured, checked, and ends them.

use std::{
    io::{Read, Write},
    os::fd::AsFd,
};

use nekro_sandbox::{Limit, Outcome};

use crate::world::{self, World, runtime, script, settings, start};

/// What a forged worker sends after it has been given a script; `T` stands for the run's token.
fn forged(play: &str, token: &[u8; 16]) -> Vec<u8> {
    if let Some(seed) = play.strip_prefix("mutated ") {
        return mutated(seed.parse().expect("a number"), token);
    }
    let frame = |kind: u8, token: &[u8; 16], body: &[u8]| {
        let mut bytes = ((body.len() + 17) as u32).to_le_bytes().to_vec();
        bytes.push(kind);
        bytes.extend(token);
        bytes.extend(body);
        bytes
    };
    let exchange = |wait: u64, calls: &str| frame(7, token, &[&wait.to_le_bytes()[..], calls.as_bytes()].concat());
    match play {
        "another token" => frame(9, &[1; 16], br#"{"report":{"done":null}}"#),
        "a length without end" => vec![0xff; 64],
        "a length of nothing" => vec![0; 64],
        "an unknown kind" => frame(77, token, b""),
        "a frame of the host" => frame(3, token, b"[]"),
        "ready twice" => frame(5, token, br#"{"version":1,"confinement":{}}"#),
        "half a frame" => frame(9, token, br#"{"report":{"done":null}}"#)[..20].to_vec(),
        "no JSON" => frame(9, token, b"\xff\xfe{"),
        "a report of another form" => frame(9, token, br#"{"report":{"done":{"text":1,"json":null}}}"#),
        "a deep report" => frame(9, token, ["[".repeat(100_000), "]".repeat(100_000)].concat().as_bytes()),
        "deep calls" => exchange(u64::MAX, &["[".repeat(1_000), "]".repeat(1_000)].concat()),
        "many values" => exchange(u64::MAX, &format!("[{}0]", "0,".repeat(300_000))),
        "calls that are none" => exchange(u64::MAX, r#"[{"name":"add"}]"#),
        "arguments that are no object" => exchange(u64::MAX, r#"[[1,"add",[1,2]]]"#),
        "a wait for nothing" => exchange(u64::MAX, "[]"),
        "words while it should wait" => [exchange(u64::MAX, r#"[[1,"hang",{}]]"#), frame(6, token, b"hello")].concat(),
        "state that nobody asked for" => frame(8, token, b"state"),
        "a stop that nobody asked for" => frame(9, token, br#"{"ended":"stopped"}"#),
        "output without end" => frame(6, token, &vec![b'x'; 1 << 20]).repeat(3),
        "nothing" => Vec::new(),
        "calls" => exchange(5, r#"[[1,"add",{"a":1,"b":2}],[2,"hang",{}]]"#),
        "a report" => frame(9, token, br#"{"report":{"done":{"text":"2","json":"2"}}}"#),
        _ => unreachable!("no such play: {play}"),
    }
}

/// Changes what forged and honest workers say in some places, by chance that a number draws.
fn mutated(seed: u64, token: &[u8; 16]) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    // Xorshift: the same changes for the same number.
    let mut draw = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 16) as usize % below.max(1)
    };
    let mut bytes = Vec::new();
    for _ in 0..=draw(3) {
        let honest = ["calls", "a report"];
        let at = draw(PLAYS.len() + 2 * honest.len());
        bytes.extend(forged(PLAYS.get(at).unwrap_or(&honest[at % honest.len()]), token));
        bytes.truncate(1 << 16);
    }
    for _ in 0..draw(6) {
        if bytes.is_empty() {
            break;
        }
        let at = draw(bytes.len());
        match draw(4) {
            0 => bytes[at] = draw(256) as u8,
            1 => bytes.insert(at, draw(256) as u8),
            2 => drop(bytes.drain(at..(at + draw(30)).min(bytes.len()))),
            _ => bytes.extend_from_within(at..(at + draw(30)).min(bytes.len())),
        }
    }
    bytes
}

const PLAYS: [&str; 20] = [
    "another token",
    "a length without end",
    "a length of nothing",
    "an unknown kind",
    "a frame of the host",
    "ready twice",
    "half a frame",
    "no JSON",
    "a report of another form",
    "a deep report",
    "deep calls",
    "many values",
    "calls that are none",
    "arguments that are no object",
    "a wait for nothing",
    "words while it should wait",
    "state that nobody asked for",
    "a stop that nobody asked for",
    "output without end",
    "nothing",
];

/// Plays a forged worker, if this process was started to be one.
pub(crate) fn play_if_asked() {
    let arguments: Vec<String> = std::env::args().collect();
    let orders = match &arguments[..] {
        [_, asked, orders] if asked == "nekro-sandbox-worker" => {
            serde_json::from_str::<serde_json::Value>(orders).unwrap_or_default()
        }
        _ => return,
    };
    let play = orders["play"].as_str().unwrap_or_default();
    if play.is_empty() {
        return;
    }
    let socket = std::io::stdin().as_fd().try_clone_to_owned().expect("it is open");
    let mut socket = std::fs::File::from(socket);
    let standing = if play == "unconfined" { r#"{"missing":"a play"}"# } else { r#"{"in_force":"a play"}"# };
    let layers: Vec<_> = nekro_sandbox::Layer::ALL.iter().map(|layer| format!(r#""{layer}":{standing}"#)).collect();
    let ready = format!(r#"{{"version":1,"confinement":{{{}}}}}"#, layers.join(","));
    let mut bytes = ((ready.len() + 17) as u32).to_le_bytes().to_vec();
    bytes.push(5);
    bytes.extend([0; 16]);
    bytes.extend(ready.as_bytes());
    socket.write_all(&bytes).expect("the host listens");
    let mut header = [0; 21];
    if socket.read_exact(&mut header).is_ok() && play != "unconfined" {
        let token = header[5..].try_into().expect("sixteen bytes");
        // The host may have hung up before everything was said.
        _ = socket.write_all(&forged(play, &token));
        if !matches!(play, "half a frame" | "nothing") {
            _ = socket.read_to_end(&mut Vec::new());
        }
    }
    std::process::exit(0)
}

pub(crate) fn whatever_a_worker_says_its_host_lives_and_says_what_was_wrong() {
    for play in PLAYS {
        let mut settings = settings();
        settings.play = play.into();
        settings.warm = 0;
        let sandbox = start(settings);
        let report = runtime().block_on(sandbox.run(&script("1"), &World::new())).expect("it is run");
        match (play, &report.outcome) {
            ("deep calls", Outcome::Limit(Limit::Depth, _)) | ("many values", Outcome::Limit(Limit::Values, _)) => {}
            (_, Outcome::Crashed(_)) => {}
            (_, other) => panic!("{play}: {other:?}"),
        }
        assert!(sandbox.idle().is_empty(), "{play}: such a worker is not used again");
    }
    assert_eq!(world::value("1 + 1"), "2");
}

/// How many conversations are tried; `NEKRO_FUZZ_CASES` has fifty times as many.
const MUTATED: u64 = 40;

pub(crate) fn what_a_worker_says_in_disorder_ends_its_script_at_most() {
    let wanted = std::env::var("NEKRO_FUZZ_CASES").ok().and_then(|count| count.parse::<u64>().ok());
    for seed in 0..wanted.map_or(MUTATED, |count| count.div_ceil(50)) {
        let mut settings = settings();
        settings.play = format!("mutated {seed}");
        settings.warm = 0;
        let sandbox = start(settings);
        let mut script = script("1");
        script.limits.wall_time = std::time::Duration::from_millis(300);
        // Whatever comes of it: it is told, and in time.
        runtime().block_on(sandbox.run(&script, &World::new())).unwrap_or_else(|error| panic!("{seed}: {error}"));
    }
    assert_eq!(world::value("1 + 1"), "2");
}
