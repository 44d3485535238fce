//! What the model reads first.

use serde_json::json;

use super::world::{Step, world};

#[tokio::test(start_paused = true)]
async fn what_is_static_stands_first_and_is_the_same_to_the_byte() {
    let world = world(json!({ "rules": "Rules." }), json!({ "persona": "Be kind." })).await;
    world.script("one", [Step::Say("a")]).await;
    world.script("two", [Step::Say("b")]).await;
    let asked = world.model.asked();
    assert_eq!(asked[0].system, ["Be kind.", "Rules.", "Made 1 times."]);
    assert_eq!(asked[1].system, ["Be kind.", "Rules.", "Made 2 times."]);
    assert_eq!(asked[0].tools, asked[1].tools);
    let before = asked[0].entries.len();
    assert_eq!(asked[0].entries[..], asked[1].entries[..before], "what was said stays as it was");
}

#[tokio::test(start_paused = true)]
async fn sections_are_cut_to_what_plugins_may_have() {
    let rules = "word ".repeat(200);
    for settings in [json!({ "prompt_tokens": 20 }), json!({ "plugins": { "probe": { "tokens": 20 } } })] {
        let world = world(json!({ "rules": rules }), settings).await;
        let overview = world.machine.overview(&"s".into()).await.expect("it can be made");
        let of_plugin: u64 = overview.parts.iter().filter(|part| part.name != "persona").map(|part| part.tokens).sum();
        assert!((10..=20).contains(&of_plugin), "{of_plugin}");
        assert!(overview.costs().iter().all(|(_, tokens)| *tokens > 0));
    }
}

#[tokio::test(start_paused = true)]
async fn a_plugin_that_is_off_in_a_session_is_there_in_others() {
    let world = world(json!({ "rules": "Rules." }), json!({})).await;
    world.machine.set_plugin(&"s".into(), "probe", false).await.expect("there is one");
    world.say("one").await;
    assert_eq!((world.model.last().system.len(), world.model.last().tools.len()), (1, 0));
    let caller = nekro_core::Caller::operator().in_session("s");
    assert!(world.kernel.call("probe.look", "{}", &caller).await.is_err());
    let other = crate::agent::Inbound::operator("other", "hello");
    world.turn(other).await;
    assert!(world.model.last().tools.len() > 5);
    let error = world.machine.set_plugin(&"s".into(), "prob", false).await.expect_err("there is none");
    assert_eq!(error.hint(), Some("did you mean `probe`?"));
}
