//! The board and its rules. Free of plugin types, so that they can be read and tested on their own.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The most characters of a card.
pub(crate) const MOST_OF_A_TEXT: usize = 500;

/// Everything on the board.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Board {
    /// The cards, in the order in which they were put there.
    pub cards: Vec<Card>,
    // The number of the next card: no two have the same one, also after one was taken off.
    #[serde(default)]
    #[schemars(skip)]
    next: u64,
}

/// A card.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Card {
    /// Its number.
    pub id: u64,
    /// What it says.
    pub text: String,
    /// Where it is.
    pub column: Column,
}

/// The columns, from left to right.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Column {
    /// To be done.
    #[default]
    Open,
    /// Somebody is at it.
    Doing,
    /// Done.
    Done,
}

/// Why the board stays as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// There is no such card.
    Unknown(u64),
    /// The text says nothing.
    Empty,
    /// The text is too long.
    TooLong,
    /// There are so many cards already.
    Full(usize),
}

impl Board {
    /// Puts a card on the board, and returns it.
    pub(crate) fn add(&mut self, text: &str, most: usize) -> Result<Card, Refusal> {
        let text = checked(text)?;
        if self.cards.len() >= most {
            return Err(Refusal::Full(most));
        }
        self.next += 1;
        let card = Card { id: self.next, text, column: Column::Open };
        self.cards.push(card.clone());
        Ok(card)
    }

    /// Changes a card, and returns it.
    pub(crate) fn change(&mut self, id: u64, text: Option<&str>, column: Option<Column>) -> Result<Card, Refusal> {
        let text = text.map(checked).transpose()?;
        let card = self.cards.iter_mut().find(|card| card.id == id).ok_or(Refusal::Unknown(id))?;
        card.column = column.unwrap_or(card.column);
        if let Some(text) = text {
            card.text = text;
        }
        Ok(card.clone())
    }

    /// Takes a card off.
    pub(crate) fn remove(&mut self, id: u64) -> Result<(), Refusal> {
        let before = self.cards.len();
        self.cards.retain(|card| card.id != id);
        if self.cards.len() < before { Ok(()) } else { Err(Refusal::Unknown(id)) }
    }
}

/// Returns a text as a card has it: without space around it, and without what controls a terminal.
fn checked(text: &str) -> Result<String, Refusal> {
    let text: String = text.trim().chars().map(|one| if one.is_control() { ' ' } else { one }).collect();
    match text.chars().count() {
        0 => Err(Refusal::Empty),
        1..=MOST_OF_A_TEXT => Ok(text),
        _ => Err(Refusal::TooLong),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_card_keeps_its_number_when_others_go() {
        let mut board = Board::default();
        let ids = ["a", "b"].map(|text| board.add(text, 9).expect("there is room").id);
        board.remove(ids[0]).expect("it is there");
        assert_eq!(board.add("c", 9).expect("there is room").id, 3);
        assert_eq!(board.remove(ids[0]), Err(Refusal::Unknown(1)));
        assert_eq!(board.change(ids[1], None, Some(Column::Done)).expect("it is there").column, Column::Done);
    }

    #[test]
    fn what_is_no_text_for_a_card_is_refused() {
        let mut board = Board::default();
        assert_eq!(board.add(" \n", 9), Err(Refusal::Empty));
        assert_eq!(board.add(&"ä".repeat(MOST_OF_A_TEXT + 1), 9), Err(Refusal::TooLong));
        assert_eq!(board.add("a", 0), Err(Refusal::Full(0)));
        assert_eq!(board.add(" a\u{1b}[2J ", 9).expect("a card").text, "a [2J");
        assert_eq!(board.change(1, Some(""), None), Err(Refusal::Empty));
        assert_eq!(board.cards[0].text, "a [2J", "what was refused has changed nothing");
    }
}
