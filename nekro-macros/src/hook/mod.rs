//! `#[init]` and `#[cleanup]`

mod expand;
mod model;

use proc_macro2::TokenStream;

pub(crate) use self::model::When;
use crate::shared::function_attribute;

pub(crate) fn attribute(when: When, keys: TokenStream, item: TokenStream) -> TokenStream {
    let read = |function: &_, keys, diagnostics: &mut _| model::Hook::read(when, function, keys, diagnostics);
    function_attribute(when.attribute(), keys, item, read, expand::expand, expand::rescue)
}

#[cfg(test)]
mod tests {
    use expect_test::expect_file;
    use quote::quote;

    use super::When;
    use crate::shared::testing::check;

    #[test]
    fn init_lends_what_it_returns() {
        let item = quote! { async fn connect(weather: &Weather) -> Result<Client> {} };
        check(super::attribute(When::Init, quote!(), item), expect_file!["snapshots/init.rs"]);
    }

    #[test]
    fn cleanup_lends_nothing_new() {
        let item = quote! { fn close(client: &Client) {} };
        check(super::attribute(When::Cleanup, quote!(), item), expect_file!["snapshots/cleanup.rs"]);
    }
}
