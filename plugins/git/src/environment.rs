//! What git is told before anything else, so that a repository of somebody else's can neither run a program nor lead elsewhere.
//!
//! A repository brings a configuration of its own, and several keys of it name programs. All that read-only commands would follow are
//! overruled here, by variables: they count more than any file, and nothing in them can be mistaken for something else.

/// Variables that do not depend on the repository.
const FIXED: [(&str, &str); 10] = [
    // The files of the machine and of the user.
    ("GIT_CONFIG_NOSYSTEM", "1"),
    ("GIT_CONFIG_GLOBAL", "/dev/null"),
    ("GIT_ATTR_NOSYSTEM", "1"),
    // Nothing is written, not even to keep the index fresh.
    ("GIT_OPTIONAL_LOCKS", "0"),
    // Objects that are missing are not fetched: that would run what the repository names for it.
    ("GIT_NO_LAZY_FETCH", "1"),
    ("GIT_ALLOW_PROTOCOL", "none"),
    ("GIT_TERMINAL_PROMPT", "0"),
    // Paths are names, never patterns.
    ("GIT_LITERAL_PATHSPECS", "1"),
    // What is shown is what was committed.
    ("GIT_NO_REPLACE_OBJECTS", "1"),
    ("GIT_PAGER", "cat"),
];

/// Keys of the configuration, and what they are instead of what the repository says.
const OVERRULED: [(&str, &str); 16] = [
    ("core.fsmonitor", "false"),
    ("core.hooksPath", "/dev/null"),
    ("core.pager", "cat"),
    ("core.sshCommand", "false"),
    ("core.attributesFile", "/dev/null"),
    ("core.excludesFile", "/dev/null"),
    ("core.quotePath", "false"),
    ("diff.external", ""),
    ("diff.orderFile", "/dev/null"),
    ("log.showSignature", "false"),
    ("log.mailmap", "false"),
    ("gpg.program", "false"),
    ("gpg.ssh.program", "false"),
    ("gpg.x509.program", "false"),
    ("i18n.logOutputEncoding", "UTF-8"),
    ("color.ui", "false"),
];

/// Returns the variables for a repository in `directory`, which lies in `above`, with further keys that are to be empty.
pub(crate) fn variables(directory: &str, above: &str, emptied: &[String]) -> Vec<(String, String)> {
    let own = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let mut variables: Vec<_> = FIXED.iter().map(|(name, value)| own(name, value)).collect();
    // It is this directory or none, and what the repository says of where its files are does not count.
    variables.push(own("GIT_CEILING_DIRECTORIES", above));
    variables.push(own("GIT_WORK_TREE", directory));
    // The operator has named it, whoever owns it.
    let keys = OVERRULED.iter().copied().chain([("safe.directory", directory)]);
    let keys = keys.chain(emptied.iter().map(|key| (key.as_str(), "")));
    let mut count = 0;
    for (key, value) in keys {
        variables.push((format!("GIT_CONFIG_KEY_{count}"), key.to_owned()));
        variables.push((format!("GIT_CONFIG_VALUE_{count}"), value.to_owned()));
        count += 1;
    }
    variables.push(own("GIT_CONFIG_COUNT", &count.to_string()));
    variables
}

/// Returns the keys of a repository's configuration that name filters: programs that git runs to compare files with what was
/// committed. `listed` is what `git config --list --name-only -z` writes.
pub(crate) fn filters(listed: &[u8]) -> Vec<String> {
    let keys = listed.split(|byte| *byte == 0).filter_map(|key| std::str::from_utf8(key).ok());
    let of_a_filter = |key: &&str| {
        key.starts_with("filter.") && [".clean", ".smudge", ".process", ".required"].iter().any(|end| key.ends_with(end))
    };
    let mut keys: Vec<_> = keys.filter(of_a_filter).map(str::to_owned).collect();
    keys.sort();
    keys.dedup();
    keys
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_keys_of_filters_are_found_whatever_their_names() {
        let listed =
            b"core.bare\0filter.lfs.clean\0filter.a=b.c.process\0filter.lfs.required\0filter.lfs.clean\0filter.x.other\0";
        assert_eq!(filters(listed), ["filter.a=b.c.process", "filter.lfs.clean", "filter.lfs.required"]);
    }

    #[test]
    fn further_keys_are_counted_with_the_others() {
        let variables = variables("/srv/site", "/srv", &["filter.a=b.clean".to_owned()]);
        let value = |name: &str| variables.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str());
        let count = OVERRULED.len() + 2;
        assert_eq!(value("GIT_CONFIG_COUNT"), Some(count.to_string().as_str()));
        assert_eq!(value(&format!("GIT_CONFIG_KEY_{}", count - 1)), Some("filter.a=b.clean"));
        assert_eq!(value(&format!("GIT_CONFIG_VALUE_{}", count - 1)), Some(""));
        assert_eq!(value("GIT_WORK_TREE"), Some("/srv/site"));
    }
}
