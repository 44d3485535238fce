//! SearXNG, as <https://docs.searxng.org/dev/search_api.html> describes it.

use nekro_core::{Http, HttpResponse, RequestBuilder, Result};
use serde::Deserialize;
use url::Url;

use crate::{Age, Query, Safe, WebResult};

/// What to do if it refuses.
pub(crate) const REFUSED: &str = "its operator allows `json` under `search.formats` in the instance's settings.yml";

pub(crate) fn request<'a>(http: &'a Http, instance: &Url, query: &Query) -> RequestBuilder<'a> {
    let mut request = http.get(format!("{instance}search")).query("q", &query.words).query("format", "json");
    request = request.query("pageno", query.page).query(
        "safesearch",
        match query.safe {
            Safe::Off => 0,
            Safe::Moderate => 1,
            Safe::Strict => 2,
        },
    );
    if let Some(age) = query.age {
        request = request.query(
            "time_range",
            match age {
                Age::Day => "day",
                Age::Week => "week",
                Age::Month => "month",
                Age::Year => "year",
            },
        );
    }
    query.language.iter().fold(request, |request, language| request.query("language", language))
}

pub(crate) fn read(answer: HttpResponse) -> Result<Vec<WebResult>> {
    let answer: Answer = answer.json()?;
    let results = answer.results.into_iter();
    Ok(results.filter_map(|one| WebResult::new(&one.title, one.url, &one.content.unwrap_or_default(), one.published)).collect())
}

#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    results: Vec<Found>,
}

#[derive(Deserialize)]
struct Found {
    #[serde(default)]
    title: String,
    url: String,
    content: Option<String>,
    #[serde(rename = "publishedDate")]
    published: Option<String>,
}
