//! What a `#[plugin]` says, checked.

use quote::ToTokens;
use syn::{ExprPath, Fields, ItemStruct, LitStr, Token, Visibility, parse_quote};

use super::scope::{self, Scope};
use crate::shared::{Diagnostics, Keys, check_name, docs, plugin_id};

/// A plugin.
pub(crate) struct Plugin {
    pub(crate) item: ItemStruct,
    pub(crate) id: String,
    pub(crate) docs: String,
    pub(crate) title: Option<LitStr>,
    pub(crate) category: Option<LitStr>,
    pub(crate) requires: Vec<LitStr>,
    pub(crate) scopes: Vec<Scope>,
    pub(crate) migrations: Vec<ExprPath>,
    /// What `nekro-core` is called in the crate, if not that.
    pub(crate) core: Option<ExprPath>,
    pub(crate) has_config: bool,
}

impl Plugin {
    pub(crate) fn read(mut item: ItemStruct, mut keys: Keys, diagnostics: &mut Diagnostics) -> Self {
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
        let scopes = scope::read(&mut keys, diagnostics);
        let migrations = keys.paths("migrations", "notes_have_titles", diagnostics);
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
            item.vis = Visibility::Public(Token![pub](item.ident.span()));
        }
        if !item.generics.params.is_empty() {
            diagnostics.report(&item.generics, "a plugin's struct cannot be generic: it is one configuration");
        }
        if let Fields::Unnamed(fields) = &item.fields {
            diagnostics.report(fields, "a plugin's configuration has named fields: write `pub struct Weather { units: Units }`");
        }
        let has_config = !matches!(item.fields, Fields::Unit);
        Self { item, id, docs, title, category, requires, scopes, migrations, core, has_config }
    }

    /// Makes a plugin in the place of an item that cannot be one, so that the rest of the crate still has a plugin to belong to.
    pub(crate) fn stand_in(core: Option<ExprPath>) -> Self {
        let item = parse_quote! {
            #[doc(hidden)]
            pub struct __NekroStandIn;
        };
        let (id, docs) = (String::new(), String::new());
        let (requires, scopes, migrations) = (Vec::new(), Vec::new(), Vec::new());
        Self { item, id, docs, title: None, category: None, requires, scopes, migrations, core, has_config: false }
    }

    /// Tells whether the rest of the expansion can work with the struct.
    pub(crate) fn is_usable(&self) -> bool {
        self.item.generics.params.is_empty()
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
    let meant = plugin_id(id);
    if id.starts_with("nekro-plugin-") {
        diagnostics.report(text, format!("`{id}` is the package: write the id of its plugin, such as `{meant}`"));
    } else {
        check_name("the id of a plugin", id, text, diagnostics);
    }
    if let Err(error) = semver::VersionReq::parse(range.trim()) {
        diagnostics.report(text, format!("`{range}` is not a range of versions, such as `^1` or `>=1.2, <2`: {error}"));
    }
}
