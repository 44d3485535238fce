//! One model, asked again as long as that may help.

use std::{sync::Arc, time::Duration};

use backon::{BackoffBuilder, ExponentialBuilder};
use tokio::time::{sleep, timeout};

use super::Breaker;
use crate::model::{
    Answer, Chunk, Model, ModelError,
    ModelErrorKind::Unavailable,
    Request, Sink,
    settings::{BreakerSettings, Retries},
};

/// A model in a chain. What is known of its failures is known to all chains that it is in.
pub(in crate::model) struct Link {
    model: Arc<dyn Model>,
    retries: Retries,
    whole: Duration,
    breaker: Breaker,
}

impl Link {
    /// Puts patience around a model.
    pub(in crate::model) fn new(model: Arc<dyn Model>, retries: Retries, whole: Duration, breaker: BreakerSettings) -> Self {
        Self { model, retries, whole, breaker: Breaker::new(breaker) }
    }

    /// Returns the model's name.
    pub(in crate::model) fn name(&self) -> &str {
        self.model.name()
    }

    /// Asks, and asks again.
    pub(super) async fn ask(&self, request: &Request, sink: &mut dyn Sink) -> Result<Answer, ModelError> {
        let backoff =
            ExponentialBuilder::new().with_jitter().with_min_delay(self.retries.wait).with_max_delay(self.retries.most_wait);
        let mut waits = backoff.with_max_times(usize::try_from(self.retries.times).unwrap_or(usize::MAX)).build();
        let mut failure: Option<ModelError> = None;
        loop {
            let pass = match (self.breaker.admit(), failure) {
                (Ok(pass), _) => pass,
                // What has happened says more than that it is left alone now.
                (Err(_), Some(failure)) => return Err(failure),
                (Err(left), None) => return Err(self.left_alone(left)),
            };
            let error = match self.ask_once(request, sink).await {
                Err(error) if error.is_transient() => error,
                result => {
                    pass.good();
                    return result;
                }
            };
            pass.failed();
            let Some(wait) = waits.next() else { return Err(error) };
            let wanted = error.retry_after.unwrap_or_default();
            if wanted > self.retries.most_wait {
                let told =
                    format!("{}; it wants to be left alone for {wanted:?}, longer than `retries.most_wait`", error.message);
                return Err(ModelError { message: told, ..error });
            }
            let wait = wait.max(wanted);
            sink.chunk(Chunk::Restart {
                model: self.name(),
                fallback: false,
                reason: &error.message,
                wait_ms: u64::try_from(wait.as_millis()).unwrap_or(u64::MAX),
            });
            sleep(wait).await;
            failure = Some(error);
        }
    }

    fn left_alone(&self, left: Duration) -> ModelError {
        let (name, failures) = (self.name(), self.breaker.failures());
        let seconds = left.as_secs_f64().ceil();
        let message = format!(
            "the model `{name}` has failed {failures} times and is left alone for another {seconds} s (`models.{name}.breaker`)"
        );
        ModelError::new(Unavailable, message)
    }

    async fn ask_once(&self, request: &Request, sink: &mut dyn Sink) -> Result<Answer, ModelError> {
        timeout(self.whole, self.model.ask(request, sink)).await.unwrap_or_else(|_| {
            let (name, whole) = (self.name(), self.whole);
            let message = format!("the model `{name}` did not answer within {whole:?} (`models.{name}.timeouts.whole`)");
            Err(ModelError::new(Unavailable, message))
        })
    }
}
