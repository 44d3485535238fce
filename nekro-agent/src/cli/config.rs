//! `nekro config`

use std::fmt::Display;

use serde_json::{Value, json};

use super::{Failure, Screen, args::ConfigCommand, output::table};
use crate::{
    settings::{
        Catalogue, Form, Key, Layers, Mistake, Mistakes, Node, Origin, Sources,
        channel::settings_in,
        edit::{self, EditError},
        read_text, template,
        view::{self, Setting},
        write,
    },
    style::DIM,
};

pub(super) fn run(command: ConfigCommand, sources: Sources, catalogue: &Catalogue, screen: &Screen) -> Result<(), Failure> {
    match command {
        ConfigCommand::Get { key, channel } => get(&key, channel.as_deref(), &sources, catalogue, screen),
        ConfigCommand::Set { key, value } => set(&key, &value, &sources, catalogue, screen),
        ConfigCommand::Unset { key } => unset(&key, &sources, catalogue, screen),
        ConfigCommand::Check { file: Some(file) } => check(&sources.with_file(file), catalogue, screen),
        ConfigCommand::Check { file: None } => check(&sources, catalogue, screen),
        ConfigCommand::Schema => {
            screen.line(format_args!("{:#}", catalogue.schema()));
            Ok(())
        }
        ConfigCommand::Show { channel } => show(channel.as_deref(), &sources, catalogue, screen),
        ConfigCommand::Init => init(&sources, catalogue, screen),
    }
}

fn read(sources: &Sources, catalogue: &Catalogue) -> Result<Layers, Failure> {
    sources.read(catalogue).map_err(|mistakes| Failure::settings(&mistakes))
}

/// Reads a key that the schema knows.
pub(crate) fn known<'c>(text: &str, catalogue: &'c Catalogue) -> Result<(Key, Form<'c>), Failure> {
    let key = Key::parse(text).map_err(Failure::usage)?;
    let mut form = catalogue.form();
    for (at, part) in key.parts().iter().enumerate() {
        let Some(inside) = form.key(part) else {
            let way = Key::of(key.parts()[..at].iter().map(String::as_str));
            let known: Vec<_> = form.names().into_iter().map(|name| way.join(name).to_string()).collect();
            let name = way.join(part).to_string();
            let failure = Failure::unknown("setting", &name, known.iter().map(String::as_str));
            // A long way makes everything look near: the last part alone decides.
            return Err(match nekro_core::suggest(part, form.names()) {
                Some(meant) => failure.with_hint(format!("did you mean `{}`?", way.join(meant))),
                None => Failure::usage(format!("there is no setting `{name}`")).with_hint("`nekro config show` lists them"),
            });
        };
        form = inside;
    }
    Ok((key, form))
}

/// Returns the settings as they are everywhere, or in one channel.
fn merged(layers: &Layers, channel: Option<&str>, catalogue: &Catalogue) -> Node {
    let merged = layers.merged(catalogue);
    match channel {
        Some(channel) => settings_in(&merged, channel, &catalogue.form()),
        None => merged,
    }
}

fn get(key: &str, channel: Option<&str>, sources: &Sources, catalogue: &Catalogue, screen: &Screen) -> Result<(), Failure> {
    let (key, form) = known(key, catalogue)?;
    let merged = merged(&read(sources, catalogue)?, channel, catalogue);
    let node = merged.get(&key);
    let Some(value) = view::value(&key, node, &form).filter(|value| !value.is_null()) else {
        return Err(Failure::work(format!("`{key}` is not set, and has no default")));
    };
    let settings = view::settings(&key, node, Some(&form));
    let json = match settings.as_slice() {
        [one] if one.key == key => one.to_json(),
        _ => json!({ "key": key.to_string(), "value": value }),
    };
    screen.show(&json, || match &value {
        Value::String(text) => super::plain(text).into_owned(),
        value => written(value),
    });
    Ok(())
}

