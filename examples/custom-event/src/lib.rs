//! A plugin that exports an event, and one that listens to it.
