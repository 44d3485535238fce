//! How far the capabilities of a plugin reach, as `#[plugin]` says: one key to a capability, one row to a key.

use syn::LitStr;

use crate::shared::{Diagnostics, Keys};

/// What a plugin says of one capability.
pub(crate) struct Scope {
    pub(crate) capability: &'static str,
    pub(crate) entries: Vec<LitStr>,
}

/// A key, and how one of its entries is checked.
struct Kind {
    key: &'static str,
    example: &'static str,
    // Returns what is wrong, and what to write instead.
    problem: fn(&str) -> Option<String>,
}

const KINDS: [Kind; 8] = [
    Kind { key: "http", example: "api.example.org", problem: host },
    Kind { key: "process", example: "git", problem: program },
    Kind { key: "env", example: "LANG", problem: variable },
    Kind { key: "files", example: "/srv/data", problem: directory },
    Kind { key: "messages", example: "telegram:*", problem: conversation },
    Kind { key: "sessions", example: "telegram:*", problem: conversation },
    Kind { key: "resources", example: "digests/*.md", problem: shown },
    Kind { key: "secrets", example: "github_token", problem: secret },
];

/// Reads the keys. An entry that is wrong stays in its list: the functions that need the key must not seem to lack it.
pub(crate) fn read(keys: &mut Keys, diagnostics: &mut Diagnostics) -> Vec<Scope> {
    let mut scopes = Vec::new();
    for Kind { key, example, problem } in KINDS {
        let entries = keys.some_texts(key, example, diagnostics);
        for (at, entry) in entries.iter().enumerate() {
            let text = entry.value();
            if let Some(problem) = problem(&text) {
                diagnostics.report(entry, problem);
            } else if entries[..at].iter().any(|before| before.value() == text) {
                diagnostics.report(entry, format!("`{key}` names `{text}` twice"));
            }
        }
        if !entries.is_empty() {
            scopes.push(Scope { capability: key, entries });
        }
    }
    scopes
}

/// A host: a name or an address, one with `*.` before it for all hosts below it, and perhaps a port, or `*` for every port; `*` is any host.
fn host(text: &str) -> Option<String> {
    if let Some((scheme, rest)) = text.split_once("://") {
        let host = rest.split('/').next().unwrap_or_default();
        return Some(format!("`{scheme}://` is not part of a host: write `{host}`"));
    }
    if let Some((host, _)) = text.split_once('/') {
        return Some(format!("a path is not part of a host: write `{host}`"));
    }
    let (name, port) = match text.rsplit_once(':') {
        // The colons of an address in brackets are its own.
        Some((name, port)) if !port.ends_with(']') => (name, Some(port)),
        _ => (text, None),
    };
    if let Some(port) = port
        && port != "*"
        && port.parse::<u16>().map_or(true, |number| number == 0 || number.to_string() != port)
    {
        return Some(format!("`{port}` is not a port: write a number from 1 to 65535, `*` for every port, or leave it out"));
    }
    let is_address = name
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .is_some_and(|six| six.parse::<std::net::Ipv6Addr>().is_ok());
    if name == "*" || is_address {
        return None;
    }
    let labels = name.strip_prefix("*.").unwrap_or(name);
    if labels.contains('*') {
        return Some(format!("`{text}` is not a host: `*` stands before the rest, such as `*.example.org`"));
    }
    let lower = labels.to_ascii_lowercase();
    if lower != labels && is_name(&lower) {
        return Some(format!("write hosts in lower case: `{}`", text.to_ascii_lowercase()));
    }
    (!is_name(labels)).then(|| format!("`{text}` is not a host, such as `api.example.org`, `*.example.org` or `localhost:8080`"))
}

fn is_name(labels: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_'))
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    labels.len() <= 253 && labels.split('.').all(is_label)
}

/// A program: a name that is looked for in the path, or an absolute path.
fn program(text: &str) -> Option<String> {
    match text.strip_prefix('/') {
        Some(rest) => {
            (!is_plain_path(rest)).then(|| format!("`{text}` is not the plain path of a program, such as `/usr/bin/git`"))
        }
        None if text.contains('/') => {
            Some(format!("`{text}` depends on where the agent runs: write the name alone, or an absolute path"))
        }
        None if text.contains(char::is_whitespace) => {
            Some(format!("`{text}` is not a program: write its name without arguments"))
        }
        None => (text.is_empty() || matches!(text, "." | "..")).then(|| format!("`{text}` is not a program, such as `git`")),
    }
}

fn variable(text: &str) -> Option<String> {
    let fits = |one: char| one.is_ascii_alphanumeric() || one == '_';
    let is_variable = text.chars().all(fits) && text.starts_with(|first: char| !first.is_ascii_digit());
    (!is_variable).then(|| match text.strip_prefix('$') {
        Some(name) if !name.is_empty() => format!("write a variable without `$`: `{name}`"),
        _ => format!("`{text}` is not an environment variable: write letters, digits and `_`, such as `LANG`"),
    })
}

