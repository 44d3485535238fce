//! Values that know where they came from.
//!
//! A tree of what was set, in a file or above it. It may hold secrets, and so it cannot be printed: what is shown of it goes through
//! [`super::mask`].

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{
    form::Form,
    key::{Key, quoted},
    origin::Origin,
};

/// A value, and where it came from.
#[derive(Clone)]
pub(crate) struct Node {
    /// Where its key stands; for the item of a list, where the item does.
    pub(crate) key: Origin,
    /// Where it stands itself.
    pub(crate) origin: Origin,
    pub(crate) content: Content,
    // It is wrong, and what remains is looked at without it.
    left_out: bool,
}

/// What a node holds.
#[derive(Clone)]
pub(crate) enum Content {
    Table(BTreeMap<String, Node>),
    List(Vec<Node>),
    /// Neither a table nor a list.
    Plain(Value),
}

/// Where in a tree a path leads.
pub(crate) struct Located {
    // The way there, as far as the tree has it.
    steps: Vec<Step>,
    /// The key with the numbers of items, such as `stops[2].name`, also of a part that is not there.
    pub(crate) key: String,
}

#[derive(Clone)]
enum Step {
    Key(String),
    // By its true place in the list, those that were left out included.
    Item(usize),
}

impl Node {
    /// Makes a table with nothing in it.
    pub(crate) fn empty() -> Self {
        Self::new(Origin::Default, Content::Table(BTreeMap::new()))
    }

    pub(crate) fn new(origin: Origin, content: Content) -> Self {
        Self { key: origin.clone(), origin, content, left_out: false }
    }

    /// Says where its key stands.
    pub(crate) fn with_key(self, key: Origin) -> Self {
        Self { key, ..self }
    }

    /// Makes one whose parts all came from the same place.
    pub(crate) fn from_json(value: Value, origin: &Origin) -> Self {
        let content = match value {
            Value::Object(map) => {
                Content::Table(map.into_iter().map(|(key, value)| (key, Self::from_json(value, origin))).collect())
            }
            Value::Array(items) => Content::List(items.into_iter().map(|item| Self::from_json(item, origin)).collect()),
            plain => Content::Plain(plain),
        };
        Self::new(origin.clone(), content)
    }

    /// Returns the value, without what was left out.
    pub(crate) fn to_json(&self) -> Value {
        match &self.content {
            Content::Table(table) => {
                let kept = table.iter().filter(|(_, node)| !node.left_out);
                Value::Object(kept.map(|(key, node)| (key.clone(), node.to_json())).collect::<Map<_, _>>())
            }
            Content::List(items) => Value::Array(items.iter().filter(|item| !item.left_out).map(Self::to_json).collect()),
            Content::Plain(value) => value.clone(),
        }
    }

    pub(crate) fn table(&self) -> Option<&BTreeMap<String, Self>> {
        if let Content::Table(table) = &self.content { Some(table) } else { None }
    }

    /// Returns what stands under a key.
    pub(crate) fn get(&self, key: &Key) -> Option<&Self> {
        key.parts().iter().try_fold(self, |node, part| node.table()?.get(part))
    }

    /// Takes out what stands under a key.
    pub(crate) fn remove(&mut self, key: &Key) -> Option<Self> {
        let (last, way) = key.parts().split_last()?;
        let parent =
            way.iter().try_fold(
                self,
                |node, part| {
                    if let Content::Table(table) = &mut node.content { table.get_mut(part) } else { None }
                },
            )?;
        if let Content::Table(table) = &mut parent.content { table.remove(last) } else { None }
    }

    /// Puts a value under a key, in place of whatever stands there or on the way.
    pub(crate) fn insert(&mut self, key: &Key, value: Self) {
        let origin = value.origin.clone();
        let mut node = self;
        for part in key.parts() {
            if node.table().is_none() {
                *node = Self::new(origin.clone(), Content::Table(BTreeMap::new()));
            }
            let Content::Table(table) = &mut node.content else { return };
            node = table.entry(part.clone()).or_insert_with(|| Self::new(origin.clone(), Content::Table(BTreeMap::new())));
        }
        *node = value;
    }