fn show(channel: Option<&str>, sources: &Sources, catalogue: &Catalogue, screen: &Screen) -> Result<(), Failure> {
    let layers = read(sources, catalogue)?;
    screen.warn_of_secrets(&layers.secrets_in_clear(catalogue));
    let settings = view::settings(&Key::default(), Some(&merged(&layers, channel, catalogue)), Some(&catalogue.form()));
    let values: Vec<_> = settings.iter().map(Setting::to_json).collect();
    screen.show(&values, || table(&settings.iter().map(row).collect::<Vec<_>>()));
    match Mistakes::of(layers.check(catalogue).all_mistakes()) {
        Some(mistakes) => Err(Failure::settings(&mistakes)),
        None => Ok(()),
    }
}

fn row(setting: &Setting) -> Vec<String> {
    let value = match (&setting.value, &setting.kept_in) {
        (Some(value), Some(kept)) => format!("{} in {kept}", value.as_str().unwrap_or_default()),
        (Some(value), None) if setting.secret => value.as_str().unwrap_or_default().to_owned(),
        (Some(value), None) => written(value),
        (None, _) if setting.required => "(required)".to_owned(),
        (None, _) => "(not set)".to_owned(),
    };
    vec![setting.key.to_string(), super::plain(&value).into_owned(), format!("{DIM}{}{DIM:#}", setting.origin)]
}

fn written(value: &Value) -> String {
    edit::written(value).unwrap_or_else(|| value.to_string())
}

fn check(sources: &Sources, catalogue: &Catalogue, screen: &Screen) -> Result<(), Failure> {
    let (layers, found) = match sources.read(catalogue) {
        Ok(layers) => {
            let found = Mistakes::of(layers.check(catalogue).all_mistakes());
            (Some(layers), found)
        }
        Err(mistakes) => (None, Some(mistakes)),
    };
    if let Some(layers) = &layers {
        screen.warn_of_secrets(&layers.secrets_in_clear(catalogue));
    }
    let there_is_none = layers.is_some_and(|layers| layers.path.is_none());
    let file = sources.file().display().to_string();
    let mistakes = found.as_ref().map_or(json!([]), Mistakes::to_json);
    if screen.is_json() || found.is_none() {
        screen.show(&json!({ "file": file, "mistakes": mistakes }), || match there_is_none {
            true => format!("there is no {file}: everything has its default, and there are no mistakes"),
            false => format!("{file}: no mistakes"),
        });
    }
    found.map_or(Ok(()), |mistakes| Err(Failure::settings(&mistakes)))
}

fn init(sources: &Sources, catalogue: &Catalogue, screen: &Screen) -> Result<(), Failure> {
    let file = sources.file().display().to_string();
    write::create(sources.file(), &template::text(catalogue)).map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => Failure::usage(format!("there is a {file} already, and it was left as it is"))
            .with_hint("`--config FILE` writes another one; `nekro config show` lists what can be set"),
        _ => Failure::work(format!("{file} cannot be written: {error}")),
    })?;
    screen.show(&json!({ "file": file }), || format!("{file} explains every setting, with its default"));
    Ok(())
}

/// What happens to a key in the file.
pub(crate) enum Change<'v> {
    Set(&'v Value),
    Unset,
}

fn set(key: &str, text: &str, sources: &Sources, catalogue: &Catalogue, screen: &Screen) -> Result<(), Failure> {
    let (key, form) = known(key, catalogue)?;
    let value = read_text(text, Some(&form));
    change(&key, &Change::Set(&value), sources, catalogue, screen)
}

fn unset(key: &str, sources: &Sources, catalogue: &Catalogue, screen: &Screen) -> Result<(), Failure> {
    // Whatever stands in the file can be taken out, also what nobody knows.
    let key = Key::parse(key).map_err(Failure::usage)?;
    change(&key, &Change::Unset, sources, catalogue, screen)
}

