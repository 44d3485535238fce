//! Feeds, as a reader of feeds tells them: plain texts, and addresses that lead to pages.

use std::fmt;

use feed_rs::{
    model,
    parser::{Builder, ParseFeedError, generate_id},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{depth, subscription::fingerprint};

/// The most characters of a title.
const MOST_OF_A_TITLE: usize = 300;
/// The most characters of an entry's text.
const MOST_OF_A_TEXT: usize = 2_000;
/// The most characters of an address or an id.
const MOST_OF_A_NAME: usize = 2_000;

/// A feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Feed {
    pub(crate) title: String,
    /// Newest first, as far as they are dated.
    pub(crate) entries: Vec<Entry>,
}

/// An entry of a feed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Entry {
    /// What the feed calls it.
    pub id: String,
    /// What it is called.
    pub title: String,
    /// Where all of it can be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// When it was published, such as `2030-01-01T12:00:00+00:00`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published: Option<String>,
    /// What the feed says of it, in Markdown.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub text: String,
}

/// Why something is no feed.
#[derive(Debug)]
pub(crate) enum FeedError {
    TooDeep,
    Unreadable(ParseFeedError),
}

impl fmt::Display for FeedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooDeep => write!(f, "it is nested more than {} deep", depth::DEEPEST),
            // Of what it says, a part is quoted from the feed.
            Self::Unreadable(problem) => f.write_str(&cut(&problem.to_string(), MOST_OF_A_TITLE)),
        }
    }
}

impl Feed {
    /// Reads a feed that comes from an address, with so many entries at most.
    pub(crate) fn read(bytes: &[u8], url: &str, most: usize) -> Result<Self, FeedError> {
        if depth::is_too_deep(bytes) {
            return Err(FeedError::TooDeep);
        }
        // An entry with nothing to know it by would get another id each time, and be new each time.
        let id = |links: &[model::Link], title: &Option<model::Text>, uri: Option<&str>| match (links, title) {
            ([], None) => String::new(),
            _ => generate_id(links, title, uri),
        };
        let mut feed = Builder::new().base_uri(Some(url)).id_generator(id).build().parse(bytes).map_err(FeedError::Unreadable)?;
        let date = |entry: &model::Entry| entry.published.or(entry.updated);
        // Those without a date stay where they are among themselves, after the others.
        feed.entries.sort_by_key(|entry| std::cmp::Reverse(date(entry)));
        feed.entries.truncate(most);
        let base = url.parse().ok();
        let entries = feed.entries.into_iter().map(|entry| {
            let published = date(&entry).map(|date| date.to_rfc3339());
            let body = entry.summary.map(|summary| summary.content).or(entry.content.and_then(|content| content.body));
            let body = body.unwrap_or_default();
            let id =
                if entry.id.is_empty() { format!("text-{:016x}", fingerprint(&body)) } else { cut(&entry.id, MOST_OF_A_NAME) };
            // What would cost too much to read is left out: the page is still there.
            let text = nekro_page::fragment(&body, base.as_ref()).unwrap_or_default();
            Entry { id, title: title(entry.title), url: address(entry.links), published, text: cut(&text, MOST_OF_A_TEXT) }
        });
        Ok(Self { title: title(feed.title), entries: entries.collect() })
    }
}

fn title(text: Option<model::Text>) -> String {
    let html = text.map(|text| text.content).unwrap_or_default();
    match nekro_page::plain(&html).unwrap_or_default() {
        empty if empty.is_empty() => "(without a title)".to_owned(),
        title => cut(&title, MOST_OF_A_TITLE),
    }
}

fn address(links: Vec<model::Link>) -> Option<String> {
    let is_page = |link: &&model::Link| ["https://", "http://"].iter().any(|scheme| link.href.starts_with(scheme));
    let is_the_page = |link: &&model::Link| link.rel.as_deref().is_none_or(|rel| rel == "alternate");
    let pages = || links.iter().filter(is_page).filter(|link| link.href.len() <= MOST_OF_A_NAME);
    pages().find(is_the_page).or_else(|| pages().next()).map(|link| link.href.clone())
}

fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_that_has_only_a_text_is_known_by_it() {
        let text = "<rss version='2.0'><channel><item><description>one</description></item><item><description>two</description></item>\
            </channel></rss>";
        let ids =
            || Feed::read(text.as_bytes(), "https://example.org", 10).expect("a feed").entries.into_iter().map(|entry| entry.id);
        assert!(ids().eq(ids()));
        assert_ne!(ids().next(), ids().nth(1));
    }

    #[test]
    fn a_feed_that_was_made_to_harm_is_refused_or_bounded() {
        let rss = |inside: &str| {
            format!(
                "<rss version='2.0' xmlns:itunes='http://www.itunes.com/dtds/podcast-1.0.dtd' \
                 xmlns:media='http://search.yahoo.com/mrss/'><channel><title>x</title>{inside}</channel></rss>"
            )
        };
        for name in ["itunes:category text='a'", "media:group", "item", "x"] {
            let feed = Feed::read(rss(&format!("<{name}>").repeat(100_000)).as_bytes(), "https://example.org", 10);
            assert!(matches!(feed, Err(FeedError::TooDeep)), "{name}: {feed:?}");
        }
        let json = format!("{{\"version\":\"https://jsonfeed.org/version/1.1\",\"x\":{}", "[".repeat(100_000));
        assert!(Feed::read(json.as_bytes(), "https://example.org", 10).is_err());
        let bomb = "<!DOCTYPE r [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;&a;&a;&a;&a;&a;'><!ENTITY c '&b;&b;&b;&b;&b;&b;&b;'>\
            <!ENTITY f SYSTEM 'file:///etc/passwd'>]>";
        let text = format!("{bomb}{}", rss("<item><title>&c;&f;</title><link>javascript:alert(1)</link></item>"));
        if let Ok(feed) = Feed::read(text.as_bytes(), "https://example.org", 10) {
            assert!(feed.entries.iter().all(|entry| !entry.title.contains("aaaa") && !entry.title.contains("root")), "{feed:?}");
        }
        let many = "<item><title>x</title></item>".repeat(5_000);
        assert_eq!(Feed::read(rss(&many).as_bytes(), "https://example.org", 10).expect("a feed").entries.len(), 10);
        let long = rss(&format!(
            "<item><title>{0}</title><description>{0}</description><link>https://x/{0}</link></item>",
            "x".repeat(50_000)
        ));
        let entry = Feed::read(long.as_bytes(), "https://example.org", 10).expect("a feed").entries.remove(0);
        assert_eq!((entry.title.chars().count(), entry.text.chars().count(), entry.url), (301, 2_001, None));
    }
}
