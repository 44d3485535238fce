//! Telling a `Result` from every other return type.
//!
//! `Result<T, E>` is itself serialisable when both parts are, so a trait alone cannot tell whether it is a value or an outcome.
//! Method resolution can: on `&Probe<R>` it finds [`FallibleTag`] for a `Result` before it would borrow once more for
//! [`PlainTag`]. It looks at the type and not at its name, so an alias counts and a type that is merely called `Result` does not.
//! The tag then states the bounds, which makes a wrong type one error that names it.

use std::{fmt, marker::PhantomData};

use schemars::{Schema, SchemaGenerator};

use super::{IntoReply, Kind, Reply};
use crate::{
    error::{Error, IntoError},
    event::{AnswerTo, AnsweredWith},
    init::IntoState,
    prompt::IntoSection,
    route::RouteOutput,
    tool::OutputDecl,
    web::{Answer, IntoAnswer, Shape},
};

/// Stands for a function's return type.
pub struct Probe<R>(PhantomData<fn() -> R>);

impl<R> Probe<R> {
    /// Makes one.
    #[expect(clippy::new_without_default, reason = "made by the expansion only")]
    pub const fn new() -> Self {
        Self(PhantomData)
    }
}

impl<R> fmt::Debug for Probe<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Probe")
    }
}

/// The return type is a `Result<T, E>`.
pub struct Fallible<T, E>(PhantomData<fn() -> (T, E)>);

/// The return type is no `Result`.
pub struct Plain<T>(PhantomData<fn() -> T>);

/// Found first, for a `Result`.
pub trait FallibleTag {
    /// What it is.
    type Tag;

    /// Tells the outcome from the value.
    fn tag(&self) -> Self::Tag;
}

impl<T, E> FallibleTag for Probe<Result<T, E>> {
    type Tag = Fallible<T, E>;

    fn tag(&self) -> Self::Tag {
        Fallible(PhantomData)
    }
}

/// Found second, for anything else.
pub trait PlainTag {
    /// What it is.
    type Tag;

    /// Says that there is no outcome to tell from the value.
    fn tag(&self) -> Self::Tag;
}

impl<T> PlainTag for &Probe<T> {
    type Tag = Plain<T>;

    fn tag(&self) -> Self::Tag {
        Plain(PhantomData)
    }
}

/// How to turn what a function returned into what the kernel works with.
pub struct Convert<R, T>(fn(R) -> Result<T, Error>);

impl<R, T> Convert<R, T> {
    /// Turns it.
    ///
    /// # Errors
    ///
    /// If the function returned an error, or its value has no such form.
    #[inline]
    pub fn apply(&self, returned: R) -> Result<T, Error> {
        (self.0)(returned)
    }
}

/// What the manifest knows of a tool's return type, and how to turn it into a [`Reply`].
pub struct ReplyOf<R> {
    convert: fn(R) -> Result<Reply, Error>,
    kind: Kind,
    schema: fn(&mut SchemaGenerator) -> Option<Schema>,
}

impl<R> ReplyOf<R> {
    /// Returns what the manifest knows of it.
    pub fn decl(&self) -> OutputDecl {
        OutputDecl { kind: self.kind, schema: self.schema }
    }

    /// Turns what the function returned into the answer.
    ///
    /// # Errors
    ///
    /// If the function returned an error, or its value has no JSON form.
    #[inline]
    pub fn apply(&self, returned: R) -> Result<Reply, Error> {
        (self.convert)(returned)
    }
}

/// What the manifest knows of a route's return type, and how to turn it into an [`Answer`].
pub struct AnswerOf<R> {
    convert: fn(R) -> Result<Answer, Error>,
    shape: Shape,
    schema: fn(&mut SchemaGenerator) -> Option<Schema>,
}

impl<R> AnswerOf<R> {
    /// Returns what the manifest knows of it.
    pub fn decl(&self) -> RouteOutput {
        RouteOutput { shape: self.shape, schema: self.schema }
    }

    /// Turns what the function returned into the answer.
    ///
    /// # Errors
    ///
    /// If the function returned an error, or its value has no such form.
    #[inline]
    pub fn apply(&self, returned: R) -> Result<Answer, Error> {
        (self.convert)(returned)
    }
}

impl<T, E> Fallible<T, E> {
    /// For a route.
    pub fn answer_over_http(self) -> AnswerOf<Result<T, E>>
    where
        T: IntoAnswer,
        E: IntoError,
    {
        AnswerOf { convert: |returned| returned.map_err(E::into_error)?.into_answer(), shape: T::SHAPE, schema: T::schema }
    }

