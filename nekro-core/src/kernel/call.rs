//! Calling tools and commands: one way for every surface.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use serde_json::{Map, Value};
use tokio::time::Instant;

use super::{
    Kernel, Live, Running, Tool,
    describe::schema_of,
    guard::{Failure, guarded, limited},
    offered::OfferedEntry,
    restriction::Restriction,
    tool::Source,
};
use crate::{
    argument::{Form, from_words, suggest},
    call::{Body, BoxFuture, Call, Input},
    caller::Caller,
    capability::{Ctx, Progress},
    error::{Error, Result},
    event::{
        Approval, Gate, Verdict,
        decisions::{ToolCall, ToolResult},
        facts::{ApprovalRequired, ApprovalResolved, ToolCallStarted, ToolExecuted, ToolOutcome},
    },
    ids::{CallId, UserId},
    output::{Kind, Part, Reply},
    tool::Effect,
};

/// Asks a person. Implemented by a host that has one in front of it; without it, what needs approval is denied.
pub trait ApprovalPort: Send + Sync {
    /// Tells whether there is somebody to ask now; if not, what needs approval is denied, and told so.
    fn is_there(&self) -> bool {
        true
    }

    /// Asks whether the call may be made with exactly these arguments.
    fn ask<'a>(&'a self, request: &'a ApprovalRequest<'a>) -> BoxFuture<'a, bool>;
}

/// A call that a person has to approve.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ApprovalRequest<'a> {
    /// The tool, such as `files.delete`.
    pub tool: &'a str,
    /// What it would be called with.
    pub arguments: &'a Value,
    /// Why a person has to say.
    pub reason: &'a str,
    /// Who wants to call.
    pub caller: &'a Caller,
}

/// A call that has ended.
#[derive(Debug)]
#[non_exhaustive]
pub struct Called {
    /// What the tool answered, or why it did not.
    pub result: Result<Reply>,
    /// How it ended. An error's code does not tell, for a tool can choose it as it likes.
    pub outcome: ToolOutcome,
}

/// A call of a function that is the host's own: no plugin has it.
#[derive(Clone, Copy, Debug)]
pub struct OwnCall<'a> {
    /// Under which name the host has the call.
    pub id: &'a CallId,
    /// The function, such as `files.write`.
    pub function: &'a str,
    /// What it is called with.
    pub arguments: &'a Value,
    /// What it does to the world.
    pub effect: Effect,
    /// Who calls.
    pub caller: &'a Caller,
}

impl<'a> ApprovalRequest<'a> {
    /// Makes a request: for a host that asks a person about something other than a tool.
    pub fn new(tool: &'a str, arguments: &'a Value, reason: &'a str, caller: &'a Caller) -> Self {
        Self { tool, arguments, reason, caller }
    }
}

