//! `nekro.lock`: the surface as somebody has reviewed it, one fact to a line, so that a difference can be read in a version control system.

use std::{
    collections::BTreeSet,
    fmt::{self, Write},
    fs, io,
    path::Path,
};

use serde::Deserialize;

use super::{
    harmless::escaped,
    surface::{Plugin, Surface},
};
use crate::settings::write;

/// The version of the form.
const FORMAT: u32 = 1;

/// The longest file that is read, in bytes.
pub(crate) const MAX_LOCK: u64 = 16 * 1024 * 1024;

const HEADER: &str = "\
# nekro.lock: what the plugins of this program may do, as it was reviewed. `nekro audit --check` compares the program with it.
# It is written by `nekro audit --accept`; review what that changes here, and commit it.
";

/// Why there is no lock.
#[derive(Debug)]
pub(crate) enum LockError {
    /// There is no such file.
    Missing,
    /// The system does not let us.
    Io(io::Error),
    /// It is longer than [`MAX_LOCK`].
    TooLong,
    /// It is of another form.
    Format(u32),
    /// It is no lock.
    Content(String),
}

impl fmt::Display for LockError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("there is none"),
            Self::Io(error) => write!(f, "it cannot be read: {error}"),
            Self::TooLong => write!(f, "it is longer than the {MAX_LOCK} bytes that are read"),
            Self::Format(format) => write!(f, "it has format {format}, and only {FORMAT} is understood"),
            Self::Content(error) => write!(f, "it cannot be understood: {error}"),
        }
    }
}

/// What a file says.
#[derive(Debug)]
pub(crate) struct Lock {
    pub(crate) text: Option<String>,
    pub(crate) surface: Result<Surface, LockError>,
}

/// Reads a lock.
pub(crate) fn read(file: &Path) -> Lock {
    match read_text(file) {
        Ok(text) => Lock { surface: parse(&text), text: Some(text) },
        Err(error) => Lock { text: None, surface: Err(error) },
    }
}

/// Writes a lock in the place of what was read there.
pub(crate) fn replace(file: &Path, old: &Lock, surface: &Surface) -> io::Result<()> {
    let text = text(surface);
    match &old.text {
        None => write::create(file, &text),
        Some(old) if *old == text => Ok(()),
        Some(old) => write::replace(file, Some(old), &text),
    }
}

fn read_text(file: &Path) -> Result<String, LockError> {
    let found = fs::metadata(file).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => LockError::Missing,
        _ => LockError::Io(error),
    })?;
    if found.len() > MAX_LOCK {
        return Err(LockError::TooLong);
    }
    fs::read_to_string(file).map_err(LockError::Io)
}

fn parse(text: &str) -> Result<Surface, LockError> {
    #[derive(Deserialize)]
    struct Form {
        format: u32,
    }
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Whole {
        #[serde(rename = "format")]
        _format: u32,
        nekro_core: String,
        #[serde(default)]
        plugins: std::collections::BTreeMap<String, Plugin>,
    }
    let wrong = |error: toml::de::Error| LockError::Content(error.to_string().trim_end().to_owned());
    let Form { format } = toml::from_str(text).map_err(wrong)?;
    if format != FORMAT {
        return Err(LockError::Format(format));
    }
    let Whole { nekro_core, plugins, .. } = toml::from_str(text).map_err(wrong)?;
    Ok(Surface { nekro_core, plugins })
}

/// Writes the text of a lock.
pub(crate) fn text(surface: &Surface) -> String {
    let mut out = Text(HEADER.to_owned());
    out.line(format_args!("format = {FORMAT}"));
    out.fact("nekro_core", &surface.nekro_core);
    for (id, plugin) in &surface.plugins {
        out.plugin(&format!("plugins.{}", key(id)), plugin);
    }
    out.0
}

struct Text(String);

impl Text {
    fn line(&mut self, line: impl fmt::Display) {
        let _ = writeln!(self.0, "{line}");
    }

