//! Visits as they come: each message of a WebSocket is a place, and a file has one on each line.

use nekro_axum::axum::{
    Extension, Router,
    extract::{
        Multipart, State, WebSocketUpgrade,
        multipart::MultipartError,
        ws::{Message, WebSocket},
    },
    response::Response,
    routing::{get, post},
};
use nekro_core::{Caller, Store};

/// Answers what is below the route. Its handlers have the store that the route's function was lent.
pub(crate) fn router(store: Store) -> Router {
    Router::new().route("/visits", get(visits)).route("/guests", post(guests)).with_state(store)
}

async fn count(store: &Store, place: &str) -> Result<u64, nekro_core::Error> {
    store.update(place, |count: Option<u64>| count.unwrap_or(0).saturating_add(1)).await
}

async fn visits(State(store): State<Store>, Extension(caller): Extension<Caller>, upgrade: WebSocketUpgrade) -> Response {
    upgrade.on_upgrade(move |socket| listen(socket, store, caller))
}

/// Counts a visit for each message, until the other side goes or the server ends.
async fn listen(mut socket: WebSocket, store: Store, caller: Caller) {
    let who = caller.user.map_or_else(|| "somebody".to_owned(), |user| user.to_string());
    while let Some(Ok(message)) = socket.recv().await {
        let Message::Text(place) = message else { continue };
        let told = match count(&store, &place).await {
            Ok(count) => format!("{who} is visit {count} to {place}"),
            Err(error) => error.to_string(),
        };
        if socket.send(Message::text(told)).await.is_err() {
            return;
        }
    }
}

async fn guests(State(store): State<Store>, mut form: Multipart) -> Result<String, MultipartError> {
    let mut lines = 0;
    while let Some(field) = form.next_field().await? {
        for place in field.text().await?.lines().filter(|line| !line.is_empty()) {
            // One that cannot be kept is not counted.
            lines += usize::from(count(&store, place).await.is_ok());
        }
    }
    Ok(format!("{lines} visits\n"))
}
