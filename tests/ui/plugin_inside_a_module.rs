/// A module.
pub mod inside {
    use nekro_core::prelude::*;

    /// Games of chance.
    #[plugin]
    pub struct Games;
}

fn main() {}
