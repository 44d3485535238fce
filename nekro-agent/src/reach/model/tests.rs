//! What a plugin may spend, and that it is written down.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use expect_test::{Expect, expect};
use nekro_core::{BoxFuture, ConfigDecl, Location, Model as Handle, PluginDecl, testing::FakeClock};

use super::*;
use crate::{
    history::MemoryHistory,
    model::{Model, Sink},
};

static PLUGIN: PluginDecl = PluginDecl {
    migrations: &[],
    id: "reader",
    docs: "",
    title: None,
    category: None,
    version: "1.0.0",
    authors: "",
    license: "",
    repository: "",
    package: "runner",
    requires: &[],
    scopes: &[],
    location: Location { file: "lib.rs", line: 1 },
    config: ConfigDecl { read: |_| Ok(Box::new(())), schema: None },
};

/// Models of which each answer costs as much, and one that is none.
struct Known {
    usage: Usage,
    asked: Arc<AtomicU64>,
}

impl Models for Known {
    fn model(&self, name: Option<&str>) -> Result<Arc<dyn Model>> {
        let name = name.unwrap_or("main").to_owned();
        Ok(Arc::new(One { name, usage: self.usage, asked: Arc::clone(&self.asked) }))
    }

    fn cost(&self, _: &str, usage: Usage) -> Option<u64> {
        Some(usage.output_tokens * 1_000_000)
    }

    fn names(&self) -> Vec<String> {
        Vec::new()
    }
}

struct One {
    name: String,
    usage: Usage,
    asked: Arc<AtomicU64>,
}

impl Model for One {
    fn name(&self) -> &str {
        &self.name
    }

    fn ask<'a>(&'a self, request: &'a Request, _: &'a mut dyn Sink) -> BoxFuture<'a, Result<Answer, ModelError>> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        let text = format!("{:?} {:?} {:?}", request.system, request.max_output_tokens, request.entries.len());
        let usage = self.usage;
        let answer = match request.entries.first() {
            Some(Entry::Person { text, .. }) if text == "break" => {
                Err(ModelError::new(ModelErrorKind::Unavailable, "it is away"))
            }
            _ => Ok(Answer { model: self.name.clone(), text, usage, ..Answer::default() }),
        };
        Box::pin(std::future::ready(answer))
    }
}

struct World {
    asked: Arc<AtomicU64>,
    history: Arc<MemoryHistory>,
    clock: Arc<FakeClock>,
    port: Arc<dyn ModelPort>,
}

fn world(settings: PluginModelSettings) -> World {
    let usage = Usage { input_tokens: 7, output_tokens: 3, cached_tokens: 0 };
    world_of(settings, usage)
}

fn world_of(settings: PluginModelSettings, usage: Usage) -> World {
    let (asked, clock) = (Arc::new(AtomicU64::new(0)), Arc::new(FakeClock::default()));
    let history = Arc::new(MemoryHistory::new(Arc::clone(&clock) as _));
    let models = Arc::new(Known { usage, asked: Arc::clone(&asked) });
    let port = Arc::new(Asked::new(&settings, models, Arc::clone(&history) as _, Arc::clone(&clock) as _));
    World { asked, history, clock, port }
}

impl World {
    fn handle(&self, turn: Option<&str>) -> Handle {
        let asker = ModelAsker::new(&PLUGIN);
        let asker = match turn {
            Some(turn) => asker.in_turn("s", turn),
            None => asker,
        };
        Handle::new(asker, Arc::clone(&self.port))
    }
}

#[track_caller]
fn told(error: &Error, expected: Expect) {
    let hint = error.hint().map(|hint| format!(" ({hint})")).unwrap_or_default();
    expected.assert_eq(&format!("{}{}: {error}{hint}", error.code(), if error.is_retryable() { ", retryable" } else { "" }));
}

