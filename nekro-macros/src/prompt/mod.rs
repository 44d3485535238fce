//! `#[prompt]`

mod expand;
mod model;

use proc_macro2::TokenStream;

use crate::shared::{function_attribute, nothing};

pub(crate) fn attribute(keys: TokenStream, item: TokenStream) -> TokenStream {
    function_attribute("prompt", keys, item, model::Prompt::read, expand::expand, nothing)
}

#[cfg(test)]
mod tests {
    use expect_test::expect_file;
    use quote::quote;

    use crate::shared::testing::check;

    #[test]
    fn a_prompt_section_expands_to_data_and_one_call_per_parameter() {
        check(
            super::attribute(quote!(priority = -1, budget = 500), quote! { async fn notes(store: &Store) -> Option<String> {} }),
            expect_file!["snapshots/prompt.rs"],
        );
    }
}
