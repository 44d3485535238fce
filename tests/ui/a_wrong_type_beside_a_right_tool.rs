use nekro_core::prelude::*;

/// Games of chance.
#[plugin]
pub struct Games;

/// A die.
struct Die;

/// Rolls dice.
#[tool]
async fn roll(
    random: &Random,
    /// The die.
    die: Die,
    /// How often.
    #[arg(default = 1)]
    times: u32,
) -> Result<u32> {
    let _ = die;
    Ok(random.between(1..=times))
}

/// Tosses a coin.
#[tool]
fn toss(random: &Random) -> bool {
    random.between(0..=1_u8) == 1
}

fn main() {}
