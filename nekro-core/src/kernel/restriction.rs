//! What the policy says of each tool, command and plugin, worked out once at the start. What it says nothing of costs nothing.

use std::{
    borrow::Cow,
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use super::{
    CommandEntry, Gate, Kernel, Limits, Registry, RouteEntry, Tool,
    bucket::{Buckets, Refused},
    guard::Failure,
    tool::Source,
};
use crate::{
    caller::Origin,
    caller::{Caller, Role},
    capability::CapabilityDecl,
    error::{Error, Result},
    ids::{PluginId, SessionId, UserId},
    plugin::PluginDecl,
    policy::{Cap, OriginKind, Policy, Rule, place},
};

/// What the policy says of everything.
#[derive(Default)]
pub(super) struct Restrictions {
    policy: Option<Policy>,
    // By the number of the tool, and by that of the command; empty without a policy.
    tools: Box<[Option<Box<Restriction>>]>,
    commands: Box<[Option<Box<Restriction>>]>,
    // By the number of the route.
    routes: Box<[Option<Box<Restriction>>]>,
    // By plugin and capability, where the policy limits the use.
    gates: BTreeMap<&'static str, BTreeMap<&'static str, Arc<Gate>>>,
    // By plugin index, for those that the policy limits.
    plugins: BTreeMap<usize, PluginLimits>,
    // By plugin: what its calls take, also those of tools that it offers later.
    slots: BTreeMap<&'static str, Option<Arc<Slots>>>,
}

/// What the policy says of one tool, command or route.
pub(super) struct Restriction {
    role: Role,
    // All of these have to allow it.
    origins: Vec<Vec<OriginKind>>,
    rates: Vec<RateLimit>,
    // Whether it is there for nobody.
    deny: bool,
    ask: Option<String>,
    deadline: Option<Cap<Duration>>,
    slots: Option<Arc<Slots>>,
}

/// A rule's rate, for one tool or command.
struct RateLimit {
    buckets: Buckets<Who>,
    rule: String,
}

/// Whose calls are counted together: those of a person, wherever they come from; else those of a conversation; else those of an origin.
#[derive(Clone, PartialEq, Eq, Hash)]
enum Who {
    User(UserId),
    Session(SessionId),
    Plugin(PluginId),
    Origin(OriginKind),
}

/// The calls of one plugin that run at the same time.
#[derive(Debug)]
struct Slots {
    plugin: &'static str,
    taken: AtomicUsize,
    most: Cap<usize>,
}

/// The place of a call among those that run. Empty if they are not counted.
#[derive(Debug)]
pub(super) struct Slot(Option<Arc<Slots>>);

struct PluginLimits {
    limits: Limits,
    mailbox: Option<Cap<usize>>,
}

impl Restrictions {
    pub(super) fn new(policy: Option<Policy>, registry: &Registry, limits: &Limits) -> Self {
        let Some(policy) = policy else { return Self::default() };
        let mut slots: BTreeMap<&'static str, Option<Arc<Slots>>> = BTreeMap::new();
        for entry in registry.plugins() {
            let id = entry.decl.id;
            let of = policy.of(id).limits.calls_at_once;
            slots.insert(id, of.map(|most| Arc::new(Slots { plugin: id, taken: AtomicUsize::new(0), most })));
        }
        let restrict = |plugin: &'static str, rules: Vec<&Rule>| {
            let caps = policy.of(plugin).limits;
            Restriction::new(&rules, caps.call_deadline, slots.get(plugin).cloned().flatten()).map(Box::new)
        };
        let tools = registry.tools().iter().map(|tool| {
            let rules = policy.rules.iter().filter(|rule| rule.fits_tool(&tool.name));
            restrict(tool.decl.plugin.id, rules.collect())
        });
        let tools = tools.collect();
        let commands = registry.commands().iter().map(|command| {
            let decl = command.decl;
            // A rule about an alias is a rule about the command.
            let fits = |rule: &&Rule| rule.fits_command(decl.name) || decl.aliases.iter().any(|alias| rule.fits_command(alias));
            restrict(decl.plugin.id, policy.rules.iter().filter(fits).collect())
        });
        let commands = commands.collect();
        let routes = registry.routes().iter().map(|route| {
            let path = route.path();
            let rules = policy.rules.iter().filter(|rule| rule.fits_route(route.decl.method, &path));
            restrict(route.decl.plugin.id, rules.collect())
        });
        let routes = routes.collect();
        let plugins = registry.plugins().iter().enumerate().filter_map(|(at, entry)| {
            let caps = policy.of(entry.decl.id).limits;
            (caps.mailbox.is_some() || caps.concurrency.is_some()).then(|| {
                let least = |host: usize, cap: Option<Cap<usize>>| cap.map_or(host, |cap| cap.most.min(host));
                let mailbox = caps.mailbox.filter(|cap| cap.most < limits.mailbox);
                let limits = Limits {
                    mailbox: least(limits.mailbox, caps.mailbox),
                    concurrency: least(limits.concurrency, caps.concurrency),
                    ..limits.clone()
                };
                (at, PluginLimits { limits, mailbox })
            })
        });
        let plugins = plugins.collect();
        let gates = registry.plugins().iter().filter_map(|entry| {
            let id = entry.decl.id;
            let limits = policy.of(id).capability_limits;
            let gate = |capability: &&'static CapabilityDecl| {
                let name = capability.name;
                limits.get(name).map(|caps| (name, Gate::new(id, name, *caps)))
            };
            let gates: BTreeMap<_, _> = entry.capabilities.iter().filter_map(gate).collect();
            (!gates.is_empty()).then_some((id, gates))
        });
        let gates = gates.collect();
        Self { tools, commands, routes, gates, plugins, slots, policy: Some(policy) }
    }
}

