//! Collections in a real database, with an embedding model that knows a few words, and with one behind a socket.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use nekro_core::{Caller, Collection, Filter, Vectors, testing::FakeClock};
use serde::{Deserialize, Serialize};
use tempfile::TempDir;

use super::*;
use crate::storage::DataDirectory;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Note {
    source: String,
    year: u32,
}

/// A model in which words of one kind mean the same.
struct Kinds {
    name: &'static str,
    away: AtomicBool,
    embedded: AtomicUsize,
}

impl Kinds {
    fn named(name: &'static str) -> Arc<Self> {
        Arc::new(Self { name, away: AtomicBool::new(false), embedded: AtomicUsize::new(0) })
    }
}

impl Embedder for Kinds {
    fn model(&self) -> &str {
        self.name
    }

    fn embed<'a>(&'a self, texts: &'a [String]) -> BoxFuture<'a, Result<Embedded>> {
        const KINDS: [&[&str]; 3] = [&["dog", "hound", "puppy"], &["car", "automobile", "vehicle"], &["tea", "brew", "leaves"]];
        self.embedded.fetch_add(texts.len(), Ordering::Relaxed);
        let vector = |text: &String| {
            let text = text.to_lowercase();
            let count = |words: &&[&str]| words.iter().filter(|word| text.contains(**word)).count() as f32;
            KINDS.iter().map(count).chain([0.1]).collect()
        };
        let result = match self.away.load(Ordering::Relaxed) {
            true => Err(Error::new("the model is away").with_code("embedding")),
            false => Ok(Embedded { vectors: texts.iter().map(vector).collect(), tokens: estimated_tokens(texts) }),
        };
        Box::pin(std::future::ready(result))
    }
}

struct World {
    place: TempDir,
    settings: VectorsSettings,
}

impl World {
    fn new() -> Self {
        Self { place: tempfile::tempdir().expect("a directory"), settings: VectorsSettings::default() }
    }

    /// Opens the database as a program that has just been started.
    fn notes_of(&self, plugin: &str, embedder: Option<Arc<Kinds>>) -> Collection<Note> {
        let storage = Storage::new(DataDirectory::new(self.place.path()), Arc::new(FakeClock::default()));
        let embedder = embedder.map(|embedder| embedder as Arc<dyn Embedder>);
        let port = Collections::new(&self.settings, Arc::new(storage), embedder);
        Vectors::new(plugin.to_owned(), Arc::new(port)).collection("notes")
    }

    fn notes(&self, embedder: Option<Arc<Kinds>>) -> Collection<Note> {
        self.notes_of("memory", embedder)
    }
}

fn note(source: &str, year: u32) -> Note {
    Note { source: source.to_owned(), year }
}

async fn fill(notes: &Collection<Note>) {
    for (id, text, value) in [
        ("a", "The hound sleeps by the fire.", note("diary", 2029)),
        ("b", "An automobile needs fuel.", note("manual", 2030)),
        ("c", "Brew the leaves for two minutes.", note("manual", 2031)),
        ("d", "绿茶要用七十度的水", note("diary", 2031)),
    ] {
        notes.upsert(id, text, &value).await.expect("it is kept");
    }
}

async fn ids(notes: &Collection<Note>, text: &str, by: SearchBy, filter: Filter) -> Vec<String> {
    let found = notes.search(text).by(by).filter(filter).run().await.expect("it looks");
    found.hits.into_iter().map(|hit| hit.id).collect()
}