#[tokio::test]
async fn what_a_plugin_asks_is_booked_to_it() {
    let world = world(PluginModelSettings::default());
    let answer = world.handle(Some("t")).named("small").instructions("Be brief.").complete("hello").await.expect("an answer");
    assert_eq!((answer.model.as_str(), answer.text.as_str()), ("small", r#"["Be brief."] Some(4000) 1"#));
    world.handle(None).most_tokens(9).complete("hello").await.expect("an answer");
    let id: PluginId = "reader".into();
    let day = world.history.usage_of_plugin(&id, Timestamp::UNIX_EPOCH, None).await.expect("a sum");
    assert_eq!((day.answers, day.usage.input_tokens, day.cost_micros), (2, 14, 6_000_000));
    let turn = world.history.usage_of_plugin(&id, Timestamp::UNIX_EPOCH, Some(&"t".into())).await.expect("a sum");
    assert_eq!(turn.answers, 1);
    assert_eq!(world.history.usage(&"s".into()).await.expect("a sum").answers, 1, "it counts into the conversation's budget");
    assert_eq!(world.history.usage_of_plugin(&"other".into(), Timestamp::UNIX_EPOCH, None).await.expect("a sum").answers, 0);
}

#[tokio::test]
async fn a_turns_budget_is_each_turns_own() {
    let world = world(PluginModelSettings { turn_tokens: 20, ..PluginModelSettings::default() });
    for _ in 0..2 {
        world.handle(Some("t")).complete("hello").await.expect("an answer");
    }
    let error = world.handle(Some("t")).complete("hello").await.expect_err("it is spent");
    told(
        &error,
        expect![
            "budget_spent: the plugin `reader` has spent 20 tokens of 20 in this turn, and asks no model any more (the operator sets `plugin_models.turn_tokens`, or `plugin_models.plugins.reader.turn_tokens`)"
        ],
    );
    assert_eq!(world.asked.load(Ordering::Relaxed), 2, "nobody was asked");
    world.handle(Some("u")).complete("hello").await.expect("another turn");
    world.handle(None).complete("hello").await.expect("no turn at all");
}

#[tokio::test]
async fn a_days_budget_is_fresh_at_midnight() {
    let mut settings = PluginModelSettings { day_cost: Some(5.0), ..PluginModelSettings::default() };
    let world_of = |settings: &PluginModelSettings| world(settings.clone());
    let world = world_of(&settings);
    for _ in 0..2 {
        world.handle(None).complete("hello").await.expect("an answer");
    }
    let error = world.handle(None).complete("hello").await.expect_err("it is spent");
    told(
        &error,
        expect![
            "budget_spent: the plugin `reader` has spent 6.0000 of 5 today, and asks no model any more (the operator sets `plugin_models.day_cost`, or `plugin_models.plugins.reader.day_cost`)"
        ],
    );
    world.clock.advance(Duration::from_secs(24 * 3600));
    world.handle(None).complete("hello").await.expect("another day");
    let own = settings::OnePlugin { day_tokens: Some(0), ..settings::OnePlugin::default() };
    settings.plugins.insert("reader".to_owned(), own);
    let error = world_of(&settings).handle(None).complete("hello").await.expect_err("it may ask nothing");
    told(
        &error,
        expect![
            "budget_spent: the plugin `reader` has spent 0 tokens of 0 today, and asks no model any more (the operator sets `plugin_models.day_tokens`, or `plugin_models.plugins.reader.day_tokens`)"
        ],
    );
}

#[tokio::test]
async fn what_the_operator_chose_is_asked() {
    let mut settings =
        PluginModelSettings { model: Some("cheap".to_owned()), answer_tokens: 10, ..PluginModelSettings::default() };
    let answer = world(settings.clone()).handle(None).most_tokens(50).complete("hello").await.expect("an answer");
    assert_eq!((answer.model.as_str(), answer.text.as_str()), ("cheap", "[] Some(10) 1"));
    let own = settings::OnePlugin { model: Some("own".to_owned()), ..settings::OnePlugin::default() };
    settings.plugins.insert("reader".to_owned(), own);
    assert_eq!(world(settings).handle(None).complete("hello").await.expect("an answer").model, "own");
}

#[tokio::test]
async fn what_cannot_be_asked_is_told() {
    let world = world(PluginModelSettings { request_characters: 10, ..PluginModelSettings::default() });
    for (model, text, expected) in [
        (
            "main",
            "hello everybody",
            expect![
                "too_long: the request has 15 characters, and 10 may be asked at once (ask about parts of it; the limit is `plugin_models.request_characters`)"
            ],
        ),
        ("main", "break", expect!["model_unavailable, retryable: it is away"]),
        (
            OFFLINE,
            "hello",
            expect![
                "no_model: there is no language model to ask (the operator sets one up under `[models]`; docs/models.md tells how)"
            ],
        ),
    ] {
        told(&world.handle(None).named(model).complete(text).await.expect_err("no answer"), expected);
    }
}

#[tokio::test]
async fn an_answer_whose_cost_nobody_tells_is_estimated() {
    let world = world_of(PluginModelSettings { turn_tokens: 1, ..PluginModelSettings::default() }, Usage::default());
    let answer = world.handle(Some("t")).complete("hello everybody").await.expect("an answer");
    assert_eq!((answer.input_tokens, answer.output_tokens), (4, 4));
    assert_eq!(world.handle(Some("t")).complete("hello").await.expect_err("it is spent").code(), "budget_spent");
}
