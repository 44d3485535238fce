//! What a plugin's function answers over HTTP, without a word about how that travels: the host turns it into the protocol's messages.

mod answer;
mod assets;
mod channel;
mod webhook;

pub(crate) use self::assets::media_type;
pub use self::{
    answer::{Answer, Body, Download, Html, IntoAnswer, Media, Redirect, Shape, Streamed, WithStatus},
    assets::Assets,
    channel::{Channel, Notice, Sse},
    webhook::{Hook, HookSecret, Signature},
};
