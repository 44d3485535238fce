//! What this host implements for its plugins: one file to a port.

mod clock;
mod conversation;
mod conversations;
mod env;
mod passing;
mod random;
mod terminal;

#[cfg(feature = "sandbox")]
pub(crate) use self::passing::OnTerminal;
pub(crate) use self::{
    clock::SystemClock,
    conversation::Conversation,
    conversations::Conversations,
    env::SystemEnv,
    passing::{command_on_terminal, tool_on_terminal},
    random::SystemRandom,
    terminal::{EventStream, Outbox, Person, Question, answer_questions},
};
