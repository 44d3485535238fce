//! Exports, and what does not pass for one.

use std::io::Cursor;

use nekro_core::{
    Caller, Expected, Filter, Schedule, Scope, StorePort, Timestamp, VectorPlace, VectorPoint, event::facts::TurnOutcome,
};
use rusqlite::Connection;
use serde_json::json;

use super::Place;
use crate::{
    history::{HistoryPort, SessionSettings, Turn, rules::says},
    storage::{
        Counts, Import, ImportError, NewPoint, Removed, Storage, Whose, delete, export, export_session, export_values, import,
        schedules::{self, NewScheduleRow, Times},
        tasks::{self, NewTaskRow},
    },
};

fn now() -> Timestamp {
    Timestamp::from_second(1_700_000_000).expect("a moment")
}

fn text_of(place: &Place) -> (String, Counts) {
    let mut text = Vec::new();
    let counts = export(&place.directory(), &mut text, now()).expect("it is exported");
    (String::from_utf8(text).expect("text"), counts)
}

fn read(place: &Place, text: impl AsRef<[u8]>, how: Import) -> Result<Counts, ImportError> {
    import(&place.directory(), &mut Cursor::new(text), how)
}

async fn fill(storage: &Storage) {
    for session in ["b", "a", "c"] {
        storage.append(&session.into(), vec![says("hello"), says("\u{1f980}\n\0")]).await.expect("it writes");
    }
    storage.append(&"b".into(), vec![says("again")]).await.expect("it writes");
    let settings = SessionSettings { title: Some("t".to_owned()), ..SessionSettings::default() };
    storage.set_session(&"a".into(), settings).await.expect("it is there");
    for turn in ["1", "2"] {
        let turn = Turn { id: turn.into(), session: "a".into(), message: None, began: now() };
        storage.begin_turn(turn).await.expect("it begins");
    }
    storage.end_turn(&"1".into(), TurnOutcome::Limit, 7).await.expect("it ends");
    storage.set_enabled("dice", Some(false)).await.expect("it writes");
    for (session, user) in [(None, None), (Some("a"), None), (Some(""), Some("u"))] {
        let scope = Scope { plugin: "notes".into(), session: session.map(Into::into), user: user.map(Into::into) };
        storage.put(&scope, "k", Expected::Any, Some("{ \"as\": 1.0 }".to_owned().into())).await.expect("it writes");
    }
    fill_rest(storage).await;
}

