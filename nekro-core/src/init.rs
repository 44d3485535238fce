//! What `#[init]` and `#[cleanup]` say of a function.

use std::{any::Any, sync::Arc};

use crate::{call::Body, error::Error, lend::LentDecl, location::Location, plugin::PluginDecl};

/// What an `#[init]` function returned, without its type.
pub type State = Arc<dyn Any + Send + Sync>;

/// What an `#[init]` function can return: anything that may be shared between threads.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the state of a plugin",
    label = "cannot be shared between threads",
    note = "the plugin's functions borrow it at the same time: it must be `Send + Sync + 'static`; a `std::sync::Mutex` around the part that changes makes it so"
)]
pub trait IntoState {
    /// Hides the type.
    fn into_state(self) -> State;
}

#[diagnostic::do_not_recommend]
impl<T: Any + Send + Sync> IntoState for T {
    fn into_state(self) -> State {
        Arc::new(self)
    }
}

/// The declaration of an `#[init]` or `#[cleanup]` function.
#[derive(Debug)]
pub struct HookDecl {
    /// The plugin.
    pub plugin: &'static PluginDecl,
    /// When it is called.
    pub when: When,
    /// What it borrows.
    pub lent: &'static [LentDecl],
    /// The function.
    pub body: Body<Result<State, Error>>,
    /// Where it stands.
    pub location: Location,
}

/// When a hook is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// Before the plugin runs.
    Init,
    /// After it ran, or failed to start.
    Cleanup,
}

inventory::collect!(&'static HookDecl);
