//! Writing the settings file: it has either its old text or its new one, whatever happens in between.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
};

/// Replaces the text of a file that had the text `old`; `None` if there was no file. Permissions stay, and a link stays a link.
///
/// # Errors
///
/// If the file cannot be written, or somebody else has changed it meanwhile. Nothing was changed then.
pub(crate) fn replace(file: &Path, old: Option<&str>, new: &str) -> io::Result<()> {
    let target = target(file)?;
    let folder = target.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let name = target.file_name().ok_or_else(|| io::Error::other("this is not the name of a file"))?;
    let mut temporary = std::ffi::OsString::from(".");
    temporary.push(name);
    temporary.push(format!(".{}.tmp", std::process::id()));
    let temporary = folder.join(temporary);
    let written = write(&temporary, &target, new).and_then(|()| {
        if unchanged(&target, old)? {
            fs::rename(&temporary, &target)
        } else {
            Err(io::Error::other("somebody else has changed the file meanwhile: try again"))
        }
    });
    if written.is_err() {
        // What could not be made cannot be removed either.
        let _ = fs::remove_file(&temporary);
        return written;
    }
    // The name is safe on the disk once its folder is. Not every system can say so, and the text is written in any case.
    let _ = File::open(folder).and_then(|folder| folder.sync_all());
    Ok(())
}

/// Makes a file that is not there yet.
pub(crate) fn create(file: &Path, text: &str) -> io::Result<()> {
    let mut open = OpenOptions::new().write(true).create_new(true).open(file)?;
    open.write_all(text.as_bytes())?;
    open.sync_all()
}

/// Follows links to the file that is meant.
fn target(file: &Path) -> io::Result<PathBuf> {
    match fs::symlink_metadata(file) {
        Ok(_) => fs::canonicalize(file),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(file.to_owned()),
        Err(error) => Err(error),
    }
}

fn write(temporary: &Path, target: &Path, text: &str) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    private(&mut options);
    let mut open = options.open(temporary)?;
    if let Ok(metadata) = fs::metadata(target) {
        keep_owner(&open, &metadata);
        open.set_permissions(metadata.permissions())?;
    }
    open.write_all(text.as_bytes())?;
    open.sync_all()
}

fn unchanged(target: &Path, old: Option<&str>) -> io::Result<bool> {
    match (fs::read(target), old) {
        (Ok(bytes), Some(old)) => Ok(bytes == old.as_bytes()),
        (Ok(_), None) => Ok(false),
        (Err(error), old) if error.kind() == io::ErrorKind::NotFound => Ok(old.is_none()),
        (Err(error), _) => Err(error),
    }
}

/// A file that is new may get a secret: it is its owner's alone.
#[cfg(unix)]
fn private(options: &mut OpenOptions) {
    use std::os::unix::fs::OpenOptionsExt;

    options.mode(0o600);
}

#[cfg(not(unix))]
fn private(_: &mut OpenOptions) {}

/// Only the superuser can give a file away, and for anybody else it is theirs already.
#[cfg(unix)]
fn keep_owner(file: &File, metadata: &fs::Metadata) {
    use std::os::unix::fs::{MetadataExt, fchown};

    let _ = fchown(file, Some(metadata.uid()), Some(metadata.gid()));
}

#[cfg(not(unix))]
fn keep_owner(_: &File, _: &fs::Metadata) {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_somebody_else_changed_is_left_alone() {
        let place = tempfile::tempdir().expect("a directory");
        let file = place.path().join("nekro.toml");
        fs::write(&file, "theirs").expect("a file");
        for old in [Some("mine"), None] {
            assert!(replace(&file, old, "new").is_err());
            assert_eq!(fs::read_to_string(&file).expect("the file"), "theirs");
        }
        assert!(replace(&file, Some("theirs"), "new").is_ok());
        assert_eq!(fs::read_to_string(&file).expect("the file"), "new");
        assert_eq!(fs::read_dir(place.path()).expect("the directory").count(), 1, "nothing else is left behind");
    }

    #[cfg(unix)]
    #[test]
    fn permissions_stay_and_a_link_stays_a_link() {
        use std::os::unix::fs::{PermissionsExt, symlink};

        let place = tempfile::tempdir().expect("a directory");
        let (file, link) = (place.path().join("real.toml"), place.path().join("nekro.toml"));
        fs::write(&file, "old").expect("a file");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).expect("its mode");
        symlink("real.toml", &link).expect("a link");
        replace(&link, Some("old"), "new").expect("it is written");
        assert!(fs::symlink_metadata(&link).expect("the link").is_symlink());
        assert_eq!(fs::read_to_string(&file).expect("the file"), "new");
        assert_eq!(fs::metadata(&file).expect("the file").permissions().mode() & 0o777, 0o640);
        let dangling = place.path().join("dangling.toml");
        symlink("nowhere", &dangling).expect("a link");
        assert!(replace(&dangling, None, "new").is_err());
    }
}
