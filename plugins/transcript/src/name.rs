//! What the file of a conversation is called.
//!
//! Any text may be the id of a conversation, so it is written in signs that are a file's name on every system, and no two ids in the same
//! ones. Capital letters are written out too, for some systems do not tell them from small ones.

/// The most bytes of one part of a path; systems have 255, and an ending follows.
const MOST_OF_A_PART: usize = 200;

/// The most bytes of an id as it is written here: what fits into a path with some room.
const MOST: usize = 800;

/// Returns the path without its ending, such as `session-terminal_3amain`; `None` if the id is too long to have one.
pub(crate) fn path(session: &str) -> Option<String> {
    let mut path = "session-".to_owned();
    let mut part = path.len();
    for byte in session.bytes() {
        if path.len() > MOST {
            return None;
        }
        if part >= MOST_OF_A_PART {
            // No part is empty, and none ends in a sign of its own: this cannot be mistaken for another id.
            path.push('/');
            part = 0;
        }
        if byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-' {
            path.push(byte.into());
            part += 1;
        } else {
            path.push_str(&format!("_{byte:02x}"));
            part += 3;
        }
    }
    Some(path)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_id_becomes_a_name_that_is_one_everywhere() {
        for (session, expected) in [
            ("terminal:main", "session-terminal_3amain"),
            ("../../etc/passwd", "session-_2e_2e_2f_2e_2e_2fetc_2fpasswd"),
            ("A", "session-_41"),
            ("con", "session-con"),
            ("é", "session-_c3_a9"),
            ("", "session-"),
        ] {
            assert_eq!(path(session).as_deref(), Some(expected));
        }
        assert_eq!(path(&"a".repeat(2_000)), None);
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn a_path_has_harmless_parts_and_belongs_to_one_id(one in ".{0,300}", other in "[a_\\-A/]{0,4}", third in "[a_\\-A/]{0,4}") {
            if let Some(path) = path(&one) {
                prop_assert!(path.split('/').all(|part| !part.is_empty() && part.len() <= MOST_OF_A_PART + 3), "{path}");
                prop_assert!(path.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_/".contains(&byte)));
            }
            prop_assert_eq!(path(&other) == path(&third), other == third);
        }
    }
}
