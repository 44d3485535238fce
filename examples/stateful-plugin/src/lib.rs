//! A plugin with configuration, state, a start and an end: a riddle that everybody may guess at.

#![forbid(unsafe_code)]

use std::sync::{Mutex, PoisonError};

use nekro_core::prelude::*;

/// A riddle, and a count of who has guessed it.
// The fields are the configuration: what an operator sets under `[plugins.riddle]`. A change counts from the next call on.
#[plugin(id = "riddle", category = "games")]
#[serde(default)]
pub struct Riddle {
    /// What is asked.
    question: String,
    /// The word that is looked for.
    // A `Secret` is in no log, no `Debug` and no listing. It is read where somebody writes `expose()`.
    answer: Secret<String>,
}

impl Default for Riddle {
    fn default() -> Self {
        Self { question: "What has keys, but cannot open a door?".into(), answer: Secret::new("piano".into()) }
    }
}

/// What the plugin keeps in memory while it runs.
// Functions run at the same time, so what changes stands behind a `Mutex`.
struct Game(Mutex<Tally>);

/// How the riddle went so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Tally {
    /// How many words were guessed.
    pub guesses: u64,
    /// How many of them were right.
    pub solved: u64,
}

impl Game {
    fn count(&self, right: bool) -> Tally {
        // A number that is half added does not exist, so a panic elsewhere has broken nothing.
        let mut tally = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        tally.guesses += 1;
        tally.solved += u64::from(right);
        *tally
    }

    fn tally(&self) -> Tally {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

const TALLY: &str = "tally";

/// Prepares the game before anybody can reach it. What this returns, the other functions borrow.
#[init]
async fn open(riddle: &Riddle, store: &Store) -> Result<Game> {
    if riddle.answer.expose().trim().is_empty() {
        // The plugin does not start, and the operator is told why.
        return Err(Error::new("a riddle needs an `answer`"));
    }
    Ok(Game(Mutex::new(store.get(TALLY).await?.unwrap_or_default())))
}

/// Keeps the tally, when the plugin ends.
#[cleanup]
async fn close(game: &Game, store: &Store) -> Result<()> {
    store.set(TALLY, &game.tally()).await
}

/// Asks the riddle.
#[tool(read_only)]
fn ask(riddle: &Riddle) -> String {
    riddle.question.clone()
}

/// A guess, judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Outcome {
    /// Whether it was right.
    pub right: bool,
    /// How the riddle went so far, with this guess.
    pub tally: Tally,
}

/// Guesses the answer of the riddle.
#[tool]
fn guess(
    riddle: &Riddle,
    game: &Game,
    /// The word that is guessed.
    word: &str,
) -> Outcome {
    let right = word.trim().to_lowercase() == riddle.answer.expose().trim().to_lowercase();
    Outcome { right, tally: game.count(right) }
}
