//! Turning texts into vectors, as OpenAI's API has it and many servers do: `POST …/embeddings`.
//! <https://platform.openai.com/docs/api-reference/embeddings/create>

use std::{sync::Arc, time::Duration};

use nekro_core::{BoxFuture, Error, Result, Secret};
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};

use super::{
    failure,
    transport::{Post, Transport},
    wire,
};
use crate::{
    model::{
        ModelError,
        ModelErrorKind::{self, Unavailable},
        Price, Usage,
    },
    vectors::{Embedded, Embedder, EmbeddingSettings, estimated_tokens},
};

/// How often a request is made again that may do better later.
const RETRIES: u32 = 2;

/// The longest wait that a server may ask for.
const MOST_WAIT: Duration = Duration::from_secs(20);

/// The most bytes that one number takes in an answer, with what is around it.
const BYTES_OF_A_NUMBER: usize = 40;

/// The most numbers of a vector.
const MOST_NUMBERS: usize = 8_192;

/// The most bytes of a refusal that are read.
const MOST_REFUSAL: usize = 64 << 10;

/// An embedding model on a server.
pub(crate) struct Embeddings {
    settings: EmbeddingSettings,
    // Vectors of another length are of another model.
    name: String,
    transport: Arc<dyn Transport>,
}

impl Embeddings {
    /// Makes one. Nothing is asked yet.
    pub(in crate::model) fn new(settings: &EmbeddingSettings, transport: Arc<dyn Transport>) -> Self {
        let name = match settings.dimensions {
            Some(dimensions) => format!("{}/{dimensions}", settings.model),
            None => settings.model.clone(),
        };
        Self { settings: settings.clone(), name, transport }
    }

    async fn embed(&self, texts: &[String]) -> Result<Embedded> {
        let mut all = Embedded { vectors: Vec::with_capacity(texts.len()), tokens: 0 };
        for batch in texts.chunks(self.settings.batch.max(1)) {
            let Embedded { vectors, tokens } = self.patiently(batch).await.map_err(|error| self.explain(error))?;
            all.vectors.extend(vectors);
            all.tokens = all.tokens.saturating_add(tokens);
        }
        Ok(all)
    }

    async fn patiently(&self, texts: &[String]) -> std::result::Result<Embedded, ModelError> {
        let mut wait = Duration::from_secs(1);
        for _ in 0..RETRIES {
            match self.once(texts).await {
                Err(error) if error.is_transient() && error.retry_after.is_none_or(|wanted| wanted <= MOST_WAIT) => {
                    sleep(wait.max(error.retry_after.unwrap_or_default())).await;
                    wait *= 2;
                }
                result => return result,
            }
        }
        self.once(texts).await
    }

    async fn once(&self, texts: &[String]) -> std::result::Result<Embedded, ModelError> {
        let deadline = self.settings.deadline;
        timeout(deadline, self.exchange(texts)).await.unwrap_or_else(|_| {
            Err(ModelError::new(Unavailable, format!("it took longer than {deadline:?} (`vectors.embedding.deadline`)")))
        })
    }

    async fn exchange(&self, texts: &[String]) -> std::result::Result<Embedded, ModelError> {
        let EmbeddingSettings { url, model, api_key, dimensions, .. } = &self.settings;
        let mut body = json!({ "model": model, "input": texts, "encoding_format": "float" });
        if let Some(dimensions) = dimensions {
            // Many servers refuse the word itself.
            body["dimensions"] = (*dimensions).into();
        }
        let key = api_key.iter().map(|key| ("authorization".to_owned(), Secret::new(format!("Bearer {}", key.expose()))));
        let url = format!("{}/embeddings", url.trim_end_matches('/'));
        let post = Post { url, headers: key.collect(), body: body.to_string() };
        let response = self.transport.send(post).await?;
        let (mut body, good) = (response.body, (200..300).contains(&response.status));
        let most = if good { texts.len() * MOST_NUMBERS * BYTES_OF_A_NUMBER } else { MOST_REFUSAL };
        let mut bytes = Vec::new();
        while let Some(piece) = body.next().await? {
            if bytes.len() + piece.len() > most {
                if good {
                    return Err(failure::strange("its answer is longer than vectors can be"));
                }
                break;
            }
            bytes.extend_from_slice(&piece);
        }
        let text = String::from_utf8_lossy(&bytes);
        if !good {
            return Err(failure::of_status(response.status, &text, response.retry_after));
        }
        let answer = wire::json(&text)?;
        let vectors = read(&answer, texts.len())?;
        let told = ["prompt_tokens", "total_tokens"].iter().find_map(|key| answer["usage"][key].as_u64());
        // What is said to have cost nothing was not counted.
        let tokens = told.filter(|tokens| *tokens > 0).unwrap_or_else(|| estimated_tokens(texts));
        Ok(Embedded { vectors, tokens })
    }

