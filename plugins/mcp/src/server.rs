//! One server: what it has, what of that is offered, and what waits for the operator.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
};

use nekro_core::{
    BoxFuture, Caller, Error, NotOffered, OfferedBody, OfferedTool, Offers, Progress, ProgressFollower, ProgressReport, Reply,
    Result, ServerTool, Store, ToolServerFollower, ToolServerLink,
};
use serde_json::{Map, Value};

use crate::{
    OnChange, Options, answer,
    definition::{self, Fit, Limits},
    text::clean,
};

/// How many names of one server are remembered. What is over that needs the operator.
const MOST_KNOWN: usize = 1_000;

/// The definitions of a server that were agreed to: the fingerprint of each tool, by its name at the server.
type Known = BTreeMap<String, String>;

/// A server that the agent follows.
pub(crate) struct Server {
    pub(crate) name: String,
    pub(crate) options: Options,
    pub(crate) limits: Limits,
    pub(crate) on_change: OnChange,
    pub(crate) on_new: OnChange,
    pub(crate) offers: Offers,
    pub(crate) store: Store,
    link: Mutex<Option<Arc<dyn ToolServerLink>>>,
    seen: Mutex<Seen>,
}

/// What the server said last.
#[derive(Default)]
struct Seen {
    tools: Vec<ServerTool>,
    left_off: bool,
    offered: usize,
    // Wait for the operator.
    held: BTreeSet<String>,
    not_offered: Vec<NotOffered>,
    // Why it is not there; `None` while it is.
    lost: Option<String>,
}

/// Passes on what becomes of a server, for as long as the plugin runs.
pub(crate) struct Follower(pub(crate) Weak<Server>);

/// What is called when a tool of a server is.
struct Body {
    server: Weak<Server>,
    // By which the server knows it.
    tool: String,
    arguments: Value,
    has_form: bool,
}

impl Server {
    pub(crate) fn new(
        name: &str,
        (options, limits): (Options, Limits),
        (on_change, on_new): (OnChange, OnChange),
        (offers, store): (Offers, Store),
    ) -> Arc<Self> {
        let seen = Seen { lost: Some("it is being started".to_owned()), ..Seen::default() };
        let (link, seen) = (Mutex::default(), Mutex::new(seen));
        Arc::new(Self { name: name.to_owned(), options, limits, on_change, on_new, offers, store, link, seen })
    }

    pub(crate) fn is_linked_by(&self, link: Arc<dyn ToolServerLink>) {
        *self.link.lock().unwrap_or_else(PoisonError::into_inner) = Some(link);
    }

