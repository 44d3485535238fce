//! Calls that a model makes again and again, with the same arguments and the same result.

use std::{
    collections::HashMap,
    hash::{DefaultHasher, Hash, Hasher},
};

use serde_json::Value;

/// Which calls were made in a turn, and what came of them.
#[derive(Default)]
pub(super) struct Repeats(HashMap<(String, String), Made>);

struct Made {
    // A hash of the result: results may be large.
    result: u64,
    times: u32,
}

impl Repeats {
    /// Returns how often this very call has had the same result.
    pub(super) fn times(&self, tool: &str, arguments: &str) -> u32 {
        self.0.get(&key(tool, arguments)).map_or(0, |made| made.times)
    }

    /// Remembers what came of a call. One that has another result than before, such as asking how far something is, begins anew.
    pub(super) fn made(&mut self, tool: &str, arguments: &str, result: &str) {
        let mut hasher = DefaultHasher::new();
        result.hash(&mut hasher);
        let result = hasher.finish();
        let made = self.0.entry(key(tool, arguments)).or_insert(Made { result, times: 0 });
        if made.result != result {
            *made = Made { result, times: 0 };
        }
        made.times += 1;
    }
}

/// Two ways to write the same arguments are the same.
fn key(tool: &str, arguments: &str) -> (String, String) {
    let arguments = match serde_json::from_str::<Value>(arguments) {
        // Keys are sorted.
        Ok(value) => value.to_string(),
        Err(_) => arguments.to_owned(),
    };
    (tool.to_owned(), arguments)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_call_with_the_same_result_is_counted() {
        let mut repeats = Repeats::default();
        repeats.made("a.b", r#"{"x": 1, "y": 2}"#, "r");
        repeats.made("a.b", r#"{"y":2,"x":1}"#, "r");
        assert_eq!(repeats.times("a.b", r#"{"x":1,"y":2}"#), 2);
        assert_eq!(repeats.times("a.b", r#"{"x":1}"#), 0);
        repeats.made("a.b", r#"{"x":1,"y":2}"#, "another");
        assert_eq!(repeats.times("a.b", r#"{"x":1,"y":2}"#), 1);
    }
}
