//! `#[on_event]`

mod expand;
mod model;

use proc_macro2::TokenStream;

use crate::shared::{function_attribute, nothing};

pub(crate) fn attribute(keys: TokenStream, item: TokenStream) -> TokenStream {
    function_attribute("on_event", keys, item, model::Handler::read, expand::expand, nothing)
}

#[cfg(test)]
mod tests {
    use expect_test::expect_file;
    use quote::quote;

    use crate::shared::testing::check;

    #[test]
    fn an_async_handler_expands_to_data_and_one_call_per_parameter() {
        let item = quote! { async fn greet(event: &SessionCreated, messages: &Messages) -> Result<()> {} };
        check(super::attribute(quote!(), item), expect_file!["snapshots/async.rs"]);
    }

    #[test]
    fn a_plain_handler_is_not_boxed() {
        let item = quote! { fn guard(call: &ToolCall) -> Approval {} };
        let keys = quote!(phase = early, priority = 10, deadline = "1s");
        check(super::attribute(keys, item), expect_file!["snapshots/sync.rs"]);
    }
}
