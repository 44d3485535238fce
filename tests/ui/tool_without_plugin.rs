use nekro_core::prelude::*;

/// Rolls dice.
#[tool]
fn roll(
    random: &Random,
    /// How many sides.
    #[arg(default = 6, range = 2..)]
    sides: u32,
) -> Result<u32> {
    Ok(random.between(1..=sides))
}

fn main() {}
