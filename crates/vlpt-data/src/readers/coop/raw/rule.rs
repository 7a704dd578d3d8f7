//! CoOp's rules for sets that bring no split of their own.
//!
//! The published `split_zhou_*.json` files were made by them once, from folders in the order of a
//! file system and with a generator in a state that nobody knows, so they cannot be made again.
//! Here images are sorted and the generator is a new one of the split seed: the same sizes, and
//! other images in each part.

use std::collections::BTreeMap;

use crate::rng::CPython;
use crate::sample::Sample;

/// Shares of train and val of a set without any split; the rest is for testing.
const TRAIN: f64 = 0.5;
const VAL: f64 = 0.2;
/// The shares as a run records them: of all images, and of a set's own training list.
pub(super) const OF_ALL: [f64; 3] = [TRAIN, VAL, 0.3];
pub(super) const OF_TRAINING: [f64; 3] = [0.8, VAL, 0.0];

/// Python's `round`: halves go to the even neighbour.
fn share(count: usize, of: f64) -> usize {
    (count as f64 * of).round_ties_even() as usize
}

/// Train, val and test from the images of each class, in the order of the classes: 50, 20 and 30 % of
/// each.
pub(super) fn split_all(classes: Vec<Vec<Sample>>, seed: u64) -> [Vec<Sample>; 3] {
    let mut random = CPython::new(seed);
    let mut parts: [Vec<Sample>; 3] = Default::default();
    for mut images in classes {
        random.shuffle(&mut images);
        let train = share(images.len(), TRAIN);
        let val = share(images.len(), VAL);
        for (place, image) in images.into_iter().enumerate() {
            let part = usize::from(place >= train) + usize::from(place >= train + val);
            parts[part].push(image);
        }
    }
    parts
}

/// Train and val from the images that a set lists for both, 20 % of each class for val. Classes come
/// in the order of their first image.
pub(super) fn split_val(both: Vec<Sample>, seed: u64) -> [Vec<Sample>; 2] {
    let mut order: Vec<u32> = Vec::new();
    let mut classes: BTreeMap<u32, Vec<Sample>> = BTreeMap::new();
    for sample in both {
        let label = sample.labels.first().copied().unwrap_or(0);
        let class = classes.entry(label).or_default();
        if class.is_empty() {
            order.push(label);
        }
        class.push(sample);
    }
    let mut random = CPython::new(seed);
    let mut parts: [Vec<Sample>; 2] = Default::default();
    for label in order {
        let mut images = classes.remove(&label).unwrap_or_default();
        let val = share(images.len(), VAL);
        random.shuffle(&mut images);
        for (place, image) in images.into_iter().enumerate() {
            parts[usize::from(place < val)].push(image);
        }
    }
    parts
}
