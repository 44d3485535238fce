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
    let (temporary, open) = temporary(&target, private)?;
    let written = keep(&open, &target).and_then(|()| fill(open, new)).and_then(|()| {
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
    sync_folder(&target);
    Ok(())
}

/// Makes a file that is not there yet: whole or not at all, and never over another.
///
/// # Errors
///
/// [`io::ErrorKind::AlreadyExists`] if something has this name, a link to nowhere too. If the file cannot be written, there is none.
pub(crate) fn create(file: &Path, text: &str) -> io::Result<()> {
    if fs::symlink_metadata(file).is_ok() {
        return Err(io::ErrorKind::AlreadyExists.into());
    }
    let (temporary, open) = temporary(file, |_| ())?;
    // A second name is given only if nothing has it, and renaming would not ask.
    let made = fill(open, text).and_then(|()| match fs::hard_link(&temporary, file) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => create_in_place(file, text),
        linked => linked,
    });
    let _ = fs::remove_file(&temporary);
    made?;
    sync_folder(file);
    Ok(())
}

/// Makes a file where no file can have two names. A crash may leave a part of it, and an error does not.
fn create_in_place(file: &Path, text: &str) -> io::Result<()> {
    let open = OpenOptions::new().write(true).create_new(true).open(file)?;
    fill(open, text).inspect_err(|_| {
        let _ = fs::remove_file(file);
    })
}

/// Opens a file of its own beside another.
fn temporary(file: &Path, options: impl Fn(&mut OpenOptions)) -> io::Result<(PathBuf, File)> {
    // One that a crash has left keeps its name.
    const MOST_LEFT_BEHIND: u32 = 100;
    let name = file.file_name().ok_or_else(|| io::Error::other("this is not the name of a file"))?;
    for number in 0..MOST_LEFT_BEHIND {
        let mut temporary = std::ffi::OsString::from(".");
        temporary.push(name);
        temporary.push(format!(".{}-{number}.tmp", std::process::id()));
        let temporary = folder(file).join(temporary);
        let mut open = OpenOptions::new();
        options(open.write(true).create_new(true));
        match open.open(&temporary) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            opened => return opened.map(|open| (temporary, open)),
        }
    }
    Err(io::Error::other(format!("remove the files `.{}.*.tmp` beside it, which crashes have left", name.display())))
}

fn folder(file: &Path) -> &Path {
    file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// The name of a file is safe on the disk once its folder is. Not every system can say so, and the text is written in any case.
fn sync_folder(file: &Path) {
    let _ = File::open(folder(file)).and_then(|folder| folder.sync_all());
}

/// Follows links to the file that is meant.
fn target(file: &Path) -> io::Result<PathBuf> {
    match fs::symlink_metadata(file) {
        Ok(_) => fs::canonicalize(file),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(file.to_owned()),
        Err(error) => Err(error),
    }
}

/// Gives a file the owner and the permissions of the one that it will replace, if there is one.
fn keep(open: &File, target: &Path) -> io::Result<()> {
    let Ok(metadata) = fs::metadata(target) else { return Ok(()) };
    keep_owner(open, &metadata);
    open.set_permissions(metadata.permissions())
}

fn fill(mut open: File, text: &str) -> io::Result<()> {
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

    #[test]
    fn a_file_is_made_whole_and_never_over_another() {
        let place = tempfile::tempdir().expect("a directory");
        let file = place.path().join("nekro.lock");
        // Left by a crash.
        let left = place.path().join(format!(".nekro.lock.{}-0.tmp", std::process::id()));
        fs::write(&left, "half").expect("a file");
        create(&file, "new").expect("it is made");
        assert_eq!(fs::read_to_string(&file).expect("the file"), "new");
        for make in [create, create_in_place] {
            let again = make(&file, "newer").expect_err("there is one");
            assert_eq!(again.kind(), io::ErrorKind::AlreadyExists);
            assert_eq!(fs::read_to_string(&file).expect("the file"), "new");
        }
        assert!(create(&place.path().join("no/nekro.lock"), "new").is_err_and(|error| error.kind() == io::ErrorKind::NotFound));
        assert_eq!(fs::read_dir(place.path()).expect("the directory").count(), 2, "nothing else is left behind");
    }

    #[test]
    fn of_many_who_make_a_file_one_does() {
        let place = tempfile::tempdir().expect("a directory");
        let file = place.path().join("nekro.toml");
        let made = std::thread::scope(|scope| {
            let file = &file;
            let threads: Vec<_> = (0..8).map(|who| scope.spawn(move || create(file, &who.to_string().repeat(10_000)))).collect();
            threads.into_iter().map(|thread| thread.join().expect("it ends")).filter(Result::is_ok).count()
        });
        let text = fs::read_to_string(&file).expect("the file");
        assert_eq!((made, text.len()), (1, 10_000));
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
        assert!(create(&dangling, "new").is_err_and(|error| error.kind() == io::ErrorKind::AlreadyExists));
    }
}