impl Kernel {
    /// Finds a tool by its name, linked or offered, whoever may see it. Allocates nothing.
    #[inline]
    pub fn tool(&self, name: &str) -> Option<Tool<'_>> {
        match self.registry().tool(name) {
            Some(entry) => Some(Tool::linked(entry)),
            None => self.0.offered.find(name).map(|entry| Tool(Source::Offered(entry))),
        }
    }

    /// Returns the tools that the caller can see: those of running plugins whose `when` holds, linked ones first. Exactly these can be called.
    pub fn tools<'a>(&'a self, caller: &'a Caller) -> impl Iterator<Item = Tool<'a>> {
        let live = self.live();
        let offered = self.0.offered.all().into_iter().map(|entry| Tool(Source::Offered(entry)));
        let all = self.registry().tools().iter().map(Tool::linked).chain(offered);
        all.filter(move |tool| self.sees(&live, tool, caller).is_some())
    }

    /// The one decision on whether a tool is there for a caller.
    #[inline]
    fn sees<'l>(&self, live: &'l Live, tool: &Tool<'_>, caller: &Caller) -> Option<&'l Arc<Running>> {
        let plugin = live.plugin(live.channel(caller.session.as_ref()), tool.plugin_index()).filter(|_| !live.halted)?;
        if !self.is_present(tool.plugin().id, Some(tool.name()), caller) {
            return None;
        }
        let restriction = self.tool_restriction(tool);
        if restriction.is_some_and(|restriction| !restriction.admits(caller)) {
            return None;
        }
        let Some(when) = tool.when() else { return Some(plugin) };
        let limit = self.call_limit(tool.deadline(), restriction);
        let context = Ctx::new(caller.clone(), tool.plugin().id, limit);
        // A `when` that panics hides the tool.
        guarded(|| Ok(when(&context))).is_ok_and(|visible| visible).then_some(plugin)
    }

    /// Returns the plugin of a tool, if the tool is there for the caller.
    #[inline]
    fn reach(&self, tool: &Tool<'_>, caller: &Caller) -> Option<Arc<Running>> {
        self.sees(&self.0.live.load(), tool, caller).cloned()
    }

    fn call_limit(&self, own: Option<Duration>, restriction: Option<&Restriction>) -> Duration {
        let limit = own.unwrap_or(self.limits().call_deadline);
        restriction.map_or(limit, |restriction| restriction.shorten(limit))
    }

    /// Calls a tool: `arguments` is a JSON object.
    ///
    /// # Errors
    ///
    /// `unknown_tool`, `invalid_arguments`, `rate_limited`, `busy`, `denied`, `deadline`, `panicked`, or what the tool returned.
    pub async fn call(&self, tool: &str, arguments: &str, caller: &Caller) -> Result<Reply> {
        let live = self.0.live.load();
        let Some(entry) = self.tool(tool) else { return Err(self.unknown_tool(tool, caller)) };
        let Some(plugin) = self.sees(&live, &entry, caller) else { return Err(self.unknown_tool(tool, caller)) };
        let restriction = self.tool_restriction(&entry);
        if let Err(error) = self.count_call(restriction, tool, caller) {
            self.tell_of_refused(tool, caller, &next_call());
            return Err(error);
        }
        if self.0.calls_are_watched || restriction.is_some_and(|restriction| restriction.asks().is_some()) {
            // Not held while others have their say: the plugin may stop meanwhile.
            drop(live);
            // Boxed: a call that nobody watches does not carry the other's state.
            let called = Box::pin(self.call_watched(&entry, arguments, caller, &next_call())).await;
            return called.map_err(|refusal| refusal.told(tool));
        }
        let _slot = Self::take_slot(restriction)?;
        let limit = self.call_limit(entry.deadline(), restriction);
        let input = Input::Arguments(arguments);
        let result = match &entry.0 {
            Source::Linked(linked) => match linked.decl.body {
                // It cannot wait, so it holds nothing of its own.
                Body::Sync(body) => guarded(|| body(&Call { kernel: self, plugin, caller, limit, input })),
                Body::Async(body) => {
                    let plugin = Arc::clone(plugin);
                    drop(live);
                    limited(body(&Call { kernel: self, plugin: &plugin, caller, limit, input }), limit).await
                }
            },
            Source::Offered(offered) => {
                let _plugin = Arc::clone(plugin);
                drop(live);
                check(&entry, arguments)?;
                Box::pin(self.call_offered(offered, arguments, caller, limit)).await
            }
        };
        result.map_err(|failure| Self::explain(restriction, failure, tool))
    }

    /// Calls a tool under a name that the host has for the call: the facts and decisions on it carry that name.
    pub async fn call_as(&self, id: &CallId, tool: &str, arguments: &str, caller: &Caller) -> Called {
        let found = self.tool(tool).filter(|entry| self.reach(entry, caller).is_some());
        let Some(entry) = found else {
            return Called { result: Err(self.unknown_tool(tool, caller)), outcome: ToolOutcome::Failed };
        };
        if let Err(error) = self.count_call(self.tool_restriction(&entry), tool, caller) {
            self.tell_of_refused(tool, caller, id);
            return Called { result: Err(error), outcome: ToolOutcome::Denied };
        }
        let called = self.call_watched(&entry, arguments, caller, id).await;
        let outcome = outcome(&called);
        Called { result: called.map_err(|refusal| refusal.told(tool)), outcome }
    }

    /// Calls a function of the host's own as tools are called: guards and a person are asked, facts are emitted, and the answer goes
    /// through the gates. `body` is run once it is allowed, for as long as `limits.call_deadline` says.
    pub async fn call_own(&self, call: OwnCall<'_>, body: BoxFuture<'_, Result<Reply>>) -> Called {
        let OwnCall { id, function, arguments, effect, caller } = call;
        let mut end = self.told_of(function, caller, id);
        let called = async {
            let question = question(function, arguments.clone(), effect, caller, id);
            let arguments = self.ask_guards(question, None, caller).await?;
            self.tell_of_start(function, arguments, caller, id);
            let limit = self.limits().call_deadline;
            let reply = limited(body, limit).await.map_err(|failure| failure.into_error(function, "call_deadline"))?;
            Ok(self.pass_gates(function, reply, caller, id).await?)
        };
        let called = called.await;
        end.value = outcome(&called);
        drop(end);
        let outcome = outcome(&called);
        Called { result: called.map_err(|refusal: Refusal| refusal.told(function)), outcome }
    }

    /// Tells those who are told of calls about one that its rate did not let through.
    #[cold]
    fn tell_of_refused(&self, tool: &str, caller: &Caller, id: &CallId) {
        if self.0.calls_are_watched {
            self.emit(ToolExecuted {
                session: caller.session.clone(),
                turn: caller.turn.clone(),
                call: id.clone(),
                tool: tool.to_owned(),
                outcome: ToolOutcome::Denied,
                micros: 0,
            });
        }
    }

    #[inline]
    async fn run(&self, tool: &Tool<'_>, plugin: &Running, arguments: &str, caller: &Caller) -> Result<Reply> {
        let restriction = self.tool_restriction(tool);
        let _slot = Self::take_slot(restriction)?;
        let limit = self.call_limit(tool.deadline(), restriction);
        let call = Call { kernel: self, plugin, caller, limit, input: Input::Arguments(arguments) };
        let result = match &tool.0 {
            Source::Linked(entry) => match entry.decl.body {
                Body::Sync(body) => guarded(|| body(&call)),
                Body::Async(body) => limited(body(&call), limit).await,
            },
            Source::Offered(entry) => self.call_offered(entry, arguments, caller, limit).await,
        };
        result.map_err(|failure| Self::explain(restriction, failure, tool.name()))
    }

    async fn call_offered(
        &self,
        entry: &OfferedEntry,
        arguments: &str,
        caller: &Caller,
        limit: Duration,
    ) -> Result<Reply, Failure> {
        let arguments = object(arguments).map_err(Failure::Error)?;
        let progress = Progress::of_call(self.ports(), caller);
        // Its making may panic, too.
        let call = guarded(|| Ok(entry.tool.body.call(arguments, caller, &progress)))?;
        limited(call, limit).await
    }

    /// Calls a tool with everything that plugins have to say about it.
    async fn call_watched(&self, tool: &Tool<'_>, arguments: &str, caller: &Caller, id: &CallId) -> Result<Reply, Refusal> {
        let mut end = self.told_of(tool.name(), caller, id);
        let result = self.call_guarded(tool, arguments, caller, id).await;
        end.value = outcome(&result);
        result
    }

    /// Tells those who are told of calls how one ended, once what is returned is dropped: also of one that was cancelled.
    fn told_of<'c>(
        &'c self,
        tool: &'c str,
        caller: &'c Caller,
        id: &'c CallId,
    ) -> AtEnd<ToolOutcome, impl Fn(&ToolOutcome) + 'c> {
        let started = Instant::now();
        AtEnd::new(ToolOutcome::Failed, move |outcome: &ToolOutcome| {
            self.emit(ToolExecuted {
                session: caller.session.clone(),
                turn: caller.turn.clone(),
                call: id.clone(),
                tool: tool.to_owned(),
                outcome: *outcome,
                micros: u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX),
            });
        })
    }

    fn tell_of_start(&self, tool: &str, arguments: Value, caller: &Caller, id: &CallId) {
        self.emit(ToolCallStarted {
            session: caller.session.clone(),
            turn: caller.turn.clone(),
            call: id.clone(),
            tool: tool.to_owned(),
            arguments,
        });
    }

    async fn call_guarded(&self, tool: &Tool<'_>, arguments: &str, caller: &Caller, id: &CallId) -> Result<Reply, Refusal> {
        // Guards and people are asked about arguments that can be executed, and only about those.
        check(tool, arguments)?;
        let value = match arguments.trim_ascii() {
            "" => Value::Object(serde_json::Map::new()),
            text => serde_json::from_str(text).map_err(Error::from)?,
        };
        let question = question(tool.name(), value, tool.effect(), caller, id);
        let asks = self.tool_restriction(tool).and_then(Restriction::asks);
        let value = self.ask_guards(question, asks, caller).await?;
        // So may the plugin have been disabled.
        let Some(plugin) = self.reach(tool, caller) else { return Err(self.unknown_tool(tool.name(), caller).into()) };
        self.tell_of_start(tool.name(), value, caller, id);
        let reply = self.run(tool, &plugin, arguments, caller).await?;
        drop(plugin);
        Ok(self.pass_gates(tool.name(), reply, caller, id).await?)
    }

    /// Asks the guards, and a person where one of them or the policy (`asks`) wants it. Returns the arguments that were allowed.
    async fn ask_guards(&self, mut question: ToolCall, asks: Option<&str>, caller: &Caller) -> Result<Value, Refusal> {
        let mut verdict = self.decide(question.clone(), caller).await.verdict;
        if let Some(reason) = asks {
            verdict = verdict.merge(Approval::ask(reason));
        }
        match verdict {
            Approval::Allow => {}
            Approval::Deny { reason } => return Err(Refusal::Denied(reason)),
            Approval::Ask { reason } => {
                self.approve(&question, &reason, caller).await?;
                // What a person approved may have become forbidden meanwhile.
                question.approved = true;
                if let Approval::Deny { reason } = self.decide(question.clone(), caller).await.verdict {
                    return Err(Refusal::Denied(reason));
                }
            }
        }
        Ok(question.arguments)
    }

    /// Asks a person.
    async fn approve(&self, question: &ToolCall, reason: &str, caller: &Caller) -> Result<(), Refusal> {
        let request = ApprovalRequest { tool: &question.tool, arguments: &question.arguments, reason, caller };
        self.emit(ApprovalRequired {
            session: caller.session.clone(),
            turn: caller.turn.clone(),
            call: question.call.clone(),
            tool: question.tool.clone(),
            arguments: question.arguments.clone(),
            reason: reason.to_owned(),
        });
        // A question that was asked is taken back if the call is cancelled.
        let mut end = AtEnd::new((false, None), |(approved, by): &(bool, Option<UserId>)| {
            self.emit(ApprovalResolved {
                session: caller.session.clone(),
                turn: caller.turn.clone(),
                call: question.call.clone(),
                approved: *approved,
                by: by.clone(),
            });
        });
        let limit = self.limits().approval_deadline;
        let answer = match self.ports().get::<dyn ApprovalPort>() {
            Ok(person) if person.is_there() => tokio::time::timeout(limit, person.ask(&request))
                .await
                .map_err(|_| format!("{reason}; nobody answered within {limit:?} (`limits.approval_deadline`)")),
            _ => Err(format!("{reason}; a person has to approve it, and nobody is there to ask")),
        };
        end.value = (answer == Ok(true), caller.user.clone().filter(|_| answer.is_ok()));
        match answer {
            Ok(true) => Ok(()),
            Ok(false) => Err(Refusal::Denied(format!("{reason}; the person said no"))),
            Err(why) => Err(Refusal::Denied(why)),
        }
    }

    async fn pass_gates(&self, tool: &str, reply: Reply, caller: &Caller, id: &CallId) -> Result<Reply> {
        if !self.is_decided_by_anyone::<ToolResult>() {
            return Ok(reply);
        }
        let question = ToolResult {
            session: caller.session.clone(),
            turn: caller.turn.clone(),
            call: id.clone(),
            tool: tool.to_owned(),
            value: serde_json::from_str(&reply.json)?,
            note: reply.note.clone(),
            content: reply.content.iter().map(Part::to_full_text).collect(),
        };
        match self.decide(question, caller).await.verdict {
            Gate::Pass => Ok(reply),
            // The note, the text and the images came with the value that was replaced.
            Gate::Replace { value } => {
                let kind = match reply.kind {
                    Kind::Value | Kind::Note => Kind::Value,
                    Kind::Show | Kind::Content => Kind::Show,
                };
                Ok(Reply { json: value.to_string(), kind, note: None, content: Vec::new() })
            }
            Gate::Withhold { reason } => {
                Err(Error::new(format!("the answer of `{tool}` is withheld: {reason}")).with_code("withheld"))
            }
        }
    }

    #[cold]
    fn unknown_tool(&self, name: &str, caller: &Caller) -> Error {
        let visible: Vec<_> = self.tools(caller).map(|tool| tool.name().to_owned()).collect();
        let error = Error::new(format!("there is no tool `{name}`")).with_code("unknown_tool");
        match suggest(name, visible.iter().map(String::as_str)) {
            Some(meant) => error.with_hint(format!("did you mean `{meant}`?")),
            None => error,
        }
    }

    /// Calls a tool with words instead of JSON: options by name, the rest by position.
    ///
    /// # Errors
    ///
    /// As [`Kernel::call`].
    pub async fn call_words(&self, tool: &str, words: &[String], caller: &Caller) -> Result<Reply> {
        let live = self.live();
        let visible = self.tool(tool).filter(|entry| self.sees(&live, entry, caller).is_some());
        let Some(entry) = visible else { return Err(self.unknown_tool(tool, caller)) };
        drop(live);
        let definitions = entry.arguments().get("$defs");
        let forms = entry.parameters().into_iter().map(|one| Form::new(one.name, one.schema, definitions));
        let arguments = from_words(&forms.collect::<Vec<_>>(), words)?;
        self.call(tool, &arguments, caller).await
    }

    /// Runs a command: its name without the slash, and the words that follow. Of a command in a group, the name is that of the group, and its
    /// own is the first word; or the name is both.
    ///
    /// # Errors
    ///
    /// `unknown_command`, `forbidden`, `rate_limited`, `busy`, `invalid_arguments`, `deadline`, `panicked`, or what the command returned.
    pub async fn command(&self, name: &str, words: &[String], caller: &Caller) -> Result<Reply> {
        let member = words.first().map(|word| format!("{name} {word}"));
        let member = member.and_then(|name| self.registry().command(&name));
        // A command of the group's name gets every other word.
        let (entry, words) = match member {
            Some(member) => (Some(member), &words[1..]),
            None => (self.registry().command(name), words),
        };
        let found = entry.filter(|entry| {
            !self.0.live.load().halted
                && self.is_present(entry.decl.plugin.id, None, caller)
                && self.command_restriction(entry).is_none_or(|restriction| restriction.admits(caller))
        });
        let found = found.and_then(|entry| Some((entry, self.running(entry.plugin, caller.session.as_ref())?)));
        let Some((entry, plugin)) = found else {
            return Err(self.unknown_command(name, words, caller));
        };
        let name = entry.decl.name;
        if caller.role < entry.decl.role {
            return Err(Error::new(format!("`/{name}` is for the role `{}` and above", entry.decl.role)).with_code("forbidden"));
        }
        let (restriction, what) = (self.command_restriction(entry), format!("/{name}"));
        self.count_call(restriction, &what, caller)?;
        let arguments = from_words(&forms(entry.arguments(), entry.decl.arguments), words)?;
        let _slot = Self::take_slot(restriction)?;
        let limit = self.call_limit(entry.decl.deadline, restriction);
        let call = Call { kernel: self, plugin: &plugin, caller, limit, input: Input::Arguments(&arguments) };
        let result = match entry.decl.body {
            Body::Sync(body) => guarded(|| body(&call)),
            Body::Async(body) => limited(body(&call), limit).await,
        };
        result.map_err(|failure| Self::explain(restriction, failure, &what))
    }

    #[cold]
    fn unknown_command(&self, name: &str, words: &[String], caller: &Caller) -> Error {
        let of_group = self.commands(caller).filter(|entry| entry.group() == Some(name));
        let members: Vec<_> = of_group.filter_map(|entry| entry.decl.name.split_once(' ')).map(|(_, own)| own).collect();
        if !members.is_empty() {
            let list = members.iter().map(|own| format!("`/{name} {own}`")).collect::<Vec<_>>().join(", ");
            return match words.first() {
                Some(word) => {
                    let error = Error::new(format!("there is no command `/{name} {word}`")).with_code("unknown_command");
                    match suggest(word, members.iter().copied()) {
                        Some(meant) => error.with_hint(format!("did you mean `/{name} {meant}`?")),
                        None => error.with_hint(format!("there are {list}")),
                    }
                }
                None => Error::new(format!("`/{name}` is a group of commands"))
                    .with_code("unknown_command")
                    .with_hint(format!("there are {list}")),
            };
        }
        let error = Error::new(format!("there is no command `/{name}`")).with_code("unknown_command");
        match suggest(name, self.commands(caller).map(|entry| entry.group().unwrap_or(entry.decl.name))) {
            Some(meant) => error.with_hint(format!("did you mean `/{meant}`?")),
            None => error,
        }
    }

    /// Returns the commands of running plugins that the caller may use.
    pub fn commands<'a>(&'a self, caller: &'a Caller) -> impl Iterator<Item = &'a super::CommandEntry> {
        let live = self.live();
        let commands = self.registry().commands().iter();
        commands.filter(move |entry| {
            !live.halted
                && live.plugin(live.channel(caller.session.as_ref()), entry.plugin).is_some()
                && caller.role >= entry.decl.role
                && self.is_present(entry.decl.plugin.id, None, caller)
                && self.command_restriction(entry).is_none_or(|restriction| restriction.admits(caller))
        })
    }
}

