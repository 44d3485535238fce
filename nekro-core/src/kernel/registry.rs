//! What is linked: read once from `inventory`, sorted, checked, and never changed.

use std::{
    any::TypeId,
    collections::{BTreeMap, BTreeSet, HashMap},
    fmt,
    hash::{BuildHasherDefault, Hasher},
    ops::Range,
    sync::OnceLock,
};

use schemars::{Schema, SchemaGenerator, generate::SchemaSettings};
use semver::{Version, VersionReq};
use serde_json::{Map, Value, json};

use super::{RouteEntry, WebhookEntry};
use crate::{
    argument::{ArgumentDecl, suggest},
    capability::{CapabilityDecl, STORE},
    command::CommandDecl,
    event::{
        Event, EventDecl, Sort,
        decisions::{ToolCall, ToolResult},
        facts::{ToolCallStarted, ToolExecuted},
    },
    handler::HandlerDecl,
    init::{HookDecl, When},
    lend::{LentDecl, LentKind},
    location::Location,
    plugin::PluginDecl,
    prompt::PromptDecl,
    route::RouteDecl,
    schedule::ScheduleDecl,
    task::TaskDecl,
    tool::ToolDecl,
    webhook::WebhookDecl,
};

/// The declarations that a registry is made of.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Declarations {
    /// The plugins.
    pub plugins: Vec<&'static PluginDecl>,
    /// Their tools.
    pub tools: Vec<&'static ToolDecl>,
    /// Their event handlers.
    pub handlers: Vec<&'static HandlerDecl>,
    /// Their commands.
    pub commands: Vec<&'static CommandDecl>,
    /// Their prompt sections.
    pub prompts: Vec<&'static PromptDecl>,
    /// Their tasks.
    pub tasks: Vec<&'static TaskDecl>,
    /// Their routes.
    pub routes: Vec<&'static RouteDecl>,
    /// Their webhooks.
    pub webhooks: Vec<&'static WebhookDecl>,
    /// Their schedules.
    pub schedules: Vec<&'static ScheduleDecl>,
    /// Their `#[init]` and `#[cleanup]` functions.
    pub hooks: Vec<&'static HookDecl>,
    /// The events: the agent's own and those that plugins export.
    pub events: Vec<&'static EventDecl>,
}

impl Declarations {
    /// Reads what is linked into this program.
    pub fn linked() -> Self {
        Self {
            plugins: inventory::iter::<&PluginDecl>.into_iter().copied().collect(),
            tools: inventory::iter::<&ToolDecl>.into_iter().copied().collect(),
            handlers: inventory::iter::<&HandlerDecl>.into_iter().copied().collect(),
            commands: inventory::iter::<&CommandDecl>.into_iter().copied().collect(),
            prompts: inventory::iter::<&PromptDecl>.into_iter().copied().collect(),
            tasks: inventory::iter::<&TaskDecl>.into_iter().copied().collect(),
            routes: inventory::iter::<&RouteDecl>.into_iter().copied().collect(),
            webhooks: inventory::iter::<&WebhookDecl>.into_iter().copied().collect(),
            schedules: inventory::iter::<&ScheduleDecl>.into_iter().copied().collect(),
            hooks: inventory::iter::<&HookDecl>.into_iter().copied().collect(),
            events: inventory::iter::<&EventDecl>.into_iter().copied().collect(),
        }
    }
}

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
    event_types: HashMap<TypeId, usize, BuildHasherDefault<TypeIdHasher>>,
    handlers: usize,
    start_order: Vec<usize>,
}

/// A linked plugin.
#[derive(Debug)]
pub struct PluginEntry {
    /// What it says of itself.
    pub decl: &'static PluginDecl,
    /// The plugins it requires, as indices.
    pub requires: Vec<usize>,
    /// The capabilities that its functions take, sorted by name.
    pub capabilities: Vec<&'static CapabilityDecl>,
    pub(crate) init: Option<&'static HookDecl>,
    pub(crate) cleanup: Option<&'static HookDecl>,
}

