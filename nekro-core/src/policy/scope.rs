//! How far capabilities may reach: one row to a capability that reaches only as far as its plugin declares.

use super::matches;

/// A key of the policy that says how far a capability may reach.
pub(super) struct Kind {
    /// The capability, and the key.
    pub(super) capability: &'static str,
    /// What its entries are, for documentation.
    pub(super) what: &'static str,
    /// Tells whether an entry of the policy allows what a plugin declares.
    covers: fn(&str, &str) -> bool,
    /// Tells whether an entry could allow anything.
    #[cfg_attr(not(feature = "build"), expect(dead_code, reason = "only the reader of the file asks"))]
    is_pattern: fn(&str) -> bool,
    /// What to write instead of one that could not.
    #[cfg_attr(not(feature = "build"), expect(dead_code, reason = "only the reader of the file asks"))]
    example: &'static str,
}

pub(super) const KINDS: [Kind; 8] = [
    Kind {
        capability: "http",
        what: "hosts: `api.example.org`, `*.example.org` for all below it, `example.org:8443`, `example.org:*` for any port, `*`",
        covers: host,
        is_pattern: |entry| !entry.contains(['/', ' ']) && !entry.bytes().any(|byte| byte.is_ascii_uppercase()),
        example: "a host in lower case without scheme and path, such as `api.example.org` or `*.example.org:8443`",
    },
    Kind {
        capability: "process",
        what: "programs, by name or absolute path as the plugin declares them, or `*`",
        covers: |allowed, declared| allowed == "*" || allowed == declared,
        is_pattern: |entry| entry.starts_with('/') || !entry.contains(['/', ' ']),
        example: "the name of a program or an absolute path, such as `git`",
    },
    Kind {
        capability: "env",
        what: "environment variables; `*` stands for any characters, such as `LC_*`",
        covers: matches,
        is_pattern: |entry| entry.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'*')),
        example: "an environment variable, such as `LANG` or `LC_*`",
    },
    Kind {
        capability: "files",
        what: "directories, with all that is below them",
        covers: directory,
        is_pattern: |entry| {
            entry == "/" || entry.starts_with('/') && !entry.split('/').skip(1).any(|part| matches!(part, "" | "." | ".."))
        },
        example: "an absolute directory in its shortest form, such as `/srv/data`",
    },
    Kind {
        capability: "resources",
        what: "files that MCP clients are shown, below the plugin's own directory: a file, a directory with all that is below it, or `*` for any",
        covers: |allowed, declared| allowed == "*" || directory(allowed, declared),
        is_pattern: |entry| !entry.contains(['\\', ':']) && !entry.split('/').any(|part| matches!(part, "" | "." | "..")),
        example: "a path below the plugin's own directory, such as `digests` or `digests/{session}`",
    },
    Kind {
        capability: "messages",
        what: "conversations beside the one of the call; `*` stands for any characters, such as `telegram:*`",
        covers: matches,
        is_pattern: |entry| !entry.contains(char::is_whitespace),
        example: "a conversation, such as `telegram:42` or `telegram:*`",
    },
    Kind {
        capability: "sessions",
        what: "conversations beside the one of the call; `*` stands for any characters, such as `telegram:*`",
        covers: matches,
        is_pattern: |entry| !entry.contains(char::is_whitespace),
        example: "a conversation, such as `telegram:42` or `telegram:*`",
    },
    Kind {
        capability: "secrets",
        what: "secrets, by the names that the plugin declares; `*` stands for any characters",
        covers: matches,
        is_pattern: |entry| {
            entry.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'_' | b'*'))
        },
        example: "the name of a secret, such as `github_token`",
    },
];

/// Returns the row of a capability.
pub(super) fn kind(capability: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| kind.capability == capability)
}

impl Kind {
    /// Tells whether an entry of the policy allows what a plugin declares.
    pub(super) fn covers(&self, allowed: &str, declared: &str) -> bool {
        (self.covers)(allowed, declared)
    }

    /// Returns what is wrong with an entry of the policy that could not allow anything.
    #[cfg(feature = "build")]
    pub(super) fn problem(&self, entry: &str) -> Option<String> {
        (entry.is_empty() || !(self.is_pattern)(entry)).then(|| format!("`{entry}` allows nothing: write {}", self.example))
    }
}

