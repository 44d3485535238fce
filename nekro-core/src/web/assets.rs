//! Files that are part of the program, such as the scripts and styles of a plugin's pages, and how long a browser may keep them.

use std::{fmt, sync::OnceLock};

use super::Answer;
use crate::error::{Error, Result};

/// Files that are part of the program. [`assets!`](crate::assets) makes them of files beside the source.
///
/// Each has two names: its own, under which a browser asks every time whether it is still the same, and one with a mark of what is in it,
/// under which a browser keeps it for good. [`Assets::marked`] tells the latter, for pages to write down.
pub struct Assets {
    files: &'static [(&'static str, &'static [u8])],
    // The mark of each file, made when the first is asked for.
    marks: OnceLock<Vec<String>>,
}

/// How long a file stays good whose name says what is in it: a year, the most that is of use.
const FOR_GOOD: &str = "private, max-age=31536000, immutable";

/// A file that may change: to be asked for each time, and sent only if it is another.
const EACH_TIME: &str = "no-cache";

impl Assets {
    /// Makes assets of names and bytes. The end of a name says what kind of file it is.
    pub const fn new(files: &'static [(&'static str, &'static [u8])]) -> Self {
        Self { files, marks: OnceLock::new() }
    }

    /// Answers with a file, by either of its names.
    ///
    /// # Errors
    ///
    /// `not_found`
    pub fn get(&self, name: &str) -> Result<Answer> {
        let of = |(at, (file, bytes)): (usize, &(&'static str, &'static [u8]))| {
            let mark = self.marks().get(at)?;
            let lasts = if name == *file {
                EACH_TIME
            } else if is_marked(name, file, mark) {
                FOR_GOOD
            } else {
                return None;
            };
            let answer = Answer::embedded(media_type(file), bytes);
            Some(answer.with_header("etag", format!("\"{mark}\"")).with_header("cache-control", lasts))
        };
        let found = self.files.iter().enumerate().find_map(of);
        found.ok_or_else(|| Error::new(format!("there is no file `{name}`")).with_code("not_found"))
    }

    /// Returns the name of a file with the mark of what is in it, such as `board-0f3a….js`. One that is not there keeps its name.
    pub fn marked(&self, name: &str) -> String {
        let mark = self.files.iter().position(|(file, _)| *file == name).and_then(|at| self.marks().get(at));
        let Some(mark) = mark else { return name.to_owned() };
        match name.rsplit_once('.') {
            Some((stem, end)) => format!("{stem}-{mark}.{end}"),
            None => format!("{name}-{mark}"),
        }
    }

    /// Returns the names of the files.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.files.iter().map(|(name, _)| *name)
    }

    fn marks(&self) -> &[String] {
        self.marks.get_or_init(|| self.files.iter().map(|(_, bytes)| mark(bytes)).collect())
    }
}

impl fmt::Debug for Assets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.names()).finish()
    }
}

/// Tells whether this is a file's name with its mark.
fn is_marked(name: &str, file: &str, mark: &str) -> bool {
    let (stem, end) = file.rsplit_once('.').map_or((file, ""), |(stem, _)| file.split_at(stem.len()));
    let middle = name.strip_prefix(stem).and_then(|rest| rest.strip_suffix(end));
    middle.and_then(|middle| middle.strip_prefix('-')) == Some(mark)
}

/// Tells one content of a file from another: FNV-1a with 64 bits. Nobody but whoever wrote the plugin chooses the content.
fn mark(bytes: &[u8]) -> String {
    let hash =
        bytes.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3));
    format!("{hash:016x}")
}

/// Returns the media type of a file by the end of its name.
pub(crate) fn media_type(name: &str) -> &'static str {
    match name.rsplit_once('.').map_or("", |(_, end)| end) {
        "csv" => "text/csv; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "gif" => "image/gif",
        "html" => "text/html; charset=utf-8",
        "ico" => "image/x-icon",
        "jpg" | "jpeg" => "image/jpeg",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "json" | "map" => "application/json",
        "md" => "text/markdown; charset=utf-8",
        "mp3" => "audio/mpeg",
        "ogg" => "audio/ogg",
        "pdf" => "application/pdf",
        "png" => "image/png",
        "svg" => "image/svg+xml",
        "txt" => "text/plain; charset=utf-8",
        "wasm" => "application/wasm",
        "wav" => "audio/wav",
        "webmanifest" => "application/manifest+json",
        "webp" => "image/webp",
        "woff2" => "font/woff2",
        "xml" => "application/xml",
        "yaml" | "yml" => "application/yaml",
        _ => "application/octet-stream",
    }
}

/// Makes [`Assets`] of files in a directory beside the source file that says this.
///
/// ```ignore
/// static FILES: Assets = nekro_core::assets!("page", "board.css", "board.js");
///
/// /// Returns a file of the page.
/// #[route(GET, "/files/{name}", auth = public)]
/// fn file(name: &str) -> Result<Answer> {
///     FILES.get(name)
/// }
/// ```
#[macro_export]
macro_rules! assets {
    ($directory:literal $(, $name:literal)* $(,)?) => {
        $crate::web::Assets::new(&[$(($name, ::core::include_bytes!(::core::concat!($directory, "/", $name)))),*])
    };
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::Body;

    static FILES: Assets = Assets::new(&[("a.js", b"1"), ("b.min.css", b"2"), ("LICENSE", b"3")]);

    fn header<'a>(answer: &'a Answer, name: &str) -> &'a str {
        answer.headers.iter().find(|(known, _)| *known == name).map_or("", |(_, value)| value)
    }

    #[test]
    fn a_file_is_kept_for_good_by_the_name_that_says_what_is_in_it() {
        for (name, kind) in [
            ("a.js", "text/javascript; charset=utf-8"),
            ("b.min.css", "text/css; charset=utf-8"),
            ("LICENSE", "application/octet-stream"),
        ] {
            let marked = FILES.marked(name);
            assert_ne!(marked, name);
            let (plain, kept) = (FILES.get(name).expect("its name"), FILES.get(&marked).expect("its other name"));
            assert_eq!((header(&plain, "cache-control"), header(&kept, "cache-control")), (EACH_TIME, FOR_GOOD), "{marked}");
            assert_eq!((header(&plain, "etag"), &*plain.media_type), (header(&kept, "etag"), kind));
            assert!(matches!(kept.body, Body::Static(_)));
        }
        assert_eq!(FILES.marked("a.js"), "a-af63ac4c86019afc.js", "what is in it, and nothing of the machine");
    }

    #[test]
    fn no_other_name_leads_anywhere() {
        for name in ["", "a", "a.css", "../a.js", "a-0000000000000000.js", "a-.js", "a-af63ac4c86019afc.css"] {
            assert_eq!(FILES.get(name).expect_err("it is none").code(), "not_found", "{name}");
        }
        assert_eq!(FILES.marked("c.js"), "c.js");
    }
}