/// A linked tool.
#[derive(Debug)]
pub struct ToolEntry {
    /// What it says of itself.
    pub decl: &'static ToolDecl,
    /// The name that callers use, such as `dice.roll`.
    pub name: String,
    pub(crate) plugin: usize,
    // Its place in the list.
    pub(crate) number: usize,
    arguments: OnceLock<Value>,
    output: OnceLock<Option<Value>>,
}

/// A linked task.
#[derive(Debug)]
pub struct TaskEntry {
    /// What it says of itself.
    pub decl: &'static TaskDecl,
    /// The name that callers use, such as `index.build`.
    pub name: String,
    pub(crate) plugin: usize,
    arguments: OnceLock<Value>,
    output: OnceLock<Option<Value>>,
}

/// A linked command.
#[derive(Debug)]
pub struct CommandEntry {
    /// What it says of itself.
    pub decl: &'static CommandDecl,
    pub(crate) plugin: usize,
    // Its place in the list.
    pub(crate) number: usize,
    arguments: OnceLock<Value>,
}

/// A linked event.
#[derive(Debug)]
pub struct EventEntry {
    /// What it says of itself.
    pub decl: &'static EventDecl,
    /// The name on the wire.
    pub name: String,
    /// Its handlers, in the order in which they are called.
    pub(crate) listeners: Vec<Listener>,
    /// For a fact: which of the listeners belong to which plugin.
    pub(crate) groups: Vec<(usize, Range<usize>)>,
    schema: OnceLock<Value>,
}

impl EventEntry {
    /// Returns its handlers, in the order in which they are called.
    pub fn handlers(&self) -> impl Iterator<Item = &'static HandlerDecl> {
        self.listeners.iter().map(|listener| listener.decl)
    }

    /// Describes the event.
    pub fn schema(&self) -> &Value {
        self.schema.get_or_init(|| described(self.decl.schema))
    }
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Listener {
    pub(crate) decl: &'static HandlerDecl,
    pub(crate) plugin: usize,
    // Numbers the handlers through; the kernel keeps a breaker for each.
    pub(crate) number: usize,
}

impl ToolEntry {
    /// Describes the arguments: the JSON Schema of an object.
    pub fn arguments(&self) -> &Value {
        self.arguments.get_or_init(|| object_schema(self.decl.arguments))
    }

    /// Describes the answer; `None` for one whose form is not JSON.
    pub fn output(&self) -> Option<&Value> {
        self.output.get_or_init(|| body_schema((self.decl.output)().schema)).as_ref()
    }
}

impl TaskEntry {
    /// Describes the arguments: the JSON Schema of an object.
    pub fn arguments(&self) -> &Value {
        self.arguments.get_or_init(|| object_schema(self.decl.arguments))
    }

    /// Describes the result; `None` for one whose form is not JSON.
    pub fn output(&self) -> Option<&Value> {
        self.output.get_or_init(|| body_schema((self.decl.output)().schema)).as_ref()
    }
}

impl CommandEntry {
    /// Returns the group that it is in, which is the first word of its name.
    pub fn group(&self) -> Option<&'static str> {
        self.decl.name.split_once(' ').map(|(group, _)| group)
    }

    /// Describes the arguments: the JSON Schema of an object.
    pub fn arguments(&self) -> &Value {
        self.arguments.get_or_init(|| object_schema(self.decl.arguments))
    }
}

impl PluginEntry {
    /// Tells whether the plugin has a hook.
    pub fn has_hook(&self, when: When) -> bool {
        match when {
            When::Init => self.init.is_some(),
            When::Cleanup => self.cleanup.is_some(),
        }
    }

    /// Describes the configuration; `None` for a plugin without.
    pub fn config_schema(&self) -> Option<Value> {
        self.decl.config.schema.map(crate::config::schema)
    }
}

