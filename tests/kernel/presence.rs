//! Plugins that sleep, or are off, in one conversation.

use std::sync::Arc;

use nekro_core::{
    Caller, Origin, Role,
    event::facts::{ToolExecuted, ToolOutcome},
    kernel::{Presence, PresencePort},
};

use crate::world::world;

/// Alpha sleeps in the session `asleep`, and is off in the session `off`.
struct Sleepy;

impl PresencePort for Sleepy {
    fn presence(&self, plugin: &str, _: Option<&str>, caller: &Caller) -> Presence {
        match (plugin, caller.session.as_ref().map(|session| session.as_str())) {
            ("alpha", Some("asleep")) => Presence::Asleep,
            ("alpha", Some("off")) => Presence::Absent,
            _ => Presence::Awake,
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_plugin_that_sleeps_is_hidden_from_the_model_and_one_that_is_off_from_everybody() {
    let world = world().with_port::<dyn PresencePort>(Arc::new(Sleepy)).start().await;
    let kernel = &world.kernel;
    let model = |session: &str| Caller::new(Origin::Model, Role::Admin).in_session(session);
    let person = |session: &str| Caller::operator().in_session(session);
    for (caller, tools) in [
        (model("awake"), true),
        (model("asleep"), false),
        (model("off"), false),
        (person("awake"), true),
        (person("asleep"), true),
        (person("off"), false),
    ] {
        let listed: Vec<_> = kernel.tools(&caller).filter(|tool| tool.plugin().id == "alpha").collect();
        assert_eq!(!listed.is_empty(), tools, "{caller:?}");
        let name = kernel.registry().tools().iter().find(|tool| tool.decl.plugin.id == "alpha").expect("alpha has tools");
        let called = kernel.call(&name.name, "{}", &caller).await;
        let is_unknown = called.is_err_and(|error| error.code() == "unknown_tool");
        assert_eq!(is_unknown, !tools, "what is not listed cannot be called: {caller:?}");
    }
    let sections = async |caller: Caller| kernel.prompt(&caller).await.iter().filter(|one| one.plugin == "alpha").count();
    assert!(sections(model("awake")).await > 0);
    assert_eq!((sections(model("asleep")).await, sections(person("off")).await), (0, 0));
    assert_eq!(kernel.commands(&person("off")).filter(|command| command.decl.plugin.id == "alpha").count(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_call_carries_the_name_that_the_host_gives_it() {
    let world = world().start().await;
    let called = world.kernel.call_as(&"mine-7".into(), "alpha.nothing", "{}", &Caller::operator()).await;
    assert_eq!(called.outcome, ToolOutcome::Failed);
    let tool = world.kernel.registry().tools().iter().find(|tool| tool.decl.plugin.id == "alpha").expect("alpha has tools");
    let _ = world.kernel.call_as(&"mine-8".into(), &tool.name, "{}", &Caller::operator()).await;
    let calls: Vec<_> = world.recorder.facts::<ToolExecuted>().into_iter().map(|fact| fact.call.to_string()).collect();
    assert_eq!(calls, ["mine-8"]);
}
