//! The board's page and its card on the dashboard: templates, which escape what people wrote, and the files that they name.

use std::sync::LazyLock;

use minijinja::{Environment, UndefinedBehavior, Value, context};
use nekro_core::{
    Error, Result,
    web::{Assets, Html},
};

use crate::board::{Board, Column};

/// What the page needs beside itself.
pub(crate) static FILES: Assets = nekro_core::assets!("page", "board.css", "board.js");

static TEMPLATES: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut templates = Environment::new();
    templates.set_undefined_behavior(UndefinedBehavior::Strict);
    templates.add_function("file", |name: String| FILES.marked(&name));
    for (name, text) in [("board.html", include_str!("page/board.html")), ("card.html", include_str!("page/card.html"))] {
        templates.add_template(name, text).expect("a template of this crate, which a test renders");
    }
    templates
});

const COLUMNS: [(Column, &str, &str); 3] =
    [(Column::Open, "open", "Open"), (Column::Doing, "doing", "Doing"), (Column::Done, "done", "Done")];

/// Makes the page.
pub(crate) fn page(title: &str, board: &Board) -> Result<Html> {
    render("board.html", context! { title, columns => columns(board) })
}

/// Makes the card of the dashboard.
pub(crate) fn card(board: &Board) -> Result<Html> {
    render("card.html", context! { columns => columns(board) })
}

fn columns(board: &Board) -> Vec<Value> {
    let cards = |column| {
        let of_column = board.cards.iter().filter(move |card| card.column == column);
        of_column.map(|card| context! { id => card.id, text => card.text.as_str() }).collect::<Vec<_>>()
    };
    COLUMNS.iter().map(|&(column, id, title)| context! { id, title, cards => cards(column) }).collect()
}

fn render(name: &str, values: Value) -> Result<Html> {
    let rendered = TEMPLATES.get_template(name).and_then(|template| template.render(values));
    rendered.map(Html).map_err(|error| Error::new(format!("the page cannot be made: {error}")).with_code("unserialisable"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_write_is_text_on_the_page_and_nothing_else() {
        let mut board = Board::default();
        board.add("<script>alert(1)</script> & \"more\"", 10).expect("there is room");
        for html in [page("<b>Ours</b>", &board), card(&board)] {
            let Html(html) = html.expect("it is made");
            assert!(!html.contains("<script>alert") && !html.contains("<b>"), "{html}");
        }
        let Html(html) = page("Ours", &board).expect("it is made");
        assert!(html.contains("&lt;script&gt;alert(1)&lt;"), "{html}");
        assert!(html.contains(&FILES.marked("board.js")) && html.contains(&FILES.marked("board.css")), "{html}");
    }
}
