//! The way from tokens to tokens that every attribute on a function takes.

use proc_macro2::TokenStream;
use quote::quote;

use super::{Diagnostics, Function, Keys};

/// Reads an attribute and its function, makes a model of them, and expands that. The function is emitted in any case, and after a
/// mistake `rescue` adds what other items may count on, so that one mistake does not become ten.
pub(crate) fn function_attribute<M>(
    attribute: &'static str,
    keys: TokenStream,
    item: TokenStream,
    model: impl FnOnce(&Function, Keys, &mut Diagnostics) -> Option<M>,
    expand: impl FnOnce(&Function, &M) -> TokenStream,
    rescue: impl FnOnce(&Function, &M) -> TokenStream,
) -> TokenStream {
    let mut diagnostics = Diagnostics::default();
    let keys = Keys::parse(attribute, keys, &mut diagnostics);
    let Some(function) = Function::read(attribute, &item, &mut diagnostics) else {
        let errors = diagnostics.finish();
        return quote!(#item #errors);
    };
    function.check(attribute, &mut diagnostics);
    let model = model(&function, keys, &mut diagnostics);
    let errors = diagnostics.finish();
    let added = model.map(|model| if errors.is_none() { expand(&function, &model) } else { rescue(&function, &model) });
    let item = function.item();
    quote!(#item #errors #added)
}

/// For an attribute whose expansion no other item counts on.
pub(crate) fn nothing<M>(_: &Function, _: &M) -> TokenStream {
    TokenStream::new()
}