    /// For a webhook.
    pub fn nothing(self) -> Convert<Result<T, E>, ()>
    where
        T: IsNothing,
        E: IntoError,
    {
        Convert(|returned| returned.map(drop).map_err(E::into_error))
    }

    /// For a tool or a command.
    pub fn reply(self) -> ReplyOf<Result<T, E>>
    where
        T: IntoReply,
        E: IntoError,
    {
        ReplyOf { convert: |returned| returned.map_err(E::into_error)?.into_reply(), kind: T::KIND, schema: T::schema }
    }

    /// For a handler of event `V`.
    pub fn to<V, A>(self, _: AnsweredWith<V, A>) -> FallibleTo<T, E, V, A> {
        FallibleTo(PhantomData)
    }

    /// For a prompt section.
    pub fn section(self) -> Convert<Result<T, E>, Option<String>>
    where
        T: IntoSection,
        E: IntoError,
    {
        Convert(|returned| returned.map(T::into_section).map_err(E::into_error))
    }

    /// For `#[init]` and `#[cleanup]`.
    pub fn state(self) -> Convert<Result<T, E>, crate::init::State>
    where
        T: IntoState,
        E: IntoError,
    {
        Convert(|returned| returned.map(T::into_state).map_err(E::into_error))
    }
}

impl<T> Plain<T> {
    /// For a route.
    pub fn answer_over_http(self) -> AnswerOf<T>
    where
        T: IntoAnswer,
    {
        AnswerOf { convert: T::into_answer, shape: T::SHAPE, schema: T::schema }
    }

    /// For a webhook.
    pub fn nothing(self) -> Convert<T, ()>
    where
        T: IsNothing,
    {
        Convert(|returned| {
            drop(returned);
            Ok(())
        })
    }

    /// For a tool or a command.
    pub fn reply(self) -> ReplyOf<T>
    where
        T: IntoReply,
    {
        ReplyOf { convert: T::into_reply, kind: T::KIND, schema: T::schema }
    }

    /// For a handler of event `V`.
    pub fn to<V, A>(self, _: AnsweredWith<V, A>) -> PlainTo<T, V, A> {
        PlainTo(PhantomData)
    }

    /// For a prompt section.
    pub fn section(self) -> Convert<T, Option<String>>
    where
        T: IntoSection,
    {
        Convert(|returned| Ok(returned.into_section()))
    }

    /// For `#[init]` and `#[cleanup]`.
    pub fn state(self) -> Convert<T, crate::init::State>
    where
        T: IntoState,
    {
        Convert(|returned| Ok(returned.into_state()))
    }
}

/// What a webhook returns if all went well.
#[diagnostic::on_unimplemented(
    message = "a webhook returns nothing or a `Result<()>`, not `{Self}`",
    label = "nobody reads it",
    note = "the sender has been answered before the function is called"
)]
pub trait IsNothing {}

#[diagnostic::do_not_recommend]
impl IsNothing for () {}

/// The return type of a handler of event `V` is a `Result<T, E>`. Only when event and answer are known are the bounds stated: otherwise
/// the compiler would take the answer from the return type, and find the event wrong.
pub struct FallibleTo<T, E, V, A>(PhantomData<(Fallible<T, E>, AnsweredWith<V, A>)>);

impl<T, E, V, A> FallibleTo<T, E, V, A> {
    /// Turns it into the answer.
    pub fn answer(self) -> Convert<Result<T, E>, A>
    where
        T: AnswerTo<V, A>,
        E: IntoError,
    {
        Convert(|returned| returned.map(T::answer).map_err(E::into_error))
    }
}

/// The return type of a handler of event `V` is no `Result`.
pub struct PlainTo<T, V, A>(PhantomData<(Plain<T>, AnsweredWith<V, A>)>);

impl<T, V, A> PlainTo<T, V, A> {
    /// Turns it into the answer.
    pub fn answer(self) -> Convert<T, A>
    where
        T: AnswerTo<V, A>,
    {
        Convert(|returned| Ok(returned.answer()))
    }
}

macro_rules! debug {
    ($($name:ident<$($parameter:ident),*>)*) => {
        $(
            impl<$($parameter),*> fmt::Debug for $name<$($parameter),*> {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.write_str(stringify!($name))
                }
            }
        )*
    };
}

debug!(Fallible<T, E> FallibleTo<T, E, V, A> Plain<T> PlainTo<T, V, A> Convert<R, T> ReplyOf<R> AnswerOf<R>);
