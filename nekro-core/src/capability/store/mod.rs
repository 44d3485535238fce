//! The plugin's own key-value store.

mod limits;
mod memory;
mod migration;

use std::{fmt, sync::Arc, time::Duration};

use serde::{Serialize, de::DeserializeOwned};

pub use self::{
    limits::{StoreLimits, StoreUse},
    memory::MemoryStore,
    migration::{Migration, MigrationStep},
};
use super::CapabilityDecl;
use crate::{
    call::{BoxFuture, Call},
    error::{Error, Result},
    ids::{PluginId, SessionId, UserId},
    lend::{Lend, Loan},
    plugin::Plugin,
};

/// The plugin's own key-value store: typed values under text keys, invisible to other plugins.
///
/// A store as it is lent belongs to the plugin as a whole; [`Store::session`] and [`Store::user`] give the parts that belong to the
/// conversation or the person of the call. What is written through [`Store::expiring`] is there for a time only.
///
/// ```
/// use std::time::Duration;
///
/// use nekro_core::prelude::*;
///
/// /// Counts.
/// #[plugin(id = "counter")]
/// pub struct Counter;
///
/// /// Counts one more, and begins anew after an hour without counting.
/// #[tool]
/// async fn count(store: &Store) -> Result<u32> {
///     let store = store.expiring(Duration::from_secs(3600));
///     store.update("count", |old| old.unwrap_or(0) + 1).await
/// }
/// # fn main() {
/// # use nekro_core::testing::Host;
/// # use serde_json::json;
/// let host = Host::of::<Counter>();
/// assert_eq!(host.call_as::<u32>("count", json!({})).unwrap(), 1);
/// assert_eq!(host.call_as::<u32>("count", json!({})).unwrap(), 2);
/// host.advance(Duration::from_secs(3600));
/// assert_eq!(host.call_as::<u32>("count", json!({})).unwrap(), 1);
/// # }
/// ```
#[derive(Clone)]
pub struct Store {
    port: Arc<dyn StorePort>,
    scope: Scope,
    caller: (Option<SessionId>, Option<UserId>),
    lifetime: Option<Duration>,
}

/// Whose values a store holds.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Scope {
    /// The plugin.
    pub plugin: PluginId,
    /// The conversation, if the values belong to one.
    pub session: Option<SessionId>,
    /// The person, if the values belong to one.
    pub user: Option<UserId>,
}

/// A value as a port holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// The value, as JSON.
    pub json: String,
    /// Changes with every write to the key; never 0, and never one that the key had before.
    pub version: u64,
}

/// A value as a port is given it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewValue {
    /// The value, as JSON.
    pub json: String,
    /// For how long.
    pub lifetime: Lifetime,
}

/// For how long a value is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lifetime {
    /// Until it is removed.
    Forever,
    /// As long as the value that it replaces would have been; without one, until it is removed.
    AsBefore,
    /// For this long from now.
    For(Duration),
}

impl From<String> for NewValue {
    fn from(json: String) -> Self {
        Self { json, lifetime: Lifetime::Forever }
    }
}

/// What a write expects to find.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// Anything.
    Any,
    /// No value.
    Absent,
    /// The value of this version.
    Version(u64),
}

/// A part of a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// Keys and values, in the order of the keys.
    pub items: Vec<(String, T)>,
    /// The key to go on after, or `None` if this was all.
    pub next: Option<String>,
}

/// Where values are kept. Implemented by the host; every implementation passes the same tests.
///
/// A value whose time is over is not there for any of these, whether or not it has been removed yet.
pub trait StorePort: Send + Sync {
    /// Reads a value.
    fn get(&self, scope: &Scope, key: &str) -> BoxFuture<'_, Result<Option<Stored>>>;

    /// Writes a value, or removes it if `new` is `None`, provided that what is there is what is expected. Returns whether it was.
    ///
    /// # Errors
    ///
    /// What [`StoreLimits`] says, and `store_version` if the values have a version by now that this program does not know.
    fn put(&self, scope: &Scope, key: &str, expected: Expected, new: Option<NewValue>) -> BoxFuture<'_, Result<bool>>;

