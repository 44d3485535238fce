//! How much plugins may keep, and the errors that name each limit.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    error::{Error, Result},
    ids::PluginId,
};

/// How much plugins may keep. In `nekro.toml` it stands under `[store]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct StoreLimits {
    /// How many values one plugin may keep, those of all conversations and people together.
    pub keys: u64,
    /// How many bytes the keys and values of one plugin may have.
    pub bytes: u64,
    /// How many bytes a key may have.
    pub key_bytes: u64,
    /// How many bytes a value may have, as JSON.
    pub value_bytes: u64,
}

impl Default for StoreLimits {
    fn default() -> Self {
        Self { keys: 100_000, bytes: 64 * 1024 * 1024, key_bytes: 1_024, value_bytes: 1024 * 1024 }
    }
}

/// How much a plugin keeps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StoreUse {
    /// How many values.
    pub keys: u64,
    /// How many bytes its keys and values have.
    pub bytes: u64,
}

impl StoreUse {
    /// Returns what one value takes.
    pub fn of(key: &str, json: &str) -> Self {
        Self { keys: 1, bytes: (key.len() + json.len()) as u64 }
    }

    /// Returns what it is after a value took the place of another one.
    #[must_use]
    pub fn after(self, gone: Self, came: Self) -> Self {
        let sum = |all: u64, gone: u64, came: u64| all.saturating_sub(gone).saturating_add(came);
        Self { keys: sum(self.keys, gone.keys, came.keys), bytes: sum(self.bytes, gone.bytes, came.bytes) }
    }
}

impl StoreLimits {
    /// Refuses a key or a value that is too long.
    ///
    /// # Errors
    ///
    /// `too_large`.
    pub fn check(&self, key: &str, json: &str) -> Result<()> {
        let refuse = |what: String, limit: &str, most: u64| {
            Err(Error::new(format!("{what}, and may have no more than {most}"))
                .with_code("too_large")
                .with_hint(format!("the limit is `store.{limit}`")))
        };
        if key.len() as u64 > self.key_bytes {
            return refuse(format!("a key of {} bytes is too long for the store", key.len()), "key_bytes", self.key_bytes);
        }
        if json.len() as u64 > self.value_bytes {
            let what = format!("the value for `{key}` has {} bytes", json.len());
            return refuse(what, "value_bytes", self.value_bytes);
        }
        Ok(())
    }

    /// Refuses that a plugin keeps more than it may. What makes it less is never refused.
    ///
    /// # Errors
    ///
    /// `store_full`.
    pub fn check_use(&self, plugin: &PluginId, before: StoreUse, after: StoreUse) -> Result<()> {
        let refuse = |what: &str, limit: &str, most: u64| {
            Err(Error::new(format!("the plugin `{plugin}` may keep no more than {most} {what}"))
                .with_code("store_full")
                .with_hint(format!("remove values that it no longer needs; the limit is `store.{limit}`")))
        };
        if after.keys > self.keys && after.keys > before.keys {
            return refuse("values", "keys", self.keys);
        }
        if after.bytes > self.bytes && after.bytes > before.bytes {
            return refuse("bytes of keys and values", "bytes", self.bytes);
        }
        Ok(())
    }
}