/// `*.a` covers all below `a`, and not `a` itself; a port covers itself alone, `:*` any, and none that of the protocol.
fn host(allowed: &str, declared: &str) -> bool {
    let ((allowed, allowed_port), (declared, port)) = (split_port(allowed), split_port(declared));
    let below = |domain: &str| declared.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.'));
    (allowed_port == Some("*") || allowed_port == port)
        && (allowed == "*" || allowed == declared || allowed.strip_prefix("*.").is_some_and(below))
}

fn split_port(host: &str) -> (&str, Option<&str>) {
    match host.rsplit_once(':') {
        // The colons of an address in brackets are its own.
        Some((name, port)) if !port.ends_with(']') => (name, Some(port)),
        _ => (host, None),
    }
}

fn directory(allowed: &str, declared: &str) -> bool {
    let below = |rest: &str| rest.is_empty() || rest.starts_with('/');
    declared.strip_prefix(allowed.trim_end_matches('/')).is_some_and(below)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(capability: &str, allowed: &str, covered: &[&str], others: &[&str]) {
        let kind = kind(capability).expect("it has a row");
        assert_eq!(kind.problem(allowed), None);
        for declared in covered {
            assert!(kind.covers(allowed, declared), "`{allowed}` covers `{declared}`");
        }
        for declared in others {
            assert!(!kind.covers(allowed, declared), "`{allowed}` does not cover `{declared}`");
        }
    }

    #[test]
    fn a_host_covers_itself_and_a_star_what_is_below() {
        check("http", "a.org", &["a.org"], &["b.a.org", "*.a.org", "a.org:1", "xa.org", "*"]);
        check(
            "http",
            "*.a.org",
            &["b.a.org", "*.a.org", "c.b.a.org", "*.b.a.org"],
            &["a.org", "xa.org", ".a.orgx", "b.a.org:1", "*"],
        );
        check("http", "*.a.org:8", &["b.a.org:8"], &["b.a.org", "b.a.org:80"]);
        check("http", "a.org:*", &["a.org", "a.org:1"], &["b.org", "b.org:1"]);
        check("http", "*", &["a.org", "*", "*.a.org", "[::1]"], &["a.org:1", "*:1"]);
        check("http", "*:*", &["a.org", "*:1", "*:*", "[::1]:80"], &[]);
        check("http", "a.org:1", &["a.org:1"], &["a.org:*"]);
        check("http", "[::1]", &["[::1]"], &["[::1]:80", "[::2]"]);
    }

    #[test]
    fn a_directory_covers_what_is_below_it() {
        check("files", "/srv/a", &["/srv/a", "/srv/a/b"], &["/srv", "/srv/ab", "/", "/srv/b"]);
        check("files", "/", &["/", "/srv"], &[]);
    }

    #[test]
    fn a_shown_file_is_covered_by_itself_and_by_what_is_above_it() {
        check("resources", "a", &["a", "a/b", "a/*.md", "a/{session}"], &["ab", "*", "b/a"]);
        check("resources", "a/*.md", &["a/*.md"], &["a/b.md", "a"]);
        check("resources", "*", &["*", "a/{session}"], &[]);
    }

    #[test]
    fn variables_and_programs_are_covered_by_name() {
        check("env", "LC_*", &["LC_ALL", "LC_"], &["LANG", "XLC_ALL"]);
        check("process", "git", &["git"], &["/usr/bin/git", "gitk", "*"]);
        check("process", "*", &["git", "/usr/bin/git"], &[]);
    }

    #[test]
    fn an_entry_that_allows_nothing_is_told() {
        let wrong = [
            ("http", "https://a.org"),
            ("http", "A.org"),
            ("http", ""),
            ("process", "bin/git"),
            ("process", "git log"),
            ("env", "$HOME"),
            ("files", "srv"),
            ("files", "/srv/"),
            ("files", "/srv/../etc"),
            ("resources", "/digests"),
            ("resources", "a/../b"),
        ];
        for (capability, entry) in wrong {
            assert!(kind(capability).expect("it has a row").problem(entry).is_some(), "{capability}: {entry}");
        }
    }
}
