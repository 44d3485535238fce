//! The whole agent, as a person and a program use it: the real binary, its real input and output.

mod call;
mod chat;
mod config;
mod data;
mod emit;
mod help;
mod listings;
mod schema;
mod settings;
mod support;
