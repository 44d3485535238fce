//! Tasks with a database in memory and time that passes only when everybody waits; and, in `kill`, on the disk, killed at random moments.

mod behaviour;
mod kill;
mod limits;
mod owners;
mod probe;
mod schedules;
mod world;
