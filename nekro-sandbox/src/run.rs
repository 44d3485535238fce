//! One run: a script on a worker, its calls, and what it is held to.

use std::{collections::VecDeque, ops::ControlFlow, pin::Pin, time::Duration};

use futures_util::{FutureExt, StreamExt, stream::FuturesUnordered};
use serde::Serialize;
use serde_json::value::RawValue;
use tokio::time::{Instant, sleep_until, timeout, timeout_at};

use crate::{
    Answer, Call, CallError, Failure, Host, Limit, Limits, Made, Outcome, Report, Script, Shown, State, Value,
    cut::Middle,
    process::{Broken, Worker},
    protocol::{self, Begin, BodyError, Bounds, CallLine, Exchange, Finish, Kind, Token, Told, ToldReport, TooMuch},
};

/// How long a worker may take to stop a script that it was told to stop.
const STOP: Duration = Duration::from_secs(1);

/// What the interpreter is asked (`python/guest/script.py`).
#[derive(Serialize)]
struct Request<'a> {
    source: &'a str,
    functions: &'a RawValue,
    keep: bool,
    check: bool,
    text: usize,
    json: usize,
}

/// Whether a script is run, or only looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Run,
    Check,
}

/// Runs a script. The second part of what is returned tells whether the worker can run another one.
pub(crate) async fn run(worker: &mut Worker, script: &Script, mode: Mode, host: &dyn Host) -> (Report, bool) {
    let start = Instant::now();
    let mut run = Run {
        script,
        mode,
        host,
        token: Token::random(),
        output: Middle::new(script.limits.shown_output),
        printed: 0,
        calls: Vec::new(),
        notes: Vec::new(),
        state: None,
    };
    let ended = match start.checked_add(script.limits.wall_time) {
        Some(deadline) => timeout_at(deadline, run.talk(worker)).await,
        None => Ok(run.talk(worker).await),
    };
    let (outcome, well) = match ended {
        Ok(Ok(end)) => end,
        Ok(Err(Broken::Gone)) => {
            (Outcome::Crashed(format!("the process of the interpreter ended: {}", worker.last_words().await)), false)
        }
        Ok(Err(Broken::Protocol(what))) => {
            (Outcome::Crashed(format!("the process of the interpreter was ended: it sent {what}")), false)
        }
        Err(_) => (run.limit(Limit::WallTime), false),
    };
    let Run { output, calls, notes, state, .. } = run;
    (Report { outcome, output: output.finish(), calls, notes, state, took: start.elapsed() }, well)
}

/// The number of a call at the interpreter, its place in the report, its answer, and how long that took.
type Answered = (u64, usize, Result<Answer, CallError>, Duration);
type UnderWay<'a> = FuturesUnordered<Pin<Box<dyn Future<Output = Answered> + Send + 'a>>>;

struct Run<'a> {
    script: &'a Script,
    mode: Mode,
    host: &'a dyn Host,
    token: Token,
    output: Middle,
    printed: usize,
    calls: Vec<Made>,
    notes: Vec<String>,
    state: Option<State>,
}

/// What follows an exchange.
enum Next {
    /// The script goes on with these answers.
    Answers(Vec<u8>),
    /// It ends.
    End(Outcome),
}

