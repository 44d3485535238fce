use nekro_core::{prelude::*, web::Hook};

/// Listens.
#[plugin]
pub struct Listener {
    /// Not a secret.
    word: String,
}

/// Hears something.
#[webhook("heard")]
fn heard(hook: &Hook<u32>) {
    drop(hook);
}

/// Hears something else.
#[webhook("Else", signature = trust)]
fn other(hook: Hook<u32>, words: String) {
    drop((hook, words));
}

/// Has no secret.
#[webhook("open", signature = hmac, secret = word)]
fn open(hook: &Hook<u32>) -> u32 {
    hook.payload
}

fn main() {}
