//! The whole agent, as a person and a program use it: the real binary, its real input and output.

mod audit;
#[cfg(feature = "http")]
mod background;
mod call;
mod channels;
mod chat;
mod config;
mod data;
mod emit;
mod help;
mod leaks;
mod listings;
#[cfg(feature = "mcp")]
mod mcp;
#[cfg(feature = "mcp")]
mod mcp_client;
mod models;
mod policy;
#[path = "../../nekro-agent/src/audit/testing.rs"]
mod programs;
mod report;
mod schedules;
mod schema;
#[cfg(all(target_os = "linux", feature = "sandbox"))]
mod scripts;
#[cfg(feature = "http")]
mod serve;
#[cfg(feature = "http")]
mod served;
mod settings;
mod support;
mod tasks;
#[cfg(unix)]
mod terminal;
mod turns;
mod web;
