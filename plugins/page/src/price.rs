//! What a page would cost to read, before it is read.
//!
//! A browser's rules for broken HTML let a page of a few kilobytes become millions of elements, and let each element look at all that are
//! still open. Both are estimated here in one pass over the text, and by more than they are: what looks like a tag counts as one.

/// The most elements that a page may become.
const MOST_ELEMENTS: u64 = 300_000;

/// The most steps that putting it in order may take: for each tag, the elements that are still open.
const MOST_STEPS: u64 = 400_000_000;

/// Elements that are opened again in each paragraph that follows, until they are closed.
const REPEATED: [&str; 14] = ["a", "b", "big", "code", "em", "font", "i", "nobr", "s", "small", "strike", "strong", "tt", "u"];

/// Elements that have no end.
const EMPTY: [&str; 13] = ["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"];

/// Tells whether a page is cheap enough to be read.
pub(crate) fn is_fair(html: &str) -> bool {
    let (mut open, mut repeated, mut elements, mut steps) = (0_u64, 0_u64, 0_u64, 0_u64);
    for rest in html.split('<').skip(1) {
        let (ends, rest) = rest.strip_prefix('/').map_or((false, rest), |rest| (true, rest));
        if !rest.starts_with(|first: char| first.is_ascii_alphabetic()) {
            continue;
        }
        let name = rest.split(|one: char| one.is_ascii_whitespace() || matches!(one, '/' | '>')).next().unwrap_or(rest);
        let is = |names: &[&str]| names.iter().any(|other| name.eq_ignore_ascii_case(other));
        steps += open + 1;
        if ends {
            open = open.saturating_sub(1);
            repeated = repeated.saturating_sub(is(&REPEATED).into());
        } else {
            elements += repeated + 1;
            open += u64::from(!is(&EMPTY));
            repeated += u64::from(is(&REPEATED));
        }
        if elements > MOST_ELEMENTS || steps > MOST_STEPS {
            return false;
        }
    }
    true
}
