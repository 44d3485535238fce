//! Environment variables, from the operating system.

use std::env::{self, VarError};

use nekro_core::{EnvPort, Error, Result};

#[derive(Debug)]
pub(crate) struct SystemEnv;

impl EnvPort for SystemEnv {
    fn get(&self, name: &str) -> Result<Option<String>> {
        match env::var(name) {
            Ok(value) => Ok(Some(value)),
            Err(VarError::NotPresent) => Ok(None),
            Err(VarError::NotUnicode(_)) => {
                Err(Error::new(format!("the environment variable `{name}` is not UTF-8")).with_code("not_text"))
            }
        }
    }
}
