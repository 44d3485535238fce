//! What plugins reach, against the libraries below, used bare: a request to a server on this machine, and files on its disk.

#[path = "../../tests/benches/measure/mod.rs"]
mod measure;

use std::{
    io::{Read, Write},
    net::TcpListener,
    sync::Arc,
};

use cap_std::{ambient_authority, fs::Dir};
use measure::Table;
use nekro_core::{ConfigDecl, Files, FilesPort, Http, HttpPort, Location, PluginDecl, ScopeDecl};

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let place = tempfile::tempdir().expect("a directory");
    let ports = nekro_agent::bench::reach(place.path().join("files"), "127.0.0.0/8");
    let mut table = Table::new("reach", &["Through the border", "bare", "nekro", "ratio", "goal"]);
    let (http, files) = (ports.get::<dyn HttpPort>().expect("a port"), ports.get::<dyn FilesPort>().expect("a port"));

    let address = serve();
    let url = format!("http://{address}/v1");
    let http = Http::new(plugin(&address), Arc::clone(http));
    // The client of the baseline is made first.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let bare = reqwest::Client::builder().no_proxy().build().expect("a client");
    let bytes = async || bare.get(&url).send().await.expect("an answer").bytes().await.expect("its body");
    let through = async || http.get(&url).send().await.expect("an answer").into_bytes();
    table.compare(
        "`GET` of 1 KiB on loopback",
        "1.5 ×",
        1,
        || drop(runtime.block_on(bytes())),
        || drop(runtime.block_on(through())),
    );

    let files = Files::new(plugin(&address), None, Arc::clone(files)).own();
    let kilobyte = vec![b'x'; 1024];
    runtime.block_on(files.write("a.txt", kilobyte.clone())).expect("written");
    let dir = Dir::open_ambient_dir(place.path(), ambient_authority()).expect("a directory");
    dir.write("a.txt", &kilobyte).expect("written");
    let write = || {
        let mut file = dir.create("a.tmp").expect("a file");
        file.write_all(&kilobyte).and_then(|()| file.sync_data()).expect("written");
        dir.rename("a.tmp", &dir, "a.txt").expect("renamed");
    };
    let through = || drop(runtime.block_on(files.write("a.txt", kilobyte.clone())).expect("written"));
    table.compare("writing 1 KiB, whole or not at all", "1.5 ×", 1, write, through);
    let read = || drop(dir.read("a.txt").expect("read"));
    table.compare("reading 1 KiB, in place when bare", "–", 1, read, || {
        drop(runtime.block_on(files.read("a.txt")).expect("read"))
    });
    let read = || {
        let dir = dir.try_clone().expect("a handle");
        let read = tokio::task::spawn_blocking(move || dir.read("a.txt"));
        drop(runtime.block_on(async { read.await.expect("no panic").expect("read") }));
    };
    let _entered = runtime.enter();
    table.compare("reading 1 KiB, aside when bare", "1.5 ×", 1, read, || {
        drop(runtime.block_on(files.read("a.txt")).expect("read"))
    });
    table.finish();
}

/// Starts a server that answers everything with 1 KiB, and keeps its connections.
fn serve() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("its address").to_string();
    let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: 1024\r\n\r\n{}", "x".repeat(1024));
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let answer = answer.clone();
            std::thread::spawn(move || {
                let mut stream = stream.expect("a connection");
                stream.set_nodelay(true).expect("a connection");
                let mut request = [0; 4096];
                // A request of this benchmark comes in one piece.
                while stream.read(&mut request).is_ok_and(|read| read > 0) && stream.write_all(answer.as_bytes()).is_ok() {}
            });
        }
    });
    address
}

fn plugin(host: &str) -> &'static PluginDecl {
    let host: &'static str = Box::leak(host.to_owned().into_boxed_str());
    let scopes = Box::leak(Box::new([ScopeDecl { capability: "http", entries: Box::leak(Box::new([host])) }]));
    Box::leak(Box::new(PluginDecl {
        id: "measured",
        docs: "",
        title: None,
        category: None,
        version: "1.0.0",
        authors: "",
        license: "",
        repository: "",
        package: "measured",
        requires: &[],
        scopes,
        migrations: &[],
        location: Location { file: "reach.rs", line: 1 },
        config: ConfigDecl { read: |_| Ok(Box::new(())), schema: None },
    }))
}
