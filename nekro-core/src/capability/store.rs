//! The plugin's own key-value store.

use std::{
    collections::BTreeMap,
    fmt,
    ops::Bound,
    sync::{Arc, Mutex, PoisonError},
};

use serde::{Serialize, de::DeserializeOwned};

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
/// conversation or the person of the call.
#[derive(Clone)]
pub struct Store {
    port: Arc<dyn StorePort>,
    scope: Scope,
    caller: (Option<SessionId>, Option<UserId>),
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
pub trait StorePort: Send + Sync {
    /// Reads a value.
    fn get(&self, scope: &Scope, key: &str) -> BoxFuture<'_, Result<Option<Stored>>>;

    /// Writes a value, or removes it if `json` is `None`, provided that what is there is what is expected. Returns whether it was.
    fn put(&self, scope: &Scope, key: &str, expected: Expected, json: Option<String>) -> BoxFuture<'_, Result<bool>>;

    /// Lists at most `limit` values whose keys begin with `prefix` and come after `after`.
    fn list(&self, scope: &Scope, prefix: &str, after: Option<&str>, limit: usize) -> BoxFuture<'_, Result<Page<Stored>>>;
}

/// How often [`Store::update`] tries again when somebody else wrote first.
const UPDATE_ATTEMPTS: usize = 64;

impl Store {
    /// Makes a handle over a port, for a plugin as a whole.
    pub fn new(port: Arc<dyn StorePort>, plugin: PluginId, session: Option<SessionId>, user: Option<UserId>) -> Self {
        Self { port, scope: Scope { plugin, session: None, user: None }, caller: (session, user) }
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
    /// If the store fails, or the value has no JSON form.
    pub async fn set<T: Serialize + ?Sized>(&self, key: &str, value: &T) -> Result<()> {
        let json = serde_json::to_string(value)?;
        self.port.put(&self.scope, key, Expected::Any, Some(json)).await.map(drop)
    }

    /// Writes a value where there is none. Returns whether it did.
    ///
    /// # Errors
    ///
    /// If the store fails, or the value has no JSON form.
    pub async fn insert<T: Serialize + ?Sized>(&self, key: &str, value: &T) -> Result<bool> {
        let json = serde_json::to_string(value)?;
        self.port.put(&self.scope, key, Expected::Absent, Some(json)).await
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
    /// Returns the new value.
    ///
    /// # Errors
    ///
    /// If the store fails, the value there is not a `T`, or others are always faster (`contended`, which is retryable).
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
            if self.port.put(&self.scope, key, expected, Some(serde_json::to_string(&new)?)).await? {
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

static STORE: CapabilityDecl = CapabilityDecl {
    name: "store",
    summary: "keeps values of its own",
    scope: None,
    provided: |ports| ports.has::<dyn StorePort>(),
};

impl<P: Plugin> Lend<P> for Store {
    const CAPABILITY: Option<&'static CapabilityDecl> = Some(&STORE);

    fn lend<'a>(call: &'a Call<'a>) -> Result<Loan<'a, Self>, Error> {
        let port = Arc::clone(call.kernel.ports().get::<dyn StorePort>()?);
        let caller = call.caller;
        Ok(Loan::Handle(Self::new(port, call.plugin.id().clone(), caller.session.clone(), caller.user.clone())))
    }
}

/// A store in memory: for tests, and for agents that need nothing kept.
#[derive(Default)]
pub struct MemoryStore(Mutex<Values>);

#[derive(Default)]
struct Values {
    rows: BTreeMap<(Scope, String), Stored>,
    // One counter for all keys: a key that was removed and written again never has a version it had before.
    writes: u64,
}

impl MemoryStore {
    fn with<T>(&self, f: impl FnOnce(&mut Values) -> T) -> T {
        // Every change is one insertion or removal, so a panic elsewhere leaves nothing half-done.
        f(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.with(|values| f.debug_map().entries(values.rows.iter()).finish())
    }
}

impl StorePort for MemoryStore {
    fn get(&self, scope: &Scope, key: &str) -> BoxFuture<'_, Result<Option<Stored>>> {
        let stored = self.with(|values| values.rows.get(&(scope.clone(), key.to_owned())).cloned());
        Box::pin(std::future::ready(Ok(stored)))
    }

    fn put(&self, scope: &Scope, key: &str, expected: Expected, json: Option<String>) -> BoxFuture<'_, Result<bool>> {
        let written = self.with(|values| {
            let place = (scope.clone(), key.to_owned());
            let version = values.rows.get(&place).map(|stored| stored.version);
            let fits = match expected {
                Expected::Any => true,
                Expected::Absent => version.is_none(),
                Expected::Version(expected) => version == Some(expected),
            };
            match json {
                _ if !fits => {}
                Some(json) => {
                    values.writes += 1;
                    values.rows.insert(place, Stored { json, version: values.writes });
                }
                None => {
                    values.rows.remove(&place);
                }
            }
            fits
        });
        Box::pin(std::future::ready(Ok(written)))
    }

    fn list(&self, scope: &Scope, prefix: &str, after: Option<&str>, limit: usize) -> BoxFuture<'_, Result<Page<Stored>>> {
        let page = self.with(|values| {
            let start = match after.filter(|after| *after >= prefix) {
                Some(after) => Bound::Excluded((scope.clone(), after.to_owned())),
                None => Bound::Included((scope.clone(), prefix.to_owned())),
            };
            let mut rest = values
                .rows
                .range((start, Bound::Unbounded))
                .take_while(|((of, key), _)| of == scope && key.starts_with(prefix))
                .map(|((_, key), stored)| (key.clone(), stored.clone()));
            let items: Vec<_> = rest.by_ref().take(limit).collect();
            let next = rest.next().and_then(|_| items.last().map(|(key, _)| key.clone()));
            Page { items, next }
        });
        Box::pin(std::future::ready(Ok(page)))
    }
}
