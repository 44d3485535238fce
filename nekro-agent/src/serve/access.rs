//! Who is asking: by the token that was made at the first start, by one of the settings, or by a browser that has logged in.

use std::{
    fs,
    io::{Read, Write},
    path::Path,
    sync::{Arc, LazyLock},
};

use nekro_core::{Caller, Origin, Role, SessionId, UserId};
use subtle::{Choice, ConstantTimeEq};

use super::settings::{GUEST, OPERATOR, ServeSettings};
use crate::storage::{StorageError, open_private};

/// The file of the token that is made at the first start, in the data directory.
pub(super) const TOKEN_FILE: &str = "token";

/// The longest file that is read for a token.
const MOST_BYTES: u64 = 4_096;

/// Somebody who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Identity {
    /// Whose token it is.
    pub(super) name: Arc<str>,
    pub(super) role: Role,
    // Both are made of the name, once: every request has a copy, which allocates nothing.
    user: UserId,
    session: SessionId,
}

static NOBODY: LazyLock<Identity> = LazyLock::new(|| Identity::new(GUEST, Role::Guest));
static WHOEVER_RUNS_IT: LazyLock<Identity> = LazyLock::new(|| Identity::new(OPERATOR, Role::Admin));

impl Identity {
    /// Somebody of this name.
    pub(super) fn new(name: &str, role: Role) -> Self {
        let theirs = format!("http:{name}");
        Self { name: name.into(), role, user: theirs.as_str().into(), session: theirs.into() }
    }

    /// Somebody without a token.
    pub(super) fn guest() -> Self {
        NOBODY.clone()
    }

    /// Whoever runs the agent.
    pub(super) fn operator() -> Self {
        WHOEVER_RUNS_IT.clone()
    }

    /// Tells whether it is somebody without a token.
    pub(super) fn is_guest(&self) -> bool {
        self.role == Role::Guest && &*self.name == GUEST
    }

    /// Returns the session that belongs to whoever this is: calls are made in it that name no other.
    pub(super) fn session(&self) -> SessionId {
        self.session.clone()
    }

    /// Returns who is calling.
    pub(super) fn caller(&self) -> Caller {
        Caller::new(Origin::HttpClient, self.role).as_user(self.user.clone()).in_session(self.session.clone())
    }

    /// Tells whether a session is theirs. Who runs conversations reaches all of them; to everybody else those of others look unknown.
    pub(super) fn reaches(&self, session: &SessionId) -> bool {
        let is_own =
            session.as_str().strip_prefix(self.session.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with(':'));
        self.role >= Role::Manager || self.role >= Role::User && is_own
    }
}

/// The tokens.
pub(super) struct Tokens(Vec<(Box<str>, Identity)>);

impl Tokens {
    /// Puts together the token of the data directory and those of the settings.
    pub(super) fn new(own: &str, settings: &ServeSettings) -> Self {
        let others =
            settings.tokens.iter().map(|(name, token)| (token.token.expose().as_str().into(), Identity::new(name, token.role)));
        Self(std::iter::once((own.into(), Identity::operator())).chain(others).collect())
    }

    /// Returns whose token this is.
    pub(super) fn find(&self, token: &str) -> Option<Identity> {
        let mut found = None;
        // All are compared, whether one was found or not.
        for (known, identity) in &self.0 {
            if is_same(known.as_bytes(), token.as_bytes()).into() {
                found = Some(identity);
            }
        }
        found.cloned()
    }
}

/// Tells whether two secrets are the same, in a time that tells how long they are and nothing else. Eight bytes are compared at a time.
pub(super) fn is_same(known: &[u8], came: &[u8]) -> Choice {
    let ((known_words, known_rest), (came_words, came_rest)) = (known.as_chunks(), came.as_chunks());
    let words = known_words.iter().zip(came_words).map(|(known, came)| u64::from_ne_bytes(*known) ^ u64::from_ne_bytes(*came));
    let rest = known_rest.iter().zip(came_rest).map(|(known, came)| u64::from(known ^ came));
    let differences = words.chain(rest).fold(0, |all, one| all | one);
    differences.ct_eq(&0) & known.len().ct_eq(&came.len())
}

