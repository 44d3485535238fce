//! Arguments: what a caller gives, from JSON or from words, checked against the types of the parameters.

mod mistake;
mod range;
mod read;
mod slot;
mod suggest;
mod words;

use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::DeserializeOwned;
use serde_json::Value;

pub(crate) use self::{
    mistake::config_mistake,
    read::read_object,
    words::{Form, Kind, from_pairs, from_plain_pairs, from_words},
};
pub use self::{
    mistake::{ArgumentsError, ConfigMistake, Mistake, MistakeKind},
    range::{LimitUse, Number},
    slot::Slot,
    suggest::suggest,
};

/// What can be an argument: every type with `Deserialize` and `JsonSchema`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be an argument: a caller could neither read its form nor give it",
    label = "not an argument",
    note = "derive `Deserialize` and `JsonSchema` for it: the prelude has both names, and `Cargo.toml` needs the crates `serde` and `schemars` (1)",
    note = "something that the host lends is taken by reference: write `&` before the type"
)]
pub trait FromArgument: Sized + 'static {
    /// Reads one value from the start of a JSON text, and tells how many bytes it took.
    ///
    /// # Errors
    ///
    /// If the text does not begin with such a value.
    fn read(text: &str) -> Result<(Self, usize), serde_json::Error>;

    /// Finds what is wrong with a value that could not be read.
    fn mistake(text: &str) -> Option<(String, String)>;

    /// Returns the value of an argument that was not given, if the type has one, as `Option` has.
    fn absent() -> Option<Self>;

    /// Describes the values.
    fn schema(generator: &mut SchemaGenerator) -> Schema;

    /// All of the above. The expansion names the type by this constant alone, so that a wrong one is one error, where it is written.
    #[doc(hidden)]
    const READER: Reader<Self> = Reader {
        read: Self::read,
        mistake: Self::mistake,
        absent: Self::absent,
        optional: || Self::absent().is_some(),
        schema: Self::schema,
    };
}

#[diagnostic::do_not_recommend]
impl<T: DeserializeOwned + JsonSchema + 'static> FromArgument for T {
    fn read(text: &str) -> Result<(Self, usize), serde_json::Error> {
        read::value(text)
    }

    fn mistake(text: &str) -> Option<(String, String)> {
        mistake::locate::<Self>(text)
    }

    fn absent() -> Option<Self> {
        T::deserialize(read::Absent).ok()
    }

    fn schema(generator: &mut SchemaGenerator) -> Schema {
        generator.subschema_for::<T>()
    }
}

/// How a value is read: what [`FromArgument`] says, as function pointers.
pub struct Reader<T> {
    read: fn(&str) -> Result<(T, usize), serde_json::Error>,
    mistake: fn(&str) -> Option<(String, String)>,
    absent: fn() -> Option<T>,
    optional: fn() -> bool,
    schema: fn(&mut SchemaGenerator) -> Schema,
}

impl<T> fmt::Debug for Reader<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Reader")
    }
}

/// A parameter that the caller gives a value for.
pub struct Argument<T> {
    decl: ArgumentDecl,
    read: fn(&str) -> Result<(T, usize), serde_json::Error>,
    absent: fn() -> Option<T>,
    limits: Option<UseLimits<T>>,
}

/// Checks a value against limits, or describes them.
type UseLimits<T> = fn(LimitUse<'_, T>) -> Result<(), String>;

/// What the manifest knows of an argument.
#[derive(Clone, Copy)]
pub struct ArgumentDecl {
    /// The name.
    pub name: &'static str,
    /// The doc comment of the parameter.
    pub docs: &'static str,
    schema: fn(&mut SchemaGenerator) -> Schema,
    mistake: fn(&str) -> Option<(String, String)>,
    optional: fn() -> bool,
    default: Option<fn() -> Option<Value>>,
    limit: Option<fn(&mut Schema)>,
}

impl<T> Argument<T> {
    /// Declares the parameter.
    pub const fn new(name: &'static str, docs: &'static str, reader: Reader<T>) -> Self {
        let Reader { read, mistake, absent, optional, schema } = reader;
        let decl = ArgumentDecl { name, docs, schema, mistake, optional, default: None, limit: None };
        Self { decl, read, absent, limits: None }
    }

    /// Gives it a default, and the form of the default for the schema, where it has one.
    #[must_use]
    pub const fn or(mut self, default: fn() -> Option<T>, json: fn() -> Option<Value>) -> Self {
        self.absent = default;
        self.decl.optional = || true;
        self.decl.default = Some(json);
        self
    }

    /// Gives it limits.
    #[must_use]
    pub const fn limited(mut self, limits: UseLimits<T>, describe: fn(&mut Schema)) -> Self {
        self.limits = Some(limits);
        self.decl.limit = Some(describe);
        self
    }

    /// Returns what the manifest knows of it.
    pub const fn decl(&self) -> ArgumentDecl {
        self.decl
    }

    /// Makes a place for the value of one call.
    pub const fn slot(&self) -> slot::ArgumentSlot<'_, T> {
        slot::ArgumentSlot::new(self)
    }
}

impl ArgumentDecl {
    /// Describes the values, with the doc comment, the default and the limits.
    pub fn schema(&self, generator: &mut SchemaGenerator) -> Schema {
        let mut schema = (self.schema)(generator);
        if !self.docs.is_empty() {
            schema.insert("description".to_owned(), self.docs.into());
        }
        if let Some(default) = self.default.and_then(|default| default()) {
            schema.insert("default".to_owned(), default);
        }
        if let Some(limit) = self.limit {
            limit(&mut schema);
        }
        schema
    }

    /// Tells whether the argument may be left out.
    pub fn is_optional(&self) -> bool {
        (self.optional)()
    }
}

impl<T> fmt::Debug for Argument<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.decl.fmt(f)
    }
}

impl fmt::Debug for ArgumentDecl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ArgumentDecl").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Returns the JSON form of a default, if its type has one. Called on `&&Default(&value)`: method resolution takes the first of the
/// two traits that fits, so a type without `Serialize` simply has no default in its schema.
#[derive(Debug)]
pub struct DefaultValue<'a, T>(pub &'a T);

/// A default with a JSON form; see [`DefaultValue`].
pub trait JsonDefault {
    /// Returns the JSON form.
    fn json(&self) -> Option<Value>;
}

impl<T: serde::Serialize> JsonDefault for DefaultValue<'_, T> {
    fn json(&self) -> Option<Value> {
        serde_json::to_value(self.0).ok()
    }
}

/// What `#[arg(default = "…")]` can make a value of: every type with `From<&str>`.
#[diagnostic::on_unimplemented(
    message = "a text cannot be the default of an argument of type `{Self}`",
    label = "not made from a text",
    note = "write a value of type `{Self}`, such as `default = Type::new(3)`, or implement `From<&str>` for it"
)]
pub trait TextDefault {
    /// Makes the value.
    fn of_text(text: &'static str) -> Self;
}

#[diagnostic::do_not_recommend]
impl<T: From<&'static str>> TextDefault for T {
    fn of_text(text: &'static str) -> Self {
        text.into()
    }
}

/// A default without a JSON form; see [`DefaultValue`].
pub trait OpaqueDefault {
    /// Returns `None`.
    fn json(&self) -> Option<Value>;
}

impl<T> OpaqueDefault for &DefaultValue<'_, T> {
    fn json(&self) -> Option<Value> {
        None
    }
}
