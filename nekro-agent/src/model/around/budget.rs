//! What may be spent: by one turn, and by a session.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use nekro_core::BoxFuture;

use crate::model::{Answer, Model, ModelError, ModelErrorKind::Budget, Models, Request, Sink, Usage};

/// What was spent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Spent {
    /// Tokens, read and written together.
    pub(crate) tokens: u64,
    /// Money, in millionths of the currency.
    pub(crate) cost_micros: u64,
}

impl Spent {
    /// Counts an answer.
    pub(crate) fn add(&mut self, usage: Usage, cost_micros: Option<u64>) {
        let tokens = usage.input_tokens.saturating_add(usage.output_tokens);
        self.tokens = self.tokens.saturating_add(tokens);
        self.cost_micros = self.cost_micros.saturating_add(cost_micros.unwrap_or_default());
    }
}

/// A model for one turn: it is asked as long as the budgets last. An answer that was begun is not cut off, so that the last one may go
/// beyond.
pub(in crate::model) struct Budgeted {
    model: Arc<dyn Model>,
    models: Models,
    turn: Mutex<Spent>,
    session: Mutex<Spent>,
}

impl Budgeted {
    /// Puts the budgets around a model, for a turn of a session that has spent something before.
    pub(in crate::model) fn new(model: Arc<dyn Model>, models: Models, session: Spent) -> Self {
        Self { model, models, turn: Mutex::default(), session: Mutex::new(session) }
    }

    fn check(&self) -> Result<(), ModelError> {
        let (budget, currency) = (self.models.budget(), self.models.currency());
        let (turn, session) = (*lock(&self.turn), *lock(&self.session));
        for (what, key, spent, most) in [
            ("this turn", "turn_tokens", turn.tokens, budget.turn_tokens),
            ("this conversation", "session_tokens", session.tokens, budget.session_tokens),
        ] {
            if let Some(most) = most.filter(|most| spent >= *most) {
                return Err(spent_all(format!("{what} has cost {spent} tokens of {most} (`models.budget.{key}`)")));
            }
        }
        for (what, key, spent, most) in [
            ("this turn", "turn_cost", turn.cost_micros, budget.turn_cost),
            ("this conversation", "session_cost", session.cost_micros, budget.session_cost),
        ] {
            let spent = spent as f64 / 1e6;
            if let Some(most) = most.filter(|most| spent >= *most) {
                return Err(spent_all(format!("{what} has cost {spent:.4} {currency} of {most} (`models.budget.{key}`)")));
            }
        }
        Ok(())
    }
}

fn spent_all(message: String) -> ModelError {
    ModelError::new(Budget, format!("the budget is spent: {message}"))
}

fn lock(spent: &Mutex<Spent>) -> MutexGuard<'_, Spent> {
    spent.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Model for Budgeted {
    fn name(&self) -> &str {
        self.model.name()
    }

    fn ask<'a>(&'a self, request: &'a Request, sink: &'a mut dyn Sink) -> BoxFuture<'a, Result<Answer, ModelError>> {
        Box::pin(async {
            self.check()?;
            let answer = self.model.ask(request, sink).await?;
            let cost = self.models.cost(&answer.model, answer.usage);
            lock(&self.turn).add(answer.usage, cost);
            lock(&self.session).add(answer.usage, cost);
            Ok(answer)
        })
    }
}
