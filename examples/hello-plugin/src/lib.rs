//! A first plugin.
