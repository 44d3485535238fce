//! `nekro stubs`: what a model that acts by scripts is shown of the functions.

use nekro_core::{Caller, Origin, Role, SessionId};
use serde_json::json;

use super::{Failure, Screen, plain};
use crate::{
    agent::{of_text, script::Scripts},
    assemble::Agent,
    style::DIM,
};

pub(super) fn show(agent: &Agent, session: SessionId, screen: &Screen) -> Result<(), Failure> {
    let caller = Caller::new(Origin::Model, Role::Admin).in_session(session);
    let tools: Vec<_> = agent.kernel.tools(&caller).collect();
    let (guide, stubs) = (agent.code.guide(&tools), agent.code.stubs(&tools));
    let (tokens, whole, budget) = (of_text(&stubs), of_text(&guide), agent.code.settings().stub_tokens);
    let names: Vec<_> = tools.iter().map(nekro_core::kernel::Tool::name).chain(agent.code.own_names().iter().copied()).collect();
    let value =
        json!({ "stubs": stubs, "tokens": tokens, "budget": budget, "text": guide, "text_tokens": whole, "functions": names });
    screen.show(&value, || {
        format!(
            "{}\n{DIM}── {} functions · {tokens} of {budget} tokens (`sandbox.stub_tokens`) · {whole} with what stands around them, \
             estimated{DIM:#}",
            plain(guide.trim_end()),
            names.len()
        )
    });
    Ok(())
}
