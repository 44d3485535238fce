//! The four kinds of a tool, told by its return type.

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};

use crate::{
    capability::MessageFile,
    error::{Error, Result},
};

/// What a tool answered.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Reply {
    /// The value, as JSON.
    pub json: String,
    /// What happens next.
    pub kind: Kind,
    /// A note that enters the history beside the value.
    pub note: Option<String>,
    /// Text, images, sound and files for the model, if the tool returned [`Content`].
    pub content: Vec<Part>,
}

/// What happens after a tool has answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The value goes back to whoever called; a script goes on with it.
    Value,
    /// The same, and a note enters the history.
    Note,
    /// A script ends here: the model must see the value before it goes on.
    Show,
    /// The same, with text, images, sound and files.
    Content,
}

/// A value, and a note that enters the history: for a tool that changed something the model should remember.
///
/// ```
/// # use nekro_core::Note;
/// fn mute(hours: u8) -> Note<bool> {
///     Note::new(true, format!("You are mute for {hours} hours."))
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note<T> {
    /// The value that goes back to the caller.
    pub value: T,
    /// What enters the history.
    pub note: String,
}

impl<T> Note<T> {
    /// Puts a note beside a value.
    pub fn new(value: T, note: impl Into<String>) -> Self {
        Self { value, note: note.into() }
    }
}

/// A value that the model must see before it goes on: a script that called the tool ends here.
///
/// ```
/// # use nekro_core::Show;
/// fn search(query: String) -> Show<Vec<String>> {
///     Show(vec![format!("nothing about {query}")])
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Show<T>(pub T);

/// Text, images, sound and files that the model must see before it goes on. A model that cannot take a part is told what it is.
///
/// ```
/// # use nekro_core::Content;
/// let content = Content::new().text("Your chart:").image("image/png", vec![0x89, b'P', b'N', b'G']);
/// assert_eq!(content.parts().len(), 2);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Content(Vec<Part>);

/// A part of a [`Content`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Part {
    /// Text.
    Text(String),
    /// An image.
    Image(Image),
    /// Sound.
    Sound(Sound),
    /// A file.
    File(MessageFile),
}

impl Part {
    /// Returns a line for people: the text, or `[image/png, 1024 bytes]` for what is none, and `[plan.md, text/markdown, 80 bytes]` for a
    /// file.
    pub fn to_text(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Image(Image { media_type, bytes }) | Self::Sound(Sound { media_type, bytes }) => {
                format!("[{media_type}, {} bytes]", bytes.len())
            }
            Self::File(file) => format!("[{}, {}, {} bytes]", file.name, file.media_type, file.bytes.len()),
        }
    }

    /// Returns what a reader of text alone is told, such as a model: the same, and below it what is in a file of text.
    pub fn to_full_text(&self) -> String {
        match self {
            Self::File(file) => match file.text() {
                Some(text) => format!("{}\n{text}", self.to_text()),
                None => self.to_text(),
            },
            _ => self.to_text(),
        }
    }
}

/// An image.
#[derive(Clone, PartialEq, Eq)]
pub struct Image {
    /// The media type, such as `image/png`.
    pub media_type: String,
    /// The file.
    pub bytes: Vec<u8>,
}

impl std::fmt::Debug for Image {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Image({}, {} bytes)", self.media_type, self.bytes.len())
    }
}

/// Sound.
#[derive(Clone, PartialEq, Eq)]
pub struct Sound {
    /// The media type, such as `audio/wav`.
    pub media_type: String,
    /// The file.
    pub bytes: Vec<u8>,
}

impl std::fmt::Debug for Sound {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Sound({}, {} bytes)", self.media_type, self.bytes.len())
    }
}

impl Content {
    /// Makes an empty content.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds text.
    #[must_use]
    pub fn text(mut self, text: impl Into<String>) -> Self {
        self.0.push(Part::Text(text.into()));
        self
    }

    /// Adds an image.
    #[must_use]
    pub fn image(mut self, media_type: impl Into<String>, bytes: Vec<u8>) -> Self {
        self.0.push(Part::Image(Image { media_type: media_type.into(), bytes }));
        self
    }