    /// Lays a layer over this one: tables are laid over tables, and anything else replaces what was there. A reference to a secret is
    /// one value, though it is written as a table.
    pub(crate) fn overlay(&mut self, above: Self, form: Option<&Form<'_>>) {
        let is_value = form.is_some_and(Form::is_secret);
        match (&mut self.content, above.content) {
            (Content::Table(under), Content::Table(over)) if !is_value => {
                for (key, node) in over {
                    let form = form.and_then(|form| form.key(&key));
                    match under.get_mut(&key) {
                        Some(there) => there.overlay(node, form.as_ref()),
                        None => {
                            under.insert(key, node);
                        }
                    }
                }
            }
            (_, content) => *self = Self { content, ..above },
        }
    }

    /// Finds what the path of a mistake means: `stops[2].name`, or `stops.2.name`. A key may have dots of its own.
    pub(crate) fn locate(&self, path: &str) -> Located {
        let mut located = Located { steps: Vec::new(), key: String::new() };
        let (mut node, mut rest) = (self, path);
        while !rest.is_empty() {
            rest = rest.strip_prefix('.').unwrap_or(rest);
            // A step that serde could not name.
            if let Some(after) = rest.strip_prefix('?').filter(|after| after.is_empty() || after.starts_with('.')) {
                rest = after;
                continue;
            }
            let Some((step, next, after)) = node.step(rest) else {
                located.push_key(rest);
                return located;
            };
            match &step {
                Step::Key(key) => located.push_key(&quoted(key)),
                Step::Item(number) => located.key += &format!("[{number}]"),
            }
            located.steps.push(step);
            (node, rest) = (next, after);
        }
        located
    }

    fn step<'p>(&self, path: &'p str) -> Option<(Step, &Self, &'p str)> {
        match &self.content {
            Content::Table(table) => {
                let fits = |key: &str| {
                    let rest = path.strip_prefix(key)?;
                    (rest.is_empty() || rest.starts_with(['.', '['])).then_some(rest)
                };
                // The longest key that fits is the one: `a.b` and not `a`.
                let found =
                    table.iter().filter(|(_, node)| !node.left_out).filter_map(|(key, node)| Some((key, node, fits(key)?)));
                let (key, node, rest) = found.max_by_key(|(key, ..)| key.len())?;
                Some((Step::Key(key.clone()), node, rest))
            }
            Content::List(items) => {
                let bare = path.strip_prefix('[').unwrap_or(path);
                let end = bare.find(|one: char| !one.is_ascii_digit()).unwrap_or(bare.len());
                let number: usize = bare[..end].parse().ok()?;
                let rest = bare[end..].strip_prefix(']').unwrap_or(&bare[end..]);
                let (at, node) = items.iter().enumerate().filter(|(_, item)| !item.left_out).nth(number)?;
                Some((Step::Item(at), node, rest))
            }
            Content::Plain(_) => None,
        }
    }

    /// Returns what a path leads to, as far as there is something.
    pub(crate) fn at(&self, located: &Located) -> &Self {
        located.steps.iter().fold(self, |node, step| node.child(step).unwrap_or(node))
    }

    fn child(&self, step: &Step) -> Option<&Self> {
        match (&self.content, step) {
            (Content::Table(table), Step::Key(key)) => table.get(key),
            (Content::List(items), Step::Item(number)) => items.get(*number),
            _ => None,
        }
    }

    /// Leaves out what a path leads to. `false` if that is the whole tree, or not there.
    pub(crate) fn leave_out(&mut self, located: &Located) -> bool {
        let mut node = self;
        for step in &located.steps {
            let child = match (&mut node.content, step) {
                (Content::Table(table), Step::Key(key)) => table.get_mut(key),
                (Content::List(items), Step::Item(number)) => items.get_mut(*number),
                _ => None,
            };
            match child {
                Some(child) => node = child,
                None => return false,
            }
        }
        node.left_out = true;
        !located.steps.is_empty()
    }

    /// Tells whether something inside was left out.
    pub(crate) fn is_torn(&self) -> bool {
        let mut inside: Box<dyn Iterator<Item = &Self>> = match &self.content {
            Content::Table(table) => Box::new(table.values()),
            Content::List(items) => Box::new(items.iter()),
            Content::Plain(_) => return false,
        };
        inside.any(|node| node.left_out || node.is_torn())
    }
}

