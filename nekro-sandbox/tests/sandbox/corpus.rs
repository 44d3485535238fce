//! Scripts as models write them, with what CPython 3.11 prints (`tests/corpus/make`).

use std::{fs, path::Path};

use nekro_sandbox::Outcome;

use crate::world;

/// What differs, and why; `docs/sandbox.md` says it too.
const DIFFERENT: &[(&str, &str)] =
    &[("calendar_table", "since 3.12, `calendar.monthrange` gives the day as an enumeration, which prints its name")];

pub(crate) fn scripts_print_what_cpython_prints() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus/scripts");
    let mut scripts: Vec<_> = fs::read_dir(folder)
        .expect("the corpus is in the repository")
        .map(|entry| entry.expect("it can be read").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "py"))
        .collect();
    scripts.sort();
    assert!(scripts.len() >= 80, "{} scripts", scripts.len());
    let mut different = Vec::new();
    for path in &scripts {
        let name = path.file_stem().expect("it has a name").to_str().expect("names are plain");
        let report = world::run(&fs::read_to_string(path).expect("it is there"));
        let printed = match report.outcome {
            Outcome::Done(_) => report.output,
            Outcome::Failed(failure) => format!("{}{}: {}\n", report.output, failure.kind, failure.message),
            other => format!("{}{other:?}\n", report.output),
        };
        let expected = fs::read_to_string(path.with_extension("expected")).expect("it is there");
        if printed != expected {
            if !DIFFERENT.iter().any(|(known, _)| *known == name) {
                println!("--- {name}\n{}", difference(&expected, &printed));
            }
            different.push(name);
        }
    }
    let known: Vec<_> = DIFFERENT.iter().map(|(name, _)| *name).collect();
    assert_eq!(different, known, "as many of {} scripts differ from CPython", scripts.len());
    assert!(different.len() * 20 <= scripts.len(), "at least 95 % are the same");
}

fn difference(expected: &str, found: &str) -> String {
    let lines = expected.lines().count().max(found.lines().count());
    let mut shown = String::new();
    for index in 0..lines {
        let (expected, found) = (expected.lines().nth(index), found.lines().nth(index));
        if expected != found {
            shown += &format!("expected {expected:?}\n   found {found:?}\n");
        }
    }
    shown
}
