//! `nekro audit`

use std::path::Path;

use nekro_core::PluginDecl;
use serde_json::json;

use super::{
    Failure, Screen,
    args::{AuditArgs, AuditFormat},
};
use crate::{
    audit::{
        Program, ProgramError, Surface, cyclonedx,
        diff::{Diff, Weight},
        harmless::{escaped, word},
        lock::{self, Lock, LockError},
        view,
    },
    style::DIM,
};

pub(super) fn run(arguments: &AuditArgs, roster: &'static [&'static PluginDecl], screen: &Screen) -> Result<(), Failure> {
    if let [old, new] = arguments.diff.as_slice() {
        return compare(old, new, screen);
    }
    let (program, surface) = match &arguments.binary {
        Some(file) => read(file)?,
        None => {
            let program = Program::own(&super::read_registry(roster)?).map_err(|error| failed("this program", &error))?;
            described("this program", program)?
        }
    };
    if arguments.check {
        check(&surface, &arguments.lock, screen)
    } else if arguments.accept {
        accept(&surface, &arguments.lock, screen)
    } else if arguments.format == Some(AuditFormat::Cyclonedx) {
        sbom(&program, &surface, screen)
    } else {
        show(&program, &surface, screen);
        Ok(())
    }
}

fn read(file: &Path) -> Result<(Program, Surface), Failure> {
    let name = file.display().to_string();
    let program = Program::of_file(file).map_err(|error| failed(&name, &error))?;
    described(&name, program)
}

fn described(name: &str, program: Program) -> Result<(Program, Surface), Failure> {
    let surface = Surface::of(&program)
        .map_err(|what| Failure::work(format!("{name}: its manifest cannot be read: it describes {} twice", word(&what))))?;
    Ok((program, surface))
}

fn failed(name: &str, error: &ProgramError) -> Failure {
    // What is wrong may be quoted in it.
    let failure = Failure::work(format!("{name}: {}", word(&error.to_string())));
    match error.hint() {
        Some(hint) => failure.with_hint(hint),
        None => failure,
    }
}

/// Prints JSON in which nothing can steer a terminal.
fn print_json(json: &serde_json::Value, screen: &Screen) {
    screen.line(escaped(&json.to_string()));
}

fn show(program: &Program, surface: &Surface, screen: &Screen) {
    if screen.is_json() {
        print_json(&json!({ "surface": surface, "provenance": program.provenance }), screen);
    } else {
        screen.line(view::text(program, surface));
    }
}

fn sbom(program: &Program, surface: &Surface, screen: &Screen) -> Result<(), Failure> {
    let provenance = program.provenance.as_ref().ok_or_else(|| {
        Failure::work("the program does not say which packages it is linked from")
            .with_hint("build it with `nekro_core::build::write` in its `build.rs`, and without `NEKRO_PROVENANCE=none`")
    })?;
    screen.line(escaped(&format!("{:#}", cyclonedx::document(surface, provenance))));
    Ok(())
}

fn compare(old: &Path, new: &Path, screen: &Screen) -> Result<(), Failure> {
    let diff = Diff::between(&read(old)?.1, &read(new)?.1);
    tell(&diff, screen);
    match diff.weight() {
        Weight::None => Ok(()),
        weight => Err(Failure::changed(weight.exit_code(), format!("the programs differ: {}", diff.summary()))),
    }
}

fn check(surface: &Surface, file: &Path, screen: &Screen) -> Result<(), Failure> {
    let name = file.display();
    let reviewed = lock::read(file).surface.map_err(|error| {
        let failure = Failure::usage(format!("{name}: {error}"));
        failure.with_hint(match error {
            LockError::Missing => format!("`nekro audit --accept --lock {name}` writes it: review and commit it"),
            _ => format!("restore it, or let `nekro audit --accept --lock {name}` write it anew, and review what changed"),
        })
    })?;
    let diff = Diff::between(&reviewed, surface);
    tell(&diff, screen);
    match diff.weight() {
        Weight::None => Ok(()),
        weight => {
            Err(Failure::changed(weight.exit_code(), format!("this is not what {name} says was reviewed: {}", diff.summary()))
                .with_hint(format!("review it; `nekro audit --accept --lock {name}` accepts it")))
        }
    }
}

fn accept(surface: &Surface, file: &Path, screen: &Screen) -> Result<(), Failure> {
    let name = file.display();
    let old = lock::read(file);
    if let Lock { text: None, surface: Err(error) } = &old
        && !matches!(error, LockError::Missing)
    {
        return Err(Failure::usage(format!("{name}: {error}")));
    }
    lock::replace(file, &old, surface).map_err(|error| Failure::work(format!("{name} cannot be written: {error}")))?;
    let nothing = Surface { nekro_core: surface.nekro_core.clone(), plugins: Default::default() };
    let diff = Diff::between(old.surface.as_ref().unwrap_or(&nothing), surface);
    if !screen.is_json() {
        if let Some(error) = old.surface.as_ref().err().filter(|error| !matches!(error, LockError::Missing)) {
            screen.line(format_args!("{DIM}What was there before is not known: {}{DIM:#}", super::plain(&error.to_string())));
        }
        if diff.weight() != Weight::None {
            screen.line(diff.to_text());
        }
        screen.line(format_args!("{name} is written: {}", diff.summary()));
        return Ok(());
    }
    print_json(&json!({ "lock": name.to_string(), "changes": diff.to_json() }), screen);
    Ok(())
}

fn tell(diff: &Diff, screen: &Screen) {
    if screen.is_json() {
        print_json(&json!({ "changes": diff.to_json(), "summary": diff.summary() }), screen);
    } else if diff.weight() == Weight::None {
        screen.line(diff.summary());
    } else {
        screen.line(diff.to_text());
    }
}
