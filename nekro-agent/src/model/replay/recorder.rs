//! Writing down what a model is asked and what it answers.

use std::{
    fs::OpenOptions,
    io::{self, Write},
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use nekro_core::BoxFuture;
use serde_json::{Value, json};

use super::{
    line::{self, Line, Part},
    scrub::Secrets,
};
use crate::model::{Answer, Chunk, Model, ModelError, Request, Sink};

/// A file that is being recorded into, by however many models.
pub(crate) struct Recording {
    file: Mutex<Box<dyn Write + Send>>,
    secrets: Secrets,
}

impl Recording {
    /// Writes into a new file, which nobody else may read.
    ///
    /// # Errors
    ///
    /// If the file is there already, or cannot be made.
    pub(crate) fn create(path: &Path, secrets: Secrets) -> io::Result<Arc<Self>> {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        Self::new(Box::new(options.open(path)?), secrets)
    }

    /// Writes into something.
    ///
    /// # Errors
    ///
    /// If the first line cannot be written.
    pub(super) fn new(mut file: Box<dyn Write + Send>, secrets: Secrets) -> io::Result<Arc<Self>> {
        writeln!(file, "{}", line::first())?;
        file.flush()?;
        Ok(Arc::new(Self { file: Mutex::new(file), secrets }))
    }

    /// Puts the parts of a text together in which a secret stands: it may have come in pieces.
    fn safe(&self, parts: Vec<Part>) -> Vec<Part> {
        let (mut safe, secrets): (Vec<Part>, _) = (Vec::new(), self.secrets.by_now());
        let mut rest = parts.into_iter().peekable();
        while let Some(first) = rest.next() {
            let mut run = vec![first];
            while let Some(next) = rest.next_if(|next| std::mem::discriminant(next) == std::mem::discriminant(&run[0])) {
                run.push(next);
            }
            let whole: String = run.iter().map(Part::text).collect();
            let scrubbed = secrets.text(&whole);
            match run[0] {
                Part::Text(_) if scrubbed != whole => safe.push(Part::Text(scrubbed)),
                Part::Reasoning(_) if scrubbed != whole => safe.push(Part::Reasoning(scrubbed)),
                _ => safe.append(&mut run),
            }
        }
        safe
    }

    fn write(&self, line: &Line) -> io::Result<()> {
        // Through a value, so that what is told in several ways is looked through once.
        let value = self.secrets.by_now().scrub(serde_json::to_value(line)?);
        // The request stands first, for whoever reads it.
        let mut ordered = format!("{{\"request\":{}", value["request"]);
        for key in ["parts", "answer", "error"] {
            if let Some(part) = value.get(key) {
                ordered += &format!(",{}:{part}", json!(key));
            }
        }
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        writeln!(file, "{ordered}}}")?;
        file.flush()
    }
}

/// A model whose turns are written down.
pub(crate) struct Recorder {
    model: Arc<dyn Model>,
    recording: Arc<Recording>,
}

impl Recorder {
    /// Writes down what a model is asked from now on.
    pub(crate) fn new(model: Arc<dyn Model>, recording: Arc<Recording>) -> Self {
        Self { model, recording }
    }
}

impl Model for Recorder {
    fn name(&self) -> &str {
        self.model.name()
    }

    fn ask<'a>(&'a self, request: &'a Request, sink: &'a mut dyn Sink) -> BoxFuture<'a, Result<Answer, ModelError>> {
        Box::pin(async {
            let mut parts: Vec<Part> = Vec::new();
            let mut both = |chunk: Chunk<'_>| {
                parts.push(chunk.into());
                sink.chunk(chunk);
            };
            let result = self.model.ask(request, &mut both).await;
            let request: Value = line::request(request);
            let line = Line { request, parts: self.recording.safe(parts), outcome: (&result).into() };
            // The conversation goes on without its recording.
            if let Err(error) = self.recording.write(&line) {
                tracing::warn!(%error, "a turn is not in the recording");
            }
            result
        })
    }
}
