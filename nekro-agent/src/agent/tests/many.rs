//! What holds whatever happens, on several sessions: any order of messages, stops, failures of the model and of tools.

use std::{collections::HashMap, time::Duration};

use nekro_core::{
    SessionId,
    event::facts::{TurnComplete, TurnOutcome},
};
use proptest::prelude::*;
use serde_json::{Value, json};
use tokio::sync::oneshot;

use super::world::{Step, World, world};
use crate::{
    agent::{Fate, Inbound, inbound::Ended},
    history::{Body, HistoryPort},
    model::ModelErrorKind,
};

const SESSIONS: [&str; 3] = ["a", "b", "c"];

#[derive(Clone, Debug)]
enum Deed {
    Say(usize),
    Stop(usize),
    Reset(usize),
    Pass(u64),
}

fn deeds() -> impl Strategy<Value = Vec<Deed>> {
    let deed = prop_oneof![
        6 => (0..3_usize).prop_map(Deed::Say),
        1 => (0..3_usize).prop_map(Deed::Stop),
        1 => (0..3_usize).prop_map(Deed::Reset),
        3 => (1..60_u64).prop_map(Deed::Pass),
    ];
    proptest::collection::vec(deed, 1..40)
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        Just(Step::Say("well")),
        Just(Step::Say("")),
        (1..80_u64).prop_map(|millis| Step::After(millis, "later")),
        Just(Step::Call(vec![("probe.look", json!({})), ("probe.wait", json!({ "millis": 20 }))])),
        Just(Step::Call(vec![("probe.fail", json!({})), ("probe.crash", json!({})), ("probe.burn", json!({}))])),
        Just(Step::Fail(ModelErrorKind::Unavailable)),
        Just(Step::Panic),
        Just(Step::Hang("never")),
        Just(Step::Stumble("at last")),
    ];
    proptest::collection::vec(step, 0..30)
}

async fn play(world: &World, deeds: &[Deed]) -> HashMap<&'static str, Vec<(String, Option<oneshot::Receiver<Ended>>)>> {
    let mut said: HashMap<_, Vec<_>> = HashMap::new();
    for (number, deed) in deeds.iter().enumerate() {
        match deed {
            Deed::Say(to) => {
                let text = format!("message {number}");
                let received = world.machine.receive(Inbound::operator(SESSIONS[*to], text)).await.expect("it is stored");
                let ended = if let Fate::Answered(ended) = received.fate { Some(ended) } else { None };
                said.entry(SESSIONS[*to]).or_default().push((received.message.to_string(), ended));
            }
            Deed::Stop(of) => drop(world.machine.stop(&SESSIONS[*of].into())),
            Deed::Reset(of) => drop(world.machine.reset(&SESSIONS[*of].into()).await.expect("it can")),
            Deed::Pass(millis) => tokio::time::sleep(Duration::from_millis(*millis)).await,
        }
    }
    said
}

/// What was emitted in a session: names with their turns.
fn course(world: &World, session: &str) -> Vec<(String, Value)> {
    let all = world.facts.all().into_iter();
    all.filter(|(_, fact)| fact["session"] == session).collect()
}

async fn holds(world: &World, deeds: &[Deed]) {
    let said = play(world, deeds).await;
    // What hangs is stopped; the rest would end by itself.
    tokio::time::sleep(Duration::from_secs(60)).await;
    world.machine.stop_all().await;
    for (session, said) in said {
        let mut kept = world.history.messages(&SessionId::from(session), None, 10_000, true).await.expect("in memory");
        kept.reverse();
        let persons = kept.iter().filter(|message| matches!(message.body, Body::Person { .. }));
        let persons: Vec<_> = persons.map(|message| message.id.to_string()).collect();
        let mut ids = Vec::new();
        let course = course(world, session);
        let mut taken: HashMap<&str, usize> = HashMap::new();
        let mut order = Vec::new();
        let mut current = None;
        for (name, fact) in &course {
            match name.as_str() {
                "turn_begin" => assert!(current.replace(fact["turn"].clone()).is_none(), "one turn at a time: {course:#?}"),
                "turn_complete" => assert_eq!(current.take().as_ref(), Some(&fact["turn"]), "it ends once: {course:#?}"),
                "processing_started" | "message_injected" => {
                    let message = fact["message"].as_str().expect("an id");
                    *taken.entry(message).or_default() += 1;
                    order.push(persons.iter().position(|person| person == message).expect("it is stored"));
                }
                _ => {}
            }
        }
        assert_eq!(current, None, "every turn ends");
        assert!(order.is_sorted(), "first in, first out: {order:?}");
        for (id, ended) in said {
            if let Some(ended) = ended {
                let ended = ended.await.expect("whoever waits is told");
                let count = taken.get(id.as_str()).copied().unwrap_or(0);
                let expected = usize::from(ended.turn.is_some());
                assert_eq!(count, expected, "{id} is taken once, or was stopped before");
                assert!(ended.turn.is_some() || ended.outcome == TurnOutcome::Cancelled);
            }
            ids.push(id);
        }
        assert_eq!(persons, ids, "every message is stored, in order");
    }
    assert!(world.history.open_turns().await.expect("in memory").is_empty());
    assert_eq!(world.machine.0.sessions.all().len(), 0, "nothing is kept of sessions that rest");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_nothing_is_lost_and_each_turn_ends_once(
        deeds in deeds(),
        steps in steps(),
        queue in any::<bool>(),
        debounce in prop_oneof![Just("0s"), Just("30ms")],
        parallel in 1..3_usize,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().expect("a runtime");
        runtime.block_on(async {
            let during_turn = if queue { "queue" } else { "inject" };
            let settings = json!({ "during_turn": during_turn, "debounce": debounce, "parallel_turns": parallel, "queue": 4 });
            let world = world(json!({}), settings).await;
            world.model.then(steps);
            holds(&world, &deeds).await;
        });
    }
}

/// How many of these sessions have a turn at the same time.
const AT_ONCE: usize = 16;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_sessions_at_once_have_their_turns_a_few_at_a_time() {
    let world = world(json!({}), json!({ "parallel_turns": AT_ONCE, "context_tokens": 2_000 })).await;
    world.model.then((0..1_000).map(|_| Step::Call(vec![("probe.wait", json!({ "millis": 0 }))])));
    let mut ends = Vec::new();
    for number in 0..1_000 {
        let inbound = Inbound::operator(format!("s{number}"), "hello");
        let Fate::Answered(ended) = world.machine.receive(inbound).await.expect("it is stored").fate else { panic!("answered") };
        ends.push(ended);
    }
    for ended in ends {
        // Some draw many of the calls that the model has to make.
        let outcome = ended.await.expect("it ends").outcome;
        assert!(matches!(outcome, TurnOutcome::Answered | TurnOutcome::Limit), "{outcome:?}");
    }
    world.machine.idle().await;
    assert_eq!(world.facts::<TurnComplete>().len(), 1_000);
    let (mut running, mut most) = (0, 0);
    for (name, _) in world.facts.all() {
        match name.as_str() {
            "turn_begin" => running += 1,
            "turn_complete" => running -= 1,
            _ => {}
        }
        most = most.max(running);
    }
    assert!(most <= AT_ONCE, "{most} at once");
    // What is held for a turn is held for those that run, and nothing for those that rest.
    assert_eq!((world.machine.0.sessions.all().len(), world.presences.kept()), (0, 0));
}