    /// Lists at most `limit` values whose keys begin with `prefix` and come after `after`.
    fn list(&self, scope: &Scope, prefix: &str, after: Option<&str>, limit: usize) -> BoxFuture<'_, Result<Page<Stored>>>;

    /// Takes the steps that the values of a plugin lack: all of them, or none. What is written from now on has the version to which the
    /// last step leads. Called before anything of the plugin is.
    ///
    /// # Errors
    ///
    /// What a step returns, and `store_version` if the values have a version already to which no step leads.
    fn migrate(&self, plugin: &PluginId, steps: &'static [MigrationStep]) -> BoxFuture<'_, Result<()>>;
}

/// How often [`Store::update`] tries again when somebody else wrote first.
const UPDATE_ATTEMPTS: usize = 64;

impl Store {
    /// Makes a handle over a port, for a plugin as a whole.
    pub fn new(port: Arc<dyn StorePort>, plugin: PluginId, session: Option<SessionId>, user: Option<UserId>) -> Self {
        Self { port, scope: Scope { plugin, session: None, user: None }, caller: (session, user), lifetime: None }
    }

    /// Returns the part that belongs to the conversation of this call.
    ///
    /// # Errors
    ///
    /// `no_session` if the call belongs to no conversation.
    pub fn session(&self) -> Result<Self> {
        let session = self
            .caller
            .0
            .clone()
            .ok_or_else(|| Error::new("there is no conversation whose values could be read").with_code("no_session"))?;
        Ok(Self { scope: Scope { session: Some(session), ..self.scope.clone() }, ..self.clone() })
    }

    /// Returns the part that belongs to the person of this call; after [`Store::session`], to both.
    ///
    /// # Errors
    ///
    /// `no_user` if nobody is known to be asking.
    pub fn user(&self) -> Result<Self> {
        let user = self
            .caller
            .1
            .clone()
            .ok_or_else(|| Error::new("there is no person whose values could be read").with_code("no_user"))?;
        Ok(Self { scope: Scope { user: Some(user), ..self.scope.clone() }, ..self.clone() })
    }

    /// Returns the same values, where what is written is there for this long and no longer. What it changes begins anew.
    #[must_use]
    pub fn expiring(&self, after: Duration) -> Self {
        Self { lifetime: Some(after), ..self.clone() }
    }

    /// Reads a value.
    ///
    /// # Errors
    ///
    /// If the store fails, or the value is not a `T`.
    pub async fn get<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>> {
        let stored = self.port.get(&self.scope, key).await?;
        stored.map(|stored| read(key, &stored.json)).transpose()
    }

    /// Writes a value, whatever was there.
    ///
    /// # Errors
    ///
    /// `too_large` or `store_full` if a limit of the operator's forbids it, if the store fails, or the value has no JSON form.
    pub async fn set<T: Serialize + ?Sized>(&self, key: &str, value: &T) -> Result<()> {
        let new = self.new_value(value, Lifetime::Forever)?;
        self.port.put(&self.scope, key, Expected::Any, Some(new)).await.map(drop)
    }

    /// Writes a value where there is none. Returns whether it did.
    ///
    /// # Errors
    ///
    /// As [`Store::set`].
    pub async fn insert<T: Serialize + ?Sized>(&self, key: &str, value: &T) -> Result<bool> {
        let new = self.new_value(value, Lifetime::Forever)?;
        self.port.put(&self.scope, key, Expected::Absent, Some(new)).await
    }

    /// Removes a value. Returns whether there was one.
    ///
    /// # Errors
    ///
    /// If the store fails.
    pub async fn remove(&self, key: &str) -> Result<bool> {
        loop {
            let Some(stored) = self.port.get(&self.scope, key).await? else { return Ok(false) };
            if self.port.put(&self.scope, key, Expected::Version(stored.version), None).await? {
                return Ok(true);
            }
        }
    }

