//! What is linked: read once from `inventory`, sorted, checked, and never changed.

use std::{any::TypeId, collections::HashMap, fmt, sync::OnceLock};

use super::{
    Declarations, Problem, RegistryError, RouteEntry, WebhookEntry,
    entry::{CommandEntry, EventEntry, PluginEntry, TaskEntry, ToolEntry},
    listeners::{EventTypes, index_events},
    requires::{read_requirements, start_order},
    roster::{compare_roster, duplicate, index_has, names},
    routes::unfit,
    taken::{taken, unread},
};
use crate::{
    event::{
        Event,
        decisions::{ToolCall, ToolResult},
        facts::{ToolCallStarted, ToolExecuted},
    },
    init::When,
    plugin::PluginDecl,
    prompt::PromptDecl,
    schedule::ScheduleDecl,
};

/// What is linked, checked and indexed.
pub struct Registry {
    // Each list is sorted by plugin and name; indices into it are stable for the life of the registry.
    plugins: Vec<PluginEntry>,
    tools: Vec<ToolEntry>,
    tool_names: HashMap<Box<str>, usize>,
    commands: Vec<CommandEntry>,
    command_names: HashMap<&'static str, usize>,
    prompts: Vec<(&'static PromptDecl, usize)>,
    tasks: Vec<TaskEntry>,
    task_names: HashMap<Box<str>, usize>,
    routes: Vec<RouteEntry>,
    webhooks: Vec<WebhookEntry>,
    schedules: Vec<&'static ScheduleDecl>,
    events: Vec<EventEntry>,
    event_types: EventTypes,
    handlers: usize,
    start_order: Vec<usize>,
}

impl Registry {
    /// Reads what is linked into this program.
    ///
    /// # Errors
    ///
    /// Names everything that does not fit together.
    pub fn linked() -> Result<Self, RegistryError> {
        Self::new(Declarations::linked())
    }

