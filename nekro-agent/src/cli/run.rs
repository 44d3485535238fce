//! `nekro run`: a script, with the tools as its functions.

use std::{
    io::{IsTerminal, Read, Write},
    path::Path,
    sync::atomic::{AtomicU64, Ordering},
    time::Instant,
};

use nekro_core::{BoxFuture, CallId, Caller, Reply, Result, kernel::Tool};
use nekro_sandbox::{Outcome, Report};
use serde_json::{Value, json};

use super::{Failure, Screen, args::RunArgs, plain};
use crate::{
    agent::{
        is_like,
        script::{Calls, Lane, Own, Script, Scripts},
    },
    assemble::Agent,
    code::{self, told_of_failure, told_of_problems},
    ports::OnTerminal,
    progress,
    style::DIM,
};

/// How many characters of a call's arguments are shown.
const ARGUMENTS: usize = 80;

pub(super) async fn run(agent: &Agent, of: &RunArgs, caller: &Caller, screen: &Screen) -> Result<(), Failure> {
    let source = source(&of.file)?;
    let tools = allowed(agent, &of.allow, caller)?;
    let calls = Shown {
        agent,
        caller,
        is_json: screen.is_json(),
        shows_calls: !screen.is_json() && std::io::stderr().is_terminal(),
        line: OnTerminal::of(screen),
        count: AtomicU64::new(0),
        lane: Lane::default(),
    };
    // No session: what a person runs begins with nothing.
    let script =
        Script { source: &source, tools: &tools, own: &|name| fits(name, &of.allow), session: None, shown_bytes: usize::MAX };
    let report = agent.code.run_to_report(script, &calls).await.map_err(|error| Failure::of(&code::as_error(&error)))?;
    show(report, screen)
}

fn source(file: &Path) -> Result<String, Failure> {
    let unreadable = |error: std::io::Error| Failure::usage(format!("{} cannot be read: {error}", file.display()));
    if file == Path::new("-") {
        let mut source = String::new();
        std::io::stdin().read_to_string(&mut source).map_err(unreadable)?;
        return Ok(source);
    }
    std::fs::read_to_string(file).map_err(unreadable)
}

/// Tells whether a function may be called: any, if there are no patterns.
fn fits(name: &str, patterns: &[String]) -> bool {
    patterns.is_empty() || patterns.iter().any(|pattern| is_like(name, pattern))
}

/// Returns the tools that are visible and that the patterns name; all of them, if there are no patterns.
fn allowed<'a>(agent: &'a Agent, patterns: &[String], caller: &'a Caller) -> Result<Vec<Tool<'a>>, Failure> {
    let visible: Vec<_> = agent.kernel.tools(caller).collect();
    if patterns.is_empty() {
        return Ok(visible);
    }
    let names = || visible.iter().map(Tool::name).chain(agent.code.own_names().iter().copied());
    if let Some(nothing) = patterns.iter().find(|pattern| !names().any(|name| is_like(name, pattern))) {
        return Err(Failure::unknown("tool", nothing, names()));
    }
    Ok(visible.into_iter().filter(|tool| fits(tool.name(), patterns)).collect())
}

/// Makes the calls of the script, and shows them as they happen.
struct Shown<'a> {
    agent: &'a Agent,
    caller: &'a Caller,
    is_json: bool,
    shows_calls: bool,
    line: Option<OnTerminal>,
    count: AtomicU64,
    lane: Lane,
}

impl Calls for Shown<'_> {
    fn call<'a>(&'a self, function: &'a str, arguments: &'a str) -> BoxFuture<'a, Result<Reply>> {
        Box::pin(async move {
            let id = CallId::from(format!("run-call-{}", self.count.fetch_add(1, Ordering::Relaxed) + 1));
            let _place = self.lane.enter(&self.agent.kernel, function).await;
            self.note(format_args!("→ {} {}", plain(function), short(arguments)));
            let began = Instant::now();
            let own = Own { id: &id, function, arguments, caller: self.caller };
            let result = match self.agent.code.call_own(&self.agent.kernel, own) {
                Some(own) => own.await.0,
                None => self.call_tool(&id, function, arguments).await,
            };
            let took = began.elapsed();
            match &result {
                Ok(_) => self.note(format_args!("✓ {} {took:.1?}", plain(function))),
                Err(error) => self.note(format_args!("✗ {} {took:.1?}: {}", plain(function), plain(error.message()))),
            }
            result
        })
    }

    fn printed(&self, text: &str) {
        if !self.is_json {
            self.clear();
            // A reader that has gone away is no failure.
            let mut out = anstream::stdout();
            let _ = write!(out, "{}", plain(text)).and_then(|()| out.flush());
        }
    }
}

