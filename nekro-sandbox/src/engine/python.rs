//! CPython, compiled to WebAssembly and from there to native code, with a memory of its own for each script.

use std::path::Path;

use wasmtime::{
    Engine as Wasm, Store, StoreContextMut, StoreLimits, StoreLimitsBuilder, Trap,
    component::{InstancePre, Linker, TypedFunc, WasmList},
};

use super::{Engine, EngineError, Port, Ran, Task, config::config, system};
use crate::{
    confine::{clock, load_image},
    protocol::Told,
};

type Run = TypedFunc<(Vec<u8>, Vec<u8>), ((Vec<u8>, Vec<u8>),)>;

/// A script that uses what most scripts use, and says nothing: there is nobody to say it to.
const REHEARSAL: &[u8] = br#"{
    "source": "def f(x):\n    return f'{x}'\n[f(i) for i in range(3)]",
    "functions": {}, "keep": false, "check": false, "text": 99, "json": 99
}"#;

/// What an interpreter in the making can reach.
struct Inside<P> {
    limits: StoreLimits,
    port: Option<P>,
    /// Why the port ended the script: kept here, for on its way through the interpreter an error loses its type.
    told: Option<Told>,
}

impl<P> Inside<P> {
    fn port(&mut self) -> &mut P {
        self.port.as_mut().expect("an interpreter runs with a port only")
    }

    fn told<T>(&mut self, result: Result<T, Told>) -> wasmtime::Result<T> {
        result.map_err(|told| {
            self.told = Some(told);
            wasmtime::Error::msg("the host ended the script")
        })
    }
}

/// The engine.
pub(crate) struct Python<P: 'static> {
    wasm: Wasm,
    image: InstancePre<Inside<P>>,
    next: Option<(Store<Inside<P>>, Run)>,
    used: Option<Store<Inside<P>>>,
}

impl<P: Port> Python<P> {
    /// Loads the image from a file.
    pub(crate) fn load(file: &Path) -> Result<Self, EngineError> {
        Self::try_load(file).map_err(|error| EngineError(format!("the interpreter cannot be loaded: {error:#}")))
    }

    fn try_load(file: &Path) -> wasmtime::Result<Self> {
        let wasm = Wasm::new(&config())?;
        let component = load_image(&wasm, file)?;
        let mut linker = Linker::new(&wasm);
        system::add(&mut linker, &component)?;
        let mut root = linker.root();
        root.func_wrap("exchange", |mut store: StoreContextMut<'_, Inside<P>>, (calls, wait_ms): (WasmList<u8>, u64)| {
            // The interpreter's memory cannot be lent while the port is used: both are in the store.
            let calls = calls.as_le_slice(&store).to_vec();
            let inside = store.data_mut();
            let answers = inside.port().exchange(&calls, wait_ms);
            Ok((inside.told(answers)?,))
        })?;
        root.func_wrap("write", |mut store: StoreContextMut<'_, Inside<P>>, (text,): (WasmList<u8>,)| {
            let text = text.as_le_slice(&store).to_vec();
            let inside = store.data_mut();
            let written = inside.port().write(&text);
            inside.told(written)
        })?;
        let image = linker.instantiate_pre(&component)?;
        clock::start(&wasm)?;
        Ok(Self { wasm, image, next: None, used: None })
    }

    fn fresh(&self) -> wasmtime::Result<(Store<Inside<P>>, Run)> {
        // Until it is known what the script may have, what the interpreter begins with.
        let mut store = Store::new(&self.wasm, Inside { limits: limits(64 << 20), port: None, told: None });
        store.limiter(|inside| &mut inside.limits);
        store.epoch_deadline_trap();
        store.set_epoch_deadline(clock::ticks(1_000));
        let instance = self.image.instantiate(&mut store)?;
        let run = instance.get_typed_func(&mut store, "run")?;
        Ok((store, run))
    }
}

fn limits(memory: u64) -> StoreLimits {
    StoreLimitsBuilder::new().memory_size(usize::try_from(memory).unwrap_or(usize::MAX)).build()
}

impl<P: Port> Engine<P> for Python<P> {
    fn prepare(&mut self) -> Result<(), EngineError> {
        // Giving back what a script wrote to takes as long as a small script: only now, when its end was told.
        self.used = None;
        if self.next.is_none() {
            let fresh = self.fresh().map_err(|error| EngineError(format!("the interpreter cannot be started: {error:#}")))?;
            self.next = Some(fresh);
        }
        Ok(())
    }

    fn rehearse(&mut self) -> Result<(), EngineError> {
        let Some((store, run)) = &mut self.next else { return Ok(()) };
        run.call(store, (REHEARSAL.to_vec(), Vec::new()))
            .map(drop)
            .map_err(|error| EngineError(format!("the interpreter does not run: {error:#}")))
    }

    fn run(&mut self, task: &Task<'_>, port: P) -> (P, Result<Ran, Told>) {
        if self.prepare().is_err() {
            return (port, Err(Told::Interpreter));
        }
        let (mut store, run) = self.next.take().expect("it was just prepared");
        store.data_mut().port = Some(port);
        store.data_mut().limits = limits(task.memory);
        store.set_epoch_deadline(clock::ticks(task.cpu_ms));
        let result = run.call(&mut store, (task.request.to_vec(), task.state.to_vec()));
        let inside = store.data_mut();
        let port = inside.port.take().expect("it was just put there");
        let told = inside.told.take();
        let ran = match result {
            Ok(((report, state),)) => Ok(Ran { report, state }),
            Err(error) => Err(told.unwrap_or_else(|| match error.downcast_ref::<Trap>() {
                Some(Trap::Interrupt) => Told::CpuTime,
                Some(Trap::StackOverflow) => Told::Recursion,
                _ => Told::Interpreter,
            })),
        };
        self.used = Some(store);
        (port, ran)
    }
}
