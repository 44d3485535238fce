//! What differs between two surfaces, as single facts.

use std::collections::{BTreeMap, BTreeSet};

use anstyle::Style;
use serde::Serialize;
use serde_json::{Value, json};

use super::{
    harmless::word,
    surface::{Plugin, Surface},
};
use crate::style::{DIM, GREEN, RED, YELLOW};

/// What a change is about, in the order in which changes are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    Core,
    Plugin,
    Capability,
    Scope,
    Through,
    Use,
    Tool,
    Task,
    Schedule,
    Command,
    Route,
    Webhook,
    Event,
    Decides,
    Listens,
    Prompt,
    Requires,
    Setting,
}

impl Kind {
    fn words(self) -> &'static str {
        match self {
            Self::Core => "nekro-core",
            Self::Plugin => "plugin",
            Self::Capability => "capability",
            Self::Scope => "scope",
            Self::Through => "through",
            Self::Use => "use",
            Self::Tool => "tool",
            Self::Task => "task",
            Self::Schedule => "schedule",
            Self::Command => "command",
            Self::Route => "route",
            Self::Webhook => "webhook",
            Self::Event => "event",
            Self::Decides => "decides on",
            Self::Listens => "listens to",
            Self::Prompt => "prompt section",
            Self::Requires => "requires",
            Self::Setting => "setting",
        }
    }
}

/// One change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Change {
    /// The plugin's id; empty for what is no plugin's.
    pub(crate) plugin: String,
    pub(crate) kind: Kind,
    pub(crate) name: String,
    pub(crate) how: How,
}

/// How something changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum How {
    Added,
    Removed,
    /// A property has another value; `None` for one that is not there.
    Changed {
        property: &'static str,
        before: Option<String>,
        after: Option<String>,
    },
}

/// How much the changes matter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Weight {
    /// Nothing changed.
    None,
    /// Something did, and no plugin may do more than before.
    Other,
    /// A plugin may do more: a capability or a scope was added, of its own or through another plugin.
    MayMore,
}

impl Weight {
    /// Returns the exit code that says so.
    pub(crate) fn exit_code(self) -> u8 {
        match self {
            Self::None => 0,
            Self::Other => 4,
            Self::MayMore => 5,
        }
    }
}

/// The property of a capability that has no bounds.
const REACH: &str = "scope";
const EVERYTHING: &str = "everything";

/// Those that reach no further than what is the call's or the plugin's own, unless a scope says so.
const OWN_WITHOUT_SCOPE: [&str; 3] = ["files", "messages", "sessions"];

impl Change {
    pub(crate) fn weight(&self) -> Weight {
        let lost_its_bounds = matches!(&self.how, How::Changed { property: REACH, after: Some(_), .. });
        match self.kind {
            Kind::Capability | Kind::Scope | Kind::Through if self.how == How::Added || lost_its_bounds => Weight::MayMore,
            _ => Weight::Other,
        }
    }

    fn to_json(&self) -> Value {
        let mut json = json!({
            "plugin": self.plugin,
            "kind": self.kind,
            "name": self.name,
            "may_more": self.weight() == Weight::MayMore,
        });
        match &self.how {
            How::Added => json["change"] = "added".into(),
            How::Removed => json["change"] = "removed".into(),
            How::Changed { property, before, after } => {
                json["change"] = "changed".into();
                json["property"] = (*property).into();
                json["before"] = before.as_deref().into();
                json["after"] = after.as_deref().into();
            }
        }
        json
    }
}

/// Everything that differs, by plugin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Diff(pub(crate) Vec<Change>);

impl Diff {
    /// Compares a surface with an older one.
    pub(crate) fn between(old: &Surface, new: &Surface) -> Self {
        let (old, new) = (facts(old), facts(new));
        let mut changes = Vec::new();
        let keys: BTreeSet<_> = old.keys().chain(new.keys()).collect();
        for key in keys {
            let change = |how| Change { plugin: key.0.clone(), kind: key.1, name: key.2.clone(), how };
            match (old.get(key), new.get(key)) {
                (None, _) => changes.push(change(How::Added)),
                (Some(_), None) => changes.push(change(How::Removed)),
                (Some(old), Some(new)) => {
                    let properties: BTreeSet<_> = old.keys().chain(new.keys()).copied().collect();
                    for property in properties {
                        let (before, after) = (old.get(property).cloned(), new.get(property).cloned());
                        if before != after {
                            changes.push(change(How::Changed { property, before, after }));
                        }
                    }
                }
            }
        }
        Self(changes)
    }