impl<'a> Run<'a> {
    fn limits(&self) -> &'a Limits {
        &self.script.limits
    }

    fn limit(&self, limit: Limit) -> Outcome {
        Outcome::Limit(limit, limit.message(self.limits()))
    }

    fn bounds(&self) -> Bounds {
        Bounds { depth: self.limits().depth, values: self.limits().values }
    }

    /// How long any frame of this run may be.
    fn most(&self) -> usize {
        let limits = self.limits();
        // A value is a text inside JSON, whose characters may need six bytes each; the traceback and its like need some space of their own.
        let report = 6 * (limits.value + limits.shown_value) + (256 << 10);
        limits.message.max(limits.output).max(limits.state).max(report)
    }

    async fn talk(&mut self, worker: &mut Worker) -> Result<(Outcome, bool), Broken> {
        if self.script.source.len() > self.limits().source {
            return Ok((self.limit(Limit::Source), true));
        }
        worker.send(&self.begin()).await?;
        let mut under_way = UnderWay::new();
        let mut queue = VecDeque::new();
        loop {
            let (header, body) = worker.receive(self.most()).await?;
            if header.token != self.token {
                return Err(Broken::Protocol("a frame of another run"));
            }
            match header.kind {
                Kind::Printed => {
                    self.printed += body.len();
                    if self.printed > self.limits().output {
                        return Err(Broken::Protocol("more output than was allowed"));
                    }
                    let text = String::from_utf8_lossy(&body);
                    self.output.push(&text);
                    self.host.printed(&text);
                }
                Kind::Kept if self.script.state.is_some() && body.len() <= self.limits().state => self.state = Some(State(body)),
                Kind::Exchange => match self.exchange(worker, &body, &mut under_way, &mut queue).await? {
                    Next::Answers(answers) => worker.send_frame(Kind::Answers, self.token, &answers).await?,
                    Next::End(outcome) => return Ok((outcome, self.stop(worker).await)),
                },
                Kind::Finished => return self.finished(&body),
                _ => return Err(Broken::Protocol("a frame out of turn")),
            }
        }
    }

    fn begin(&self) -> Vec<u8> {
        let Script { source, functions, limits, state } = self.script;
        let request = Request {
            source,
            functions: functions.told(),
            keep: state.is_some(),
            check: self.mode == Mode::Check,
            text: limits.shown_value,
            json: limits.value,
        };
        let request = serde_json::value::to_raw_value(&request).expect("a request has a text");
        let begin = Begin {
            cpu_ms: u64::try_from(limits.cpu_time.as_millis()).unwrap_or(u64::MAX),
            memory: limits.memory,
            output: limits.output,
            message: limits.message,
            state: limits.state,
            request: &request,
        };
        let begin = serde_json::to_vec(&begin).expect("numbers and a text have a text");
        let mut frames = Vec::new();
        if let Some(State(state)) = state
            && !state.is_empty()
        {
            protocol::encode(&mut frames, Kind::State, self.token, &[state]);
        }
        protocol::encode(&mut frames, Kind::Begin, self.token, &[&begin]);
        frames
    }

    /// Begins the calls of an exchange, and waits until there is something to answer.
    async fn exchange(
        &mut self,
        worker: &mut Worker,
        body: &[u8],
        under_way: &mut UnderWay<'a>,
        queue: &mut VecDeque<(usize, CallLine)>,
    ) -> Result<Next, Broken> {
        let begun = Instant::now();
        let exchange = match Exchange::read(body, &self.bounds()) {
            Ok(exchange) => exchange,
            Err(BodyError::TooMuch(TooMuch::Depth)) => return Ok(Next::End(self.limit(Limit::Depth))),
            Err(BodyError::TooMuch(TooMuch::Values)) => return Ok(Next::End(self.limit(Limit::Values))),
            Err(BodyError::Form) => return Err(Broken::Protocol("calls that cannot be read")),
        };
        for call in exchange.calls {
            if self.calls.len() as u64 >= self.limits().calls {
                return Ok(Next::End(self.limit(Limit::Calls)));
            }
            queue.push_back((self.calls.len(), call));
            self.calls.push(Made { function: String::new(), error: None, took: None });
        }
        self.fill(under_way, queue);
        if under_way.is_empty() && exchange.wait_ms == u64::MAX {
            return Err(Broken::Protocol("a wait for nothing"));
        }
        let deadline = begun.checked_add(Duration::from_millis(exchange.wait_ms));
        let mut answers = Vec::new();
        let mut length = 0;
        while answers.is_empty() {
            let answered = tokio::select! {
                biased;
                Some(answered) = under_way.next() => answered,
                () = async { match deadline { Some(deadline) => sleep_until(deadline).await, None => std::future::pending().await } } => break,
                broken = worker.out_of_turn() => return Err(broken),
            };
            let mut answered = Some(answered);
            // Whatever is ready by now goes into the same message, as long as that stays small.
            while let Some((number, index, answer, took)) = answered {
                self.calls[index].took = Some(took);
                match self.answer(index, answer) {
                    ControlFlow::Continue(answer) => {
                        length += answer.as_ref().map_or(256, |value| value.get().len());
                        answers.push((number, answer));
                    }
                    ControlFlow::Break(outcome) => return Ok(Next::End(outcome)),
                }
                self.fill(under_way, queue);
                answered = if length < self.limits().message { under_way.next().now_or_never().flatten() } else { None };
            }
        }
        let mut text = Vec::with_capacity(length + 32);
        protocol::answers(&mut text, answers.iter().map(|(number, answer)| (*number, answer.as_deref())));
        Ok(Next::Answers(text))
    }

    /// Begins calls, until as many are under way as may be.
    fn fill(&mut self, under_way: &mut UnderWay<'a>, queue: &mut VecDeque<(usize, CallLine)>) {
        while under_way.len() < self.limits().calls_at_once.max(1)
            && let Some((index, CallLine(number, name, arguments))) = queue.pop_front()
        {
            let begun = Instant::now();
            let refused = |error| std::future::ready((number, index, Err(error), Duration::ZERO)).boxed();
            let call = match self.script.functions.name(&name) {
                None => refused(CallError::new("unknown_function", format!("there is no function `{name}` here"))),
                Some(_) if arguments.get().len() > self.limits().arguments => {
                    refused(CallError::new("too_large", Limit::Arguments.message(self.limits())))
                }
                Some(function) => {
                    self.calls[index].function = function.to_owned();
                    let call = self.host.call(Call { function, arguments });
                    async move { (number, index, call.await, begun.elapsed()) }.boxed()
                }
            };
            under_way.push(call);
        }
    }

    /// Notes an answer, and returns what the script is told; or how the script ends by it.
    fn answer(
        &mut self,
        index: usize,
        answer: Result<Answer, CallError>,
    ) -> ControlFlow<Outcome, Result<Box<RawValue>, CallError>> {
        let answer = match answer {
            Ok(Answer::Value(value)) => Ok(value),
            Ok(Answer::Note(value, note)) => {
                self.notes.push(note);
                Ok(value)
            }
            Ok(Answer::Show(value)) => return ControlFlow::Break(self.shown(index, value, Vec::new())),
            Ok(Answer::Content(content)) => return ControlFlow::Break(self.shown(index, RawValue::NULL.to_owned(), content)),
            Err(error) => Err(error),
        };
        let answer = match answer {
            Ok(value) if value.get().len() > self.limits().answer => {
                Err(CallError::new("too_large", Limit::Answer.message(self.limits())).with_hint("ask for less at once"))
            }
            answer => answer,
        };
        self.calls[index].error = answer.as_ref().err().map(|error| error.code.clone());
        ControlFlow::Continue(answer)
    }

    fn shown(&self, index: usize, value: Box<RawValue>, content: Vec<crate::Part>) -> Outcome {
        Outcome::Shown(Shown { function: self.calls[index].function.clone(), value, content })
    }

    /// Tells the worker to end the script, and returns whether it did.
    async fn stop(&self, worker: &mut Worker) -> bool {
        let stop = async {
            worker.send_frame(Kind::Stop, self.token, &[]).await?;
            let (header, body) = worker.receive(self.most()).await?;
            let stopped = matches!(Finish::read(&body, &self.bounds()), Ok(Finish::Ended(Told::Stopped)));
            Ok::<_, Broken>(header.token == self.token && header.kind == Kind::Finished && stopped)
        };
        matches!(timeout(STOP, stop).await, Ok(Ok(true)))
    }

    /// Reads the report. The worker is kept only if it said what an honest one says.
    fn finished(&self, body: &[u8]) -> Result<(Outcome, bool), Broken> {
        let finish = Finish::read(body, &self.bounds()).map_err(|_| Broken::Protocol("a report that cannot be read"))?;
        let outcome = match finish {
            Finish::Report(ToldReport::Done(value)) => Outcome::Done(value.map(|told| Value {
                // Nothing that the worker says is longer than it may be, or JSON because it says so.
                json: told.json.filter(|json| self.fits(json)).and_then(|json| RawValue::from_string(json).ok()),
                text: told.text,
            })),
            Finish::Report(ToldReport::Refused(problems)) => Outcome::Refused(problems),
            Finish::Report(ToldReport::Failed(error)) => {
                let memory = error.kind == "MemoryError";
                Outcome::Failed(Failure {
                    hint: if memory { Some(Limit::Memory.message(self.limits())) } else { error.hint },
                    kind: error.kind,
                    message: error.message,
                    line: error.line,
                    traceback: error.traceback,
                    code: error.code,
                })
            }
            Finish::Ended(Told::CpuTime) => return Ok((self.limit(Limit::CpuTime), false)),
            Finish::Ended(Told::Output) => return Ok((self.limit(Limit::Output), true)),
            Finish::Ended(Told::Message) => return Ok((self.limit(Limit::Message), true)),
            Finish::Ended(Told::State) => return Ok((self.limit(Limit::State), true)),
            Finish::Ended(Told::Recursion) => {
                let message = "the script recursed deeper than the interpreter's stack".to_owned();
                let failure = Failure {
                    kind: "RecursionError".into(),
                    traceback: format!("RecursionError: {message}"),
                    message,
                    line: None,
                    code: None,
                    hint: None,
                };
                return Ok((Outcome::Failed(failure), false));
            }
            Finish::Ended(Told::Interpreter) => return Ok((Outcome::Crashed("the interpreter gave up".into()), false)),
            Finish::Ended(Told::Stopped) => return Err(Broken::Protocol("a stop that nobody asked for")),
        };
        Ok((outcome, true))
    }

    fn fits(&self, json: &str) -> bool {
        json.len() <= self.limits().value && protocol::measure(json.as_bytes(), &self.bounds()).is_ok()
    }
}