    fn table(&mut self, name: &str) {
        self.line(format_args!("\n[{name}]"));
    }

    fn fact(&mut self, name: &str, value: &str) {
        self.line(format_args!("{} = {}", key(name), string(value)));
    }

    fn list(&mut self, name: &str, values: &BTreeSet<String>) {
        if values.is_empty() {
            return;
        }
        self.line(format_args!("{name} = ["));
        values.iter().for_each(|value| self.line(format_args!("    {},", string(value))));
        self.line("]");
    }

    fn plugin(&mut self, table: &str, plugin: &Plugin) {
        self.table(table);
        self.fact("package", &plugin.package);
        self.fact("version", &plugin.version);
        self.fact("source", &plugin.source);
        if let Some(checksum) = &plugin.checksum {
            self.fact("checksum", checksum);
        }
        self.fact("unsafe_code", plugin.unsafe_code.name());
        self.fact("build_script", plugin.build_script.name());
        self.list("requires", &plugin.requires);
        self.list("configuration", &plugin.configuration);
        self.list("prompts", &plugin.prompts);
        self.list("listens", &plugin.listens);
        self.list("through", &plugin.through);
        if !plugin.decides.is_empty() {
            self.table(&format!("{table}.decides"));
            plugin.decides.iter().for_each(|(name, when)| self.fact(name, when));
        }
        for (name, capability) in &plugin.capabilities {
            self.table(&format!("{table}.capabilities.{}", key(name)));
            self.list("scope", &capability.scope);
            self.list("used_by", &capability.used_by);
        }
        for (name, tool) in &plugin.tools {
            self.table(&format!("{table}.tools.{}", key(name)));
            self.fact("effect", &tool.effect);
            self.fact("kind", &tool.kind);
            self.fact("schema", &tool.schema);
        }
        for (name, task) in &plugin.tasks {
            self.table(&format!("{table}.tasks.{}", key(name)));
            self.fact("when_disabled", &task.when_disabled);
            self.fact("schema", &task.schema);
        }
        if !plugin.schedules.is_empty() {
            self.table(&format!("{table}.schedules"));
            plugin.schedules.iter().for_each(|(name, when)| self.fact(name, when));
        }
        for (name, command) in &plugin.commands {
            self.table(&format!("{table}.commands.{}", key(name)));
            self.fact("role", &command.role);
            self.list("aliases", &command.aliases);
        }
        for (table_of, facts) in [("routes", &plugin.routes), ("webhooks", &plugin.webhooks)] {
            if !facts.is_empty() {
                self.table(&format!("{table}.{table_of}"));
                facts.iter().for_each(|(name, fact)| self.fact(name, fact));
            }
        }
        for (name, event) in &plugin.events {
            self.table(&format!("{table}.events.{}", key(name)));
            self.fact("sort", &event.sort);
            self.fact("schema", &event.schema);
        }
    }
}

fn key(name: &str) -> String {
    let is_bare = |one: char| one.is_ascii_alphanumeric() || matches!(one, '_' | '-');
    if !name.is_empty() && name.chars().all(is_bare) { name.to_owned() } else { string(name) }
}

