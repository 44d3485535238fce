//! Asking the person behind a client, by what MCP calls elicitation.
//!
//! The kernel asks within the call's own future. Which client that is, the call says by [`Asker::scope`].
//!
//! Up to the protocol of 2025-11-25 the server sends a request and waits for its answer. From 2026-07-28 on there are no requests of a
//! server: the call ends with the question, and the client makes it again with the answer. [`Questions`] keeps what was asked meanwhile.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
};

use nekro_core::{
    BoxFuture,
    kernel::{ApprovalPort, ApprovalRequest},
};
use rmcp::{
    RoleServer,
    model::{
        CallToolRequestParams, CancelledNotificationParam, ClientResult, ElicitRequest, ElicitRequestParams, ElicitResult,
        ElicitationAction, ElicitationSchema, InputRequest, InputRequiredResult, ProtocolVersion, RequestId, ServerRequest,
    },
    service::{Peer, PeerRequestOptions, RequestContext},
};
use serde_json::Value;
use tokio::sync::watch;

/// Under which key the answer of a person comes back.
const ANSWER: &str = "approval";

/// How many questions wait for the call to come again. When it is one too many, the oldest is forgotten, and asked anew.
const MOST_QUESTIONS: usize = 64;

tokio::task_local! {
    static ASKER: Asker;
}

/// The person behind the client that is served.
#[derive(Debug, Default)]
pub(crate) struct Client;

impl ApprovalPort for Client {
    fn is_there(&self) -> bool {
        ASKER.try_with(|asker| asker.can_ask).unwrap_or(false)
    }

    fn ask<'a>(&'a self, request: &'a ApprovalRequest<'a>) -> BoxFuture<'a, bool> {
        let question = Question { tool: request.tool.to_owned(), arguments: request.arguments.clone() };
        let text = format!("Allow `{}` to run with {}?\n{}", request.tool, request.arguments, request.reason);
        let way = ASKER.try_with(|asker| asker.way(&question));
        Box::pin(async move {
            match way {
                Ok(Way::Answered(answer)) => answer,
                Ok(Way::Request(peer)) => request_answer(&peer, text).await,
                Ok(Way::End(asked)) => {
                    asked.send_replace(Some((question, text)));
                    // The call is dropped now.
                    std::future::pending().await
                }
                // A call that came another way, and has nobody to ask.
                Err(_) => false,
            }
        })
    }
}

/// How one call asks.
pub(super) struct Asker {
    can_ask: bool,
    peer: Peer<RoleServer>,
    // For clients that are asked by ending the call.
    by_ending: Option<watch::Sender<Option<(Question, String)>>>,
    answered: Option<(Question, bool)>,
}

/// What a person is asked about.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Question {
    tool: String,
    arguments: Value,
}

enum Way {
    Answered(bool),
    Request(Peer<RoleServer>),
    End(watch::Sender<Option<(Question, String)>>),
}

impl Asker {
    pub(super) fn new(request: &CallToolRequestParams, context: &RequestContext<RoleServer>, questions: &Questions) -> Self {
        let can_ask = context.client_capabilities().is_some_and(|client| client.elicitation.is_some());
        let by_ending = context.protocol_version().is_some_and(|version| version >= ProtocolVersion::V_2026_07_28);
        let answered = request.request_state.as_deref().and_then(|token| questions.take(token)).and_then(|question| {
            let answer = request.input_responses.as_ref()?.get(ANSWER)?;
            let answer: ElicitResult = serde_json::from_value(answer.clone()).ok()?;
            Some((question, matches!(answer.action, ElicitationAction::Accept)))
        });
        Self { can_ask, peer: context.peer.clone(), by_ending: by_ending.then(|| watch::Sender::new(None)), answered }
    }

    /// Runs a call, whose questions go to this client. What is returned instead of its answer is the question that ended it.
    pub(super) async fn scope<T>(self, questions: &Questions, call: impl Future<Output = T>) -> Result<T, InputRequiredResult> {
        let asked = self.by_ending.as_ref().map(watch::Sender::subscribe);
        let call = ASKER.scope(self, call);
        let Some(mut asked) = asked else { return Ok(call.await) };
        let question = async {
            match asked.wait_for(Option::is_some).await {
                Ok(question) => question.clone(),
                Err(_) => None,
            }
        };
        tokio::select! {
            biased;
            done = call => Ok(done),
            Some((question, text)) = question => {
                let ask = InputRequest::Elicitation(ElicitRequest::new(form(text)));
                Err(InputRequiredResult::new(Some([(ANSWER.to_owned(), ask)].into()), Some(questions.put(question))))
            }
        }
    }

    fn way(&self, question: &Question) -> Way {
        match (&self.answered, &self.by_ending) {
            // What was approved is this call with these arguments and nothing else.
            (Some((about, answer)), _) if about == question => Way::Answered(*answer),
            (_, Some(asked)) => Way::End(asked.clone()),
            (_, None) => Way::Request(self.peer.clone()),
        }
    }
}

/// The questions whose calls ended with them and may come again, by tokens that nobody can guess.
#[derive(Debug, Default)]
pub(super) struct Questions(Mutex<VecDeque<(String, Question)>>);

impl Questions {
    fn put(&self, question: Question) -> String {
        let mut random = [0; 16];
        // Without randomness the token is one that fits no question that is told apart by it: it is asked again.
        let token = match getrandom::fill(&mut random) {
            Ok(()) => random.iter().map(|byte| format!("{byte:02x}")).collect::<String>(),
            Err(_) => return String::new(),
        };
        let mut questions = self.lock();
        if questions.len() >= MOST_QUESTIONS {
            questions.pop_front();
        }
        questions.push_back((token.clone(), question));
        token
    }

    /// Takes a question out: an answer counts once.
    fn take(&self, token: &str) -> Option<Question> {
        let mut questions = self.lock();
        let at = questions.iter().position(|(known, _)| known == token)?;
        questions.remove(at).map(|(_, question)| question)
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<(String, Question)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A question without fields: a person accepts or declines.
fn form(message: String) -> ElicitRequestParams {
    let requested_schema = ElicitationSchema::new([].into());
    ElicitRequestParams::FormElicitationParams { meta: None, message, requested_schema }
}

/// Asks by a request, and waits for the answer. Whatever is not clearly yes is no.
async fn request_answer(peer: &Peer<RoleServer>, text: String) -> bool {
    let request = ServerRequest::ElicitRequest(ElicitRequest::new(form(text)));
    let Ok(handle) = peer.send_cancellable_request(request, PeerRequestOptions::no_options()).await else { return false };
    let mut taken_back = TakenBack { peer: peer.clone(), id: Some(handle.id.clone()) };
    let answer = handle.await_response().await;
    taken_back.id = None;
    matches!(answer, Ok(ClientResult::ElicitResult(answer)) if matches!(answer.action, ElicitationAction::Accept))
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
