//! The server: what answers requests is put together here.

use std::sync::Arc;

use axum::{
    Router,
    body::{Body, Bytes, HttpBody},
    extract::{RawPathParams, State, rejection::RawPathParamsRejection},
    http::Response,
    routing::{MethodFilter, on},
};
use nekro_core::{
    Method,
    kernel::{Buckets, Kernel},
    policy::Rate,
};
use tokio::sync::{Semaphore, watch};

use super::{
    access::{Identity, Tokens},
    answer::{self, Streams},
    api::{self, Operation},
    background::Background,
    conversations::Conversations,
    door::Who,
    feed::Feed,
    hooks::{self, Hooks},
    login::Logins,
    metrics::Metrics,
    problem::Problem,
    request::Request,
    settings::ServeSettings,
};
use crate::{agent::Machine, settings::live::Live, storage::Storage};

/// How many wrong tokens may come from one place in a minute.
const WRONG_TOKENS: &str = "20/1m";

/// The server.
pub(super) struct Server {
    pub(super) kernel: Kernel,
    pub(super) machine: Machine,
    pub(super) storage: Arc<Storage>,
    pub(super) background: Background,
    pub(super) live: Arc<Live>,
    pub(super) feed: Arc<Feed>,
    pub(super) settings: ServeSettings,
    pub(super) tokens: Tokens,
    /// Whether a line is printed for each request.
    pub(super) has_console: bool,
    pub(super) kept: Kept,
    #[cfg(feature = "mcp")]
    pub(super) changes: Arc<crate::mcp::Changes>,
    #[cfg(feature = "mcp")]
    pub(super) mcp_limits: crate::mcp::Limits,
}

/// What a server keeps from one request to the next.
pub(super) struct Kept {
    /// How often each caller asks.
    pub(super) rates: Buckets<Who>,
    /// How many wrong tokens came from where.
    pub(super) refused: Buckets<Who>,
    pub(super) logins: Logins,
    pub(super) metrics: Metrics,
    /// The conversations that clients of the OpenAI API have begun.
    pub(super) conversations: Arc<Conversations>,
    pub(super) hooks: Hooks,
    pub(super) streams: Streams,
}

impl Kept {
    pub(super) fn new(settings: &ServeSettings, ending: watch::Receiver<bool>) -> Self {
        let wrong_tokens: Rate = WRONG_TOKENS.parse().expect("a rate");
        Self {
            rates: Buckets::new(settings.rate),
            refused: Buckets::new(wrong_tokens),
            logins: Logins::default(),
            metrics: Metrics::default(),
            conversations: Arc::default(),
            hooks: Hooks::default(),
            streams: Streams { places: Arc::new(Semaphore::new(settings.streams.min(Semaphore::MAX_PERMITS))), ending },
        }
    }
}

impl Server {
    /// Tells whether the server is ending.
    pub(super) fn is_ending(&self) -> bool {
        *self.kept.streams.ending.borrow()
    }

    /// Returns what answers every path that is not a plugin's.
    pub(super) fn router(self: &Arc<Self>) -> Router {
        let mut router = Router::new();
        for operation in api::operations() {
            let answered =
                move |State(server): State<Arc<Self>>,
                      path: Result<RawPathParams, RawPathParamsRejection>,
                      request: axum::extract::Request| async move { server.operate(operation, path, request).await };
            router = router.route(operation.path, on(filter(operation.method), answered));
        }
        let hook = |State(server): State<Arc<Self>>, request: axum::extract::Request| async move {
            hooks::answer(&server, request).await
        };
        router = router.route("/hooks/{plugin}/{name}", on(MethodFilter::POST, hook));
        #[cfg(feature = "mcp")]
        {
            router = router.merge(self.mcp());
        }
        let nothing = || async { answer::problem(&Problem::not_found("there is nothing at this path").with_hint(HINT)) };
        let other_method = || async {
            answer::problem(&Problem::new(405, "method_not_allowed", "what is at this path is asked for by another method"))
        };
        router.fallback(nothing).method_not_allowed_fallback(other_method).with_state(Arc::clone(self))
    }

