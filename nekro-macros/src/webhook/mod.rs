//! `#[webhook]`

mod expand;
mod model;

use proc_macro2::TokenStream;
use quote::quote;

use crate::shared::{function_attribute, nothing};

pub(crate) fn attribute(keys: TokenStream, item: TokenStream) -> TokenStream {
    // The name may stand first, without its key.
    let named = match keys.clone().into_iter().next() {
        Some(proc_macro2::TokenTree::Literal(_)) => quote!(name = #keys),
        _ => keys,
    };
    function_attribute("webhook", named, item, model::Webhook::read, expand::expand, nothing)
}

#[cfg(test)]
mod tests {
    use expect_test::expect_file;
    use quote::quote;

    use crate::shared::testing::check;

    #[test]
    fn a_webhook_expands_to_data_and_one_call_per_parameter() {
        check(
            super::attribute(
                quote!("github", signature = github),
                quote! {
                    /// Tells the subscribers.
                    async fn pushed(hook: &Hook<Push>, messages: &Messages) -> Result<()> {}
                },
            ),
            expect_file!["snapshots/webhook.rs"],
        );
    }
}
