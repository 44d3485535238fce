//! What was found.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Results {
    /// The pages, best first.
    pub results: Vec<WebResult>,
}

/// A page that was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WebResult {
    /// What it is called.
    pub title: String,
    /// Where it is.
    pub url: String,
    /// What it says of what was looked for.
    pub text: String,
    /// When it was published, as far as the service knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published: Option<String>,
}

/// How old a page may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Age {
    /// A day.
    Day,
    /// A week.
    Week,
    /// A month.
    Month,
    /// A year.
    Year,
}

/// The most characters of a text of a result.
const MOST: usize = 600;

impl WebResult {
    /// Makes a result of what a service says, which may have HTML in it; `None` for what is no page.
    pub(crate) fn new(title: &str, url: String, text: &str, published: Option<String>) -> Option<Self> {
        // What would cost too much to read is no sentence or two.
        let plain = |html: &str| nekro_page::plain(html).unwrap_or_default().chars().take(MOST).collect::<String>();
        let is_page = url.starts_with("https://") || url.starts_with("http://");
        is_page.then(|| Self { title: plain(title), text: plain(text), url, published })
    }
}
