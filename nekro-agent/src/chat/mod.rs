//! `nekro chat`: commands, direct calls and messages, line by line.

mod commands;
mod complete;
mod direct_call;
mod editor;
mod line;
mod picture;
mod typed;

use std::{
    cell::Cell,
    future::poll_fn,
    io::IsTerminal,
    path::{Path, PathBuf},
    pin::Pin,
    sync::Arc,
    task::Poll,
    time::Duration,
};

use anstream::{AutoStream, ColorChoice, adapter::strip_str};
use nekro_core::{Caller, Error, SessionId, event::facts::TurnOutcome};
use rustyline::ExternalPrinter;
use serde_json::json;
use tokio::sync::mpsc;
use tracing::Instrument;

pub(crate) use self::commands::whose;
use self::{editor::Editor, line::Line};
use crate::{
    agent::{Fate, Inbound},
    assemble::Agent,
    cli::{Failure, SESSION, Screen, first_line, plain, table},
    history::File,
    ports::{Outbox, Question, command_on_terminal, tool_on_terminal},
    settings::live::Live,
    style::DIM,
};

/// How long the chat waits for handlers before it asks for the next line. What comes later is printed above that line, or after it.
const SETTLE: Duration = Duration::from_millis(300);

/// How a chat is begun.
#[derive(Clone, Debug, Default)]
pub(crate) struct Begin {
    /// The session.
    pub(crate) session: Option<String>,
    /// The model of the session from now on.
    pub(crate) model: Option<String>,
    /// All there is to say.
    pub(crate) once: Option<String>,
    /// Where the lines that were typed are kept.
    pub(crate) typed: PathBuf,
}

/// Returns the session of a name: one of the terminal's, unless the name says of which channel it is.
pub(crate) fn session(name: Option<&str>) -> SessionId {
    match name {
        None => SESSION.into(),
        Some(name) if name == SESSION || name.contains(':') => name.into(),
        Some(name) => format!("{SESSION}:{name}").into(),
    }
}

/// Runs the chat: with an edited prompt on a terminal, line by line otherwise.
pub(crate) async fn run(
    agent: &Agent,
    begin: Begin,
    questions: mpsc::Receiver<Question>,
    live: &Arc<Live>,
    screen: &Screen,
) -> Result<(), Failure> {
    let session = session(begin.session.as_deref());
    // Before anything is said in it.
    agent.outbox.show(&session);
    let caller = Caller::operator().in_session(session.clone());
    agent.machine.open(&session, None).await.map_err(|error| Failure::of(&error))?;
    if let Some(model) = &begin.model {
        agent.machine.set_model(&session, Some(model)).await.map_err(|error| Failure::of(&error))?;
    }
    // Which plugins take part, for what is done before the first turn.
    agent.machine.profile(&session).await.map_err(|error| Failure::of(&error))?;
    let chat = Chat { session, agent, live, screen, caller, failed: Cell::new(false) };
    let _watch = live.watch();
    let done = match begin.once {
        Some(line) => chat.once(&line, questions).await,
        None if std::io::stdin().is_terminal() => chat.talk(begin.typed, questions).await,
        None => chat.read(questions).await,
    };
    agent.rest().await;
    agent.machine.stop_all().await;
    done
}

struct Chat<'a> {
    agent: &'a Agent,
    live: &'a Live,
    screen: &'a Screen,
    caller: Caller,
    session: SessionId,
    failed: Cell<bool>,
}

/// What a line does, until it is done.
type Doing<'a> = Pin<Box<dyn Future<Output = Result<Next, Error>> + 'a>>;

/// Reads a line of the input; `None` at its end. What was read is not kept back: whoever reads next goes on after it.
fn next_line() -> Result<Option<String>, Failure> {
    let line = std::io::stdin().lines().next().transpose();
    line.map_err(|error| Failure::work(format!("the input cannot be read: {error}")))
}

