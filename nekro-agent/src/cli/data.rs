//! `nekro data`

use std::{
    ffi::OsString,
    fmt::Display,
    fs::{self, File, OpenOptions},
    io::{self, BufReader, BufWriter, Write},
    path::{Path, PathBuf},
};

use nekro_core::Timestamp;
use serde_json::json;

use super::{
    Failure, Screen,
    args::{DataCommand, WhoseArgs},
};
use crate::storage::{
    Counts, DataDirectory, ExportError, Import, ImportError, Whose, delete, export, export_values, import, only_owner,
};

pub(super) fn run(command: DataCommand, directory: &DataDirectory, screen: &Screen) -> Result<(), Failure> {
    match command {
        DataCommand::Export { file, whose } => {
            let now = Timestamp::now();
            let written = write_to(&file, |to| {
                Some(match self::whose(&whose) {
                    Some(whose) => export_values(directory, &whose, to, now),
                    None => export(directory, to, now),
                })
                .transpose()
            })?;
            tell(&file, written, screen);
            Ok(())
        }
        DataCommand::Delete { whose } => {
            let Some(whose) = self::whose(&whose) else {
                return Err(Failure::usage("nothing was deleted: say whose values, with `--plugin` or `--user`")
                    .with_hint("`nekro sessions delete` deletes a session"));
            };
            let removed = delete(directory, &whose, Timestamp::now()).map_err(Failure::storage)?;
            screen.show(&json!({ "deleted": removed }), || removed.to_string());
            Ok(())
        }
        DataCommand::Import { file, replace } => {
            let how = if replace { Import::Replace } else { Import::IntoNothing };
            let imported = if is_standard(&file) {
                import(directory, &mut io::stdin().lock(), how)
            } else {
                let open = File::open(&file).map_err(|error| Failure::usage(format!("{}: {error}", file.display())))?;
                import(directory, &mut BufReader::new(open), how)
            };
            let counts = imported.map_err(failed_import)?;
            screen.show(&json!({ "imported": counts }), || format!("imported {counts}"));
            Ok(())
        }
    }
}

fn whose(WhoseArgs { plugin, user }: &WhoseArgs) -> Option<Whose> {
    let user = || user.as_deref().map(|user| Whose::User(user.into()));
    plugin.as_deref().map(|plugin| Whose::Plugin(plugin.into())).or_else(user)
}

/// Tells what has been written, unless it went to where that would be told.
pub(super) fn tell(file: &Path, written: Option<Counts>, screen: &Screen) {
    if let Some(counts) = written.filter(|_| !is_standard(file)) {
        screen.show(&json!({ "file": file, "exported": counts }), || format!("{} has {counts}", file.display()));
    }
}

/// Writes an export: into a file that has the whole of it or is not there, or to standard output.
pub(super) fn write_to(
    file: &Path,
    write: impl FnOnce(&mut dyn Write) -> Result<Option<Counts>, ExportError>,
) -> Result<Option<Counts>, Failure> {
    if is_standard(file) {
        return write(&mut BufWriter::new(io::stdout().lock())).map_err(failed_export);
    }
    let cannot = |problem: &dyn Display| Failure::work(format!("{} cannot be written: {problem}", file.display()));
    if file.try_exists().map_err(|error| cannot(&error))? {
        return Err(Failure::usage(format!("there is a {} already, and it was left as it is", file.display())));
    }
    let part = beside(file);
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    // It has everything that people have said.
    only_owner(&mut options);
    let open = options.open(&part).map_err(|error| cannot(&error))?;
    let written = write(&mut BufWriter::new(&open)).map_err(failed_export).and_then(|counts| {
        // A link does not take the place of another file, as renaming would.
        let kept = open.sync_all().and_then(|()| if counts.is_some() { fs::hard_link(&part, file) } else { Ok(()) });
        kept.map(|()| counts).map_err(|error| cannot(&error))
    });
    let _ = fs::remove_file(&part);
    written
}

fn is_standard(file: &Path) -> bool {
    file.as_os_str() == "-"
}

fn beside(file: &Path) -> PathBuf {
    let mut name = OsString::from(file.as_os_str());
    name.push(format!(".{}.part", std::process::id()));
    name.into()
}

fn failed_export(error: ExportError) -> Failure {
    match error {
        ExportError::Storage(problem) => Failure::storage(problem),
        error => Failure::work(error),
    }
}

fn failed_import(error: ImportError) -> Failure {
    let failure = match &error {
        ImportError::Storage(problem) => return Failure::storage(problem.clone()),
        ImportError::Line { .. } | ImportError::NotEmpty => Failure::usage(&error),
        ImportError::Read(_) => Failure::work(&error),
    };
    match error.hint() {
        Some(hint) => failure.with_hint(hint),
        None => failure,
    }
}
