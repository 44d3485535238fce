//! Checking the settings as a whole: their shape, and the configuration of every plugin by the plugin's own reader.
//!
//! A reader tells one mistake and stops. To tell all of them, the value that is wrong is left out and the rest is read again.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use nekro_core::{ConfigMistake, PluginDecl, kernel::Configuration, read_settings, suggest};
use serde_json::Value;

use super::{
    channel::{self, CHANNELS},
    form::Form,
    key::{Key, join},
    mask,
    mistake::Mistake,
    node::{Content, Node},
    schema::Catalogue,
    secret::Resolver,
    section::{Host, SECTIONS, SectionDecl},
};
use crate::{agent::AgentSettings, model::settings::ModelsSettings, reach::PluginModelSettings};

/// The most mistakes that are told of one plugin. Each of them is a reading of its whole configuration.
const MOST_MISTAKES: usize = 50;

/// Settings that were looked at.
#[derive(Default)]
pub(crate) struct Checked {
    /// What was set for the host itself. Of a section that is wrong, the defaults.
    pub(crate) host: Host,
    /// The same as it was set, by section.
    pub(crate) sections: BTreeMap<&'static str, Value>,
    pub(crate) disabled: BTreeSet<String>,
    /// The plugins that are off in a channel, by its name. What is off everywhere is not among them.
    pub(crate) disabled_in: BTreeMap<String, BTreeSet<String>>,
    /// What each plugin is started with, or why it cannot be. Only those that are not disabled.
    pub(crate) plugins: BTreeMap<&'static str, Result<Configuration, Vec<Mistake>>>,
    /// What is wrong with the rest.
    pub(crate) mistakes: Vec<Mistake>,
    /// The files that secrets were read from.
    pub(crate) secret_files: Vec<PathBuf>,
}

impl Checked {
    /// Leaves plugins out that an operator has disabled. Of those that are no longer linked nothing is said.
    pub(crate) fn disable(&mut self, plugins: &BTreeSet<String>, catalogue: &Catalogue) {
        for id in catalogue.ids().filter(|id| plugins.contains(*id)) {
            self.plugins.remove(id);
            self.disabled.insert(id.to_owned());
        }
    }

    /// Returns all mistakes.
    pub(crate) fn all_mistakes(&self) -> Vec<Mistake> {
        let of_plugins = self.plugins.values().filter_map(|plugin| plugin.as_ref().err()).flatten();
        self.mistakes.iter().chain(of_plugins).cloned().collect()
    }
}

/// Checks settings. Paths in them begin in `folder`.
pub(crate) fn check(root: &Node, catalogue: &Catalogue, folder: &Path) -> Checked {
    let mut checked = Checked::default();
    let form = catalogue.form();
    for (name, node) in root.table().into_iter().flatten() {
        match name.as_str() {
            "disabled" => checked.disabled = disabled(node, "disabled", catalogue, &mut checked.mistakes),
            "plugins" => names_of_plugins(node, "plugins", catalogue, &mut checked.mistakes),
            CHANNELS => channels(node, catalogue, &mut checked),
            name if SECTIONS.iter().any(|section| section.name == name) => {}
            _ => checked.mistakes.push(unknown(node, "", name, &form.names())),
        }
    }
    for section in SECTIONS {
        // A section that nobody set is read too: something in it may have to be set.
        let set = root.table().and_then(|root| root.get(section.name));
        host_section(section, set, catalogue, folder, &mut checked);
    }
    models_and_agent(root, catalogue, &mut checked);
    let mistakes = checked.host.secrets.mistakes(catalogue.plugins());
    cross(root, "secrets", mistakes, &mut checked);
    #[cfg(feature = "mcp")]
    {
        let mistakes = checked.host.mcp_servers.mistakes();
        cross(root, "mcp_servers", mistakes, &mut checked);
    }
    plugins(root, catalogue, folder, &mut checked);
    checked
}

