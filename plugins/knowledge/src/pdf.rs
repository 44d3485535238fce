//! PDF as text, with a heading for each page, so that a place can be named by its page.
//!
//! Files come from strangers, and the library may meet what it does not expect: whatever it unpacks is limited before, what it keeps is counted, a
//! panic is an answer like any other, and it works beside the runtime, for a time that ends. Text in pictures is not read, nor what forms draw.

use std::{
    cell::Cell,
    collections::{BTreeMap, HashMap},
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use lopdf::{Dictionary, Document, Encoding, LoadOptions, Object, content::Content};

/// The most pages that are read.
const MOST_PAGES: usize = 2_000;

/// The most streams that a file may have: each may be unpacked when it is opened.
const MOST_STREAMS: usize = 4_000;

/// The most bytes that a file's tables and packed objects may be, all streams together, and of them one alone.
const MOST_UNPACKED: usize = 256 << 20;
const MOST_OF_A_STREAM: usize = 2 << 20;

/// The most objects that are kept, each part of one counted.
const MOST_OBJECTS: usize = 1_000_000;

/// The most bytes that say what is on the pages, all together, and of them on one.
const MOST_CONTENT: usize = 64 << 20;
const MOST_OF_A_PAGE: usize = 4 << 20;

/// The most fonts, and the most bytes that say what the letters of one are.
const MOST_FONTS: usize = 500;
const MOST_OF_A_FONT: usize = 512 << 10;

/// The most bytes of text.
const MOST_TEXT: usize = 16 << 20;

/// How long a file may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// How far letters are moved apart to be two words, in thousandths of their size.
const SPACE: f32 = -180.0;

/// How far words are apart at least, in heights of a letter; how far back what follows nothing begins; and which part of what was said may be missing
/// from its estimated length.
const NARROW: f32 = 0.15;
const WIDE: f32 = 2.0;
const UNSURE: f32 = 0.05;

/// By how much two lines differ at least, in the units of the page.
const LINE: f32 = 0.5;

/// Why a PDF is not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// It is damaged.
    Damaged,
    /// It is encrypted.
    Locked,
    /// It would cost too much: it has more of this than is read.
    TooMuch(&'static str),
    /// It took too long.
    Slow,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Damaged => f.write_str("it is damaged"),
            Self::Locked => f.write_str("it is encrypted"),
            Self::TooMuch(what) => write!(f, "it has more {what} than are read"),
            Self::Slow => write!(f, "it took longer than {PATIENCE:?}"),
        }
    }
}

/// Reads a PDF beside the runtime.
pub(crate) async fn read(bytes: Vec<u8>) -> Result<String, Refusal> {
    let unwanted = Arc::new(AtomicBool::new(false));
    let known = Arc::clone(&unwanted);
    let reading = tokio::task::spawn_blocking(move || read_now(&bytes, &known));
    let read = tokio::time::timeout(PATIENCE, reading).await;
    // It ends after the page that it is at.
    unwanted.store(true, Ordering::Relaxed);
    match read {
        Ok(done) => done.unwrap_or(Err(Refusal::Damaged)),
        Err(_) => Err(Refusal::Slow),
    }
}

fn read_now(bytes: &[u8], unwanted: &AtomicBool) -> Result<String, Refusal> {
    catch_unwind(AssertUnwindSafe(|| pages(&open(bytes)?, unwanted))).unwrap_or(Err(Refusal::Damaged))
}

thread_local! {
    // How many objects may still be kept: the library takes a plain function that is asked for each.
    static ROOM: Cell<usize> = const { Cell::new(0) };
}

fn open(bytes: &[u8]) -> Result<Document, Refusal> {
    // What is unpacked of one that is encrypted is not counted by the library.
    if names_encryption(bytes) {
        return Err(Refusal::Locked);
    }
    let streams = bytes.windows(6).filter(|word| word == b"stream").count() / 2;
    if streams > MOST_STREAMS {
        return Err(Refusal::TooMuch("streams"));
    }
    let most = (MOST_UNPACKED / streams.max(1)).min(MOST_OF_A_STREAM);
    ROOM.set(MOST_OBJECTS);
    let options = LoadOptions { max_decompressed_size: Some(most), filter: Some(keep), ..LoadOptions::default() };
    let opened = Document::load_mem_with_options(bytes, options);
    if ROOM.get() == 0 {
        return Err(Refusal::TooMuch("objects"));
    }
    opened.map_err(|error| match error {
        lopdf::Error::Decompress(_) => Refusal::TooMuch("packed bytes"),
        _ => Refusal::Damaged,
    })
}

