//! Allows, asks about or denies tools, by configuration.