/// What is no value: collections, tasks, schedules and webhooks. Half of it is of the session `a` and the person `u`.
async fn fill_rest(storage: &Storage) {
    let whole = VectorPlace::new("notes", "texts");
    let scope = Scope { session: Some("a".into()), user: Some("u".into()), ..whole.scope.clone() };
    for place in [whole, VectorPlace { scope, collection: "texts".to_owned() }] {
        let point =
            |id: &str| VectorPoint { id: id.to_owned(), text: "a \u{1f980} walks".to_owned(), payload: json!({ "n": 1 }) };
        let points = ["x", "y"].map(|id| NewPoint { point: point(id), words: "a walks".to_owned() });
        storage.vector_write(&place, points.into(), 100).await.expect("it writes");
        storage.vector_pin(&place, "kinds", 2).await.expect("it writes");
        let (_, waiting) = storage.vector_waiting(&place, 1).await.expect("it lists");
        let vector = [0.6_f32, 0.8].iter().flat_map(|one| one.to_le_bytes()).collect();
        storage.vector_fill(&place, vec![(waiting[0].clone(), vector)]).await.expect("it writes");
    }
    let person = Caller { user: Some("u".into()), ..Caller::operator().in_session("a") };
    for (caller, name) in [(Caller::host(), "nobody's"), (person, "theirs")] {
        let write = move |connection: &Connection| {
            let task = |key: &str| NewTaskRow {
                plugin: "timer".to_owned(),
                name: "ring".to_owned(),
                arguments: r#"{ "as": 1.0 }"#.to_owned(),
                caller: caller.clone(),
                parent: None,
                schedule: None,
                serial: None,
                key: Some(format!("{key} {name}")),
                due: now(),
                callback: Some("rung".to_owned()),
                tell: true,
            };
            for key in ["waits", "runs", "ends"] {
                tasks::insert(connection, &task(key), now(), 100)?;
            }
            connection.execute(
                "UPDATE task SET state = 'running', epoch = 2, owner = 'me', lease = 5, waits = 'tea' WHERE key LIKE 'runs%'",
                [],
            )?;
            connection.execute("UPDATE task SET state = 'failed', ended = 7, problem = '{\"code\":\"c\",\"message\":\"m\"}' WHERE key LIKE 'ends%'", [])?;
            connection
                .execute("INSERT OR IGNORE INTO task_notice SELECT number, 'tea', '1' FROM task WHERE key LIKE 'waits%'", [])?;
            connection.execute("INSERT OR IGNORE INTO task_wait SELECT number, 'tea', 9 FROM task WHERE key LIKE 'runs%'", [])?;
            let schedule = NewScheduleRow {
                plugin: "timer".to_owned(),
                schedule: Schedule::every(name, std::time::Duration::from_secs(60)).message("Tea!"),
                declared: false,
                caller: caller.clone(),
                most_failures: 3,
                times: Some(Times { tick: now(), due: now() }),
            };
            schedules::put(connection, &schedule, now(), 100)?;
            connection.execute(
                "INSERT INTO delivery (plugin, hook, id, payload, came, tries, due) VALUES ('repo', 'push', ?1, '{}', 1, 0, 2)",
                [name],
            )?;
            Ok(())
        };
        storage.write(write).await.expect("it writes");
    }
}

fn rest(counts: &Counts) -> [u64; 6] {
    [counts.collections, counts.texts, counts.tasks, counts.notices, counts.schedules, counts.webhooks]
}

#[tokio::test]
async fn what_was_exported_comes_back_to_the_byte() {
    let (from, to) = (Place::new(), Place::new());
    let storage = from.storage();
    fill(&storage).await;
    let (text, counts) = text_of(&from);
    assert_eq!((counts.sessions, counts.messages, counts.turns, counts.values, counts.plugins), (3, 7, 2, 3, 1));
    assert_eq!(rest(&counts), [2, 4, 6, 4, 2, 2]);
    assert_eq!(read(&to, &text, Import::IntoNothing).expect("it is imported"), counts);
    let (again, _) = text_of(&to);
    let without_head = |text: &str| text.split_once('\n').expect("lines").1.to_owned();
    assert_eq!(without_head(&again), without_head(&text));
    // What comes next does not have a number that something had before.
    let scope = Scope { plugin: "notes".into(), session: None, user: None };
    let copy = to.storage();
    let old = copy.get(&scope, "k").await.expect("it reads").expect("it is there");
    copy.put(&scope, "k", Expected::Version(old.version), Some("2".to_owned().into())).await.expect("it writes");
    let new = copy.get(&scope, "k").await.expect("it reads").expect("it is there");
    assert!(new.version > old.version);
    assert_eq!(copy.append(&"b".into(), vec![says("more")]).await.expect("it writes")[0].number, 4);
    // Texts are found by their words, and those that have no vector wait for one. What ran waits for somebody who runs it.
    let place = VectorPlace::new("notes", "texts");
    let found = copy.vector_words(&place, "\"walks\"".to_owned(), Filter::new(), 10).await.expect("it looks");
    assert_eq!((found.len(), copy.vector_waiting(&place, 9).await.expect("it lists").0), (2, 1));
    let states = "SELECT group_concat(state || coalesce(owner, '') || epoch, ' ') FROM task WHERE plugin = 'timer'";
    let states: String = copy.scan(move |db| Ok(db.query_row(states, [], |row| row.get(0))?)).await.expect("it reads");
    assert_eq!(states, "queued0 queued2 failed0 queued0 queued2 failed0");
}