/// Checks what no value of the models and of the agent can know by itself: names that lead nowhere, keys that a provider wants.
fn models_and_agent(root: &Node, catalogue: &Catalogue, checked: &mut Checked) {
    // Also of sections in which something else is wrong, so that all is told at once.
    let models = checked.sections.get("models").map(|json| read_settings::<ModelsSettings>(&json.to_string()));
    let agent = checked.sections.get("agent").map(|json| read_settings::<AgentSettings>(&json.to_string()));
    let Some(Ok(models)) = models else { return };
    cross(root, "models", models.mistakes(), checked);
    let of_plugins = checked.sections.get("plugin_models").map(|json| read_settings::<PluginModelSettings>(&json.to_string()));
    let model = |name: &str| models.knows(name).then_some(()).ok_or_else(|| models.unknown(name));
    let plugin = |id: &str| catalogue.ids().any(|known| known == id).then_some(()).ok_or_else(|| not_linked(id, catalogue));
    if let Some(Ok(agent)) = agent {
        cross(root, "agent", agent.mistakes(model, plugin), checked);
    }
    if let Some(Ok(of_plugins)) = of_plugins {
        cross(root, "plugin_models", of_plugins.mistakes(model, plugin), checked);
    }
}

/// Tells mistakes that were found in a section after it was read.
fn cross(root: &Node, section: &str, mistakes: Vec<ConfigMistake>, checked: &mut Checked) {
    let node = root.table().and_then(|root| root.get(section)).cloned().unwrap_or_else(Node::empty);
    for mistake in mistakes {
        let key = inside(section, &mistake.path);
        if checked.mistakes.iter().all(|told| told.key != key) {
            let there = node.at(&node.locate(&mistake.path));
            checked.mistakes.push(Mistake::new(&there.origin, key, mistake.problem));
        }
    }
}

fn unknown(node: &Node, table: &str, name: &str, known: &[&str]) -> Mistake {
    let problem = match suggest(name, known.iter().copied()) {
        Some(meant) => format!("unknown key: did you mean `{meant}`?"),
        None => format!("unknown key: there are {}", list(known)),
    };
    Mistake::new(&node.key, join(table, name), problem)
}

