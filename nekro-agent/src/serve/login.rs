//! Browsers that have logged in: a cookie that stands for a token, until it is too old or the program ends.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use super::access::{Identity, random};

/// The name of the cookie.
const COOKIE: &str = "nekro";

/// How long a login holds.
const HOLDS: Duration = Duration::from_secs(12 * 60 * 60);

/// How many there may be. When it is one too many, the oldest ends.
const MOST: usize = 1_000;

/// The browsers that have logged in.
#[derive(Default)]
pub(super) struct Logins(Mutex<HashMap<String, (Identity, Instant)>>);

impl Logins {
    /// Lets a browser in, and returns what it is to send from now on.
    pub(super) fn enter(&self, identity: Identity) -> std::io::Result<String> {
        let name = random()?;
        let mut logins = self.lock();
        logins.retain(|_, (_, since)| since.elapsed() < HOLDS);
        if logins.len() >= MOST {
            let oldest = logins.iter().min_by_key(|(_, (_, since))| *since).map(|(name, _)| name.clone());
            oldest.map(|oldest| logins.remove(&oldest));
        }
        logins.insert(name.clone(), (identity, Instant::now()));
        Ok(format!("{COOKIE}={name}; HttpOnly; SameSite=Strict; Path=/; Max-Age={}", HOLDS.as_secs()))
    }

    /// Returns who has logged in, by the cookies of a request.
    pub(super) fn find(&self, cookies: &str) -> Option<Identity> {
        let logins = self.lock();
        let (identity, since) = logins.get(named(cookies)?)?;
        (since.elapsed() < HOLDS).then(|| identity.clone())
    }

    /// Ends a login, and returns what makes the browser forget it.
    pub(super) fn leave(&self, cookies: &str) -> String {
        if let Some(name) = named(cookies) {
            self.lock().remove(name);
        }
        format!("{COOKIE}=; HttpOnly; SameSite=Strict; Path=/; Max-Age=0")
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, (Identity, Instant)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn named(cookies: &str) -> Option<&str> {
    cookies.split(';').find_map(|cookie| cookie.trim().strip_prefix(COOKIE)?.strip_prefix('='))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_login_holds_until_it_is_ended_or_too_old() {
        let logins = Logins::default();
        let enter = || logins.enter(Identity::operator()).expect("chance").split(';').next().expect("a cookie").to_owned();
        let (one, other) = (enter(), enter());
        assert_eq!(logins.find(&format!("a=b; {one}")), Some(Identity::operator()));
        logins.leave(&one);
        assert_eq!(logins.find(&one), None);
        tokio::time::advance(HOLDS).await;
        assert_eq!(logins.find(&other), None);
        assert_eq!(logins.find("nekro=; nekro"), None);
    }
}
