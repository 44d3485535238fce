//! What this host implements for its plugins: one file to a port.

mod clock;
mod random;
mod terminal;

pub(crate) use self::{
    clock::SystemClock,
    random::SystemRandom,
    terminal::{EventStream, Outbox, Person, Question, answer_questions},
};