/// Describes a type.
pub(super) fn described(schema: fn(&mut SchemaGenerator) -> Schema) -> Value {
    let mut generator = generator();
    let schema = schema(&mut generator);
    with_definitions(schema.to_value(), &mut generator)
}

/// Describes an answer; `None` for one whose form is not JSON.
pub(super) fn body_schema(schema: fn(&mut SchemaGenerator) -> Option<Schema>) -> Option<Value> {
    let mut generator = generator();
    let schema = schema(&mut generator)?;
    Some(with_definitions(schema.to_value(), &mut generator))
}

fn generator() -> SchemaGenerator {
    SchemaSettings::draft2020_12().into_generator()
}

fn with_definitions(mut schema: Value, generator: &mut SchemaGenerator) -> Value {
    let definitions = generator.take_definitions(true);
    if let (false, Some(object)) = (definitions.is_empty(), schema.as_object_mut()) {
        object.insert("$defs".to_owned(), Value::Object(definitions));
    }
    schema
}

/// Returns what the schema of an object says of one of its keys.
pub(super) fn schema_of<'s>(schema: &'s Value, name: &str) -> &'s Value {
    schema.get("properties").and_then(|properties| properties.get(name)).unwrap_or(&Value::Null)
}

pub(super) fn object_schema(arguments: &[ArgumentDecl]) -> Value {
    let mut generator = generator();
    let properties: Map<_, _> =
        arguments.iter().map(|argument| (argument.name.to_owned(), argument.schema(&mut generator).to_value())).collect();
    let required: Vec<_> = arguments.iter().filter(|argument| !argument.is_optional()).map(|argument| argument.name).collect();
    let schema = json!({
        "type": "object", "properties": properties, "required": required, "additionalProperties": false,
    });
    with_definitions(schema, &mut generator)
}

/// Why the linked plugins cannot become an agent: every problem at once. Read by the operator, at start-up.
#[derive(Debug)]
pub struct RegistryError {
    /// The problems.
    pub problems: Vec<Problem>,
}

/// One reason why the linked plugins cannot become an agent.
#[derive(Debug)]
#[non_exhaustive]
pub enum Problem {
    /// Two things have one name.
    Duplicate {
        /// What they are.
        what: &'static str,
        /// The name.
        name: String,
        /// Where the first stands.
        first: Location,
        /// Where the second stands.
        second: Location,
    },
    /// A plugin requires something that cannot be read.
    BadRequirement {
        /// The plugin.
        plugin: &'static str,
        /// What it says.
        requirement: &'static str,
        /// What is wrong with it.
        problem: String,
    },
    /// A plugin requires one that is not linked, or in another version.
    Unmet {
        /// The plugin.
        plugin: &'static str,
        /// What it says.
        requirement: &'static str,
        /// What is there instead.
        found: String,
    },
    /// Plugins require one another in a circle.
    Circle {
        /// The plugins.
        plugins: Vec<&'static str>,
    },
    /// A function belongs to a plugin that is not linked.
    Orphan {
        /// The plugin.
        plugin: &'static str,
        /// Where the function stands.
        location: Location,
    },
    /// A plugin takes a capability and does not say how far it reaches.
    Unbounded {
        /// The plugin.
        plugin: &'static str,
        /// The capability.
        capability: &'static CapabilityDecl,
        /// Where the function stands that takes it.
        location: Location,
    },
    /// A plugin says how far a capability reaches that it does not take.
    UnusedScope {
        /// The plugin.
        plugin: &'static str,
        /// The capability.
        capability: &'static str,
        /// Where the plugin's struct stands.
        location: Location,
    },
    /// A plugin has migrations of a store that it does not take.
    UnusedMigrations {
        /// The plugin.
        plugin: &'static str,
        /// Where the plugin's struct stands.
        location: Location,
    },
    /// A schedule's time cannot be read.
    BadSchedule {
        /// The plugin.
        plugin: &'static str,
        /// The schedule.
        name: &'static str,
        /// What is wrong.
        problem: String,
        /// Where the function stands.
        location: Location,
    },
    /// A function takes `&Task` and is no task.
    NoTask {
        /// The plugin.
        plugin: &'static str,
        /// Where the function stands.
        location: Location,
    },
    /// A plugin is linked that the bundle does not name.
    Unnamed {
        /// The plugin.
        plugin: &'static str,
        /// Its package.
        package: &'static str,
    },
    /// The bundle names a plugin that did not register.
    Unregistered {
        /// The plugin.
        plugin: &'static str,
        /// Its package.
        package: &'static str,
    },
    /// The bundle names a plugin twice.
    NamedTwice {
        /// The plugin.
        plugin: &'static str,
    },
}

