//! The way from tokens to tokens that every attribute on a function takes.

use proc_macro2::TokenStream;
use quote::quote;

use super::{Diagnostics, Function, Keys};

/// Reads an attribute and its function, makes a model of them, and expands that. The function is emitted in any case, so that one
/// mistake does not become ten.
pub(crate) fn function_attribute<M>(
    attribute: &'static str,
    keys: TokenStream,
    item: TokenStream,
    model: impl FnOnce(&Function, Keys, &mut Diagnostics) -> Option<M>,
    expand: impl FnOnce(&Function, &M) -> TokenStream,
) -> TokenStream {
    let mut diagnostics = Diagnostics::default();
    let keys = Keys::parse(attribute, keys, &mut diagnostics);
    let Some(function) = Function::read(attribute, &item, &mut diagnostics) else {
        let errors = diagnostics.finish::<()>(None).err();
        return quote!(#item #errors);
    };
    function.check(attribute, &mut diagnostics);
    let model = model(&function, keys, &mut diagnostics);
    let added = diagnostics.finish(model).map_or_else(|errors| errors, |model| expand(&function, &model));
    let item = function.item();
    quote!(#item #added)
}
