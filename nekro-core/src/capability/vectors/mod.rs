//! Texts that are found again by what they mean, or by their words: typed collections of a plugin's own.

mod filter;
mod memory;

use std::{fmt, marker::PhantomData, sync::Arc};

use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

pub use self::{
    filter::{FieldCondition, FieldTest, Filter},
    memory::MemoryVectors,
};
use super::{CapabilityDecl, Scope};
use crate::{
    call::{BoxFuture, Call},
    caller::Caller,
    error::{Error, Result},
    ids::{PluginId, SessionId, UserId},
    lend::{Lend, Loan},
    plugin::Plugin,
};

/// Texts that are found again by what they mean, or by their words: typed collections of a plugin's own.
///
/// The host turns texts into vectors by the embedding model that the operator has set (`[vectors.embedding]`). Without one, texts are compared
/// by their words, and [`Matches::lexical`] says so.
///
/// ```
/// use nekro_core::{Filter, prelude::*};
///
/// /// Keeps recipes.
/// #[plugin(id = "recipes")]
/// pub struct Recipes;
///
/// /// What is kept beside the text of a recipe.
/// #[derive(Serialize, Deserialize, JsonSchema)]
/// struct About {
///     title: String,
///     minutes: u32,
/// }
///
/// /// Keeps a recipe.
/// #[tool]
/// async fn keep(
///     vectors: &Vectors,
///     /// What it is called.
///     title: String,
///     /// How it is made.
///     text: String,
///     /// How long that takes.
///     minutes: u32,
/// ) -> Result<()> {
///     vectors.collection("recipes").upsert(&title.clone(), text, &About { title, minutes }).await
/// }
///
/// /// Finds recipes that do not take long.
/// #[tool]
/// async fn find(
///     vectors: &Vectors,
///     /// What one would like to eat.
///     wish: String,
/// ) -> Result<Vec<String>> {
///     let recipes = vectors.collection::<About>("recipes");
///     let found = recipes.search(wish).filter(Filter::new().at_most("minutes", 30)).limit(5).run().await?;
///     Ok(found.hits.into_iter().map(|hit| hit.value.title).collect())
/// }
/// # fn main() {
/// # use nekro_core::testing::Host;
/// # use serde_json::json;
/// let host = Host::of::<Recipes>();
/// host.call("keep", json!({ "title": "Soup", "text": "Boil leeks and potatoes.", "minutes": 25 })).unwrap();
/// host.call("keep", json!({ "title": "Gratin", "text": "Bake potatoes with cream.", "minutes": 60 })).unwrap();
/// assert_eq!(host.call_as::<Vec<String>>("find", json!({ "wish": "something with potatoes" })).unwrap(), ["Soup"]);
/// # }
/// ```
#[derive(Clone)]
pub struct Vectors {
    scope: Scope,
    caller: (Option<SessionId>, Option<UserId>),
    port: Arc<dyn VectorsPort>,
}

/// One collection of a plugin: texts, each with an id and a value of one type.
pub struct Collection<T> {
    place: VectorPlace,
    port: Arc<dyn VectorsPort>,
    value: PhantomData<fn() -> T>,
}

/// Which collection.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct VectorPlace {
    /// Whose.
    pub scope: Scope,
    /// Its name.
    pub collection: String,
}

impl VectorPlace {
    /// Names a collection of a plugin as a whole.
    pub fn new(plugin: impl Into<PluginId>, collection: impl Into<String>) -> Self {
        let scope = Scope { plugin: plugin.into(), session: None, user: None };
        Self { scope, collection: collection.into() }
    }
}

/// A text in a collection, as a port is given it.
#[derive(Clone, Debug, PartialEq)]
pub struct VectorPoint {
    /// What it is called in its collection.
    pub id: String,
    /// The text that is looked for.
    pub text: String,
    /// What is kept beside it.
    pub payload: Value,
}

/// What is looked for, as a port is given it.
#[derive(Clone, Debug, PartialEq)]
pub struct VectorQuery {
    /// A text with the same meaning, or with the same words.
    pub text: String,
    /// What has to be true of what is found.
    pub filter: Filter,
    /// How many at most.
    pub limit: usize,
    /// How texts are compared.
    pub by: SearchBy,
}

/// How texts are compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SearchBy {
    /// By both, as far as the host can: what is found by either comes first if both find it.
    #[default]
    Both,
    /// By what they mean; an error where there is no embedding model.
    Meaning,
    /// By their words.
    Words,
}

/// What a port has found.
#[derive(Clone, Debug, PartialEq)]
pub struct VectorMatches {
    /// The points, best first, with how well each fits: comparable within one search only.
    pub hits: Vec<(VectorPoint, f64)>,
    /// Whether texts were compared by their words alone.
    pub lexical: bool,
}