pub(super) fn forms<'a>(schema: &'a Value, arguments: &[crate::argument::ArgumentDecl]) -> Vec<Form<'a>> {
    let form = |argument: &crate::argument::ArgumentDecl| {
        Form::new(argument.name, schema_of(schema, argument.name), schema.get("$defs"))
    };
    arguments.iter().map(form).collect()
}

/// Checks arguments without calling.
fn check(tool: &Tool<'_>, arguments: &str) -> Result<()> {
    match &tool.0 {
        Source::Linked(entry) => (entry.decl.check)(arguments),
        Source::Offered(entry) => {
            let arguments = object(arguments)?;
            guarded(|| entry.tool.body.check(&arguments)).map_err(|failure| failure.into_error(&entry.name, "call_deadline"))
        }
    }
}

fn object(arguments: &str) -> Result<Map<String, Value>> {
    match arguments.trim_ascii() {
        "" => Ok(Map::new()),
        text => serde_json::from_str(text)
            .map_err(|problem| Error::new(format!("the arguments are no JSON object: {problem}")).with_code("invalid_arguments")),
    }
}

fn question(tool: &str, arguments: Value, effect: Effect, caller: &Caller, id: &CallId) -> ToolCall {
    ToolCall {
        session: caller.session.clone(),
        turn: caller.turn.clone(),
        call: id.clone(),
        tool: tool.to_owned(),
        arguments,
        effect,
        caller: caller.clone(),
        approved: false,
    }
}

