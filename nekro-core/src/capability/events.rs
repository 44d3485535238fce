//! Telling the other plugins that something happened.

use std::fmt;

use super::CapabilityDecl;
use crate::{
    call::Call,
    error::{Error, Result},
    event::Fact,
    kernel::{Kernel, WeakKernel},
    lend::{Lend, Loan},
    plugin::Plugin,
};

/// Tells the other plugins that something happened.
#[derive(Clone)]
pub struct Events(WeakKernel);

impl Events {
    pub(crate) fn new(kernel: &Kernel) -> Self {
        Self(kernel.downgrade())
    }

    /// Emits a fact. Never waits: whoever listens is called later, in its own time.
    ///
    /// After the agent has stopped, nobody is told.
    pub fn emit<E: Fact>(&self, event: E) {
        if let Some(kernel) = self.0.upgrade() {
            kernel.emit(event);
        }
    }
}

impl fmt::Debug for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Events")
    }
}

static EVENTS: CapabilityDecl =
    CapabilityDecl { name: "events", summary: "tells other plugins that something happened", scope: None, provided: |_| true };

impl<P: Plugin> Lend<P> for Events {
    const CAPABILITY: Option<&'static CapabilityDecl> = Some(&EVENTS);

    fn lend<'a>(call: &'a Call<'a>) -> Result<Loan<'a, Self>, Error> {
        Ok(Loan::Handle(Self::new(call.kernel)))
    }
}
