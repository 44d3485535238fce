//! The models that the agent may ask.

use std::sync::Arc;

use nekro_core::Result;

use crate::model::{self, Model, Recorder, Recording, Spent, Usage};

/// The models that there are. Implemented by what the settings of the models say, and by tests.
pub(crate) trait Models: Send + Sync {
    /// Returns a model by its name, or the one that is asked if none is named.
    fn model(&self, name: Option<&str>) -> Result<Arc<dyn Model>>;

    /// Returns the same for one turn of a session, within the budgets. `spent` is what the session has spent before.
    fn for_turn(&self, name: Option<&str>, _spent: Spent) -> Result<Arc<dyn Model>> {
        self.model(name)
    }

    /// Tells whether a model acts by scripts, and not by calls of its own.
    fn acts_by_scripts(&self, _name: Option<&str>) -> bool {
        false
    }

    /// Returns what an answer of a model cost, in millionths; `None` if nobody has said what it costs.
    fn cost(&self, _model: &str, _usage: Usage) -> Option<u64> {
        None
    }

    /// Returns the names, for people to choose from.
    fn names(&self) -> Vec<String>;
}

impl Models for model::Models {
    fn model(&self, name: Option<&str>) -> Result<Arc<dyn Model>> {
        self.model(name)
    }

    fn for_turn(&self, name: Option<&str>, spent: Spent) -> Result<Arc<dyn Model>> {
        self.for_turn(name, spent)
    }

    fn acts_by_scripts(&self, name: Option<&str>) -> bool {
        Self::acts_by_scripts(self, name)
    }

    fn cost(&self, model: &str, usage: Usage) -> Option<u64> {
        self.cost(model, usage)
    }

    fn names(&self) -> Vec<String> {
        self.names()
    }
}

/// Models whose turns are written down, all into one recording.
pub(crate) struct Recorded {
    models: Arc<dyn Models>,
    recording: Arc<Recording>,
}

impl Recorded {
    /// Writes down what any of the models is asked from now on.
    pub(crate) fn new(models: Arc<dyn Models>, recording: Arc<Recording>) -> Self {
        Self { models, recording }
    }
}

impl Models for Recorded {
    fn model(&self, name: Option<&str>) -> Result<Arc<dyn Model>> {
        Ok(Arc::new(Recorder::new(self.models.model(name)?, Arc::clone(&self.recording))))
    }

    fn for_turn(&self, name: Option<&str>, spent: Spent) -> Result<Arc<dyn Model>> {
        Ok(Arc::new(Recorder::new(self.models.for_turn(name, spent)?, Arc::clone(&self.recording))))
    }

    fn acts_by_scripts(&self, name: Option<&str>) -> bool {
        self.models.acts_by_scripts(name)
    }

    fn cost(&self, model: &str, usage: Usage) -> Option<u64> {
        self.models.cost(model, usage)
    }

    fn names(&self) -> Vec<String> {
        self.models.names()
    }
}