    /// Adds sound.
    #[must_use]
    pub fn sound(mut self, media_type: impl Into<String>, bytes: impl Into<Vec<u8>>) -> Self {
        self.0.push(Part::Sound(Sound { media_type: media_type.into(), bytes: bytes.into() }));
        self
    }

    /// Adds a file. Its name may be the URI of a resource, such as `nekro://board/cards/3`; MCP clients are told of it by that.
    #[must_use]
    pub fn file(mut self, name: impl Into<String>, media_type: impl Into<String>, bytes: impl Into<Vec<u8>>) -> Self {
        self.0.push(Part::File(MessageFile::new(name, media_type, bytes)));
        self
    }

    /// Returns the parts, in order.
    pub fn parts(&self) -> &[Part] {
        &self.0
    }
}

impl Reply {
    pub(crate) fn of(value: &impl Serialize, kind: Kind) -> Result<Self> {
        let json = serde_json::to_string(value)
            .map_err(|error| Error::new(format!("the tool's answer has no JSON form: {error}")).with_code("unserialisable"))?;
        Ok(Self { json, kind, note: None, content: Vec::new() })
    }

    /// Returns what a person reads: a text as it is, anything else as JSON (on one line if it fits there), and what is no text by its size.
    pub fn to_text(&self) -> String {
        if self.kind == Kind::Content {
            return self.content.iter().map(Part::to_text).collect::<Vec<_>>().join("\n");
        }
        match serde_json::from_str(&self.json) {
            Ok(serde_json::Value::String(text)) => text,
            Ok(serde_json::Value::Null) => String::new(),
            Ok(value) if self.json.len() > 100 => format!("{value:#}"),
            _ => self.json.clone(),
        }
    }
}

/// What a tool or a command can return: every type with `Serialize` and `JsonSchema`, [`Note`], [`Show`], [`Content`], and a `Result`
/// of any of these.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be returned from a tool",
    label = "not a value that a caller can be given",
    note = "derive `Serialize` and `JsonSchema` for it, or for the `T` if it is a `Note<T>` or a `Show<T>`: the prelude has both names, and `Cargo.toml` needs the crates `serde` and `schemars` (1)",
    note = "a tool can also return `Content`, for text with images, and a `Result` of anything it can return"
)]
pub trait IntoReply: Sized + 'static {
    /// What happens next.
    const KIND: Kind;

    /// Turns the value into the answer.
    ///
    /// # Errors
    ///
    /// If the value has no JSON form.
    fn into_reply(self) -> Result<Reply>;

    /// Describes the value; `None` for one whose form is not JSON.
    fn schema(generator: &mut SchemaGenerator) -> Option<Schema>;
}

#[diagnostic::do_not_recommend]
impl<T: Serialize + JsonSchema + 'static> IntoReply for T {
    const KIND: Kind = Kind::Value;

    fn into_reply(self) -> Result<Reply> {
        Reply::of(&self, Kind::Value)
    }

    fn schema(generator: &mut SchemaGenerator) -> Option<Schema> {
        Some(generator.subschema_for::<T>())
    }
}

#[diagnostic::do_not_recommend]
impl<T: Serialize + JsonSchema + 'static> IntoReply for Note<T> {
    const KIND: Kind = Kind::Note;

    fn into_reply(self) -> Result<Reply> {
        Ok(Reply { note: Some(self.note), ..Reply::of(&self.value, Kind::Note)? })
    }

    fn schema(generator: &mut SchemaGenerator) -> Option<Schema> {
        Some(generator.subschema_for::<T>())
    }
}

#[diagnostic::do_not_recommend]
impl<T: Serialize + JsonSchema + 'static> IntoReply for Show<T> {
    const KIND: Kind = Kind::Show;

    fn into_reply(self) -> Result<Reply> {
        Reply::of(&self.0, Kind::Show)
    }

    fn schema(generator: &mut SchemaGenerator) -> Option<Schema> {
        Some(generator.subschema_for::<T>())
    }
}

#[diagnostic::do_not_recommend]
impl IntoReply for Content {
    const KIND: Kind = Kind::Content;

    fn into_reply(self) -> Result<Reply> {
        Ok(Reply { content: self.0, ..Reply::of(&(), Kind::Content)? })
    }

    fn schema(_: &mut SchemaGenerator) -> Option<Schema> {
        None
    }
}
