//! Ending the turns that the end of a process cut off.

use nekro_core::{
    Result,
    event::facts::{TurnComplete, TurnOutcome},
};

use super::Inner;

impl Inner {
    /// Ends every turn that began and has not ended: each one ends once, also across a restart.
    pub(super) async fn close_cut_off_turns(&self) -> Result<()> {
        for turn in self.history.open_turns().await? {
            let lasted = self.now().duration_since(turn.began).as_micros();
            let micros = u64::try_from(lasted).unwrap_or(0);
            if self.history.end_turn(&turn.id, TurnOutcome::Cancelled, micros).await? {
                tracing::warn!(session = %turn.session, turn = %turn.id, "the turn was cut off when the agent ended");
                let outcome = TurnOutcome::Cancelled;
                self.kernel.emit(TurnComplete { session: turn.session, turn: turn.id, outcome, micros });
            }
        }
        Ok(())
    }
}
