//! Clients that subscribe, and are told of what changes.

use std::time::Duration;

use nekro_core::{Origin, Role, kernel::ObserverPort, testing::Host};
use serde_json::json;
use tokio::time::timeout;

use super::*;
use crate::mcp::Changes;

/// A client of an agent with one plugin.
struct World {
    host: Host,
    follower: Arc<Follower>,
}

fn client() -> Caller {
    Caller::new(Origin::McpClient, Role::User).in_session("test")
}

fn world(plugin: &str, limits: Limits) -> World {
    let changes = Arc::new(Changes::default());
    let decl = nekro_plugins::PLUGINS.iter().find(|decl| decl.id == plugin).expect("it is bundled");
    let host = Host::builder_of(decl).port::<dyn ObserverPort>(Arc::clone(&changes) as _).start();
    let follower = Follower::new(host.kernel().clone(), Arc::new(limits));
    follower.follow_lists(client());
    changes.tell(&follower);
    World { host, follower }
}

impl World {
    fn watch(&self, uri: &str) {
        self.follower.watch(uri, &client()).expect("it is there");
    }

    /// Returns what is told within a second: the names of resources, `list` and `lists`.
    fn told(&self) -> Vec<String> {
        let following = Arc::downgrade(&self.follower);
        let news = self.host.run(async { timeout(Duration::from_secs(1), Follower::next(&following)).await });
        let News { lists, resources, updated } = news.map(Option::unwrap_or_default).unwrap_or_default();
        let lists = [(lists, "lists"), (resources, "list")].into_iter().filter(|(told, _)| *told);
        updated.into_iter().chain(lists.map(|(_, what)| what.to_owned())).collect()
    }

    fn put(&self, text: &str) {
        self.host.call("put", json!({ "text": text })).expect("there is room");
    }

    fn emit(&self, path: &str, change: FileChange) {
        let path = path.parse().expect("a path");
        self.host.emit(SharedFileChanged { plugin: "report".into(), path, change });
    }
}

#[test]
fn several_changes_at_once_are_one() {
    let world = world("board", Limits::default());
    world.watch("nekro://board/cards");
    world.watch("nekro://board/cards?column=open");
    (0..20).for_each(|number| world.put(&number.to_string()));
    assert_eq!(world.told(), ["nekro://board/cards", "nekro://board/cards?column=open"]);
    assert_eq!(world.told(), Vec::<String>::new());
    world.put("one more");
    assert_eq!(world.told().len(), 2, "it goes on");
}

#[test]
fn nothing_is_told_before_the_interval_is_over() {
    let limits = Limits { change_interval: Duration::from_secs(5), ..Limits::default() };
    let world = world("board", limits);
    world.watch("nekro://board/cards");
    world.put("tea");
    assert_eq!(world.told(), Vec::<String>::new(), "a second is too soon");
    world.host.advance(Duration::from_secs(5));
    world.put("milk");
    let following = Arc::downgrade(&world.follower);
    let news = world.host.run(async { timeout(Duration::from_secs(6), Follower::next(&following)).await });
    assert_eq!(news.expect("in time").expect("it follows").updated.len(), 1);
}

#[test]
fn a_field_that_is_called_as_an_argument_says_which_resource() {
    let world = world("board", Limits::default());
    world.put("tea");
    world.put("milk");
    for uri in ["nekro://board/cards/1", "nekro://board/cards/2", "nekro://board/cards/7"] {
        world.watch(uri);
    }
    world.host.call("move", json!({ "id": 2, "column": "done" })).expect("it is there");
    assert_eq!(world.told(), ["nekro://board/cards/2"]);
}

#[test]
fn what_is_watched_no_longer_is_not_told_of() {
    let world = world("board", Limits::default());
    world.watch("nekro://board/cards");
    world.put("tea");
    world.follower.forget("nekro://board/cards");
    assert_eq!(world.told(), Vec::<String>::new());
    world.put("milk");
    assert_eq!(world.told(), Vec::<String>::new());
}

#[test]
fn only_what_is_seen_can_be_watched_and_only_so_much() {
    let world = world("board", Limits { subscriptions: 1, ..Limits::default() });
    let long = format!("nekro://board/cards/{}", "1".repeat(5_000));
    for uri in ["nekro://board/", "nekro://nobody/cards", "file:///etc/passwd", "", "nekro:", &long] {
        assert_eq!(world.follower.watch(uri, &client()).expect_err("it is unknown").code.0, -32_002, "{uri}");
    }
    let guest = Caller::new(Origin::McpClient, Role::Guest);
    assert!(world.follower.watch("nekro://board/cards", &guest).is_err());
    world.watch("nekro://board/cards");
    world.watch("nekro://board/cards");
    let error = world.follower.watch("nekro://board/cards/1", &client()).expect_err("it is one too many");
    assert!(error.message.contains("`mcp.subscriptions`"), "{error}");
    world.follower.forget("nekro://board/cards");
    world.watch("nekro://board/cards/1");
}

#[test]
fn what_may_not_be_seen_any_longer_is_not_told_of() {
    let world = world("board", Limits::default());
    world.watch("nekro://board/cards");
    world.put("tea");
    world.host.run(world.host.kernel().disable("board")).expect("it is linked");
    assert_eq!(world.told(), ["lists"]);
}

#[test]
fn a_file_is_told_of_to_those_who_are_shown_it() {
    let world = world("report", Limits::default());
    world.watch("nekro://report/files/digests/test/a.md");
    world.emit("digests/test/a.md", FileChange::Written);
    assert_eq!(world.told(), ["nekro://report/files/digests/test/a.md"]);
    world.emit("digests/test/b.md", FileChange::Created);
    assert_eq!(world.told(), ["list"]);
    world.emit("digests/other/a.md", FileChange::Created);
    world.emit("digests/test/b.md", FileChange::Written);
    assert_eq!(world.told(), Vec::<String>::new(), "it is another's, or was not asked for");
    for uri in ["digests/other/a.md", "digests/test/../other/a.md", "digests/test%2F..%2Fother/a.md", "%2e%2e/x"] {
        let uri = format!("nekro://report/files/{uri}");
        assert!(world.follower.watch(&uri, &client()).is_err(), "{uri}");
    }
}

#[test]
fn whoever_is_gone_is_waited_for_by_nobody() {
    let World { host, follower } = world("board", Limits::default());
    let following = Arc::downgrade(&follower);
    drop(follower);
    assert_eq!(host.run(Follower::next(&following)), None);
}
