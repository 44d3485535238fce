//! Which files of its own a plugin shows to MCP clients, and telling of their changes: `#[plugin(resources = ["digests/*.md"])]`.
//!
//! An entry is a path below the plugin's own directory: a file, or a directory with all that is below it. The last part may have `*`
//! for any characters, and a part may be `{session}`: the directory of the caller's conversation, which nobody else is shown.

use std::fmt;

use super::{FilePlace, FilesPort, SandboxPath};
use crate::{
    call::Call,
    capability::CapabilityDecl,
    event::facts::{FileChange, SharedFileChanged},
    ids::SessionId,
    kernel::WeakKernel,
    plugin::PluginDecl,
    policy::matches,
};

/// What a part is called that is another one in each conversation.
const SESSION: &str = "{session}";

/// Stands in the manifest for a plugin that shows files. No function takes it: the host reads the files itself.
pub(crate) static RESOURCES: CapabilityDecl = CapabilityDecl {
    name: "resources",
    summary: "shows MCP clients those of its own files that it declares",
    scope: None,
    provided: |ports| ports.has::<dyn FilesPort>(),
};

/// Tells whether an entry shows a file to a conversation.
pub(crate) fn shows(entry: &str, path: &SandboxPath, session: Option<&SessionId>) -> bool {
    let own = session.and_then(|session| SandboxPath::of_session(session).ok());
    covers(entry, path, |part| own.as_ref().is_some_and(|own| own.as_str() == part))
}

fn covers(entry: &str, path: &SandboxPath, is_session: impl Fn(&str) -> bool) -> bool {
    let mut parts = path.as_str().split('/');
    for wanted in entry.split('/') {
        let Some(part) = parts.next() else { return false };
        if wanted.contains('*') {
            return matches(wanted, part) && parts.next().is_none();
        }
        if !(if wanted == SESSION { is_session(part) } else { wanted == part }) {
            return false;
        }
    }
    true
}

/// Returns where the files of an entry are for a conversation, and whether that is a directory in which names are compared; `None` without
/// a conversation that it needs. No path is the place itself.
pub(crate) fn beginning(entry: &str, session: Option<&SessionId>) -> Option<(Option<SandboxPath>, bool)> {
    let (above, has_names) = match entry.rsplit_once('/') {
        Some((above, last)) if last.contains('*') => (above, true),
        None if entry.contains('*') => ("", true),
        _ => (entry, false),
    };
    let text = match above.contains(SESSION) {
        true => above.replace(SESSION, SandboxPath::of_session(session?).ok()?.as_str()),
        false => above.to_owned(),
    };
    if text.is_empty() { Some((None, has_names)) } else { Some((Some(text.parse().ok()?), has_names)) }
}

/// Tells of what a plugin does to the files that it shows.
#[derive(Clone)]
pub(super) struct Tell {
    plugin: &'static PluginDecl,
    kernel: WeakKernel,
}

impl Tell {
    /// Returns one for a plugin that shows files, if anybody wants to know.
    pub(super) fn of(call: &Call<'_>) -> Option<Self> {
        let plugin = call.plugin.decl();
        let has_use = !plugin.scope(RESOURCES.name).is_empty() && call.kernel.is_observed::<SharedFileChanged>();
        has_use.then(|| Self { plugin, kernel: call.kernel.downgrade() })
    }

    /// Tells whether somebody may be shown the file.
    pub(super) fn concerns(&self, place: &FilePlace, path: &SandboxPath) -> bool {
        matches!(place, FilePlace::Own(_)) && self.plugin.scope(RESOURCES.name).iter().any(|entry| covers(entry, path, |_| true))
    }

    pub(super) fn emit(&self, path: &SandboxPath, change: FileChange) {
        if let Some(kernel) = self.kernel.upgrade() {
            kernel.emit(SharedFileChanged { plugin: self.plugin.id.into(), path: path.clone(), change });
        }
    }
}

impl fmt::Debug for Tell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Tell").field(&self.plugin.id).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(entry: &str, session: Option<&str>, shown: &[&str], hidden: &[&str]) {
        let session = session.map(SessionId::from);
        for (paths, expected) in [(shown, true), (hidden, false)] {
            for path in paths {
                let path = path.parse().expect("a path");
                assert_eq!(shows(entry, &path, session.as_ref()), expected, "{entry}: {path}");
            }
        }
    }

    #[test]
    fn an_entry_is_a_file_or_all_that_is_below_a_directory() {
        check("a", None, &["a", "a/b", "a/b/c.md"], &["ab", "b/a"]);
        check("a/b.md", None, &["a/b.md"], &["a/b.mdx", "b.md", "a"]);
    }

    #[test]
    fn a_star_stands_for_characters_of_the_last_part() {
        check("a/*.md", None, &["a/b.md", "a/.md"], &["a/b/c.md", "b.md", "a/b.txt"]);
        check("*", None, &["a"], &["a/b"]);
    }

    #[test]
    fn what_is_a_conversations_is_shown_to_that_one_alone() {
        check("a/{session}", Some("chat:1"), &["a/chat%3a1/x", "a/chat%3a1"], &["a/chat%3a2/x", "a/x", "a/{session}/x"]);
        check("a/{session}", None, &[], &["a/chat%3a1/x", "a/{session}/x"]);
    }

    #[track_caller]
    fn begins(entry: &str, session: Option<&str>, expected: Option<(Option<&str>, bool)>) {
        let found = beginning(entry, session.map(SessionId::from).as_ref());
        let found = found.map(|(path, has_names)| (path.map(|path| path.to_string()), has_names));
        assert_eq!(found, expected.map(|(path, has_names)| (path.map(str::to_owned), has_names)), "{entry}");
    }

    #[test]
    fn files_are_looked_for_where_the_entry_begins() {
        begins("a/b", None, Some((Some("a/b"), false)));
        begins("a/*.md", None, Some((Some("a"), true)));
        begins("*", None, Some((None, true)));
        begins("a/{session}/*", Some("x:1"), Some((Some("a/x%3a1"), true)));
        begins("a/{session}", None, None);
    }
}
