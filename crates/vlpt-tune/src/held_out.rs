//! Which photos can be held out to judge by, and what each counts.

use vlpt_train::TrainingData;

use crate::folds::Folds;
use crate::photos::Photos;

/// Fewer held-out photos cannot choose.
const FEWEST_HELD: usize = 10;
/// Classes are imbalanced when the largest has so many times the photos of the smallest.
const IMBALANCED: usize = 3;

/// The fewest and most photos of a class, where they are far apart.
pub(crate) fn imbalance(data: &TrainingData) -> Option<(usize, usize)> {
    let counts = data.train.class_counts(data.task.classes.len());
    let with = || counts.iter().copied().filter(|&count| count > 0);
    let (least, most) = (with().min()?, with().max()?);
    (most >= IMBALANCED * least).then_some((least, most))
}

/// The held-out photos, or none where they are too few to choose by: fewer than ten, or of fewer than half
/// of the classes.
pub(crate) fn enough(photos: &Photos, folds: &Folds) -> Vec<usize> {
    let held = folds.held();
    let mut judged = vec![false; photos.classes()];
    for &photo in &held {
        judged[photos.labels[photo]] = true;
    }
    let with = photos.counts().iter().filter(|&&count| count > 0).count();
    let of = judged.iter().filter(|&&judged| judged).count();
    if held.len() < FEWEST_HELD || 2 * of < with {
        return Vec::new();
    }
    held
}

/// What each held-out photo counts: 1, or the same for each class.
pub(crate) fn weights(photos: &Photos, held: &[usize], per_class: bool) -> Vec<f64> {
    if !per_class {
        return vec![1.0; held.len()];
    }
    let mut counts = vec![0_usize; photos.classes()];
    for &photo in held {
        counts[photos.labels[photo]] += 1;
    }
    held.iter()
        .map(|&photo| 1.0 / counts[photos.labels[photo]] as f64)
        .collect()
}
