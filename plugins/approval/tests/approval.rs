//! Questions and answers.

use nekro_core::{
    Caller,
    testing::{FakeRun, Host},
};
use nekro_plugin_approval::{Answer, Approval};
use serde_json::json;

fn answer(text: &str) -> Answer {
    Answer { answer: text.to_owned(), by: Some("tester".into()) }
}

#[test]
fn a_question_is_asked_once_and_waits_for_its_answer() {
    let host = Host::of::<Approval>();
    let run = FakeRun::new().notice("answer", &answer("yes")).shared();
    let reply = host.run_task("ask", json!({ "question": "Delete it all?" }), &run).expect("it is answered");
    assert_eq!(serde_json::from_str::<Answer>(&reply.json).expect("an answer"), answer("yes"));
    assert!(host.sent()[0].contains("Delete it all?") && host.sent()[0].contains("/answer t1"), "{:?}", host.sent());
    // The agent was started again meanwhile.
    let run = FakeRun::new().resumed(&true).notice("answer", &answer("no")).shared();
    host.run_task("ask", json!({ "question": "Delete it all?" }), &run).expect("it is answered");
    assert_eq!(host.sent().len(), 1);
}

#[test]
fn a_question_that_nobody_answers_ends() {
    let host = Host::builder::<Approval>().config(json!({ "max_hours": 2 })).start();
    let error = host.run_task("ask", json!({ "question": "Well?", "hours": 100 }), &FakeRun::new().shared());
    let error = error.expect_err("nobody answered");
    assert_eq!((error.code(), error.message()), ("unanswered", "nobody answered within 2 hours: Well?"));
}

#[test]
fn the_model_is_given_the_question_at_once_and_people_answer_it() {
    let mut host = Host::of::<Approval>();
    let started: serde_json::Value = host.call_as("ask", json!({ "question": "Go on?" })).expect("it is started");
    assert_eq!(started, json!({ "task": "t1" }));
    assert_eq!(host.command("/questions").expect("a listing").to_text(), "t1 Go on?");
    host.act_as(Caller::operator().in_session("elsewhere"));
    assert_eq!(host.command("/answer t1 yes").expect_err("it is not asked here").code(), "not_found");
    assert_eq!(host.command("/questions").expect("a listing").to_text(), "no question waits here");
    host.act_as(Caller::operator().in_session("test").as_user("tester"));
    host.command("/answer t1 yes").expect("it is asked here");
    assert_eq!(host.command("/answer t1 no").expect_err("it is answered").code(), "answered");
    let notices = host.tasks().notices();
    assert_eq!(notices.len(), 1);
    assert_eq!(notices[0].2, json!({ "answer": "yes", "by": "tester" }));
    assert_eq!(host.command("/answer t9 yes").expect_err("there is none").code(), "not_found");
}
