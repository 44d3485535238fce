//! Following feeds, with answers as servers give them.

use expect_test::{Expect, expect};
use nekro_core::{
    Error, Schedule, ScheduleWhen,
    testing::{FakeAnswer, FakeRun, Host},
};
use nekro_plugin_feeds::{Checked, Feeds, Followed, NewEntry, Newest};
use serde_json::json;

const URL: &str = "https://example.org/feed.xml";
const FEED: &str = "GET https://example.org/feed.xml";

fn rss() -> FakeAnswer {
    FakeAnswer::bytes("application/rss+xml", include_str!("recorded/rss.xml"))
        .with_header("etag", "\"1\"")
        .with_header("last-modified", "Wed, 02 Jan 2030 12:00:00 GMT")
}

fn later() -> FakeAnswer {
    FakeAnswer::bytes("application/rss+xml", include_str!("recorded/rss-later.xml")).with_header("etag", "\"2\"")
}

fn host(answers: impl IntoIterator<Item = FakeAnswer>) -> Host {
    let builder = Host::builder::<Feeds>();
    answers.into_iter().fold(builder, |builder, answer| builder.answer(FEED, answer)).start()
}

#[track_caller]
fn newest(host: &Host, tool: &str, url: &str, expected: Expect) {
    let newest: Newest = host.call_as(tool, json!({ "url": url })).expect("entries");
    let lines = newest.entries.iter().map(|entry| {
        let (url, date) = (entry.url.as_deref().unwrap_or("-"), entry.published.as_deref().unwrap_or("-"));
        format!("{} | {} | {url} | {date} | {}", entry.id, entry.title, entry.text)
    });
    expected.assert_eq(&format!("{}\n{}", newest.title, lines.collect::<Vec<_>>().join("\n")));
}

#[track_caller]
fn check(host: &Host) -> Vec<String> {
    let checked: Checked = host.call_as("check", json!({})).expect("it looks");
    checked.new.iter().flat_map(|news| news.entries.iter().map(|entry| entry.title.clone())).collect()
}