impl Restriction {
    /// Puts together what the rules say; `None` if nothing.
    fn new(rules: &[&Rule], deadline: Option<Cap<Duration>>, slots: Option<Arc<Slots>>) -> Option<Self> {
        if rules.is_empty() && deadline.is_none() && slots.is_none() {
            return None;
        }
        let rate = |rule: &&&Rule| rule.rate.map(|rate| RateLimit { buckets: Buckets::new(rate), rule: rule.to_string() });
        Some(Self {
            role: rules.iter().filter_map(|rule| rule.role).max().unwrap_or(Role::Guest),
            origins: rules.iter().filter_map(|rule| rule.origins.clone()).collect(),
            rates: rules.iter().filter_map(|rule| rate(&rule)).collect(),
            deny: rules.iter().any(|rule| rule.deny),
            ask: rules.iter().find(|rule| rule.ask).map(|rule| format!("{rule} asks a person")),
            deadline,
            slots,
        })
    }

    /// Tells whether the tool, command or route is there for a caller.
    pub(super) fn admits(&self, caller: &Caller) -> bool {
        let origin = OriginKind::of(caller);
        !self.deny && caller.role >= self.role && self.origins.iter().all(|origins| origins.contains(&origin))
    }

    /// Returns why a person has to approve each call, if so.
    pub(super) fn asks(&self) -> Option<&str> {
        self.ask.as_deref()
    }

    /// Returns how long a call may take that could take this long without the policy.
    pub(super) fn shorten(&self, limit: Duration) -> Duration {
        self.deadline.map_or(limit, |cap| cap.most.min(limit))
    }

    /// Counts a call.
    fn count(&self, what: &str, caller: &Caller, limits: &Limits) -> Result<()> {
        let who = Who::of(caller);
        for (at, limit) in self.rates.iter().enumerate() {
            if let Err(refused) = limit.buckets.take(who.clone(), limits.rate_callers) {
                // What another rule has counted is not made.
                self.rates[..at].iter().for_each(|before| before.buckets.give_back(&who));
                return Err(limit.error(what, refused, limits));
            }
        }
        Ok(())
    }

    /// Takes a place among the calls of its plugin that run.
    fn slot(&self) -> Result<Slot> {
        let Some(slots) = &self.slots else { return Ok(Slot(None)) };
        let next = |taken: usize| (taken < slots.most.most).then_some(taken + 1);
        match slots.taken.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next) {
            Ok(_) => Ok(Slot(Some(Arc::clone(slots)))),
            Err(most) => {
                Err(Error::new(format!("{most} calls of the plugin `{}` are running, and there may be no more", slots.plugin))
                    .with_code("busy")
                    .with_hint(format!("the limit is `calls_at_once` at {}", place(slots.most.line)))
                    .retryable())
            }
        }
    }

    /// Turns a failure into the error that the caller is told.
    fn explain(&self, failure: Failure, what: &str) -> Error {
        let by_policy = match &failure {
            Failure::Deadline(after) => self.deadline.filter(|cap| cap.most == *after),
            _ => None,
        };
        let error = failure.into_error(what, "call_deadline");
        match by_policy {
            Some(cap) => error.with_hint(format!("the limit is `call_deadline` at {}", place(cap.line))),
            None => error,
        }
    }
}

