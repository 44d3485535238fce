//! Cutting a text into places: at headings and paragraphs where it can, at sentences and words where it must.

/// A place in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Chunk {
    /// What it says, with the headings that it stands below: they often have the words that one looks for.
    pub(crate) text: String,
    /// The headings that it stands below, the uppermost first.
    pub(crate) heading: String,
    /// The number of its first line.
    pub(crate) first_line: usize,
    /// The number of its last line.
    pub(crate) last_line: usize,
}

/// The most characters of the headings before a place.
const MOST_OF_A_HEADING: usize = 200;

/// Cuts a text into places of about so many characters.
pub(crate) fn cut(text: &str, length: usize) -> Vec<Chunk> {
    let mut cutter = Cutter { length, headings: Vec::new(), lines: Vec::new(), characters: 0, chunks: Vec::new() };
    let mut in_code = false;
    for (number, line) in (1..).zip(text.lines()) {
        let is_fence = line.trim_start().starts_with("```");
        in_code ^= is_fence;
        if let (false, Some((level, title))) = (in_code || is_fence, heading(line)) {
            cutter.end();
            cutter.headings.retain(|(other, _)| *other < level);
            cutter.headings.push((level, title.to_owned()));
            continue;
        }
        // A paragraph ends here, and what comes next may as well begin a place.
        if line.trim().is_empty() && !in_code && cutter.characters >= length / 2 {
            cutter.end();
            continue;
        }
        for part in parts(line, length) {
            let more = part.chars().count();
            if cutter.characters > 0 && cutter.characters + more > length {
                cutter.end();
            }
            cutter.lines.push((number, part.to_owned()));
            cutter.characters += more + 1;
        }
    }
    cutter.end();
    cutter.chunks
}

struct Cutter {
    length: usize,
    headings: Vec<(usize, String)>,
    lines: Vec<(usize, String)>,
    characters: usize,
    chunks: Vec<Chunk>,
}

impl Cutter {
    /// Ends a place, if there is anything in it.
    fn end(&mut self) {
        let lines = std::mem::take(&mut self.lines);
        self.characters = 0;
        let filled = |(_, line): &&(usize, String)| !line.trim().is_empty();
        let (Some((first, _)), Some((last, _))) = (lines.iter().find(filled), lines.iter().rfind(filled)) else { return };
        let titles: Vec<_> = self.headings.iter().map(|(_, title)| title.as_str()).collect();
        let heading: String = titles.join(" > ").chars().take(MOST_OF_A_HEADING.min(self.length)).collect();
        let body: Vec<_> = lines.iter().map(|(_, line)| line.as_str()).collect();
        let body = body.join("\n");
        let text = if heading.is_empty() { body.trim().to_owned() } else { format!("{heading}\n\n{}", body.trim()) };
        self.chunks.push(Chunk { text, heading, first_line: *first, last_line: *last });
    }
}

/// Reads a heading of Markdown: its level, and what it says.
fn heading(line: &str) -> Option<(usize, &str)> {
    let level = line.bytes().take_while(|byte| *byte == b'#').count();
    let title = line.get(level..)?.strip_prefix(' ')?.trim().trim_end_matches('#').trim_end();
    ((1..=6).contains(&level) && !title.is_empty()).then_some((level, title))
}

/// Cuts a line that is longer than a place: after a sentence, else after a word, else where it is.
fn parts(line: &str, length: usize) -> Vec<&str> {
    let (mut parts, mut rest) = (Vec::new(), line);
    while let Some((limit, _)) = rest.char_indices().nth(length) {
        let part = &rest[..limit];
        let after = |found: Option<(usize, &str)>| found.map(|(at, sign)| at + sign.len()).filter(|end| *end > limit / 2);
        let sentence = after(part.rmatch_indices(['。', '！', '？']).next()).or_else(|| after(part.rmatch_indices(". ").next()));
        let end = sentence.or_else(|| after(part.rmatch_indices(' ').next())).unwrap_or(limit);
        parts.push(&rest[..end]);
        rest = &rest[end..];
    }
    parts.push(rest);
    parts
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    #[track_caller]
    fn check(text: &str, length: usize, expected: Expect) {
        let told = cut(text, length)
            .into_iter()
            .map(|chunk| format!("{}-{} [{}] {:?}", chunk.first_line, chunk.last_line, chunk.heading, chunk.text));
        expected.assert_eq(&told.collect::<Vec<_>>().join("\n"));
    }

    #[test]
    fn a_text_is_cut_at_headings_and_paragraphs() {
        let text = "Intro.\n\n# Tea\n\nTea is a drink.\n\n## Green\n\nSeventy degrees.\nTwo minutes.\n\n## Black ##\n\n# Cake\n\nBake it.\n";
        check(
            text,
            100,
            expect![[r#"
            1-1 [] "Intro."
            5-5 [Tea] "Tea\n\nTea is a drink."
            9-10 [Tea > Green] "Tea > Green\n\nSeventy degrees.\nTwo minutes."
            16-16 [Cake] "Cake\n\nBake it.""#]],
        );
        let text = "One two three four.\nFive six.\n\nSeven eight nine ten.\n\nEleven.\n";
        check(
            text,
            30,
            expect![[r#"
            1-2 [] "One two three four.\nFive six."
            4-4 [] "Seven eight nine ten."
            6-6 [] "Eleven.""#]],
        );
    }

    #[test]
    fn code_is_no_heading() {
        check(
            "# Setup\n```sh\n# install\nmake\n```\nDone.",
            200,
            expect![[r#"2-6 [Setup] "Setup\n\n```sh\n# install\nmake\n```\nDone.""#]],
        );
    }

    #[test]
    fn a_long_line_is_cut_at_sentences_or_words() {
        check(
            "First sentence here. Second one is longer than that. Third.",
            30,
            expect![[r#"
            1-1 [] "First sentence here."
            1-1 [] "Second one is longer than"
            1-1 [] "that. Third.""#]],
        );
        check(
            "绿茶要用七十度的水。红茶要用开水。白茶随意。",
            10,
            expect![[r#"
            1-1 [] "绿茶要用七十度的水。"
            1-1 [] "红茶要用开水。"
            1-1 [] "白茶随意。""#]],
        );
        check(
            &"x".repeat(25),
            10,
            expect![[r#"
            1-1 [] "xxxxxxxxxx"
            1-1 [] "xxxxxxxxxx"
            1-1 [] "xxxxx""#]],
        );
        check("", 10, expect![[""]]);
        check("\n# Only\n## Headings\n", 10, expect![[""]]);
    }

    #[test]
    fn nothing_of_a_text_is_lost() {
        let text: String = (0..500)
            .map(|at| format!("Sentence number {at}, with some words{}", if at % 7 == 0 { ".\n\n" } else { ". " }))
            .collect();
        let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        for length in [40, 200, 1_000] {
            let chunks = cut(&text, length);
            assert_eq!(chunks.iter().flat_map(|chunk| words(&chunk.text)).collect::<Vec<_>>(), words(&text));
            assert!(chunks.iter().all(|chunk| chunk.text.chars().count() <= length + 1), "{length}");
        }
    }
}
