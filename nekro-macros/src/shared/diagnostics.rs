//! Mistakes, collected and reported together.

use proc_macro2::TokenStream;
use quote::ToTokens;

/// The mistakes in one item.
#[derive(Debug, Default)]
pub(crate) struct Diagnostics(Vec<syn::Error>);

impl Diagnostics {
    /// Reports a mistake at the tokens that have to change.
    pub(crate) fn report(&mut self, at: impl ToTokens, message: impl std::fmt::Display) {
        self.0.push(syn::Error::new_spanned(at, message));
    }

    /// Takes over a mistake that the parser found.
    pub(crate) fn push(&mut self, error: syn::Error) {
        self.0.push(error);
    }

    /// Ends the collection: all mistakes as code, if there was one.
    pub(crate) fn finish(self) -> Option<TokenStream> {
        (!self.0.is_empty()).then(|| self.0.iter().map(syn::Error::to_compile_error).collect())
    }
}
