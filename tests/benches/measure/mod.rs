//! Measuring a subject beside its baseline, and printing the table.
//!
//! Rounds of both alternate, each a fraction of a millisecond long, and the best round of each counts: what else runs on the machine
//! slows some rounds down, but none up. Arguments: a text selects the rows that contain it, `--json` prints one object to a row, and
//! `--update` puts the table into `docs/benchmarks.md`. Without `--bench`, which `cargo bench` gives, each row runs once, as a test.

#![allow(dead_code, reason = "each benchmark uses a part of it")]

use std::{
    fmt::Write,
    path::Path,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

const ROUNDS: usize = 300;
const ROUND: Duration = Duration::from_micros(300);

/// A table of results, printed when it is finished.
pub(crate) struct Table {
    name: &'static str,
    arguments: Vec<String>,
    rows: Vec<(Vec<String>, Value)>,
    heads: &'static [&'static str],
}

impl Table {
    pub(crate) fn new(name: &'static str, heads: &'static [&'static str]) -> Self {
        Self { name, arguments: std::env::args().skip(1).collect(), rows: Vec::new(), heads }
    }

    fn has(&self, flag: &str) -> bool {
        self.arguments.iter().any(|argument| argument == flag)
    }

    /// Tells whether every row shall only be tried.
    pub(crate) fn is_trial(&self) -> bool {
        !self.has("--bench")
    }

    /// Tells whether a row was asked for.
    pub(crate) fn wants(&self, row: &str) -> bool {
        let mut filters = self.arguments.iter().filter(|argument| !argument.starts_with('-')).peekable();
        filters.peek().is_none() || filters.any(|filter| self.name.contains(filter.as_str()) || row.contains(filter.as_str()))
    }

    /// Measures two functions, and adds a row: the name, the time of each, the ratio and the goal. Each does it `times` times.
    pub(crate) fn compare(&mut self, row: &str, goal: &str, times: u32, baseline: impl FnMut(), subject: impl FnMut()) {
        if self.wants(row) {
            let [baseline, subject] = self.best([&mut { baseline }, &mut { subject }]);
            self.ratio(row, baseline / f64::from(times), subject / f64::from(times), goal);
        }
    }

    /// Adds a row of two times, in seconds, and their ratio.
    pub(crate) fn ratio(&mut self, row: &str, baseline: f64, subject: f64, goal: &str) {
        let ratio = subject / baseline;
        let cells = [row.to_owned(), time(baseline), time(subject), format!("{ratio:.2} ×"), goal.to_owned()];
        let json = json!({ "baseline": baseline, "subject": subject, "ratio": ratio, "goal": goal });
        self.add(cells.to_vec(), json);
    }

    /// Measures one function, and adds a row: the name, the time and the goal.
    pub(crate) fn time(&mut self, row: &str, goal: &str, subject: impl FnMut()) {
        if self.wants(row) {
            let [taken] = self.best([&mut { subject }]);
            self.add(vec![row.to_owned(), time(taken), goal.to_owned()], json!({ "subject": taken, "goal": goal }));
        }
    }

    /// Adds a row.
    pub(crate) fn add(&mut self, cells: Vec<String>, json: Value) {
        self.rows.push((cells, json));
    }

    /// Calls functions in turn, and returns the seconds that one call of each takes.
    fn best<const N: usize>(&self, functions: [&mut dyn FnMut(); N]) -> [f64; N] {
        let rounds = if self.is_trial() { 1 } else { ROUNDS };
        let mut measured = functions.map(|function| {
            let calls =
                if rounds == 1 { 1.0 } else { (ROUND.as_secs_f64() / round(function, 1).min(round(function, 1))).max(1.0) };
            (function, calls as u32, f64::MAX)
        });
        // What takes long is measured for a second.
        let started = Instant::now();
        for turn in 0..rounds {
            if turn > 10 && started.elapsed() > Duration::from_secs(1) {
                break;
            }
            for (function, calls, best) in &mut measured {
                *best = round(*function, *calls).min(*best);
            }
        }
        measured.map(|(_, _, best)| best)
    }

    /// Prints the table.
    pub(crate) fn finish(self) {
        if self.has("--json") {
            for (cells, mut json) in self.rows {
                json["table"] = self.name.into();
                json["row"] = cells[0].as_str().into();
                println!("{json}");
            }
            return;
        }
        let table = self.markdown();
        println!("### {}\n\n{table}", self.name);
        if self.has("--update") {
            let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/benchmarks.md");
            let page = std::fs::read_to_string(&path).expect("the page of the benchmarks is there");
            let (begin, end) = (format!("<!-- {} -->\n", self.name), format!("<!-- end of {} -->", self.name));
            let (before, rest) = page.split_once(&begin).expect("the page has a place for this table");
            let (_, after) = rest.split_once(&end).expect("the place for this table has an end");
            std::fs::write(path, format!("{before}{begin}{table}{end}{after}")).expect("the page can be written");
        }
    }

    fn markdown(&self) -> String {
        let heads: Vec<_> = self.heads.iter().map(|&head| head.to_owned()).collect();
        let rows: Vec<_> = std::iter::once(&heads).chain(self.rows.iter().map(|(cells, _)| cells)).collect();
        let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default();
        let widths: Vec<_> = (0..heads.len()).map(width).collect();
        let mut text = String::new();
        for (at, row) in rows.into_iter().enumerate() {
            for (column, (cell, width)) in row.iter().zip(&widths).enumerate() {
                let _ = if column == 0 { write!(text, "| {cell:width$} ") } else { write!(text, "| {cell:>width$} ") };
            }
            text.push_str("|\n");
            if at == 0 {
                widths.iter().enumerate().for_each(|(column, width)| {
                    let dashes = "-".repeat(width + 1);
                    text.push_str(&if column == 0 { format!("|{dashes}-") } else { format!("|{dashes}:") });
                });
                text.push_str("|\n");
            }
        }
        text
    }
}

/// Returns the seconds that one of so many calls takes.
fn round(function: &mut dyn FnMut(), calls: u32) -> f64 {
    let started = Instant::now();
    for _ in 0..calls {
        function();
    }
    started.elapsed().as_secs_f64() / f64::from(calls)
}

/// Writes a number of seconds with the unit that suits it.
fn time(seconds: f64) -> String {
    let (value, unit) = match seconds {
        _ if seconds < 1e-6 => (seconds * 1e9, "ns"),
        _ if seconds < 1e-3 => (seconds * 1e6, "µs"),
        _ if seconds < 1.0 => (seconds * 1e3, "ms"),
        _ => (seconds, "s"),
    };
    if value < 100.0 { format!("{value:.1} {unit}") } else { format!("{value:.0} {unit}") }
}