impl RateLimit {
    #[cold]
    fn error(&self, what: &str, refused: Refused, limits: &Limits) -> Error {
        let error = match refused {
            Refused::Empty(wait) => {
                // Rounded up: who waits so long is let through.
                let wait = Duration::from_millis(u64::try_from(wait.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX));
                let rate = self.buckets.rate();
                Error::new(format!("`{what}` may be called {rate} by one caller: try again in {wait:?}"))
                    .with_hint(format!("the limit is {}", self.rule))
            }
            Refused::Crowded => {
                let most = limits.rate_callers;
                Error::new(format!("`{what}` is called by too many at the moment: try again later"))
                    .with_hint(format!("{} tells {most} callers apart (`limits.rate_callers`)", self.rule))
            }
        };
        error.with_code("rate_limited").retryable()
    }
}

impl Who {
    fn of(caller: &Caller) -> Self {
        match (&caller.user, &caller.session, &caller.origin) {
            (Some(user), _, _) => Self::User(user.clone()),
            (None, Some(session), _) => Self::Session(session.clone()),
            (None, None, Origin::Plugin(plugin)) => Self::Plugin(plugin.clone()),
            (None, None, _) => Self::Origin(OriginKind::of(caller)),
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        if let Some(slots) = &self.0 {
            slots.taken.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

impl Kernel {
    /// Returns what the plugins may ask for and who may call what; `None` if nothing is restricted.
    pub fn policy(&self) -> Option<&Policy> {
        self.0.restrictions.policy.as_ref()
    }

    /// Returns what is in the way of a plugin's use of a capability.
    #[inline]
    pub(crate) fn gate(&self, plugin: &str, capability: &str) -> Option<&Arc<Gate>> {
        self.0.restrictions.gates.get(plugin)?.get(capability)
    }

    /// Returns what the policy says of a tool.
    #[inline]
    pub(super) fn tool_restriction<'t>(&'t self, tool: &'t Tool<'_>) -> Option<&'t Restriction> {
        match &tool.0 {
            Source::Linked(entry) => self.0.restrictions.tools.get(entry.number)?.as_deref(),
            Source::Offered(entry) => entry.restriction.as_deref(),
        }
    }

    /// Works out what the policy says of a tool that is offered.
    pub(super) fn offered_restriction(&self, plugin: &'static PluginDecl, name: &str) -> Option<Restriction> {
        let policy = self.policy()?;
        let rules: Vec<_> = policy.rules.iter().filter(|rule| rule.fits_tool(name)).collect();
        let slots = self.0.restrictions.slots.get(plugin.id).cloned().flatten();
        Restriction::new(&rules, policy.of(plugin.id).limits.call_deadline, slots)
    }

    /// Returns what the policy says of a command.
    pub(super) fn command_restriction(&self, command: &CommandEntry) -> Option<&Restriction> {
        self.0.restrictions.commands.get(command.number)?.as_deref()
    }

    /// Returns what the policy says of a route.
    pub(super) fn route_restriction(&self, route: &RouteEntry) -> Option<&Restriction> {
        self.0.restrictions.routes.get(route.number)?.as_deref()
    }

    /// Counts a call that is about to be made.
    #[inline]
    pub(super) fn count_call(&self, restriction: Option<&Restriction>, what: &str, caller: &Caller) -> Result<()> {
        match restriction {
            Some(restriction) => restriction.count(what, caller, self.limits()),
            None => Ok(()),
        }
    }

    /// Takes a place among the calls of a plugin that run.
    #[inline]
    pub(super) fn take_slot(restriction: Option<&Restriction>) -> Result<Slot> {
        restriction.map_or(Ok(Slot(None)), Restriction::slot)
    }

    /// Turns a failure of a tool or a command into the error that the caller is told.
    pub(super) fn explain(restriction: Option<&Restriction>, failure: Failure, what: &str) -> Error {
        match restriction {
            Some(restriction) => restriction.explain(failure, what),
            None => failure.into_error(what, "call_deadline"),
        }
    }

    /// Returns the limits of a plugin.
    pub(super) fn limits_of(&self, plugin: usize) -> &Limits {
        self.0.restrictions.plugins.get(&plugin).map_or(self.limits(), |of| &of.limits)
    }

    /// Names what limits the mailbox of a plugin.
    #[cold]
    pub(super) fn mailbox_limit(&self, plugin: usize) -> Cow<'static, str> {
        match self.0.restrictions.plugins.get(&plugin).and_then(|of| of.mailbox) {
            Some(cap) => format!("`mailbox` at {}", place(cap.line)).into(),
            None => "`limits.mailbox`".into(),
        }
    }
}
