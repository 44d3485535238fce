//! Chance.

use std::{fmt, ops::RangeInclusive, sync::Arc};

use super::CapabilityDecl;
use crate::{
    call::Call,
    error::{Error, Result},
    lend::{Lend, Loan},
    plugin::Plugin,
};

/// Chance. A test can make it repeatable.
#[derive(Clone)]
pub struct Random(Arc<dyn RandomPort>);

/// Where chance comes from. Implemented by the host, with the operating system's generator.
pub trait RandomPort: Send + Sync {
    /// Fills the buffer with random bytes.
    fn fill(&self, buffer: &mut [u8]);
}

impl Random {
    /// Makes a handle over a port.
    pub fn new(port: Arc<dyn RandomPort>) -> Self {
        Self(port)
    }

    /// Returns random bytes.
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut buffer = [0; N];
        self.0.fill(&mut buffer);
        buffer
    }

    /// Returns a number in the range, each with the same probability; the lower bound if the range is empty.
    pub fn between<N: Whole>(&self, range: RangeInclusive<N>) -> N {
        let (low, high) = ((*range.start()).into(), (*range.end()).into());
        let span = high.saturating_sub(low);
        let offset = match span.checked_add(1) {
            None => self.word(),
            Some(count) => self.below(count),
        };
        // `low + offset` is at most `high`, which came from an `N`.
        N::try_from(low + offset).unwrap_or(*range.start())
    }

    /// Returns one of the items, or `None` if there are none.
    pub fn pick<'a, T>(&self, items: &'a [T]) -> Option<&'a T> {
        let last = items.len().checked_sub(1)?;
        items.get(self.between(0..=last as u64) as usize)
    }

    fn word(&self) -> u64 {
        u64::from_le_bytes(self.bytes())
    }

    /// A number below `count`, which is not 0, without the bias of a plain remainder: Lemire, "Fast random integer generation in
    /// an interval" (2019), <https://arxiv.org/abs/1805.10941>.
    fn below(&self, count: u64) -> u64 {
        let mut product = u128::from(self.word()) * u128::from(count);
        if (product as u64) < count {
            let threshold = count.wrapping_neg() % count;
            while (product as u64) < threshold {
                product = u128::from(self.word()) * u128::from(count);
            }
        }
        (product >> 64) as u64
    }
}

/// A whole number that is not negative: `u8`, `u16`, `u32` or `u64`.
pub trait Whole: Copy + Into<u64> + TryFrom<u64> {}

impl Whole for u8 {}
impl Whole for u16 {}
impl Whole for u32 {}
impl Whole for u64 {}

impl fmt::Debug for Random {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Random")
    }
}

static RANDOM: CapabilityDecl = CapabilityDecl {
    name: "random",
    summary: "draws random numbers",
    scope: None,
    provided: |ports| ports.has::<dyn RandomPort>(),
};

impl<P: Plugin> Lend<P> for Random {
    const CAPABILITY: Option<&'static CapabilityDecl> = Some(&RANDOM);

    fn lend<'a>(call: &'a Call<'a>) -> Result<Loan<'a, Self>, Error> {
        Ok(Loan::Handle(Self::new(Arc::clone(call.kernel.ports().get::<dyn RandomPort>()?))))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    /// Counts upwards in large odd steps, which visits every residue.
    #[derive(Default)]
    struct Steps(AtomicU64);

    impl RandomPort for Steps {
        fn fill(&self, buffer: &mut [u8]) {
            let word = self.0.fetch_add(0x9E37_79B9_7F4A_7C15, Ordering::Relaxed).to_le_bytes();
            for (to, from) in buffer.iter_mut().zip(word.iter().cycle()) {
                *to = *from;
            }
        }
    }

    fn random() -> Random {
        Random::new(Arc::new(Steps::default()))
    }

    #[test]
    fn every_side_of_a_die_comes_up_about_equally_often() {
        let random = random();
        let mut seen = [0_u32; 6];
        for _ in 0..6_000 {
            seen[usize::from(random.between(1_u8..=6)) - 1] += 1;
        }
        assert!(seen.iter().all(|count| (900..1_100).contains(count)), "{seen:?}");
    }

    #[test]
    fn the_whole_range_and_an_empty_one_are_no_trouble() {
        let random = random();
        random.between(0..=u64::MAX);
        #[expect(clippy::reversed_empty_ranges, reason = "the empty range is what is tested")]
        let empty = 5_u32..=1;
        assert_eq!(random.between(empty), 5);
        assert_eq!(random.pick::<u8>(&[]), None);
    }
}