fn list(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

fn not_linked(id: &str, catalogue: &Catalogue) -> String {
    match suggest(id, catalogue.ids()) {
        Some(meant) => format!("no plugin of this name is linked: did you mean `{meant}`?"),
        None => "no plugin of this name is linked: `nekro plugins` lists them".to_owned(),
    }
}

fn disabled(node: &Node, key: &str, catalogue: &Catalogue, mistakes: &mut Vec<Mistake>) -> BTreeSet<String> {
    let mut disabled = BTreeSet::new();
    let Content::List(items) = &node.content else {
        mistakes.push(Mistake::new(&node.origin, key, "expected a list of plugins, such as `[\"dice\"]`"));
        return disabled;
    };
    for (number, item) in items.iter().enumerate() {
        let key = format!("{key}[{number}]");
        match item.to_json() {
            Value::String(id) if catalogue.ids().any(|known| known == id) => {
                disabled.insert(id);
            }
            Value::String(id) => mistakes.push(Mistake::new(&item.origin, key, not_linked(&id, catalogue))),
            _ => mistakes.push(Mistake::new(&item.origin, key, "expected the name of a plugin")),
        }
    }
    disabled
}

fn names_of_plugins(node: &Node, key: &str, catalogue: &Catalogue, mistakes: &mut Vec<Mistake>) {
    let Some(table) = node.table() else {
        mistakes.push(Mistake::new(&node.origin, key, "expected a table"));
        return;
    };
    for (id, node) in table.iter().filter(|(id, _)| !catalogue.ids().any(|known| known == id.as_str())) {
        mistakes.push(Mistake::new(&node.key, join(key, id), not_linked(id, catalogue)));
    }
}

/// Checks what is different in channels, but for the configurations, which are read with those of everywhere.
fn channels(node: &Node, catalogue: &Catalogue, checked: &mut Checked) {
    let Some(table) = node.table() else {
        checked.mistakes.push(Mistake::new(&node.origin, CHANNELS, "expected a table"));
        return;
    };
    for (name, node) in table {
        let key = join(CHANNELS, name);
        let Some(inside) = node.table() else {
            checked.mistakes.push(Mistake::new(&node.origin, key, "expected a table"));
            continue;
        };
        for (word, node) in inside {
            match word.as_str() {
                "disabled" => {
                    let disabled = disabled(node, &join(&key, word), catalogue, &mut checked.mistakes);
                    checked.disabled_in.insert(name.clone(), disabled);
                }
                "plugins" => names_of_plugins(node, &join(&key, word), catalogue, &mut checked.mistakes),
                _ => checked.mistakes.push(unknown(node, &key, word, &["disabled", "plugins"])),
            }
        }
    }
}

fn host_section(section: &SectionDecl, set: Option<&Node>, catalogue: &Catalogue, folder: &Path, checked: &mut Checked) {
    let mut node = set.cloned().unwrap_or_else(Node::empty);
    let form = catalogue.form().key(section.name);
    let mut mistakes = match &form {
        Some(form) => resolve(&mut node, form, section.name, folder, &mut checked.secret_files),
        None => Vec::new(),
    };
    let wrong = read(&mut node, form.as_ref(), section.name, |json| (section.read)(json, &mut Host::default())).err();
    mistakes.extend(wrong.into_iter().flatten());
    let json = node.to_json();
    // Of a section that is wrong, nothing holds.
    if mistakes.is_empty() {
        let read = (section.read)(&json.to_string(), &mut checked.host);
        debug_assert!(read.is_ok(), "it was read a moment ago");
    }
    checked.sections.insert(section.name, json);
    checked.mistakes.append(&mut mistakes);
}

/// Puts the secrets in their places. What cannot be had cannot be read either: it is left out, and told once.
fn resolve(node: &mut Node, form: &Form<'_>, key: &str, folder: &Path, files: &mut Vec<PathBuf>) -> Vec<Mistake> {
    let mut resolver = Resolver { folder, mistakes: Vec::new(), files: Vec::new() };
    resolver.resolve(node, form, key);
    files.append(&mut resolver.files);
    for mistake in &resolver.mistakes {
        let inside = mistake.key.strip_prefix(key).unwrap_or_default();
        let located = node.locate(inside.trim_start_matches('.'));
        node.leave_out(&located);
    }
    resolver.mistakes
}

fn plugins(root: &Node, catalogue: &Catalogue, folder: &Path, checked: &mut Checked) {
    for decl in catalogue.plugins() {
        let mut reading = Reading {
            decl,
            is_disabled: checked.disabled.contains(decl.id),
            form: catalogue.form().key("plugins").and_then(|form| form.key(decl.id)),
            folder,
            secret_files: &mut checked.secret_files,
        };
        let (read, is_set) = reading.everywhere_and_in_channels(root);
        match (reading.is_disabled, read) {
            (false, read) => {
                checked.plugins.insert(decl.id, read);
            }
            // A plugin that is disabled is not read when the agent starts. What is set for it is looked at all the same, and what is
            // missing is not missed.
            (true, Err(mistakes)) if is_set => {
                checked.mistakes.extend(mistakes.into_iter().filter(|mistake| !mistake.lacking));
            }
            (true, _) => {}
        }
    }
}

/// Reading the configurations of one plugin.
struct Reading<'a> {
    decl: &'static PluginDecl,
    is_disabled: bool,
    form: Option<Form<'a>>,
    folder: &'a Path,
    secret_files: &'a mut Vec<PathBuf>,
}

impl Reading<'_> {
    /// Reads all of them. Tells also whether anything is set at all.
    fn everywhere_and_in_channels(&mut self, root: &Node) -> (Result<Configuration, Vec<Mistake>>, bool) {
        let inside = Key::of(["plugins", self.decl.id]);
        let set = root.get(&inside);
        let key = inside.to_string();
        let mut is_set = set.is_some();
        let base = set.cloned().unwrap_or_else(Node::empty);
        let (everywhere, mut mistakes) = self.one(base.clone(), &key);
        let mut configuration = Configuration::new(everywhere);
        // What was told of less specific ones is not told again.
        let mut told: BTreeSet<_> = mistakes.iter().map(|mistake| what(mistake, &key)).collect();
        let channels = root.get(&Key::of([CHANNELS])).and_then(Node::table);
        // A name sorts behind its own beginning.
        for name in channels.into_iter().flatten().map(|(name, _)| name) {
            let layers: Vec<_> = channel::layers(root, name).filter_map(|layer| layer.get(&inside)).collect();
            if layers.is_empty() {
                continue;
            }
            is_set = true;
            let mut node = base.clone();
            layers.into_iter().for_each(|layer| node.overlay(layer.clone(), self.form.as_ref()));
            let key = Key::of([CHANNELS, name]).to_string() + "." + &key;
            let (config, wrong) = self.one(node, &key);
            mistakes.extend(wrong.into_iter().filter(|mistake| told.insert(what(mistake, &key))));
            configuration = configuration.in_channel(name, config);
        }
        (if mistakes.is_empty() { Ok(configuration) } else { Err(mistakes) }, is_set)
    }

    fn one(&mut self, mut node: Node, key: &str) -> (Value, Vec<Mistake>) {
        let mut mistakes = Vec::new();
        if let Some(form) = &self.form
            && !self.is_disabled
        {
            mistakes = resolve(&mut node, form, key, self.folder, self.secret_files);
        }
        let value = read(&mut node, self.form.as_ref(), key, |json| (self.decl.config.read)(json).map(drop));
        mistakes.extend(value.err().into_iter().flatten());
        (node.to_json(), mistakes)
    }
}

