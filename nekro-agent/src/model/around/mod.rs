//! What is put around a model: it is asked again, another one is asked, and it may not cost more than it should.

mod breaker;
mod budget;
mod chain;
mod link;
#[cfg(test)]
pub(in crate::model) mod testing;
#[cfg(test)]
mod tests;

pub(crate) use self::budget::Spent;
pub(super) use self::{breaker::Breaker, budget::Budgeted, chain::Chain, link::Link};
