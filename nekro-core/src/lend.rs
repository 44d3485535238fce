//! References that the host lends to a plugin's function.
//!
//! Every parameter that is a reference is lent: a capability, the configuration, the plugin's state, the event. A type says by
//! [`Lend`] how it is lent and whether taking it is a permission; so the permissions of a function are read off its signature.

use std::{any::Any, fmt, marker::PhantomData, ops::Deref};

use crate::{
    call::Call,
    capability::CapabilityDecl,
    error::Error,
    plugin::{Plugin, ScopeDecl},
};

/// A type that plugin `P` can borrow. Implemented by the capabilities of this crate, by `#[plugin]` for the configuration and by
/// `#[init]` for the state; used by the expansion of the other attributes.
#[diagnostic::on_unimplemented(
    message = "`&{Self}` is not something that the host can lend",
    label = "not lent to this plugin",
    note = "lent are: the capabilities of `nekro_core`, the plugin's configuration (the struct with `#[plugin]`), what its `#[init]` function returned, and to an event handler, as its first parameter, the event",
    note = "an argument, which the caller gives, is taken by value: write the type without `&`"
)]
pub trait Lend<P: Plugin>: Sized + 'static {
    /// The permission that taking it is; `None` if it is harmless.
    const CAPABILITY: Option<&'static CapabilityDecl> = None;

    /// What it is, for the manifest.
    const KIND: LentKind = LentKind::Capability;

    /// Lends it for one call.
    ///
    /// # Errors
    ///
    /// If the host has nothing to lend.
    fn lend<'a>(call: &'a Call<'a>) -> Result<Loan<'a, Self>, Error>;

    /// All of the above. The expansion names the type by this constant alone, so that a wrong one is one error, where it is written.
    #[doc(hidden)]
    const LENT: Lent<P, Self> =
        Lent { lend: Self::lend, decl: LentDecl { capability: Self::CAPABILITY, kind: Self::KIND }, plugin: PhantomData };
}

/// What a lent type is to its plugin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LentKind {
    /// Something of the host's.
    Capability,
    /// The plugin's configuration.
    Config,
    /// What the plugin's `#[init]` returned.
    State,
    /// The task that runs: only a task has it.
    Task,
    /// How far the call has come, which whoever makes the call may follow.
    Progress,
}

/// What a function borrows from while it runs.
#[derive(Debug)]
pub enum Loan<'a, T> {
    /// Something that lives longer than the call.
    Borrowed(&'a T),
    /// A handle that was made for this call.
    Handle(T),
}

impl<T> Deref for Loan<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        match self {
            Self::Borrowed(value) => value,
            Self::Handle(value) => value,
        }
    }
}

/// A lent parameter of a function of plugin `P`.
pub struct Lent<P, T> {
    lend: for<'a> fn(&'a Call<'a>) -> Result<Loan<'a, T>, Error>,
    decl: LentDecl,
    plugin: PhantomData<fn() -> P>,
}

/// What the manifest knows of a lent parameter.
#[derive(Clone, Copy, Debug)]
pub struct LentDecl {
    /// The permission that taking it is.
    pub capability: Option<&'static CapabilityDecl>,
    /// What it is to the plugin.
    pub kind: LentKind,
}

impl<P, T> Lent<P, T> {
    /// Lends it.
    ///
    /// # Errors
    ///
    /// If the host has nothing to lend.
    #[inline]
    pub fn lend<'a>(&self, call: &'a Call<'a>) -> Result<Loan<'a, T>, Error> {
        (self.lend)(call)
    }

    /// Returns what the manifest knows of it.
    pub const fn decl(&self) -> LentDecl {
        self.decl
    }
}

impl<P: Plugin, T> Lent<P, T> {
    /// Refuses, while it is compiled, a capability with bounds that the plugin does not declare. The error stands where this is called.
    #[track_caller]
    pub const fn bounded(self) -> Self {
        if let Some(CapabilityDecl { name, scope: Some(missing), .. }) = self.decl.capability
            && !declares(P::DECL.scopes, name)
        {
            panic!("{}", *missing);
        }
        self
    }
}

/// Tells whether the bounds of a capability are declared.
pub(crate) const fn declares(scopes: &[ScopeDecl], capability: &str) -> bool {
    let mut at = 0;
    while at < scopes.len() {
        if is_same(scopes[at].capability.as_bytes(), capability.as_bytes()) {
            return true;
        }
        at += 1;
    }
    false
}

/// Compares as `==` does, which the compiler cannot do yet while it compiles.
const fn is_same(one: &[u8], other: &[u8]) -> bool {
    let mut at = 0;
    while at < one.len() && at < other.len() && one[at] == other[at] {
        at += 1;
    }
    at == one.len() && at == other.len()
}

impl<P, T> fmt::Debug for Lent<P, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.decl.fmt(f)
    }
}

/// Lends the configuration; called by the expansion of `#[plugin]`.
///
/// # Errors
///
/// If the plugin has no configuration of this type, which the expansion makes impossible.
#[inline]
pub fn lend_config<'a, T: Any>(call: &'a Call<'a>) -> Result<Loan<'a, T>, Error> {
    let config = call.plugin.config().downcast_ref().ok_or_else(|| not_there("configuration"))?;
    Ok(Loan::Borrowed(config))
}

/// Lends the state; called by the expansion of `#[init]`.
///
/// # Errors
///
/// If the plugin has not been initialised yet.
#[inline]
pub fn lend_state<'a, T: Any>(call: &'a Call<'a>) -> Result<Loan<'a, T>, Error> {
    let state = call.plugin.state().and_then(|state| state.downcast_ref()).ok_or_else(|| not_there("state"))?;
    Ok(Loan::Borrowed(state))
}

#[cold]
fn not_there(what: &str) -> Error {
    Error::new(format!("the plugin's {what} is not there yet")).with_code("not_initialised")
}
