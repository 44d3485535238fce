//! A conversation as every provider wants it: each call is followed by its result, and a result by nothing but its call.
//!
//! Histories are not so tidy. A turn may have been cut off between a call and its result, a person may have written in between, and a
//! summary may have swallowed the call of a result. A provider refuses such a conversation as a whole.

use nekro_core::Image;

use crate::model::{Entry, Request, ToolUse};

/// A part of a conversation.
#[derive(Debug, PartialEq)]
pub(super) enum Step<'a> {
    /// Something that is said to the model.
    Said { text: String, images: &'a [Image] },
    /// What the model said.
    Answer { text: &'a str, calls: &'a [ToolUse] },
    /// The results of all calls of the answer before, in their order.
    Results(Vec<Given<'a>>),
}

/// The result of a call.
#[derive(Debug, PartialEq)]
pub(super) struct Given<'a> {
    pub(super) call: &'a ToolUse,
    pub(super) text: &'a str,
    pub(super) images: &'a [Image],
    pub(super) failed: bool,
}

/// What is said of a call whose result is nowhere.
const LOST: &str = "This call was cut off before it had a result.";

/// Returns the steps of a conversation.
pub(super) fn steps(request: &Request) -> Vec<Step<'_>> {
    let entries = &request.entries;
    let mut steps = Vec::new();
    // The results that were put to their calls.
    let mut placed = vec![false; entries.len()];
    for (at, entry) in entries.iter().enumerate() {
        match entry {
            Entry::Person { name, text, images } => {
                let text = name.as_ref().map_or_else(|| text.clone(), |name| format!("{name}: {text}"));
                steps.push(Step::Said { text, images });
            }
            Entry::Notice { text } => steps.push(Step::Said { text: format!("[Notice to the agent] {text}"), images: &[] }),
            Entry::Answer { text, calls } => {
                steps.push(Step::Answer { text, calls });
                if !calls.is_empty() {
                    steps.push(Step::Results(calls.iter().map(|call| result(entries, at, call, &mut placed)).collect()));
                }
            }
            Entry::Result { tool, text, images, .. } => {
                if !placed[at] {
                    steps.push(Step::Said { text: format!("[Result of an earlier call of {tool}] {text}"), images });
                }
            }
        }
    }
    if let Some(prefill) = &request.prefill {
        let text = format!("[Notice to the agent] Begin your answer with exactly this, and go on from there:\n{prefill}");
        steps.push(Step::Said { text, images: &[] });
    }
    steps.retain(|step| match step {
        Step::Said { text, images } => !text.trim().is_empty() || !images.is_empty(),
        Step::Answer { text, calls } => !text.trim().is_empty() || !calls.is_empty(),
        Step::Results(_) => true,
    });
    steps
}

/// Finds the result of a call between its answer and the next.
fn result<'a>(entries: &'a [Entry], answer: usize, call: &'a ToolUse, placed: &mut [bool]) -> Given<'a> {
    let until_next = entries.iter().enumerate().skip(answer + 1).take_while(|(_, entry)| !matches!(entry, Entry::Answer { .. }));
    for (at, entry) in until_next {
        if let Entry::Result { call: id, text, images, failed, .. } = entry
            && id == &call.id
            && !placed[at]
        {
            placed[at] = true;
            return Given { call, text, images, failed: *failed };
        }
    }
    Given { call, text: LOST, images: &[], failed: true }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    fn call(id: &str) -> ToolUse {
        ToolUse { id: id.to_owned(), tool: "dice.roll".to_owned(), arguments: "{}".to_owned() }
    }

    fn person(text: &str) -> Entry {
        Entry::Person { name: None, text: text.to_owned(), images: Vec::new() }
    }

    fn answer(text: &str, calls: &[&str]) -> Entry {
        Entry::Answer { text: text.to_owned(), calls: calls.iter().map(|id| call(id)).collect() }
    }

    fn given(id: &str, text: &str) -> Entry {
        Entry::Result {
            call: id.to_owned(),
            tool: "dice.roll".to_owned(),
            text: text.to_owned(),
            images: Vec::new(),
            failed: false,
        }
    }

    #[track_caller]
    fn check(entries: Vec<Entry>, expected: Expect) {
        let request = Request { entries, ..Request::default() };
        let line = |step: Step<'_>| match step {
            Step::Said { text, .. } => format!("said {text}"),
            Step::Answer { text, calls } => {
                format!("answer {text} {}", calls.iter().map(|call| call.id.as_str()).collect::<String>())
            }
            Step::Results(all) => {
                format!("results {}", all.iter().map(|one| format!("{}={};", one.call.id, one.text)).collect::<String>())
            }
        };
        expected.assert_eq(&steps(&request).into_iter().map(line).collect::<Vec<_>>().join("\n"));
    }

    #[test]
    fn results_follow_their_calls_in_the_order_of_the_calls() {
        check(
            vec![person("roll"), answer("", &["a", "b"]), given("b", "2"), person("and?"), given("a", "1"), answer("done", &[])],
            expect![[r#"
                said roll
                answer  ab
                results a=1;b=2;
                said and?
                answer done "#]],
        );
    }

    #[test]
    fn a_call_without_a_result_and_a_result_without_a_call_are_no_ruin() {
        check(
            vec![
                given("x", "0"),
                answer("", &["a"]),
                answer("again", &["a"]),
                given("a", "1"),
                given("a", "2"),
                answer(" ", &[]),
            ],
            expect![[r#"
                said [Result of an earlier call of dice.roll] 0
                answer  a
                results a=This call was cut off before it had a result.;
                answer again a
                results a=1;
                said [Result of an earlier call of dice.roll] 2"#]],
        );
    }

    #[test]
    fn who_speaks_is_told_in_words() {
        let named = Entry::Person { name: Some("Ada".to_owned()), text: "hello".to_owned(), images: Vec::new() };
        check(
            vec![named, Entry::Notice { text: "it is noon".to_owned() }, person(" ")],
            expect![[r#"
                said Ada: hello
                said [Notice to the agent] it is noon"#]],
        );
    }
}
