//! A host with a few tools, and short ways to run a script with them.

use std::{
    collections::BTreeMap,
    pin::Pin,
    sync::{
        Arc, LazyLock, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use nekro_sandbox::{
    Answer, Call, CallError, Function, Functions, Host, Outcome, Parameter, Part, Report, Sandbox, Script, Settings,
};
use serde_json::{Value, json};
use tokio::{runtime::Runtime, sync::Barrier};

/// The tools, with their parameters; one that may be left out ends in `?`.
const TOOLS: &[(&str, &[&str])] = &[
    ("weather.forecast", &["city", "days?"]),
    ("weather.from", &["from"]),
    ("math-tools.add", &["a", "b"]),
    ("echo", &["value"]),
    ("fail", &["code", "message?", "hint?"]),
    ("show", &["value"]),
    ("chart", &[]),
    ("note", &["text"]),
    ("hang", &[]),
    ("meet", &["number"]),
    ("large", &["bytes"]),
    ("get_user", &["user_id"]),
    ("search_messages", &["query", "limit?"]),
    ("send_message", &["chat_id", "text"]),
    ("http_get", &["url"]),
    ("now", &[]),
    ("flaky", &["job"]),
    ("store_set", &["key", "value"]),
    ("store_get", &["key", "default?"]),
    ("add", &["a", "b"]),
    ("aget_weather", &["city"]),
    ("asend_message", &["chat_id", "text"]),
];

pub(crate) fn functions() -> Arc<Functions> {
    static ALL: LazyLock<Arc<Functions>> = LazyLock::new(|| {
        let function = |(name, parameters): &(&str, &[&str])| Function {
            name: (*name).into(),
            description: String::new(),
            parameters: parameters
                .iter()
                .map(|name| Parameter {
                    name: name.trim_end_matches('?').into(),
                    description: String::new(),
                    schema: json!({}),
                    optional: name.ends_with('?'),
                })
                .collect(),
            returns: None,
        };
        Arc::new(Functions::new(TOOLS.iter().map(function).collect()).expect("their names differ"))
    });
    ALL.clone()
}

/// Answers the tools.
pub(crate) struct World {
    state: Mutex<BTreeMap<String, Value>>,
    messages: AtomicUsize,
    tries: AtomicUsize,
    /// How many calls are under way, and the most that ever were.
    pub(crate) busy: AtomicUsize,
    pub(crate) most: AtomicUsize,
    meeting: Barrier,
    pub(crate) printed: Mutex<String>,
}

impl World {
    pub(crate) fn new() -> Self {
        Self {
            state: Mutex::default(),
            messages: AtomicUsize::new(1_000),
            tries: AtomicUsize::new(0),
            busy: AtomicUsize::new(0),
            most: AtomicUsize::new(0),
            meeting: Barrier::new(10),
            printed: Mutex::default(),
        }
    }

    async fn answer(&self, function: &str, arguments: Value) -> Result<Answer, CallError> {
        let text = |name: &str| arguments[name].as_str().unwrap_or_default().to_owned();
        let weather = json!({
            "Paris": {"city": "Paris", "temp": 18, "cond": "cloudy"}, "Tokyo": {"city": "Tokyo", "temp": 24, "cond": "sunny"},
            "Oslo": {"city": "Oslo", "temp": -2, "cond": "snow"}, "Lima": {"city": "Lima", "temp": 21, "cond": "fog"},
        });
        let value = match function {
            "weather.forecast" => {
                json!({"city": arguments["city"], "days": arguments.get("days"), "wind": {"speed": 3}, "hours": [{"t": 1}]})
            }
            "weather.from" => json!(arguments["from"]),
            "math-tools.add" | "add" => json!(arguments["a"].as_i64().unwrap_or(0) + arguments["b"].as_i64().unwrap_or(0)),
            "echo" => arguments["value"].clone(),
            "fail" => {
                let error = CallError::new(text("code"), text("message"));
                return Err(if arguments.get("hint").is_some() { error.with_hint(text("hint")) } else { error });
            }
            "show" => return Answer::show(&arguments["value"]),
            "chart" => {
                let image = Part::Image { media_type: "image/png".into(), bytes: vec![1, 2, 3] };
                return Ok(Answer::Content(vec![Part::Text("a chart".into()), image]));
            }
            "note" => {
                let Answer::Value(value) = Answer::value(&true)? else { unreachable!("a value is a value") };
                return Ok(Answer::Note(value, text("text")));
            }
            "hang" => std::future::pending().await,
            "meet" => {
                // Nobody goes on before ten have come.
                self.meeting.wait().await;
                arguments["number"].clone()
            }
            "large" => json!("x".repeat(arguments["bytes"].as_u64().unwrap_or(0) as usize)),
            "get_user" => {
                let user = match arguments["user_id"].as_i64() {
                    Some(1) => {
                        r#"{"id":1,"name":"Alice","age":34,"city":"Paris","email":"alice@example.com","tags":["admin","ops"]}"#
                    }
                    Some(2) => {
                        r#"{"id":2,"name":"Bob","age":19,"city":"Oslo","email":"bob@example.com","tags":["ops","dev","qa"]}"#
                    }
                    Some(3) => r#"{"id":3,"name":"Carol","age":52,"city":"Tokyo","tags":["dev"]}"#,
                    _ => return Err(CallError::new("not_found", format!("no user {}", arguments["user_id"]))),
                };
                // As it is: the order of its fields is what the script sees.
                return Answer::value(&serde_json::from_str::<&serde_json::value::RawValue>(user).expect("it is JSON"));
            }
            "search_messages" => messages(&text("query"), arguments["limit"].as_u64().unwrap_or(10) as usize),
            "send_message" | "asend_message" => json!(self.messages.fetch_add(1, Ordering::Relaxed) + 1),
            "http_get" => json!(
                r#"{"orders": [{"id": 1, "items": [{"sku": "a", "qty": 2, "price": 9.99}, {"sku": "b", "qty": 1, "price": 5.0}]}, {"id": 2, "items": [{"sku": "c", "qty": 10, "price": 0.5}]}]}"#
            ),
            "now" => json!("2024-11-20T09:30:00"),
            "flaky" => {
                if self.tries.fetch_add(1, Ordering::Relaxed) < 2 {
                    return Err(CallError::new("failed", "busy"));
                }
                json!(format!("done:{}", text("job")))
            }
            "store_set" => {
                self.state.lock().expect("no test panics with it").insert(text("key"), arguments["value"].clone());
                Value::Null
            }
            "store_get" => {
                let state = self.state.lock().expect("no test panics with it");
                state.get(&text("key")).unwrap_or(&arguments["default"]).clone()
            }
            "aget_weather" => match weather.get(text("city")) {
                Some(found) => found.clone(),
                None => return Err(CallError::new("invalid_arguments", format!("unknown city {}", text("city")))),
            },
            _ => return Err(CallError::new("unknown_function", function)),
        };
        Answer::value(&value)
    }
}

impl Host for World {
    fn call<'a>(&'a self, call: Call<'a>) -> Pin<Box<dyn Future<Output = Result<Answer, CallError>> + Send + 'a>> {
        Box::pin(async move {
            let arguments = serde_json::from_str(call.arguments.get()).expect("arguments are JSON");
            let busy = self.busy.fetch_add(1, Ordering::Relaxed) + 1;
            self.most.fetch_max(busy, Ordering::Relaxed);
            let answer = self.answer(call.function, arguments).await;
            self.busy.fetch_sub(1, Ordering::Relaxed);
            answer
        })
    }

    fn printed(&self, text: &str) {
        self.printed.lock().expect("no test panics with it").push_str(text);
    }
}

fn messages(query: &str, limit: usize) -> Value {
    let all = json!([
        {"id": 11, "sender": "alice", "text": "Meeting at 10, @bob please join", "score": 0.9, "tags": ["work"], "ts": "2024-11-19T10:00:00"},
        {"id": 12, "sender": "bob", "text": "  meeting moved to 11 @Alice @carol ", "score": 0.7, "tags": [], "ts": "2024-11-19T11:00:00"},
        {"id": 13, "sender": "spammer", "text": "meeting singles", "score": 0.8, "tags": ["spam"], "ts": "2024-11-18T12:00:00"},
        {"id": 14, "sender": "alice", "text": "meeting notes attached", "score": 0.4, "tags": ["work", "doc"], "ts": "2024-11-18T15:00:00"},
        {"id": 15, "sender": "carol", "text": "Re: meeting notes, thanks @alice", "score": 0.6, "tags": [], "ts": "2024-11-17T09:00:00"},
        {"id": 16, "sender": "alice", "text": "Next meeting is on Friday", "score": 0.55, "tags": ["work"], "ts": "2024-11-20T08:00:00"},
    ]);
    let found = all.as_array().into_iter().flatten();
    let contains = |message: &&Value| message["text"].as_str().unwrap_or("").to_lowercase().contains(&query.to_lowercase());
    found.filter(contains).take(limit).cloned().collect()
}

pub(crate) fn runtime() -> &'static Runtime {
    static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("there is a runtime")
    });
    &RUNTIME
}

pub(crate) fn settings() -> Settings {
    Settings::default()
}

/// The sandbox that most tests share.
pub(crate) fn sandbox() -> &'static Sandbox {
    static SANDBOX: LazyLock<Sandbox> = LazyLock::new(|| start(settings()));
    &SANDBOX
}

pub(crate) fn start(settings: Settings) -> Sandbox {
    runtime().block_on(Sandbox::start(settings)).unwrap_or_else(|error| panic!("{error}"))
}

pub(crate) fn script(source: &str) -> Script {
    let mut script = Script::new(source, functions());
    script.limits.wall_time = Duration::from_secs(20);
    script
}

#[track_caller]
pub(crate) fn run(source: &str) -> Report {
    run_script(&script(source))
}

#[track_caller]
pub(crate) fn run_script(script: &Script) -> Report {
    runtime().block_on(sandbox().run(script, &World::new())).unwrap_or_else(|error| panic!("{error}"))
}

/// Runs a script and returns the text of its value.
#[track_caller]
pub(crate) fn value(source: &str) -> String {
    match run(source).outcome {
        Outcome::Done(Some(value)) => value.text,
        other => panic!("{source}: {other:?}"),
    }
}
