//! Photos that are the same, or nearly so.

use std::collections::BTreeMap;

use rayon::prelude::*;
use vlpt_methods::UnitRows;
use vlpt_methods::head::dot;

/// Photos whose features point the same way up to this cosine are near copies: the same picture saved
/// or scaled again.
pub(crate) const NEAR: f32 = 0.9995;
/// So many photos are compared with each other; of more, those of one class alone.
const COMPARED: usize = 6000;

/// A group of photos that are copies of each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Copies {
    /// Whether all files are equal byte for byte.
    pub(crate) equal: bool,
    /// The photos, in their order; two or more.
    pub(crate) photos: Vec<usize>,
}

/// The group of each photo, known by its first photo: equal files (by their hashes), and near copies by
/// their features (photos x `width`).
///
/// Features of a picture that was drawn or of a plain background are alike too, so near copies count only
/// within a class; equal files count wherever they are.
pub(crate) fn groups(hashes: &[String], labels: &[usize], features: &UnitRows) -> Vec<usize> {
    let mut root: Vec<usize> = (0..hashes.len()).collect();
    let mut first: BTreeMap<&String, usize> = BTreeMap::new();
    for (photo, hash) in hashes.iter().enumerate() {
        let known = *first.entry(hash).or_insert(photo);
        join(&mut root, known, photo);
    }
    let of_class: BTreeMap<usize, Vec<usize>> =
        labels
            .iter()
            .enumerate()
            .fold(BTreeMap::new(), |mut all, (photo, &label)| {
                all.entry(label).or_insert_with(Vec::new).push(photo);
                all
            });
    for own in of_class.values().filter(|own| own.len() <= COMPARED) {
        let near: Vec<(usize, usize)> = own
            .par_iter()
            .enumerate()
            .flat_map_iter(|(at, &one)| {
                let row = features.row(one);
                own[at + 1..]
                    .iter()
                    .filter(move |&&other| dot(row, features.row(other)) >= NEAR)
                    .map(move |&other| (one, other))
            })
            .collect();
        for (one, other) in near {
            join(&mut root, one, other);
        }
    }
    (0..root.len()).map(|photo| find(&root, photo)).collect()
}

/// The groups with more than one photo.
pub(crate) fn copies(groups: &[usize], hashes: &[String]) -> Vec<Copies> {
    let mut by_group: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (photo, &group) in groups.iter().enumerate() {
        by_group.entry(group).or_default().push(photo);
    }
    let several = by_group.into_values().filter(|photos| photos.len() > 1);
    several
        .map(|photos| Copies {
            equal: photos.iter().all(|&p| hashes[p] == hashes[photos[0]]),
            photos,
        })
        .collect()
}

fn find(root: &[usize], mut photo: usize) -> usize {
    while root[photo] != photo {
        photo = root[photo];
    }
    photo
}

/// Puts two photos into one group, known by the first photo of both.
fn join(root: &mut [usize], one: usize, other: usize) {
    let (one, other) = (find(root, one), find(root, other));
    let (first, later) = (one.min(other), one.max(other));
    root[later] = first;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_files_and_near_features_are_one_group() {
        let hashes = ["a", "b", "a", "c", "d"].map(str::to_owned);
        let rows = [
            1.0, 0.0, 0.0, 1.0, 1.0, 0.0, // a, b, a
            0.001, 1.0, // c, near b
            0.001, 1.0, // d, near b but of another class
        ];
        let features = UnitRows::new(&rows, 2).unwrap();
        let found = groups(&hashes, &[0, 1, 0, 1, 0], &features);
        assert_eq!(found, [0, 1, 0, 1, 4]);
        let all = copies(&found, &hashes);
        assert_eq!(all.len(), 2);
        assert!(all[0].equal && all[0].photos == [0, 2]);
        assert!(!all[1].equal && all[1].photos == [1, 3]);
    }
}
