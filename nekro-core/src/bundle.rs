//! The roster of an agent.

/// Names the plugins of an agent. A plugin that is not named is not linked, however it stands in `Cargo.toml`.
///
/// A bundle is a crate that depends on plugins and names them. It exports `PLUGINS`, which an agent is built and started with:
///
/// ```
/// # // Stands for the crate of a plugin.
/// # extern crate self as nekro_plugin_dice;
/// # /// Rolls dice.
/// # #[nekro_core::plugin]
/// # pub struct Dice;
/// nekro_core::bundle! { nekro_plugin_dice }
/// # fn main() {
/// assert_eq!(PLUGINS.len(), 1);
/// # }
/// ```
///
/// A name that is no plugin does not compile. With `#![deny(unused_crate_dependencies)]` in the bundle, neither does a plugin that
/// stands in `Cargo.toml` only.
#[macro_export]
macro_rules! bundle {
    ($($plugin:ident),* $(,)?) => {
        /// The plugins of this bundle.
        pub const PLUGINS: &[&$crate::PluginDecl] = &[$({
            // Found only if the crate has no `#[plugin]`, and then the error below says its name.
            #[allow(dead_code, non_camel_case_types, missing_docs, unreachable_pub)]
            mod the_plugin_of_this_crate {
                pub struct $plugin;
                pub use self::$plugin as Plugin;
            }
            {
                #[allow(unused_imports)]
                use ::$plugin::*;
                <the_plugin_of_this_crate::Plugin as $crate::Plugin>::DECL
            }
        }),*];
    };
}
