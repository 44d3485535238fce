//! Asking the person behind a client, by what MCP calls elicitation.
//!
//! Whoever asks does so within the call's own future. Which client that is, the call says by [`Calls::carry_out`].
//!
//! Up to the protocol of 2025-11-25 the server sends a request and waits for its answer. From 2026-07-28 on there are no requests of a
//! server: the call ends with the question, and the client makes it again with the answer. Meanwhile the function waits where it asked, so
//! that nothing is done twice; [`Calls`] keeps such calls.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
};

use nekro_core::{Caller, Error, Reply, Result, SessionId, UserId};
use rmcp::{
    RoleServer,
    model::{
        CallToolRequestParams, CancelledNotificationParam, ClientResult, ElicitRequest, ElicitRequestParams, ElicitResult,
        InputRequest, InputRequiredResult, ProtocolVersion, RequestId, ServerRequest,
    },
    service::{Peer, PeerRequestOptions, RequestContext},
};
use tokio::{
    sync::{mpsc, oneshot},
    task::JoinHandle,
};
use tracing::Instrument;

tokio::task_local! {
    static ASKER: Asker;
}

/// Returns what the call that this runs in asks with.
pub(super) fn asker() -> Option<Asker> {
    ASKER.try_with(Clone::clone).ok()
}

/// How one call asks.
#[derive(Clone)]
pub(super) struct Asker {
    /// Whether the client can ask its person.
    pub(super) can_ask: bool,
    /// The conversation of the call.
    pub(super) session: Option<SessionId>,
    /// Who made it.
    pub(super) user: Option<UserId>,
    way: Way,
}

#[derive(Clone)]
enum Way {
    Request(Peer<RoleServer>),
    End(mpsc::Sender<Asked>),
}

/// A question that ends the request.
struct Asked {
    key: &'static str,
    form: ElicitRequestParams,
    answer: oneshot::Sender<ElicitResult>,
}

impl Asker {
    /// Asks, and waits for the answer, which comes back under a key. `None` if there will be none.
    pub(super) async fn ask(self, key: &'static str, form: ElicitRequestParams) -> Option<ElicitResult> {
        match self.way {
            Way::Request(peer) => request_answer(&peer, form).await,
            Way::End(asks) => {
                let (answer, answered) = oneshot::channel();
                asks.send(Asked { key, form, answer }).await.ok()?;
                answered.await.ok()
            }
        }
    }
}

/// What is called, and by whom: an answer is for this and nothing else.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct What {
    pub(super) tool: String,
    pub(super) arguments: String,
    pub(super) caller: Caller,
}

/// The calls whose requests ended with a question and may come again, by tokens that nobody can guess.
#[derive(Default)]
pub(super) struct Calls(Mutex<VecDeque<(String, Waiting)>>);

/// A call that waits for an answer.
struct Waiting {
    call: UnderWay,
    asked: Asked,
}

/// A call that goes on while no request is open for it. Dropped, it ends.
struct UnderWay {
    what: What,
    done: JoinHandle<Result<Reply>>,
    asks: mpsc::Receiver<Asked>,
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.done.abort();
    }
}

impl Calls {
    /// Carries a call out, whose questions go to this client. What is returned instead of its answer is the question that ended the request;
    /// `most` is how many calls wait to be made again.
    pub(super) async fn carry_out(
        &self,
        most: usize,
        what: What,
        request: &CallToolRequestParams,
        context: &RequestContext<RoleServer>,
        call: impl Future<Output = Result<Reply>> + Send + 'static,
    ) -> Result<Result<Reply>, Box<InputRequiredResult>> {
        let client = context.client_capabilities();
        // Without a word on how, it is by a form.
        let can_ask = client.and_then(|client| client.elicitation).is_some_and(|can| can.form.is_some() || can.url.is_none());
        let (session, user) = (what.caller.session.clone(), what.caller.user.clone());
        let asker = |way| Asker { can_ask, session, user, way };
        if context.protocol_version().is_none_or(|version| version < ProtocolVersion::V_2026_07_28) {
            return Ok(ASKER.scope(asker(Way::Request(context.peer.clone())), call).await);
        }
        let waited =
            request.request_state.as_deref().and_then(|token| self.take(token)).filter(|waited| waited.call.what == what);
        let under_way = match waited {
            Some(Waiting { call, asked }) => {
                let answer = request.input_responses.as_ref().and_then(|answers| answers.get(asked.key));
                match answer.and_then(|answer| serde_json::from_value(answer.clone()).ok()) {
                    // Whoever asked may have stopped waiting; then the call goes on without.
                    Some(answer) => drop(asked.answer.send(answer)),
                    None => return Err(Box::new(self.put(most, call, asked))),
                }
                call
            }
            None => {
                let (asks, asked) = mpsc::channel(1);
                let call = ASKER.scope(asker(Way::End(asks)), call).in_current_span();
                UnderWay { what, done: tokio::spawn(call), asks: asked }
            }
        };
        self.to_its_end(most, under_way).await
    }