impl Located {
    fn push_key(&mut self, part: &str) {
        if !self.key.is_empty() {
            self.key.push('.');
        }
        self.key += part;
    }

    /// Follows the same way through a schema.
    pub(crate) fn form<'a>(&self, form: &Form<'a>) -> Option<Form<'a>> {
        self.steps.iter().try_fold(form.clone(), |form, step| match step {
            Step::Key(key) => form.key(key),
            Step::Item(_) => form.item(),
        })
    }

    /// Follows it up to the table that holds the last key.
    pub(crate) fn parent_form<'a>(&self, form: &Form<'a>) -> Option<Form<'a>> {
        let steps = self.steps.split_last().map_or(&[][..], |(_, way)| way).to_vec();
        Self { steps, key: String::new() }.form(form)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn tree(value: Value) -> Node {
        Node::from_json(value, &Origin::CommandLine)
    }

    #[test]
    fn a_path_leads_to_a_value() {
        let tree = tree(json!({ "stops": [{ "name": 1 }, { "name": 2 }], "a.b": { "c": 3 }, "a": { "b": 4 } }));
        for (path, key, value) in [
            ("stops[1].name", "stops[1].name", json!(2)),
            ("stops.1.name", "stops[1].name", json!(2)),
            ("a.b.c", "\"a.b\".c", json!(3)),
            ("stops[1].nmae", "stops[1].nmae", json!({ "name": 2 })),
            ("?.stops", "stops", json!([{ "name": 1 }, { "name": 2 }])),
            ("nothing", "nothing", tree.to_json()),
            ("", "", tree.to_json()),
        ] {
            let located = tree.locate(path);
            assert_eq!((located.key.as_str(), tree.at(&located).to_json()), (key, value), "{path}");
        }
    }

    #[test]
    fn what_is_left_out_does_not_move_the_rest() {
        let mut tree = tree(json!({ "stops": ["a", "b", "c"] }));
        let second = tree.locate("stops[1]");
        assert!(tree.leave_out(&second));
        assert_eq!(tree.to_json(), json!({ "stops": ["a", "c"] }));
        // The reader's second is the file's third.
        assert_eq!(tree.locate("stops[1]").key, "stops[2]");
        let whole = tree.locate("");
        assert!(!tree.leave_out(&whole));
    }

    #[test]
    fn tables_are_laid_over_tables_and_anything_else_replaces() {
        let mut under = tree(json!({ "a": { "b": 1, "c": [1, 2] }, "d": 1 }));
        under.overlay(tree(json!({ "a": { "c": [3] }, "d": { "e": 2 } })), None);
        assert_eq!(under.to_json(), json!({ "a": { "b": 1, "c": [3] }, "d": { "e": 2 } }));
    }

    #[test]
    fn a_key_is_put_in_and_taken_out() {
        let mut tree = Node::empty();
        let key = Key::of(["a", "b.c"]);
        tree.insert(&key, self::tree(json!(1)));
        assert_eq!(tree.to_json(), json!({ "a": { "b.c": 1 } }));
        assert!(tree.remove(&key).is_some() && tree.remove(&key).is_none());
        assert_eq!(tree.to_json(), json!({ "a": {} }));
    }
}
