//! Holds no code: the tests stand beside this folder, the benchmarks in `benches`.
