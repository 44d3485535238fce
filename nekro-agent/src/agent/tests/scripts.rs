//! Models that act by scripts. The interpreter is a puppet; what is tested is what becomes of its calls.

use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use nekro_core::{
    BoxFuture, Error, Image, Kind, Part, Reply, Result, SessionId,
    event::facts::{ToolCallStarted, ToolExecuted, ToolOutcome, TurnOutcome},
    kernel::{Kernel, Tool},
};
use serde_json::{Value, json};

use super::world::{Step, World, world, world_by_scripts};
use crate::{
    agent::script::{Calls, Own, RUN, Ran, Script, Scripts},
    history::HistoryPort,
    model::Entry,
};

/// Runs scripts of lines such as `probe.echo {"text":"hi"}`, two calls with `|` between them at the same time; and `hang`, and `print x`.
#[derive(Default)]
pub(super) struct Puppet {
    is_running: AtomicBool,
    given: Mutex<Vec<(Vec<String>, Option<SessionId>)>>,
    forgotten: Mutex<Vec<SessionId>>,
}

impl Puppet {
    fn lock<T>(of: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
        of.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Says that no script runs any more, also if it was dropped.
struct Running<'a>(&'a AtomicBool);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.store(false, Ordering::SeqCst);
    }
}

async fn call(calls: &dyn Calls, line: &str) -> Result<Reply> {
    let (function, arguments) = line.trim().split_once(' ').unwrap_or((line.trim(), "{}"));
    calls.call(function, arguments).await
}

impl Scripts for Puppet {
    fn guide(&self, tools: &[Tool<'_>]) -> String {
        format!("You may call {}.", tools.iter().map(Tool::name).collect::<Vec<_>>().join(", "))
    }

    fn run<'a>(&'a self, script: Script<'a>, calls: &'a dyn Calls) -> BoxFuture<'a, Result<Ran>> {
        let tools = script.tools.iter().map(|tool| tool.name().to_owned()).collect();
        Self::lock(&self.given).push((tools, script.session.cloned()));
        Box::pin(async move {
            self.is_running.store(true, Ordering::SeqCst);
            let _running = Running(&self.is_running);
            let mut ran = Ran::default();
            for line in script.source.lines() {
                if let Some(text) = line.strip_prefix("print ") {
                    calls.printed(text);
                    continue;
                }
                if line == "hang" {
                    std::future::pending::<()>().await;
                }
                if line == "busy" {
                    return Err(Error::new("too many scripts").with_code("busy"));
                }
                let answers = match line.split_once('|') {
                    Some((one, other)) => {
                        let (one, other) = tokio::join!(call(calls, one), call(calls, other));
                        vec![one, other]
                    }
                    None => vec![call(calls, line).await],
                };
                for answer in answers {
                    match answer {
                        Ok(reply) => {
                            ran.text.push_str(&format!("{}\n", reply.json));
                            for part in reply.content {
                                if let Part::Image(Image { media_type, bytes }) = part {
                                    ran.images.push(Image { media_type, bytes });
                                }
                            }
                            if matches!(reply.kind, Kind::Show | Kind::Content) {
                                return Ok(ran);
                            }
                        }
                        Err(error) => return Ok(Ran { text: format!("{}: {error}", error.code()), failed: true, ..ran }),
                    }
                }
            }
            Ok(ran)
        })
    }

    fn call_own<'a>(&'a self, _: &'a Kernel, call: Own<'a>) -> Option<BoxFuture<'a, (Result<Reply>, ToolOutcome)>> {
        use nekro_core::IntoReply;
        let own = || Box::pin(std::future::ready(("mine".into_reply(), ToolOutcome::Ok))) as BoxFuture<'a, _>;
        (call.function == "own.thing").then(own)
    }

    fn forget(&self, session: &SessionId) {
        Self::lock(&self.forgotten).push(session.clone());
    }
}

fn script(source: &'static str) -> Step {
    Step::Call(vec![(RUN, json!({ "code": source }))])
}

async fn usual() -> World {
    world_by_scripts(json!({}), json!({})).await
}

