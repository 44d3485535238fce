//! What plugins reach outside of the agent, each behind a border of its own.

mod http;

pub(crate) use self::http::{Egress, HttpSettings};
