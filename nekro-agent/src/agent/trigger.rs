//! Whether a message in a group is for the agent.

use nekro_core::Random;

use super::settings::AgentSettings;

/// Tells whether a message of a group is answered, where no plugin has a say.
pub(super) fn is_for_us(settings: &AgentSettings, text: &str, mentioned: bool, random: &Random) -> bool {
    let groups = &settings.groups;
    (groups.mention && mentioned)
        || (groups.name && names(text, &settings.name))
        || groups.patterns.iter().any(|pattern| is_like(text, pattern))
        || (groups.chance > 0 && random.between(1..=100_u8) <= groups.chance)
}

/// Tells whether a text has a name in it, as a word of its own.
fn names(text: &str, name: &str) -> bool {
    let (text, name) = (text.to_lowercase(), name.to_lowercase());
    if name.is_empty() {
        return false;
    }
    text.match_indices(&name).any(|(at, _)| {
        // Scripts without spaces have no words to tell apart: only a Latin letter or a digit makes it another word.
        let joins = |one: Option<char>| one.is_some_and(|one| one.is_ascii_alphanumeric());
        !joins(text[..at].chars().next_back()) && !joins(text[at + name.len()..].chars().next())
    })
}

/// Tells whether a text is like a pattern, in which `*` stands for any text.
pub(crate) fn is_like(text: &str, pattern: &str) -> bool {
    let text = text.to_lowercase();
    let pattern = pattern.to_lowercase();
    let mut parts = pattern.split('*');
    // There is always a first part.
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let mut parts: Vec<_> = parts.collect();
    let Some(last) = parts.pop() else { return rest.is_empty() };
    for part in parts {
        // The first place is the best one: it leaves most to those that follow.
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use nekro_core::RandomPort;

    use super::*;

    /// Every byte is the same: 1 gives the lowest number, and 255 the highest. 0 would be drawn again for ever.
    struct Same(u8);

    impl RandomPort for Same {
        fn fill(&self, buffer: &mut [u8]) {
            buffer.fill(self.0);
        }
    }

    #[track_caller]
    fn check(change: impl FnOnce(&mut AgentSettings), text: &str, mentioned: bool, byte: u8, expected: bool) {
        let mut settings = AgentSettings::default();
        change(&mut settings);
        assert_eq!(is_for_us(&settings, text, mentioned, &Random::new(Arc::new(Same(byte)))), expected, "{text}");
    }

    #[test]
    fn a_name_a_mention_a_pattern_or_chance_makes_a_message_ours() {
        check(|_| {}, "hello everybody", false, 0, false);
        check(|_| {}, "hello everybody", true, 0, true);
        check(|_| {}, "nekro, are you there?", false, 0, true);
        check(|_| {}, "Nekro你好", false, 0, true);
        check(|_| {}, "a nekromancer", false, 0, false);
        check(|of| of.groups.name = false, "nekro?", false, 0, false);
        check(|of| of.groups.mention = false, "hello", true, 0, false);
        check(|of| of.name = String::new(), "hello", false, 0, false);
        check(|of| of.groups.patterns = vec!["!ask*".into()], "!ASK what", false, 0, true);
        check(|of| of.groups.chance = 10, "hello", false, 1, true);
        check(|of| of.groups.chance = 10, "hello", false, 0xFF, false);
    }

    #[test]
    fn a_star_stands_for_any_text() {
        for (pattern, text, expected) in [
            ("", "", true),
            ("a", "a", true),
            ("a", "ab", false),
            ("*", "", true),
            ("a*", "abc", true),
            ("*c", "abc", true),
            ("a*b*c", "a1b2b3c", true),
            ("a*b*c", "acb", false),
            ("ab*ba", "aba", false),
        ] {
            assert_eq!(is_like(text, pattern), expected, "{pattern} {text}");
        }
    }
}
