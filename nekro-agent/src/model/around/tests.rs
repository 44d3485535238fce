use std::{sync::Arc, time::Duration};

use expect_test::{Expect, expect};
use tokio::time::Instant;

use super::{
    testing::{Act, Scripted, written},
    *,
};
use crate::model::{
    Chunk, Model, ModelError, ModelErrorKind,
    ModelErrorKind::{BadRequest, RateLimited, Unauthorized, Unavailable},
    Models, Request,
    settings::{BreakerSettings, BudgetSettings, ModelsSettings, Retries},
};

fn fail(kind: ModelErrorKind, message: &str) -> Act {
    Act::Fail(ModelError::new(kind, message))
}

fn limited(seconds: u64) -> Act {
    Act::Fail(ModelError { retry_after: Some(Duration::from_secs(seconds)), ..ModelError::new(RateLimited, "slow down") })
}

fn link(name: &str, acts: impl IntoIterator<Item = Act>) -> Arc<Link> {
    // A wait of 0 has no chance in it.
    let retries = Retries { times: 2, wait: Duration::ZERO, most_wait: Duration::from_secs(30) };
    let breaker = BreakerSettings { failures: 4, pause: Duration::from_secs(60) };
    Arc::new(Link::new(Scripted::model(name, acts), retries, Duration::from_secs(100), breaker))
}

/// Asks, and returns what came and what came of it.
async fn asked(model: &dyn Model) -> String {
    let mut lines = String::new();
    let mut sink = |chunk: Chunk<'_>| lines += &format!("{}\n", written(chunk));
    let result = model.ask(&Request::default(), &mut sink).await;
    lines
        + &match result {
            Ok(answer) => format!("{} said: {}", answer.model, answer.text),
            Err(error) => format!("{:?}: {error}", error.kind),
        }
}

async fn check(chain: &Chain, expected: Expect) {
    expected.assert_eq(&asked(chain).await);
}