/// Tells whether somewhere the name `Encrypt` is written, be it with letters as numbers (`/Encr#79pt`).
fn names_encryption(bytes: &[u8]) -> bool {
    let digit = |byte: &u8| char::from(*byte).to_digit(16);
    let is_it = |mut rest: &[u8]| {
        for wanted in b"Encrypt" {
            let (byte, after) = match rest {
                [b'#', high, low, after @ ..] => match (digit(high), digit(low)) {
                    (Some(high), Some(low)) => ((high * 16 + low) as u8, after),
                    _ => return false,
                },
                [byte, after @ ..] => (*byte, after),
                [] => return false,
            };
            if byte != *wanted {
                return false;
            }
            rest = after;
        }
        true
    };
    bytes.iter().enumerate().filter(|(_, byte)| **byte == b'/').any(|(at, _)| is_it(&bytes[at + 1..]))
}

/// Keeps an object as long as there is room.
fn keep(id: (u32, u16), object: &mut Object) -> Option<((u32, u16), Object)> {
    let room = ROOM.get().saturating_sub(weight(object));
    ROOM.set(room);
    (room > 0).then(|| (id, object.clone()))
}

fn weight(object: &Object) -> usize {
    let all = |dictionary: &Dictionary| dictionary.iter().map(|(_, value)| weight(value)).sum::<usize>();
    1 + match object {
        Object::Array(items) => items.iter().map(weight).sum(),
        Object::Dictionary(dictionary) => all(dictionary),
        Object::Stream(stream) => all(&stream.dict),
        _ => 0,
    }
}

fn pages(document: &Document, unwanted: &AtomicBool) -> Result<String, Refusal> {
    let pages = document.get_pages();
    if pages.len() > MOST_PAGES {
        return Err(Refusal::TooMuch("pages"));
    }
    let (mut text, mut fonts, mut left) = (String::new(), Fonts::default(), MOST_CONTENT);
    for (number, page) in pages {
        if unwanted.load(Ordering::Relaxed) {
            return Err(Refusal::Slow);
        }
        let most = left.min(MOST_OF_A_PAGE);
        // A page that cannot be read does not keep the others away, but for one that is too long.
        let content = match document.get_page_content_with_limit(page, most) {
            Ok(content) => content,
            Err(lopdf::Error::Decompress(_)) => return Err(Refusal::TooMuch("bytes on a page")),
            Err(_) => continue,
        };
        left -= content.len().min(left);
        let Ok(content) = Content::decode(&content) else { continue };
        let named = document.get_page_fonts(page).unwrap_or_default();
        let mut said = Said::default();
        for operation in &content.operations {
            match operation.operator.as_str() {
                "Tf" => {
                    said.font = fonts.find(document, &named, operation.operands.first())?;
                    said.size = operation.operands.get(1).and_then(|size| size.as_float().ok()).unwrap_or(0.0);
                }
                other => said.take(other, &operation.operands, &fonts),
            }
        }
        let said = said.text.trim();
        if !said.is_empty() {
            text.push_str(&format!("## Page {number}\n\n{said}\n\n"));
        }
        if text.len() > MOST_TEXT {
            return Err(Refusal::TooMuch("letters"));
        }
    }
    Ok(text)
}

/// The fonts of a file: what the letters of each are is worked out once.
#[derive(Default)]
struct Fonts<'d> {
    known: Vec<Option<Encoding<'d>>>,
    // By where they are in the document, which nobody changes meanwhile.
    places: HashMap<*const Dictionary, usize>,
}

impl<'d> Fonts<'d> {
    fn find(
        &mut self,
        document: &'d Document,
        named: &BTreeMap<Vec<u8>, &'d Dictionary>,
        name: Option<&Object>,
    ) -> Result<Option<usize>, Refusal> {
        let Some(font) = name.and_then(|name| name.as_name().ok()).and_then(|name| named.get(name)) else { return Ok(None) };
        let place = std::ptr::from_ref::<Dictionary>(font);
        if let Some(known) = self.places.get(&place) {
            return Ok(Some(*known));
        }
        if self.known.len() >= MOST_FONTS {
            return Err(Refusal::TooMuch("fonts"));
        }
        self.places.insert(place, self.known.len());
        self.known.push(font.get_font_encoding_with_limit(document, MOST_OF_A_FONT).ok());
        Ok(Some(self.known.len() - 1))
    }
}

/// What a page says so far, and where its pen is. Letters are put into words and lines by where they begin; how wide they are is estimated.
#[derive(Default)]
struct Said {
    text: String,
    font: Option<usize>,
    // How large letters are, before and after what the page makes of it.
    size: f32,
    scale: f32,
    // Where the line begins, and how far down the next one is.
    line: (f32, f32),
    leading: f32,
    // Where the last letters began and, about, ended; none before the first.
    last: Option<(f32, f32, f32)>,
    moved: bool,
}

