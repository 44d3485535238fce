//! Why linked plugins do not fit together, with the way out of each.

use std::fmt;

use crate::{capability::CapabilityDecl, location::Location};

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
    /// A route's parts do not fit together.
    BadRoute {
        /// The plugin.
        plugin: &'static str,
        /// What is wrong.
        problem: &'static str,
        /// The way out.
        hint: &'static str,
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
            Self::BadRoute { hint, .. } => (*hint).to_owned(),
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
            Self::UnusedScope { plugin, capability: "resources", location } => {
                write!(f, "the plugin `{plugin}` at {location} shows files, and none of its functions takes `&Files`")
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
            Self::BadRoute { plugin, problem, location, .. } => {
                write!(f, "the route at {location}, of the plugin `{plugin}`, {problem}")
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
