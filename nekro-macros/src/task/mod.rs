//! `#[task]`

pub(crate) mod expand;
pub(crate) mod model;

use proc_macro2::TokenStream;

use crate::shared::function_attribute;

pub(crate) fn attribute(keys: TokenStream, item: TokenStream) -> TokenStream {
    function_attribute("task", keys, item, model::Task::read, expand::expand, expand::rescue)
}

#[cfg(test)]
mod tests {
    use expect_test::expect_file;
    use quote::quote;

    use crate::shared::testing::check;

    #[test]
    fn a_task_expands_to_its_arguments_data_and_one_call_per_parameter() {
        check(
            super::attribute(
                quote!(tool, retries = 3, backoff = "2s", when_disabled = cancel, on_terminal = told),
                quote! {
                    /// Builds the index.
                    async fn build(
                        task: &Task,
                        /// Of what.
                        path: &str,
                        /// How deep.
                        #[arg(default = 3)]
                        depth: u8,
                    ) -> Result<Report> {
                        half typed body(
                        )
                    }
                },
            ),
            expect_file!["snapshots/task.rs"],
        );
    }
}
