use nekro_core::prelude::*;

/// Reaches nothing.
#[plugin(env = [], http = "api.example.org", file = ["/srv"])]
pub struct Near;

fn main() {}
