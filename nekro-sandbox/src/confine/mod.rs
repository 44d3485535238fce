//! The walls around a worker process, and the only room of this crate with `unsafe` in it.
//!
//! A worker goes through [`enter`] before it reads its first script. Each layer is tried on its own and reported on its own; what must be there is
//! for the host to decide.

#[cfg(all(target_os = "linux", feature = "python"))]
pub(crate) mod clock;
#[cfg(all(target_os = "linux", feature = "python"))]
mod image;
#[cfg(all(target_os = "linux", feature = "python"))]
mod linux;
mod report;
#[cfg(all(target_os = "linux", feature = "python"))]
mod seccomp;

#[cfg(all(target_os = "linux", feature = "python"))]
pub(crate) use self::image::load as load_image;
#[cfg(all(target_os = "linux", feature = "python"))]
pub(crate) use self::linux::{early, enter};
pub use self::report::{Confinement, Layer, Standing};
