//! `nekro chat`: commands, direct calls and messages, line by line.

mod direct_call;
mod editor;
mod line;
mod turn;

use std::{
    io::{BufRead, IsTerminal},
    sync::Arc,
    time::Duration,
};

use nekro_core::{Caller, Error, event::facts::SessionCreated, suggest};

use tokio::sync::mpsc;

use self::{editor::Editor, line::Line, turn::Turns};
use crate::{
    assemble::Agent,
    cli::{Failure, SESSION, Screen, first_line, plain, table},
    ports::Question,
    settings::live::Live,
    style::DIM,
};

/// How long the chat waits for handlers before it asks for the next line. What comes later is printed after that line.
const SETTLE: Duration = Duration::from_millis(300);

/// Runs the chat: with an edited prompt on a terminal, line by line otherwise.
pub(crate) async fn run(
    agent: &Agent,
    questions: mpsc::Receiver<Question>,
    live: &Arc<Live>,
    screen: &Screen,
) -> Result<(), Failure> {
    let caller = Caller::operator().in_session(SESSION);
    agent.kernel.emit(SessionCreated { session: SESSION.into(), channel: "terminal".to_owned(), user: None });
    let mut chat = Chat { turns: Turns::new(&agent.kernel, SESSION.into()), agent, live, screen, caller, failed: false };
    let _watch = live.watch();
    if std::io::stdin().is_terminal() { chat.talk(questions).await } else { chat.read(questions).await }
}

struct Chat<'a> {
    agent: &'a Agent,
    live: &'a Live,
    screen: &'a Screen,
    caller: Caller,
    turns: Turns<'a>,
    failed: bool,
}

/// Whether the chat goes on.
#[derive(PartialEq, Eq)]
enum Next {
    Line,
    End,
}

impl Chat<'_> {
    /// Asks for lines on a terminal.
    async fn talk(&mut self, mut questions: mpsc::Receiver<Question>) -> Result<(), Failure> {
        self.screen
            .line(format_args!("{DIM}nekro {}: /help shows what you can do, Ctrl-D ends{DIM:#}", env!("CARGO_PKG_VERSION")));
        let mut editor = Editor::new(&self.agent.kernel, &self.caller)?;
        loop {
            self.settle().await;
            // The editor waits for the person, and the runtime's other threads go on meanwhile.
            match tokio::task::block_in_place(|| editor.line())? {
                Some(line) => {
                    if self.take(&line, &mut questions, Some(&mut editor)).await == Next::End {
                        return Ok(());
                    }
                }
                None => return Ok(()),
            }
        }
    }

    /// Reads lines from a pipe or a file.
    async fn read(&mut self, mut questions: mpsc::Receiver<Question>) -> Result<(), Failure> {
        self.settle().await;
        for line in std::io::stdin().lock().lines() {
            let line = line.map_err(|error| Failure::work(format!("the input cannot be read: {error}")))?;
            if self.take(&line, &mut questions, None).await == Next::End {
                break;
            }
            self.settle().await;
        }
        if self.failed { Err(Failure::work("not every line could be carried out")) } else { Ok(()) }
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

    /// Does what a line says. Ctrl-C ends that, and not the program.
    async fn take(&mut self, line: &str, questions: &mut mpsc::Receiver<Question>, mut editor: Option<&mut Editor>) -> Next {
        // What somebody has changed before this line holds for it.
        self.live.look().await;
        self.tell_of_settings();
        let line = match line::read(line) {
            Ok(line) => line,
            Err(problem) => {
                self.report(&Error::new(problem.to_string()).with_hint("write a call like `dice.roll(notation=\"2d6\")`"));
                return Next::Line;
            }
        };
        let done = async {
            match line {
                Line::Empty => Ok(()),
                Line::Command { name, words } => return self.command(&name, &words).await,
                Line::Call(call) => self.call(&call).await,
                Line::Message(text) => self.turns.message(&text, &self.caller, self.screen).await,
            }
            .map(|()| Next::Line)
        };
        let result = {
            tokio::pin!(done);
            loop {
                tokio::select! {
                    result = &mut done => break result,
                    _ = tokio::signal::ctrl_c() => break Err(Error::new("cancelled")),
                    Some(question) = questions.recv() => {
                        let typed = editor.as_mut().map(|editor| tokio::task::block_in_place(|| editor.ask(&question.text)));
                        question.answer(&typed.unwrap_or_default());
                    }
                }
            }
        };
        result.unwrap_or_else(|error| {
            self.report(&error);
            Next::Line
        })
    }

    async fn call(&self, call: &direct_call::DirectCall) -> Result<(), Error> {
        let entry = self.agent.kernel.registry().tool(&call.tool);
        let names: Vec<_> = entry.map(|tool| tool.decl.arguments.iter().map(|one| one.name).collect()).unwrap_or_default();
        let arguments = call.arguments(&names)?;
        let reply = self.agent.kernel.call(&call.tool, &arguments, &self.caller).await?;
        self.screen.reply(&reply);
        Ok(())
    }

    async fn command(&self, name: &str, words: &[String]) -> Result<Next, Error> {
        let kernel = &self.agent.kernel;
        match name {
            "quit" | "exit" => return Ok(Next::End),
            "help" => self.help(),
            "tools" => {
                for tool in kernel.tools(&self.caller) {
                    self.screen.line(crate::cli::signature(tool));
                }
            }
            // A tool's name is as good as a command's.
            _ if name.contains('.') => self.screen.reply(&kernel.call_words(name, words, &self.caller).await?),
            _ => {
                let reply = kernel.command(name, words, &self.caller).await;
                self.screen.reply(&reply.map_err(|error| self.with_own_commands(error, name))?);
            }
        }
        Ok(Next::Line)
    }

    /// The kernel knows the plugins' commands, and the chat has some of its own.
    fn with_own_commands(&self, error: Error, name: &str) -> Error {
        if error.code() != "unknown_command" {
            return error;
        }
        let own = editor::BUILTIN.map(|(name, _)| name);
        let plugins = self.agent.kernel.commands(&self.caller).map(|entry| entry.decl.name);
        match suggest(name, plugins.chain(own)) {
            Some(meant) => error.with_hint(format!("did you mean `/{meant}`?")),
            None => error.with_hint("`/help` lists the commands"),
        }
    }

    fn help(&self) {
        let kernel = &self.agent.kernel;
        let mut rows = Vec::new();
        for entry in kernel.commands(&self.caller) {
            let arguments: String = entry.decl.arguments.iter().map(|one| format!(" [{}]", one.name)).collect();
            rows.push(vec![format!("  /{}{arguments}", entry.decl.name), first_line(entry.decl.docs).to_owned()]);
        }
        rows.extend(editor::BUILTIN.map(|(name, docs)| vec![format!("  /{name}"), docs.to_owned()]));
        self.screen.line("Commands:");
        self.screen.line(table(&rows));
        self.screen.line("Calls:");
        if let Some(tool) = kernel.tools(&self.caller).next() {
            self.screen
                .line(format_args!("  {}  {DIM}a tool, called directly; /tools lists them{DIM:#}", crate::cli::signature(tool)));
        }
        self.screen.line("Anything else is a message to the agent.");
    }

    fn report(&mut self, error: &Error) {
        self.failed = true;
        self.screen.error(error.message(), error.hint());
    }
}
