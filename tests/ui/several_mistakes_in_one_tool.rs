use nekro_core::prelude::*;

/// Games of chance.
#[plugin]
pub struct Games;

#[tool(nam = "roll", deadline = "soon")]
unsafe fn roll<T>(
    random: &mut Random,
    #[arg(range = 6)] sides: u32,
    (left, right): (u32, u32),
) -> impl Serialize {
    let _ = (random, sides, left, right);
    4
}

fn main() {}
