//! A plugin with a page, a route, and a router for a WebSocket and uploads: `nekro serve` has them at `/p/counter`.

#![forbid(unsafe_code)]

mod live;

use nekro_axum::Routes;
use nekro_core::{prelude::*, web::Html};

/// Counts visits.
#[plugin(id = "counter")]
pub struct Counter;

/// How often somebody was there.
#[derive(Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Visits {
    /// Where.
    pub place: String,
    /// How often.
    pub count: u64,
}

/// Greets whoever comes.
#[route(GET, "/", auth = public, nav = "Counter", icon = "🔢")]
fn page() -> Html {
    Html("<!doctype html><title>Counter</title><h1>Hello!</h1>".to_owned())
}

/// Counts a visit to a place. The place stands in the path, what else is given in the query or the body.
#[route(POST, "/visits/{place}", auth = user)]
async fn visit(
    store: &Store,
    place: String,
    /// How many people came.
    #[arg(default = 1, range = 1..=100)]
    people: u64,
) -> Result<Visits> {
    let count = store.update(&place, |count: Option<u64>| count.unwrap_or(0).saturating_add(people)).await?;
    Ok(Visits { place, count })
}

/// What plain functions cannot say: `/live/visits` is a WebSocket, and `/live/guests` takes a file.
#[route(ANY, "/live", auth = user)]
fn live(store: &Store) -> Routes {
    live::router(store.clone()).into()
}

#[cfg(test)]
mod tests {
    use nekro_core::{
        Caller,
        kernel::{FoundRoute, Given},
        testing::Host,
        web::Body,
    };
    use serde_json::Map;

    use super::*;

    #[test]
    fn visits_are_counted() {
        let host = Host::of::<Counter>();
        let path = ["visits".to_owned(), "attic".to_owned()];
        for expected in [2, 4] {
            let FoundRoute::Route(route, given) = host.kernel().find_route("counter", "POST", &path) else {
                panic!("it is not there")
            };
            let given = Given::new(given, [("people".into(), "2".into())], Map::new());
            let answer = host.run(host.kernel().route(route, given, &Caller::operator())).expect("it counts");
            let Body::Whole(bytes) = answer.body else { panic!("no JSON") };
            assert_eq!(
                serde_json::from_slice::<Visits>(&bytes).expect("JSON"),
                Visits { place: "attic".to_owned(), count: expected }
            );
        }
        assert!(page().0.contains("Hello!"), "the function stays a function");
    }
}
