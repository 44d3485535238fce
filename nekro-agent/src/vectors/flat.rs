//! Vectors in memory, each number in one byte: all of them are compared, and the best are compared again as they are on the disk.
//!
//! A vector has length 1. Bytes are exact enough to find the best few among a thousand times as many, and a quarter of the size.

use std::{
    cmp::Ordering,
    collections::{BinaryHeap, HashMap},
};

/// Vectors of one collection.
#[derive(Clone, Debug, Default)]
pub(super) struct Flat {
    dimension: usize,
    ids: Vec<i64>,
    places: HashMap<i64, usize>,
    bytes: Vec<i8>,
    // What a byte of each vector stands for.
    scales: Vec<f32>,
}

impl Flat {
    /// Makes an empty one, for vectors of so many numbers.
    pub(super) fn new(dimension: usize) -> Self {
        Self { dimension, ..Self::default() }
    }

    /// Adds a vector, or replaces it. One of another length is left out.
    pub(super) fn put(&mut self, id: i64, vector: impl ExactSizeIterator<Item = f32> + Clone) {
        if vector.len() != self.dimension {
            return;
        }
        let (bytes, scale) = quantised(vector);
        match self.places.get(&id) {
            Some(place) => {
                let own = &mut self.bytes[place * self.dimension..(place + 1) * self.dimension];
                own.iter_mut().zip(bytes).for_each(|(own, byte)| *own = byte);
                self.scales[*place] = scale;
            }
            None => {
                self.places.insert(id, self.ids.len());
                self.ids.push(id);
                self.bytes.extend(bytes);
                self.scales.push(scale);
            }
        }
    }

    /// Returns how many there are.
    pub(super) fn len(&self) -> usize {
        self.ids.len()
    }

    /// Returns how much memory they take.
    pub(super) fn memory(&self) -> usize {
        self.bytes.len() + self.ids.len() * 40
    }

    /// Returns the `most` vectors that are likest to this one, best first.
    pub(super) fn nearest(&self, vector: &[f32], most: usize) -> Vec<i64> {
        if vector.len() != self.dimension || self.dimension == 0 || most == 0 {
            return Vec::new();
        }
        let query: Vec<i8> = quantised(vector.iter().copied()).0.collect();
        let vectors = self.bytes.chunks_exact(self.dimension).zip(&self.scales).zip(&self.ids);
        // The worst of the best so far is on top: most of the others are compared with it, and that is all.
        let mut best = BinaryHeap::with_capacity(most.min(self.ids.len()) + 1);
        for ((bytes, scale), id) in vectors {
            let scored = Scored(product(bytes, &query) as f32 * scale, *id);
            if best.len() < most {
                best.push(scored);
            } else if let Some(mut worst) = best.peek_mut()
                && scored < *worst
            {
                *worst = scored;
            }
        }
        best.into_sorted_vec().into_iter().map(|Scored(_, id)| id).collect()
    }
}

/// How like a vector is, and its number. What is likest is the least; of those that are as like, the first: the same in every run.
#[derive(Clone, Copy, Debug)]
struct Scored(f32, i64);

impl Ord for Scored {
    fn cmp(&self, other: &Self) -> Ordering {
        other.0.total_cmp(&self.0).then(self.1.cmp(&other.1))
    }
}

impl PartialOrd for Scored {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Scored {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Scored {}

/// Returns the sum of the products.
pub(super) fn exact(one: impl Iterator<Item = f32>, other: &[f32]) -> f32 {
    one.zip(other).map(|(one, other)| one * other).sum()
}

/// Makes a vector as long as 1. One of nothing but zeros, or with something that is no number, is refused.
pub(super) fn normalised(mut vector: Vec<f32>) -> Option<Vec<f32>> {
    let length = vector.iter().map(|one| f64::from(*one).powi(2)).sum::<f64>().sqrt();
    if !length.is_finite() || length < 1e-12 {
        return None;
    }
    vector.iter_mut().for_each(|one| *one = (f64::from(*one) / length) as f32);
    Some(vector)
}

/// Returns a vector as bytes, and what one of them stands for.
fn quantised(vector: impl Iterator<Item = f32> + Clone) -> (impl Iterator<Item = i8>, f32) {
    let largest = vector.clone().fold(f32::MIN_POSITIVE, |largest, one| largest.max(one.abs()));
    let scale = largest / 127.0;
    (vector.map(move |one| (one / scale).round() as i8), scale)
}

// Written so that the compiler turns it into instructions that work on many bytes at once.
fn product(one: &[i8], other: &[i8]) -> i32 {
    one.iter().zip(other).map(|(one, other)| i32::from(i16::from(*one) * i16::from(*other))).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn random(seed: &mut u64) -> f32 {
        *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((*seed >> 40) as f32 / (1 << 24) as f32) - 0.5
    }

    #[test]
    fn what_bytes_find_is_what_numbers_find() {
        const DIMENSION: usize = 64;
        let mut seed = 7;
        let mut make = || normalised((0..DIMENSION).map(|_| random(&mut seed)).collect()).expect("a vector");
        let vectors: Vec<_> = (0..2_000).map(|_| make()).collect();
        let mut flat = Flat::new(DIMENSION);
        (0..).zip(&vectors).for_each(|(id, vector)| flat.put(id, vector.iter().copied()));
        let mut found = 0;
        for _ in 0..20 {
            let query = make();
            let mut by_numbers: Vec<_> =
                (0_i64..).zip(&vectors).map(|(id, vector)| (exact(vector.iter().copied(), &query), id)).collect();
            by_numbers.sort_by(|one, other| other.0.total_cmp(&one.0));
            let candidates = flat.nearest(&query, 40);
            found += by_numbers[..10].iter().filter(|(_, id)| candidates.contains(id)).count();
        }
        assert!(found >= 198, "{found} of 200");
    }

    #[test]
    fn a_vector_is_replaced_and_one_of_another_length_left_out() {
        let mut flat = Flat::new(2);
        flat.put(1, [1.0, 0.0].into_iter());
        flat.put(2, [0.0, 1.0].into_iter());
        flat.put(3, [1.0].into_iter());
        flat.put(1, [0.0, -1.0].into_iter());
        assert_eq!((flat.len(), flat.nearest(&[0.0, 1.0], 5)), (2, vec![2, 1]));
        assert_eq!(flat.nearest(&[1.0], 5), Vec::<i64>::new());
        assert_eq!(
            (normalised(vec![0.0; 3]), normalised(vec![f32::NAN]), normalised(vec![3.0, 4.0])),
            (None, None, Some(vec![0.6, 0.8]))
        );
    }
}
