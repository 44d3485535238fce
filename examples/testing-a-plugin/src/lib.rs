//! How to test a plugin.