fn outcome(called: &Result<Reply, Refusal>) -> ToolOutcome {
    match called {
        Ok(_) => ToolOutcome::Ok,
        Err(Refusal::Denied(_)) => ToolOutcome::Denied,
        Err(Refusal::Failed(_)) => ToolOutcome::Failed,
    }
}

/// Why a call has no answer. Told apart by this and not by the error's code, which a tool can choose as it likes.
enum Refusal {
    /// A guard or a person refused it, for this reason.
    Denied(String),
    /// Anything else.
    Failed(Error),
}

impl Refusal {
    /// Returns what the caller of a tool is told.
    fn told(self, tool: &str) -> Error {
        match self {
            Self::Denied(reason) => Error::new(format!("`{tool}` was not called: {reason}")).with_code("denied"),
            Self::Failed(error) => error,
        }
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

/// Passes a value on when it is dropped: at the end of a function, also of one that is cancelled on its way there.
struct AtEnd<T, F: Fn(&T)> {
    value: T,
    then: F,
}

impl<T, F: Fn(&T)> AtEnd<T, F> {
    fn new(value: T, then: F) -> Self {
        Self { value, then }
    }
}

impl<T, F: Fn(&T)> Drop for AtEnd<T, F> {
    fn drop(&mut self) {
        (self.then)(&self.value);
    }
}

fn next_call() -> CallId {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    CallId::new(format!("call-{}", NEXT.fetch_add(1, Ordering::Relaxed)))
}