#[tokio::test]
async fn what_is_no_value_belongs_to_a_plugin_a_person_or_a_session_too() {
    let place = Place::new();
    let storage = place.storage();
    fill(&storage).await;
    let of = |whose: &Whose| {
        let counts = export_values(&place.directory(), whose, &mut Vec::new(), now()).expect("it is exported");
        rest(&counts)
    };
    let (notes, timer, repo) = (Whose::Plugin("notes".into()), Whose::Plugin("timer".into()), Whose::Plugin("repo".into()));
    let (user, session) = (Whose::User("u".into()), Whose::Session("a".into()));
    assert_eq!([of(&notes), of(&timer), of(&repo)], [[2, 4, 0, 0, 0, 0], [0, 0, 6, 4, 2, 0], [0, 0, 0, 0, 0, 2]]);
    assert_eq!([of(&user), of(&session)], [[1, 2, 3, 2, 1, 0]; 2]);
    let counts =
        export_session(&place.directory(), &"a".into(), &mut Vec::new(), now()).expect("it is exported").expect("it is there");
    assert_eq!(rest(&counts), [1, 2, 3, 2, 1, 0]);

    storage.delete_session(&"a".into()).await.expect("it deletes");
    // The task that runs is told to end, and is forgotten later; nobody is told, and nothing follows.
    assert_eq!(of(&session), [0, 0, 1, 1, 0, 0]);
    let left = "SELECT group_concat(cancel || tell || coalesce(callback, '-')) FROM task WHERE session = 'a'";
    let left: String = storage.scan(move |db| Ok(db.query_row(left, [], |row| row.get(0))?)).await.expect("it reads");
    assert_eq!(left, "10-");
    let removed = delete(&place.directory(), &timer, now()).expect("it deletes");
    assert_eq!((removed.tasks, removed.schedules, removed.texts), (4, 1, 0));
    assert_eq!(delete(&place.directory(), &repo, now()).expect("it deletes").webhooks, 2);
    assert_eq!(delete(&place.directory(), &notes, now()).expect("it deletes").texts, 2);
    assert_eq!([of(&notes), of(&repo)], [[0; 6]; 2]);
}

#[tokio::test]
async fn what_a_function_declares_stays_and_keeps_no_import_away() {
    let (place, from) = (Place::new(), Place::new());
    let storage = place.storage();
    storage.append(&"s".into(), vec![says("hello")]).await.expect("it writes");
    let declare = |connection: &Connection| {
        let schedule = NewScheduleRow {
            plugin: "timer".to_owned(),
            schedule: Schedule::every("own", std::time::Duration::from_secs(60)).message("Tea!"),
            declared: true,
            caller: Caller::host(),
            most_failures: 0,
            times: None,
        };
        schedules::put(connection, &schedule, now(), 100).map(drop)
    };
    storage.write(declare).await.expect("it writes");
    assert_eq!(delete(&place.directory(), &Whose::Plugin("timer".into()), now()).expect("it deletes").schedules, 0);
    storage.delete_session(&"s".into()).await.expect("it deletes");
    fill(&from.storage()).await;
    let (text, counts) = text_of(&from);
    assert_eq!(read(&place, text, Import::IntoNothing).expect("nothing that is kept is there"), counts);
}

#[tokio::test]
async fn nothing_is_an_export_too() {
    let (from, to) = (Place::new(), Place::new());
    let (text, counts) = text_of(&from);
    assert_eq!((counts, text.lines().count()), (Counts::default(), 2));
    read(&to, &text, Import::IntoNothing).expect("it is imported");
}

#[tokio::test]
async fn what_is_there_stays_unless_it_is_to_be_replaced() {
    let (from, to) = (Place::new(), Place::new());
    fill(&from.storage()).await;
    let (text, counts) = text_of(&from);
    to.storage().append(&"mine".into(), vec![says("hello")]).await.expect("it writes");
    let (before, _) = text_of(&to);
    assert!(matches!(read(&to, &text, Import::IntoNothing), Err(ImportError::NotEmpty)));
    assert!(read(&to, &text[..text.len() - 10], Import::Replace).is_err());
    assert_eq!(text_of(&to).0, before);
    assert_eq!(read(&to, &text, Import::Replace).expect("it is imported"), counts);
    assert_eq!(text_of(&to).1, counts);
}

