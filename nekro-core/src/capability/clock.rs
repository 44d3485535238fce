//! The time of day.

use std::{fmt, sync::Arc, time::Duration};

use jiff::Timestamp;

use super::CapabilityDecl;
use crate::{
    call::Call,
    error::{Error, Result},
    lend::{Lend, Loan},
    plugin::Plugin,
};

/// The time of day. A test can set it.
#[derive(Clone)]
pub struct Clock(Arc<dyn ClockPort>);

/// Where the time comes from. Implemented by the host.
pub trait ClockPort: Send + Sync {
    /// Returns the present moment.
    fn now(&self) -> Timestamp;
}

impl Clock {
    /// Makes a handle over a port.
    pub fn new(port: Arc<dyn ClockPort>) -> Self {
        Self(port)
    }

    /// Returns the present moment.
    pub fn now(&self) -> Timestamp {
        self.0.now()
    }

    /// Waits. Ends early only if the call is cancelled.
    pub async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Clock").field(&self.now()).finish()
    }
}

static CLOCK: CapabilityDecl = CapabilityDecl {
    name: "clock",
    summary: "reads the time of day and waits",
    scope: None,
    provided: |ports| ports.has::<dyn ClockPort>(),
};

impl<P: Plugin> Lend<P> for Clock {
    const CAPABILITY: Option<&'static CapabilityDecl> = Some(&CLOCK);

    fn lend<'a>(call: &'a Call<'a>) -> Result<Loan<'a, Self>, Error> {
        Ok(Loan::Handle(Self::new(Arc::clone(call.kernel.ports().get::<dyn ClockPort>()?))))
    }
}
