use nekro_core::prelude::*;

/// Games of chance.
#[plugin]
pub struct Games;

/// Dice were rolled.
#[event(nam = "dice_rolled")]
pub struct Rolled {
    /// The total.
    pub total: u32,
}

#[on_event]
fn celebrate(rolled: &Rolled) {
    let _ = rolled;
}

fn main() {}
