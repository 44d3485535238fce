//! What is printed, kept at its beginning and its end.

/// Collects text within a budget; the middle of what is longer is left out.
#[derive(Debug)]
pub(crate) struct Middle {
    budget: usize,
    head: String,
    tail: String,
    left_out: usize,
}

impl Middle {
    pub(crate) fn new(budget: usize) -> Self {
        Self { budget, head: String::new(), tail: String::new(), left_out: 0 }
    }

    pub(crate) fn push(&mut self, text: &str) {
        let room = (self.budget / 2).saturating_sub(self.head.len());
        let (head, rest) =
            if self.tail.is_empty() && self.left_out == 0 { text.split_at(boundary(text, room)) } else { ("", text) };
        self.head.push_str(head);
        self.tail.push_str(rest);
        let most = self.budget - self.budget / 2;
        // Cut at twice the size, so that many small texts are not moved each time.
        if self.tail.len() > 2 * most + 1_024 {
            self.trim(most);
        }
    }

    fn trim(&mut self, most: usize) {
        if self.tail.len() > most {
            let mut cut = self.tail.len() - most;
            while !self.tail.is_char_boundary(cut) {
                cut += 1;
            }
            self.left_out += cut;
            self.tail.drain(..cut);
        }
    }

    pub(crate) fn finish(mut self) -> String {
        self.trim(self.budget - self.budget / 2);
        if self.left_out == 0 {
            return self.head + &self.tail;
        }
        format!("{}\n… {} bytes left out …\n{}", self.head, self.left_out, self.tail)
    }
}

/// Returns the last boundary of a character that is not after `index`.
fn boundary(text: &str, index: usize) -> usize {
    let mut index = index.min(text.len());
    while !text.is_char_boundary(index) {
        index -= 1;
    }
    index
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(budget: usize, pieces: &[&str], expected: &str) {
        let mut text = Middle::new(budget);
        pieces.iter().for_each(|piece| text.push(piece));
        assert_eq!(text.finish(), expected);
    }

    #[test]
    fn what_fits_is_kept_whole() {
        check(10, &["hello", "world"], "helloworld");
    }

    #[test]
    fn the_middle_of_what_is_longer_is_left_out() {
        check(10, &["hello", " to the whole ", "world"], "hello\n… 14 bytes left out …\nworld");
    }

    #[test]
    fn a_character_is_never_cut_in_two() {
        check(6, &["ééééé"], "é\n… 6 bytes left out …\né");
    }

    #[test]
    fn much_output_in_small_pieces_needs_little_memory() {
        let mut text = Middle::new(1_000);
        (0..100_000).for_each(|_| text.push("0123456789"));
        assert!(text.tail.capacity() < 10_000);
        assert_eq!(text.finish().len(), 1_000 + "\n… 999000 bytes left out …\n".len());
    }
}
