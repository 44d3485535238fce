//! Keeps documents, and finds the places in them that answer a question, each with where it stands.

#![forbid(unsafe_code)]

mod chunk;
mod document;
mod name;
mod pdf;
mod source;

use nekro_core::{Collection, Filter, prelude::*};

use crate::{
    chunk::Chunk,
    document::Document,
    source::{PREFIX, key},
};
pub use crate::{
    name::{NameError, SourceName},
    source::{Form, Source},
};

/// Keeps documents, and finds the places in them that answer a question.
///
/// Each conversation has documents of its own, unless the operator lets all share theirs.
#[plugin(category = "memory")]
#[serde(default)]
pub struct Knowledge {
    /// Whether all conversations share their documents.
    shared: bool,
    /// How many documents a conversation may keep; or all together, if they share theirs.
    #[schemars(range(min = 1, max = 10_000))]
    max_sources: usize,
    /// The most bytes of a document.
    #[schemars(range(min = 1_000, max = 20_000_000))]
    max_bytes: usize,
    /// How many characters a place has, about: documents are cut into places of this length, at headings and paragraphs.
    #[schemars(range(min = 200, max = 4_000))]
    place_characters: usize,
}

impl Default for Knowledge {
    fn default() -> Self {
        Self { shared: false, max_sources: 200, max_bytes: 5_000_000, place_characters: 1_000 }
    }
}

/// A document was taken in.
#[event]
#[derive(Debug, PartialEq)]
pub struct SourceIngested {
    /// The conversation, if it was taken in in one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<SessionId>,
    /// The document.
    pub source: Source,
}

/// What is kept beside the text of a place.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Place {
    source: SourceName,
    heading: String,
    first_line: usize,
    last_line: usize,
}

/// Places that were found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Answer {
    /// The places, best first. What they say is the documents' word; name the source of what you use.
    pub places: Vec<Cited>,
    /// Whether texts were compared by their words alone: other words for the same thing may then find more.
    pub lexical: bool,
}

/// A place in a document.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Cited {
    /// How to name it, such as `manual.md, lines 3-9 (Brewing > Green tea)`.
    pub citation: String,
    /// The document.
    pub source: SourceName,
    /// What it says.
    pub text: String,
    /// How well it fits: comparable within one search only.
    pub score: f64,
}

/// Takes in a document, so that `knowledge.search` finds what is in it. One of the same name is replaced.
///
/// Plain text, Markdown, HTML and PDF are read.
#[tool(deadline = "10m", tags = ["knowledge", "documents", "remember"])]
async fn ingest(
    ctx: &Ctx,
    files: &Files,
    store: &Store,
    vectors: &Vectors,
    clock: &Clock,
    events: &Events,
    progress: &Progress,
    knowledge: &Knowledge,
    /// The document: a file of this conversation, such as "manual.md", or a data URL, such as "data:text/plain,…".
    file: FileSource,
    /// What to call it; left out, as the file is called.
    name: Option<SourceName>,
) -> Result<Source> {
    let taken = files.take(&file).await?;
    let name = match name.or_else(|| taken.name.as_deref().and_then(|name| SourceName::try_from(name.to_owned()).ok())) {
        Some(name) => name,
        None => return Err(Error::new("the document has no name").with_code("no_name").with_hint("give it one with `name`")),
    };
    if taken.bytes.len() > knowledge.max_bytes {
        return Err(Error::new(format!(
            "`{name}` has {} bytes, and {} are read at most",
            taken.bytes.len(),
            knowledge.max_bytes
        ))
        .with_code("too_large")
        .with_hint("the limit is `plugins.knowledge.max_bytes`"));
    }
    let bytes = taken.bytes.len();
    let document = Document::read(taken.bytes, taken.media_type, taken.name.as_deref())
        .await
        .map_err(|refusal| Error::new(format!("`{name}` {refusal}")).with_code(refusal.code()))?;
    let chunks = chunk::cut(&document.text, knowledge.place_characters);
    if chunks.is_empty() {
        let hint = "text in pictures, such as that of a scanned page, is not read";
        return Err(Error::new(format!("`{name}` has no text")).with_code("empty").with_hint(hint));
    }
    let (store, places) = (knowledge.list(ctx, store)?, knowledge.places(ctx, vectors)?);
    let known = list_all(&store).await?;
    if known.len() >= knowledge.max_sources && known.iter().all(|source| source.name != name) {
        return Err(Error::new(format!("there are {} documents already", known.len()))
            .with_code("too_many_sources")
            .with_hint("remove one with `knowledge.remove`; the limit is `plugins.knowledge.max_sources`"));
    }
    let source = Source { name: name.clone(), form: document.form, bytes, places: chunks.len(), added: clock.now() };
    // Written down first: whatever goes wrong then, there is something to remove.
    store.set(&key(&name), &source).await?;
    places.delete_where(of(Some(&name))).await?;
    write(&places, &name, &chunks, progress).await?;
    events.emit(SourceIngested { session: ctx.session().cloned(), source: source.clone() });
    Ok(source)
}

