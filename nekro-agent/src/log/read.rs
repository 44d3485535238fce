//! Reading the log: the last entries, and those that come.

use std::{
    collections::VecDeque,
    fs::File,
    io::{self, BufRead, BufReader, Read, Seek, SeekFrom},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use super::file::{LOG_FILES, path};

/// The most bytes of a line that are read: a file may have been written by anybody.
const MOST_LINE_BYTES: u64 = 1024 * 1024;

/// An entry.
#[derive(Debug, Deserialize)]
pub(crate) struct Entry {
    pub(crate) at: String,
    pub(crate) level: String,
    #[serde(default)]
    pub(crate) plugin: Option<String>,
    #[serde(default)]
    pub(crate) session: Option<String>,
    // Older entries without one have `null`.
    #[serde(default, deserialize_with = "or_nothing")]
    pub(crate) message: String,
    #[serde(default)]
    pub(crate) fields: Map<String, Value>,
    /// The line as it is.
    #[serde(skip)]
    pub(crate) line: String,
}

fn or_nothing<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// Which entries are wanted.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wanted {
    pub(crate) plugin: Option<String>,
    pub(crate) session: Option<String>,
    /// Of this background task.
    pub(crate) task: Option<String>,
}

impl Wanted {
    fn read(&self, line: &str) -> Option<Entry> {
        let entry: Entry = serde_json::from_str(line).ok()?;
        let fits = |wanted: &Option<String>, is: &Option<String>| wanted.is_none() || wanted == is;
        let task = entry.fields.get("task").and_then(Value::as_str).map(str::to_owned);
        let fits = fits(&self.plugin, &entry.plugin) && fits(&self.session, &entry.session) && fits(&self.task, &task);
        fits.then(|| Entry { line: line.to_owned(), ..entry })
    }
}

/// Returns the last entries that are wanted, the oldest first, and where those begin that come.
pub(crate) fn last(folder: &Path, wanted: Wanted, count: usize) -> io::Result<(Vec<Entry>, Following)> {
    let mut entries = VecDeque::new();
    let mut following = Following { newest: path(folder, 0), wanted, open: None };
    for age in (0..LOG_FILES).rev() {
        let Some(file) = open(&path(folder, age))? else { continue };
        let mut file = BufReader::new(file);
        lines(&mut file, |line| {
            entries.extend(following.wanted.read(line));
            if entries.len() > count {
                entries.pop_front();
            }
        })?;
        if age == 0 {
            following.open = Some(file);
        }
    }
    Ok((entries.into(), following))
}

/// Where the entries begin that come.
pub(crate) struct Following {
    newest: PathBuf,
    wanted: Wanted,
    open: Option<BufReader<File>>,
}

impl Following {
    /// Returns the wanted entries that have come since.
    pub(crate) fn next(&mut self) -> io::Result<Vec<Entry>> {
        let mut entries = Vec::new();
        let mut take = |line: &str| entries.extend(self.wanted.read(line));
        if let Some(file) = &mut self.open {
            lines(file, &mut take)?;
        }
        // The file may be full meanwhile, and another one begun.
        let is_new = match &self.open {
            Some(file) => !super::file::is_at(file.get_ref(), &self.newest),
            None => true,
        };
        if is_new && let Some(file) = open(&self.newest)? {
            lines(self.open.insert(BufReader::new(file)), &mut take)?;
        }
        Ok(entries)
    }
}

fn open(path: &Path) -> io::Result<Option<File>> {
    match File::open(path) {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Reads the lines that are whole. Where one is being written, the next reading begins.
fn lines(file: &mut BufReader<File>, mut take: impl FnMut(&str)) -> io::Result<()> {
    loop {
        let mut bytes = Vec::new();
        let read = file.take(MOST_LINE_BYTES).read_until(b'\n', &mut bytes)?;
        if bytes.last() == Some(&b'\n') {
            take(String::from_utf8_lossy(&bytes).trim_end());
        } else if (read as u64) < MOST_LINE_BYTES {
            file.seek(SeekFrom::Current(-(read as i64)))?;
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, io::Write};

    use super::*;

    fn entry(plugin: &str, session: &str, message: &str) -> String {
        serde_json::json!({ "at": "2026", "level": "info", "plugin": plugin, "session": session, "message": message }).to_string()
    }

    fn messages(entries: &[Entry]) -> String {
        entries.iter().map(|entry| entry.message.as_str()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn the_last_entries_are_those_of_all_files_and_only_the_wanted_ones() {
        let place = tempfile::tempdir().expect("a directory");
        let old = [entry("a", "s", "1"), "no entry".to_owned(), entry("b", "s", "2")].join("\n") + "\n";
        fs::write(path(place.path(), 2), old).expect("a file");
        let new =
            [entry("a", "t", "3"), "x".repeat(3_000_000), entry("a", "s", "4")].join("\n") + "\n" + &entry("a", "s", "half");
        fs::write(path(place.path(), 0), new).expect("a file");
        let read = |plugin: Option<&str>, session: Option<&str>, count| {
            let wanted = Wanted { plugin: plugin.map(str::to_owned), session: session.map(str::to_owned), task: None };
            messages(&last(place.path(), wanted, count).expect("it is read").0)
        };
        assert_eq!(read(None, None, 10), "1 2 3 4");
        assert_eq!(read(None, None, 2), "3 4");
        assert_eq!(read(Some("a"), None, 10), "1 3 4");
        assert_eq!(read(Some("a"), Some("s"), 10), "1 4");
        assert_eq!(read(Some("c"), None, 10), "");
    }

    #[test]
    fn what_comes_is_followed_into_the_next_file() {
        let place = tempfile::tempdir().expect("a directory");
        let newest = path(place.path(), 0);
        let (entries, mut following) = last(place.path(), Wanted::default(), 10).expect("it is read");
        assert!(entries.is_empty() && following.next().expect("it is read").is_empty());
        let mut next = || messages(&following.next().expect("it is read"));
        let append = |text: &str| {
            let mut file = fs::OpenOptions::new().append(true).create(true).open(&newest).expect("a file");
            file.write_all(text.as_bytes()).expect("it is written");
        };
        append(&format!("{}\n", entry("a", "s", "1")));
        assert_eq!(next(), "1");
        let whole = entry("a", "s", "2");
        append(&whole[..10]);
        assert_eq!(next(), "");
        append(&format!("{}\n", &whole[10..]));
        append(&format!("{}\n", entry("a", "s", "3")));
        fs::rename(&newest, path(place.path(), 1)).expect("it is full");
        append(&format!("{}\n", entry("a", "s", "4")));
        assert_eq!(next(), "2 3 4");
        assert_eq!(next(), "");
    }
}
