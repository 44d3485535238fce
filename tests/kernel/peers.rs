//! Plugins that call one another.

use nekro_core::{Caller, Origin, Role, kernel::Registry, policy::Policy};
use serde_json::{Value, json};

use crate::world::{told, world};

async fn pass_on(world: &crate::world::World, tool: &str, arguments: Value) -> String {
    told(world.call("beta.pass_on", json!({ "tool": tool, "arguments": arguments })).await)
}

#[tokio::test(start_paused = true)]
async fn a_plugin_calls_the_tools_of_those_that_it_requires() {
    let world = world().start().await;
    assert_eq!(
        pass_on(&world, "alpha.typed", json!({ "text": "hi" })).await,
        r#"{"count":3,"label":null,"stops":[],"style":"as-is","text":"hi"}"#
    );
    assert!(pass_on(&world, "alpha.typed", json!({ "text": 7 })).await.starts_with("invalid_arguments: "), "they are checked");
    assert_eq!(
        pass_on(&world, "gamma.act", json!({})).await,
        "out_of_scope: the plugin `beta` does not require the plugin `gamma`"
    );
    assert!(pass_on(&world, "beta.act", json!({})).await.starts_with("out_of_scope"), "nor its own");
    assert!(pass_on(&world, "alpha.atc", json!({})).await.starts_with("unknown_tool"));
    world.kernel.disable("beta").await.expect("nobody requires it");
}

#[tokio::test(start_paused = true)]
async fn the_call_comes_from_the_plugin_and_for_its_caller() {
    let world = world().policy("[[rules]]\ntools = 'alpha.act'\norigins = ['plugin']\nrole = 'manager'\n").start().await;
    let call = async |caller: Caller| {
        told(world.kernel.call("beta.pass_on", &json!({ "tool": "alpha.act" }).to_string(), &caller).await)
    };
    assert_eq!(call(Caller::operator()).await, r#""done""#);
    assert!(call(Caller::new(Origin::Person, Role::User)).await.starts_with("unknown_tool"), "no plugin lends its role");
    let direct = told(world.kernel.call("alpha.act", "{}", &Caller::operator()).await);
    assert!(direct.starts_with("unknown_tool"), "{direct}");
}

#[tokio::test(start_paused = true)]
async fn guards_have_their_say_about_such_a_call() {
    let world = world().alpha(json!({ "guard": "deny" })).start().await;
    let called = pass_on(&world, "alpha.act", json!({})).await;
    assert!(called.starts_with("denied: "), "{called}");
}

#[tokio::test(start_paused = true)]
async fn a_circle_of_calls_ends() {
    let world = world().beta(json!({ "peer": "alpha.act" })).start().await;
    assert_eq!(told(world.call("alpha.act", json!({})).await), r#""done""#);
    world.kernel.idle().await;
    let said = world.all_notes();
    let deep: Vec<_> = said.iter().filter(|line| line.contains("too_deep")).collect();
    assert_eq!(
        deep,
        ["beta guard: too_deep: `alpha.act` was not called: plugins have called one another 8 times on the way here"],
        "{said:#?}"
    );
}

#[test]
fn the_manifest_says_what_a_plugin_reaches_through_others() {
    let manifest = Registry::linked().expect("they fit together").manifest();
    let through = |id: &str| {
        let plugin = manifest.plugin(id).expect("it is linked");
        plugin.through.iter().map(|through| format!("{} of {}", through.capability, through.plugin)).collect::<Vec<_>>()
    };
    let of_alpha: Vec<_> = manifest.plugin("alpha").expect("it is linked").capabilities.iter().map(|one| &one.name).collect();
    assert!(of_alpha.iter().any(|name| *name == "store"), "{of_alpha:?}");
    assert_eq!(through("beta"), of_alpha.iter().map(|name| format!("{name} of alpha")).collect::<Vec<_>>());
    assert_eq!(through("alpha"), [""; 0]);
}

#[test]
fn what_is_denied_to_a_plugin_is_denied_through_others_too() {
    let mut manifest = Registry::linked().expect("they fit together").manifest();
    let beta = manifest.plugins.iter_mut().find(|plugin| plugin.id == "beta").expect("it is linked");
    beta.capabilities.retain(|taken| taken.name != "store");
    let through = "store";
    let policy = Policy::parse(&format!("[plugins.beta]\ndeny = ['{through}']\n")).unwrap_or_else(|error| panic!("{error}"));
    let findings: Vec<_> = policy.check(&manifest).iter().map(ToString::to_string).collect();
    assert_eq!(
        findings,
        [format!(
            "nekro.policy.toml:2: the plugin `beta` reaches `{through}`, which is denied, through the plugin `alpha`, whose tools it calls"
        )]
    );
}