    /// Reads what is linked into this program, and compares it with what the bundle names.
    ///
    /// # Errors
    ///
    /// Names everything that does not fit together, and every plugin that is linked but not named, or the other way round.
    pub fn of_bundle(bundle: &[&'static PluginDecl]) -> Result<Self, RegistryError> {
        let linked = Declarations::linked();
        let mut problems = compare_roster(bundle, &linked.plugins);
        match Self::new(linked) {
            Ok(registry) if problems.is_empty() => Ok(registry),
            Ok(_) => Err(RegistryError { problems }),
            Err(error) => {
                problems.extend(error.problems);
                Err(RegistryError { problems })
            }
        }
    }

    /// Makes a registry of declarations.
    ///
    /// # Errors
    ///
    /// Names everything that does not fit together.
    pub fn new(mut of: Declarations) -> Result<Self, RegistryError> {
        let mut problems = Vec::new();
        of.plugins.sort_by_key(|decl| (decl.id, decl.location));
        for pair in of.plugins.windows(2).filter(|pair| pair[0].id == pair[1].id) {
            problems.push(duplicate("plugins", pair[0].id, pair[0].location, pair[1].location));
        }
        let index: HashMap<&str, usize> = of.plugins.iter().enumerate().map(|(at, decl)| (decl.id, at)).collect();
        let mut find = |plugin: &'static PluginDecl, location| {
            let found = index.get(plugin.id).copied();
            if found.is_none() {
                problems.push(Problem::Orphan { plugin: plugin.id, location });
            }
            found
        };

        let mut tools: Vec<_> = of
            .tools
            .iter()
            .filter_map(|decl| {
                let name = format!("{}.{}", decl.plugin.id, decl.name);
                let plugin = find(decl.plugin, decl.location)?;
                Some(ToolEntry { decl, name, plugin, number: 0, arguments: OnceLock::new(), output: OnceLock::new() })
            })
            .collect();
        let mut commands: Vec<_> = of
            .commands
            .iter()
            .filter_map(|decl| {
                let plugin = find(decl.plugin, decl.location)?;
                Some(CommandEntry { decl, plugin, number: 0, arguments: OnceLock::new() })
            })
            .collect();
        let mut prompts: Vec<_> = of.prompts.iter().filter_map(|decl| Some((*decl, find(decl.plugin, decl.location)?))).collect();
        let mut routes: Vec<_> =
            of.routes.iter().filter_map(|decl| Some(RouteEntry::new(decl, find(decl.plugin, decl.location)?))).collect();
        let mut webhooks: Vec<_> =
            of.webhooks.iter().filter_map(|decl| Some(WebhookEntry::new(decl, find(decl.plugin, decl.location)?))).collect();
        let handlers: Vec<_> = of.handlers.iter().filter_map(|decl| Some((*decl, find(decl.plugin, decl.location)?))).collect();
        let mut tasks: Vec<_> = of
            .tasks
            .iter()
            .filter_map(|decl| {
                let name = format!("{}.{}", decl.plugin.id, decl.name);
                let plugin = find(decl.plugin, decl.location)?;
                Some(TaskEntry { decl, name, plugin, arguments: OnceLock::new(), output: OnceLock::new() })
            })
            .collect();
        of.schedules.retain(|decl| index_has(&of.plugins, decl.task.plugin.id));
        of.schedules.sort_by_key(|decl| (decl.task.plugin.id, decl.task.name, decl.location));
        // By plugin, and within it by place.
        let mut hooks: Vec<_> = of.hooks.iter().filter_map(|decl| Some((*decl, find(decl.plugin, decl.location)?))).collect();

        tools.sort_by(|a, b| (&a.name, a.decl.location).cmp(&(&b.name, b.decl.location)));
        commands.sort_by_key(|entry| (entry.decl.plugin.id, entry.decl.name, entry.decl.location));
        tools.iter_mut().enumerate().for_each(|(at, entry)| entry.number = at);
        commands.iter_mut().enumerate().for_each(|(at, entry)| entry.number = at);
        hooks.sort_by_key(|(decl, plugin)| (*plugin, decl.location));
        prompts.sort_by_key(|(decl, _)| (std::cmp::Reverse(decl.priority), decl.plugin.id, decl.name, decl.location));

        tasks.sort_by(|a, b| (&a.name, a.decl.location).cmp(&(&b.name, b.decl.location)));
        let task_names = names(&mut problems, "tasks", tasks.iter().map(|task| (task.name.as_str().into(), task.decl.location)));
        routes.sort_by_key(RouteEntry::rank);
        routes.iter_mut().enumerate().for_each(|(at, entry)| entry.number = at);
        webhooks.sort_by_key(|entry| (entry.decl.plugin.id, entry.decl.name, entry.decl.location));
        names(&mut problems, "routes", routes.iter().map(|route| (route.claim().into(), route.decl.location)));
        names(&mut problems, "webhooks", webhooks.iter().map(|hook| (hook.path().into(), hook.decl.location)));

        let tool_names = names(&mut problems, "tools", tools.iter().map(|tool| (tool.name.as_str().into(), tool.decl.location)));
        let mut command_names = HashMap::new();
        for (at, entry) in commands.iter().enumerate() {
            for name in std::iter::once(&entry.decl.name).chain(entry.decl.aliases) {
                if let Some(first) = command_names.insert(*name, at) {
                    let first: &CommandEntry = &commands[first];
                    problems.push(duplicate("commands", name, first.decl.location, entry.decl.location));
                }
            }
        }
        let (events, event_types) = index_events(&of.events, &handlers, &mut problems);
        let lent = (tools.iter().map(|tool| (tool.plugin, tool.decl.lent, tool.decl.location)))
            .chain(commands.iter().map(|command| (command.plugin, command.decl.lent, command.decl.location)))
            .chain(prompts.iter().map(|(decl, plugin)| (*plugin, decl.lent, decl.location)))
            .chain(routes.iter().map(|route| (route.plugin, route.decl.lent, route.decl.location)))
            .chain(webhooks.iter().map(|hook| (hook.plugin, hook.decl.lent, hook.decl.location)))
            .chain(handlers.iter().map(|(decl, plugin)| (*plugin, decl.lent, decl.location)))
            .chain(hooks.iter().map(|(decl, plugin)| (*plugin, decl.lent, decl.location)));
        let of_tasks = tasks.iter().map(|task| (task.plugin, task.decl.lent, task.decl.location));
        let capabilities = taken(&of.plugins, lent, of_tasks, &mut problems);
        unread(&of.schedules, &mut problems);
        unfit(&routes, &mut problems);
        let requires = read_requirements(&of.plugins, &index, &mut problems);
        let start_order = start_order(&of.plugins, &requires, &mut problems);
        let plugins = of.plugins.iter().zip(requires).zip(capabilities).enumerate();
        let plugins = plugins
            .map(|(at, ((decl, requires), capabilities))| {
                let capabilities = capabilities.into_values().collect();
                let mut hook = |when| {
                    let from = hooks.partition_point(|(_, plugin)| *plugin < at);
                    let of_plugin = hooks[from..].iter().take_while(|(_, plugin)| *plugin == at);
                    let mut of_plugin = of_plugin.filter(|(hook, _)| hook.when == when);
                    let first = of_plugin.next().map(|(hook, _)| *hook);
                    if let (Some(first), Some((second, _))) = (first, of_plugin.next()) {
                        let what = if when == When::Init { "`#[init]` functions" } else { "`#[cleanup]` functions" };
                        problems.push(duplicate(what, decl.id, first.location, second.location));
                    }
                    first
                };
                PluginEntry { decl, requires, capabilities, init: hook(When::Init), cleanup: hook(When::Cleanup) }
            })
            .collect();
        if !problems.is_empty() {
            return Err(RegistryError { problems });
        }
        let handlers = handlers.len();
        Ok(Self {
            plugins,
            tools,
            tool_names,
            commands,
            command_names,
            prompts,
            tasks,
            task_names,
            routes,
            webhooks,
            schedules: of.schedules,
            events,
            event_types,
            handlers,
            start_order,
        })
    }

