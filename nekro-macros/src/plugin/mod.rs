//! `#[plugin]`

mod expand;
mod model;

use proc_macro2::TokenStream;
use quote::quote;
use syn::ItemStruct;

use crate::shared::{Diagnostics, Keys};

pub(crate) fn attribute(keys: TokenStream, item: TokenStream) -> TokenStream {
    let mut diagnostics = Diagnostics::default();
    let keys = Keys::parse("plugin", keys, &mut diagnostics);
    let model = match syn::parse2::<ItemStruct>(item.clone()) {
        Ok(structure) => model::Plugin::read(structure, keys, &mut diagnostics),
        Err(error) => {
            let is_struct = item.clone().into_iter().any(|token| token.to_string() == "struct");
            diagnostics.push(if is_struct {
                error
            } else {
                syn::Error::new(error.span(), "`#[plugin]` stands on a struct, such as `pub struct Weather;`")
            });
            None
        }
    };
    match diagnostics.finish(model) {
        Ok(model) => expand::expand(&model),
        Err(errors) => quote!(#item #errors),
    }
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
        let keys = quote!(id = "weather", title = "Weather", requires = ["notes ^1"], crate = nk);
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
