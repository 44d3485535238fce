//! `#[schedule]`

mod cron;
mod expand;
mod model;

use proc_macro2::TokenStream;

use crate::shared::function_attribute;

pub(crate) fn attribute(keys: TokenStream, item: TokenStream) -> TokenStream {
    function_attribute("schedule", keys, item, model::Schedule::read, expand::expand, expand::rescue)
}

#[cfg(test)]
mod tests {
    use expect_test::expect_file;
    use quote::quote;

    use crate::shared::testing::check;

    #[test]
    fn a_schedule_expands_to_a_task_and_its_time() {
        check(
            super::attribute(
                quote!(cron = "0 9 * * 1-5", zone = "Europe/Berlin", misfire = skip, jitter = "1m"),
                quote! {
                    /// Counts what there is.
                    async fn count(store: &Store) -> Result<()> {
                        half typed body(
                        )
                    }
                },
            ),
            expect_file!["snapshots/schedule.rs"],
        );
    }
}