/// Says what a mistake is about, whatever the table is called.
fn what(mistake: &Mistake, table: &str) -> (String, String, String) {
    let inside = mistake.key.strip_prefix(table).unwrap_or(&mistake.key);
    (mistake.origin.to_string(), inside.to_owned(), mistake.problem.clone())
}

/// How serde begins to say that a key must be set.
const MISSING: &str = "missing field `";

/// Reads a value, and tells every mistake in it.
fn read<T>(
    node: &mut Node,
    form: Option<&Form<'_>>,
    key: &str,
    reader: impl Fn(&str) -> Result<T, ConfigMistake>,
) -> Result<T, Vec<Mistake>> {
    let torn = node.is_torn();
    let mut mistakes = Vec::new();
    for _ in 0..MOST_MISTAKES {
        let mistake = match reader(&node.to_json().to_string()) {
            Ok(value) if mistakes.is_empty() && !torn => return Ok(value),
            Ok(_) => break,
            Err(mistake) => mistake,
        };
        let located = node.locate(&mistake.path);
        let there = node.at(&located);
        let is_unknown = mistake.problem.starts_with("unknown key");
        let is_missing = mistake.problem.strip_prefix(MISSING).and_then(|rest| rest.split('`').next()).filter(|name| {
            // Not one that was there, and was left out because it is wrong.
            there.table().is_none_or(|table| !table.contains_key(*name))
        });
        // What is wrong with something that was torn is most likely a consequence.
        if let Some(name) = is_missing {
            let form = form.and_then(|form| located.form(form));
            for name in std::iter::once(name).chain(also_missing(name, there, form.as_ref())) {
                let key = join(&inside(key, &located.key), name);
                mistakes.push(Mistake::new(&there.origin, key, "this must be set, and is not").lacking());
            }
        } else if is_unknown || !there.is_torn() {
            let problem = match suggestion(&mistake, &located, form) {
                Some(meant) => format!("unknown key: did you mean `{meant}`?"),
                None => mask::problem(&mistake.problem, there, form.and_then(|form| located.form(form)).as_ref()),
            };
            let origin = if is_unknown { &there.key } else { &there.origin };
            mistakes.push(Mistake::new(origin, inside(key, &located.key), problem));
        }
        if !node.leave_out(&located) {
            break;
        }
    }
    Err(mistakes)
}

/// Returns what else a table lacks where `name` is missing. A key that the schema does not have may be another name for one it has.
fn also_missing<'f>(name: &str, table: &Node, form: Option<&Form<'f>>) -> Vec<&'f str> {
    let (Some(table), Some(form)) = (table.table(), form) else { return Vec::new() };
    let names = form.names();
    if table.keys().any(|key| !names.contains(&key.as_str())) {
        return Vec::new();
    }
    names.into_iter().filter(|other| *other != name && form.requires(other) && !table.contains_key(*other)).collect()
}

/// A reader that was generated knows its keys; one that was not has left them to us.
fn suggestion(mistake: &ConfigMistake, located: &super::node::Located, form: Option<&Form<'_>>) -> Option<String> {
    let form = form.filter(|_| mistake.problem == "unknown key").and_then(|form| located.parent_form(form))?;
    let name = mistake.path.rsplit('.').next()?;
    suggest(name, form.names()).map(str::to_owned)
}

