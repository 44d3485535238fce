//! A configuration is taken as a whole or not at all, and secrets are not shown.

use expect_test::{Expect, expect};
use nekro_core::event::facts::ConfigChanged;
use serde_json::{Value, json};

use crate::world::{told, world};

#[track_caller]
fn check(config: Value, expected: Expect) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().expect("a runtime");
    let world = runtime.block_on(world().alpha(config).start());
    expected.assert_eq(&world.stage("alpha"));
}

#[test]
fn a_wrong_configuration_is_reported_with_its_key() {
    check(json!({ "wrod": "x" }), expect!["its configuration is wrong: `wrod`: unknown key: did you mean `word`?"]);
    check(
        json!({ "limits": [{ "name": "a", "most": 1 }, { "name": "b", "most": 300 }] }),
        expect!["its configuration is wrong: `limits[1].most`: invalid value: integer `300`, expected u8"],
    );
    check(
        json!({ "limits": [{ "name": "a", "mots": 1 }] }),
        expect!["its configuration is wrong: `limits[0].mots`: unknown key: did you mean `most`?"],
    );
    check(json!({ "limits": [{ "name": "a" }] }), expect!["its configuration is wrong: `limits[0]`: missing field `most`"]);
    check(
        json!({ "guard": "dney" }),
        expect![
            "its configuration is wrong: `guard`: unknown variant `dney`, expected one of `allow`, `ask`, `deny`, `ask_then_deny`, `replace`, `do`"
        ],
    );
    check(json!(["positional"]), expect!["its configuration is wrong: expected a table"]);
}

#[tokio::test(start_paused = true)]
async fn a_new_configuration_holds_from_the_next_call_on_and_a_wrong_one_changes_nothing() {
    let world = world().alpha(json!({ "word": "old" })).start().await;
    let under_way = world.begin("alpha.peek", json!({ "act": { "wait": 1_000 } }), "alpha peek").await;
    world.kernel.reconfigure("alpha", json!({ "word": "new" })).await.expect("a good configuration");
    assert_eq!(told(world.call("alpha.peek", json!({})).await), r#"["new",1,"new"]"#);
    assert_eq!(told(under_way.await.expect("it did not panic")), r#"["old",1,"old"]"#);
    assert_eq!(world.recorder.facts::<ConfigChanged>().len(), 1);

    let error = world.kernel.reconfigure("alpha", json!({ "word": "newest", "limits": 1 })).await.expect_err("a wrong one");
    expect!["`limits`: invalid type: integer `1`, expected a sequence"].assert_eq(&error.to_string());
    assert_eq!(told(world.call("alpha.peek", json!({})).await), r#"["new",1,"new"]"#);
    assert_eq!(world.recorder.facts::<ConfigChanged>().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_is_configured_while_a_plugin_is_disabled_holds_when_it_starts() {
    let world = world().without("alpha").without("beta").start().await;
    world.kernel.reconfigure("alpha", json!({ "wrod": "x" })).await.expect_err("a wrong one is refused at once");
    world.kernel.reconfigure("alpha", json!({ "word": "x" })).await.expect("a good configuration");
    world.kernel.enable("alpha").await.expect("it can start");
    assert_eq!(told(world.call("alpha.peek", json!({})).await), r#"["x",1,"x"]"#);
    // Also over a restart.
    world.kernel.reconfigure("alpha", json!({ "word": "y" })).await.expect("a good configuration");
    world.kernel.disable("alpha").await.expect("nobody requires it");
    world.kernel.enable("alpha").await.expect("it can start");
    assert_eq!(told(world.call("alpha.peek", json!({})).await), r#"["y",2,"y"]"#);
}

#[tokio::test(start_paused = true)]
async fn a_disable_waits_for_calls_with_an_older_configuration_too() {
    let world = world().without("beta").start().await;
    let under_way = world.begin("alpha.peek", json!({ "act": { "wait": 1_000 } }), "alpha peek").await;
    world.kernel.reconfigure("alpha", json!({ "word": "new" })).await.expect("a good configuration");
    world.notes();
    world.kernel.disable("alpha").await.expect("nobody requires it");
    assert_eq!(world.notes(), ["alpha peek waited", "alpha cleanup 1"]);
    assert!(under_way.await.expect("it did not panic").is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_secret_is_never_shown() {
    const SECRET: &str = "hunter2hunter2";
    let setup = world().alpha(json!({ "key": SECRET }));
    let (builder, _) = setup.builder();
    let shown = format!("{builder:?}");
    assert!(!shown.contains(SECRET) && shown.contains("alpha"), "{shown}");
    let kernel = builder.start().await.expect("the names are right");
    let reply = kernel.call("alpha.leak", "{}", &nekro_core::Caller::operator()).await;
    assert_eq!(told(reply), r#""Some(Secret(…)) []""#);
    assert!(!format!("{kernel:?} {:?}", kernel.status()).contains(SECRET));

    for wrong in [json!({ "key": [SECRET] }), json!({ "kye": SECRET }), json!({ "key": { "value": SECRET } })] {
        let error = kernel.reconfigure("alpha", wrong.clone()).await.expect_err("a wrong configuration");
        assert!(!format!("{error} {error:?}").contains(SECRET), "{error}");
        let world = world().alpha(wrong).start().await;
        assert!(!format!("{:?} {:?}", world.kernel.status(), world.recorder).contains(SECRET));
    }
}
