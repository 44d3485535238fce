//! A small board of cards that people and the model share: a page, an HTTP interface and tools over the same data.

#![forbid(unsafe_code)]

mod board;
mod page;

use nekro_core::{
    prelude::*,
    web::{Answer, Channel, Html, Notice, Sse, WithStatus},
};

pub use crate::board::{Board, Card, Column};
use crate::board::{MOST_OF_A_TEXT, Refusal};

/// A small board of cards that people and the model share.
#[plugin(id = "board", category = "work")]
#[serde(default)]
pub struct BoardPlugin {
    /// What stands above it.
    title: String,
    /// How many cards there may be.
    #[schemars(range(min = 1, max = 1_000))]
    max_cards: u16,
}

impl Default for BoardPlugin {
    fn default() -> Self {
        Self { title: "Board".to_owned(), max_cards: 200 }
    }
}

/// The board was changed: a card was put there, changed, moved or taken off.
#[event]
#[derive(Debug, PartialEq, Eq)]
pub struct BoardChanged {
    /// The card.
    pub id: u64,
}

/// Tells whoever looks at the board.
pub struct Viewers(Channel);

/// Opens the board.
#[init]
fn open() -> Viewers {
    Viewers(Channel::new())
}

const KEY: &str = "board";

impl Viewers {
    fn tell(&self, board: &Board) -> Result<()> {
        self.0.tell(Notice::new(KEY, board)?);
        Ok(())
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Unknown(id) => Self::new(format!("there is no card {id}"))
                .with_code("not_found")
                .with_hint("`board.cards` lists the cards with their numbers"),
            Refusal::Empty => Self::new("a card says something").with_code("empty"),
            Refusal::TooLong => {
                Self::new(format!("a card has at most {MOST_OF_A_TEXT} characters")).with_code("too_long").with_hint("shorten it")
            }
            Refusal::Full(most) => Self::new(format!("there are {most} cards, and there may be no more"))
                .with_code("full")
                .with_hint("take one off first; the limit is `max_cards`"),
        }
    }
}

/// Changes the board as a whole: of two changes at the same moment none is lost.
async fn change<T>(store: &Store, viewers: &Viewers, change: impl Fn(&mut Board) -> Result<T, Refusal>) -> Result<T> {
    let mut made = None;
    let board = store
        .try_update(KEY, |board: Option<Board>| {
            let mut board = board.unwrap_or_default();
            made = Some(change(&mut board)?);
            Ok(board)
        })
        .await?;
    viewers.tell(&board)?;
    made.ok_or_else(|| Error::new("nothing was changed"))
}

/// Tells of a card that was changed.
fn told(events: &Events, card: Card) -> Card {
    events.emit(BoardChanged { id: card.id });
    card
}

async fn read(store: &Store) -> Result<Board> {
    Ok(store.get(KEY).await?.unwrap_or_default())
}

/// Lists the cards of the board, with their numbers and columns.
#[tool(name = "cards", read_only)]
async fn list(store: &Store) -> Result<Board> {
    read(store).await
}

/// Puts a card on the board.
#[tool]
async fn put(
    store: &Store,
    viewers: &Viewers,
    events: &Events,
    plugin: &BoardPlugin,
    /// The text of the card.
    text: &str,
) -> Result<Card> {
    Ok(told(events, change(store, viewers, |board| board.add(text, plugin.max_cards.into())).await?))
}

/// Moves a card of the board to another column.
#[tool(name = "move", idempotent)]
async fn move_card(
    store: &Store,
    viewers: &Viewers,
    events: &Events,
    /// The number of the card.
    id: u64,
    /// Where to.
    column: Column,
) -> Result<Card> {
    Ok(told(events, change(store, viewers, |board| board.change(id, None, Some(column))).await?))
}

/// Shows the board as a page.
#[route(GET, "/", auth = user, nav = "Board", icon = "📋")]
async fn board_page(store: &Store, plugin: &BoardPlugin) -> Result<Html> {
    page::page(&plugin.title, &read(store).await?)
}

/// Shows how many cards there are, and what is open.
#[route(GET, "/summary", auth = user, card = "Board", icon = "📋")]
async fn summary(store: &Store) -> Result<Html> {
    page::card(&read(store).await?)
}

/// Returns a file of the page: its script or its style.
#[route(GET, "/files/{name}", auth = public)]
fn file(name: &str) -> Result<Answer> {
    page::FILES.get(name)
}

/// Lists the cards.
#[route(GET, "/cards", auth = user, resource, changed_by = BoardChanged)]
async fn cards(
    store: &Store,
    /// Only those of this column.
    column: Option<Column>,
) -> Result<Vec<Card>> {
    Ok(read(store).await?.cards.into_iter().filter(|card| column.is_none_or(|column| card.column == column)).collect())
}

/// Returns a card.
#[route(GET, "/cards/{id}", auth = user, resource, changed_by = BoardChanged)]
async fn card(
    store: &Store,
    /// The number of the card.
    id: u64,
) -> Result<Card> {
    read(store).await?.cards.into_iter().find(|card| card.id == id).ok_or_else(|| Refusal::Unknown(id).into())
}

/// Puts a card on the board.
#[route(POST, "/cards", auth = user)]
async fn put_card(
    store: &Store,
    viewers: &Viewers,
    events: &Events,
    plugin: &BoardPlugin,
    /// What it says.
    text: &str,
) -> Result<WithStatus<201, Card>> {
    let card = change(store, viewers, |board| board.add(text, plugin.max_cards.into())).await?;
    Ok(WithStatus(told(events, card)))
}

/// Changes a card, or moves it.
#[route(PATCH, "/cards/{id}", auth = user)]
async fn change_card(
    store: &Store,
    viewers: &Viewers,
    events: &Events,
    /// The number of the card.
    id: u64,
    /// What it says from now on.
    text: Option<&str>,
    /// Where it is from now on.
    column: Option<Column>,
) -> Result<Card> {
    Ok(told(events, change(store, viewers, |board| board.change(id, text, column)).await?))
}

/// Takes a card off the board.
#[route(DELETE, "/cards/{id}", auth = user)]
async fn remove_card(
    store: &Store,
    viewers: &Viewers,
    events: &Events,
    /// The number of the card.
    id: u64,
) -> Result<()> {
    change(store, viewers, |board| board.remove(id)).await?;
    events.emit(BoardChanged { id });
    Ok(())
}

/// Streams the board, and then every change of it.
#[route(GET, "/events", auth = user)]
async fn follow(store: &Store, viewers: &Viewers) -> Result<Sse> {
    // Listening first: a change between the two is told twice rather than not at all.
    let events = viewers.0.listen();
    Ok(events.first(Notice::new(KEY, &read(store).await?)?))
}