    pub(crate) fn weight(&self) -> Weight {
        self.0.iter().map(Change::weight).max().unwrap_or(Weight::None)
    }

    /// Says in a few words how much there is.
    pub(crate) fn summary(&self) -> String {
        let more = self.0.iter().filter(|change| change.weight() == Weight::MayMore).count();
        let others = self.0.len() - more;
        let count = |number: usize, one: &str, many: &str| match number {
            1 => format!("1 {one}"),
            number => format!("{number} {many}"),
        };
        match (more, others) {
            (0, 0) => "nothing changed".to_owned(),
            (0, _) => count(others, "change", "changes"),
            (_, 0) => format!("{} added", count(more, "capability or scope", "capabilities or scopes")),
            _ => format!(
                "{} added, {}",
                count(more, "capability or scope", "capabilities or scopes"),
                count(others, "other change", "other changes")
            ),
        }
    }

    pub(crate) fn to_json(&self) -> Value {
        self.0.iter().map(Change::to_json).collect()
    }

    /// Tells every change in a line, below the plugin that it is of.
    pub(crate) fn to_text(&self) -> String {
        let mut lines = Vec::new();
        let mut plugin = None;
        for change in &self.0 {
            if plugin != Some(&change.plugin) && !change.plugin.is_empty() {
                lines.push(word(&change.plugin).into_owned());
            }
            plugin = Some(&change.plugin);
            lines.push(line(change));
        }
        lines.join("\n")
    }
}

fn line(change: &Change) -> String {
    let style = |style: Style| if change.weight() == Weight::MayMore { RED } else { style };
    let (style, sign) = match change.how {
        How::Added => (style(GREEN), '+'),
        How::Removed => (style(DIM), '-'),
        How::Changed { .. } => (style(YELLOW), '~'),
    };
    let name = [change.kind.words(), &change.name].join(" ");
    let text = match &change.how {
        How::Added | How::Removed => name,
        How::Changed { property, before, after } => {
            let value = |value: &Option<String>| value.as_deref().map_or("(none)".to_owned(), short);
            format!("{}: {property} {} → {}", name.trim_end(), value(before), value(after))
        }
    };
    format!("{style}  {sign} {}{style:#}", word(text.trim_end()))
}

/// The first digits of a hash tell it apart.
fn short(value: &str) -> String {
    match value.strip_prefix("sha256:").and_then(|digits| digits.get(..12)) {
        Some(digits) => format!("sha256:{digits}…"),
        None => value.to_owned(),
    }
}

type Facts = BTreeMap<(String, Kind, String), BTreeMap<&'static str, String>>;

fn facts(surface: &Surface) -> Facts {
    let core = ((String::new(), Kind::Core, String::new()), BTreeMap::from([("version", surface.nekro_core.clone())]));
    let plugins = surface.plugins.iter().flat_map(|(id, plugin)| {
        plugin_facts(plugin).into_iter().map(move |(kind, name, properties)| ((id.clone(), kind, name), properties))
    });
    [core].into_iter().chain(plugins).collect()
}

