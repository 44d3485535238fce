//! Whether a webhook comes from its sender: the schemes of those that many use. Signatures are compared in constant time.
//!
//! - GitHub: <https://docs.github.com/webhooks/using-webhooks/validating-webhook-deliveries>
//! - GitLab: <https://docs.gitlab.com/user/project/integrations/webhooks/#validate-payloads-by-using-a-secret-token>
//! - Stripe: <https://docs.stripe.com/webhooks#verify-manually>
//! - Slack: <https://api.slack.com/authentication/verifying-requests-from-slack>

use std::time::Duration;

use hmac::{Hmac, Mac};
use nekro_core::web::Signature;
use sha2::Sha256;

use super::access::is_same;

/// Why a webhook is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// The header with the signature is not there, or cannot be read.
    Missing(&'static str),
    /// It is not the sender's.
    Wrong,
    /// It was signed too long ago, or will be.
    Age,
}

/// What came, as far as signatures cover it.
pub(super) struct Signed<'a> {
    /// Returns a header.
    pub(super) header: &'a dyn Fn(&str) -> Option<&'a str>,
    pub(super) body: &'a [u8],
    /// Seconds since 1970.
    pub(super) now: i64,
    /// How old a signed time may be.
    pub(super) age: Duration,
}

/// Tells whether something was signed with a secret.
pub(super) fn verify(scheme: Signature, secret: &str, signed: &Signed<'_>) -> Result<(), Refused> {
    let header = |name: &'static str| (signed.header)(name).ok_or(Refused::Missing(name));
    match scheme {
        Signature::Github => {
            let given = header("x-hub-signature-256")?.strip_prefix("sha256=").ok_or(Refused::Missing("x-hub-signature-256"))?;
            check(secret, &[signed.body], given)
        }
        Signature::Gitlab => {
            let is_right = is_same(secret.as_bytes(), header("x-gitlab-token")?.as_bytes());
            if bool::from(is_right) { Ok(()) } else { Err(Refused::Wrong) }
        }
        Signature::Stripe => {
            let given = header("stripe-signature")?;
            let mut parts = given.split(',').filter_map(|part| part.trim().split_once('='));
            let time = parts.clone().find(|(name, _)| *name == "t").map(|(_, time)| time);
            let time = time.ok_or(Refused::Missing("stripe-signature"))?;
            // While a secret is replaced there are several signatures.
            let is_right =
                parts.any(|(name, one)| name == "v1" && check(secret, &[time.as_bytes(), b".", signed.body], one).is_ok());
            if is_right { fresh(time, signed) } else { Err(Refused::Wrong) }
        }
        Signature::Slack => {
            let time = header("x-slack-request-timestamp")?;
            let given = header("x-slack-signature")?.strip_prefix("v0=").ok_or(Refused::Missing("x-slack-signature"))?;
            check(secret, &[b"v0:", time.as_bytes(), b":", signed.body], given)?;
            fresh(time, signed)
        }
        Signature::Hmac => {
            let given = header("x-signature")?;
            check(secret, &[signed.body], given.strip_prefix("sha256=").unwrap_or(given))
        }
        // A scheme that this host does not know believes nobody.
        _ => Err(Refused::Wrong),
    }
}

fn check(secret: &str, parts: &[&[u8]], given: &str) -> Result<(), Refused> {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else { return Err(Refused::Wrong) };
    parts.iter().for_each(|part| mac.update(part));
    let given = unhex(given.trim()).ok_or(Refused::Wrong)?;
    mac.verify_slice(&given).map_err(|_| Refused::Wrong)
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    pairs.iter().map(|[high, low]| u8::try_from(digit(*high)? * 16 + digit(*low)?).ok()).collect()
}

fn fresh(time: &str, signed: &Signed<'_>) -> Result<(), Refused> {
    let time: i64 = time.trim().parse().map_err(|_| Refused::Age)?;
    if signed.now.abs_diff(time) <= signed.age.as_secs() { Ok(()) } else { Err(Refused::Age) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_531_420_618;

    #[track_caller]
    fn check(scheme: Signature, secret: &str, headers: &[(&str, &str)], body: &str, expected: Result<(), Refused>) {
        let header = |name: &str| headers.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
        let signed = Signed { header: &header, body: body.as_bytes(), now: NOW, age: Duration::from_secs(300) };
        assert_eq!(verify(scheme, secret, &signed), expected, "{scheme:?} {headers:?}");
    }

    /// The example of GitHub's documentation.
    const GITHUB: &str = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";

    #[test]
    fn github_signs_the_body() {
        let secret = "It's a Secret to Everybody";
        let check =
            |signature, body, expected| check(Signature::Github, secret, &[("x-hub-signature-256", signature)], body, expected);
        check(GITHUB, "Hello, World!", Ok(()));
        check(GITHUB, "Hello, World?", Err(Refused::Wrong));
        check(&GITHUB[7..], "Hello, World!", Err(Refused::Missing("x-hub-signature-256")));
        for cut in ["sha256=", "sha256=75", "sha256=zz", "sha256=757"] {
            check(cut, "Hello, World!", Err(Refused::Wrong));
        }
        super::tests::check(Signature::Github, "", &[("x-hub-signature-256", GITHUB)], "Hello, World!", Err(Refused::Wrong));
        super::tests::check(Signature::Github, secret, &[], "Hello, World!", Err(Refused::Missing("x-hub-signature-256")));
    }

    /// The example of Slack's documentation.
    #[test]
    fn slack_signs_the_time_and_the_body() {
        let body = "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c";
        let signature = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503";
        let check = |time, expected| {
            let headers = [("x-slack-request-timestamp", time), ("x-slack-signature", signature)];
            check(Signature::Slack, "8f742231b10e8888abcd99yyyzzz85a5", &headers, body, expected);
        };
        check("1531420618", Ok(()));
        check("1531420619", Err(Refused::Wrong));
        check("", Err(Refused::Wrong));
    }

    fn sign(secret: &str, parts: &str) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("any length");
        mac.update(parts.as_bytes());
        mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    #[test]
    fn what_was_signed_too_long_ago_is_not_believed() {
        let at = |time: i64, more: &str, expected| {
            let header = format!("t={time}{more},v1={}", sign("whsec", &format!("{time}.{{}}")));
            check(Signature::Stripe, "whsec", &[("stripe-signature", &header)], "{}", expected);
        };
        at(NOW, "", Ok(()));
        at(NOW - 300, ",v1=00,v0=x", Ok(()));
        at(NOW - 301, "", Err(Refused::Age));
        at(NOW + 301, "", Err(Refused::Age));
        at(i64::MIN, "", Err(Refused::Age));
        // The time that counts is the one that was signed: a second one changes nothing.
        let header = format!("t={NOW},v1={},t=1", sign("whsec", "1.{}"));
        check(Signature::Stripe, "whsec", &[("stripe-signature", &header)], "{}", Err(Refused::Wrong));
    }

    #[test]
    fn gitlab_shows_the_secret_and_others_sign_the_body() {
        check(Signature::Gitlab, "s3cret", &[("x-gitlab-token", "s3cret")], "{}", Ok(()));
        check(Signature::Gitlab, "s3cret", &[("x-gitlab-token", "s3cre")], "{}", Err(Refused::Wrong));
        for prefix in ["", "sha256="] {
            let signature = format!("{prefix}{}", sign("s3cret", "{}"));
            check(Signature::Hmac, "s3cret", &[("x-signature", &signature)], "{}", Ok(()));
            check(Signature::Hmac, "other", &[("x-signature", &signature)], "{}", Err(Refused::Wrong));
        }
    }
}
