//! `#[event]`

mod expand;
mod model;

use proc_macro2::TokenStream;
use quote::quote;
use syn::ItemStruct;

use crate::shared::{Diagnostics, Keys};

pub(crate) fn attribute(keys: TokenStream, item: TokenStream) -> TokenStream {
    let mut diagnostics = Diagnostics::default();
    let keys = Keys::parse("event", keys, &mut diagnostics);
    let event = match syn::parse2::<ItemStruct>(item.clone()) {
        Ok(structure) => Some(model::Event::read(structure, keys, &mut diagnostics)).filter(model::Event::is_usable),
        Err(error) => {
            diagnostics.push(syn::Error::new(error.span(), "`#[event]` stands on a struct with named fields"));
            None
        }
    };
    // The event is emitted in spite of mistakes: its handlers need it.
    let errors = diagnostics.finish();
    let event = event.map_or(item, |event| expand::expand(&event));
    quote!(#event #errors)
}

#[cfg(test)]
mod tests {
    use expect_test::expect_file;
    use quote::quote;

    use crate::shared::testing::check;

    #[test]
    fn a_fact_knows_its_session() {
        let item = quote! {
            /// A note was saved.
            pub struct NoteSaved {
                /// Where.
                pub session: SessionId,
            }
        };
        check(super::attribute(quote!(), item), expect_file!["snapshots/fact.rs"]);
    }

    #[test]
    fn a_decision_knows_its_verdict() {
        let item = quote! {
            /// May this be published?
            pub struct Publish {
                /// The text.
                pub text: String,
            }
        };
        check(super::attribute(quote!(decision = Approval, revise = apply), item), expect_file!["snapshots/decision.rs"]);
    }
}
