//! The little that the interpreter gets of an operating system: two clocks, chance, and an empty environment.
//!
//! Whatever else it imports ends the script when it is used: there is no file, no socket and no process behind it.

use std::time::Duration;

use wasmtime::{
    StoreContextMut,
    component::{Component, Linker, LinkerInstance, Val, types::ComponentItem},
};

/// The most random bytes that are given at once.
const MOST_RANDOM: u64 = 1 << 20;

pub(super) fn add<T: Send + 'static>(linker: &mut Linker<T>, component: &Component) -> wasmtime::Result<()> {
    linker.define_unknown_imports_as_traps(component)?;
    linker.allow_shadowing(true);
    let imports: Vec<String> = component
        .component_type()
        .imports(linker.engine())
        .filter(|(_, item)| matches!(item.ty, ComponentItem::ComponentInstance(_)))
        .map(|(name, _)| name.to_owned())
        .collect();
    for name in imports {
        // The version after the `@` follows the tool that made the component.
        let interface = name.split('@').next().unwrap_or(&name).to_owned();
        let mut instance = linker.instance(&name)?;
        match interface.as_str() {
            "wasi:cli/environment" => {
                nothing(&mut instance, "get-environment")?;
                nothing(&mut instance, "get-arguments")?;
            }
            "wasi:filesystem/preopens" => nothing(&mut instance, "get-directories")?,
            "wasi:clocks/wall-clock" => {
                instance.func_new("now", |_, _, _, results| {
                    results[0] = time_of_day(since_1970());
                    Ok(())
                })?;
                instance.func_new("resolution", |_, _, _, results| {
                    results[0] = time_of_day(Duration::from_nanos(1));
                    Ok(())
                })?;
            }
            "wasi:clocks/monotonic-clock" => {
                let start = std::time::Instant::now();
                let now = move || u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX);
                instance.func_wrap("now", move |_: StoreContextMut<'_, T>, ()| Ok((now(),)))?;
                instance.func_wrap("resolution", |_: StoreContextMut<'_, T>, ()| Ok((1_u64,)))?;
            }
            "wasi:random/random" => {
                instance.func_wrap("get-random-bytes", |_: StoreContextMut<'_, T>, (length,): (u64,)| {
                    let mut bytes = vec![0; usize::try_from(length.min(MOST_RANDOM)).unwrap_or(0)];
                    crate::random(&mut bytes);
                    Ok((bytes,))
                })?;
            }
            _ => {}
        }
    }
    Ok(())
}

/// A function that returns an empty list.
fn nothing<T: 'static>(instance: &mut LinkerInstance<'_, T>, name: &str) -> wasmtime::Result<()> {
    instance.func_new(name, |_, _, _, results| {
        results[0] = Val::List(Vec::new());
        Ok(())
    })
}

fn time_of_day(time: Duration) -> Val {
    let field = |name: &str, value| (name.to_owned(), value);
    Val::Record(vec![field("seconds", Val::U64(time.as_secs())), field("nanoseconds", Val::U32(time.subsec_nanos()))])
}

fn since_1970() -> Duration {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default()
}
