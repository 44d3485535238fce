//! Brave Search, as <https://api-dashboard.search.brave.com/app/documentation> describes it.

use nekro_core::{Http, HttpResponse, RequestBuilder, Result};
use serde::Deserialize;

use crate::{Age, Query, Safe, WebResult};

const ENDPOINT: &str = "https://api.search.brave.com/res/v1/web/search";

/// What to do if it refuses.
pub(crate) const REFUSED: &str =
    "the operator binds a key in `[http.secrets]`: origin \"https://api.search.brave.com\", header \"x-subscription-token\"";

pub(crate) fn request<'a>(http: &'a Http, query: &Query) -> RequestBuilder<'a> {
    let mut request = http.get(ENDPOINT).query("q", &query.words).query("count", query.limit).query("offset", query.page - 1);
    request = request.query("text_decorations", "false").query("result_filter", "web");
    request = request.query(
        "safesearch",
        match query.safe {
            Safe::Off => "off",
            Safe::Moderate => "moderate",
            Safe::Strict => "strict",
        },
    );
    if let Some(age) = query.age {
        request = request.query(
            "freshness",
            match age {
                Age::Day => "pd",
                Age::Week => "pw",
                Age::Month => "pm",
                Age::Year => "py",
            },
        );
    }
    query.language.iter().fold(request, |request, language| request.query("search_lang", language))
}

pub(crate) fn read(answer: HttpResponse) -> Result<Vec<WebResult>> {
    let answer: Answer = answer.json()?;
    let results = answer.web.unwrap_or_default().results.into_iter();
    Ok(results.filter_map(|one| WebResult::new(&one.title, one.url, &one.description, one.page_age)).collect())
}

#[derive(Deserialize)]
struct Answer {
    web: Option<Web>,
}

#[derive(Default, Deserialize)]
struct Web {
    #[serde(default)]
    results: Vec<Found>,
}

#[derive(Deserialize)]
struct Found {
    #[serde(default)]
    title: String,
    url: String,
    #[serde(default)]
    description: String,
    page_age: Option<String>,
}