    pub(crate) fn link(&self) -> Option<Arc<dyn ToolServerLink>> {
        self.link.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Lets the server go.
    pub(crate) fn leave(&self) {
        self.link.lock().unwrap_or_else(PoisonError::into_inner).take();
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn key(&self) -> String {
        format!("definitions/{}", self.name)
    }

    /// Takes up a list of tools.
    async fn take(self: &Arc<Self>, tools: Vec<ServerTool>, left_off: bool) {
        {
            let mut seen = self.seen();
            (seen.tools, seen.left_off, seen.lost) = (tools.clone(), left_off, None);
        }
        match self.agree(&tools, &|_| false).await {
            Ok(held) => self.offer(&tools, left_off, held, None),
            // What nobody can remember, nobody can notice a change of.
            Err(problem) => {
                let all = tools.iter().map(|tool| tool.name.clone()).collect();
                self.offer(&tools, left_off, all, Some(format!("what was agreed to cannot be looked up: {problem}")));
            }
        }
    }

    /// Compares definitions with those that were agreed to, and returns which are held back. What `trusts` says yes to is agreed to now.
    async fn agree(&self, tools: &[ServerTool], trusts: &(dyn Fn(&str) -> bool + Sync)) -> Result<BTreeSet<String>> {
        let prints: Vec<_> = tools.iter().map(|tool| (&tool.name, definition::fingerprint(tool))).collect();
        let mut held = BTreeSet::new();
        let agree = |known: Option<Known>| {
            let is_first = known.is_none();
            let mut known = known.unwrap_or_default();
            held.clear();
            for (name, print) in &prints {
                let agreed = match known.get(*name) {
                    Some(before) if before == print => continue,
                    Some(_) => self.on_change == OnChange::Allow,
                    None => is_first || self.on_new == OnChange::Allow,
                };
                let fits = known.contains_key(*name) || known.len() < MOST_KNOWN;
                if fits && (agreed || trusts(name)) {
                    known.insert((*name).clone(), print.clone());
                } else {
                    held.insert((*name).clone());
                }
            }
            known
        };
        self.store.update(&self.key(), agree).await?;
        Ok(held)
    }

    /// Offers what can be offered, and says of the rest why it is not.
    fn offer(self: &Arc<Self>, tools: &[ServerTool], left_off: bool, held: BTreeSet<String>, problem: Option<String>) {
        let mut offered: BTreeMap<String, OfferedTool> = BTreeMap::new();
        let whole = |reason: String| NotOffered::new(format!("mcp.{}", self.name), reason);
        let mut not_offered: Vec<_> = problem.map(whole).into_iter().collect();
        for tool in tools {
            let name = format!("{}.{}", self.name, definition::name(&tool.name));
            let mut leave = |reason: String| not_offered.push(NotOffered::new(format!("mcp.{name}"), reason));
            if !self.options.wants(&tool.name) {
                continue;
            }
            if held.contains(&tool.name) {
                leave(format!(
                    "its definition is not the one that was agreed to; look at it, and let it in with `/mcp trust {} {}`",
                    self.name,
                    clean(&tool.name, 64)
                ));
                continue;
            }
            match definition::fit(&self.name, tool, self.options.trust_hints, self.limits) {
                Ok(_) if offered.contains_key(&name) => {
                    leave(format!("another tool has its name, too: {:?}", clean(&tool.name, 64)))
                }
                Ok(fit) => drop(offered.insert(name.clone(), self.offered(name, tool, fit))),
                Err(problem) => leave(problem),
            }
        }
        if left_off {
            not_offered.push(whole(format!("it has more tools than are used (`mcp_servers.{}.tools`)", self.name)));
        }
        let count = offered.len();
        let count = match self.offers.set(&self.name, offered.into_values().collect()) {
            Ok(()) => count,
            Err(problem) => {
                let hint = problem.hint().map(|hint| format!(" ({hint})")).unwrap_or_default();
                not_offered.push(whole(format!("{problem}{hint}")));
                // Those before are another server's by now, as far as anybody knows.
                let _ = self.offers.set(&self.name, Vec::new());
                0
            }
        };
        self.offers.not_offered(&self.name, not_offered.clone());
        let mut seen = self.seen();
        (seen.offered, seen.held, seen.not_offered) = (count, held, not_offered);
    }

    fn offered(self: &Arc<Self>, name: String, tool: &ServerTool, fit: Fit) -> OfferedTool {
        let Fit { docs, arguments, output, effect, .. } = fit;
        let body = Body {
            server: Arc::downgrade(self),
            tool: tool.name.clone(),
            arguments: arguments.clone(),
            has_form: output.is_some(),
        };
        let mut offered = OfferedTool::new(name, docs, Arc::new(body));
        (offered.arguments, offered.output, offered.effect) = (arguments, output, effect);
        offered
    }

    /// Agrees to what is held back: one tool, or all of them.
    pub(crate) async fn trust(self: &Arc<Self>, tool: Option<&str>) -> Result<String> {
        let (tools, left_off, held) = {
            let seen = self.seen();
            (seen.tools.clone(), seen.left_off, seen.held.clone())
        };
        let wanted = |name: &str| held.contains(name) && tool.is_none_or(|tool| tool == name || tool == definition::name(name));
        let trusted = held.iter().filter(|name| wanted(name)).count();
        if trusted == 0 {
            return Err(Error::new(format!("nothing of the server `{}` waits for this", self.name))
                .with_code("nothing_held")
                .with_hint("`/mcp` tells what does"));
        }
        let held = self.agree(&tools, &wanted).await?;
        self.offer(&tools, left_off, held, None);
        Ok(format!("{trusted} of the tools of `{}` are let in.", self.name))
    }

    fn lose(&self, problem: &Error) {
        let reason = NotOffered::new(format!("mcp.{}", self.name), format!("the server is not there: {}", problem.message()));
        let mut seen = self.seen();
        seen.lost = Some(problem.message().to_owned());
        let mut all = seen.not_offered.clone();
        drop(seen);
        all.insert(0, reason);
        self.offers.not_offered(&self.name, all);
    }

    /// Describes how it is doing.
    pub(crate) fn status(&self) -> String {
        let seen = self.seen();
        let state = match &seen.lost {
            None => format!("{} of {} tools", seen.offered, seen.tools.len()),
            Some(why) => format!("not there: {}", clean(why, 500)),
        };
        let mut text = format!("{}: {state}", self.name);
        for one in &seen.not_offered {
            // It cannot fail: it is a text.
            let _ = write!(text, "\n  {}: {}", one.name, one.reason);
        }
        for tool in seen.tools.iter().filter(|tool| seen.held.contains(&tool.name)) {
            let _ = write!(text, "\n  {} says: {:?}", clean(&tool.name, 64), clean(&tool.description, 500));
        }
        text
    }
}

impl ToolServerFollower for Follower {
    fn listed(&self, tools: Vec<ServerTool>, left_off: bool) -> BoxFuture<'_, ()> {
        let server = self.0.upgrade();
        Box::pin(async move {
            if let Some(server) = server {
                server.take(tools, left_off).await;
            }
        })
    }

    fn lost(&self, problem: Error) {
        if let Some(server) = self.0.upgrade() {
            server.lose(&problem);
        }
    }
}

/// Passes on how far a server says that it has come: its text is somebody else's.
struct Told(Progress);

impl ProgressFollower for Told {
    fn report(&self, report: ProgressReport) {
        let text = clean(report.text(), usize::MAX).replace(['\n', '\t'], " ");
        self.0.report(ProgressReport::new(report.done(), report.total(), text));
    }
}

impl OfferedBody for Body {
    fn check(&self, arguments: &Map<String, Value>) -> Result<()> {
        definition::check(&self.arguments, arguments).map_err(|problem| Error::new(problem).with_code("invalid_arguments"))
    }

    fn call<'a>(&'a self, arguments: Map<String, Value>, _: &'a Caller, progress: &'a Progress) -> BoxFuture<'a, Result<Reply>> {
        Box::pin(async move {
            let gone = || Error::new("the plugin `mcp` has stopped").with_code("ending");
            let server = self.server.upgrade().ok_or_else(gone)?;
            let link = server.link().ok_or_else(gone)?;
            let told = Progress::new(progress.is_followed().then(|| Arc::new(Told(progress.clone())) as _));
            answer::reply(&server.name, link.call(&self.tool, arguments, &told).await?, self.has_form)
        })
    }
}
