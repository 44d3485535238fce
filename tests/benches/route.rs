//! A plugin's route, over a connection that stays open, against the same handler written directly in axum.
//!
//! Both read the path and the query and answer with JSON, by the same version of the same implementation of the protocol, on the same
//! threads. The server of the agent does what it does for every request besides: it looks at the `Host`, the token and the rate, finds out
//! whether the plugin runs, and sends the headers that protect a browser.

mod measure;

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    path::PathBuf,
    time::Instant,
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
use serde_json::json;
use tokio::runtime::Runtime;

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

fn request(path: &str, token: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\r\n")
}

/// A connection that stays open, on which the same is asked again and again. It looks at the first answer only, and knows how long the others
/// are: what a client does is no server's time.
struct Client {
    stream: TcpStream,
    request: String,
    buffer: Vec<u8>,
    length: usize,
}

impl Client {
    fn new(address: SocketAddr, path: &str, token: &str) -> Self {
        let stream = TcpStream::connect(address).expect("it listens");
        stream.set_nodelay(true).expect("a socket");
        let mut client = Self { stream, request: request(path, token), buffer: vec![0; 1 << 16], length: 0 };
        client.stream.write_all(client.request.as_bytes()).expect("it reads");
        while !is_whole(&client.buffer[..client.length]) {
            client.length += client.stream.read(&mut client.buffer[client.length..]).expect("it answers");
        }
        client
    }

    /// Asks, and waits for the whole of the answer.
    fn ask(&mut self) {
        self.stream.write_all(self.request.as_bytes()).expect("it reads");
        self.stream.read_exact(&mut self.buffer[..self.length]).expect("it answers");
    }

    /// Returns the body of the last answer.
    fn body(&self) -> &str {
        let text = std::str::from_utf8(&self.buffer[..self.length]).expect("text");
        assert!(text.starts_with("HTTP/1.1 200 OK\r\n"), "{text}");
        text.split_once("\r\n\r\n").map_or("", |(_, body)| body)
    }
}

/// How a server did under load.
#[derive(Default)]
struct Load {
    /// Requests in a second, all connections together, of each round.
    rates: Vec<f64>,
    /// How long each request took, in seconds, of all rounds.
    took: Vec<f64>,
}

impl Load {
    /// Asks by several connections at once, each so many times, and one request after the other.
    fn round(&mut self, address: SocketAddr, token: &str, connections: usize, requests: usize) {
        let mut clients: Vec<_> = (0..connections).map(|_| Client::new(address, PATH, token)).collect();
        let ask = |client: &mut Client| {
            let started = Instant::now();
            client.ask();
            started.elapsed().as_secs_f64()
        };
        let started = Instant::now();
        std::thread::scope(|scope| {
            let asking =
                clients.iter_mut().map(|client| scope.spawn(move || (0..requests).map(|_| ask(client)).collect::<Vec<_>>()));
            let asking: Vec<_> = asking.collect();
            self.took.extend(asking.into_iter().flat_map(|asking| asking.join().expect("it is answered")));
        });
        self.rates.push((connections * requests) as f64 / started.elapsed().as_secs_f64());
        // The last answers came as the first did.
        clients.iter().for_each(|client| assert!(client.body().starts_with('{')));
    }

    /// Returns the time within which all but one of a hundred were answered, in seconds.
    fn p99(&mut self) -> f64 {
        self.took.sort_by(f64::total_cmp);
        self.took[(self.took.len() * 99 / 100).min(self.took.len() - 1)]
    }
}

/// Counts the allocations of a request, its client included. Server and client share the thread, so that all of them are seen.
fn allocations(runtime: &Runtime, address: SocketAddr, token: &str) -> f64 {
    const REQUESTS: u32 = 200;
    let stream = runtime.block_on(tokio::net::TcpStream::connect(address)).expect("it listens");
    let request = request(PATH, token);
    let mut buffer = vec![0; 1 << 16];
    let mut ask = || {
        runtime.block_on(async {
            stream.writable().await.expect("it is open");
            assert_eq!(stream.try_write(request.as_bytes()).expect("it reads"), request.len());
            let mut filled = 0;
            while !is_whole(&buffer[..filled]) {
                stream.readable().await.expect("it is open");
                match stream.try_read(&mut buffer[filled..]) {
                    Ok(read) => filled += read,
                    Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::WouldBlock),
                }
            }
        });
    };
    // What is made once is made now.
    (0..10).for_each(|_| ask());
    let counted = allocation_counter::measure(|| (0..REQUESTS).for_each(|_| ask()));
    counted.count_total as f64 / f64::from(REQUESTS)
}

