use nekro_core::prelude::*;

#[prompt]
fn rules() -> String {
    String::new()
}

fn main() {}