fn inside(key: &str, path: &str) -> String {
    if path.is_empty() || path.starts_with('[') { format!("{key}{path}") } else { format!("{key}.{path}") }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use crate::settings::testing::problems;

    #[track_caller]
    fn check(text: &str, expected: Expect) {
        expected.assert_eq(&problems(text).join("\n"));
    }

    #[test]
    fn every_mistake_is_told_with_its_place_and_what_was_meant() {
        check(
            "limit = 1\n\
             disabled = ['wether', 3]\n\
             [limits]\n\
             mailbox = 'many'\n\
             call_dedline = '5s'\n\
             [plugins.weather]\n\
             token = 'x'\n\
             units = 'imperial'\n\
             maxStops = -1\n\
             nothing = 0\n\
             stops = [{ name = 'a' }, { nam = 'b' }, { name = 3 }, { name = 'd', nmae = 1 }]\n\
             [plugins.wether]\n",
            expect![[r#"
                nekro.toml:1:1: `limit`: unknown key: did you mean `limits`?
                nekro.toml:2:13: `disabled[0]`: no plugin of this name is linked: did you mean `weather`?
                nekro.toml:2:23: `disabled[1]`: expected the name of a plugin
                nekro.toml:4:11: `limits.mailbox`: invalid type: string "many", expected usize
                nekro.toml:5:1: `limits.call_dedline`: unknown key: did you mean `call_deadline`?
                nekro.toml:8:9: `plugins.weather.units`: unknown variant `imperial`, expected `metric` or `nautical`
                nekro.toml:9:12: `plugins.weather.maxStops`: invalid value: integer `-1`, expected u16
                nekro.toml:10:1: `plugins.weather.nothing`: unknown key: there are `token`, `units`, `maxStops`, `stops`, `login`, `keys`, `pin`, `names`, `default`
                nekro.toml:11:26: `plugins.weather.stops[1].name`: this must be set, and is not
                nekro.toml:11:50: `plugins.weather.stops[2].name`: invalid type: integer `3`, expected a string
                nekro.toml:11:69: `plugins.weather.stops[3].nmae`: unknown key: did you mean `name`?
                nekro.toml:12:10: `plugins.wether`: no plugin of this name is linked: did you mean `weather`?"#]],
        );
    }

    #[test]
    fn what_follows_from_a_mistake_is_not_another_one() {
        check(
            "[plugins.weather]\ntoken = 'x'\nstops = [{ name = 3 }]\n",
            expect!["nekro.toml:3:19: `plugins.weather.stops[0].name`: invalid type: integer `3`, expected a string"],
        );
    }

    #[test]
    fn what_is_no_table_is_told() {
        check(
            "plugins = 3\nlimits = []\ndisabled = 'x'\n",
            expect![[r#"
                `plugins.weather.token`: this must be set, and is not
                nekro.toml:1:11: `plugins`: expected a table
                nekro.toml:2:10: `limits`: expected a table
                nekro.toml:3:12: `disabled`: expected a list of plugins, such as `["dice"]`"#]],
        );
        check(
            "[plugins]\nweather = 's3cret'\n",
            expect![
                "nekro.toml:2:11: `plugins.weather`: the value does not fit: expected object; it is not shown, for it may be a secret"
            ],
        );
    }

    #[test]
    fn a_plugin_that_is_disabled_misses_nothing_but_its_mistakes_are_told() {
        check("disabled = ['weather']\n", expect![""]);
        check(
            "disabled = ['weather']\n[plugins.weather]\nunit = 'metric'\n",
            expect!["nekro.toml:3:1: `plugins.weather.unit`: unknown key: did you mean `units`?"],
        );
    }

    #[test]
    fn secrets_are_not_quoted() {
        for text in [
            "token = ['s3cret']",
            "token = { s3cret = 1 }",
            "token = { env = 's3cret', file = 's3cret' }",
            "tokn = 's3cret'",
            "login = 's3cret'",
            "login = { key = { a = 's3cret' } }",
            "login = { key = 's3cret', user = 3 }",
            "login = { kye = 's3cret' }",
            "keys = 's3cret'",
            "keys = ['s3cret', ['s3cret']]",
            "pin = 's3cret'",
        ] {
            let problems = problems(&format!("[plugins.weather]\n{text}\n"));
            assert!(!problems.is_empty(), "{text}");
            assert!(
                !problems.iter().any(|problem| problem.contains("'s3cret'") || problem.contains("\"s3cret")),
                "{problems:#?}"
            );
        }
    }
}