impl Problem {
    /// Returns the way out.
    pub fn hint(&self) -> String {
        match self {
            Self::Duplicate { what: "plugins", .. } => {
                "leave one of them out, or give one another `id` in `#[plugin]`; if they are two versions of one package, \
                 `cargo tree --duplicates` shows who asks for which"
                    .to_owned()
            }
            Self::Duplicate { what, .. } if what.starts_with('`') => "a plugin has one of these: put them together".to_owned(),
            Self::Duplicate { .. } => "rename one of them, or leave its plugin out of the bundle".to_owned(),
            Self::BadRequirement { .. } => "write it like `notes ^1`".to_owned(),
            Self::Unmet { .. } => "add that plugin to the bundle, in a version that fits".to_owned(),
            Self::Circle { .. } => "remove one of the requirements".to_owned(),
            Self::Unbounded { capability, .. } => capability.scope.unwrap_or_default().to_owned(),
            Self::UnusedScope { capability, .. } => format!("remove `{capability}` from its `#[plugin]`"),
            Self::UnusedMigrations { .. } => "remove `migrations` from its `#[plugin]`".to_owned(),
            Self::BadSchedule { .. } => {
                "write it like `cron = \"0 9 * * 1-5\"`, `every = \"15m\"` or `at = \"2026-12-31T09:00:00Z\"`".to_owned()
            }
            Self::NoTask { .. } => "put `#[task]` on the function, or take `&Tasks`, which starts tasks".to_owned(),
            Self::Orphan { plugin, .. } => format!("name the plugin `{plugin}` in `bundle!`"),
            Self::Unnamed { package, .. } => {
                format!("add `{}` to `bundle!`, or remove the dependency that brings it", package.replace('-', "_"))
            }
            Self::Unregistered { .. } => {
                "two versions of `inventory` or of `nekro-core` are linked: `cargo tree --duplicates` shows them".to_owned()
            }
            Self::NamedTwice { .. } => "remove one of the two from `bundle!`".to_owned(),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Duplicate { what, name, first, second } => {
                write!(f, "two {what} are called `{name}`: at {first} and at {second}")
            }
            Self::BadRequirement { plugin, requirement, problem } => {
                write!(f, "the plugin `{plugin}` requires `{requirement}`, which cannot be read: {problem}")
            }
            Self::Unmet { plugin, requirement, found } => {
                write!(f, "the plugin `{plugin}` requires `{requirement}`, but {found}")
            }
            Self::Circle { plugins } => write!(f, "plugins require one another in a circle: {}", plugins.join(", ")),
            Self::Orphan { plugin, location } => {
                write!(f, "{location} belongs to the plugin `{plugin}`, which is not linked")
            }
            Self::Unbounded { plugin, capability, location } => {
                let name = capability.name;
                write!(f, "{location} takes `{name}`, and the plugin `{plugin}` does not say how far that reaches")
            }
            Self::UnusedScope { plugin, capability, location } => {
                write!(
                    f,
                    "the plugin `{plugin}` at {location} says how far `{capability}` reaches, and none of its functions takes that"
                )
            }
            Self::UnusedMigrations { plugin, location } => {
                write!(f, "the plugin `{plugin}` at {location} has migrations, and none of its functions takes `&Store`")
            }
            Self::BadSchedule { plugin, name, problem, location } => {
                write!(f, "the schedule `{name}` of the plugin `{plugin}` at {location} cannot be read: {problem}")
            }
            Self::NoTask { plugin, location } => {
                write!(f, "{location}, of the plugin `{plugin}`, takes `&Task`, and is no task")
            }
            Self::Unnamed { plugin, package } => {
                write!(f, "the plugin `{plugin}` of the package `{package}` is linked, but the bundle does not name it")
            }
            Self::Unregistered { plugin, package } => {
                write!(f, "the bundle names the plugin `{plugin}` of the package `{package}`, but it did not register")
            }
            Self::NamedTwice { plugin } => write!(f, "the bundle names the plugin `{plugin}` twice"),
        }
    }
}