#[tokio::test]
async fn without_a_model_texts_are_found_by_their_words_and_that_is_told() {
    let world = World::new();
    let notes = world.notes(None);
    assert_eq!(notes.search("anything").run().await.expect("it looks").hits, []);
    fill(&notes).await;
    for (text, expected) in [
        ("sleeping hounds", vec!["a"]),
        ("minutes, fuel", vec!["b", "c"]),
        ("绿茶", vec!["d"]),
        ("puppy", vec![]),
        ("\" OR * NEAR(", vec![]),
        ("", vec![]),
    ] {
        let mut found = ids(&notes, text, SearchBy::Both, Filter::new()).await;
        found.sort();
        assert_eq!(found, expected, "{text}");
    }
    assert!(notes.search("hound").run().await.expect("it looks").lexical);
    let error = notes.search("hound").by(SearchBy::Meaning).run().await.expect_err("there is no model");
    assert_eq!(error.code(), "no_embedding");
    let state = notes.state().await.expect("a state");
    assert_eq!((state.points, state.model, state.waiting), (4, None, 0));
}

#[tokio::test]
async fn with_a_model_texts_are_found_by_what_they_mean() {
    let world = World::new();
    let notes = world.notes(Some(Kinds::named("kinds")));
    fill(&notes).await;
    let by = |text, by| ids(&notes, text, by, Filter::new());
    assert_eq!(by("a puppy", SearchBy::Meaning).await[0], "a");
    assert_eq!(by("vehicle", SearchBy::Meaning).await[0], "b");
    assert_eq!(by("绿茶", SearchBy::Both).await[0], "d", "words that the model does not know");
    assert_eq!(by("tea for two", SearchBy::Both).await[0], "c");
    let found = notes.search("puppy").limit(1).run().await.expect("it looks");
    assert_eq!((found.hits[0].value.clone(), found.lexical), (note("diary", 2029), false));
}

#[tokio::test]
async fn a_filter_holds_for_what_is_found_however_few_fit() {
    let world = World::new();
    let notes = world.notes(Some(Kinds::named("kinds")));
    let many: Vec<_> = (0..300).map(|at| (format!("n{at}"), "a dog".to_owned(), note("many", at))).collect();
    notes.upsert_all(many.iter().map(|(id, text, value)| (id.clone(), text.clone(), value))).await.expect("they are kept");
    fill(&notes).await;
    for by in [SearchBy::Both, SearchBy::Meaning, SearchBy::Words] {
        assert_eq!(
            ids(&notes, "dog hound", by, Filter::new().eq("source", "diary").at_most("year", 2029)).await,
            ["a"],
            "{by:?}"
        );
    }
    assert_eq!(ids(&notes, "dog", SearchBy::Meaning, Filter::new().eq("source", "many").eq("year", 299)).await, ["n299"]);
    assert_eq!(ids(&notes, "dog", SearchBy::Both, Filter::new().eq("source", "nobody")).await, Vec::<String>::new());
    assert_eq!(
        notes.search("dog").limit(300).filter(Filter::new().eq("source", "many")).run().await.expect("it looks").hits.len(),
        300
    );
}

#[tokio::test]
async fn what_is_kept_is_there_after_the_end_and_what_is_removed_is_not() {
    let world = World::new();
    fill(&world.notes(Some(Kinds::named("kinds")))).await;
    let kinds = Kinds::named("kinds");
    let notes = world.notes(Some(Arc::clone(&kinds)));
    assert_eq!(ids(&notes, "puppy", SearchBy::Meaning, Filter::new()).await[0], "a");
    assert_eq!(kinds.embedded.load(Ordering::Relaxed), 1, "only what is looked for is embedded");
    assert_eq!(notes.get("a").await.expect("it is read"), Some(note("diary", 2029)));
    notes.upsert("a", "A car, now.", &note("diary", 2032)).await.expect("it is replaced");
    assert_eq!(ids(&notes, "hound", SearchBy::Words, Filter::new()).await, Vec::<String>::new());
    assert!(ids(&notes, "vehicle", SearchBy::Meaning, Filter::new()).await[..2].contains(&"a".to_owned()));
    assert!(notes.delete("b").await.expect("it is removed"));
    assert!(!notes.delete("b").await.expect("it was removed"));
    assert_eq!(notes.delete_where(Filter::new().eq("year", 2031)).await.expect("they are removed"), 2);
    for by in [SearchBy::Both, SearchBy::Meaning] {
        assert_eq!(ids(&notes, "automobile, tea, 绿茶", by, Filter::new()).await, ["a"], "{by:?}");
    }
    assert_eq!((notes.get("b").await.expect("it is read"), notes.state().await.expect("a state").points), (None, 1));
}

