//! Who is asking, and until when: harmless facts about the call.

use std::time::Duration;

use tokio::time::Instant;

use crate::{
    call::Call,
    caller::Caller,
    error::{Error, Result},
    ids::{SessionId, TurnId},
    lend::{Lend, Loan},
    plugin::Plugin,
};

/// Who is asking, and until when. Harmless: taking it is no permission.
#[derive(Clone, Debug)]
pub struct Ctx {
    caller: Caller,
    plugin: &'static str,
    // `None` if the limit is longer than time itself.
    deadline: Option<Instant>,
}

impl Ctx {
    pub(crate) fn new(caller: Caller, plugin: &'static str, limit: Duration) -> Self {
        Self { caller, plugin, deadline: Instant::now().checked_add(limit) }
    }

    /// Returns the conversation, if the call belongs to one.
    pub fn session(&self) -> Option<&SessionId> {
        self.caller.session.as_ref()
    }

    /// Returns the turn, if one is under way.
    pub fn turn(&self) -> Option<&TurnId> {
        self.caller.turn.as_ref()
    }

    /// Returns who is asking.
    pub fn caller(&self) -> &Caller {
        &self.caller
    }

    /// Returns the id of the plugin whose function this is.
    pub fn plugin(&self) -> &'static str {
        self.plugin
    }

    /// Returns the time left until the call is ended.
    pub fn remaining(&self) -> Duration {
        self.deadline.map_or(Duration::MAX, |deadline| deadline.saturating_duration_since(Instant::now()))
    }
}

impl<P: Plugin> Lend<P> for Ctx {
    fn lend<'a>(call: &'a Call<'a>) -> Result<Loan<'a, Self>, Error> {
        Ok(Loan::Handle(Self::new(call.caller.clone(), call.plugin.decl().id, call.limit)))
    }
}