    /// Returns what answers MCP clients.
    #[cfg(feature = "mcp")]
    fn mcp(self: &Arc<Self>) -> Router<Arc<Self>> {
        let service = crate::mcp::service(
            self.kernel.clone(),
            Arc::clone(&self.changes),
            &self.mcp_limits,
            self.background.desk.clone(),
            self.kept.streams.ending.clone(),
        );
        let ask = |State(server): State<Arc<Self>>, mut request: axum::extract::Request, next: axum::middleware::Next| async move {
            let identity = request.extensions().get::<Identity>().cloned().unwrap_or_else(Identity::guest);
            if let Err(problem) = server.allow(&identity, Some(nekro_core::Role::User)) {
                return answer::problem(&problem);
            }
            let caller = nekro_core::Caller { origin: nekro_core::Origin::McpClient, ..identity.caller() };
            request.extensions_mut().insert(crate::mcp::Asking(caller));
            next.run(request).await
        };
        let layer = axum::middleware::from_fn_with_state(Arc::clone(self), ask);
        Router::new().route_service("/mcp", service).route_layer(layer)
    }

    async fn operate(
        &self,
        operation: &'static Operation,
        path: Result<RawPathParams, RawPathParamsRejection>,
        request: axum::extract::Request,
    ) -> Response<Body> {
        let answered = async {
            let path = path.map_err(|_| Problem::bad_request("the path is no text"))?;
            let path = path.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
            let request = self.receive(request, path, operation.role).await?;
            let answered = (operation.run)(self, &request).await?;
            Ok((answered, request.header(answer::LAST_EVENT).map(str::to_owned)))
        };
        match answered.await {
            Ok((answered, last)) => answer::answer(answered, || last.as_deref(), &self.kept.streams),
            Err(problem) => answer::problem(&problem),
        }
    }

    /// Reads a request, if whoever asks may ask for this.
    pub(super) async fn receive(
        &self,
        request: axum::extract::Request,
        path: Vec<(String, String)>,
        role: Option<nekro_core::Role>,
    ) -> Result<Request, Problem> {
        let identity = request.extensions().get::<Identity>().cloned().unwrap_or_else(Identity::guest);
        self.allow(&identity, role)?;
        let (parts, body) = request.into_parts();
        let body = self.body(body).await?;
        Ok(Request { uri: parts.uri, headers: parts.headers, path, body, identity })
    }

    /// Reads a body whole.
    pub(super) async fn body(&self, body: Body) -> Result<Bytes, Problem> {
        if body.is_end_stream() {
            return Ok(Bytes::new());
        }
        let whole = axum::body::to_bytes(body, self.settings.body_bytes);
        match tokio::time::timeout(self.settings.receive_deadline, whole).await {
            Ok(Ok(body)) => Ok(body),
            Ok(Err(error)) if is_too_long(&error) => Err(self.too_long()),
            Ok(Err(_)) => Err(Problem::bad_request("the body did not come to its end")),
            Err(_) => {
                let problem = Problem::new(408, "too_slow", "the body did not come in time");
                Err(problem.with_hint("the limit is `serve.receive_deadline`"))
            }
        }
    }

    /// The body of a request is too long.
    pub(super) fn too_long(&self) -> Problem {
        let most = self.settings.body_bytes;
        let problem = Problem::new(413, "too_long", format!("the body has more than {most} bytes"));
        problem.with_hint("the limit is `serve.body_bytes`")
    }

    /// Decides whether somebody may ask for what is for a role and above.
    pub(super) fn allow(&self, identity: &Identity, role: Option<nekro_core::Role>) -> Result<(), Problem> {
        match role {
            Some(role) if identity.role < role && identity.is_guest() => {
                let problem = Problem::new(401, "unauthorized", "a token is needed for this");
                Err(problem.with_hint("send it as `Authorization: Bearer TOKEN`, or log in at /login"))
            }
            Some(role) if identity.role < role => {
                Err(Problem::new(403, "forbidden", format!("this is for the role `{role}` and above")))
            }
            _ => Ok(()),
        }
    }
}

const HINT: &str = "/api/docs lists what there is";

fn filter(method: Method) -> MethodFilter {
    match method {
        Method::Get => MethodFilter::GET,
        Method::Post => MethodFilter::POST,
        Method::Put => MethodFilter::PUT,
        Method::Patch => MethodFilter::PATCH,
        Method::Delete => MethodFilter::DELETE,
        // The API has none.
        Method::Any => MethodFilter::OPTIONS,
    }
}

/// Tells a body that is too long from one that broke off.
fn is_too_long(error: &axum::Error) -> bool {
    let mut source: Option<&dyn std::error::Error> = Some(error);
    while let Some(one) = source {
        if one.to_string().contains("length limit exceeded") {
            return true;
        }
        source = one.source();
    }
    false
}
