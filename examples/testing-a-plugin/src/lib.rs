//! A garden, which exists to be tested: see `tests/garden.rs`.

#![forbid(unsafe_code)]

use std::time::Duration;

use nekro_core::prelude::*;

/// A garden with beds that need water.
#[plugin(id = "garden")]
#[serde(default)]
pub struct Garden {
    /// The most litres that a bed takes at once.
    most: u8,
    /// A word at which the gardener keeps quiet.
    hush: String,
}

impl Default for Garden {
    fn default() -> Self {
        Self { most: 10, hush: "shh".into() }
    }
}

/// What a bed was given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Watered {
    /// The bed.
    pub bed: String,
    /// How much water it was given in all, in litres.
    pub litres: u32,
}

/// Waters a bed.
#[tool]
async fn water(
    garden: &Garden,
    store: &Store,
    /// The bed, such as "roses".
    bed: String,
    /// How much water, in litres.
    #[arg(default = 1, range = 1..=100)]
    litres: u8,
) -> Result<Watered> {
    if litres > garden.most {
        let error = Error::new(format!("{litres} litres would drown the {bed}"));
        return Err(error.with_code("too_much").with_hint(format!("give it {} litres at most", garden.most)));
    }
    let litres = store.update(&bed, |before: Option<u32>| before.unwrap_or_default().saturating_add(litres.into())).await?;
    Ok(Watered { bed, litres })
}

/// Digs a bed up, with everything that grows in it.
#[tool(destructive)]
async fn dig_up(
    store: &Store,
    /// The bed, such as "roses".
    bed: &str,
) -> Result<bool> {
    store.remove(bed).await
}

/// Watches a bed until somebody should look after it, and tells the time.
#[tool(read_only, deadline = "2h")]
async fn watch(
    clock: &Clock,
    /// How many minutes to watch.
    #[arg(range = 1..=240)]
    minutes: u8,
) -> String {
    clock.sleep(Duration::from_secs(u64::from(minutes) * 60)).await;
    format!("it is {}", clock.now())
}

/// Thanks everybody who mentions the garden.
#[on_event]
async fn thank(event: &MessageReceived, messages: &Messages) -> Result<()> {
    if event.text.contains("garden") {
        messages.send("The garden thanks you.").await?;
    }
    Ok(())
}

/// Keeps the agent quiet while something sleeps in the garden.
#[on_event]
fn hush(event: &UserMessage, garden: &Garden) -> Signal {
    if event.text.starts_with(&garden.hush) { Signal::BlockTrigger } else { Signal::Continue }
}

/// Asks a person before something is destroyed.
#[on_event(phase = early)]
fn protect(event: &ToolCall) -> Approval {
    if event.effect.destructive { Approval::ask("it took years to grow") } else { Approval::Allow }
}

// Inside of the crate, a function with an attribute is a function like any other: a test calls it.
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hush_word_is_the_operators() {
        let garden = Garden { hush: "quiet".into(), ..Garden::default() };
        let said = |text: &str| UserMessage { session: "s".into(), message: "m".into(), user: None, text: text.into() };
        assert_eq!(hush(&said("quiet, please"), &garden), Signal::BlockTrigger);
        assert_eq!(hush(&said("shh"), &garden), Signal::Continue);
    }
}
