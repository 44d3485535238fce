//! `#[command]`

mod expand;
mod model;

use proc_macro2::TokenStream;

use crate::shared::{function_attribute, nothing};

pub(crate) fn attribute(keys: TokenStream, item: TokenStream) -> TokenStream {
    function_attribute("command", keys, item, model::Command::read, expand::expand, nothing)
}

#[cfg(test)]
mod tests {
    use expect_test::expect_file;
    use quote::quote;

    use crate::shared::testing::check;

    #[test]
    fn a_command_expands_to_data_and_one_call_per_parameter() {
        check(
            super::attribute(
                quote!(aliases = ["r"], role = admin),
                quote! {
                    /// Rolls dice.
                    fn roll(
                        random: &Random,
                        /// What to roll.
                        #[arg(default)]
                        notation: Dice,
                    ) -> String {
                    }
                },
            ),
            expect_file!["snapshots/command.rs"],
        );
    }
}
