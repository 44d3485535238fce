//! The time of day, from the operating system.

use jiff::Timestamp;
use nekro_core::ClockPort;

#[derive(Debug)]
pub(crate) struct SystemClock;

impl ClockPort for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}