impl fmt::Display for RegistryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the linked plugins do not fit together")?;
        self.problems.iter().try_for_each(|problem| write!(f, "\n  - {problem}\n    ({})", problem.hint()))
    }
}

impl std::error::Error for RegistryError {}

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
        let mut capabilities = vec![BTreeMap::<_, &CapabilityDecl>::new(); of.plugins.len()];
        let lent = (tools.iter().map(|tool| (tool.plugin, tool.decl.lent, tool.decl.location)))
            .chain(commands.iter().map(|command| (command.plugin, command.decl.lent, command.decl.location)))
            .chain(prompts.iter().map(|(decl, plugin)| (*plugin, decl.lent, decl.location)))
            .chain(routes.iter().map(|route| (route.plugin, route.decl.lent, route.decl.location)))
            .chain(webhooks.iter().map(|hook| (hook.plugin, hook.decl.lent, hook.decl.location)))
            .chain(handlers.iter().map(|(decl, plugin)| (*plugin, decl.lent, decl.location)))
            .chain(hooks.iter().map(|(decl, plugin)| (*plugin, decl.lent, decl.location)));
        let of_tasks = tasks.iter().map(|task| (task.plugin, task.decl.lent, task.decl.location));
        let takes_itself = |lent: &[LentDecl]| lent.iter().any(|lent| lent.kind == LentKind::Task);
        for (at, _, location) in lent.clone().filter(|(_, lent, _)| takes_itself(lent)) {
            problems.push(Problem::NoTask { plugin: of.plugins[at].id, location });
        }
        for (at, lent, location) in lent.chain(of_tasks) {
            let decl = of.plugins[at];
            for capability in lent.iter().filter_map(|lent| lent.capability) {
                capabilities[at].insert(capability.name, capability);
                if capability.scope.is_some() && decl.scope(capability.name).is_empty() {
                    problems.push(Problem::Unbounded { plugin: decl.id, capability, location });
                }
            }
        }
        for (decl, taken) in of.plugins.iter().zip(&capabilities) {
            let unused = decl.scopes.iter().filter(|scope| !taken.contains_key(scope.capability));
            problems.extend(unused.map(|scope| Problem::UnusedScope {
                plugin: decl.id,
                capability: scope.capability,
                location: decl.location,
            }));
            if !decl.migrations.is_empty() && !taken.contains_key(STORE.name) {
                problems.push(Problem::UnusedMigrations { plugin: decl.id, location: decl.location });
            }
        }
        problems.extend(of.schedules.iter().filter_map(|decl| {
            let (plugin, name, location) = (decl.task.plugin.id, decl.task.name, decl.location);
            decl.schedule().err().map(|problem| Problem::BadSchedule { plugin, name, problem, location })
        }));
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