#[tokio::test]
async fn a_collection_is_its_plugins_own() {
    let world = World::new();
    fill(&world.notes(None)).await;
    let other = world.notes_of("other", None);
    assert_eq!(ids(&other, "hound", SearchBy::Both, Filter::new()).await, Vec::<String>::new());
    other.upsert("a", "another hound", &note("x", 1)).await.expect("it is kept");
    assert_eq!(other.search("hound").run().await.expect("it looks").hits[0].text, "another hound");
    assert_eq!(other.delete_where(Filter::new()).await.expect("all are removed"), 1);
    assert_eq!(world.notes(None).state().await.expect("a state").points, 4);
}

#[tokio::test]
async fn with_another_model_everything_is_embedded_anew() {
    let world = World::new();
    fill(&world.notes(Some(Kinds::named("old")))).await;
    let kinds = Kinds::named("new");
    let notes = world.notes(Some(Arc::clone(&kinds)));
    let state = notes.state().await.expect("a state");
    assert_eq!((state.model.as_deref(), state.waiting), (Some("new"), 4));
    assert_eq!(ids(&notes, "puppy", SearchBy::Meaning, Filter::new()).await[0], "a");
    let state = notes.state().await.expect("a state");
    assert_eq!((state.model.as_deref(), state.dimension, state.waiting), (Some("new"), Some(4), 0));
    // One text to know the length, four texts, and what is looked for.
    assert_eq!(kinds.embedded.load(Ordering::Relaxed), 6);
}

#[tokio::test]
async fn what_is_written_while_the_model_is_away_is_found_by_words_and_later_by_meaning() {
    let world = World::new();
    let kinds = Kinds::named("kinds");
    kinds.away.store(true, Ordering::Relaxed);
    let notes = world.notes(Some(Arc::clone(&kinds)));
    fill(&notes).await;
    let found = notes.search("hound").run().await.expect("it looks");
    assert_eq!((found.hits.len(), found.lexical), (1, true));
    assert_eq!(notes.search("hound").by(SearchBy::Meaning).run().await.expect_err("it is away").code(), "embedding");
    assert_eq!(notes.state().await.expect("a state").waiting, 4);
    kinds.away.store(false, Ordering::Relaxed);
    assert_eq!(ids(&notes, "puppy", SearchBy::Both, Filter::new()).await[0], "a");
    assert_eq!(notes.state().await.expect("a state").waiting, 0);
}

#[tokio::test]
async fn limits_are_told_with_their_names() {
    let mut world = World::new();
    world.settings = VectorsSettings { points: 2, text_characters: 10, payload_bytes: 40, ..VectorsSettings::default() };
    let notes = world.notes(None);
    notes.upsert("a", "one", &note("x", 1)).await.expect("it is kept");
    for (id, text, source, code, key) in [
        ("b", "more than ten", "x", "too_large", "vectors.text_characters"),
        ("b", "two", "a source with a long name, too long", "too_large", "vectors.payload_bytes"),
        ("", "two", "x", "bad_name", ""),
        ("a\nb", "two", "x", "bad_name", ""),
    ] {
        let error = notes.upsert(id, text, &note(source, 1)).await.expect_err("it is refused");
        assert_eq!((error.code(), error.hint().unwrap_or_default().contains(key)), (code, true), "{error}");
    }
    let value = note("x", 2);
    let two = ["b", "c"].map(|id| (id.to_owned(), "two".to_owned(), &value));
    let error = notes.upsert_all(two).await.expect_err("too many");
    assert_eq!((error.code(), error.hint()), ("quota_exceeded", Some("remove some; the limit is `vectors.points`")));
    assert_eq!(notes.state().await.expect("a state").points, 1, "none of them is kept");
    notes.upsert("a", "once more", &value).await.expect("it takes no further place");
    world.notes_of("other", None).upsert("a", "one", &value).await.expect("each plugin has its own");
}

