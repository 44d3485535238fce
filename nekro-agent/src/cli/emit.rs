//! `nekro emit`

use nekro_core::Caller;
use serde_json::{Value, json};

use super::{Failure, Screen};
use crate::assemble::Agent;

pub(super) async fn emit(agent: &Agent, name: &str, data: &str, caller: &Caller, screen: &Screen) -> Result<(), Failure> {
    let registry = agent.kernel.registry();
    let Some(event) = registry.event(name) else {
        return Err(Failure::unknown("event", name, registry.events().iter().map(|event| event.name.as_str())));
    };
    let verdict = (event.decl.trigger)(&agent.kernel, data, caller).await.map_err(|error| Failure::of(&error))?;
    agent.kernel.idle().await;
    let listeners = event.handlers().count();
    screen.show(&json!({ "event": name, "verdict": verdict, "handlers": listeners }), || match verdict {
        Value::Null => format!("{name} was emitted; {listeners} handlers listen to it"),
        verdict => format!("{verdict:#}"),
    });
    Ok(())
}
