//! Which conversations a plugin declares, for the capabilities that go beyond the one of the call.

use crate::{
    error::{Error, Result},
    ids::SessionId,
    plugin::PluginDecl,
    policy::matches,
};

/// Tells whether a plugin declares a conversation under a key of its attribute. `telegram:*` is every one of that channel.
pub(super) fn declares(plugin: &PluginDecl, key: &str, session: &SessionId) -> bool {
    plugin.scope(key).iter().any(|pattern| matches(pattern, session.as_str()))
}

/// Refuses a conversation that is neither the call's own nor declared.
pub(super) fn check(plugin: &PluginDecl, key: &str, own: Option<&SessionId>, session: &SessionId) -> Result<()> {
    if own == Some(session) || declares(plugin, key, session) {
        return Ok(());
    }
    Err(Error::new(format!("the plugin `{}` does not declare the conversation `{session}`", plugin.id))
        .with_code("out_of_scope")
        .with_hint(format!("its author adds {:?} to `{key}` in `#[plugin({key} = […])]`", session.as_str())))
}