fn index_has(plugins: &[&'static PluginDecl], id: &str) -> bool {
    plugins.iter().any(|plugin| plugin.id == id)
}

/// Compares what a bundle names with what is linked.
fn compare_roster(bundle: &[&'static PluginDecl], linked: &[&'static PluginDecl]) -> Vec<Problem> {
    let named: BTreeMap<_, _> = bundle.iter().map(|decl| (decl.id, decl.package)).collect();
    let linked: BTreeMap<_, _> = linked.iter().map(|decl| (decl.id, decl.package)).collect();
    let mut seen = BTreeSet::new();
    // Two different plugins of one id are found by their registration.
    let twice = bundle.iter().filter(|decl| !seen.insert((decl.id, decl.location)));
    let unnamed = linked.iter().filter(|(id, _)| !named.contains_key(*id));
    let unregistered = named.iter().filter(|(id, _)| !linked.contains_key(*id));
    (twice.map(|decl| Problem::NamedTwice { plugin: decl.id }))
        .chain(unnamed.map(|(plugin, package)| Problem::Unnamed { plugin, package }))
        .chain(unregistered.map(|(plugin, package)| Problem::Unregistered { plugin, package }))
        .collect()
}

fn duplicate(what: &'static str, name: &str, first: Location, second: Location) -> Problem {
    Problem::Duplicate { what, name: name.to_owned(), first, second }
}

fn names(
    problems: &mut Vec<Problem>,
    what: &'static str,
    named: impl Iterator<Item = (Box<str>, Location)>,
) -> HashMap<Box<str>, usize> {
    let mut names = HashMap::new();
    let mut places: Vec<Location> = Vec::new();
    for (at, (name, location)) in named.enumerate() {
        places.push(location);
        if let Some(first) = names.insert(name.clone(), at) {
            problems.push(duplicate(what, &name, places[first], location));
        }
    }
    names
}

type EventTypes = HashMap<TypeId, usize, BuildHasherDefault<TypeIdHasher>>;

fn index_events(
    decls: &[&'static EventDecl],
    handlers: &[(&'static HandlerDecl, usize)],
    problems: &mut Vec<Problem>,
) -> (Vec<EventEntry>, EventTypes) {
    let mut events: Vec<_> = decls
        .iter()
        .map(|decl| EventEntry {
            decl,
            name: decl.wire_name(),
            listeners: Vec::new(),
            groups: Vec::new(),
            schema: OnceLock::new(),
        })
        .collect();
    events.sort_by(|a, b| {
        (a.decl.plugin.is_some(), &a.name, a.decl.location).cmp(&(b.decl.plugin.is_some(), &b.name, b.decl.location))
    });
    for pair in events.windows(2).filter(|pair| pair[0].name == pair[1].name) {
        problems.push(duplicate("events", &pair[0].name, pair[0].decl.location, pair[1].decl.location));
    }
    let types: EventTypes = events.iter().enumerate().map(|(at, entry)| ((entry.decl.type_id)(), at)).collect();
    for (number, (decl, plugin)) in handlers.iter().enumerate() {
        if let Some(at) = types.get(&(decl.event.type_id)()) {
            events[*at].listeners.push(Listener { decl, plugin: *plugin, number });
        } else if let Some(exporter) = decl.event.plugin {
            problems.push(Problem::Orphan { plugin: exporter.id, location: decl.event.location });
        }
    }
    for event in &mut events {
        let rank = |listener: &Listener| {
            let decl = listener.decl;
            (decl.phase, std::cmp::Reverse(decl.priority), decl.plugin.id, decl.name, decl.location)
        };
        match event.decl.sort {
            Sort::Decision => event.listeners.sort_by_key(rank),
            // A plugin's handlers of a fact are called one after the other, by its own worker.
            Sort::Fact => event.listeners.sort_by_key(|listener| (listener.plugin, rank(listener))),
        }
        for (at, listener) in event.listeners.iter().enumerate() {
            match event.groups.last_mut() {
                Some((plugin, range)) if *plugin == listener.plugin => range.end = at + 1,
                _ => event.groups.push((listener.plugin, at..at + 1)),
            }
        }
    }
    (events, types)
}

/// Splits `notes ^1` into a plugin's id and a range of versions.
pub(crate) fn parse_requirement(text: &str) -> Result<(&str, VersionReq), String> {
    let text = text.trim();
    let (id, range) = text.split_once(char::is_whitespace).unwrap_or((text, "*"));
    VersionReq::parse(range.trim()).map(|range| (id, range)).map_err(|error| error.to_string())
}

fn read_requirements(
    plugins: &[&'static PluginDecl],
    index: &HashMap<&str, usize>,
    problems: &mut Vec<Problem>,
) -> Vec<Vec<usize>> {
    let mut read = |plugin: &'static PluginDecl, requirement: &'static str| {
        let bad = |problem| Problem::BadRequirement { plugin: plugin.id, requirement, problem };
        let unmet = |found| Problem::Unmet { plugin: plugin.id, requirement, found };
        let found = parse_requirement(requirement).map_err(bad).and_then(|(id, range)| {
            let Some(at) = index.get(id).copied() else {
                let meant = suggest(id, index.keys().copied());
                let meant = meant.map(|meant| format!(": did you mean `{meant}`?")).unwrap_or_default();
                return Err(unmet(format!("no such plugin is linked{meant}")));
            };
            let version = plugins[at].version;
            match Version::parse(version) {
                Ok(parsed) if range.matches(&parsed) => Ok(at),
                _ => Err(unmet(format!("`{id}` is linked in version {version}"))),
            }
        });
        found.map_err(|problem| problems.push(problem)).ok()
    };
    plugins.iter().map(|plugin| plugin.requires.iter().filter_map(|one| read(plugin, one)).collect()).collect()
}

/// Orders the plugins so that each comes after those it requires, and otherwise by id.
fn start_order(plugins: &[&'static PluginDecl], requires: &[Vec<usize>], problems: &mut Vec<Problem>) -> Vec<usize> {
    let mut open: BTreeMap<usize, usize> = requires.iter().map(Vec::len).enumerate().collect();
    let mut dependents = vec![Vec::new(); plugins.len()];
    for (at, requires) in requires.iter().enumerate() {
        requires.iter().for_each(|required| dependents[*required].push(at));
    }
    let mut ready: BTreeSet<usize> = open.iter().filter(|(_, count)| **count == 0).map(|(at, _)| *at).collect();
    let mut order = Vec::with_capacity(plugins.len());
    while let Some(next) = ready.pop_first() {
        order.push(next);
        open.remove(&next);
        for dependent in &dependents[next] {
            if let Some(count) = open.get_mut(dependent) {
                *count -= 1;
                if *count == 0 {
                    ready.insert(*dependent);
                }
            }
        }
    }
    // What is left requires a circle, or is part of one.
    let mut circles: Vec<Vec<usize>> = Vec::new();
    for at in open.into_keys() {
        if circles.iter().any(|circle| circle.contains(&at)) {
            continue;
        }
        let circle: Vec<_> = reach(at, requires).into_iter().filter(|other| reach(*other, requires).contains(&at)).collect();
        if !circle.is_empty() {
            problems.push(Problem::Circle { plugins: circle.iter().map(|at| plugins[*at].id).collect() });
            circles.push(circle);
        }
    }
    order
}

/// Returns everything that a plugin requires, directly or not.
fn reach(from: usize, requires: &[Vec<usize>]) -> BTreeSet<usize> {
    let mut reached = BTreeSet::new();
    let mut open = vec![from];
    while let Some(next) = open.pop() {
        open.extend(requires[next].iter().filter(|required| reached.insert(**required)));
    }
    reached
}

/// A `TypeId` is a hash already.
#[derive(Default)]
pub(crate) struct TypeIdHasher(u64);

impl Hasher for TypeIdHasher {
    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.0 ^= u64::from_le_bytes(word);
        }
    }

    fn write_u64(&mut self, word: u64) {
        self.0 ^= word;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}
