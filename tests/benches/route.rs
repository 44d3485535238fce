//! A plugin's route, over a connection that stays open, against the same handler written directly in axum.
//!
//! Both read the path and the query and answer with JSON. The server of the agent does what it does for every request besides: it looks
//! at the `Host`, the token and the rate, finds out whether the plugin runs, and sends the headers that protect a browser.

mod measure;

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
};

use axum::{
    Json, Router,
    extract::{Path, Query},
    routing::get,
};
use measure::Table;
use nekro_core::{
    kernel::Registry,
    prelude::{Deserialize, JsonSchema, Serialize, plugin, route},
};

/// What is measured.
#[plugin(id = "nekro_tests")]
pub struct Measured;

/// A page of a board.
#[derive(Serialize, Deserialize, JsonSchema)]
struct Board {
    id: u32,
    page: u32,
    cards: Vec<String>,
}

fn board_of(id: u32, page: u32) -> Board {
    Board { id, page, cards: (0..10).map(|number| format!("card {number} of {id}")).collect() }
}

/// A page of a board.
#[route(GET, "/boards/{id}", auth = user)]
fn board(id: u32, #[arg(default = 1)] page: u32) -> Board {
    board_of(id, page)
}

#[derive(Deserialize)]
struct Page {
    page: u32,
}

async fn by_axum(Path(id): Path<u32>, Query(Page { page }): Query<Page>) -> Json<Board> {
    Json(board_of(id, page))
}

/// A connection that stays open.
struct Client {
    stream: TcpStream,
    request: String,
    buffer: Vec<u8>,
}

impl Client {
    fn new(address: SocketAddr, path: &str, token: &str) -> Self {
        let stream = TcpStream::connect(address).expect("it listens");
        stream.set_nodelay(true).expect("a socket");
        let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\r\n");
        Self { stream, request, buffer: vec![0; 1 << 16] }
    }

    /// Asks, and looks that something came.
    fn measured(&mut self) {
        assert!(!std::hint::black_box(self.ask()).is_empty());
    }

    /// Asks, and returns the body.
    fn ask(&mut self) -> &str {
        self.stream.write_all(self.request.as_bytes()).expect("it reads");
        let mut filled = 0;
        loop {
            filled += self.stream.read(&mut self.buffer[filled..]).expect("it answers");
            let text = std::str::from_utf8(&self.buffer[..filled]).expect("text");
            let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
            let length = head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ").map(str::to_owned));
            let length: usize = length.and_then(|length| length.parse().ok()).expect("a length");
            if body.len() >= length {
                let from = filled - body.len();
                return std::str::from_utf8(&self.buffer[from..filled]).expect("text");
            }
        }
    }
}

fn main() {
    let mut table = Table::new("route", &["A request for", "axum", "nekro", "ratio", "goal"]);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    let place = std::env::temp_dir().join(format!("nekro-bench-route-{}", std::process::id()));
    let registry = Registry::linked().expect("the declarations fit together");
    let served = runtime.block_on(nekro_agent::bench::serve(registry, place.clone()));
    let bare = runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let router = Router::new().route("/p/nekro_tests/boards/{id}", get(by_axum));
        drop(tokio::spawn(async move { axum::serve(listener, router).await }));
        address
    });
    let path = "/p/nekro_tests/boards/7?page=2";
    let (mut theirs, mut ours) = (Client::new(bare, path, "none"), Client::new(served.address, path, &served.token));
    assert_eq!(theirs.ask(), ours.ask());
    table.compare("a page of ten cards", "1.05 ×", 1, || theirs.measured(), || ours.measured());
    table.finish();
    // Nobody minds if it stays.
    let _ = std::fs::remove_dir_all(place);
}
