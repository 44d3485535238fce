//! The names of digests as files: each begins with its day, so that it can be told what is old.

/// How many characters a day has, such as `2030-01-01`.
const DAY: usize = 10;

/// Names a digest by the moment and the task that wrote it.
pub(crate) fn name(moment: &str, task: &str) -> String {
    let day = moment.get(..DAY).unwrap_or(moment);
    format!("{day}-{task}.md")
}

/// Tells whether a file is a digest of a day before that of a moment.
pub(crate) fn is_before(name: &str, moment: &str) -> bool {
    let days = name.get(..DAY).zip(moment.get(..DAY));
    name.ends_with(".md") && days.is_some_and(|(day, first)| is_day(day) && day < first)
}

fn is_day(text: &str) -> bool {
    text.bytes().enumerate().all(|(at, one)| if matches!(at, 4 | 7) { one == b'-' } else { one.is_ascii_digit() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_named_by_its_day_and_its_task() {
        assert_eq!(name("2030-01-02T18:00:00Z", "t12"), "2030-01-02-t12.md");
    }

    #[test]
    fn only_digests_of_earlier_days_are_old() {
        let first = "2030-01-02T03:30:00Z";
        for (name, expected) in [
            ("2030-01-01-t1.md", true),
            ("2029-12-31-t1.md", true),
            ("2030-01-02-t1.md", false),
            ("2030-02-01-t1.md", false),
            ("2029-12-31-t1.txt", false),
            ("notes.md", false),
            ("äöüäöü-äöü.md", false),
            ("", false),
        ] {
            assert_eq!(is_before(name, first), expected, "{name}");
        }
    }
}
