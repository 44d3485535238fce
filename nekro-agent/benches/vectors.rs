//! Finding texts by what they mean, through the database and the index of bytes, against comparing all vectors as they are in memory.

#[path = "../../tests/benches/measure/mod.rs"]
mod measure;

use std::{cell::Cell, collections::HashSet};

use measure::Table;
use nekro_agent::bench::{Seeded, vectors};
use nekro_core::{Filter, SearchBy, VectorPlace, VectorPoint, VectorQuery};
use serde_json::json;

const DIMENSION: usize = 384;
const SIZES: [usize; 3] = [1_000, 10_000, 100_000];
const QUERIES: usize = 100;
const WANTED: usize = 10;

fn main() {
    let mut table = Table::new("vectors", &["Finding the ten nearest", "all, as they are", "nekro", "ratio", "goal"]);
    let (sizes, queries) = if table.is_trial() { (&SIZES[..1], 5) } else { (&SIZES[..], QUERIES) };
    for texts in sizes {
        compare(&mut table, *texts, queries);
    }
    table.finish();
}

fn compare(table: &mut Table, texts: usize, queries: usize) {
    let place = tempfile::tempdir().expect("a directory");
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().expect("threads can be started");
    let port = vectors(place.path().join("data"), DIMENSION);
    let collection = VectorPlace::new("bench", "texts");
    let point = |at: usize| VectorPoint { id: at.to_string(), text: format!("text {at}"), payload: json!({ "part": at % 20 }) };
    for first in (0..texts).step_by(500) {
        let points = (first..texts.min(first + 500)).map(point).collect();
        runtime.block_on(port.upsert(&collection, points)).expect("they are kept");
    }
    let all: Vec<_> = (0..texts).map(|at| Seeded::vector(&format!("text {at}"), DIMENSION)).collect();
    let query = |at: usize| format!("query {at}");
    let exact = |text: &str, filter: &dyn Fn(usize) -> bool| {
        let wanted = Seeded::vector(text, DIMENSION);
        let product = |vector: &[f32]| vector.iter().zip(&wanted).map(|(one, other)| one * other).sum::<f32>();
        let mut scored: Vec<_> = (0..all.len()).filter(|at| filter(*at)).map(|at| (product(&all[at]), at)).collect();
        scored.select_nth_unstable_by(WANTED, |one, other| other.0.total_cmp(&one.0));
        scored[..WANTED].iter().map(|(_, at)| at.to_string()).collect::<HashSet<_>>()
    };
    let search = |text: String, filter: Filter| {
        let query = VectorQuery { text, filter, limit: WANTED, by: SearchBy::Meaning };
        let found = runtime.block_on(port.search(&collection, query)).expect("it looks");
        found.hits.into_iter().map(|(point, _)| point.id).collect::<HashSet<_>>()
    };
    for parts in [1, 20] {
        let what = if parts == 1 { "" } else { ", of a twentieth" };
        let filter = || if parts == 1 { Filter::new() } else { Filter::new().eq("part", 7) };
        let fits = |at: usize| parts == 1 || at % parts == 7;
        let found = |at| exact(&query(at), &fits).intersection(&search(query(at), filter())).count();
        let recall = (0..queries).map(found).sum::<usize>() as f64 / (queries * WANTED) as f64;
        assert!(recall > 0.9, "recall {recall}");
        let (one, other) = (Cell::new(0), Cell::new(0));
        let next = |at: &Cell<usize>| query(at.replace((at.get() + 1) % queries));
        table.compare(
            &format!("{texts} × {DIMENSION}{what}: recall {recall:.3}"),
            // Of few texts, finding their rows takes longer than comparing them.
            if texts < 100_000 { "–" } else { "1 ×" },
            1,
            || drop(exact(&next(&one), &fits)),
            || drop(search(next(&other), filter())),
        );
    }
}