impl Said {
    fn take(&mut self, operator: &str, operands: &[Object], fonts: &Fonts<'_>) {
        let number = |at: usize| operands.get(at).and_then(|one| one.as_float().ok()).unwrap_or(0.0);
        match operator {
            "BT" => (self.line, self.scale, self.moved) = ((0.0, 0.0), 1.0, true),
            "Td" => self.go(number(0), number(1)),
            "TD" => {
                self.leading = -number(1);
                self.go(number(0), number(1));
            }
            "TL" => self.leading = number(0),
            "Tm" => (self.line, self.scale, self.moved) = ((number(4), number(5)), number(0), true),
            "T*" => self.go(0.0, -self.leading),
            "Tj" => self.say(operands, fonts),
            "TJ" => self.say(operands.first().and_then(|all| all.as_array().ok()).map_or(&[], Vec::as_slice), fonts),
            "'" => {
                self.go(0.0, -self.leading);
                self.say(operands, fonts);
            }
            "\"" => {
                self.go(0.0, -self.leading);
                self.say(operands.get(2..).unwrap_or_default(), fonts);
            }
            _ => {}
        }
    }

    fn go(&mut self, right: f32, up: f32) {
        (self.line, self.moved) = ((self.line.0 + right * self.scale, self.line.1 + up), true);
    }

    fn say(&mut self, parts: &[Object], fonts: &Fonts<'_>) {
        let Some(encoding) = self.font.and_then(|font| fonts.known.get(font)?.as_ref()) else { return };
        let letter = (self.size * self.scale).abs();
        let mut begins = self.line.0;
        match self.last {
            Some((_, _, height)) if (height - self.line.1).abs() > LINE => self.text.push('\n'),
            Some((began, ended, _)) if self.moved => {
                // The longer what was said, the less is known of its end.
                let gap = begins - ended;
                if gap > NARROW * letter + UNSURE * (ended - began) || gap < -WIDE * letter {
                    self.space();
                }
            }
            Some((_, ended, _)) => begins = ended,
            None => {}
        }
        let mut width = 0.0;
        for part in parts {
            match part {
                Object::String(bytes, _) => {
                    let letters = Document::decode_text(encoding, bytes).unwrap_or_default();
                    width += letters.chars().map(about_as_wide).sum::<f32>();
                    self.text.extend(letters.chars().filter(|one| !one.is_control() || *one == '\n'));
                }
                other => {
                    let by = other.as_float().unwrap_or(0.0);
                    width -= by / 1_000.0;
                    if by < SPACE {
                        self.space();
                    }
                }
            }
        }
        (self.last, self.moved) = (Some((begins, begins + width * letter, self.line.1)), false);
    }

    fn space(&mut self) {
        if !self.text.ends_with(char::is_whitespace) {
            self.text.push(' ');
        }
    }
}