#[tokio::test]
async fn vectors_that_have_no_room_in_memory_are_read_again() {
    let mut world = World::new();
    world.settings.memory_bytes = 0;
    let notes = world.notes(Some(Kinds::named("kinds")));
    fill(&notes).await;
    for _ in 0..2 {
        assert_eq!(ids(&notes, "puppy", SearchBy::Meaning, Filter::new()).await[0], "a");
    }
}

#[tokio::test]
async fn a_collection_of_a_conversation_is_not_that_of_another_and_goes_with_it() {
    let world = World::new();
    let storage = Arc::new(Storage::new(DataDirectory::new(world.place.path()), Arc::new(FakeClock::default())));
    let port = Arc::new(Collections::new(&world.settings, Arc::clone(&storage), Some(Kinds::named("kinds") as _)));
    let vectors = |session: &str| {
        let caller = Caller::operator().in_session(session);
        Vectors::new("memory", Arc::clone(&port) as _).called_by(&caller)
    };
    let of = |session: &str| vectors(session).session().expect("a conversation").collection::<Note>("notes");
    for session in ["a", "b"] {
        fill(&of(session)).await;
    }
    of("b").upsert("e", "Another puppy.", &note("diary", 2032)).await.expect("it is kept");
    let search = async |notes: &Collection<Note>, by| ids(notes, "puppy hound", by, Filter::new()).await;
    assert_eq!(search(&of("a"), SearchBy::Words).await, ["a"]);
    assert_eq!(search(&of("b"), SearchBy::Meaning).await[..2].len(), 2);
    assert_eq!(
        vectors("a").collection::<Note>("notes").state().await.expect("a state").points,
        0,
        "that of the plugin is another"
    );
    assert_eq!(vectors("a").user().expect_err("nobody is known").code(), "no_user");

    assert!(storage.delete_session(&"b".into()).await.expect("it deletes"), "although nothing was said in it");
    for by in [SearchBy::Words, SearchBy::Meaning] {
        assert_eq!(search(&of("b"), by).await, Vec::<String>::new(), "{by:?}");
        assert_eq!(search(&of("a"), by).await[0], "a", "{by:?}");
    }
    of("b").upsert("z", "A hound.", &note("diary", 1)).await.expect("it is kept");
    assert_eq!(search(&of("b"), SearchBy::Meaning).await, ["z"], "what was held in memory is not that of the new one");
    assert_eq!(
        Collections::new(&world.settings, storage, None)
            .state(&VectorPlace::new("memory", "notes"))
            .await
            .expect("a state")
            .points,
        0
    );
}

#[tokio::test]
async fn what_vectors_cost_is_booked_to_the_plugin() {
    let world = World::new();
    let storage = Arc::new(Storage::new(DataDirectory::new(world.place.path()), Arc::new(FakeClock::default())));
    let port = Arc::new(Collections::new(&world.settings, Arc::clone(&storage), Some(Kinds::named("kinds") as _)));
    let notes = Vectors::new("memory", port).collection::<Note>("notes");
    notes.upsert("a", "The hound sleeps by the fire.", &note("diary", 1)).await.expect("it is kept");
    let spent = async |plugin: &str| {
        let total = storage.usage_of_plugin(&plugin.into(), nekro_core::Timestamp::MIN, None).await.expect("it counts");
        (total.answers, total.usage.input_tokens, total.usage.output_tokens)
    };
    assert_eq!(spent("memory").await, (1, 8, 0));
    notes.search("puppy").run().await.expect("it looks");
    assert_eq!((spent("memory").await, spent("other").await), ((2, 10, 0), (0, 0, 0)));
    notes.search("puppy").by(SearchBy::Words).run().await.expect("it looks");
    assert_eq!(spent("memory").await.0, 2, "words cost nothing");
}