/// What there is to know of a collection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VectorState {
    /// How many texts it has.
    pub points: u64,
    /// The model that its texts were embedded with; `None` if they are compared by their words alone.
    pub model: Option<String>,
    /// How many numbers a vector has.
    pub dimension: Option<usize>,
    /// How many texts have no vector of this model yet; searches give them one, little by little.
    pub waiting: u64,
}

/// Which texts.
#[derive(Clone, Debug, PartialEq)]
pub enum VectorSelection {
    /// By their ids.
    Ids(Vec<String>),
    /// Those of which something is true.
    Where(Filter),
}

/// Where collections are kept. Implemented by the host, in its own database or in front of a server such as Qdrant: ids are texts, a
/// collection is made by its first text, and a filter has what all of them can do.
pub trait VectorsPort: Send + Sync {
    /// Writes texts, in place of those of the same ids. All of them, or none.
    ///
    /// # Errors
    ///
    /// `quota_exceeded`, `too_large`, or that the host cannot write.
    fn upsert<'a>(&'a self, place: &'a VectorPlace, points: Vec<VectorPoint>) -> BoxFuture<'a, Result<()>>;

    /// Removes texts, and returns how many there were.
    fn delete<'a>(&'a self, place: &'a VectorPlace, which: VectorSelection) -> BoxFuture<'a, Result<u64>>;

    /// Returns a text by its id.
    fn get<'a>(&'a self, place: &'a VectorPlace, id: &'a str) -> BoxFuture<'a, Result<Option<VectorPoint>>>;

    /// Finds texts.
    ///
    /// # Errors
    ///
    /// `no_embedding` for a search by meaning alone where there is no embedding model.
    fn search<'a>(&'a self, place: &'a VectorPlace, query: VectorQuery) -> BoxFuture<'a, Result<VectorMatches>>;

    /// Returns what there is to know of a collection, be it there or not.
    fn state<'a>(&'a self, place: &'a VectorPlace) -> BoxFuture<'a, Result<VectorState>>;
}

/// What was found.
#[derive(Clone, Debug, PartialEq)]
pub struct Matches<T> {
    /// The texts, best first.
    pub hits: Vec<Match<T>>,
    /// Whether texts were compared by their words alone.
    pub lexical: bool,
}

/// A text that was found.
#[derive(Clone, Debug, PartialEq)]
pub struct Match<T> {
    /// What it is called in its collection.
    pub id: String,
    /// The text.
    pub text: String,
    /// What is kept beside it.
    pub value: T,
    /// How well it fits: comparable within one search only.
    pub score: f64,
}

impl Vectors {
    /// Makes a handle over a port, for a caller outside of any conversation that nobody is known to be.
    pub fn new(plugin: impl Into<PluginId>, port: Arc<dyn VectorsPort>) -> Self {
        let scope = Scope { plugin: plugin.into(), session: None, user: None };
        Self { scope, caller: (None, None), port }
    }

    /// The same, for a caller.
    #[must_use]
    pub fn called_by(self, caller: &Caller) -> Self {
        Self { caller: (caller.session.clone(), caller.user.clone()), ..self }
    }

    /// Returns the collections that belong to the conversation of this call, and go with it.
    ///
    /// # Errors
    ///
    /// `no_session` if the call belongs to no conversation.
    pub fn session(&self) -> Result<Self> {
        let session = self
            .caller
            .0
            .clone()
            .ok_or_else(|| Error::new("there is no conversation whose collections could be read").with_code("no_session"))?;
        Ok(Self { scope: Scope { session: Some(session), ..self.scope.clone() }, ..self.clone() })
    }

    /// Returns the collections that belong to the person of this call; after [`Vectors::session`], to both.
    ///
    /// # Errors
    ///
    /// `no_user` if nobody is known to be asking.
    pub fn user(&self) -> Result<Self> {
        let user = self
            .caller
            .1
            .clone()
            .ok_or_else(|| Error::new("there is no person whose collections could be read").with_code("no_user"))?;
        Ok(Self { scope: Scope { user: Some(user), ..self.scope.clone() }, ..self.clone() })
    }

    /// Returns a collection. It is there as soon as a text is.
    pub fn collection<T>(&self, name: impl Into<String>) -> Collection<T> {
        let place = VectorPlace { scope: self.scope.clone(), collection: name.into() };
        Collection { place, port: Arc::clone(&self.port), value: PhantomData }
    }
}

impl<T: Serialize + DeserializeOwned> Collection<T> {
    /// Writes a text, in place of the one of the same id.
    ///
    /// # Errors
    ///
    /// As [`VectorsPort::upsert`] says, and if the value has no JSON form.
    pub async fn upsert(&self, id: &str, text: impl Into<String>, value: &T) -> Result<()> {
        self.upsert_all([(id.to_owned(), text.into(), value)]).await
    }

