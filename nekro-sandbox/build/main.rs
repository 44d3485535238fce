//! Compiles the interpreter to native code of the target, so that nothing has to be compiled when it starts.

#[cfg(feature = "python")]
#[path = "../src/engine/config.rs"]
mod config;
#[cfg(feature = "python")]
mod strip;

#[cfg(feature = "python")]
fn main() {
    use std::{env, fs, path::Path};

    use sha2::{Digest, Sha256};

    const COMPONENT: &str = "python/sandbox.wasm.zst";
    // 19 saves another tenth, and takes ten times as long.
    const LEVEL: i32 = 12;

    // Another component, for the tests of one that was just rebuilt.
    println!("cargo::rerun-if-env-changed=NEKRO_SANDBOX_COMPONENT");
    let path = env::var("NEKRO_SANDBOX_COMPONENT").unwrap_or_else(|_| COMPONENT.into());
    let checksum = format!("{path}.sha256");
    for path in ["build", "src/engine/config.rs", &path, &checksum] {
        println!("cargo::rerun-if-changed={path}");
    }
    let packed = fs::read(&path).expect("the component is in the repository");
    let named = fs::read_to_string(&checksum).expect("its checksum is beside it");
    let found = Sha256::digest(&packed).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    assert_eq!(named.split_whitespace().next(), Some(&*found), "{path} is not the file that {checksum} names");

    let target = env::var("TARGET").expect("cargo sets it");
    let mut config = config::config();
    config.target(&target).expect("the compiler knows the target");
    let engine = wasmtime::Engine::new(&config).expect("the settings fit together");
    let component = zstd::decode_all(&packed[..]).expect("the component can be unpacked");
    let component = strip::strip(&component).expect("the component is one");
    let image = engine.precompile_component(&component).expect("the component can be compiled");
    let packed = zstd::encode_all(&image[..], LEVEL).expect("memory is there");
    let out = Path::new(&env::var_os("OUT_DIR").expect("cargo sets it")).join("image.zst");
    fs::write(out, packed).expect("the output directory can be written");
}

#[cfg(not(feature = "python"))]
fn main() {
    println!("cargo::rerun-if-changed=build");
}