    /// Goes on with a call until it ends, or asks.
    async fn to_its_end(&self, most: usize, mut call: UnderWay) -> Result<Result<Reply>, Box<InputRequiredResult>> {
        tokio::select! {
            biased;
            done = &mut call.done => {
                Ok(done.unwrap_or_else(|_| Err(Error::new("the call was given up").with_code("cancelled"))))
            }
            Some(asked) = call.asks.recv() => Err(Box::new(self.put(most, call, asked))),
        }
    }

    /// Keeps a call for the answer to what it asks, and returns that.
    fn put(&self, most: usize, call: UnderWay, asked: Asked) -> InputRequiredResult {
        let ask = InputRequest::Elicitation(ElicitRequest::new(asked.form.clone()));
        let questions = [(asked.key.to_owned(), ask)].into();
        let mut random = [0; 16];
        // Without randomness nothing is kept, and the call begins anew.
        let token = match getrandom::fill(&mut random) {
            Ok(()) => random.iter().map(|byte| format!("{byte:02x}")).collect::<String>(),
            Err(_) => return InputRequiredResult::new(Some(questions), Some(String::new())),
        };
        let mut waiting = self.lock();
        while waiting.len() >= most.max(1) {
            let left = waiting.pop_front().map(|(_, left)| left.call.what.tool.clone());
            tracing::warn!(
                tool = left,
                "a call waits no longer for an answer: {most} wait at the same time (`mcp.waiting_calls`)"
            );
        }
        waiting.push_back((token.clone(), Waiting { call, asked }));
        InputRequiredResult::new(Some(questions), Some(token))
    }

    /// Takes a call out: an answer counts once.
    fn take(&self, token: &str) -> Option<Waiting> {
        let mut waiting = self.lock();
        let at = waiting.iter().position(|(known, _)| known == token)?;
        waiting.remove(at).map(|(_, waiting)| waiting)
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<(String, Waiting)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Asks by a request, and waits for the answer.
async fn request_answer(peer: &Peer<RoleServer>, form: ElicitRequestParams) -> Option<ElicitResult> {
    let request = ServerRequest::ElicitRequest(ElicitRequest::new(form));
    let handle = peer.send_cancellable_request(request, PeerRequestOptions::no_options()).await.ok()?;
    let mut taken_back = TakenBack { peer: peer.clone(), id: Some(handle.id.clone()) };
    let answer = handle.await_response().await;
    taken_back.id = None;
    match answer {
        Ok(ClientResult::ElicitResult(answer)) => Some(answer),
        _ => None,
    }
}

/// Takes a question back whose call is given up before it was answered.
struct TakenBack {
    peer: Peer<RoleServer>,
    id: Option<RequestId>,
}

impl Drop for TakenBack {
    fn drop(&mut self) {
        if let (Some(id), Ok(runtime)) = (self.id.take(), tokio::runtime::Handle::try_current()) {
            let peer = self.peer.clone();
            let reason = Some("the call was given up".to_owned());
            drop(runtime.spawn(async move {
                // A client that has gone needs to know nothing.
                let _ = peer.notify_cancelled(CancelledNotificationParam::new(Some(id), reason)).await;
            }));
        }
    }
}