impl Shown<'_> {
    async fn call_tool(&self, id: &CallId, tool: &str, arguments: &str) -> Result<Reply> {
        let kernel = &self.agent.kernel;
        let call = kernel.call_as(id, tool, arguments, self.caller);
        let Some(line) = &self.line else { return call.await.result };
        progress::of_tool(kernel, tool, call, |report| line.show(tool, &report)).await.result
    }

    fn clear(&self) {
        self.line.iter().for_each(OnTerminal::clear);
    }

    fn note(&self, note: impl std::fmt::Display) {
        if self.shows_calls {
            self.clear();
            let _ = writeln!(anstream::stderr(), "{DIM}{note}{DIM:#}");
        }
    }
}

fn short(text: &str) -> String {
    match text.char_indices().nth(ARGUMENTS) {
        Some((at, _)) => format!("{}…", plain(&text[..at])),
        None => plain(text).into_owned(),
    }
}

/// Prints what came of the script; what it printed stands there already, but for programs.
fn show(report: Report, screen: &Screen) -> Result<(), Failure> {
    if screen.is_json() {
        screen.line(to_json(&report));
    }
    let person = |text: &str| {
        if !screen.is_json() && !text.is_empty() {
            screen.line(plain(text));
        }
    };
    match &report.outcome {
        Outcome::Done(value) => person(value.as_ref().map_or("", |value| &value.text)),
        Outcome::Shown(shown) => {
            for part in &shown.content {
                match part {
                    nekro_sandbox::Part::Text(text) => person(text),
                    nekro_sandbox::Part::Image { media_type, bytes } => person(&format!("[{media_type}, {} bytes]", bytes.len())),
                    _ => {}
                }
            }
            if shown.content.is_empty() {
                person(shown.value.get());
            }
        }
        Outcome::Refused(problems) => return Err(Failure::usage(told_of_problems(problems))),
        Outcome::Failed(failure) => return Err(Failure::work(told_of_failure(failure))),
        Outcome::Limit(_, message) | Outcome::Crashed(message) => return Err(Failure::work(message)),
        other => return Err(Failure::work(format!("the script ended: {other:?}"))),
    }
    if !screen.is_json() {
        report.notes.iter().for_each(|note| screen.line(format_args!("{DIM}{}{DIM:#}", plain(note))));
    }
    Ok(())
}

fn to_json(report: &Report) -> Value {
    let calls: Vec<_> = report
        .calls
        .iter()
        .map(|call| json!({ "function": call.function, "error": call.error, "micros": call.took.map(|took| took.as_micros() as u64) }))
        .collect();
    let mut line = json!({
        "outcome": null, "output": report.output, "calls": calls, "notes": report.notes, "millis": report.took.as_millis() as u64,
    });
    let parsed = |json: &str| serde_json::from_str(json).unwrap_or(Value::Null);
    match &report.outcome {
        Outcome::Done(value) => {
            line["outcome"] = "done".into();
            line["value"] = value.as_ref().and_then(|value| value.json.as_ref()).map_or(Value::Null, |json| parsed(json.get()));
            line["text"] = value.as_ref().map(|value| value.text.as_str()).into();
        }
        Outcome::Shown(shown) => {
            line["outcome"] = "shown".into();
            line["function"] = shown.function.as_str().into();
            line["value"] = parsed(shown.value.get());
        }
        Outcome::Refused(problems) => {
            line["outcome"] = "refused".into();
            line["problems"] = json!(problems);
        }
        Outcome::Failed(failure) => {
            line["outcome"] = "failed".into();
            line["error"] = json!({
                "kind": failure.kind, "message": failure.message, "line": failure.line, "code": failure.code, "hint": failure.hint,
            });
        }
        Outcome::Limit(limit, message) => {
            line["outcome"] = "limit".into();
            line["limit"] = limit.name().into();
            line["text"] = message.as_str().into();
        }
        Outcome::Crashed(message) => {
            line["outcome"] = "crashed".into();
            line["text"] = message.as_str().into();
        }
        _ => {}
    }
    line
}