    fn explain(&self, error: ModelError) -> Error {
        let mut message = error.message.clone();
        if let Some(key) = self.settings.api_key.as_ref().map(|key| key.expose().as_str()).filter(|key| key.len() > 3) {
            message = message.replace(key, "(secret)");
        }
        let told = Error::new(format!("the embedding model `{}` did not answer: {message}", self.settings.model));
        let told = match error.kind {
            ModelErrorKind::Unauthorized => told.with_hint("the operator looks at `vectors.embedding.api_key`"),
            _ => told.with_hint("the operator looks at `vectors.embedding`"),
        };
        let told = told.with_code("embedding");
        if error.is_transient() { told.retryable() } else { told }
    }
}

impl Embedder for Embeddings {
    fn model(&self) -> &str {
        &self.name
    }

    fn embed<'a>(&'a self, texts: &'a [String]) -> BoxFuture<'a, Result<Embedded>> {
        Box::pin(self.embed(texts))
    }

    fn cost(&self, tokens: u64) -> Option<u64> {
        let price = Price { input: self.settings.price?, output: 0.0, cached: None };
        Some(price.of(Usage { input_tokens: tokens, ..Usage::default() }))
    }
}

/// Reads vectors, which may come in any order.
fn read(answer: &Value, count: usize) -> std::result::Result<Vec<Vec<f32>>, ModelError> {
    let data = answer["data"].as_array().ok_or_else(|| failure::strange("its answer has no vectors"))?;
    let mut vectors = vec![Vec::new(); count];
    for (place, item) in data.iter().enumerate() {
        let index = item["index"].as_u64().and_then(|index| usize::try_from(index).ok()).unwrap_or(place);
        let numbers = item["embedding"].as_array().filter(|numbers| numbers.len() <= MOST_NUMBERS);
        let numbers = numbers.and_then(|numbers| numbers.iter().map(|one| one.as_f64().map(|one| one as f32)).collect());
        match (vectors.get_mut(index), numbers) {
            (Some(vector), Some(numbers)) if vector.is_empty() => *vector = numbers,
            _ => return Err(failure::strange("its answer has vectors that were not asked for, or that are none")),
        }
    }
    if vectors.iter().any(|vector: &Vec<f32>| vector.is_empty() || vector.len() != vectors[0].len()) {
        return Err(failure::strange("its answer lacks vectors, or they are of different lengths"));
    }
    Ok(vectors)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vectors_are_read_in_their_order_and_nothing_else_is() {
        let answer = json!({ "data": [{ "index": 1, "embedding": [3, 4.5] }, { "index": 0, "embedding": [1, 2] }] });
        assert_eq!(read(&answer, 2), Ok(vec![vec![1.0, 2.0], vec![3.0, 4.5]]));
        for (answer, count) in [
            (json!({}), 1),
            (json!({ "data": [] }), 1),
            (json!({ "data": [{ "index": 0, "embedding": [] }] }), 1),
            (json!({ "data": [{ "index": 0, "embedding": ["1"] }] }), 1),
            (json!({ "data": [{ "index": 7, "embedding": [1] }] }), 1),
            (json!({ "data": [{ "index": 0, "embedding": [1] }, { "index": 0, "embedding": [1] }] }), 2),
            (json!({ "data": [{ "index": 0, "embedding": [1] }, { "index": 1, "embedding": [1, 2] }] }), 2),
            (json!({ "data": [{ "index": 0, "embedding": vec![1; MOST_NUMBERS + 1] }] }), 1),
        ] {
            assert!(read(&answer, count).is_err(), "{answer}");
        }
    }
}
