//! Approval by the person behind a client: a question without fields, which is accepted or declined.

use nekro_core::{
    BoxFuture,
    kernel::{ApprovalPort, ApprovalRequest},
};
use rmcp::model::{ElicitRequestParams, ElicitationAction, ElicitationSchema};

use super::elicit;

/// Under which key the answer of a person comes back.
const ANSWER: &str = "approval";

/// The person behind the client that is served.
#[derive(Debug, Default)]
pub(crate) struct Client;

impl ApprovalPort for Client {
    fn is_there(&self) -> bool {
        elicit::asker().is_some_and(|asker| asker.can_ask)
    }

    fn ask<'a>(&'a self, request: &'a ApprovalRequest<'a>) -> BoxFuture<'a, bool> {
        let message = format!("Allow `{}` to run with {}?\n{}", request.tool, request.arguments, request.reason);
        let requested_schema = ElicitationSchema::new([].into());
        let form = ElicitRequestParams::FormElicitationParams { meta: None, message, requested_schema };
        Box::pin(async move {
            // A call that came another way has nobody to ask. Whatever is not clearly yes is no.
            let Some(asker) = elicit::asker() else { return false };
            asker.ask(ANSWER, form).await.is_some_and(|answer| matches!(answer.action, ElicitationAction::Accept))
        })
    }
}
