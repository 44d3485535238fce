//! What goes on in the background, as the API reaches it.

use crate::{assemble::Agent, schedules::Book, tasks::Desk};

/// Where tasks and schedules are written down.
pub(super) struct Background {
    pub(super) desk: Desk,
    pub(super) book: Book,
}

impl Background {
    pub(super) fn of(agent: &Agent) -> Self {
        Self { desk: agent.desk.clone(), book: agent.book.clone() }
    }
}