/// Finds places in the documents that were taken in, with where they stand.
///
/// Use it before you answer a question about them, and name the source of what you use.
#[tool(read_only, tags = ["knowledge", "documents", "search", "remember"])]
async fn search(
    ctx: &Ctx,
    vectors: &Vectors,
    knowledge: &Knowledge,
    /// What to look for: a question, or words that the place would have.
    query: String,
    /// Only in this document.
    source: Option<SourceName>,
    /// How many places at most.
    #[arg(default = 5, range = 1..=20)]
    limit: usize,
) -> Result<Answer> {
    let places = knowledge.places(ctx, vectors)?;
    let found = places.search(query).filter(of(source.as_ref())).limit(limit).run().await?;
    let cited = found.hits.into_iter().map(|hit| {
        let Place { source, heading, first_line, last_line, .. } = hit.value;
        let heading = if heading.is_empty() { String::new() } else { format!(" ({heading})") };
        let lines = match first_line == last_line {
            true => format!("line {first_line}"),
            false => format!("lines {first_line}-{last_line}"),
        };
        let citation = format!("{source}, {lines}{heading}");
        Cited { citation, source, text: hit.text, score: hit.score }
    });
    Ok(Answer { places: cited.collect(), lexical: found.lexical })
}

/// Lists the documents that were taken in.
#[tool(read_only, tags = ["knowledge", "documents"])]
async fn sources(ctx: &Ctx, store: &Store, knowledge: &Knowledge) -> Result<Vec<Source>> {
    list_all(&knowledge.list(ctx, store)?).await
}

/// Removes a document, with all of its places.
#[tool(destructive, idempotent, tags = ["knowledge", "documents", "forget"])]
async fn remove(
    ctx: &Ctx,
    store: &Store,
    vectors: &Vectors,
    knowledge: &Knowledge,
    /// The document, as `knowledge.sources` names it.
    source: SourceName,
) -> Result<u64> {
    let (store, places) = (knowledge.list(ctx, store)?, knowledge.places(ctx, vectors)?);
    let places = places.delete_where(of(Some(&source))).await?;
    let known = store.remove(&key(&source)).await?;
    if !known && places == 0 {
        return Err(Error::new(format!("there is no document `{source}`"))
            .with_code("not_found")
            .with_hint("`knowledge.sources` lists them"));
    }
    Ok(places)
}

/// Where the places of all documents are kept.
const COLLECTION: &str = "places";

/// How many places are written at once.
const BATCH: usize = 200;

async fn write(places: &Collection<Place>, source: &SourceName, chunks: &[Chunk], progress: &Progress) -> Result<()> {
    let make = |(number, chunk): (usize, &Chunk)| {
        let place = Place {
            source: source.clone(),
            heading: chunk.heading.clone(),
            first_line: chunk.first_line,
            last_line: chunk.last_line,
        };
        (format!("{:016x}/{number}", source::fingerprint(source.as_str())), chunk.text.clone(), place)
    };
    let made: Vec<_> = chunks.iter().enumerate().map(make).collect();
    for (number, batch) in made.chunks(BATCH).enumerate() {
        progress.done_of(number * BATCH, made.len(), format!("writing places of {source}"));
        places.upsert_all(batch.iter().map(|(id, text, place)| (id.clone(), text.clone(), place))).await?;
    }
    Ok(())
}

/// Returns what is true of all places, or of those of one document.
fn of(source: Option<&SourceName>) -> Filter {
    match source {
        Some(source) => Filter::new().eq("source", source.as_str()),
        None => Filter::new(),
    }
}

async fn list_all(store: &Store) -> Result<Vec<Source>> {
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let page = store.list::<Source>(PREFIX, after.as_deref(), 200).await?;
        all.extend(page.items.into_iter().map(|(_, source)| source));
        after = page.next;
        if after.is_none() {
            all.sort_by(|one, other| one.name.cmp(&other.name));
            return Ok(all);
        }
    }
}

impl Knowledge {
    /// Tells whether the documents that are meant are those of a conversation, which go with it. Outside of one, and if all share theirs, they are
    /// everybody's.
    fn in_session(&self, ctx: &Ctx) -> bool {
        ctx.session().is_some() && !self.shared
    }

    /// Returns where the documents are listed.
    fn list(&self, ctx: &Ctx, store: &Store) -> Result<Store> {
        if self.in_session(ctx) { store.session() } else { Ok(store.clone()) }
    }

    /// Returns where their places are.
    fn places(&self, ctx: &Ctx, vectors: &Vectors) -> Result<Collection<Place>> {
        let vectors = if self.in_session(ctx) { &vectors.session()? } else { vectors };
        Ok(vectors.collection(COLLECTION))
    }
}
