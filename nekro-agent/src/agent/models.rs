//! The models that the agent may ask.

use std::sync::Arc;

use nekro_core::Result;

use crate::model::Model;

/// The models that there are. Implemented by what the settings of the models say, and by tests.
pub(crate) trait Models: Send + Sync {
    /// Returns a model by its name, or the one that is asked if none is named.
    fn model(&self, name: Option<&str>) -> Result<Arc<dyn Model>>;

    /// Returns the names, for people to choose from.
    fn names(&self) -> Vec<String>;
}
