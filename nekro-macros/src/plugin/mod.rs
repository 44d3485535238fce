//! `#[plugin]`

mod expand;
mod model;
mod scope;

use proc_macro2::TokenStream;
use quote::quote;
use syn::ItemStruct;

use crate::shared::{Diagnostics, Keys};

pub(crate) fn attribute(keys: TokenStream, item: TokenStream) -> TokenStream {
    let mut diagnostics = Diagnostics::default();
    let keys = Keys::parse("plugin", keys, &mut diagnostics);
    let plugin = match syn::parse2::<ItemStruct>(item.clone()) {
        Ok(structure) => model::Plugin::read(structure, keys, &mut diagnostics),
        Err(error) => {
            diagnostics.push(syn::Error::new(error.span(), "`#[plugin]` stands on a struct, such as `pub struct Weather;`"));
            let (plugin, errors) = (expand::expand(&model::Plugin::stand_in(None)), diagnostics.finish());
            return quote!(#item #errors #plugin);
        }
    };
    // The plugin is emitted in spite of mistakes: all other items of the crate need it.
    let errors = diagnostics.finish();
    if plugin.is_usable() {
        let plugin = expand::expand(&plugin);
        return quote!(#plugin #errors);
    }
    let stand_in = expand::expand(&model::Plugin { scopes: plugin.scopes, ..model::Plugin::stand_in(plugin.core) });
    quote!(#item #errors #stand_in)
}

#[cfg(test)]
mod tests {
    use expect_test::expect_file;
    use quote::quote;

    use crate::shared::testing::check;

    #[test]
    fn a_plugin_with_configuration_derives_its_schema() {
        let item = quote! {
            /// Weather for any place.
            pub struct Weather {
                /// Units of the answers.
                #[serde(default)]
                units: Units,
            }
        };
        let keys = quote!(
            id = "weather",
            title = "Weather",
            requires = ["notes ^1"],
            http = ["api.example.org", "*.example.org:8443"],
            crate = nk
        );
        check(super::attribute(keys, item), expect_file!["snapshots/configured.rs"]);
    }

    #[test]
    fn a_plugin_without_configuration_is_a_unit_struct() {
        let item = quote! {
            /// Dice.
            pub struct Dice;
        };
        check(super::attribute(quote!(id = "dice"), item), expect_file!["snapshots/unit.rs"]);
    }
}