/// Returns how wide a letter is as a part of its height, about: as in most fonts without serifs.
fn about_as_wide(letter: char) -> f32 {
    match letter {
        'i' | 'j' | 'l' | 't' | 'f' | 'I' | ' ' | '.' | ',' | ':' | ';' | '\'' | '|' | '!' | '(' | ')' | '[' | ']' => 0.28,
        'm' | 'w' | 'M' | 'W' => 0.83,
        'A'..='Z' => 0.68,
        '\u{2e80}'..='\u{ffef}' | '\u{20000}'..='\u{323af}' => 1.0,
        _ => 0.53,
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use lopdf::{Stream, dictionary};

    use super::*;

    /// Makes a PDF with these contents on its pages.
    pub(crate) fn pdf(pages: &[&str]) -> Vec<u8> {
        let mut document = Document::with_version("1.5");
        let tree = document.new_object_id();
        let font = document.add_object(
            dictionary! { "Type" => "Font", "Subtype" => "Type1", "BaseFont" => "Helvetica", "Encoding" => "WinAnsiEncoding" },
        );
        let kids: Vec<Object> = pages
            .iter()
            .map(|content| {
                let mut stream = Stream::new(dictionary! {}, content.as_bytes().to_vec());
                stream.compress().expect("it can be packed");
                let content = document.add_object(stream);
                let resources = dictionary! { "Font" => dictionary! { "F1" => font } };
                document
                    .add_object(
                        dictionary! { "Type" => "Page", "Parent" => tree, "Contents" => content, "Resources" => resources },
                    )
                    .into()
            })
            .collect();
        let count = i64::try_from(kids.len()).expect("few");
        document.objects.insert(tree, dictionary! { "Type" => "Pages", "Kids" => kids, "Count" => count }.into());
        let catalog = document.add_object(dictionary! { "Type" => "Catalog", "Pages" => tree });
        document.trailer.set("Root", catalog);
        let mut bytes = Vec::new();
        document.save_to(&mut bytes).expect("it is written");
        bytes
    }

    const TEA: &str = "BT /F1 12 Tf 72 700 Td (Green tea wants) Tj 0 -14 Td [(seventy) -300 (de) 20 (grees.)] TJ ET\n\
                       BT /F1 12 Tf 1 0 0 1 72 600 Tm (Black) Tj 1 0 0 1 110 600 Tm (tea boils \\344) Tj 14 TL T* (at once.) Tj ET";

    fn text(bytes: &[u8]) -> Result<String, Refusal> {
        read_now(bytes, &AtomicBool::new(false))
    }

    #[test]
    fn letters_become_words_lines_and_pages() {
        assert_eq!(
            text(&pdf(&[TEA, "", "BT /F1 9 Tf (The end.) Tj ET"])).as_deref(),
            Ok("## Page 1\n\nGreen tea wants\nseventy degrees.\nBlack tea boils ä\nat once.\n\n## Page 3\n\nThe end.\n\n")
        );
        assert_eq!(text(&pdf(&["q 1 0 0 RG Q"])).as_deref(), Ok(""), "a picture has no text");
    }

    #[test]
    fn a_file_that_was_cut_off_or_changed_anywhere_is_an_answer_like_any_other() {
        let whole = pdf(&[TEA, TEA]);
        for end in (0..whole.len()).step_by(7) {
            let _ = text(&whole[..end]);
        }
        let mut seed = 7_u64;
        let mut next = |below: usize| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (seed >> 33) as usize % below
        };
        for _ in 0..1_000 {
            let mut changed = whole.clone();
            for _ in 0..1 + next(8) {
                let at = next(changed.len());
                changed[at] = next(256) as u8;
            }
            let _ = text(&changed);
        }
        assert_eq!([text(b"%PDF-1.7\n"), text(b"")], [Err(Refusal::Damaged), Err(Refusal::Damaged)]);
        for name in ["/Encrypt 5 0 R", "/#45ncr#79pt 5 0 R"] {
            assert_eq!(text(format!("%PDF-1.7\n{name}").as_bytes()), Err(Refusal::Locked), "{name}");
        }
    }

    #[test]
    fn what_would_cost_too_much_is_refused() {
        let long = " ".repeat(MOST_OF_A_PAGE + 1);
        let bomb = pdf(&[&long]);
        assert!(bomb.len() < 100_000, "{}", bomb.len());
        assert_eq!(text(&bomb), Err(Refusal::TooMuch("bytes on a page")));
        let many = "stream endstream ".repeat(MOST_STREAMS + 1);
        assert_eq!(text(format!("%PDF-1.5\n{many}").as_bytes()), Err(Refusal::TooMuch("streams")));
        let full = format!("%PDF-1.5\n1 0 obj\n[{}]\nendobj\ntrailer <</Root 1 0 R>>", "0 ".repeat(MOST_OBJECTS + 1));
        assert_eq!(text(full.as_bytes()), Err(Refusal::TooMuch("objects")));
        let pages = vec![""; MOST_PAGES + 1];
        assert!(matches!(text(&pdf(&pages)), Err(Refusal::TooMuch("pages" | "streams"))));
        let deep = format!("%PDF-1.5\n1 0 obj\n{}{}\nendobj\ntrailer <</Root 1 0 R>>", "[".repeat(100_000), "]".repeat(100_000));
        assert!(text(deep.as_bytes()).is_err() || text(deep.as_bytes()).as_deref() == Ok(""));
    }

    #[test]
    fn pages_that_hold_one_another_end() {
        let circle = "%PDF-1.5\n1 0 obj\n<</Type/Catalog/Pages 2 0 R>>\nendobj\n2 0 obj\n<</Type/Pages/Count 9/Kids[2 0 R 3 0 R]>>\nendobj\n\
                      3 0 obj\n<</Type/Pages/Count 9/Kids[2 0 R]/Parent 3 0 R>>\nendobj\ntrailer <</Root 1 0 R/Size 4>>\n";
        assert!(matches!(text(circle.as_bytes()), Ok(_) | Err(Refusal::Damaged)));
    }

    #[tokio::test]
    async fn nobody_waits_for_one_that_is_not_wanted() {
        assert_eq!(read_now(&pdf(&[TEA]), &AtomicBool::new(true)), Err(Refusal::Slow));
        assert!(read(pdf(&[TEA])).await.is_ok_and(|text| text.contains("Green tea wants")));
    }
}
