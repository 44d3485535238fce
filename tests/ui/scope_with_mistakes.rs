use nekro_core::prelude::*;

/// Reaches far.
#[plugin(
    http = ["https://api.example.org/v1", "API.example.org", "api.*.org", "example.org:0"],
    process = ["git status", "bin/git"],
    env = ["$HOME", "LANG", "LANG", "1ST"],
    files = ["data", "/srv/../etc"],
)]
pub struct Far;

/// Its variables are named, though wrongly: nothing more is said about that.
#[tool]
fn home(env: &Env) -> Result<Option<String>> {
    env.get("HOME")
}

fn main() {}
