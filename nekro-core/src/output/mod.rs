//! What a function returns, and what happens next.

mod fallible;
mod reply;

pub use self::{
    fallible::{Convert, FallibleTag, PlainTag, Probe, ReplyOf},
    reply::{Content, Image, IntoReply, Kind, Note, Part, Reply, Show},
};
