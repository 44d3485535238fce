//! What a route answers: a status, headers, and a body that is there, that is made piece by piece, or that never ends.

use std::{any::Any, borrow::Cow, fmt};

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;

use super::Sse;
use crate::error::{Error, Result};

/// What a route answers.
#[derive(Debug)]
#[non_exhaustive]
pub struct Answer {
    /// The status, such as 200.
    pub status: u16,
    /// What kind of body it is, such as `application/json`; empty for an answer without one.
    pub media_type: Cow<'static, str>,
    /// Further headers, with names in lower case.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: Body,
}

/// The body of an answer.
#[non_exhaustive]
pub enum Body {
    /// All of it.
    Whole(Vec<u8>),
    /// All of it, as it is part of the program.
    Static(&'static [u8]),
    /// Piece by piece, each made when the one before has been sent.
    Pieces(Box<dyn Iterator<Item = Vec<u8>> + Send>),
    /// What happens from now on, as server-sent events.
    Events(Sse),
    /// What answers the request itself, made by a crate that the host knows: a router of `nekro-axum`.
    Router(Box<dyn Any + Send>),
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole(bytes) => write!(f, "Whole({} bytes)", bytes.len()),
            Self::Static(bytes) => write!(f, "Static({} bytes)", bytes.len()),
            Self::Pieces(_) => f.write_str("Pieces"),
            Self::Events(_) => f.write_str("Events"),
            Self::Router(_) => f.write_str("Router"),
        }
    }
}

impl Answer {
    /// Answers with bytes.
    pub fn bytes(media_type: impl Into<Cow<'static, str>>, bytes: Vec<u8>) -> Self {
        Self { status: 200, media_type: media_type.into(), headers: Vec::new(), body: Body::Whole(bytes) }
    }

    /// Answers with bytes that are part of the program.
    pub fn embedded(media_type: impl Into<Cow<'static, str>>, bytes: &'static [u8]) -> Self {
        Self { status: 200, media_type: media_type.into(), headers: Vec::new(), body: Body::Static(bytes) }
    }

    /// Answers with a value as JSON.
    ///
    /// # Errors
    ///
    /// If it has no JSON form.
    pub fn json(value: &impl Serialize) -> Result<Self> {
        let bytes = serde_json::to_vec(value)
            .map_err(|error| Error::new(format!("the answer has no JSON form: {error}")).with_code("unserialisable"))?;
        Ok(Self::bytes("application/json", bytes))
    }

    /// Answers with what happens from now on.
    pub fn events(events: Sse) -> Self {
        Self { status: 200, media_type: "text/event-stream".into(), headers: Vec::new(), body: Body::Events(events) }
    }

    /// Leaves the answer to something that is given the request itself. For crates that bring a host and plugins together.
    pub fn router(router: Box<dyn Any + Send>) -> Self {
        Self { status: 0, media_type: Cow::Borrowed(""), headers: Vec::new(), body: Body::Router(router) }
    }

    /// Gives it another status.
    #[must_use]
    pub fn with_status(self, status: u16) -> Self {
        Self { status, ..self }
    }

    /// Adds a header.
    #[must_use]
    pub fn with_header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

/// What the manifest knows of an answer, without its type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// The status if all goes well; 0 if the function chooses.
    pub status: u16,
    /// The media type; `None` if the function chooses, or there is no body.
    pub media_type: Option<&'static str>,
    /// Whether it is a router, which is given the request itself.
    pub is_router: bool,
}

impl Shape {
    /// Knows a status and a media type.
    pub const fn new(status: u16, media_type: Option<&'static str>) -> Self {
        Self { status, media_type, is_router: false }
    }

    /// Knows that it is a router.
    pub const fn router() -> Self {
        Self { status: 0, media_type: None, is_router: true }
    }
}

/// A page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Html(pub String);

/// Bytes of a media type, such as an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Media {
    /// The media type, such as `image/png`.
    pub media_type: Cow<'static, str>,
    /// The bytes.
    pub bytes: Vec<u8>,
}

/// A file, which a browser saves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Download {
    /// What it is called. What a header cannot carry is replaced.
    pub name: String,
    /// The media type, such as `text/csv`.
    pub media_type: Cow<'static, str>,
    /// The bytes.
    pub bytes: Vec<u8>,
}

/// Sends a browser elsewhere, which asks for that with `GET`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redirect(pub String);

/// A long body, made piece by piece while it is sent.
pub struct Streamed {
    media_type: Cow<'static, str>,
    pieces: Box<dyn Iterator<Item = Vec<u8>> + Send>,
}

impl Streamed {
    /// Makes a body of pieces.
    pub fn new<I>(media_type: impl Into<Cow<'static, str>>, pieces: I) -> Self
    where
        I: IntoIterator<Item = Vec<u8>>,
        I::IntoIter: Send + 'static,
    {
        Self { media_type: media_type.into(), pieces: Box::new(pieces.into_iter()) }
    }
}

impl fmt::Debug for Streamed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Streamed").field("media_type", &self.media_type).finish_non_exhaustive()
    }
}