/// A conversation: its id, or the beginning of it and a `*`.
fn conversation(text: &str) -> Option<String> {
    let beginning = text.strip_suffix('*').unwrap_or(text);
    let is_one = !text.is_empty() && !beginning.contains('*') && !text.contains(char::is_whitespace);
    (!is_one).then(|| format!("`{text}` is not a conversation, such as `telegram:42`, or `telegram:*` for all of a channel"))
}

/// A secret: a name as in Rust.
fn secret(text: &str) -> Option<String> {
    let is_name = text.starts_with(|first: char| first.is_ascii_lowercase())
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
    (!is_name).then(|| {
        format!("`{text}` is not the name of a secret: write lower case letters, digits and `_`, such as `github_token`")
    })
}

/// A directory: an absolute path, in its shortest form.
fn directory(text: &str) -> Option<String> {
    match text.strip_prefix('/') {
        Some(rest) if rest.is_empty() || is_plain_path(rest) => None,
        Some(_) => {
            Some(format!("write `{text}` in its shortest form, such as `/srv/data`: without `.`, `..` and a slash at its end"))
        }
        None => Some(format!("`{text}` depends on where the agent runs: write an absolute path, such as `/srv/data`")),
    }
}

/// Files that are shown: a path below the plugin's own directory, with `*` in its last part, and `{session}` for one that each conversation
/// has for itself.
fn shown(text: &str) -> Option<String> {
    if let Some(rest) = text.strip_prefix('/') {
        return Some(format!("what a plugin shows is below its own directory: write `{rest}`"));
    }
    let (above, last) = text.rsplit_once('/').unwrap_or(("", text));
    let has_strange = |part: &str| part.contains(['\\', ':', '?', '[', ']']) || part.chars().any(char::is_control);
    if text.is_empty() || !is_plain_path(text) || has_strange(text) || last.contains("**") {
        return Some(format!("`{text}` is not the path of a file or a directory below the plugin's own, such as `digests/*.md`"));
    }
    if above.contains('*') {
        return Some(format!("`{text}` has `*` before its last part: name the directory, which stands for all that is below it"));
    }
    let braces = |part: &str| part != "{session}" && part.contains(['{', '}']);
    if text.split('/').any(braces) || text.matches("{session}").count() > 1 {
        return Some(format!("`{text}`: `{{session}}` stands once, as a part of its own, such as `digests/{{session}}`"));
    }
    None
}

fn is_plain_path(relative: &str) -> bool {
    relative.split('/').all(|part| !matches!(part, "" | "." | "..") && !part.contains('\0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(problem: fn(&str) -> Option<String>, good: &[&str], wrong: &[&str]) {
        for text in good {
            assert_eq!(problem(text), None);
        }
        for text in wrong {
            assert!(problem(text).is_some(), "{text}");
        }
    }

    #[test]
    fn a_host_is_a_name_or_an_address_and_perhaps_a_port() {
        check(
            host,
            &[
                "api.example.org",
                "*.example.org:8443",
                "localhost:1",
                "127.0.0.1",
                "[::1]:8080",
                "[::1]",
                "*",
                "*:8080",
                "*:*",
                "a.org:*",
                "my_host",
            ],
            &[
                "",
                "https://a.org",
                "a.org/x",
                "a.*.org",
                "**.org",
                "a..org",
                "-a.org",
                "A.org",
                "a.org:0",
                "a.org:",
                "a.org:080",
                "a b",
                "::1",
                "*.",
            ],
        );
        assert_eq!(host("https://a.org/x").as_deref(), Some("`https://` is not part of a host: write `a.org`"));
        assert_eq!(host("A.org:80").as_deref(), Some("write hosts in lower case: `a.org:80`"));
    }

    #[test]
    fn a_program_is_a_name_or_an_absolute_path() {
        check(program, &["git", "g++", "/usr/bin/git"], &["", "bin/git", "./git", "git status", "/usr/../git", "/", ".."]);
    }

    #[test]
    fn a_conversation_is_an_id_or_its_beginning() {
        check(conversation, &["terminal", "telegram:42", "telegram:*", "*"], &["", "a b", "*:42", "a:*:b", "**"]);
    }

    #[test]
    fn a_secret_has_a_name() {
        check(secret, &["token", "github_token", "key2"], &["", "Token", "2nd", "a-b", "a.b", "_a"]);
    }

    #[test]
    fn what_is_shown_is_below_the_plugins_own_directory() {
        check(
            shown,
            &["digests", "a/b.md", "*", "*.md", "a/*", "a/{session}", "a/{session}/*.md", "{session}/x"],
            &[
                "",
                "/a",
                "../a",
                "a/",
                "a//b",
                "a/./b",
                "a\\b",
                "c:a",
                "*/a",
                "a/**",
                "a/{user}",
                "a{session}",
                "{session}/{session}",
            ],
        );
    }

    #[test]
    fn a_variable_is_what_a_shell_can_name() {
        check(variable, &["LANG", "_x1"], &["", "1A", "$HOME", "A-B", "LC_*"]);
    }

    #[test]
    fn a_directory_is_an_absolute_path_in_its_shortest_form() {
        check(directory, &["/", "/srv", "/srv/my data"], &["", "srv", "/srv/", "/srv/../etc", "/srv//x", "~/x", "./x"]);
    }
}