    /// Writes texts with their ids and values, in place of those of the same ids. All of them, or none.
    ///
    /// # Errors
    ///
    /// As [`Collection::upsert`] says.
    pub async fn upsert_all<'v>(&self, points: impl IntoIterator<Item = (String, String, &'v T)>) -> Result<()>
    where
        T: 'v,
    {
        let point = |(id, text, value)| Ok(VectorPoint { id, text, payload: serde_json::to_value(value)? });
        self.port.upsert(&self.place, points.into_iter().map(point).collect::<Result<_>>()?).await
    }

    /// Returns what is kept beside a text.
    ///
    /// # Errors
    ///
    /// If it cannot be read, or is not a `T`.
    pub async fn get(&self, id: &str) -> Result<Option<T>> {
        self.port.get(&self.place, id).await?.map(|point| self.read(&point.id, point.payload)).transpose()
    }

    /// Removes a text. Returns whether there was one.
    ///
    /// # Errors
    ///
    /// If it cannot be removed.
    pub async fn delete(&self, id: &str) -> Result<bool> {
        Ok(self.port.delete(&self.place, VectorSelection::Ids(vec![id.to_owned()])).await? > 0)
    }

    /// Removes the texts of which something is true, and returns how many there were. An empty filter is true of all.
    ///
    /// # Errors
    ///
    /// If they cannot be removed.
    pub async fn delete_where(&self, filter: Filter) -> Result<u64> {
        self.port.delete(&self.place, VectorSelection::Where(filter)).await
    }

    /// Begins to look for texts.
    pub fn search(&self, text: impl Into<String>) -> SearchBuilder<'_, T> {
        let query = VectorQuery { text: text.into(), filter: Filter::new(), limit: 10, by: SearchBy::Both };
        SearchBuilder { collection: self, query }
    }

    /// Returns what there is to know of the collection.
    ///
    /// # Errors
    ///
    /// If it cannot be read.
    pub async fn state(&self) -> Result<VectorState> {
        self.port.state(&self.place).await
    }

    fn read(&self, id: &str, payload: Value) -> Result<T> {
        serde_json::from_value(payload).map_err(|problem| {
            let (name, kind) = (&self.place.collection, std::any::type_name::<T>());
            Error::new(format!("what `{name}` keeps as `{id}` cannot be read as `{kind}`: {problem}")).with_code("stored_type")
        })
    }
}

/// What is looked for.
#[derive(Debug)]
#[must_use = "nothing is looked for until it is run"]
pub struct SearchBuilder<'a, T> {
    collection: &'a Collection<T>,
    query: VectorQuery,
}

impl<T: Serialize + DeserializeOwned> SearchBuilder<'_, T> {
    /// Finds so many texts at most; 10 if nothing is said.
    pub fn limit(mut self, limit: usize) -> Self {
        self.query.limit = limit;
        self
    }

    /// Finds only texts of which something is true.
    pub fn filter(mut self, filter: Filter) -> Self {
        self.query.filter = filter;
        self
    }

    /// Says how texts are compared.
    pub fn by(mut self, by: SearchBy) -> Self {
        self.query.by = by;
        self
    }

    /// Looks.
    ///
    /// # Errors
    ///
    /// As [`VectorsPort::search`] says, and if something that is kept is not a `T`.
    pub async fn run(self) -> Result<Matches<T>> {
        let collection = self.collection;
        let VectorMatches { hits, lexical } = collection.port.search(&collection.place, self.query).await?;
        let hits = hits.into_iter().map(|(VectorPoint { id, text, payload }, score)| {
            let value = collection.read(&id, payload)?;
            Ok(Match { id, text, value, score })
        });
        Ok(Matches { hits: hits.collect::<Result<_>>()?, lexical })
    }
}

impl<T> Clone for Collection<T> {
    fn clone(&self) -> Self {
        Self { place: self.place.clone(), port: Arc::clone(&self.port), value: PhantomData }
    }
}

impl<T> fmt::Debug for Collection<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Collection").field(&self.place).finish()
    }
}

impl fmt::Debug for Vectors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vectors").field("scope", &self.scope).finish_non_exhaustive()
    }
}

static VECTORS: CapabilityDecl = CapabilityDecl {
    name: "vectors",
    summary: "keeps texts of its own, and finds them by what they mean",
    scope: None,
    provided: |ports| ports.has::<dyn VectorsPort>(),
};

impl<P: Plugin> Lend<P> for Vectors {
    const CAPABILITY: Option<&'static CapabilityDecl> = Some(&VECTORS);

    fn lend<'a>(call: &'a Call<'a>) -> Result<Loan<'a, Self>, Error> {
        let port = call.port::<dyn VectorsPort>(&VECTORS, |gated| Arc::new(gated))?;
        Ok(Loan::Handle(Self::new(call.plugin.id().clone(), port).called_by(call.caller)))
    }
}
