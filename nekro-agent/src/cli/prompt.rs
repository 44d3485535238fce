//! `nekro prompt`

use nekro_core::SessionId;

use super::{Failure, Screen, output::table, plain};
use crate::{agent::Overview, assemble::Agent, chat::whose, style::DIM};

pub(super) async fn show(agent: &Agent, session: &SessionId, screen: &Screen) -> Result<(), Failure> {
    let overview = agent.machine.overview(session).await.map_err(|error| Failure::of(&error))?;
    screen.show(&overview, || text(&overview));
    Ok(())
}

/// What a model would see, for a person.
pub(crate) fn text(overview: &Overview) -> String {
    let mut text = String::new();
    for part in &overview.parts {
        let kind = if part.is_static { "static" } else { "dynamic" };
        let tokens = part.tokens;
        text.push_str(&format!(
            "{DIM}── {} {} · {kind} · {tokens} tokens{DIM:#}\n{}\n",
            whose(&part.source),
            part.name,
            plain(part.text.trim_end())
        ));
    }
    text.push_str(&format!("{DIM}── functions{DIM:#}\n"));
    for (source, name, tokens) in &overview.tools {
        text.push_str(&format!("{name} {DIM}{} · {tokens} tokens{DIM:#}\n", whose(source)));
    }
    let costs = overview.costs();
    let all: u64 = costs.iter().map(|(_, tokens)| tokens).sum::<u64>() + overview.history_tokens;
    let mut rows: Vec<_> = costs.iter().map(|(of, tokens)| vec![whose(of).to_owned(), tokens.to_string()]).collect();
    rows.push(vec![format!("(conversation, {} messages)", overview.messages), overview.history_tokens.to_string()]);
    rows.push(vec!["all".to_owned(), format!("{all} of {} (`agent.context_tokens`), estimated", overview.context_tokens)]);
    text.push_str(&format!("{DIM}── tokens for {}{DIM:#}\n{}", overview.model, table(&rows)));
    text
}
