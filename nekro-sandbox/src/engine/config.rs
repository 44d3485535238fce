//! How the image is compiled, and how it is run: the build script and the engine must say the same, or the engine refuses the image.

/// Returns the settings of the compiler and the engine.
pub(crate) fn config() -> wasmtime::Config {
    let mut config = wasmtime::Config::new();
    config
        .wasm_component_model(true)
        // A script that never ends is interrupted by a clock of CPU time.
        .epoch_interruption(true)
        // Traps are told by their kind; where they happened would cost 3 MB of image.
        .generate_address_map(false)
        .native_unwind_info(false)
        // Deep recursion is an error of Python then, and not the end of the script.
        .max_wasm_stack(16 << 20)
        .async_stack_size(20 << 20)
        .memory_init_cow(true);
    config
}
