//! Names: which are allowed, and what they are made from.

use quote::ToTokens;

use super::Diagnostics;

/// Reports a name that could not be called: from Python, from a command line, from a URL.
pub(crate) fn check_name(what: &str, name: &str, at: impl ToTokens, diagnostics: &mut Diagnostics) {
    let starts_well = name.starts_with(|first: char| first.is_ascii_lowercase());
    if !starts_well || !name.chars().all(|one| one.is_ascii_lowercase() || one.is_ascii_digit() || one == '_') {
        let message = format!(
            "`{name}` cannot be {what}: write lower case letters, digits and `_`, beginning with a letter, such as `{}`",
            repaired(name)
        );
        diagnostics.report(at, message);
    }
}

/// Returns a name like this one that is allowed.
fn repaired(name: &str) -> String {
    let name: String = snake_case(name)
        .chars()
        .map(|one| if one.is_ascii_alphanumeric() { one.to_ascii_lowercase() } else { '_' })
        .skip_while(|one| !one.is_ascii_lowercase())
        .collect();
    if name.is_empty() { "my_name".to_owned() } else { name }
}

/// Turns `NoteSaved` into `note_saved`.
pub(crate) fn snake_case(name: &str) -> String {
    let mut snake = String::new();
    let mut previous = '_';
    let mut characters = name.chars().peekable();
    while let Some(one) = characters.next() {
        let starts_word = one.is_uppercase()
            && previous != '_'
            && (!previous.is_uppercase() || characters.peek().is_some_and(|next| next.is_lowercase()));
        if starts_word {
            snake.push('_');
        }
        snake.extend(one.to_lowercase());
        previous = one;
    }
    snake
}

/// Returns the id of the plugin in a package: `nekro-plugin-memory-notes` holds `memory_notes`.
pub(crate) fn plugin_id(package: &str) -> String {
    package.strip_prefix("nekro-plugin-").unwrap_or(package).replace('-', "_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_name_becomes_words() {
        for (name, snake) in [("NoteSaved", "note_saved"), ("LlmUsage", "llm_usage"), ("HTTPDone", "http_done"), ("A", "a")] {
            assert_eq!(snake_case(name), snake);
        }
    }

    #[test]
    fn a_package_names_its_plugin() {
        assert_eq!(plugin_id("nekro-plugin-memory-notes"), "memory_notes");
        assert_eq!(plugin_id("hello"), "hello");
    }
}