#[tokio::test(start_paused = true)]
async fn one_function_is_offered_and_the_others_are_told_of_in_the_same_bytes_each_time() {
    let world = world_by_scripts(json!({ "rules": "Rules." }), json!({})).await;
    world.script("hello", [Step::Say("hi")]).await;
    let first = world.model.last();
    world.script("again", [Step::Say("hi")]).await;
    let second = world.model.last();
    assert_eq!(first.tools.iter().map(|tool| tool.name.as_str()).collect::<Vec<_>>(), [RUN]);
    assert!(first.system[2].contains("probe.echo"), "behind the persona and what does not change: {:#?}", first.system);
    assert_eq!((&first.system[..3], &first.tools), (&second.system[..3], &second.tools));
}

#[tokio::test(start_paused = true)]
async fn calls_of_a_script_are_made_told_of_and_kept_as_any_others() {
    let world = usual().await;
    let source = "probe.echo {\"text\":\"hi\"}\nown.thing\nprint x\nprobe.remember {}";
    world.script("hello", [script(source), Step::Say("done")]).await;
    let told = world.told().await;
    assert_eq!(
        told[1..4],
        [format!("answer:  {RUN}"), format!("{RUN}: \"hi\"\n\"mine\"\ntrue\n"), "notice: There is something to remember.".into()]
    );
    let name = |fact: &ToolCallStarted| format!("{} {}", fact.call, fact.tool);
    assert_eq!(
        world.facts::<ToolCallStarted>().iter().map(name).collect::<Vec<_>>(),
        ["s-turn-1-call-1 run_python", "s-turn-1-call-1.1 probe.echo", "s-turn-1-call-1.3 probe.remember"]
    );
    let last = world.facts::<ToolExecuted>().pop().expect("it has ended");
    assert_eq!((last.tool.as_str(), last.outcome), (RUN, ToolOutcome::Ok));
    let kept = world.history.calls(&"s".into(), 10).await.expect("in memory");
    let mut kept: Vec<_> = kept.iter().map(|call| format!("{} {}", call.id, call.tool)).collect();
    kept.sort();
    assert_eq!(
        kept,
        [
            "s-turn-1-call-1 run_python",
            "s-turn-1-call-1.1 probe.echo",
            "s-turn-1-call-1.2 own.thing",
            "s-turn-1-call-1.3 probe.remember"
        ]
    );
    let seen: Vec<_> =
        world.people.seen().into_iter().map(|line| line[..line.find([' ', '(']).unwrap_or(line.len())].to_owned()).collect();
    let of_script: Vec<_> = seen.iter().skip_while(|name| *name != "ScriptBegan").take(9).map(String::as_str).collect();
    assert_eq!(
        of_script,
        ["ScriptBegan", "CallBegan", "CallEnded", "CallBegan", "CallEnded", "Printed", "CallBegan", "CallEnded", "ScriptEnded"]
    );
}

#[tokio::test(start_paused = true)]
async fn what_must_be_seen_reaches_the_model_with_its_images() {
    let world = usual().await;
    world.script("hello", [script("probe.picture\nprobe.crash"), Step::Say("done")]).await;
    let entries = world.model.last().entries;
    let Some(Entry::Result { images, failed: false, .. }) = entries.last() else { panic!("a result: {entries:?}") };
    assert_eq!(images.len(), 1);
    assert_eq!(world.facts::<ToolExecuted>().len(), 2, "the script ended there");
}

#[tokio::test(start_paused = true)]
async fn a_guard_refuses_and_a_person_approves_a_call_inside_a_script() {
    let ask = json!({ "verdict": "ask", "reason": "sure?" });
    let deny = json!({ "verdict": "deny", "reason": "no" });
    let allow = json!({ "verdict": "allow" });
    let world = world_by_scripts(json!({ "answers": { "tool_call": [ask, allow, deny] } }), json!({})).await;
    world.approver.answer(true);
    let source = "probe.echo {\"text\":\"1\"}\nprobe.echo {\"text\":\"2\"}";
    world.script("hello", [script(source), Step::Say("done")]).await;
    let told = world.told().await;
    assert_eq!(told[2], format!("{RUN}: denied: `probe.echo` was not called: no"));
    let names = world.facts.names();
    assert!(names.contains(&"approval_required".to_owned()) && names.contains(&"approval_resolved".to_owned()));
    let outcomes: Vec<_> = world.facts::<ToolExecuted>().iter().map(|fact| fact.outcome).collect();
    assert_eq!(outcomes, [ToolOutcome::Ok, ToolOutcome::Denied, ToolOutcome::Failed]);
}