/// Tells whether an answer has come to its end. It allocates nothing, and is quick: what a client does is no server's time.
fn is_whole(answer: &[u8]) -> bool {
    let mut headers = [httparse::EMPTY_HEADER; 32];
    let mut head = httparse::Response::new(&mut headers);
    let Ok(httparse::Status::Complete(length_of_head)) = head.parse(answer) else { return false };
    let length = head.headers.iter().find(|header| header.name.eq_ignore_ascii_case("content-length"));
    let length = length.and_then(|header| std::str::from_utf8(header.value).ok()?.parse::<usize>().ok());
    length.is_some_and(|length| answer.len() >= length_of_head + length)
}

const PATH: &str = "/p/nekro_tests/boards/7?page=2";

/// Serves the plugin, and the same handler by axum alone.
async fn serve(place: PathBuf) -> (nekro_agent::bench::Served, SocketAddr) {
    let registry = Registry::linked().expect("the declarations fit together");
    let served = nekro_agent::bench::serve(registry, place).await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    let router = Router::new().route("/p/nekro_tests/boards/{id}", get(by_axum));
    drop(tokio::spawn(async move { axum::serve(listener, router).await }));
    (served, address)
}

/// What a plugin's route may cost.
const GOAL: &str = "1.05 ×";

/// How many connections ask at once, how often each, and how often all is done again.
const LOAD: (usize, usize, usize) = (8, 500, 400);

fn main() {
    let mut table = Table::new("route", &["A request for a page of ten cards", "axum", "nekro", "ratio", "goal"]);
    let place = |name: &str| std::env::temp_dir().join(format!("nekro-bench-route-{}-{name}", std::process::id()));
    let (many, alone) = (place("many"), place("alone"));
    {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
        let (served, bare) = runtime.block_on(serve(many.clone()));
        let (mut theirs, mut ours) = (Client::new(bare, PATH, "none"), Client::new(served.address, PATH, &served.token));
        assert_eq!(theirs.body(), ours.body());
        table.compare("the time of one, on one connection", GOAL, 1, || theirs.ask(), || ours.ask());
        let (connections, requests, rounds) = if table.is_trial() { (2, 5, 1) } else { LOAD };
        let [mut theirs, mut ours] = [(); 2].map(|()| Load::default());
        for at in 0..rounds {
            // In turn, and each as often before the other as after it, so that what else runs disturbs both alike.
            let mut round = |is_ours: bool| match is_ours {
                true => ours.round(served.address, &served.token, connections, requests),
                false => theirs.round(bare, "none", connections, requests),
            };
            [at % 2 == 0, at % 2 == 1].into_iter().for_each(&mut round);
        }
        let ratio = median(theirs.rates.iter().zip(&ours.rates).map(|(theirs, ours)| theirs / ours).collect());
        let rates = [theirs.rates.clone(), ours.rates.clone()].map(|rates| format!("{:.0} /s", median(rates)));
        row(&mut table, "how many in a second, on 8 connections", rates, ratio, GOAL);
        let p99s = [theirs.p99(), ours.p99()];
        row(&mut table, "p99 of these", p99s.map(|p99| format!("{:.0} µs", p99 * 1e6)), p99s[1] / p99s[0], GOAL);
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let (served, bare) = runtime.block_on(serve(alone.clone()));
    let counts = [allocations(&runtime, bare, "none"), allocations(&runtime, served.address, &served.token)];
    row(&mut table, "allocations of one", counts.map(|count| format!("{count:.1}")), counts[1] / counts[0], "");
    table.finish();
    for place in [many, alone] {
        // Nobody minds if it stays.
        let _ = std::fs::remove_dir_all(place);
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn row(table: &mut Table, name: &str, [baseline, subject]: [String; 2], ratio: f64, goal: &str) {
    if table.wants(name) {
        let json = json!({ "baseline": baseline, "subject": subject, "ratio": ratio, "goal": goal });
        table.add(vec![name.to_owned(), baseline, subject, format!("{ratio:.2} ×"), goal.to_owned()], json);
    }
}