/// Writes a basic string: what JSON escapes, TOML escapes in the same way.
fn string(text: &str) -> String {
    escaped(&serde_json::Value::from(text).to_string()).into_owned()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use expect_test::expect;
    use proptest::prelude::*;

    use super::*;
    use crate::audit::surface::{Answer, Capability, Command, Event, Task, Tool};

    fn names(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    fn surface(name: &str) -> Surface {
        let text = || name.to_owned();
        let plugin = Plugin {
            package: text(),
            version: "1.0.0".to_owned(),
            source: text(),
            checksum: Some("abc".to_owned()),
            unsafe_code: Answer::No,
            build_script: Answer::Unknown,
            requires: names(&[]),
            through: names(&[]),
            configuration: names(&["city", name]),
            prompts: names(&[]),
            listens: names(&[]),
            decides: BTreeMap::from([(text(), "early, priority 0".to_owned())]),
            capabilities: BTreeMap::from([(text(), Capability { scope: names(&[name]), used_by: names(&["init"]) })]),
            tools: BTreeMap::from([(text(), Tool { effect: text(), kind: "value".to_owned(), schema: text() })]),
            tasks: BTreeMap::from([(text(), Task { when_disabled: text(), schema: text() })]),
            schedules: BTreeMap::from([(text(), text())]),
            commands: BTreeMap::from([(text(), Command { role: text(), aliases: names(&[]) })]),
            routes: BTreeMap::from([(text(), "public".to_owned())]),
            webhooks: BTreeMap::from([(text(), "github".to_owned())]),
            events: BTreeMap::from([(text(), Event { sort: "fact".to_owned(), schema: text() })]),
        };
        Surface { nekro_core: "0.1.0".to_owned(), plugins: BTreeMap::from([(text(), plugin)]) }
    }

    #[test]
    fn a_lock_has_one_fact_to_a_line() {
        expect![[r#"
            # nekro.lock: what the plugins of this program may do, as it was reviewed. `nekro audit --check` compares the program with it.
            # It is written by `nekro audit --accept`; review what that changes here, and commit it.
            format = 1
            nekro_core = "0.1.0"

            [plugins."a.b"]
            package = "a.b"
            version = "1.0.0"
            source = "a.b"
            checksum = "abc"
            unsafe_code = "no"
            build_script = "unknown"
            configuration = [
                "a.b",
                "city",
            ]

            [plugins."a.b".decides]
            "a.b" = "early, priority 0"

            [plugins."a.b".capabilities."a.b"]
            scope = [
                "a.b",
            ]
            used_by = [
                "init",
            ]

            [plugins."a.b".tools."a.b"]
            effect = "a.b"
            kind = "value"
            schema = "a.b"

            [plugins."a.b".tasks."a.b"]
            when_disabled = "a.b"
            schema = "a.b"

            [plugins."a.b".schedules]
            "a.b" = "a.b"

            [plugins."a.b".commands."a.b"]
            role = "a.b"

            [plugins."a.b".routes]
            "a.b" = "public"

            [plugins."a.b".webhooks]
            "a.b" = "github"

            [plugins."a.b".events."a.b"]
            sort = "fact"
            schema = "a.b"
        "#]]
        .assert_eq(&text(&surface("a.b")));
    }

    #[test]
    fn what_is_no_lock_is_refused_with_its_place() {
        let good = text(&surface("a"));
        for (text, told) in [
            ("".to_owned(), "missing field `format`"),
            (good.replace("format = 1", "format = 7"), "it has format 7, and only 1 is understood"),
            (good.replace("kind =", "kinds ="), "unknown field `kinds`"),
            (good.replace("[plugins.a]", "<<<<<<< ours\n[plugins.a]"), "line 6"),
            (good.replace("version = \"1.0.0\"", "version = 1"), "invalid type"),
            (good.replace("unsafe_code = \"no\"", "unsafe_code = \"never\""), "unknown variant `never`"),
            (good.clone() + "\n[plugins.a]\n", "duplicate key"),
        ] {
            let error = parse(&text).expect_err("it is wrong").to_string();
            assert!(error.contains(told), "{told}: {error}");
        }
    }

    proptest! {
        #[test]
        fn whatever_the_names_a_lock_is_read_back(name in any::<String>()) {
            let surface = surface(&name);
            let text = text(&surface);
            prop_assert_eq!(parse(&text).expect("it was written so"), surface);
            let steers = text.contains('\u{1b}') || text.contains('\u{202e}');
            prop_assert!(!steers);
        }

        #[test]
        fn no_text_does_any_harm(text in "[a-z\\[\\]=\"'.\\n {}#]{0,200}") {
            let _ = parse(&format!("format = 1\n{text}"));
        }
    }
}
