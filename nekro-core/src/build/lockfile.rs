//! `Cargo.lock`: where each package was taken from.

use serde::Deserialize;

/// The packages of a `Cargo.lock`.
#[derive(Debug, Deserialize)]
pub(super) struct Lockfile {
    #[serde(rename = "package", default)]
    packages: Vec<Locked>,
}

/// A package in it. One without a source lies in a directory.
#[derive(Debug, Deserialize, PartialEq, Eq)]
pub(super) struct Locked {
    name: String,
    version: String,
    source: Option<String>,
    pub(super) checksum: Option<String>,
}

impl Lockfile {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        toml::from_str(text).map_err(|error| error.to_string())
    }

    /// Returns a package. `place` is what Cargo shows behind its name: nothing for the usual registry, otherwise where it is from. It tells
    /// apart the few that share a name and a version.
    pub(super) fn find(&self, name: &str, version: &str, place: Option<&str>) -> Option<&Locked> {
        let mut candidates = self.packages.iter().filter(|package| package.name == name && package.version == version).peekable();
        let first = candidates.peek().copied();
        let is_from = |package: &&Locked| match (&package.source, place) {
            (None, Some(place)) => !place.contains("://"),
            (Some(source), Some(place)) => source.contains(place.split('#').next().unwrap_or(place)),
            (Some(source), None) => source.starts_with("registry+"),
            (None, None) => false,
        };
        candidates.find(is_from).or(first)
    }
}

impl Locked {
    /// Returns the source as it may stand in a program: without a directory of this machine, and without a password.
    pub(super) fn source(&self) -> String {
        let Some(source) = &self.source else { return crate::manifest::PATH.to_owned() };
        let Some((scheme, rest)) = source.split_once("://") else { return source.clone() };
        if scheme.ends_with("file") {
            return format!("{scheme}://{}", rest.rsplit(['/', '\\']).next().unwrap_or_default());
        }
        let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
        match host.rsplit_once('@') {
            Some((login, host)) if login.contains(':') => format!("{scheme}://{host}/{path}"),
            _ => source.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "
        version = 4
        [[package]]
        name = 'mine'
        version = '1.0.0'
        [[package]]
        name = 'dice'
        version = '1.0.0'
        [[package]]
        name = 'dice'
        version = '1.0.0'
        source = 'registry+https://example.com/index'
        checksum = 'abc'
        [[package]]
        name = 'dice'
        version = '1.0.0'
        source = 'git+https://ada:secret@example.com/dice?branch=main#0123'
    ";

    #[test]
    fn packages_that_share_a_name_and_a_version_are_told_apart() {
        let lock = Lockfile::parse(TEXT).expect("it is right");
        let source = |name, place| lock.find(name, "1.0.0", place).map(Locked::source);
        assert_eq!(source("dice", None).as_deref(), Some("registry+https://example.com/index"));
        assert_eq!(source("dice", Some("/home/ada/dice")).as_deref(), Some("path"));
        let git = source("dice", Some("https://ada:secret@example.com/dice?branch=main#0123"));
        assert_eq!(git.as_deref(), Some("git+https://example.com/dice?branch=main#0123"));
        assert_eq!(source("mine", Some("/home/ada/mine")).as_deref(), Some("path"));
        assert_eq!(source("nobody", None), None);
    }

    #[test]
    fn a_directory_of_this_machine_does_not_get_into_a_program() {
        let source = |source: &str| {
            let source = Some(source.to_owned());
            Locked { name: String::new(), version: String::new(), source, checksum: None }.source()
        };
        assert_eq!(source("git+file:///home/ada/dice#0123"), "git+file://dice#0123");
        assert_eq!(source("git+ssh://git@example.com/dice#0123"), "git+ssh://git@example.com/dice#0123");
    }
}
