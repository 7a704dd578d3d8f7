//! Which photos are held out when: every photo once, in folds with the same share of each class.

use std::collections::BTreeSet;

use vlpt_base::random::Stream;

/// The most folds that photos are divided into.
const MOST: usize = 5;

/// The fold of each photo; none for one that is never held out, because its class would have no other
/// photo to learn from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folds {
    /// The fold of each photo.
    pub of: Vec<Option<usize>>,
    /// Number of folds.
    pub count: usize,
    /// Whether a photo is judged by where it is held out: of copies only the first of each class is, since the
    /// others say nothing more.
    judged: Vec<bool>,
}

impl Folds {
    /// Divides photos with these classes. Photos of one group (near copies of each other) are held out
    /// together, else one would be recognised by the other. There are as many folds as the largest
    /// class has groups, at most five.
    ///
    /// A class's groups are dealt in a random order to one fold after another, each class going on
    /// where the one before ended, so that folds are as large as each other.
    pub fn new(labels: &[usize], groups: &[usize], classes: usize, seed: u64) -> Self {
        let mut of_class: Vec<Vec<usize>> = vec![Vec::new(); classes];
        let mut taken = vec![false; labels.len()];
        for (photo, &label) in labels.iter().enumerate() {
            // A group goes with the class of its first photo.
            if !std::mem::replace(&mut taken[groups[photo]], true) {
                of_class[label].push(groups[photo]);
            }
        }
        let largest = of_class.iter().map(Vec::len).max().unwrap_or(0);
        let count = largest.min(MOST);
        let mut fold_of_group: Vec<Option<usize>> = vec![None; labels.len()];
        if count >= 2 {
            let mut stream = Stream::new(seed, "tune folds");
            let mut next = 0;
            for own in &mut of_class {
                shuffle(own, &mut stream);
                if own.len() < 2 {
                    continue;
                }
                for &group in own.iter() {
                    fold_of_group[group] = Some(next % count);
                    next += 1;
                }
            }
        }
        let of = groups.iter().map(|&group| fold_of_group[group]).collect();
        let mut seen = BTreeSet::new();
        let pairs = groups.iter().zip(labels);
        let judged = pairs.map(|pair| seen.insert(pair)).collect();
        Self { of, count, judged }.with_all_classes_left(labels, classes)
    }

    /// Photos that are judged by at some time, in their order.
    pub fn held(&self) -> Vec<usize> {
        let all = 0..self.of.len();
        all.filter(|&photo| self.of[photo].is_some() && self.judged[photo])
            .collect()
    }

    /// Photos that are held out with one that they are a copy of, and not judged by.
    pub fn copies(&self) -> usize {
        let held = self.of.iter().zip(&self.judged);
        held.filter(|(of, judged)| of.is_some() && !**judged)
            .count()
    }

    /// The photos that fold `fold` learns from, and those that it is judged on.
    pub fn parts(&self, fold: usize) -> (Vec<usize>, Vec<usize>) {
        let (fit, mut out): (Vec<usize>, Vec<usize>) =
            (0..self.of.len()).partition(|&photo| self.of[photo] != Some(fold));
        out.retain(|&photo| self.judged[photo]);
        (fit, out)
    }

    /// Never holds out all photos of a class at once: groups over several classes could.
    fn with_all_classes_left(mut self, labels: &[usize], classes: usize) -> Self {
        for fold in 0..self.count {
            let mut left = vec![0; classes];
            for (photo, &label) in labels.iter().enumerate() {
                left[label] += usize::from(self.of[photo] != Some(fold));
            }
            for (photo, &label) in labels.iter().enumerate() {
                if left[label] == 0 && self.of[photo] == Some(fold) {
                    self.of[photo] = None;
                }
            }
        }
        self
    }
}

/// Fisher and Yates's shuffle.
pub(crate) fn shuffle(items: &mut [usize], stream: &mut Stream) {
    for last in (1..items.len()).rev() {
        let other = (stream.uniform() * (last + 1) as f64) as usize;
        items.swap(last, other.min(last));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alone(count: usize) -> Vec<usize> {
        (0..count).collect()
    }

    #[test]
    fn every_photo_is_held_out_once_and_folds_have_the_same_share_of_each_class() {
        let labels: Vec<usize> = (0..30).map(|i| i % 3).collect();
        let folds = Folds::new(&labels, &alone(30), 3, 7);
        assert_eq!((folds.count, folds.held().len()), (5, 30));
        for fold in 0..5 {
            let (fit, held) = folds.parts(fold);
            assert_eq!((fit.len(), held.len()), (24, 6));
            for class in 0..3 {
                assert_eq!(held.iter().filter(|&&i| labels[i] == class).count(), 2);
            }
        }
        assert_eq!(folds, Folds::new(&labels, &alone(30), 3, 7));
        assert_ne!(folds, Folds::new(&labels, &alone(30), 3, 8));
    }

    #[test]
    fn a_class_of_one_photo_is_never_held_out_and_one_photo_each_gives_no_fold() {
        let folds = Folds::new(&[0, 0, 0, 1], &alone(4), 2, 0);
        assert_eq!(folds.count, 3);
        assert_eq!(folds.of[3], None);
        let none = Folds::new(&[0, 1, 2], &alone(3), 3, 0);
        assert!(none.held().is_empty() && none.count < 2);
    }

    #[test]
    fn near_copies_are_held_out_together() {
        let labels = [0, 0, 0, 0, 1, 1, 1, 1];
        let groups = [0, 0, 2, 3, 4, 5, 5, 5];
        for seed in 0..20 {
            let folds = Folds::new(&labels, &groups, 2, seed);
            assert_eq!(folds.of[0], folds.of[1]);
            assert!(folds.of[5] == folds.of[6] && folds.of[6] == folds.of[7]);
            assert_eq!(folds.held(), [0, 2, 3, 4, 5]);
            assert_eq!(folds.copies(), 3);
            for fold in 0..folds.count {
                let (fit, out) = folds.parts(fold);
                assert!(out.iter().all(|photo| folds.held().contains(photo)));
                assert!(
                    out.iter()
                        .all(|&one| fit.iter().all(|&other| groups[one] != groups[other]))
                );
            }
        }
        // A class of copies alone has nothing left to learn from.
        let copies = Folds::new(&[0, 0, 1, 1], &[0, 0, 2, 3], 2, 0);
        assert_eq!(copies.of[..2], [None, None]);
        // And one with the copies of another class neither.
        let across = Folds::new(&[0, 0, 1, 1], &[0, 1, 0, 1], 2, 0);
        for fold in 0..across.count {
            let (fit, _) = across.parts(fold);
            assert!(
                [0, 1]
                    .iter()
                    .all(|&class| { fit.iter().any(|&photo| [0, 0, 1, 1][photo] == class) })
            );
        }
    }
}
