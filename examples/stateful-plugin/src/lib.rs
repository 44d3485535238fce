//! A plugin with state, configuration, init and cleanup.