    /// Returns the plugins, sorted by id.
    pub fn plugins(&self) -> &[PluginEntry] {
        &self.plugins
    }

    /// Returns a plugin by its id.
    pub fn plugin(&self, id: &str) -> Option<&PluginEntry> {
        self.plugin_index(id).map(|at| &self.plugins[at])
    }

    pub(crate) fn plugin_index(&self, id: &str) -> Option<usize> {
        self.plugins.binary_search_by(|entry| entry.decl.id.cmp(id)).ok()
    }

    /// Returns the tools, sorted by name.
    pub fn tools(&self) -> &[ToolEntry] {
        &self.tools
    }

    /// Returns a tool by its name, such as `dice.roll`. Allocates nothing.
    pub fn tool(&self, name: &str) -> Option<&ToolEntry> {
        self.tool_names.get(name).map(|at| &self.tools[*at])
    }

    /// Returns the tasks, sorted by name.
    pub fn tasks(&self) -> &[TaskEntry] {
        &self.tasks
    }

    /// Returns the schedules, sorted by plugin and name.
    pub fn schedules(&self) -> &[&'static ScheduleDecl] {
        &self.schedules
    }

    /// Returns a task by its name, such as `index.build`.
    pub fn task(&self, name: &str) -> Option<&TaskEntry> {
        self.task_names.get(name).map(|at| &self.tasks[*at])
    }

    /// Returns the commands, sorted by plugin and name.
    pub fn commands(&self) -> &[CommandEntry] {
        &self.commands
    }

    /// Returns a command by its name or an alias, without the slash.
    pub fn command(&self, name: &str) -> Option<&CommandEntry> {
        self.command_names.get(name).map(|at| &self.commands[*at])
    }

    /// Returns the prompt sections, in the order in which they are put together.
    pub fn prompts(&self) -> impl Iterator<Item = &'static PromptDecl> {
        self.prompts.iter().map(|(decl, _)| *decl)
    }

    pub(crate) fn prompt_entries(&self) -> &[(&'static PromptDecl, usize)] {
        &self.prompts
    }

    /// Returns the routes, sorted by plugin and path.
    pub fn routes(&self) -> &[RouteEntry] {
        &self.routes
    }

    /// Returns the routes of a plugin: of two that fit a path, the one that is meant comes first.
    pub(crate) fn routes_of(&self, plugin: usize) -> &[RouteEntry] {
        let from = self.routes.partition_point(|route| route.plugin < plugin);
        let to = self.routes.partition_point(|route| route.plugin <= plugin);
        &self.routes[from..to]
    }

    /// Returns the webhooks, sorted by plugin and name.
    pub fn webhooks(&self) -> &[WebhookEntry] {
        &self.webhooks
    }

    /// Returns the events, sorted by name, the agent's own first.
    pub fn events(&self) -> &[EventEntry] {
        &self.events
    }

    /// Returns an event by its name on the wire.
    pub fn event(&self, name: &str) -> Option<&EventEntry> {
        self.events.iter().find(|entry| entry.name == name)
    }

    #[inline]
    pub(crate) fn event_of<E: Event>(&self) -> Option<&EventEntry> {
        self.event_of_type(TypeId::of::<E>())
    }

    #[inline]
    pub(crate) fn event_of_type(&self, of: TypeId) -> Option<&EventEntry> {
        self.event_types.get(&of).map(|at| &self.events[*at])
    }

    /// Tells whether any plugin has a say in tool calls or observes them.
    pub(crate) fn watches_calls(&self) -> bool {
        let events = [
            self.event_of::<ToolCall>(),
            self.event_of::<ToolResult>(),
            self.event_of::<ToolCallStarted>(),
            self.event_of::<ToolExecuted>(),
        ];
        events.into_iter().flatten().any(|event| !event.listeners.is_empty())
    }

    /// Returns how many event handlers there are.
    pub fn handler_count(&self) -> usize {
        self.handlers
    }

    pub(crate) fn start_order(&self) -> &[usize] {
        &self.start_order
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registry")
            .field("plugins", &self.plugins.len())
            .field("tools", &self.tools.len())
            .field("handlers", &self.handlers)
            .finish_non_exhaustive()
    }
}
