//! What a `#[plugin]` says, checked.

use quote::ToTokens;
use syn::{ExprPath, Fields, ItemStruct, LitStr, Visibility};

use crate::shared::{Diagnostics, Keys, check_name, docs, plugin_id};

/// A plugin.
pub(crate) struct Plugin {
    pub(crate) item: ItemStruct,
    pub(crate) id: String,
    pub(crate) docs: String,
    pub(crate) title: Option<LitStr>,
    pub(crate) category: Option<LitStr>,
    pub(crate) requires: Vec<LitStr>,
    /// What `nekro-core` is called in the crate, if not that.
    pub(crate) core: Option<ExprPath>,
    pub(crate) has_config: bool,
}

impl Plugin {
    pub(crate) fn read(item: ItemStruct, mut keys: Keys, diagnostics: &mut Diagnostics) -> Option<Self> {
        let id = match keys.text("id", "weather", diagnostics) {
            Some(id) => {
                check_name("the id of a plugin", &id.value(), &id, diagnostics);
                id.value()
            }
            None => {
                let package = std::env::var("CARGO_PKG_NAME").unwrap_or_default();
                let id = plugin_id(&package);
                check_name("the id of a plugin, which is made from the package's name,", &id, &item.ident, diagnostics);
                id
            }
        };
        let title = keys.text("title", "Weather", diagnostics);
        let category = keys.text("category", "world", diagnostics);
        let requires = keys.texts("requires", "notes ^1", diagnostics);
        let core = keys.path("crate", "nk", diagnostics);
        keys.finish(diagnostics);
        for requirement in &requires {
            check_requirement(requirement, diagnostics);
        }
        let docs = docs(&item.attrs);
        if docs.is_empty() {
            diagnostics.report(&item.ident, "a plugin needs a doc comment: it is the description that operators read");
        }
        if !matches!(item.vis, Visibility::Public(_)) {
            diagnostics.report(&item.ident, "a plugin's struct must be `pub`: the agent's bundle names it");
        }
        if !item.generics.params.is_empty() {
            diagnostics.report(&item.generics, "a plugin's struct cannot be generic: it is one configuration");
        }
        if let Fields::Unnamed(fields) = &item.fields {
            diagnostics.report(fields, "a plugin's configuration has named fields: write `pub struct Weather { units: Units }`");
        }
        let has_config = !matches!(item.fields, Fields::Unit);
        Some(Self { item, id, docs, title, category, requires, core, has_config })
    }

    /// Tells whether the user's own attributes have a word in them.
    pub(crate) fn says(&self, word: &str) -> bool {
        self.item.attrs.iter().any(|attribute| attribute.meta.to_token_stream().to_string().contains(word))
    }
}

/// Reports what does not read like `notes ^1`.
fn check_requirement(text: &LitStr, diagnostics: &mut Diagnostics) {
    let value = text.value();
    let (id, range) = value.split_once(' ').unwrap_or((&value, "*"));
    check_name("the id of a plugin", id, text, diagnostics);
    if let Err(error) = semver::VersionReq::parse(range.trim()) {
        diagnostics.report(text, format!("`{range}` is not a range of versions, such as `^1` or `>=1.2, <2`: {error}"));
    }
}
