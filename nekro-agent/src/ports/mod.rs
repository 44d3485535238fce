//! What this host implements for its plugins: one file to a port.

mod clock;
mod conversation;
mod conversations;
mod env;
mod random;
mod terminal;

pub(crate) use self::{
    clock::SystemClock,
    conversation::Conversation,
    conversations::Conversations,
    env::SystemEnv,
    random::SystemRandom,
    terminal::{EventStream, Outbox, Person, Question, answer_questions},
};