#[tokio::test]
async fn an_export_that_was_cut_off_anywhere_is_refused_whole() {
    let (from, to) = (Place::new(), Place::new());
    fill(&from.storage()).await;
    let (text, _) = text_of(&from);
    // A missing line break at the very end is nobody's loss.
    for end in (0..text.len() - 1).step_by(37).chain(text.match_indices('\n').map(|(at, _)| at).filter(|at| at + 1 < text.len()))
    {
        let cut = &text.as_bytes()[..end];
        assert!(matches!(read(&to, cut, Import::IntoNothing), Err(ImportError::Line { .. })), "{end}");
    }
    assert_eq!(text_of(&to).1, Counts::default());
}

#[tokio::test]
async fn a_line_too_many_too_few_or_in_the_wrong_place_is_told_by_its_number() {
    let (from, to) = (Place::new(), Place::new());
    fill(&from.storage()).await;
    let (text, _) = text_of(&from);
    let lines: Vec<_> = text.lines().map(str::to_owned).collect();
    for at in 0..lines.len() {
        let (mut without, mut twice) = (lines.clone(), lines.clone());
        without.remove(at);
        twice.insert(at, lines[at].clone());
        for wrong in [without, twice] {
            let refused = read(&to, wrong.join("\n"), Import::IntoNothing);
            assert!(matches!(refused, Err(ImportError::Line { .. })), "line {}: {refused:?}", at + 1);
        }
    }
    assert_eq!(text_of(&to).1, Counts::default());
}

