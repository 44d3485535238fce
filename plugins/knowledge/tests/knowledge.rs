//! Taking documents in, finding places in them, and forgetting them.

use expect_test::{Expect, expect};
use nekro_core::{Caller, testing::Host};
use nekro_plugin_knowledge::{Answer, Knowledge, Source, SourceIngested};
use serde_json::{Value, json};

const MANUAL: &str = "# Brewing\n\n## Green tea\n\nGreen tea wants seventy degrees and two minutes.\n\n## Black tea\n\nBlack tea wants boiling water and three minutes.\n";
const HTML: &str = "<!doctype html><title>Cakes</title><p>A sponge cake is baked for half an hour.</p><script>track()</script>";

fn host(config: Value) -> Host {
    let host = Host::builder::<Knowledge>().config(config).start();
    let files = host.files::<Knowledge>().exchange().expect("a conversation");
    for (name, text) in [("manual.md", MANUAL), ("cakes.html", HTML), ("empty.txt", " \n"), ("binary", "\0\u{1}")] {
        host.run(files.write(name, text)).expect("a file");
    }
    host
}

#[track_caller]
fn ingest(host: &Host, arguments: Value) -> Source {
    host.call_as("ingest", arguments).expect("it is taken in")
}

#[track_caller]
fn found(host: &Host, arguments: Value, expected: Expect) {
    let answer: Answer = host.call_as("search", arguments).expect("it looks");
    assert!(answer.lexical, "the test's collections are compared by words");
    let lines = answer.places.iter().map(|place| format!("{}: {}", place.citation, place.text.replace('\n', " ")));
    expected.assert_eq(&lines.collect::<Vec<_>>().join("\n"));
}

