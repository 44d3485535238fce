//! A server that answers as a test says, and keeps what it was asked.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// What a server does with a request.
pub(super) enum Reply {
    /// It sends this, and closes the connection.
    Text(String),
    /// It says nothing and holds the connection.
    Silence,
}

/// A server on this machine. It ends with the runtime of its test.
pub(super) struct Server {
    pub(super) address: SocketAddr,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// Starts one. `answer` is given the request as it came, and how many came before it.
    pub(super) async fn start(ip: &str, answer: impl Fn(&str, usize) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind((ip, 0)).await.expect("a port");
        let address = listener.local_addr().expect("its address");
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (kept, answer) = (Arc::clone(&requests), Arc::new(answer));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&kept), Arc::clone(&answer)));
            }
        });
        Self { address, requests }
    }

    /// Starts one that always sends the same.
    pub(super) async fn saying(ip: &str, text: impl Into<String>) -> Self {
        let text = text.into();
        Self::start(ip, move |_, _| Reply::Text(text.clone())).await
    }

    pub(super) fn port(&self) -> u16 {
        self.address.port()
    }

    /// Returns the requests that came, each with its head and its body.
    pub(super) fn requests(&self) -> Vec<String> {
        self.requests.lock().expect("nothing panics").clone()
    }
}

/// Writes an answer with a body.
pub(super) fn ok(body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len())
}

/// Writes an answer that leads elsewhere.
pub(super) fn redirect(status: u16, location: &str) -> String {
    format!("HTTP/1.1 {status} Elsewhere\r\nlocation: {location}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
}

async fn serve(
    mut stream: TcpStream,
    requests: Arc<Mutex<Vec<String>>>,
    answer: Arc<impl Fn(&str, usize) -> Reply + Send + Sync + 'static>,
) {
    let request = read(&mut stream).await;
    let before = {
        let mut requests = requests.lock().expect("nothing panics");
        requests.push(request.clone());
        requests.len() - 1
    };
    match answer(&request, before) {
        Reply::Text(text) => {
            // Whoever refuses an answer closes the connection before all of it was written.
            let _ = stream.write_all(text.as_bytes()).await;
            let _ = stream.shutdown().await;
        }
        Reply::Silence => std::future::pending().await,
    }
}

async fn read(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let mut chunk = [0; 4_096];
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
            if body.len() >= length.unwrap_or(0) {
                return text;
            }
        }
        match stream.read(&mut chunk).await {
            Ok(read @ 1..) => bytes.extend_from_slice(&chunk[..read]),
            Ok(0) | Err(_) => return text,
        }
    }
}
