//! One call of a plugin's function: what its parameters are read from.

use std::{any::Any, fmt, future::Future, pin::Pin, sync::Arc, time::Duration};

use crate::{argument, argument::Slot, caller::Caller, capability::TaskRun, error::Error, kernel::Kernel, kernel::Running};

/// A boxed future, as the host awaits it.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// One call of a plugin's function. Made by the kernel, read by the expansion of the attributes.
pub struct Call<'a> {
    pub(crate) kernel: &'a Kernel,
    pub(crate) plugin: &'a Running,
    pub(crate) caller: &'a Caller,
    pub(crate) limit: Duration,
    pub(crate) input: Input<'a>,
}

/// What a call brings.
#[derive(Clone, Copy)]
pub(crate) enum Input<'a> {
    Nothing,
    /// A JSON object.
    Arguments(&'a str),
    Event(&'a (dyn Any + Send + Sync)),
    Task {
        /// A JSON object.
        arguments: &'a str,
        run: &'a Arc<dyn TaskRun>,
    },
}

impl<'a> Call<'a> {
    /// Reads the arguments into the slots.
    ///
    /// # Errors
    ///
    /// Names every argument that is wrong, missing or unknown.
    #[inline]
    pub fn arguments(&self, slots: &mut [&mut dyn Slot]) -> Result<(), Error> {
        match self.input {
            Input::Arguments(json) | Input::Task { arguments: json, .. } => {
                argument::read_object(json, slots).map_err(Error::from)
            }
            Input::Nothing | Input::Event(_) => argument::read_object("{}", slots).map_err(Error::from),
        }
    }

    /// Returns the event.
    ///
    /// # Errors
    ///
    /// If the call brings none, which the kernel makes impossible for a handler of this event.
    #[inline]
    pub(crate) fn event<E: Any>(&self) -> Result<&'a E, Error> {
        match self.input {
            Input::Event(event) => event.downcast_ref().ok_or_else(no_event),
            Input::Nothing | Input::Arguments(_) | Input::Task { .. } => Err(no_event()),
        }
    }
}

#[cold]
fn no_event() -> Error {
    Error::new("the handler was called without its event")
}

impl fmt::Debug for Call<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call").field("plugin", &self.plugin.decl().id).field("caller", self.caller).finish_non_exhaustive()
    }
}

/// A plugin's function, without its types: how the kernel calls it.
#[derive(Clone, Copy)]
pub enum Body<T> {
    /// A plain function.
    Sync(for<'a> fn(&'a Call<'a>) -> T),
    /// An `async` function.
    Async(for<'a> fn(&'a Call<'a>) -> BoxFuture<'a, T>),
}

impl<T> fmt::Debug for Body<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sync(_) => "Sync",
            Self::Async(_) => "Async",
        })
    }
}