/// Changes the file, if the whole is right afterwards, and tells of it.
fn change(key: &Key, change: &Change<'_>, sources: &Sources, catalogue: &Catalogue, screen: &Screen) -> Result<(), Failure> {
    let (written, above) = change_file(key, change, sources, catalogue)?;
    let file = sources.file().display().to_string();
    screen.warn_of_secrets(&written.secrets_in_clear(catalogue));
    let done = if matches!(change, Change::Set(_)) { "is set in" } else { "is no longer set in" };
    screen.show(&json!({ "key": key.to_string(), "file": file, "set_above": above.as_ref().map(Origin::to_json) }), || {
        match &above {
            Some(above) => format!("`{key}` {done} {file}, but {above} sets it too, and that is what holds"),
            None => format!("`{key}` {done} {file}"),
        }
    });
    Ok(())
}

/// Changes the file, if the whole is right afterwards. Returns what it says now, and what sets the key above it.
pub(crate) fn change_file(
    key: &Key,
    change: &Change<'_>,
    sources: &Sources,
    catalogue: &Catalogue,
) -> Result<(Layers, Option<Origin>), Failure> {
    let wrong = |mistakes: Mistakes| Failure::settings(&mistakes).with_hint("nothing was changed");
    // A file that is named and not there yet is made.
    let old = sources.text_if_there().map_err(wrong)?;
    let mut layers = sources.read_with(old.as_deref(), catalogue).map_err(wrong)?;
    let before = layers.check(catalogue).all_mistakes();
    match change {
        Change::Set(value) => layers.file.insert(key, Node::from_json((*value).clone(), &Origin::Given)),
        Change::Unset => {
            if layers.file.remove(key).is_none() {
                let file = sources.file().display();
                return Err(Failure::work(format!("`{key}` is not set in {file}"))
                    .with_hint("`nekro config show` tells where a value comes from"));
            }
        }
    }
    let mistakes = layers.mistakes_of_file(&before, key, catalogue);
    if let Some(mistakes) = Mistakes::of(mistakes) {
        return Err(wrong(mistakes));
    }
    let text = old.as_deref().unwrap_or_default();
    let edited = match change {
        Change::Set(value) => edit::set(text, key, value),
        Change::Unset => edit::unset(text, key).map(Option::unwrap_or_default),
    };
    let file = sources.file().display().to_string();
    let new = edited.map_err(|error| refused(&error, key))?;
    // The text must say what was checked. It always has; if it ever does not, nothing is written.
    let written = sources.read_with(Some(&new), catalogue).map_err(wrong)?;
    if !same(&written.file.to_json(), &layers.file.to_json()) {
        return Err(Failure::work(format!("{file} is written in a way that this command cannot change: edit it by hand")));
    }
    write::replace(sources.file(), old.as_deref(), &new)
        .map_err(|error| Failure::work(format!("{file} cannot be written: {error}")))?;
    let above = layers.set_above(key);
    Ok((written, above))
}

/// Tells whether two values are the same, but for empty tables: a header that nothing stands under says nothing.
fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Object(one), Value::Object(other)) => {
            let is_empty =
                |value: &Value| value.as_object().is_some_and(|table| table.values().all(|value| same(value, &json!({}))));
            let keys: std::collections::BTreeSet<_> = one.keys().chain(other.keys()).collect();
            keys.into_iter().all(|key| match (one.get(key), other.get(key)) {
                (Some(one), Some(other)) => same(one, other),
                (Some(alone), None) | (None, Some(alone)) => is_empty(alone),
                (None, None) => true,
            })
        }
        _ => one == other,
    }
}

fn refused(error: &EditError, key: &Key) -> Failure {
    let problem: &dyn Display = match error {
        EditError::Text => &"the file is written in a way that this command cannot change: edit it by hand",
        EditError::NoTable => &"what stands on the way to it in the file is no table",
        EditError::Value => &"TOML has no such value",
    };
    Failure::usage(Mistake::new(&Origin::Given, key.to_string(), problem.to_string())).with_hint("nothing was changed")
}
