//! What a function returns, and what happens next.

mod fallible;
mod reply;

pub use self::{
    fallible::{AnswerOf, Convert, FallibleTag, PlainTag, Probe, ReplyOf},
    reply::{Content, Image, IntoReply, Kind, Note, Part, Reply, Show, Sound},
};
