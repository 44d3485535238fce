//! Taking connections, and letting them end.

use std::{
    convert::Infallible,
    net::{IpAddr, SocketAddr},
    path::Path,
    sync::Arc,
    time::Duration,
};

use axum::{
    Router,
    body::{Body, HttpBody},
    http::Request,
};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpListener,
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    task::JoinSet,
};

use super::{
    door::{Peer, door},
    line::Line,
    patience::Patience,
    server::Server,
    settings::ServeSettings,
};

/// The least that the head of a request may have, which the protocol's implementation needs.
const LEAST_HEADER_BYTES: usize = 8_192;

/// How long to wait before the next connection if one could not be taken: the system may have no more files.
const PAUSE: Duration = Duration::from_millis(100);

/// Where connections come in.
pub(super) struct Doors {
    tcp: TcpListener,
    #[cfg(unix)]
    socket: Option<UnixDoor>,
}

/// A socket in the file system, which goes away with the server.
#[cfg(unix)]
struct UnixDoor {
    listener: tokio::net::UnixListener,
    path: std::path::PathBuf,
}

#[cfg(unix)]
impl Drop for UnixDoor {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = std::fs::remove_file(&self.path);
    }
}

impl Doors {
    /// Begins to listen.
    pub(super) async fn open(settings: &ServeSettings) -> std::io::Result<Self> {
        let tcp = TcpListener::bind(settings.listen).await.map_err(|error| at(&settings.listen, error))?;
        #[cfg(unix)]
        let socket = settings.socket.as_deref().map(unix_door).transpose()?;
        #[cfg(not(unix))]
        if settings.socket.is_some() {
            return Err(std::io::Error::other("`serve.socket` needs a system with Unix sockets"));
        }
        Ok(Self {
            tcp,
            #[cfg(unix)]
            socket,
        })
    }

    /// Returns where it listens.
    pub(super) fn address(&self) -> std::io::Result<SocketAddr> {
        self.tcp.local_addr()
    }

    /// Takes connections until the server ends, and then lets them finish what they are at for as long as `deadline` says.
    pub(super) async fn serve(
        self,
        server: &Arc<Server>,
        settings: &ServeSettings,
        mut ending: watch::Receiver<bool>,
        deadline: Duration,
    ) {
        let places = Arc::new(Semaphore::new(settings.connections.clamp(1, Semaphore::MAX_PERMITS)));
        let how = How {
            receive_deadline: settings.receive_deadline,
            header_bytes: settings.header_bytes.max(LEAST_HEADER_BYTES),
            ending: ending.clone(),
            server: Arc::clone(server),
            router: server.router(),
        };
        let mut connections = JoinSet::new();
        loop {
            // The semaphore is never closed.
            let place = tokio::select! {
                biased;
                () = is_ending(&mut ending) => break,
                place = Arc::clone(&places).acquire_owned() => place,
            };
            let Ok(place) = place else { break };
            tokio::select! {
                biased;
                () = is_ending(&mut ending) => break,
                taken = self.tcp.accept() => match taken {
                    Ok((stream, from)) => {
                        connections.spawn(how.clone().serve(stream, Some(from.ip()), place));
                    }
                    Err(error) => {
                        tracing::warn!("a connection could not be taken: {error}");
                        tokio::time::sleep(PAUSE).await;
                    }
                },
                taken = self.accept_unix() => match taken {
                    #[cfg(unix)]
                    Ok(stream) => {
                        connections.spawn(how.clone().serve(stream, None, place));
                    }
                    #[cfg(not(unix))]
                    Ok(()) => {}
                    Err(error) => {
                        tracing::warn!("a connection could not be taken: {error}");
                        tokio::time::sleep(PAUSE).await;
                    }
                },
                Some(_) = connections.join_next() => {}
            }
        }
        drop(self);
        let all = async { while connections.join_next().await.is_some() {} };
        if tokio::time::timeout(deadline, all).await.is_err() {
            tracing::warn!("connections were still open after {deadline:?} (`serve.shutdown_deadline`)");
        }
    }

    #[cfg(unix)]
    async fn accept_unix(&self) -> std::io::Result<tokio::net::UnixStream> {
        match &self.socket {
            Some(door) => door.listener.accept().await.map(|(stream, _)| stream),
            None => std::future::pending().await,
        }
    }

    #[cfg(not(unix))]
    async fn accept_unix(&self) -> std::io::Result<()> {
        std::future::pending().await
    }
}

#[cfg(unix)]
fn unix_door(path: &Path) -> std::io::Result<UnixDoor> {
    use std::os::unix::{fs::FileTypeExt, fs::PermissionsExt};
    // One that nobody listens on any more is in the way.
    let is_socket = std::fs::symlink_metadata(path).is_ok_and(|metadata| metadata.file_type().is_socket());
    if is_socket && std::os::unix::net::UnixStream::connect(path).is_err() {
        std::fs::remove_file(path)?;
    }
    let listener = tokio::net::UnixListener::bind(path).map_err(|error| at(&path.display(), error))?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
    Ok(UnixDoor { listener, path: path.to_owned() })
}

fn at(place: &dyn std::fmt::Display, error: std::io::Error) -> std::io::Error {
    std::io::Error::new(error.kind(), format!("nobody can listen on {place}: {error}"))
}

/// Waits until the server ends.
async fn is_ending(ending: &mut watch::Receiver<bool>) {
    drop(ending.wait_for(|ending| *ending).await);
}

/// How a connection is served.
#[derive(Clone)]
struct How {
    receive_deadline: Duration,
    header_bytes: usize,
    ending: watch::Receiver<bool>,
    server: Arc<Server>,
    router: Router,
}

impl How {
    async fn serve(
        mut self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        from: Option<IpAddr>,
        place: OwnedSemaphorePermit,
    ) {
        let patience = Patience::new();
        let (line, cut) = Line::new(stream, place, patience.clone());
        // What a request needs is its connection's own: nothing is counted that other connections count, too.
        let needed = Arc::new((self.server, self.router, Peer { address: from, cut, patience: patience.clone() }));
        let service = service_fn(move |request: Request<Incoming>| {
            let needed = Arc::clone(&needed);
            let request = request.map(|body| if body.is_end_stream() { Body::empty() } else { Body::new(body) });
            async move {
                let (server, router, peer) = &*needed;
                Ok::<_, Infallible>(door(server, router, peer, request).await)
            }
        });
        // A head has 100 lines at most. That is not said here, for then they are taken apart in memory that each request allocates.
        let connection =
            http1::Builder::new().max_buf_size(self.header_bytes).serve_connection(TokioIo::new(line), service).with_upgrades();
        let waited = patience.ends(self.receive_deadline);
        tokio::pin!(connection, waited);
        let mut is_asked_to_end = false;
        let ended = loop {
            tokio::select! {
                biased;
                ended = connection.as_mut() => break ended,
                () = is_ending(&mut self.ending), if !is_asked_to_end => {
                    is_asked_to_end = true;
                    connection.as_mut().graceful_shutdown();
                }
                () = &mut waited => {
                    tracing::debug!("a connection ended: nothing was asked in time");
                    return;
                }
            }
        };
        // What a client does wrong on its connection, or that it has gone, is no news.
        if let Err(error) = ended {
            tracing::debug!("a connection ended: {error}");
        }
    }
}