#[test]
fn what_was_taken_in_is_found_with_where_it_stands() {
    let host = host(json!({}));
    let source = ingest(&host, json!({ "file": "manual.md" }));
    assert_eq!((source.name.as_str(), source.places), ("manual.md", 2));
    ingest(&host, json!({ "file": "cakes.html", "name": "Cakes of the house" }));
    ingest(&host, json!({ "file": "data:text/plain,Milk%20goes%20in%20last.", "name": "milk" }));
    found(
        &host,
        json!({ "query": "How many degrees for green tea?", "limit": 1 }),
        expect!["manual.md, line 5 (Brewing > Green tea): Brewing > Green tea  Green tea wants seventy degrees and two minutes."],
    );
    found(
        &host,
        json!({ "query": "minutes", "limit": 2 }),
        expect![[r#"
        manual.md, line 5 (Brewing > Green tea): Brewing > Green tea  Green tea wants seventy degrees and two minutes.
        manual.md, line 9 (Brewing > Black tea): Brewing > Black tea  Black tea wants boiling water and three minutes."#]],
    );
    found(
        &host,
        json!({ "query": "baked half an hour" }),
        expect!["Cakes of the house, line 3 (Cakes): Cakes  A sponge cake is baked for half an hour."],
    );
    found(&host, json!({ "query": "milk tea", "source": "milk" }), expect!["milk, line 1: Milk goes in last."]);
    found(&host, json!({ "query": "nothing of that kind" }), expect![[""]]);
    let names: Vec<Source> = host.call_as("sources", json!({})).expect("a list");
    assert_eq!(names.iter().map(|source| source.name.as_str()).collect::<Vec<_>>(), ["Cakes of the house", "manual.md", "milk"]);
    assert_eq!(host.emitted::<SourceIngested>().len(), 3);
}

#[test]
fn whoever_waits_for_a_long_document_is_told_how_far_it_is() {
    let host = host(json!({ "place_characters": 200 }));
    let long = (0..300).map(|number| format!("# Tea {number}\n\n{}\n\n", "Boil the water. ".repeat(10))).collect::<String>();
    host.run(host.files::<Knowledge>().exchange().expect("a conversation").write("long.md", long)).expect("a file");
    let places = ingest(&host, json!({ "file": "long.md" })).places;
    let told: Vec<_> = host.progress().iter().map(ToString::to_string).collect();
    let expected: Vec<_> =
        (0..places).step_by(200).map(|done| format!("{done} of {places}, writing places of long.md")).collect();
    assert!(told == expected && told.len() > 1, "{told:?}");
}

#[test]
fn a_document_of_the_same_name_is_replaced() {
    let host = host(json!({}));
    ingest(&host, json!({ "file": "manual.md" }));
    let source = ingest(&host, json!({ "file": "data:text/plain,Now%20all%20of%20it%20is%20coffee.", "name": "manual.md" }));
    assert_eq!(source.places, 1);
    found(&host, json!({ "query": "tea" }), expect![[""]]);
    found(&host, json!({ "query": "coffee" }), expect!["manual.md, line 1: Now all of it is coffee."]);
    assert_eq!(host.call_as::<Vec<Source>>("sources", json!({})).expect("a list").len(), 1);
}

#[test]
fn a_document_is_removed_with_all_of_its_places() {
    let host = host(json!({}));
    ingest(&host, json!({ "file": "manual.md" }));
    host.approve(true);
    assert_eq!(host.call_as::<u64>("remove", json!({ "source": "manual.md" })).expect("it is removed"), 2);
    found(&host, json!({ "query": "tea" }), expect![[""]]);
    let error = host.call("remove", json!({ "source": "manual.md" })).expect_err("it is gone");
    assert_eq!((error.code(), error.hint()), ("not_found", Some("`knowledge.sources` lists them")));
}

#[test]
fn documents_belong_to_a_conversation_unless_all_share_theirs() {
    for (shared, places) in [(false, 0), (true, 2)] {
        let mut host = host(json!({ "shared": shared }));
        ingest(&host, json!({ "file": "manual.md" }));
        host.act_as(Caller::operator().in_session("other"));
        let answer: Answer = host.call_as("search", json!({ "query": "tea" })).expect("it looks");
        assert_eq!(answer.places.len(), places);
        assert_eq!(host.call_as::<Vec<Source>>("sources", json!({})).expect("a list").len(), usize::from(shared));
        host.approve(true);
        assert_eq!(host.call("remove", json!({ "source": "manual.md" })).is_ok(), shared);
    }
}

#[track_caller]
fn refused(host: &Host, arguments: Value, expected: Expect) {
    let error = host.call("ingest", arguments).expect_err("it is refused");
    let hint = error.hint().map(|hint| format!(" ({hint})")).unwrap_or_default();
    expected.assert_eq(&format!("{}: {error}{hint}", error.code()));
}

#[test]
fn what_cannot_be_taken_in_is_told() {
    let host = host(json!({ "max_sources": 1, "max_bytes": 1_000 }));
    refused(&host, json!({ "file": "nothing.md" }), expect!["not_found: there is no file `nothing.md`"]);
    refused(
        &host,
        json!({ "file": "empty.txt" }),
        expect!["empty: `empty.txt` has no text (text in pictures, such as that of a scanned page, is not read)"],
    );
    refused(
        &host,
        json!({ "file": "binary" }),
        expect!["unsupported: `binary` is `application/octet-stream`; plain text, Markdown, HTML and PDF are read"],
    );
    refused(
        &host,
        json!({ "file": "data:application/pdf,%25PDF-1.7", "name": "a.pdf" }),
        expect!["damaged: `a.pdf` is not read: it is damaged"],
    );
    refused(
        &host,
        json!({ "file": "data:text/plain,tea" }),
        expect!["no_name: the document has no name (give it one with `name`)"],
    );
    refused(
        &host,
        json!({ "file": "https://example.org/tea.md" }),
        expect!["needs_http: this takes no file from the network (give the path of a file of this conversation, or a data URL)"],
    );
    refused(
        &host,
        json!({ "file": "../secret" }),
        expect![[
            r#"invalid_arguments: `file`: "../secret" is not the path of a file, such as "reports/summary.txt": `.` and `..` are not parts of a path here"#
        ]],
    );
    refused(
        &host,
        json!({ "file": format!("data:text/plain,{}", "x".repeat(1_001)), "name": "long" }),
        expect!["too_large: `long` has 1001 bytes, and 1000 are read at most (the limit is `plugins.knowledge.max_bytes`)"],
    );
    ingest(&host, json!({ "file": "manual.md" }));
    refused(
        &host,
        json!({ "file": "cakes.html" }),
        expect![
            "too_many_sources: there are 1 documents already (remove one with `knowledge.remove`; the limit is `plugins.knowledge.max_sources`)"
        ],
    );
    ingest(&host, json!({ "file": "manual.md" }));
}

/// What a browser has printed: fonts of its own, packed tables, text in runs.
const PRINTED: &[u8] = include_bytes!("printed.pdf");

#[test]
fn a_pdf_is_found_by_its_pages() {
    let host = host(json!({}));
    let files = host.files::<Knowledge>().exchange().expect("a conversation");
    host.run(files.write("tea.pdf", PRINTED)).expect("a file");
    let source = ingest(&host, json!({ "file": "tea.pdf" }));
    assert_eq!((source.form, source.places), (nekro_plugin_knowledge::Form::Pdf, 2));
    found(
        &host,
        json!({ "query": "cheap leaves", "limit": 1 }),
        expect![
            "tea.pdf, lines 3-6 (Page 1): Page 1  Green tea wants seventy degrees and two minutes: äöü. Nobody believes it until they have tried it with leaves that were not cheap at all. One. Two."
        ],
    );
    found(
        &host,
        json!({ "query": "boiling water", "limit": 1 }),
        expect!["tea.pdf, line 10 (Page 2): Page 2  Black tea wants boiling water."],
    );
    for (name, end) in [("half.pdf", PRINTED.len() / 2), ("start.pdf", 200)] {
        host.run(files.write(name, &PRINTED[..end])).expect("a file");
        let error = host.call("ingest", json!({ "file": name })).expect_err("it is damaged");
        assert!(["damaged", "empty"].contains(&error.code()), "{name}: {error:?}");
    }
}