#[test]
fn feeds_of_all_kinds_are_read() {
    newest(
        &host([rss()]),
        "read",
        URL,
        expect![[r#"
        Tea & cake
        tea-2 | Black tea | https://example.org/black | 2030-01-02T12:00:00+00:00 | Boiling water.
        tea-1 | Green tea | https://example.org/green | 2030-01-01T12:00:00+00:00 | Seventy **degrees**, and [two minutes](https://example.org/time)."#]],
    );
    let atom = FakeAnswer::bytes("application/atom+xml", include_str!("recorded/atom.xml"));
    newest(
        &host([atom]),
        "read",
        URL,
        expect![[r#"
        Example
        urn:1 | Tea <3 | https://example.org/tea | 2030-01-02T00:00:00+00:00 | About tea."#]],
    );
    let json = FakeAnswer::bytes("application/feed+json", include_str!("recorded/feed.json"));
    newest(
        &host([json]),
        "read",
        URL,
        expect![[r#"
        JSON
        1 | Tea | https://example.org/tea | 2030-01-02T00:00:00+00:00 | About *tea*."#]],
    );
}

#[test]
fn what_is_there_when_a_feed_is_followed_is_not_new() {
    let host = host([rss(), rss(), later(), later()]);
    newest(
        &host,
        "subscribe",
        URL,
        expect![[r#"
        Tea & cake
        tea-2 | Black tea | https://example.org/black | 2030-01-02T12:00:00+00:00 | Boiling water.
        tea-1 | Green tea | https://example.org/green | 2030-01-01T12:00:00+00:00 | Seventy **degrees**, and [two minutes](https://example.org/time)."#]],
    );
    assert_eq!(check(&host), Vec::<String>::new());
    assert_eq!(check(&host), ["White tea"]);
    assert_eq!(check(&host), Vec::<String>::new());
    let events = host.emitted::<NewEntry>();
    assert_eq!(events.len(), 1);
    assert_eq!((events[0].session.as_str(), events[0].feed.as_str(), events[0].feed_title.as_str()), ("test", URL, "Tea & cake"));
    assert_eq!(events[0].entry.url.as_deref(), Some("https://example.org/white"));
}

#[test]
fn whoever_waits_is_told_which_feed_is_looked_at() {
    let host = host([rss(), later(), later()]);
    host.call("subscribe", json!({ "url": URL })).expect("it is followed");
    check(&host);
    assert_eq!(host.progress().iter().map(ToString::to_string).collect::<Vec<_>>(), ["0 of 1, Tea & cake"]);
    let run = FakeRun::new().shared();
    host.run_task("look", json!({}), &run).expect("it looks");
    assert_eq!(run.told_progress(), [(0, "Tea & cake".to_owned())]);
}

#[test]
fn a_server_is_asked_only_for_what_has_changed() {
    let host = host([rss(), FakeAnswer::status(304), later(), FakeAnswer::status(304)]);
    host.call("subscribe", json!({ "url": URL })).expect("it is followed");
    for expected in [vec![], vec!["White tea".to_owned()], vec![]] {
        assert_eq!(check(&host), expected);
    }
    let requests = host.requests();
    let marks: Vec<_> =
        requests.iter().map(|request| (request.header("if-none-match"), request.header("if-modified-since"))).collect();
    let first = (Some("\"1\""), Some("Wed, 02 Jan 2030 12:00:00 GMT"));
    assert_eq!(marks, [(None, None), first, first, (Some("\"2\""), None)]);
}

#[test]
fn a_page_leads_to_its_feed() {
    let page = r#"<html><head><link rel="stylesheet" href="/a.css"><link rel="alternate" type="application/rss+xml" href="/feed.xml"></head></html>"#;
    let host = Host::builder::<Feeds>()
        .answer("GET https://example.org/", FakeAnswer::bytes("text/html; charset=utf-8", page))
        .answer("GET https://example.org/blog", FakeAnswer::bytes("text/html", "<p>nothing"))
        .answer(FEED, rss())
        .start();
    let newest: Newest = host.call_as("subscribe", json!({ "url": "example.org" })).expect("a feed");
    assert_eq!(newest.feed, URL);
    let error = host.call("subscribe", json!({ "url": "example.org/blog" })).expect_err("no feed");
    assert_eq!((error.code(), error.hint()), ("no_feed", Some("give the address of the feed itself")));
}

#[test]
fn feeds_are_listed_and_left_by_each_conversation() {
    let mut host = host([rss()]);
    assert_eq!(host.command("/feeds").expect("a reply").json, "\"No feeds are followed yet.\"");
    host.call("subscribe", json!({ "url": URL })).expect("it is followed");
    host.call("subscribe", json!({ "url": URL })).expect("once more");
    let list: Vec<Followed> = host.call_as("list", json!({})).expect("a list");
    assert_eq!(list.iter().map(|feed| feed.title.as_str()).collect::<Vec<_>>(), ["Tea & cake"]);
    assert!(host.command("/feeds").expect("a reply").json.contains("Tea & cake <https://example.org/feed.xml>"));
    host.act_as(nekro_core::Caller::operator().in_session("other"));
    assert_eq!(host.call_as::<Vec<Followed>>("list", json!({})).expect("a list"), []);
    host.act_as(nekro_core::Caller::operator().in_session("test"));
    host.approve(true);
    assert!(host.call_as::<bool>("unsubscribe", json!({ "url": URL })).expect("it is left"));
    assert!(!host.call_as::<bool>("unsubscribe", json!({ "url": URL })).expect("it was left"));
    assert_eq!(check(&host), Vec::<String>::new());
}

#[test]
fn a_feed_that_fails_is_told_and_tried_again() {
    let timeout = FakeAnswer::error(&Error::new("example.org took too long").with_code("timeout").retryable());
    let host = host([rss(), timeout, FakeAnswer::status(500), FakeAnswer::bytes("text/xml", "no feed"), later()]);
    host.call("subscribe", json!({ "url": URL })).expect("it is followed");
    for problem in ["example.org took too long", "example.org answered with the status 500", "is no feed"] {
        let checked: Checked = host.call_as("check", json!({})).expect("it looks");
        assert!(checked.failed[0].problem.as_deref().is_some_and(|told| told.contains(problem)), "{checked:?}");
        let list: Vec<Followed> = host.call_as("list", json!({})).expect("a list");
        assert_eq!(list[0].problem, checked.failed[0].problem);
    }
    assert_eq!(check(&host), ["White tea"]);
    assert_eq!(host.call_as::<Vec<Followed>>("list", json!({})).expect("a list")[0].problem, None);
}

#[test]
fn a_conversation_follows_so_many_feeds_and_no_more() {
    let builder = Host::builder::<Feeds>().config(json!({ "max_feeds": 1 })).answer(FEED, rss());
    let host = builder.answer("GET https://example.com/feed", rss()).start();
    host.call("subscribe", json!({ "url": URL })).expect("it is followed");
    let error = host.call("subscribe", json!({ "url": "https://example.com/feed" })).expect_err("too many");
    assert_eq!(error.code(), "too_many_feeds");
    assert!(error.hint().is_some_and(|hint| hint.contains("plugins.feeds.max_feeds")));
}

#[test]
fn feeds_are_looked_at_again_and_again_and_people_are_told_what_is_new_once() {
    let host = host([rss(), rss(), later(), later()]);
    host.call("subscribe", json!({ "url": URL })).expect("it is followed");
    host.call("subscribe", json!({ "url": URL })).expect("once more");
    let schedules = host.schedules();
    let [set] = schedules.as_slice() else { panic!("one for the conversation: {schedules:?}") };
    assert_eq!((set.schedule.name.as_str(), set.session.as_ref().map(|id| id.as_str())), ("test", Some("test")));
    assert!(matches!(set.schedule.when, ScheduleWhen::Every { every, .. } if every.as_secs() == 3_600), "{:?}", set.schedule);
    let look = || host.run_task("look", json!({}), &FakeRun::new().shared()).expect("it looks").json;
    assert_eq!(
        (look(), host.sent()),
        ("1".to_owned(), vec!["📰 Tea & cake\n- White tea <https://example.org/white>".to_owned()])
    );
    assert_eq!((look(), host.sent().len(), host.emitted::<NewEntry>().len()), ("0".to_owned(), 1, 1));
    host.approve(true);
    host.call("unsubscribe", json!({ "url": URL })).expect("it is left");
    assert_eq!(host.schedules(), [], "with the last feed, the schedule goes");
}

#[test]
fn what_could_not_be_told_is_told_the_next_time() {
    let host = host([rss(), later(), later(), later()]);
    host.call("subscribe", json!({ "url": URL })).expect("it is followed");
    host.outbox().refuse(Error::new("the channel does not answer").retryable());
    let look = || host.run_task("look", json!({}), &FakeRun::new().shared());
    assert_eq!(look().expect_err("nobody was told").to_string(), "the channel does not answer");
    assert_eq!((check(&host), host.sent()), (vec![], vec![]), "it is no news for whoever asks");
    assert_eq!((look().expect("it looks").json, host.sent().len(), host.emitted::<NewEntry>().len()), ("1".to_owned(), 1, 1));
    assert_eq!((look().expect("it looks").json, host.sent().len()), ("0".to_owned(), 1));
}

#[test]
fn nobody_looks_again_who_was_told_not_to() {
    let host = Host::builder::<Feeds>().config(json!({ "check_minutes": 0 })).answer(FEED, rss()).start();
    host.call("subscribe", json!({ "url": URL })).expect("it is followed");
    assert_eq!(host.schedules(), []);
}

#[test]
fn another_time_counts_from_the_next_feed_on() {
    let host = Host::builder::<Feeds>().config(json!({ "check_minutes": 5 })).answer(FEED, rss()).answer(FEED, rss()).start();
    let every = |minutes: u64| Schedule::every("test", std::time::Duration::from_secs(minutes * 60)).when;
    for _ in 0..2 {
        host.call("subscribe", json!({ "url": URL })).expect("it is followed");
        assert_eq!(host.schedules()[0].schedule.when, every(5));
    }
}
