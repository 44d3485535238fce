//! Where a secret is kept: in an environment variable, in a file or in the system's keyring, and not in `nekro.toml`.
//!
//! A reference is followed just before the plugin's own reader gets the value; what is shown is the reference, never the value.

use std::{
    fmt, fs,
    io::Read,
    path::{Path, PathBuf},
};

use serde_json::Value;

use super::{
    form::Form,
    key::quoted,
    keyring::{self, KeyringError},
    mistake::Mistake,
    node::{Content, Node},
    origin::Origin,
    typed,
};

/// The most bytes of a file with a secret.
const MOST_BYTES: u64 = 64 * 1024;

/// Where a secret is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Reference {
    /// `{ env = "NAME" }`
    Environment(String),
    /// `{ file = "path" }`
    File(PathBuf),
    /// `{ keyring = "nekro/weather" }`
    Keyring(String),
}

/// Why a secret cannot be had.
#[derive(Debug)]
enum SecretError {
    NotSet(String),
    NotText(String),
    File { path: PathBuf, error: std::io::Error },
    NoFile(PathBuf),
    Open { path: PathBuf, mode: u32 },
    Large(PathBuf),
    FileNotText(PathBuf),
    Keyring(KeyringError),
}

impl Reference {
    /// Reads a value as a reference.
    pub(crate) fn of(value: &Value) -> Option<Self> {
        let table = value.as_object().filter(|table| table.len() == 1)?;
        let text = |name: &str| table.get(name).and_then(Value::as_str).map(str::to_owned);
        let file = || text("file").map(|path| Self::File(path.into()));
        text("env").map(Self::Environment).or_else(file).or_else(|| text("keyring").map(Self::Keyring))
    }

    fn read(&self, place: &Path) -> Result<String, SecretError> {
        match self {
            Self::Environment(name) => {
                // No variable can have such a name.
                let possible = !name.is_empty() && !name.contains(['=', '\0']);
                let value = possible.then(|| std::env::var_os(name)).flatten();
                let value = value.ok_or_else(|| SecretError::NotSet(name.clone()))?;
                value.into_string().map_err(|_| SecretError::NotText(name.clone()))
            }
            Self::File(path) => read_file(&place.join(path)),
            Self::Keyring(name) => keyring::read(name).map_err(SecretError::Keyring),
        }
    }
}

fn read_file(path: &Path) -> Result<String, SecretError> {
    let problem = |error| SecretError::File { path: path.to_owned(), error };
    // A pipe would block before its kind can be asked of the open file.
    if !fs::metadata(path).map_err(problem)?.is_file() {
        return Err(SecretError::NoFile(path.to_owned()));
    }
    let file = fs::File::open(path).map_err(problem)?;
    // Of the file that is open, so that nobody exchanges it in between.
    let metadata = file.metadata().map_err(problem)?;
    closed_to_others(path, &metadata)?;
    let mut bytes = Vec::new();
    file.take(MOST_BYTES + 1).read_to_end(&mut bytes).map_err(problem)?;
    if bytes.len() as u64 > MOST_BYTES {
        return Err(SecretError::Large(path.to_owned()));
    }
    let text = String::from_utf8(bytes).map_err(|_| SecretError::FileNotText(path.to_owned()))?;
    // Editors and `echo` end a file with a line break, which is no part of the secret.
    let text = text.strip_suffix('\n').map_or(text.as_str(), |line| line.strip_suffix('\r').unwrap_or(line));
    Ok(text.to_owned())
}

#[cfg(unix)]
fn closed_to_others(path: &Path, metadata: &fs::Metadata) -> Result<(), SecretError> {
    use std::os::unix::fs::PermissionsExt;

    let mode = metadata.permissions().mode() & 0o777;
    if mode & 0o077 == 0 { Ok(()) } else { Err(SecretError::Open { path: path.to_owned(), mode }) }
}

#[cfg(not(unix))]
fn closed_to_others(_: &Path, _: &fs::Metadata) -> Result<(), SecretError> {
    Ok(())
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Environment(name) => write!(f, "the environment variable {name}"),
            Self::File(path) => write!(f, "the file {}", path.display()),
            Self::Keyring(name) => write!(f, "the keyring, as {name}"),
        }
    }
}