#[test]
fn a_hostile_text_is_told_and_nothing_of_it_is_kept() {
    let head = r#"{"nekro":{"format":1,"part":"everything","program":"0.1.0","exported":"2026-01-01T00:00:00Z","writes":3}}"#;
    let session = |messages: &str| {
        format!(
            r#"{{"session":{{"id":"s","began":"2026-01-01T00:00:00Z","used":"2026-01-01T00:00:00Z","messages":{messages},"settings":{{}}}}}}"#
        )
    };
    let value = |json: &str, version: &str| {
        format!(r#"{{"value":{{"plugin":"p","key":"k","json":{},"version":{version}}}}}"#, serde_json::json!(json))
    };
    let collection = |dimension: &str| match dimension {
        "null" => r#"{"collection":{"plugin":"p","name":"c"}}"#.to_owned(),
        dimension => format!(r#"{{"collection":{{"plugin":"p","name":"c","model":"m","dimension":{dimension}}}}}"#),
    };
    let text = |vector: &str| format!(r#"{{"text":{{"id":"i","text":"t","payload":"1","vector":{vector}}}}}"#);
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let cases = [
        (String::new(), "line 1"),
        ("\0\0\0\0".to_owned(), "no export"),
        ("{}".to_owned(), "no export"),
        (deep.clone(), "no export"),
        (head.replace(r#""format":1"#, r#""format":2"#), "format 2"),
        (head.replace("everything", "session"), "single session"),
        (head.replace(r#""writes":3"#, r#""writes":18446744073709551615"#), "writes"),
        (format!("{head}\n{deep}"), "line 2"),
        (format!("{head}\n{{\"surprise\":{{}}}}"), "surprise"),
        (format!("{head}\n{}", session("-1")), "line 2"),
        (format!("{head}\n{}\n{{\"end\":{{}}}}", session("18446744073709551615")), "line 3"),
        (format!("{head}\n{}", value("1", "0")), "version"),
        (format!("{head}\n{}", value("1", "4")), "version"),
        (format!("{head}\n{}", value("{", "1")), "no JSON"),
        (format!("{head}\n{0}\n{0}", value("1", "1")), "already"),
        (format!("{head}\n{}", text("null")), "follows its collection"),
        (format!("{head}\n{}\n{}", collection("null"), text(r#""AAAA""#)), "other numbers"),
        (format!("{head}\n{}\n{}", collection("1"), text(r#""AADAfw==""#)), "other numbers"),
        (format!("{head}\n{}\n{}", collection("1"), text(r#""*""#)), "Base64"),
        (format!("{head}\n{}", collection(r#"1,"model":null"#)), "line 2"),
        (format!("{head}\n{{\"notice\":{{\"task\":1,\"name\":\"n\",\"json\":\"1\"}}}}"), "follows its task"),
        (format!("{head}\n{{\"task\":{{\"number\":1}}}}"), "line 2"),
        (
            format!(
                "{head}\n{{\"webhook\":{{\"plugin\":\"p\",\"hook\":\"h\",\"id\":\"i\",\"payload\":\"{{\",\"came\":\"2026-01-01T00:00:00Z\",\"tries\":0,\"due\":\"2026-01-01T00:00:00Z\"}}}}"
            ),
            "no JSON",
        ),
    ];
    for (text, words) in cases {
        let place = Place::new();
        let refused = read(&place, &text, Import::IntoNothing).expect_err(words);
        let said = refused.to_string();
        assert!(said.contains(words) && said.starts_with("line ") && said.len() < 400, "{words}: {said}");
        assert_eq!(text_of(&place).1, Counts::default(), "{words}");
    }
}

#[tokio::test]
async fn nothing_is_imported_under_an_agent_that_runs() {
    let (from, to) = (Place::new(), Place::new());
    fill(&from.storage()).await;
    let (text, _) = text_of(&from);
    let _agent = to.directory().lock().expect("nobody is there");
    assert!(matches!(read(&to, text, Import::Replace), Err(ImportError::Storage(_))));
}

#[tokio::test]
async fn a_session_is_exported_alone_and_read_by_people() {
    let place = Place::new();
    fill(&place.storage()).await;
    let mut text = Vec::new();
    let counts = export_session(&place.directory(), &"a".into(), &mut text, now()).expect("it is exported").expect("it is there");
    assert_eq!((counts.sessions, counts.messages, counts.turns, counts.values), (1, 2, 2, 1));
    assert!(matches!(read(&Place::new(), text, Import::IntoNothing), Err(ImportError::Line { number: 1, .. })));
    assert!(export_session(&place.directory(), &"nowhere".into(), &mut Vec::new(), now()).expect("it looks").is_none());
}

#[tokio::test]
async fn the_values_of_a_plugin_or_a_person_are_exported_and_deleted_alone() {
    let place = Place::new();
    let storage = place.storage();
    fill(&storage).await;
    let scope = Scope { plugin: "diary".into(), session: None, user: Some("u".into()) };
    storage.put(&scope, "k", Expected::Any, Some("1".to_owned().into())).await.expect("it writes");
    let values = |whose: &Whose| {
        let mut text = Vec::new();
        let counts = export_values(&place.directory(), whose, &mut text, now()).expect("it is exported");
        assert!(matches!(read(&Place::new(), text, Import::IntoNothing), Err(ImportError::Line { number: 1, .. })));
        (counts.stores, counts.values)
    };
    let (of_notes, of_user) = (Whose::Plugin("notes".into()), Whose::User("u".into()));
    assert_eq!((values(&of_notes), values(&of_user)), ((1, 3), (0, 2)));
    assert_eq!((values(&Whose::Plugin("nobody".into())), values(&Whose::User("".into()))), ((0, 0), (0, 0)));
    assert_eq!(delete(&place.directory(), &of_user, now()).expect("it deletes").values, 2);
    assert_eq!((values(&of_notes), values(&of_user)), ((1, 2), (0, 0)));
    assert_eq!(delete(&place.directory(), &of_notes, now()).expect("it deletes").values, 2);
    assert_eq!((values(&of_notes), text_of(&place).1.values), ((0, 0), 0));
    assert_eq!(delete(&Place::new().directory(), &of_notes, now()).expect("there is nothing"), Removed::default());
    assert_eq!(storage.get(&scope, "k").await.expect("it reads"), None, "a storage that is open sees it");
}
