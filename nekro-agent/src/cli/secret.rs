//! `nekro secret`: secrets in the system's keyring.

use std::io::{IsTerminal, Read};

use serde_json::json;

use super::{Failure, Screen, args::SecretCommand};
use crate::settings::keyring;

/// The most bytes of a secret.
const MOST_BYTES: u64 = 64 * 1024;

pub(super) fn run(command: SecretCommand, screen: &Screen) -> Result<(), Failure> {
    match command {
        SecretCommand::Set { name } => {
            let secret = ask(&name)?;
            if secret.is_empty() {
                return Err(Failure::usage(
                    "nothing came: the secret is the line that is typed, or what comes on standard input",
                ));
            }
            keyring::write(&name, &secret).map_err(Failure::work)?;
            screen.show(&json!({ "name": name }), || {
                format!("`{name}` is in the keyring: {{ keyring = \"{name}\" }} in the settings file refers to it")
            });
        }
        SecretCommand::Unset { name } => {
            keyring::remove(&name).map_err(Failure::work)?;
            screen.show(&json!({ "name": name }), || format!("`{name}` is no longer in the keyring"));
        }
    }
    Ok(())
}

/// Reads a secret: from the person at the terminal, who does not see what is typed, or else all that comes.
fn ask(name: &str) -> Result<String, Failure> {
    let wrong = |error| Failure::work(format!("the secret cannot be read: {error}"));
    if std::io::stdin().is_terminal() {
        return rpassword::prompt_password(format!("Secret for `{name}` (it is not shown): ")).map_err(wrong);
    }
    let mut text = String::new();
    std::io::stdin().take(MOST_BYTES + 1).read_to_string(&mut text).map_err(wrong)?;
    if text.len() as u64 > MOST_BYTES {
        return Err(Failure::usage(format!("a secret has {MOST_BYTES} bytes at most")));
    }
    // `echo` ends what it says with a line break, which is no part of the secret.
    let line = text.strip_suffix('\n').map_or(text.as_str(), |line| line.strip_suffix('\r').unwrap_or(line));
    Ok(line.to_owned())
}
