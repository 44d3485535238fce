//! The plugins' store, in memory and as plugins use it.

use std::sync::Arc;

use nekro_core::{Caller, Expected, MemoryStore, Migration, Result, Scope, StorePort};
use serde_json::json;

use crate::{
    store_rules::keeps_to_the_rules,
    world::{told, world},
};

#[test]
fn the_store_in_memory_keeps_to_the_rules() {
    keeps_to_the_rules(|clock, limits| Arc::new(MemoryStore::new(clock, limits)));
}

#[tokio::test(start_paused = true)]
async fn a_plugin_sees_its_own_values_only_and_each_caller_theirs() {
    let world = world().start().await;
    let keep = async |tool: &str, whose: &str, caller: &Caller, word: Option<&str>| {
        let mut arguments = json!({ "word": word });
        if tool == "alpha.keep" {
            arguments["whose"] = whose.into();
        }
        told(world.kernel.call(tool, &arguments.to_string(), caller).await)
    };
    let ada = Caller::operator().in_session("s").as_user("ada");
    let bob = Caller::operator().in_session("s").as_user("bob");
    let elsewhere = Caller::operator().in_session("t").as_user("ada");
    for whose in ["plugin", "session", "user", "both"] {
        assert_eq!(keep("alpha.keep", whose, &ada, Some(whose)).await, "null");
    }
    let sees = async |caller: &Caller| {
        let mut seen = Vec::new();
        for whose in ["plugin", "session", "user", "both"] {
            seen.push(keep("alpha.keep", whose, caller, None).await);
        }
        seen.join(" ")
    };
    assert_eq!(sees(&ada).await, r#""plugin" "session" "user" "both""#);
    assert_eq!(sees(&bob).await, r#""plugin" "session" null null"#);
    assert_eq!(sees(&elsewhere).await, r#""plugin" null "user" null"#);
    assert_eq!(keep("beta.keep", "plugin", &ada, None).await, "null");
    let nowhere = keep("alpha.keep", "session", &Caller::operator(), None).await;
    assert_eq!(nowhere, "no_session: there is no conversation whose values could be read");
}

#[tokio::test(start_paused = true)]
async fn a_plugin_whose_values_are_newer_than_itself_does_not_start() {
    fn step(_: &mut Migration) -> Result<()> {
        Ok(())
    }
    let store = MemoryStore::default();
    store.migrate(&"alpha".into(), &[step]).await.expect("there is nothing to do");
    let scope = Scope { plugin: "alpha".into(), session: None, user: None };
    store.put(&scope, "k", Expected::Any, Some("1".to_owned().into())).await.expect("it writes");
    let world = world().with_port::<dyn StorePort>(Arc::new(store)).start().await;
    assert_eq!(
        world.stage("alpha"),
        "the values of the plugin `alpha` have version 2, and this program works with version 1 (use the program that \
         wrote them, or a newer one; `nekro data delete --plugin` removes them, `nekro data export --plugin` writes them down)"
    );
}