#[tokio::test(start_paused = true)]
async fn what_may_destroy_something_runs_alone_in_a_script_too() {
    let world = usual().await;
    let source = "probe.wait {\"millis\":50} | probe.wait {\"millis\":50}\nprobe.burn|probe.wait {\"millis\":50}";
    world.script("hello", [script(source), Step::Say("done")]).await;
    assert_eq!(world.told().await[2], format!("{RUN}: \"waited 50\"\n\"waited 50\"\n1\n\"waited 50\"\n"));
    world.script("how many?", [script("probe.together"), Step::Say("done")]).await;
    assert_eq!(world.told().await[6], format!("{RUN}: 2\n"));
}

#[tokio::test(start_paused = true)]
async fn stopping_a_turn_ends_its_script() {
    let world = usual().await;
    world.model.then([script("probe.remember\nhang")]);
    let received = world.receive("hello").await;
    let crate::agent::Fate::Answered(ended) = received.fate else { panic!("it is answered") };
    while !world.puppet.is_running.load(Ordering::SeqCst) {
        tokio::task::yield_now().await;
    }
    assert!(world.machine.stop(&"s".into()));
    assert_eq!(ended.await.expect("it ends").outcome, TurnOutcome::Cancelled);
    assert!(!world.puppet.is_running.load(Ordering::SeqCst));
    let last = world.facts::<ToolExecuted>().pop().expect("it is told of");
    assert_eq!((last.tool.as_str(), last.outcome), (RUN, ToolOutcome::Failed));
}

#[tokio::test(start_paused = true)]
async fn a_script_goes_on_in_its_session_until_that_begins_anew() {
    let world = usual().await;
    world.script("hello", [script("probe.together"), Step::Say("done")]).await;
    let given = Puppet::lock(&world.puppet.given).clone();
    assert!(given[0].0.contains(&"probe.echo".to_owned()) && given[0].1 == Some("s".into()));
    world.machine.reset(&"s".into()).await.expect("it begins anew");
    assert_eq!(*Puppet::lock(&world.puppet.forgotten), ["s".into()]);
}

#[tokio::test(start_paused = true)]
async fn a_script_that_cannot_be_run_is_told_to_the_model() {
    let world = usual().await;
    let calls = vec![(RUN, json!({ "source": "1" })), (RUN, json!({ "code": "busy" }))];
    world.script("hello", [Step::Call(calls), Step::Say("done")]).await;
    let told = world.told().await;
    assert!(told[2].contains("invalid_arguments") && told[2].contains("the whole script as `code`"), "{}", told[2]);
    assert_eq!(told[3], format!("{RUN}: Error (busy): too many scripts"));
}

#[tokio::test(start_paused = true)]
async fn a_model_that_calls_tools_has_no_function_for_scripts() {
    let world = world(json!({}), json!({})).await;
    world.script("hello", [script("probe.look"), Step::Say("done")]).await;
    assert!(world.told().await[2].contains("there is no tool `run_python`"));
    assert!(Puppet::lock(&world.puppet.given).is_empty());
    assert!(world.model.last().tools.len() > 1);
}

#[tokio::test(start_paused = true)]
async fn a_plugin_may_leave_scripts_out() {
    let none: Value = json!({ "names": [RUN, "functions"] });
    let world = world_by_scripts(json!({ "answers": { "builtin_use": [none] } }), json!({})).await;
    world.script("hello", [Step::Say("done")]).await;
    let request = world.model.last();
    assert!(request.tools.is_empty() && !request.system.iter().any(|text| text.contains("You may call")));
}
