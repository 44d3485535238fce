//! Bringing what a plugin has kept to the shape that it works with now.

use std::collections::BTreeMap;

use serde::{Serialize, de::DeserializeOwned};

use super::{Scope, of_another_version, read};
use crate::{
    error::{Error, Result},
    ids::PluginId,
    kernel::guarded,
};

/// A step from one version of a plugin's values to the next.
pub type MigrationStep = fn(&mut Migration) -> Result<()>;

/// Everything that a plugin keeps, in all its scopes, while its shape changes.
///
/// The steps stand in `#[plugin(migrations = […])]`, in order: the first leads from version 1 to version 2. They are taken before the
/// plugin's `#[init]`, on what an older version of it has kept, all of them or none. A step that has been released is never changed again.
///
/// ```
/// use nekro_core::prelude::*;
///
/// /// Keeps notes.
/// #[plugin(id = "pad", migrations = [notes_have_titles])]
/// pub struct Pad;
///
/// #[derive(Serialize, Deserialize)]
/// struct Note {
///     title: String,
///     text: String,
/// }
///
/// fn notes_have_titles(values: &mut Migration) -> Result<()> {
///     values.change("note/", |key, text: String| Ok(Note { title: key.trim_start_matches("note/").to_owned(), text }))
/// }
///
/// /// Reads a note.
/// #[tool]
/// async fn title(store: &Store, /** Which. */ note: &str) -> Result<Option<String>> {
///     Ok(store.get::<Note>(&format!("note/{note}")).await?.map(|note| note.title))
/// }
/// # fn main() {
/// # use std::sync::Arc;
/// # use nekro_core::{MemoryStore, StorePort, testing::Host};
/// # use serde_json::json;
/// let kept: Arc<dyn StorePort> = Arc::new(MemoryStore::default());
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let of_version_1 = Store::new(Arc::clone(&kept), "pad".into(), None, None);
/// of_version_1.set("note/milk", "buy some").await.unwrap();
/// # });
/// let host = Host::builder::<Pad>().port(kept).start();
/// assert_eq!(host.call_as::<String>("title", json!({ "note": "milk" })).unwrap(), "milk");
/// # }
/// ```
#[derive(Debug, Default)]
pub struct Migration {
    values: BTreeMap<(Scope, String), Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    before: Option<String>,
    now: Option<String>,
}

impl Migration {
    /// Makes one for what a plugin keeps.
    pub fn new(values: impl IntoIterator<Item = (Scope, String, String)>) -> Self {
        let kept = |(scope, key, json): (Scope, String, String)| {
            let before = Some(json);
            ((scope, key), Kept { now: before.clone(), before })
        };
        Self { values: values.into_iter().map(kept).collect() }
    }

    /// Takes the steps that values of this version lack, and returns the version that they have then. Called by the store.
    ///
    /// # Errors
    ///
    /// What a step returns, and `store_version` if no step leads to this version.
    pub fn take(&mut self, plugin: &PluginId, version: u32, steps: &[MigrationStep]) -> Result<u32> {
        let known = known(steps);
        let lacking = usize::try_from(version).ok().and_then(|version| steps.get(version.checked_sub(1)?..));
        for (from, step) in (version..).zip(lacking.ok_or_else(|| of_another_version(plugin, version, known))?) {
            guarded(|| step(self)).map_err(|failure| {
                let to = from + 1;
                Error::new(format!("the values of `{plugin}` could not be brought from version {from} to {to}: {failure}"))
                    .with_code("migration")
                    .with_hint("nothing was changed; the version of the plugin that kept them still reads them")
            })?;
        }
        Ok(known)
    }

    /// Returns what is another value now; `None` for one that was removed. Called by the store.
    pub fn changes(&self) -> impl Iterator<Item = (&Scope, &str, Option<&str>)> {
        let changed = self.values.iter().filter(|(_, kept)| kept.before != kept.now);
        changed.map(|((scope, key), kept)| (scope, key.as_str(), kept.now.as_deref()))
    }

    /// Changes each value whose key begins with `prefix`.
    ///
    /// # Errors
    ///
    /// If a value is not an `Old`, and what `change` returns.
    pub fn change<Old, New>(&mut self, prefix: &str, mut change: impl FnMut(&str, Old) -> Result<New>) -> Result<()>
    where
        Old: DeserializeOwned,
        New: Serialize,
    {
        for ((_, key), kept) in &mut self.values {
            if let Some(json) = kept.now.as_ref().filter(|_| key.starts_with(prefix)) {
                kept.now = Some(serde_json::to_string(&change(key, read(key, json)?)?)?);
            }
        }
        Ok(())
    }

