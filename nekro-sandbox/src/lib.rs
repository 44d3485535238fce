//! Runs Python that a model wrote, in an isolated process of the same binary, with functions of its host as modules.
//!
//! ```no_run
//! # use std::{pin::Pin, sync::Arc};
//! # use nekro_sandbox::*;
//! struct Weather;
//!
//! impl Host for Weather {
//!     fn call<'a>(&'a self, call: Call<'a>) -> Pin<Box<dyn Future<Output = Result<Answer, CallError>> + Send + 'a>> {
//!         Box::pin(async move { Answer::value(&18) })
//!     }
//! }
//!
//! fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     // First of all: what is started by the sandbox is this very program.
//!     nekro_sandbox::worker_main_if_asked();
//!     # let functions = Arc::new(Functions::default());
//!     tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
//!         let sandbox = Sandbox::start(Settings::default()).await?;
//!         let script = Script::new("weather.today(city='Oslo') + 1", functions);
//!         println!("{:?}", sandbox.run(&script, &Weather).await?.outcome);
//!         Ok(())
//!     })
//! }
//! ```
//!
//! This crate knows names, schemas and a way to make a call; it knows no plugins. A script runs behind two walls: an interpreter compiled to
//! WebAssembly, with a memory of its own for each script and no way out but one function, and a process that can do nothing but talk over one
//! socket ([`Confinement`]). What comes over that socket is measured before it is read.

#[cfg(not(all(target_os = "linux", feature = "python")))]
mod absent;
mod call;
mod confine;
#[cfg(all(target_os = "linux", feature = "python"))]
mod cut;
#[cfg(all(target_os = "linux", feature = "python"))]
mod engine;
mod error;
mod functions;
#[cfg(all(target_os = "linux", feature = "python"))]
mod image;
mod limits;
#[cfg(all(target_os = "linux", feature = "python"))]
mod pool;
#[cfg(all(target_os = "linux", feature = "python"))]
mod process;
#[cfg(all(target_os = "linux", feature = "python"))]
#[doc(hidden)]
pub mod protocol;
#[cfg(all(target_os = "linux", feature = "python"))]
mod run;
mod script;
mod settings;
mod stubs;
#[cfg(all(target_os = "linux", feature = "python"))]
mod worker;

#[cfg(not(all(target_os = "linux", feature = "python")))]
pub use self::absent::{Sandbox, worker_main_if_asked};
pub use self::{
    call::{Answer, Call, CallError, Host, Part},
    confine::{Confinement, Layer, Standing},
    error::SandboxError,
    functions::{Function, Functions, Parameter, SameName},
    limits::{Limit, Limits},
    script::{Failure, Made, Outcome, Problem, Report, Script, Shown, State, Value},
    settings::{Require, Settings},
};
#[cfg(all(target_os = "linux", feature = "python"))]
pub use self::{
    pool::Sandbox,
    worker::{confine_for_test, worker_main_if_asked},
};

#[cfg(all(target_os = "linux", feature = "python"))]
/// Fills bytes with chance from the kernel.
fn random(bytes: &mut [u8]) {
    let mut rest = bytes;
    while !rest.is_empty() {
        match rustix::rand::getrandom(&mut *rest, rustix::rand::GetRandomFlags::empty()) {
            Ok(filled) => rest = &mut rest[filled..],
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => unreachable!("the kernel has random bytes for everybody: {error}"),
        }
    }
}
