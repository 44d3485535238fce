//! From plugins to a program: what the build refuses, and the manifest and the schemas that it makes.

mod config_schema;
mod manifest;
mod project;
mod refused;
mod start;