    /// Gives each value whose key begins with `prefix` the key that `name` makes of its own.
    ///
    /// # Errors
    ///
    /// `exists` if there is a value of that key already.
    pub fn rename(&mut self, prefix: &str, mut name: impl FnMut(&str) -> String) -> Result<()> {
        let is_meant = |(_, key): &(Scope, String), kept: &Kept| key.starts_with(prefix) && kept.now.is_some();
        let meant: Vec<_> =
            self.values.iter().filter(|(place, kept)| is_meant(place, kept)).map(|(place, _)| place.clone()).collect();
        // All are taken away first: one may get the key that another one had.
        let taken: Vec<_> =
            meant.into_iter().map(|place| (self.values.get_mut(&place).and_then(|kept| kept.now.take()), place)).collect();
        for (json, (scope, key)) in taken {
            let new = name(&key);
            let place = self.values.entry((scope, new)).or_default();
            if place.now.is_some() {
                let new = name(&key);
                return Err(Error::new(format!("`{key}` cannot become `{new}`, which is there already")).with_code("exists"));
            }
            place.now = json;
        }
        Ok(())
    }

    /// Removes each value whose key begins with `prefix`.
    pub fn remove(&mut self, prefix: &str) {
        self.values.iter_mut().filter(|((_, key), _)| key.starts_with(prefix)).for_each(|(_, kept)| kept.now = None);
    }
}

/// Returns the version that values have after all steps.
pub(super) fn known(steps: &[MigrationStep]) -> u32 {
    u32::try_from(steps.len()).unwrap_or(u32::MAX).saturating_add(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(all: &[(&str, &str)]) -> Migration {
        let scope = Scope { plugin: "p".into(), session: None, user: None };
        Migration::new(all.iter().map(|(key, json)| (scope.clone(), (*key).to_owned(), (*json).to_owned())))
    }

    fn changes(migration: &Migration) -> String {
        let all: Vec<_> = migration.changes().map(|(_, key, json)| format!("{key}={}", json.unwrap_or("none"))).collect();
        all.join(" ")
    }

    #[test]
    fn values_are_changed_renamed_and_removed() {
        let mut values = values(&[("a/1", "1"), ("a/2", "2"), ("b", "3"), ("c", "4")]);
        values.change("a/", |_, old: u32| Ok(old + 10)).expect("numbers");
        values.rename("a/", |key| key.replace("a/", "d/")).expect("they are free");
        values.remove("b");
        assert_eq!(changes(&values), "a/1=none a/2=none b=none d/1=11 d/2=12");
    }

    #[test]
    fn keys_can_be_exchanged_and_not_lost() {
        let mut values = values(&[("a", "1"), ("b", "2")]);
        values.rename("", |key| if key == "a" { "b".to_owned() } else { "a".to_owned() }).expect("they are free");
        assert_eq!(changes(&values), "a=2 b=1");
        assert_eq!(values.rename("", |_| "c".to_owned()).expect_err("one is lost").code(), "exists");
    }

    #[test]
    fn only_the_steps_that_are_lacking_are_taken() {
        fn double(values: &mut Migration) -> Result<()> {
            values.change("", |_, old: u32| Ok(old * 2))
        }
        fn fail(_: &mut Migration) -> Result<()> {
            Err(Error::new("no"))
        }
        let plugin = PluginId::from("p");
        let take = |version: u32, steps: &[MigrationStep]| {
            let mut values = values(&[("a", "3")]);
            match values.take(&plugin, version, steps) {
                Ok(known) => format!("{known}: {}", changes(&values)),
                Err(error) => error.to_string(),
            }
        };
        assert_eq!(take(1, &[double, double]), "3: a=12");
        assert_eq!(take(2, &[double, double]), "3: a=6");
        assert_eq!(take(3, &[double, double]), "3: ");
        assert_eq!(take(1, &[double, fail]), "the values of `p` could not be brought from version 2 to 3: no");
        for unknown in [0, 2] {
            assert_eq!(
                take(unknown, &[]),
                format!("the values of the plugin `p` have version {unknown}, and this program works with version 1")
            );
        }
    }
}
