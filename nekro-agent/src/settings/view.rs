//! The settings as they are: every value there is, with where it came from. Secrets are not shown.

use serde_json::{Map, Value, json};

use super::{
    form::Form,
    key::Key,
    mask,
    node::{Content, Node},
    origin::Origin,
    secret::Reference,
};

/// A setting, ready to be shown.
pub(crate) struct Setting {
    pub(crate) key: Key,
    /// The value, or what is shown instead; `None` if nobody set it and it has no default.
    pub(crate) value: Option<Value>,
    pub(crate) origin: Origin,
    /// Where a secret is kept.
    pub(crate) kept_in: Option<Reference>,
    pub(crate) secret: bool,
    pub(crate) required: bool,
}

impl Setting {
    pub(crate) fn to_json(&self) -> Value {
        let mut json = json!({ "key": self.key.to_string(), "value": self.value, "origin": self.origin.to_json() });
        if self.secret {
            json["secret"] = true.into();
        }
        match &self.kept_in {
            Some(Reference::Environment(name)) => json["kept_in"] = json!({ "env": name }),
            Some(Reference::File(path)) => json["kept_in"] = json!({ "file": path }),
            None => {}
        }
        json
    }
}

/// Returns every setting under a key.
pub(crate) fn settings(key: &Key, node: Option<&Node>, form: Option<&Form<'_>>) -> Vec<Setting> {
    let mut all = Vec::new();
    list(key, node, form, false, &mut all);
    all
}

fn list(key: &Key, node: Option<&Node>, form: Option<&Form<'_>>, required: bool, all: &mut Vec<Setting>) {
    let section = form.filter(|form| form.is_section() && !form.is_secret());
    let table = node.and_then(Node::table);
    // A plugin that has no settings has none to show, unless somebody set some.
    let is_empty_table =
        form.is_some_and(|form| form.names().is_empty() && form.key("").is_none() && form.types().contains("object"));
    if let Some(form) = section.filter(|_| node.is_none() || table.is_some()) {
        let names = form.names();
        for name in &names {
            let node = table.and_then(|table| table.get(*name));
            list(&key.join(name), node, form.key(name).as_ref(), form.requires(name), all);
        }
        for (name, node) in table.into_iter().flatten().filter(|(name, _)| !names.contains(&name.as_str())) {
            list(&key.join(name), Some(node), form.key(name).as_ref(), false, all);
        }
        return;
    }
    if let Some(form) = form.filter(|form| form.is_map_of_sections())
        && let Some(table) = table.filter(|table| !table.is_empty())
    {
        for (name, node) in table {
            list(&key.join(name), Some(node), form.key(name).as_ref(), false, all);
        }
        return;
    }
    if is_empty_table && table.map_or(node.is_none(), |table| table.is_empty()) {
        return;
    }
    let value = match node {
        Some(node) => Some(mask::shown(&node.to_json(), form)),
        None => form.and_then(|form| form.default().map(|value| mask::shown(value, Some(form)))),
    };
    all.push(Setting {
        key: key.clone(),
        value: value.filter(|value| !value.is_null()),
        origin: node.map_or(Origin::Default, |node| node.origin.clone()),
        kept_in: node.zip(form).and_then(|(node, form)| mask::kept_in(node, form)),
        secret: form.is_some_and(Form::is_secret),
        required,
    });
}

/// Returns a value as it is in effect, its defaults filled in; `None` if there is none.
pub(crate) fn effective(node: Option<&Node>, form: &Form<'_>) -> Option<Value> {
    let table = match node {
        Some(Node { content: Content::Table(table), .. }) => Some(table),
        Some(node) => return Some(mask::shown(&node.to_json(), Some(form))),
        None => None,
    };
    if let Some(table) = table.filter(|_| form.is_map_of_sections()) {
        let entries = table.iter().map(|(name, node)| {
            let inside = form.key(name).and_then(|form| effective_of(Some(node), &form));
            (name.clone(), inside.unwrap_or_default())
        });
        return Some(Value::Object(entries.collect()));
    }
    if !form.is_section() || form.is_secret() {
        return node
            .map(|node| mask::shown(&node.to_json(), Some(form)))
            .or_else(|| form.default().map(|value| mask::shown(value, Some(form))));
    }
    let mut effective = Map::new();
    let names = form.names();
    for name in &names {
        let inside = form.key(name).and_then(|form| effective_of(table.and_then(|table| table.get(*name)), &form));
        effective.extend(inside.map(|value| ((*name).to_owned(), value)));
    }
    for (name, node) in table.into_iter().flatten().filter(|(name, _)| !names.contains(&name.as_str())) {
        let inside = form.key(name).map_or_else(|| Some(mask::MASK.into()), |form| effective_of(Some(node), &form));
        effective.extend(inside.map(|value| (name.clone(), value)));
    }
    Some(effective.into())
}

fn effective_of(node: Option<&Node>, form: &Form<'_>) -> Option<Value> {
    effective(node, form).filter(|value| !value.is_null())
}
