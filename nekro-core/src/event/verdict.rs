//! What decisions are answered with, and how several answers become one.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::AnswerTo;

/// The answer to a decision. Implemented here for the agent's own decisions, and by a plugin for its own.
///
/// ```
/// # use nekro_core::event::{Approval, Verdict};
/// let verdict = Approval::Allow.merge(Approval::deny("not at night")).merge(Approval::ask("sure?"));
/// assert_eq!(verdict, Approval::deny("not at night"));
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a verdict",
    label = "not a verdict",
    note = "a decision is answered with a verdict: one of `nekro_core::event`, or a type of your own that implements `nekro_core::event::Verdict`"
)]
pub trait Verdict: Serialize + JsonSchema + Clone + Send + Sync + 'static {
    /// Returns the verdict of nobody: what holds if no handler has anything to say.
    fn neutral() -> Self;

    /// Merges the verdicts so far with that of the next handler.
    #[must_use]
    fn merge(self, next: Self) -> Self;

    /// Returns what a handler counts as that failed, was too slow or panicked. Guards *fail closed*: this is their refusal. By
    /// default a handler *fails isolated*: it is as if it were not there, and the failure is recorded.
    fn on_failure(_why: &str) -> Option<Self> {
        None
    }
}

/// Whether something may happen. `Deny > Ask > Allow`; a guard that fails denies.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "verdict", rename_all = "snake_case")]
pub enum Approval {
    /// It may.
    #[default]
    Allow,
    /// A person has to say.
    Ask {
        /// What to tell the person.
        reason: String,
    },
    /// It may not.
    Deny {
        /// What to tell whoever wanted it.
        reason: String,
    },
}

impl Approval {
    /// Lets a person say.
    pub fn ask(reason: impl Into<String>) -> Self {
        Self::Ask { reason: reason.into() }
    }

    /// Refuses.
    pub fn deny(reason: impl Into<String>) -> Self {
        Self::Deny { reason: reason.into() }
    }

    fn rank(&self) -> u8 {
        match self {
            Self::Allow => 0,
            Self::Ask { .. } => 1,
            Self::Deny { .. } => 2,
        }
    }
}

impl Verdict for Approval {
    fn neutral() -> Self {
        Self::Allow
    }

    fn merge(self, next: Self) -> Self {
        if next.rank() > self.rank() { next } else { self }
    }

    fn on_failure(why: &str) -> Option<Self> {
        Some(Self::deny(why))
    }
}

/// Whether the result of a tool goes on as it is. `Withhold > Replace > Pass`; a gate that fails withholds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "verdict", rename_all = "snake_case")]
pub enum Gate {
    /// As it is.
    #[default]
    Pass,
    /// In another form. The gates that follow see that form; the last one counts.
    Replace {
        /// The value to go on with.
        value: serde_json::Value,
    },
    /// Not at all.
    Withhold {
        /// What to tell the caller instead.
        reason: String,
    },
}

impl Verdict for Gate {
    fn neutral() -> Self {
        Self::Pass
    }

    fn merge(self, next: Self) -> Self {
        match (&self, &next) {
            (Self::Withhold { .. }, _) | (_, Self::Pass) => self,
            _ => next,
        }
    }

    fn on_failure(why: &str) -> Option<Self> {
        Some(Self::Withhold { reason: why.to_owned() })
    }
}

/// What a message does to the conversation. `BlockAll > ForceTrigger > BlockTrigger > Continue`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Signal {
    /// What the configuration says.
    #[default]
    Continue,
    /// The agent sees it, but does not answer.
    BlockTrigger,
    /// The agent answers.
    ForceTrigger,
    /// The agent neither sees nor answers it. It is stored all the same.
    BlockAll,
}

/// What becomes of a message that came in: a signal, and perhaps another wording.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Incoming {
    /// What it does to the conversation.
    pub signal: Signal,
    /// The text to go on with; handlers that follow see it, and the last one counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

impl Incoming {
    /// Goes on with another text.
    pub fn rewrite(text: impl Into<String>) -> Self {
        Self { signal: Signal::Continue, text: Some(text.into()) }
    }
}

impl Verdict for Incoming {
    fn neutral() -> Self {
        Self::default()
    }

    fn merge(self, next: Self) -> Self {
        Self { signal: self.signal.max(next.signal), text: next.text.or(self.text) }
    }
}

// A handler that only signals need not write a struct.
#[diagnostic::do_not_recommend]
impl<E> AnswerTo<E, Incoming> for Signal {
    fn answer(self) -> Incoming {
        Incoming { signal: self, text: None }
    }
}

/// Another text, or the same. Handlers that follow see the new one; the last one counts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "verdict", rename_all = "snake_case")]
pub enum Rewrite {
    /// The same.
    #[default]
    Keep,
    /// Another.
    Replace {
        /// The text to go on with.
        text: String,
    },
}

impl Rewrite {
    /// Goes on with another text.
    pub fn to(text: impl Into<String>) -> Self {
        Self::Replace { text: text.into() }
    }
}

