//! The plugin as GitHub and people use it.

use nekro_core::{kernel::RawDelivery, testing::Host};
use nekro_plugin_github::Github;
use serde_json::{Value, json};

fn deliver(host: &Host, event: &str, payload: &Value) {
    let hook = host.kernel().webhook("github", "events").expect("it runs");
    let json = payload.to_string();
    host.run(host.kernel().deliver_webhook(hook, RawDelivery::new("1", Some(event), &json))).expect("it is handled");
    host.run(host.kernel().idle());
}

fn pull_request(action: &str, merged: bool) -> Value {
    json!({
        "action": action,
        "repository": { "full_name": "Octo/Hello" },
        "sender": { "login": "ada" },
        "pull_request": { "number": 7, "title": "Faster *hellos*", "merged": merged, "html_url": "https://github.com/Octo/Hello/pull/7" },
    })
}

#[test]
fn who_has_subscribed_is_told_and_nobody_else() {
    let host = Host::of::<Github>();
    deliver(&host, "pull_request", &pull_request("opened", false));
    assert_eq!(host.sent(), [""; 0], "nobody has subscribed yet");
    host.call("subscribe", json!({ "repository": "octo/hello" })).expect("it subscribes");
    host.call("subscribe", json!({ "repository": "https://github.com/octo/hello" })).expect("once more is no more");
    deliver(&host, "pull_request", &pull_request("closed", true));
    assert_eq!(
        host.sent(),
        ["Octo/Hello: ada merged the pull request #7 Faster \\*hellos\\* <https://github.com/Octo/Hello/pull/7>"]
    );
    assert_eq!(host.call_as::<Vec<String>>("subscriptions", json!({})).expect("it lists"), ["octo/hello"]);
    host.call("unsubscribe", json!({ "repository": "octo/hello" })).expect("it unsubscribes");
    deliver(&host, "pull_request", &pull_request("reopened", false));
    assert_eq!(host.sent().len(), 1);
}

#[test]
fn what_is_not_worth_a_line_is_not_told() {
    let host = Host::of::<Github>();
    host.call("subscribe", json!({ "repository": "octo/hello" })).expect("it subscribes");
    deliver(&host, "pull_request", &pull_request("labeled", false));
    deliver(&host, "ping", &json!({ "zen": "Keep it logically awesome.", "repository": { "full_name": "octo/hello" } }));
    deliver(&host, "star", &json!({}));
    deliver(&host, "push", &json!({ "repository": { "full_name": "octo/hello" }, "ref": "refs/heads/main", "commits": [] }));
    assert_eq!(host.sent(), [""; 0]);
}

#[test]
fn without_a_secret_there_is_none_to_compare_with() {
    let host = Host::of::<Github>();
    let hook = host.kernel().webhook("github", "events").expect("it runs");
    assert!(host.kernel().webhook_secret(hook).is_none());
    let host = Host::builder::<Github>().config(json!({ "webhook_secret": "s3cret" })).start();
    let hook = host.kernel().webhook("github", "events").expect("it runs");
    assert_eq!(host.kernel().webhook_secret(hook).expect("it is set").expose(), "s3cret");
}