    /// Changes a value, without losing what others write at the same time: `change` is called again if somebody was faster.
    /// Returns the new value, which is there for as long as the old one would have been.
    ///
    /// # Errors
    ///
    /// As [`Store::set`], if the value there is not a `T`, or others are always faster (`contended`, which is retryable).
    pub async fn update<T, F>(&self, key: &str, mut change: F) -> Result<T>
    where
        T: Serialize + DeserializeOwned,
        F: FnMut(Option<T>) -> T,
    {
        self.try_update(key, |old| Ok(change(old))).await
    }

    /// Changes a value as [`Store::update`] does, unless `change` refuses: then nothing is written, and its error is returned.
    ///
    /// # Errors
    ///
    /// What `change` returned, and as [`Store::update`].
    pub async fn try_update<T, F>(&self, key: &str, mut change: F) -> Result<T>
    where
        T: Serialize + DeserializeOwned,
        F: FnMut(Option<T>) -> Result<T>,
    {
        for _ in 0..UPDATE_ATTEMPTS {
            let stored = self.port.get(&self.scope, key).await?;
            let expected = stored.as_ref().map_or(Expected::Absent, |stored| Expected::Version(stored.version));
            let old = stored.map(|stored| read(key, &stored.json)).transpose()?;
            let new = change(old)?;
            let value = self.new_value(&new, Lifetime::AsBefore)?;
            if self.port.put(&self.scope, key, expected, Some(value)).await? {
                return Ok(new);
            }
        }
        Err(Error::new(format!("`{key}` was changed by others {UPDATE_ATTEMPTS} times in a row"))
            .with_code("contended")
            .retryable())
    }

    /// Lists at most `limit` values whose keys begin with `prefix`, after the key `after`.
    ///
    /// # Errors
    ///
    /// If the store fails, or a value is not a `T`.
    pub async fn list<T: DeserializeOwned>(&self, prefix: &str, after: Option<&str>, limit: usize) -> Result<Page<T>> {
        let page = self.port.list(&self.scope, prefix, after, limit).await?;
        let items = page.items.into_iter().map(|(key, stored)| read(&key, &stored.json).map(|value| (key, value)));
        Ok(Page { items: items.collect::<Result<_>>()?, next: page.next })
    }
}

impl Store {
    fn new_value<T: Serialize + ?Sized>(&self, value: &T, otherwise: Lifetime) -> Result<NewValue> {
        Ok(NewValue { json: serde_json::to_string(value)?, lifetime: self.lifetime.map_or(otherwise, Lifetime::For) })
    }
}

/// Returns the error of a program whose plugin knows another version of its values than the one that they have.
pub(crate) fn of_another_version(plugin: &PluginId, found: u32, known: u32) -> Error {
    Error::new(format!("the values of the plugin `{plugin}` have version {found}, and this program works with version {known}"))
        .with_code("store_version")
        .with_hint(
            "use the program that wrote them, or a newer one; `nekro data delete --plugin` removes them, `nekro data export --plugin` writes them down",
        )
}

fn read<T: DeserializeOwned>(key: &str, json: &str) -> Result<T> {
    serde_json::from_str(json).map_err(|source| {
        Error::new(format!("the value stored as `{key}` cannot be read as `{}`: {source}", std::any::type_name::<T>()))
            .with_code("stored_type")
    })
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").field("scope", &self.scope).finish_non_exhaustive()
    }
}

pub(crate) static STORE: CapabilityDecl = CapabilityDecl {
    name: "store",
    summary: "keeps values of its own",
    scope: None,
    provided: |ports| ports.has::<dyn StorePort>(),
};

impl<P: Plugin> Lend<P> for Store {
    const CAPABILITY: Option<&'static CapabilityDecl> = Some(&STORE);

    fn lend<'a>(call: &'a Call<'a>) -> Result<Loan<'a, Self>, Error> {
        let port = call.port::<dyn StorePort>(&STORE, |gated| Arc::new(gated))?;
        let caller = call.caller;
        Ok(Loan::Handle(Self::new(port, call.plugin.id().clone(), caller.session.clone(), caller.user.clone())))
    }
}
