//! The plugins that were chosen. `build.rs` reads the same file.

nekro_core::bundle! { nekro_plugin_dice, hello_plugin }