/// An answer with a status of its own, such as 201 for something that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WithStatus<const STATUS: u16, T>(pub T);

/// What a route can return: every type with `Serialize` and `JsonSchema`, the types of this module, and a `Result` of any of these.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be answered over HTTP",
    label = "not an answer",
    note = "derive `Serialize` and `JsonSchema` for it: the prelude has both names, and `Cargo.toml` needs the crates `serde` and `schemars` (1)",
    note = "a route can also return what `nekro_core::web` has, such as `Html`, `Media`, `Redirect` or `Sse`, and a `Result` of anything it can return"
)]
pub trait IntoAnswer: Sized + 'static {
    /// What is known of it beforehand.
    const SHAPE: Shape;

    /// Turns it into the answer.
    ///
    /// # Errors
    ///
    /// If it has no such form.
    fn into_answer(self) -> Result<Answer>;

    /// Describes the body; `None` for one that is not JSON.
    fn schema(generator: &mut SchemaGenerator) -> Option<Schema>;
}

#[diagnostic::do_not_recommend]
impl<T: Serialize + JsonSchema + 'static> IntoAnswer for T {
    const SHAPE: Shape = Shape::new(200, Some("application/json"));

    fn into_answer(self) -> Result<Answer> {
        Answer::json(&self)
    }

    fn schema(generator: &mut SchemaGenerator) -> Option<Schema> {
        Some(generator.subschema_for::<T>())
    }
}

macro_rules! answers {
    ($($name:ty, $shape:expr, $this:ident => $made:expr;)*) => {
        $(
            #[diagnostic::do_not_recommend]
            impl IntoAnswer for $name {
                const SHAPE: Shape = $shape;

                fn into_answer(self) -> Result<Answer> {
                    let $this = self;
                    Ok($made)
                }

                fn schema(_: &mut SchemaGenerator) -> Option<Schema> {
                    None
                }
            }
        )*
    };
}

answers! {
    Html, Shape::new(200, Some("text/html")),
        page => Answer::bytes("text/html; charset=utf-8", page.0.into_bytes());
    Media, Shape::new(200, None),
        media => Answer::bytes(media.media_type, media.bytes);
    Download, Shape::new(200, None),
        file => Answer::bytes(file.media_type, file.bytes).with_header("content-disposition", attachment(&file.name));
    Redirect, Shape::new(303, None),
        to => Answer::bytes("", Vec::new()).with_status(303).with_header("location", to.0);
    Streamed, Shape::new(200, None),
        streamed => Answer { body: Body::Pieces(streamed.pieces), ..Answer::bytes(streamed.media_type, Vec::new()) };
    Sse, Shape::new(200, Some("text/event-stream")),
        events => Answer::events(events);
    Answer, Shape::new(0, None),
        answer => answer;
}

#[diagnostic::do_not_recommend]
impl<const STATUS: u16, T: IntoAnswer> IntoAnswer for WithStatus<STATUS, T> {
    const SHAPE: Shape = Shape { status: STATUS, ..T::SHAPE };

    fn into_answer(self) -> Result<Answer> {
        Ok(self.0.into_answer()?.with_status(STATUS))
    }

    fn schema(generator: &mut SchemaGenerator) -> Option<Schema> {
        T::schema(generator)
    }
}

/// Names a file, by the part of RFC 6266 that needs no other encoding.
fn attachment(name: &str) -> String {
    let harmless = |one: char| if one.is_ascii_graphic() && !matches!(one, '"' | '\\') || one == ' ' { one } else { '_' };
    format!("attachment; filename=\"{}\"", name.chars().map(harmless).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_answer_has_its_status_and_media_type() {
        let made = [
            vec![1, 2].into_answer(),
            Html("<p>".to_owned()).into_answer(),
            Redirect("/p/board/".to_owned()).into_answer(),
            WithStatus::<201, _>("made").into_answer(),
            Streamed::new("text/csv", [b"a".to_vec()]).into_answer(),
        ];
        let told: Vec<_> = made.into_iter().map(|answer| answer.expect("it has a form")).collect();
        let told: Vec<_> = told.iter().map(|answer| (answer.status, &*answer.media_type)).collect();
        assert_eq!(
            told,
            [
                (200, "application/json"),
                (200, "text/html; charset=utf-8"),
                (303, ""),
                (201, "application/json"),
                (200, "text/csv")
            ]
        );
    }

    #[test]
    fn the_name_of_a_file_cannot_add_a_header() {
        assert_eq!(attachment("a\"b\r\nset-cookie: x.csv"), "attachment; filename=\"a_b__set-cookie: x.csv\"");
    }
}
