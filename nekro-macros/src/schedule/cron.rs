//! What can be seen of a cron expression while a plugin is compiled: how many fields it has, and what stands in each.
//!
//! `nekro_core::Cron` reads it when the program is built, and knows more, such as that no February has 30 days. What is refused here is refused
//! there, too; the contrary need not hold.

const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const WEEKDAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

/// One field: its name, its bounds, its words, and the signs that numbers may have beside them.
struct Field(&'static str, u8, u8, &'static [&'static str], &'static [char]);

const FIELDS: [Field; 6] = [
    Field("second", 0, 59, &[], &[]),
    Field("minute", 0, 59, &[], &[]),
    Field("hour", 0, 23, &[], &[]),
    Field("day of the month", 1, 31, &[], &['l', 'w']),
    Field("month", 1, 12, &MONTHS, &[]),
    Field("day of the week", 0, 7, &WEEKDAYS, &['l', '#']),
];

/// Says what is wrong with an expression, if that can be seen.
pub(super) fn problem(text: &str) -> Option<String> {
    let parts: Vec<_> = text.split_ascii_whitespace().collect();
    let first = match parts.len() {
        5 => 1,
        6 => 0,
        count => {
            return Some(format!(
                "a cron expression has five fields, or six with seconds first, and this has {count}: write it like `0 9 * * 1-5`"
            ));
        }
    };
    FIELDS[first..].iter().zip(parts).find_map(|(field, text)| text.split(',').find_map(|part| field.problem(part)))
}

impl Field {
    fn problem(&self, part: &str) -> Option<String> {
        let Self(name, low, high, words, signs) = self;
        let lower = part.to_ascii_lowercase();
        let (range, step) = lower.split_once('/').map_or((lower.as_str(), None), |(range, step)| (range, Some(step)));
        let is_step = step.is_none_or(|step| step.parse::<u8>().is_ok_and(|step| step > 0));
        let fits = |one: &str| {
            let bare = one.split(*signs).next().unwrap_or_default();
            let has_sign = bare.len() < one.len();
            *words == MONTHS && words.contains(&one)
                || words.contains(&bare)
                || has_sign && bare.is_empty()
                || bare.parse::<u8>().is_ok_and(|number| (*low..=*high).contains(&number))
        };
        let is_any = range == "*" || range == "?" && !signs.is_empty();
        if is_step && (is_any || range.split('-').all(fits)) {
            return None;
        }
        Some(format!("`{part}` is no {name}: write {low} to {high}, a range, a list or `*`"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_right_is_let_through() {
        for right in [
            "0 9 * * 1-5",
            "*/15 * * * *",
            "0 0 9 * * *",
            "5/10 8-18/2 1,15 jan-mar,dec MON-FRI",
            "0 0 L * *",
            "0 0 LW * *",
            "0 0 15W,1W * *",
            "0 0 * * 5L",
            "0 0 * * friL",
            "0 0 * * 1#2",
            "0 0 ? * mon#1",
            "0 0 1 * ?",
            "  0   9 * *  7 ",
            // Only the calendar knows.
            "0 0 30 2 *",
        ] {
            assert_eq!(problem(right), None, "{right}");
        }
    }

    #[test]
    fn what_is_wrong_is_told_with_the_field() {
        for (wrong, told) in [
            ("", "this has 0"),
            ("@daily", "this has 1"),
            ("0 9 * * * * *", "this has 7"),
            ("60 9 * * *", "`60` is no minute: write 0 to 59"),
            ("0 24 * * *", "`24` is no hour"),
            ("0 9 0 * *", "`0` is no day of the month"),
            ("0 9 * 13 *", "`13` is no month"),
            ("0 9 * january *", "`january` is no month"),
            ("0 9 * * 8", "`8` is no day of the week"),
            ("0 9 * * monday", "`monday` is no day of the week"),
            ("*/0 9 * * *", "`*/0` is no minute"),
            ("1,,2 9 * * *", "`` is no minute"),
            ("? 9 * * *", "`?` is no minute"),
            ("0 9L * * *", "`9L` is no hour"),
            ("60 0 9 * * *", "`60` is no second"),
        ] {
            let found = problem(wrong).unwrap_or_default();
            assert!(found.contains(told), "{wrong}: {found}");
        }
    }
}