impl Verdict for Rewrite {
    fn neutral() -> Self {
        Self::Keep
    }

    fn merge(self, next: Self) -> Self {
        if next == Self::Keep { self } else { next }
    }
}

/// Texts to put in, in the order of the handlers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Injection {
    /// The texts.
    pub texts: Vec<String>,
}

impl Injection {
    /// Puts nothing in.
    pub fn none() -> Self {
        Self::default()
    }

    /// Puts one text in.
    pub fn text(text: impl Into<String>) -> Self {
        Self { texts: vec![text.into()] }
    }
}

impl Verdict for Injection {
    fn neutral() -> Self {
        Self::default()
    }

    fn merge(mut self, next: Self) -> Self {
        self.texts.extend(next.texts);
        self
    }
}

/// Whether a turn needs a model. The first answer counts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "verdict", rename_all = "snake_case")]
pub enum TurnGate {
    /// It does.
    #[default]
    Proceed,
    /// It does not: this is the answer.
    Answer {
        /// The text to send.
        text: String,
    },
}

impl TurnGate {
    /// Answers without a model.
    pub fn answer(text: impl Into<String>) -> Self {
        Self::Answer { text: text.into() }
    }
}

impl Verdict for TurnGate {
    fn neutral() -> Self {
        Self::Proceed
    }

    fn merge(self, next: Self) -> Self {
        if self == Self::Proceed { next } else { self }
    }
}

/// What a plugin adds to one turn.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Additions {
    /// Texts to add to what the model reads first.
    #[serde(default)]
    pub system: Vec<String>,
    /// The beginning of the answer, for the model to go on from; the last one counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefill: Option<String>,
    /// Tools to offer that are not offered otherwise, such as `notes.search`.
    #[serde(default)]
    pub tools: BTreeSet<String>,
}

impl Verdict for Additions {
    fn neutral() -> Self {
        Self::default()
    }

    fn merge(mut self, next: Self) -> Self {
        self.system.extend(next.system);
        self.tools.extend(next.tools);
        Self { prefill: next.prefill.or(self.prefill), ..self }
    }
}

/// What of the agent's own is left out of a turn.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Suppression {
    /// The names of tools and prompt sections.
    pub names: BTreeSet<String>,
}

impl Verdict for Suppression {
    fn neutral() -> Self {
        Self::default()
    }

    fn merge(mut self, next: Self) -> Self {
        self.names.extend(next.names);
        self
    }
}

/// What becomes of the final answer. `Retry > Replace > Keep`; of two replacements the last counts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "verdict", rename_all = "snake_case")]
pub enum FinalVerdict {
    /// It is sent.
    #[default]
    Keep,
    /// Another is sent. Handlers that follow see it.
    Replace {
        /// The text to send.
        text: String,
    },
    /// The model tries again, once in a turn.
    Retry {
        /// What to tell the model.
        reason: String,
    },
}

impl Verdict for FinalVerdict {
    fn neutral() -> Self {
        Self::Keep
    }

    fn merge(self, next: Self) -> Self {
        match (&self, &next) {
            (Self::Retry { .. }, _) | (_, Self::Keep) => self,
            _ => next,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn approvals() -> impl Strategy<Value = Approval> {
        prop_oneof![Just(Approval::Allow), Just(Approval::ask("a")), Just(Approval::deny("d"))]
    }

    fn signals() -> impl Strategy<Value = Incoming> {
        prop_oneof![Just(Signal::Continue), Just(Signal::BlockTrigger), Just(Signal::ForceTrigger), Just(Signal::BlockAll)]
            .prop_map(|signal| Incoming { signal, text: None })
    }

    /// Merging is a lattice join: the order and the grouping of guards cannot change the outcome.
    fn is_a_join<V: Verdict + PartialEq + std::fmt::Debug>(a: V, b: V, c: V) -> Result<(), TestCaseError> {
        let join = |left: &V, right: &V| left.clone().merge(right.clone());
        prop_assert_eq!(join(&a, &b), join(&b, &a));
        prop_assert_eq!(join(&join(&a, &b), &c), join(&a, &join(&b, &c)));
        prop_assert_eq!(join(&a, &a), a.clone());
        prop_assert_eq!(join(&V::neutral(), &a), a);
        Ok(())
    }

    proptest! {
        #[test]
        fn approvals_merge_in_a_lattice(a in approvals(), b in approvals(), c in approvals()) {
            is_a_join(a, b, c)?;
        }

        #[test]
        fn signals_merge_in_a_lattice(a in signals(), b in signals(), c in signals()) {
            is_a_join(a, b, c)?;
        }
    }

    #[test]
    fn guards_fail_closed_and_transformers_fail_isolated() {
        assert_eq!(Approval::on_failure("late"), Some(Approval::deny("late")));
        assert_eq!(Gate::on_failure("late"), Some(Gate::Withhold { reason: "late".to_owned() }));
        assert_eq!(Rewrite::on_failure("late"), None);
        assert_eq!(Incoming::on_failure("late"), None);
    }
}
