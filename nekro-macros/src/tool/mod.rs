//! `#[tool]`

mod expand;
mod model;

use proc_macro2::TokenStream;

use crate::shared::{function_attribute, nothing};

pub(crate) fn attribute(keys: TokenStream, item: TokenStream) -> TokenStream {
    function_attribute("tool", keys, item, model::Tool::read, expand::expand, nothing)
}

#[cfg(test)]
mod tests {
    use expect_test::expect_file;
    use quote::quote;

    use crate::shared::testing::check;

    #[test]
    fn a_tool_expands_to_data_and_one_call_per_parameter() {
        check(
            super::attribute(
                quote!(read_only, deadline = "5s"),
                quote! {
                    /// Forecast for a city.
                    async fn forecast(
                        http: &Http,
                        /// The city's name.
                        city: &str,
                        /// Days ahead.
                        #[arg(default = 0, range = 0..=16)]
                        days: u8,
                    ) -> Result<Forecast> {
                        half typed body(
                        )
                    }
                },
            ),
            expect_file!["snapshots/tool.rs"],
        );
    }
}
