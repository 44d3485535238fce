use nekro_core::prelude::*;

/// Games of chance.
#[plugin]
pub struct Games;

/// Rolls dice.
#[tool]
async fn roll() -> u32 {
    let total = std::rc::Rc::new(4);
    std::future::ready(()).await;
    *total
}

fn main() {}
