//! The plugins that the nekro agent is built with.
//!
//! To add one: a line in `Cargo.toml`, and its name here.

#![deny(unused_crate_dependencies)]

nekro_core::bundle! {
    nekro_plugin_approval,
    nekro_plugin_basic,
    nekro_plugin_board,
    nekro_plugin_dice,
    nekro_plugin_feeds,
    nekro_plugin_git,
    nekro_plugin_github,
    nekro_plugin_greeter,
    nekro_plugin_guard,
    nekro_plugin_knowledge,
    nekro_plugin_mcp,
    nekro_plugin_notes,
    nekro_plugin_persona,
    nekro_plugin_report,
    nekro_plugin_search,
    nekro_plugin_timer,
    nekro_plugin_transcript,
    nekro_plugin_weather,
    nekro_plugin_web_reader,
}
