//! A host for the tests of a plugin: real kernel, fake ports, no sleeping.
//!
//! ```
//! use nekro_core::{prelude::*, testing::Host};
//! use serde_json::json;
//!
//! /// Says hello.
//! #[plugin]
//! pub struct Hello;
//!
//! /// Greets somebody.
//! #[tool]
//! fn greet(
//!     /// Whom to greet.
//!     name: &str,
//! ) -> String {
//!     format!("Hello, {name}!")
//! }
//!
//! # fn main() {
//! let host = Host::of::<Hello>();
//! assert_eq!(host.call("greet", json!({ "name": "Ada" })).unwrap().to_text(), "Hello, Ada!");
//! # }
//! ```
//!
//! The host runs its own runtime with paused time: a deadline of an hour passes at once when nothing else is left to do, and
//! [`Host::advance`] moves the clock. So its methods are plain functions, and a test needs no `async`.

mod builder;
mod host;
mod http;
mod model;
mod ports;
mod process;
mod progress;
mod schedules;
mod tasks;

pub use self::{
    builder::HostBuilder,
    host::Host,
    http::{FakeAnswer, FakeHttp},
    model::FakeModel,
    ports::{Approver, FakeClock, FakeEnv, FakeSecrets, FakeSessions, Outbox, Recorder, SeededRandom},
    process::{FakeOutput, FakeProcess},
    progress::FakeProgress,
    schedules::FakeSchedules,
    tasks::{FakeRun, FakeTasks},
};