/// Waits for the first of several to be done, and takes it out.
async fn first(doing: &mut Vec<Doing<'_>>) -> Result<Next, Error> {
    poll_fn(|context| {
        for at in 0..doing.len() {
            if let Poll::Ready(done) = doing[at].as_mut().poll(context) {
                drop(doing.remove(at));
                return Poll::Ready(done);
            }
        }
        Poll::Pending
    })
    .await
}

/// Prints what plugins have to say while a line is typed, until it is aborted: between two messages, so none is lost.
async fn tell(outbox: Arc<Outbox>, screen: Screen, mut printer: impl ExternalPrinter) {
    loop {
        outbox.news().await;
        for line in screen.told(&outbox) {
            let has_colours = AutoStream::choice(&std::io::stdout()) != ColorChoice::Never;
            let line = if has_colours { line } else { strip_str(&line).to_string() };
            // A terminal that is gone ends the chat by itself.
            _ = printer.print(line + "\n");
        }
    }
}

/// Whether the chat goes on.
#[derive(PartialEq, Eq)]
enum Next {
    Line,
    End,
}

impl Chat<'_> {
    /// Asks for lines on a terminal.
    async fn talk(&self, typed: PathBuf, mut questions: mpsc::Receiver<Question>) -> Result<(), Failure> {
        self.screen
            .line(format_args!("{DIM}nekro {}: /help shows what you can do, Ctrl-D ends{DIM:#}", env!("CARGO_PKG_VERSION")));
        if self.agent.machine.models() == ["offline"] {
            self.screen.line(format_args!(
                "{DIM}no language model is set up ([models] in {}): plain sentences call tools, such as \"roll two d6\"{DIM:#}",
                self.live.file().display()
            ));
        }
        let mut editor = Editor::new(self.agent, &self.caller, typed)?;
        loop {
            self.settle().await;
            let telling =
                editor.printer().map(|printer| tokio::spawn(tell(Arc::clone(&self.agent.outbox), *self.screen, printer)));
            // The editor waits for the person, and the runtime's other threads go on meanwhile.
            let line = tokio::task::block_in_place(|| editor.line());
            if let Some(telling) = telling {
                telling.abort();
            }
            match line? {
                Some(line) => {
                    if self.take(&line, &mut questions, Some(&mut editor)).await == Next::End {
                        return Ok(());
                    }
                }
                None => return Ok(()),
            }
        }
    }

    /// Says one thing, and ends.
    async fn once(&self, line: &str, mut questions: mpsc::Receiver<Question>) -> Result<(), Failure> {
        self.settle().await;
        self.take(line, &mut questions, None).await;
        self.settle().await;
        if self.failed.get() { Err(Failure::work("it could not be carried out")) } else { Ok(()) }
    }

    /// Reads lines from a pipe or a file.
    async fn read(&self, mut questions: mpsc::Receiver<Question>) -> Result<(), Failure> {
        self.settle().await;
        while let Some(line) = next_line()? {
            if self.take(&line, &mut questions, None).await == Next::End {
                break;
            }
            self.settle().await;
        }
        if self.failed.get() { Err(Failure::work("not every line could be carried out")) } else { Ok(()) }
    }

    /// Lets handlers finish, and prints what plugins have to say.
    async fn settle(&self) {
        let _ = tokio::time::timeout(SETTLE, self.agent.kernel.idle()).await;
        self.screen.messages(&self.agent.outbox);
        self.tell_of_settings();
    }

    fn tell_of_settings(&self) {
        for notice in self.live.notices() {
            self.screen.show(&notice.to_json(), || format!("{DIM}{}{DIM:#}", plain(&notice.to_text(self.live.file()))));
        }
    }

    /// Does what a line says, and what lines say that are typed meanwhile. Ctrl-C ends that, and not the program.
    async fn take(&self, line: &str, questions: &mut mpsc::Receiver<Question>, mut editor: Option<&mut Editor>) -> Next {
        // What somebody has changed before this line holds for it.
        self.live.look().await;
        self.tell_of_settings();
        let mut doing: Vec<Doing<'_>> = vec![Box::pin(self.carry_out(line.to_owned()))];
        while !doing.is_empty() {
            tokio::select! {
                done = first(&mut doing) => match done {
                    Ok(Next::End) => return Next::End,
                    Ok(Next::Line) => {}
                    Err(error) => self.report(&error),
                },
                _ = tokio::signal::ctrl_c() => {
                    if !self.agent.machine.stop(&self.session) {
                        self.report(&Error::new("cancelled"));
                        return Next::Line;
                    }
                    // A turn that was stopped ends at once, and is waited for.
                }
                Some(question) = questions.recv() => {
                    let typed = editor.as_mut().map(|editor| tokio::task::block_in_place(|| editor.ask(&question.text)));
                    if !question.answer(&typed.unwrap_or_default()) {
                        self.screen.line(format_args!("{DIM}(nobody waits for that any more){DIM:#}"));
                    }
                }
                () = self.agent.outbox.question() => {
                    self.screen.messages(&self.agent.outbox);
                    if let Some(line) = self.answer(editor.is_some()) {
                        doing.push(Box::pin(self.carry_out(line)));
                    }
                }
                Some(line) = typed::line(), if editor.is_some() => doing.push(Box::pin(self.carry_out(line))),
            }
        }
        Next::Line
    }

    /// Reads the line that follows a question. On a terminal, lines are read anyway while something is under way.
    fn answer(&self, is_terminal: bool) -> Option<String> {
        if !self.agent.machine.is_asked(&self.session) || is_terminal && typed::IS_READ {
            return None;
        }
        match tokio::task::block_in_place(next_line) {
            Ok(Some(line)) => Some(line),
            // Nobody will answer any more.
            Ok(None) | Err(_) => {
                self.agent.machine.stop(&self.session);
                None
            }
        }
    }

    async fn carry_out(&self, line: String) -> Result<Next, Error> {
        if self.agent.machine.is_asked(&self.session) && !line.trim_start().starts_with('/') && !line.trim().is_empty() {
            // Whatever it looks like, it is the answer.
            return self.message(line.trim().to_owned(), Vec::new()).await.map(|()| Next::Line);
        }
        let line = line::read(&line)
            .map_err(|problem| Error::new(problem.to_string()).with_hint("write a call like `dice.roll(notation=\"2d6\")`"))?;
        match line {
            Line::Empty => Ok(()),
            Line::Command { name, words } => return self.command(&name, &words).await,
            Line::Call(call) => self.call(&call).await,
            Line::Message(text) => self.message(text, Vec::new()).await,
        }
        .map(|()| Next::Line)
    }

    async fn call(&self, call: &direct_call::DirectCall) -> Result<(), Error> {
        let entry = self.agent.kernel.tool(&call.tool);
        let arguments = match entry {
            Some(tool) => call.arguments(&tool.parameters().iter().map(|one| one.name).collect::<Vec<_>>())?,
            // The kernel says which one was meant.
            None => "{}".to_owned(),
        };
        let span = tracing::info_span!("call", session = %self.session);
        let kernel = &self.agent.kernel;
        let reply = kernel.call(&call.tool, &arguments, &self.caller).instrument(span);
        let reply = tool_on_terminal(kernel, &call.tool, self.screen, reply).await?;
        self.screen.reply(&reply);
        Ok(())
    }

    async fn command(&self, name: &str, words: &[String]) -> Result<Next, Error> {
        if let Some(done) = self.own_command(name, words).await {
            return done;
        }
        let kernel = &self.agent.kernel;
        // A tool's name is as good as a command's.
        if name.contains('.') {
            self.screen.reply(&tool_on_terminal(kernel, name, self.screen, kernel.call_words(name, words, &self.caller)).await?);
        } else {
            let reply = command_on_terminal(kernel, name, self.screen, kernel.command(name, words, &self.caller)).await;
            self.screen.reply(&reply.map_err(|error| self.with_own_commands(error, name))?);
        }
        Ok(Next::Line)
    }

    /// Says something to the agent, and waits for the end of its turn.
    async fn message(&self, text: String, files: Vec<File>) -> Result<(), Error> {
        let machine = &self.agent.machine;
        let received = machine.receive(Inbound { files, ..Inbound::operator(self.session.clone(), text) }).await?;
        let ended = match received.fate {
            Fate::Hidden => {
                let text = "(a plugin decided that the agent does not see this message)";
                self.screen.show(&json!({ "answer": null, "message": received.message, "reason": "hidden" }), || {
                    format!("{DIM}{text}{DIM:#}")
                });
                return Ok(());
            }
            Fate::Taken { by } => {
                let reason = format!("it answers a question of {by}");
                self.screen.show(&json!({ "answer": null, "message": received.message, "reason": reason }), || {
                    format!("{DIM}({reason}){DIM:#}")
                });
                return Ok(());
            }
            Fate::Unanswered { reason } => {
                self.screen.show(&json!({ "answer": null, "message": received.message, "reason": reason }), || {
                    format!("{DIM}(no answer: {reason}){DIM:#}")
                });
                return Ok(());
            }
            // The agent is ending if nothing comes.
            Fate::Answered(ended) => ended.await.map_err(|_| Error::new("the turn was given up"))?,
        };
        match (ended.outcome, ended.problem) {
            (_, Some(problem)) => Err(Error::new(problem)),
            (TurnOutcome::Silent, None) => {
                let reason = "the agent has nothing to say";
                self.screen.show(&json!({ "answer": null, "reason": reason }), || format!("{DIM}({reason}){DIM:#}"));
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Sends a picture, with something to say about it.
    async fn picture(&self, path: &Path, words: &[&str]) -> Result<(), Error> {
        let file = picture::read(path, self.agent.machine.most_file_bytes())?;
        let text = if words.is_empty() { file.name.clone() } else { words.join(" ") };
        self.message(text, vec![file]).await
    }

    fn help(&self) {
        let kernel = &self.agent.kernel;
        let mut rows = Vec::new();
        let mut group = None;
        // A command of the same name as a group comes before what is in it.
        let mut entries: Vec<_> = kernel.commands(&self.caller).collect();
        entries.sort_by_key(|entry| (entry.decl.plugin.id, entry.decl.name));
        for entry in entries {
            let arguments: String = entry.decl.arguments.iter().map(|one| format!(" [{}]", one.name)).collect();
            let docs = first_line(entry.decl.docs).to_owned();
            match entry.decl.name.split_once(' ') {
                Some((of, name)) => {
                    if group.replace(of) != Some(of) {
                        rows.push(vec![format!("  /{of}"), String::new()]);
                    }
                    rows.push(vec![format!("    {name}{arguments}"), docs]);
                }
                None => {
                    group = Some(entry.decl.name);
                    rows.push(vec![format!("  /{}{arguments}", entry.decl.name), docs]);
                }
            }
        }
        rows.extend(commands::OWN.iter().map(|own| vec![format!("  /{}{}", own.name, own.words), own.docs.to_owned()]));
        self.screen.line("Commands:");
        self.screen.line(table(&rows));
        self.screen.line("Calls:");
        if let Some(tool) = kernel.tools(&self.caller).next() {
            self.screen
                .line(format_args!("  {}  {DIM}a tool, called directly; /tools lists them{DIM:#}", crate::cli::signature(&tool)));
        }
        self.screen.line("Anything else is a message to the agent.");
    }

    fn report(&self, error: &Error) {
        self.failed.set(true);
        self.screen.error(error.message(), error.hint());
    }
}
