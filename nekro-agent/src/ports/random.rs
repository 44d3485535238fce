//! Chance, from the operating system.

use nekro_core::RandomPort;

#[derive(Debug)]
pub(crate) struct SystemRandom;

impl RandomPort for SystemRandom {
    fn fill(&self, buffer: &mut [u8]) {
        // The system's generator fails only on systems so early in their start that no program runs yet. Numbers that only look
        // random would be worse than a call that ends with a panic, which the kernel turns into an error.
        getrandom::fill(buffer).expect("the operating system gives random numbers");
    }
}
