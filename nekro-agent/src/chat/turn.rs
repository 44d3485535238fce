//! What becomes of a message: the decisions and the facts of a turn.
//!
//! No model is connected in this version. Everything around it is real: plugins see the message, may hold it back or rewrite it, and
//! may answer it themselves.

use std::time::Instant;

use nekro_core::{
    Caller, Error, MessageId, SessionId, TurnId,
    event::{
        FinalVerdict, Signal, TurnGate,
        decisions::{FinalAnswerDraft, TurnStarting, UserMessage},
        facts::{
            AgentBusyChanged, FinalAnswer, MessageReceived, MessageSent, ProcessingStarted, TurnBegin, TurnComplete, TurnOutcome,
        },
    },
    kernel::Kernel,
};
use serde_json::json;

use crate::{
    cli::{Screen, plain},
    style::DIM,
};

/// The turns of a session.
pub(super) struct Turns<'a> {
    kernel: &'a Kernel,
    session: SessionId,
    messages: u64,
    turns: u64,
}

impl<'a> Turns<'a> {
    pub(super) fn new(kernel: &'a Kernel, session: SessionId) -> Self {
        Self { kernel, session, messages: 0, turns: 0 }
    }

    fn next_message(&mut self) -> MessageId {
        self.messages += 1;
        format!("{}-message-{}", self.session, self.messages).into()
    }

    /// Takes a message in.
    pub(super) async fn message(&mut self, text: &str, caller: &Caller, screen: &Screen) -> Result<(), Error> {
        let message = self.next_message();
        let session = self.session.clone();
        let user = caller.user.clone();
        self.kernel.emit(MessageReceived {
            session: session.clone(),
            message: message.clone(),
            user: user.clone(),
            text: text.to_owned(),
        });
        let question = UserMessage { session: session.clone(), message: message.clone(), user, text: text.to_owned() };
        let decided = self.kernel.decide(question, caller).await;
        match decided.verdict.signal {
            Signal::BlockAll | Signal::BlockTrigger => {
                screen.show(&json!({ "signal": decided.verdict.signal }), || {
                    format!("{DIM}(a plugin decided that this message is not answered){DIM:#}")
                });
                return Ok(());
            }
            Signal::Continue | Signal::ForceTrigger => {}
        }
        self.kernel.emit(ProcessingStarted { session: session.clone(), message: message.clone() });
        self.turns += 1;
        let turn = TurnId::from(format!("{session}-turn-{}", self.turns));
        let end = TurnEnd::begin(self.kernel, session, turn, message);
        let caller = caller.clone().in_turn(end.turn.clone());
        let answer = self.answer(&end, &decided.event.text, &caller).await;
        match answer {
            Some(text) => {
                let sent = self.next_message();
                screen.show(&json!({ "answer": text }), || plain(&text).into_owned());
                self.kernel.emit(MessageSent { session: end.session.clone(), message: sent, text, plugin: None });
                end.complete(TurnOutcome::Answered);
            }
            None => {
                screen.show(&json!({ "answer": null, "reason": "no model is connected" }), || {
                    format!("{DIM}(no model is connected: plugins have seen the message, and none answered; /help shows what works){DIM:#}")
                });
                end.complete(TurnOutcome::Silent);
            }
        }
        Ok(())
    }

    /// Finds the answer, if a plugin gives one.
    async fn answer(&self, end: &TurnEnd<'_>, text: &str, caller: &Caller) -> Option<String> {
        let (session, turn) = (end.session.clone(), end.turn.clone());
        let question = TurnStarting { session: session.clone(), turn: turn.clone(), text: text.to_owned() };
        let TurnGate::Answer { text } = self.kernel.decide(question, caller).await.verdict else { return None };
        let draft = FinalAnswerDraft { session: session.clone(), turn: turn.clone(), text: text.clone() };
        // Without a model, a retry has nobody to make it: the answer stays.
        let text = match self.kernel.decide(draft, caller).await.verdict {
            FinalVerdict::Replace { text } => text,
            FinalVerdict::Keep | FinalVerdict::Retry { .. } => text,
        };
        self.kernel.emit(FinalAnswer { session, turn, text: text.clone() });
        Some(text)
    }
}

/// Sees to it that a turn that began ends exactly once, also if it is cancelled.
struct TurnEnd<'a> {
    kernel: &'a Kernel,
    session: SessionId,
    turn: TurnId,
    outcome: TurnOutcome,
    began: Instant,
}

impl<'a> TurnEnd<'a> {
    fn begin(kernel: &'a Kernel, session: SessionId, turn: TurnId, message: MessageId) -> Self {
        kernel.emit(AgentBusyChanged { session: session.clone(), busy: true });
        kernel.emit(TurnBegin { session: session.clone(), turn: turn.clone(), message: Some(message) });
        Self { kernel, session, turn, outcome: TurnOutcome::Cancelled, began: Instant::now() }
    }

    fn complete(mut self, outcome: TurnOutcome) {
        self.outcome = outcome;
    }
}

impl Drop for TurnEnd<'_> {
    fn drop(&mut self) {
        self.kernel.emit(TurnComplete {
            session: self.session.clone(),
            turn: self.turn.clone(),
            outcome: self.outcome,
            micros: u64::try_from(self.began.elapsed().as_micros()).unwrap_or(u64::MAX),
        });
        self.kernel.emit(AgentBusyChanged { session: self.session.clone(), busy: false });
    }
}