/// Reads the token of a data directory, and makes it if there is none. Its file is its owner's alone.
pub(super) fn own_token(directory: &Path) -> Result<String, StorageError> {
    let file = directory.join(TOKEN_FILE);
    let problem = |error: std::io::Error| StorageError::Other(format!("the token in {} cannot be kept: {error}", file.display()));
    let mut opened = open_private(&file).map_err(problem)?;
    let mut text = String::new();
    Read::by_ref(&mut opened).take(MOST_BYTES).read_to_string(&mut text).map_err(problem)?;
    let text = text.trim();
    if !text.is_empty() {
        if is_open(&file) {
            return Err(StorageError::Other(format!(
                "others on this machine may read the token in {}: delete it, and a new one is made at the next start",
                file.display()
            )));
        }
        return Ok(text.to_owned());
    }
    let token = random().map_err(problem)?;
    writeln!(opened, "{token}").and_then(|()| opened.sync_all()).map_err(problem)?;
    Ok(token)
}

/// Makes a text that nobody guesses.
pub(super) fn random() -> std::io::Result<String> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(std::io::Error::other)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(unix)]
fn is_open(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    fs::metadata(file).is_ok_and(|metadata| metadata.permissions().mode() & 0o077 != 0)
}

#[cfg(not(unix))]
fn is_open(_: &Path) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_made_once_and_is_its_owners_alone() {
        let place = tempfile::tempdir().expect("a directory");
        let token = own_token(place.path()).expect("it is made");
        assert_eq!(token.len(), 64);
        assert_eq!(own_token(place.path()).expect("it is read"), token);
        let file = place.path().join(TOKEN_FILE);
        assert!(!is_open(&file));
        #[cfg(unix)]
        {
            fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o644)).expect("its mode");
            assert!(own_token(place.path()).expect_err("others read it").to_string().contains("delete it"));
        }
    }

    #[test]
    fn a_token_tells_who_has_it() {
        let tokens = Tokens::new("own", &ServeSettings::default());
        assert_eq!(tokens.find("own"), Some(Identity::operator()));
        for wrong in ["", "ow", "own ", "OWN"] {
            assert_eq!(tokens.find(wrong), None, "{wrong}");
        }
    }

    proptest::proptest! {
        #[test]
        fn tokens_are_the_same_if_all_their_bytes_are(
            token in proptest::collection::vec(0_u8.., 0..40),
            other in proptest::collection::vec(0_u8.., 0..40),
            at: proptest::sample::Index,
            bits in 1_u8..,
        ) {
            proptest::prop_assert!(bool::from(is_same(&token, &token)));
            proptest::prop_assert_eq!(bool::from(is_same(&token, &other)), token == other);
            proptest::prop_assert!(!bool::from(is_same(&token, &[&token[..], &[0]].concat())));
            if !token.is_empty() {
                let mut changed = token.clone();
                changed[at.index(token.len())] ^= bits;
                proptest::prop_assert!(!bool::from(is_same(&token, &changed)));
            }
        }
    }

    #[test]
    fn people_reach_their_own_sessions_and_managers_all() {
        let named = |name: &str, role| Identity::new(name, role);
        let reaches =
            |identity: &Identity| ["http:ada", "http:ada:work", "http:adam", "terminal"].map(|id| identity.reaches(&id.into()));
        assert_eq!(reaches(&named("ada", Role::User)), [true, true, false, false]);
        assert_eq!(reaches(&named("bob", Role::Manager)), [true; 4]);
        assert_eq!(reaches(&Identity { role: Role::Guest, ..named("ada", Role::User) }), [false; 4]);
    }
}
