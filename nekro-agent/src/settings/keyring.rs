//! The system's keyring: on Linux the kernel's, which forgets at a restart of the machine; on macOS the Keychain.
//!
//! The only room that knows the crates of the keyring. Their errors may carry the secret, so none is passed on as it is.

use std::fmt;

/// Why the keyring did not do what it should. What it says never quotes a secret.
#[derive(Debug)]
pub(crate) struct KeyringError(String);

impl fmt::Display for KeyringError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for KeyringError {}

/// Reads a secret.
pub(crate) fn read(name: &str) -> Result<String, KeyringError> {
    open()?.read(name)
}

/// Reads a secret; `None` if there is none of that name, or no keyring.
pub(crate) fn find(name: &str) -> Result<Option<String>, KeyringError> {
    match open() {
        Ok(keyring) => keyring.find(name),
        Err(_) => Ok(None),
    }
}

/// Puts a secret in, in place of the one of this name.
pub(crate) fn write(name: &str, secret: &str) -> Result<(), KeyringError> {
    open()?.write(name, secret)
}

/// Takes a secret out.
pub(crate) fn remove(name: &str) -> Result<(), KeyringError> {
    open()?.remove(name)
}

#[cfg(all(feature = "keyring", any(target_os = "linux", target_os = "macos")))]
use native::open;

#[cfg(not(all(feature = "keyring", any(target_os = "linux", target_os = "macos"))))]
use none::open;

#[cfg(all(feature = "keyring", any(target_os = "linux", target_os = "macos")))]
mod native {
    use std::sync::Arc;

    #[cfg(target_os = "macos")]
    use apple_native_keyring_store::keychain::Store;
    use keyring_core::{CredentialStore, Entry, Error};
    #[cfg(target_os = "linux")]
    use linux_keyutils_keyring_store::Store;

    use super::KeyringError;

    /// The service of a name that says none.
    const SERVICE: &str = "nekro";

    /// A keyring that is open.
    pub(super) struct Keyring(pub(super) Arc<CredentialStore>);

    pub(super) fn open() -> Result<Keyring, KeyringError> {
        Ok(Keyring(Store::new().map_err(|error| told(error, ""))?))
    }

    impl Keyring {
        pub(super) fn read(&self, name: &str) -> Result<String, KeyringError> {
            self.entry(name)?.get_password().map_err(|error| told(error, name))
        }

        pub(super) fn find(&self, name: &str) -> Result<Option<String>, KeyringError> {
            match self.entry(name)?.get_password() {
                Ok(secret) => Ok(Some(secret)),
                Err(Error::NoEntry) => Ok(None),
                Err(error) => Err(told(error, name)),
            }
        }

        pub(super) fn write(&self, name: &str, secret: &str) -> Result<(), KeyringError> {
            self.entry(name)?.set_password(secret).map_err(|error| told(error, name))
        }

        pub(super) fn remove(&self, name: &str) -> Result<(), KeyringError> {
            self.entry(name)?.delete_credential().map_err(|error| told(error, name))
        }

        fn entry(&self, name: &str) -> Result<Entry, KeyringError> {
            let (service, user) = name.split_once('/').unwrap_or((SERVICE, name));
            if service.is_empty() || user.is_empty() || name.contains('\0') {
                return Err(KeyringError(format!("the keyring has no such names: expected one such as `{SERVICE}/weather`")));
            }
            self.0.build(service, user, None).map_err(|error| told(error, name))
        }
    }

    fn told(error: Error, name: &str) -> KeyringError {
        KeyringError(match error {
            Error::NoEntry => format!("the keyring has no `{name}`: `nekro secret set {name}` puts it there"),
            Error::NoStorageAccess(why) | Error::PlatformFailure(why) => {
                format!("the keyring cannot be opened, it may be locked: {why}")
            }
            // These carry the secret.
            Error::BadEncoding(_) | Error::BadDataFormat(..) => format!("what the keyring has as `{name}` is not UTF-8"),
            Error::TooLong(what, most) => format!("the keyring takes a {what} of {most} characters at most"),
            Error::Invalid(what, why) => format!("the keyring does not take this {what}: {why}"),
            Error::Ambiguous(_) => format!("the keyring has several secrets of the name `{name}`"),
            _ => "the keyring cannot do that".to_owned(),
        })
    }
}

#[cfg(not(all(feature = "keyring", any(target_os = "linux", target_os = "macos"))))]
mod none {
    use super::KeyringError;

    /// Nobody has one.
    pub(super) enum Keyring {}

    pub(super) fn open() -> Result<Keyring, KeyringError> {
        Err(KeyringError(
            "this program has no keyring here: `{ env = \"NAME\" }` and `{ file = \"PATH\" }` work everywhere".to_owned(),
        ))
    }

    impl Keyring {
        pub(super) fn read(&self, _: &str) -> Result<String, KeyringError> {
            match *self {}
        }

        pub(super) fn find(&self, _: &str) -> Result<Option<String>, KeyringError> {
            match *self {}
        }

        pub(super) fn write(&self, _: &str, _: &str) -> Result<(), KeyringError> {
            match *self {}
        }

        pub(super) fn remove(&self, _: &str) -> Result<(), KeyringError> {
            match *self {}
        }
    }
}

#[cfg(all(test, feature = "keyring", any(target_os = "linux", target_os = "macos")))]
mod tests {
    use keyring_core::{Error, mock};

    use super::native::Keyring;

    fn keyring() -> Keyring {
        Keyring(mock::Store::new().expect("a keyring that is none"))
    }

    #[test]
    fn what_was_put_in_is_there_until_it_is_taken_out() {
        let keyring = keyring();
        let missing = keyring.read("nekro/weather").expect_err("nothing yet").to_string();
        assert_eq!(missing, "the keyring has no `nekro/weather`: `nekro secret set nekro/weather` puts it there");
        keyring.write("nekro/weather", "s3cret").expect("it takes it");
        // The service may be left out.
        assert_eq!(keyring.read("weather").expect("it is there"), "s3cret");
        keyring.remove("weather").expect("it is there");
        keyring.read("nekro/weather").expect_err("nothing any more");
    }

    #[test]
    fn a_keyring_that_fails_says_so_and_never_the_secret() {
        let keyring = keyring();
        for (error, told) in [
            (Error::NoStorageAccess("it is locked".into()), "cannot be opened, it may be locked: it is locked"),
            (Error::PlatformFailure("broken".into()), "cannot be opened, it may be locked: broken"),
            (Error::BadEncoding(b"s3cret".to_vec()), "is not UTF-8"),
            (Error::BadDataFormat(b"s3cret".to_vec(), "s3cret".into()), "is not UTF-8"),
            (Error::TooLong("secret".to_owned(), 5), "5 characters at most"),
        ] {
            let entry = keyring.0.build("nekro", "weather", None).expect("an entry");
            let entry = entry.as_any().downcast_ref::<mock::Cred>().expect("the mock's");
            entry.set_error(error);
            let problem = keyring.read("nekro/weather").expect_err("it fails");
            assert!(problem.to_string().contains(told), "{problem}");
            assert!(!format!("{problem} {problem:?}").contains("s3cret"), "{problem:?}");
        }
    }

    #[test]
    fn a_name_that_names_nothing_is_refused() {
        for name in ["", "/", "nekro/", "/weather", "a\0b"] {
            let problem = keyring().read(name).expect_err("no name").to_string();
            assert!(problem.contains("expected one such as `nekro/weather`"), "{problem}");
        }
    }
}