impl fmt::Display for SecretError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotSet(name) => write!(f, "the environment variable `{name}` is not set"),
            Self::NotText(name) => write!(f, "the environment variable `{name}` is not UTF-8"),
            Self::File { path, error } => write!(f, "the file `{}` cannot be read: {error}", path.display()),
            Self::NoFile(path) => write!(f, "`{}` is not a file", path.display()),
            Self::Open { path, mode } => {
                let path = path.display();
                write!(f, "the file `{path}` is open to others (its mode is {mode:03o}): `chmod 600 {path}` closes it")
            }
            Self::Large(path) => write!(f, "the file `{}` has more than {MOST_BYTES} bytes", path.display()),
            Self::FileNotText(path) => write!(f, "the file `{}` is not UTF-8", path.display()),
            Self::Keyring(error) => error.fmt(f),
        }
    }
}

/// What following the references in a tree needs, and what comes of it.
pub(crate) struct Resolver<'a> {
    /// Where the paths in the settings file begin.
    pub(crate) folder: &'a Path,
    /// What could not be followed.
    pub(crate) mistakes: Vec<Mistake>,
    /// The files that secrets were read from, or should have been.
    pub(crate) files: Vec<PathBuf>,
}

impl Resolver<'_> {
    /// Puts the values in place of the references.
    pub(crate) fn resolve(&mut self, node: &mut Node, form: &Form<'_>, key: &str) {
        if form.is_secret() && !form.types().contains("object") {
            if matches!(node.content, Content::Table(_)) {
                self.follow(node, form, key);
            }
            return;
        }
        match &mut node.content {
            Content::Table(table) => {
                for (name, node) in table {
                    if let Some(form) = form.key(name) {
                        self.resolve(node, &form, &format!("{key}.{}", quoted(name)));
                    }
                }
            }
            Content::List(items) => {
                let Some(form) = form.item() else { return };
                for (number, item) in items.iter_mut().enumerate() {
                    self.resolve(item, &form, &format!("{key}[{number}]"));
                }
            }
            Content::Plain(_) => {}
        }
    }

    fn follow(&mut self, node: &mut Node, form: &Form<'_>, key: &str) {
        let Some(reference) = Reference::of(&node.to_json()) else {
            let problem = "expected the secret as text, or where it is kept: `{ env = \"NAME\" }`, `{ file = \"PATH\" }` or `{ keyring = \"NAME\" }`";
            self.mistakes.push(Mistake::new(&node.origin, key, problem));
            return;
        };
        // A path in the file begins beside the file; any other, where the program was started.
        let folder = if matches!(node.origin, Origin::File { .. }) { self.folder } else { Path::new("") };
        if let Reference::File(path) = &reference {
            self.files.push(folder.join(path));
        }
        match reference.read(folder) {
            Ok(text) => *node = Node::from_json(typed::read(&text, Some(form)), &node.origin).with_key(node.key.clone()),
            Err(error) => self.mistakes.push(Mistake::new(&node.origin, key, error.to_string()).lacking()),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_reference_has_one_key() {
        assert_eq!(Reference::of(&json!({ "env": "A" })), Some(Reference::Environment("A".to_owned())));
        assert_eq!(Reference::of(&json!({ "file": "a" })), Some(Reference::File("a".into())));
        assert_eq!(Reference::of(&json!({ "keyring": "a/b" })), Some(Reference::Keyring("a/b".to_owned())));
        for other in [
            json!("a"),
            json!({}),
            json!({ "env": 1 }),
            json!({ "env": "A", "file": "a" }),
            json!({ "keyring": ["a"] }),
            json!({ "envv": "A" }),
        ] {
            assert_eq!(Reference::of(&other), None, "{other}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_file_is_closed_to_others_or_not_read() {
        use std::os::unix::fs::PermissionsExt;

        let place = tempfile::tempdir().expect("a directory");
        let path = place.path().join("token");
        fs::write(&path, "s3cret\n").expect("a file");
        let read = |mode| {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("its mode");
            Reference::File("token".into()).read(place.path()).map_err(|error| error.to_string())
        };
        assert_eq!(read(0o600).as_deref(), Ok("s3cret"));
        assert_eq!(read(0o400).as_deref(), Ok("s3cret"));
        for mode in [0o640, 0o604, 0o644, 0o610, 0o666] {
            let error = read(mode).expect_err("others may read it");
            assert!(error.contains("chmod 600") && !error.contains("s3cret"), "{error}");
        }
    }

    #[test]
    fn what_cannot_be_a_secret_is_told() {
        let place = tempfile::tempdir().expect("a directory");
        let read = |reference: Reference| reference.read(place.path()).expect_err("no secret").to_string();
        assert!(read(Reference::File("nowhere".into())).contains("cannot be read"));
        assert!(read(Reference::File(".".into())).contains("not a file"));
        for name in ["", "A=B", "A\0B", "NEKRO_TEST_NOBODY_SETS_THIS"] {
            assert!(read(Reference::Environment(name.to_owned())).contains("is not set"));
        }
    }
}