fn plugin_facts(plugin: &Plugin) -> Vec<(Kind, String, BTreeMap<&'static str, String>)> {
    let mut facts = Vec::new();
    let mut fact = |kind, name: &str, properties: &[(&'static str, &str)]| {
        let properties = properties.iter().map(|(key, value)| (*key, (*value).to_owned())).collect();
        facts.push((kind, name.to_owned(), properties));
    };
    let mut about = vec![
        ("package", plugin.package.as_str()),
        ("version", &plugin.version),
        ("source", &plugin.source),
        ("unsafe code", plugin.unsafe_code.name()),
        ("build script", plugin.build_script.name()),
    ];
    about.extend(plugin.checksum.as_deref().map(|checksum| ("checksum", checksum)));
    fact(Kind::Plugin, "", &about);
    for (name, capability) in &plugin.capabilities {
        let is_unbounded = capability.scope.is_empty() && !OWN_WITHOUT_SCOPE.contains(&name.as_str());
        fact(Kind::Capability, name, if is_unbounded { &[(REACH, EVERYTHING)] } else { &[] });
        capability.scope.iter().for_each(|scope| fact(Kind::Scope, &format!("{name}: {scope}"), &[]));
        capability.used_by.iter().for_each(|by| fact(Kind::Use, &format!("{name}: {by}"), &[]));
    }
    for (name, tool) in &plugin.tools {
        fact(Kind::Tool, name, &[("effect", &tool.effect), ("kind", &tool.kind), ("schema", &tool.schema)]);
    }
    for (name, task) in &plugin.tasks {
        fact(Kind::Task, name, &[("when disabled", &task.when_disabled), ("schema", &task.schema)]);
    }
    plugin.schedules.iter().for_each(|(name, when)| fact(Kind::Schedule, name, &[("when", when)]));
    for (name, command) in &plugin.commands {
        let aliases = command.aliases.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
        let mut properties = vec![("role", command.role.as_str())];
        properties.extend(Some(("aliases", aliases.as_str())).filter(|(_, aliases)| !aliases.is_empty()));
        fact(Kind::Command, name, &properties);
    }
    plugin.routes.iter().for_each(|(name, auth)| fact(Kind::Route, name, &[("auth", auth)]));
    plugin.webhooks.iter().for_each(|(name, signature)| fact(Kind::Webhook, name, &[("signature", signature)]));
    for (name, event) in &plugin.events {
        fact(Kind::Event, name, &[("sort", &event.sort), ("schema", &event.schema)]);
    }
    plugin.decides.iter().for_each(|(name, when)| fact(Kind::Decides, name, &[("order", when)]));
    let lists = [
        (Kind::Through, &plugin.through),
        (Kind::Listens, &plugin.listens),
        (Kind::Prompt, &plugin.prompts),
        (Kind::Requires, &plugin.requires),
        (Kind::Setting, &plugin.configuration),
    ];
    for (kind, names) in lists {
        names.iter().for_each(|name| fact(kind, name, &[]));
    }
    facts
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;
    use crate::audit::surface::{Answer, Capability, Tool};

    fn surface() -> Surface {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let http = Capability { scope: names(&["a.example"]), used_by: names(&["tool weather.now"]) };
        let tool =
            Tool { effect: "read_only".to_owned(), kind: "value".to_owned(), schema: format!("sha256:{}", "0".repeat(64)) };
        let weather = Plugin {
            package: "nekro-plugin-weather".to_owned(),
            version: "1.0.0".to_owned(),
            source: "path".to_owned(),
            checksum: None,
            unsafe_code: Answer::No,
            build_script: Answer::No,
            requires: names(&[]),
            through: names(&[]),
            configuration: names(&["units"]),
            prompts: names(&[]),
            listens: names(&[]),
            decides: BTreeMap::new(),
            capabilities: BTreeMap::from([("http".to_owned(), http)]),
            tools: BTreeMap::from([("weather.now".to_owned(), tool)]),
            tasks: BTreeMap::new(),
            schedules: BTreeMap::new(),
            commands: BTreeMap::new(),
            routes: BTreeMap::new(),
            webhooks: BTreeMap::new(),
            events: BTreeMap::new(),
        };
        Surface { nekro_core: "1.0.0".to_owned(), plugins: BTreeMap::from([("weather".to_owned(), weather)]) }
    }

    #[track_caller]
    fn check(change: impl FnOnce(&mut Surface), weight: Weight, expected: Expect) {
        let (old, mut new) = (surface(), surface());
        change(&mut new);
        let diff = Diff::between(&old, &new);
        let text = anstream::adapter::strip_str(&diff.to_text()).to_string();
        expected.assert_eq(format!("{text}\n{}", diff.summary()).trim_start_matches('\n'));
        assert_eq!(diff.weight(), weight);
    }

    fn weather(surface: &mut Surface) -> &mut Plugin {
        surface.plugins.get_mut("weather").expect("it is there")
    }

    fn http(surface: &mut Surface) -> &mut Capability {
        weather(surface).capabilities.get_mut("http").expect("it is there")
    }

    #[test]
    fn the_same_is_no_change() {
        check(|_| {}, Weight::None, expect!["nothing changed"]);
    }

    #[test]
    fn what_a_plugin_may_do_more_weighs_most() {
        check(
            |new| {
                http(new).scope.insert("b.example".to_owned());
            },
            Weight::MayMore,
            expect![[r#"
                weather
                  + scope http: b.example
                1 capability or scope added"#]],
        );
        check(
            |new| http(new).scope.clear(),
            Weight::MayMore,
            expect![[r#"
                weather
                  ~ capability http: scope (none) → everything
                  - scope http: a.example
                1 capability or scope added, 1 other change"#]],
        );
        check(
            |new| {
                let mut plugin = weather(new).clone();
                plugin.tools.clear();
                new.plugins.insert("other".to_owned(), plugin);
            },
            Weight::MayMore,
            expect![[r#"
                other
                  + plugin
                  + capability http
                  + scope http: a.example
                  + use http: tool weather.now
                  + setting units
                2 capabilities or scopes added, 3 other changes"#]],
        );
    }

    #[test]
    fn what_a_plugin_reaches_through_others_weighs_as_much() {
        check(
            |new| {
                weather(new).through.insert("notes: store".to_owned());
            },
            Weight::MayMore,
            expect![[r#"
                weather
                  + through notes: store
                1 capability or scope added"#]],
        );
    }

    #[test]
    fn a_scope_that_goes_leaves_what_is_its_own() {
        let messages =
            |scope: &[&str]| Capability { scope: scope.iter().map(|one| (*one).to_owned()).collect(), used_by: BTreeSet::new() };
        let (mut old, mut new) = (surface(), surface());
        weather(&mut old).capabilities.insert("messages".to_owned(), messages(&["office:*"]));
        weather(&mut new).capabilities.insert("messages".to_owned(), messages(&[]));
        assert_eq!(Diff::between(&old, &new).weight(), Weight::Other);
        assert_eq!(Diff::between(&new, &old).weight(), Weight::MayMore);
    }

    #[test]
    fn everything_else_is_a_change() {
        check(
            |new| {
                new.nekro_core = "2.0.0".to_owned();
                let plugin = weather(new);
                plugin.unsafe_code = Answer::Yes;
                plugin.checksum = Some("abc".to_owned());
                plugin.configuration.clear();
                plugin.tools.get_mut("weather.now").expect("it is there").schema = format!("sha256:{}", "1".repeat(64));
                plugin.decides.insert("tool_call judge".to_owned(), "early, priority 0".to_owned());
                http(new).used_by.insert("command weather".to_owned());
            },
            Weight::Other,
            expect![[r#"
                  ~ nekro-core: version 1.0.0 → 2.0.0
                weather
                  ~ plugin: checksum (none) → abc
                  ~ plugin: unsafe code no → yes
                  + use http: command weather
                  ~ tool weather.now: schema sha256:000000000000… → sha256:111111111111…
                  + decides on tool_call judge
                  - setting units
                7 changes"#]],
        );
        check(
            |new| {
                weather(new).capabilities.clear();
            },
            Weight::Other,
            expect![[r#"
                weather
                  - capability http
                  - scope http: a.example
                  - use http: tool weather.now
                3 changes"#]],
        );
        check(
            |new| new.plugins.clear(),
            Weight::Other,
            expect![[r#"
                weather
                  - plugin
                  - capability http
                  - scope http: a.example
                  - use http: tool weather.now
                  - tool weather.now
                  - setting units
                6 changes"#]],
        );
    }

    #[test]
    fn a_name_cannot_forge_a_line() {
        check(
            |new| {
                http(new).scope.insert("x\n  - capability http\u{1b}[1A".to_owned());
            },
            Weight::MayMore,
            expect![[r#"
                weather
                  + scope http: x�  - capability http�[1A
                1 capability or scope added"#]],
        );
    }
}