#[tokio::test(start_paused = true)]
async fn what_may_do_better_later_is_asked_again_and_nothing_else() {
    check(
        &Chain::new(link("main", [fail(Unavailable, "503"), limited(7), Act::Say("hello")]), []),
        expect![[r#"
            [again main after 0 ms: 503]
            [again main after 7000 ms: slow down]
            hello
            main said: hello"#]],
    )
    .await;
    check(&Chain::new(link("main", [fail(BadRequest, "400")]), []), expect!["BadRequest: 400"]).await;
    check(&Chain::new(link("main", [fail(Unauthorized, "401")]), []), expect!["Unauthorized: 401"]).await;
}

#[tokio::test(start_paused = true)]
async fn a_model_that_wants_to_be_left_alone_for_long_is_not_waited_for() {
    let began = Instant::now();
    check(
        &Chain::new(link("main", [limited(31)]), []),
        expect!["RateLimited: slow down; it wants to be left alone for 31s, longer than `retries.most_wait`"],
    )
    .await;
    assert_eq!(began.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn waits_double_and_have_some_chance_in_them() {
    let retries = Retries { times: 4, wait: Duration::from_secs(1), most_wait: Duration::from_secs(4) };
    let acts = (0..5).map(|_| fail(Unavailable, "503"));
    let link = Link::new(Scripted::model("main", acts), retries, Duration::from_secs(100), BreakerSettings::default());
    let mut waits = Vec::new();
    let mut sink = |chunk: Chunk<'_>| {
        if let Chunk::Restart { wait_ms, .. } = chunk {
            waits.push(wait_ms);
        }
    };
    link.ask(&Request::default(), &mut sink).await.expect_err("it never answers");
    for (wait, range) in waits.iter().zip([1_000..=2_000, 2_000..=4_000, 4_000..=8_000, 4_000..=8_000]) {
        assert!(range.contains(wait), "{waits:?}");
    }
    assert_eq!(waits.len(), 4);
}

#[tokio::test(start_paused = true)]
async fn another_model_takes_over_whatever_was_wrong() {
    let broken = || (0..3).map(|_| fail(Unavailable, "main: 503"));
    check(
        &Chain::new(link("main", broken()), [link("second", [fail(Unauthorized, "second: 401")]), link("third", [])]),
        expect![[r#"
            [again main after 0 ms: main: 503]
            [again main after 0 ms: main: 503]
            [now second after 0 ms: main: 503]
            [now third after 0 ms: main: 503; second: 401]
            more
            third said: more"#]],
    )
    .await;
    check(
        &Chain::new(link("main", [fail(BadRequest, "main: 400")]), [link("second", [fail(Unauthorized, "second: 401")])]),
        expect![[r#"
            [now second after 0 ms: main: 400]
            Unauthorized: main: 400; second: 401"#]],
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_takes_too_long_is_broken_off() {
    check(
        &Chain::new(link("main", [Act::Stall("hel"), Act::Say("hello")]), []),
        expect![[r#"
            hel
            [again main after 0 ms: the model `main` did not answer within 100s (`models.main.timeouts.whole`)]
            hello
            main said: hello"#]],
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_model_that_keeps_failing_is_left_alone_and_tried_again_later() {
    let main = link("main", (0..4).map(|_| fail(Unavailable, "503")));
    let chain = Chain::new(Arc::clone(&main), [link("second", [])]);
    for _ in 0..2 {
        asked(&chain).await;
    }
    check(
        &chain,
        expect![[r#"
            [now second after 0 ms: the model `main` has failed 4 times and is left alone for another 60 s (`models.main.breaker`)]
            more
            second said: more"#]],
    )
    .await;
    let alone = Chain::new(main, []);
    check(
        &alone,
        expect!["Unavailable: the model `main` has failed 4 times and is left alone for another 60 s (`models.main.breaker`)"],
    )
    .await;
    tokio::time::advance(Duration::from_secs(60)).await;
    check(
        &alone,
        expect![[r#"
        more
        main said: more"#]],
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn cancelling_counts_neither_way() {
    let main = link("main", (0..4).map(|_| fail(Unavailable, "503")).chain([Act::Stall("hel")]));
    let chain = Chain::new(main, []);
    asked(&chain).await;
    asked(&chain).await;
    tokio::time::advance(Duration::from_secs(60)).await;
    let mut nobody = |_: Chunk<'_>| {};
    let cancelled = tokio::time::timeout(Duration::from_secs(1), chain.ask(&Request::default(), &mut nobody)).await;
    assert!(cancelled.is_err());
    check(
        &chain,
        expect![[r#"
        more
        main said: more"#]],
    )
    .await;
}

fn models(budget: BudgetSettings) -> Models {
    let text = r#"{ "main": { "provider": "offline", "price": { "input": 1.0, "output": 2.0 } } }"#;
    let settings: ModelsSettings = serde_json::from_str(text).expect("settings");
    Models::new(&ModelsSettings { budget, ..settings }, std::path::Path::new(""))
        .map_err(|mistakes| format!("{mistakes:?}"))
        .expect("models")
}

/// Asks until the budget is spent; each answer costs 600 tokens and 800 millionths.
async fn spend(budget: BudgetSettings, before: Spent) -> String {
    let mut model = Scripted::new("main", []);
    model.answer.usage = crate::model::Usage { input_tokens: 400, output_tokens: 200, cached_tokens: 0 };
    let model = Budgeted::new(Arc::new(model), models(budget), before);
    for answers in 0..10 {
        if let Err(error) = model.ask(&Request::default(), &mut |_: Chunk<'_>| {}).await {
            assert_eq!(error.kind, ModelErrorKind::Budget);
            return format!("{answers}: {error}");
        }
    }
    "it never ends".to_owned()
}

#[tokio::test]
async fn a_budget_ends_the_turn_with_its_name() {
    let none = BudgetSettings::default();
    let before = Spent { tokens: 1_000, cost_micros: 1_000 };
    for (budget, before, expected) in [
        (none, before, expect!["it never ends"]),
        (
            BudgetSettings { turn_tokens: Some(1_000), ..none },
            before,
            expect!["2: the budget is spent: this turn has cost 1200 tokens of 1000 (`models.budget.turn_tokens`)"],
        ),
        (
            BudgetSettings { session_tokens: Some(1_000), ..none },
            before,
            expect!["0: the budget is spent: this conversation has cost 1000 tokens of 1000 (`models.budget.session_tokens`)"],
        ),
        (
            BudgetSettings { turn_cost: Some(0.002), ..none },
            Spent::default(),
            expect!["3: the budget is spent: this turn has cost 0.0024 USD of 0.002 (`models.budget.turn_cost`)"],
        ),
        (
            BudgetSettings { session_cost: Some(0.002), ..none },
            before,
            expect!["2: the budget is spent: this conversation has cost 0.0026 USD of 0.002 (`models.budget.session_cost`)"],
        ),
    ] {
        expected.assert_eq(&spend(budget, before).await);
    }
}
