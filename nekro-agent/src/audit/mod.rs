//! What a program may do, without running it: its surface, and what of that was reviewed.
//!
//! Whatever a file says is somebody else's word. It is read within limits, and what is printed of it cannot steer a terminal.

pub(crate) mod cyclonedx;
pub(crate) mod diff;
pub(crate) mod harmless;
pub(crate) mod lock;
mod program;
mod section;
mod surface;
#[cfg(test)]
mod testing;
pub(crate) mod view;

pub(crate) use self::{
    program::{Program, ProgramError},
    surface::Surface,
};
