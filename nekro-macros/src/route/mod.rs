//! `#[route]`

mod expand;
mod model;
mod parse;

use proc_macro2::TokenStream;

use crate::shared::{function_attribute, nothing};

pub(crate) fn attribute(keys: TokenStream, item: TokenStream) -> TokenStream {
    let (head, keys) = parse::Head::split(keys);
    let read = |function: &_, keys, diagnostics: &mut _| model::Route::read(&head, function, keys, diagnostics);
    function_attribute("route", keys, item, read, expand::expand, nothing)
}

#[cfg(test)]
mod tests {
    use expect_test::expect_file;
    use quote::quote;

    use crate::shared::testing::check;

    #[test]
    fn a_route_expands_to_data_and_one_call_per_parameter() {
        check(
            super::attribute(
                quote!(GET, "/boards/{id}", auth = user),
                quote! {
                    /// A board with its cards.
                    async fn board(store: &Store, id: BoardId, page: Option<u32>) -> Result<Board> {}
                },
            ),
            expect_file!["snapshots/route.rs"],
        );
    }

    #[test]
    fn everybody_may_ask_for_a_public_route() {
        let route = quote! {
            /// Says it again.
            fn say(text: String) -> String {}
        };
        let expanded = super::attribute(quote!(POST, "/", auth = public), route).to_string();
        assert!(expanded.contains("role : :: core :: option :: Option :: None"), "{expanded}");
    }

    #[test]
    fn only_what_is_read_can_be_a_resource() {
        let route = quote! {
            /// Says it again.
            fn say(text: String) -> String {}
        };
        let expanded = super::attribute(quote!(GET, "/", auth = public, resource), route.clone()).to_string();
        assert!(expanded.contains("resource : true"), "{expanded}");
        let refused = super::attribute(quote!(POST, "/", auth = public, resource), route).to_string();
        assert!(refused.contains("only a route with `GET` can be one"), "{refused}");
    }
}
