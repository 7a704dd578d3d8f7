//! Which targets go together.
//!
//! Both ways read one number for each pair of tasks: the mean of what i gives to j and what j
//! gives to i. Ties go to the task that comes first in the matrix, so that groups never depend on
//! anything but the matrix.

use super::linkage::{Dendrogram, average_linkage, leaves};
use crate::matrix::TaskMatrix;
use crate::{Result, StudyError};

/// How much two tasks help each other: the mean of both directions, `n x n` and symmetric, in the
/// order of the columns. The diagonal is 0 and means nothing.
///
/// # Errors
/// A target that is no source, or a pair without a number.
pub fn affinity(gains: &TaskMatrix) -> Result<Vec<f64>> {
    let names = gains.columns();
    let n = names.len();
    let mut values = vec![0.0; n * n];
    for i in 0..n {
        for j in 0..i {
            let one = gains.between(&names[i], &names[j]);
            let two = gains.between(&names[j], &names[i]);
            let Some((one, two)) = one.zip(two).filter(|(a, b)| (a + b).is_finite()) else {
                return Err(StudyError::numbers(
                    "transfer matrix",
                    format!("no number between \"{}\" and \"{}\"", names[j], names[i]),
                    "a number both ways: groups need every target as a source too",
                ));
            };
            values[i * n + j] = 0.5 * (one + two);
            values[j * n + i] = values[i * n + j];
        }
    }
    Ok(values)
}

/// The clustering of the targets: average linkage on the distance `largest affinity - affinity`.
///
/// # Errors
/// As for [`affinity`].
pub fn dendrogram(gains: &TaskMatrix) -> Result<Dendrogram> {
    let names = gains.columns().to_vec();
    let merges = average_linkage(names.len(), &distances(gains)?)?;
    Ok(Dendrogram {
        order: leaves(names.len(), &merges),
        names,
        merges,
    })
}

fn distances(gains: &TaskMatrix) -> Result<Vec<f64>> {
    let n = gains.columns().len();
    let mut values = affinity(gains)?;
    let off_diagonal = (0..n * n).filter(|k| k / n != k % n);
    let largest = off_diagonal
        .map(|k| values[k])
        .fold(f64::NEG_INFINITY, f64::max);
    for (k, value) in values.iter_mut().enumerate() {
        *value = if k / n == k % n {
            0.0
        } else {
            largest - *value
        };
    }
    Ok(values)
}

/// Groups of at most `size` targets, one after another: the pair with the largest affinity among
/// the tasks that are left, then again and again the task with the largest mean affinity to the
/// group, until it is full. The last group takes what is left.
///
/// Members come in the order in which they joined.
///
/// # Errors
/// A size of 0; else as for [`affinity`].
pub fn greedy_groups(gains: &TaskMatrix, size: usize) -> Result<Vec<Vec<String>>> {
    check_size(size)?;
    let affinity = affinity(gains)?;
    let n = gains.columns().len();
    let mut left: Vec<usize> = (0..n).collect();
    let mut groups = Vec::new();
    while !left.is_empty() {
        let mut group: Vec<usize> = Vec::new();
        while group.len() < size && !left.is_empty() {
            let score = |task: usize| -> f64 {
                if group.is_empty() {
                    // The best partner it could have; with ties the first task starts the group.
                    let others = left.iter().filter(|&&other| other != task);
                    return others
                        .map(|&o| affinity[task * n + o])
                        .fold(f64::MIN, f64::max);
                }
                group
                    .iter()
                    .map(|&member| affinity[task * n + member])
                    .sum()
            };
            let mut best = 0;
            for place in 1..left.len() {
                if score(left[place]) > score(left[best]) {
                    best = place;
                }
            }
            group.push(left.remove(best));
        }
        groups.push(group);
    }
    Ok(named(gains, groups))
}

/// Groups of at most `size` targets by average linkage: the two clusters with the largest mean
/// affinity among those that fit into one group together are joined, until none fit.
///
/// Members come in the order of the matrix, and groups in the order of their first members.
///
/// # Errors
/// As for [`greedy_groups`].
pub fn agglomerative_groups(gains: &TaskMatrix, size: usize) -> Result<Vec<Vec<String>>> {
    check_size(size)?;
    let affinity = affinity(gains)?;
    let n = gains.columns().len();
    let mut groups: Vec<Vec<usize>> = (0..n).map(|task| vec![task]).collect();
    loop {
        let mut best: Option<(f64, usize, usize)> = None;
        for a in 0..groups.len() {
            for b in a + 1..groups.len() {
                if groups[a].len() + groups[b].len() > size {
                    continue;
                }
                let pairs = groups[a]
                    .iter()
                    .flat_map(|i| groups[b].iter().map(move |j| (i, j)));
                let sum: f64 = pairs.map(|(i, j)| affinity[i * n + j]).sum();
                let mean = sum / (groups[a].len() * groups[b].len()) as f64;
                if best.is_none_or(|(found, ..)| mean > found) {
                    best = Some((mean, a, b));
                }
            }
        }
        let Some((_, a, b)) = best else {
            break;
        };
        let joined = groups.remove(b);
        groups[a].extend(joined);
        groups[a].sort_unstable();
    }
    Ok(named(gains, groups))
}

fn named(gains: &TaskMatrix, groups: Vec<Vec<usize>>) -> Vec<Vec<String>> {
    let name = |task: usize| gains.columns()[task].clone();
    let names = |group: Vec<usize>| group.into_iter().map(name).collect();
    groups.into_iter().map(names).collect()
}

fn check_size(size: usize) -> Result<()> {
    if size > 0 {
        return Ok(());
    }
    Err(StudyError::numbers("group size", "0", "1 or more"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two clear families, {a, c, e} and {b, d}, and f that nobody helps.
    fn gains() -> TaskMatrix {
        let names: Vec<String> = ["a", "b", "c", "d", "e", "f"].map(String::from).into();
        TaskMatrix::from_fn(names.clone(), names, |i, j| {
            let family = |k: usize| if k == 5 { 2 } else { k % 2 };
            let asymmetry = 0.01 * (i as f64 - j as f64);
            asymmetry
                + if family(i) == family(j) {
                    0.5
                } else {
                    -0.1 - 0.001 * (i + j) as f64
                }
        })
    }

    #[test]
    fn families_are_found_by_both_ways() {
        let expected = [vec!["a", "c", "e"], vec!["b", "d", "f"]];
        assert_eq!(greedy_groups(&gains(), 3).unwrap(), expected);
        assert_eq!(agglomerative_groups(&gains(), 3).unwrap(), expected);
        let pairs = agglomerative_groups(&gains(), 2).unwrap();
        assert!(pairs.iter().all(|group| group.len() <= 2), "{pairs:?}");
        assert!(pairs.contains(&vec!["b".to_owned(), "d".to_owned()]));
    }

    #[test]
    fn groups_of_one_are_the_tasks_and_large_groups_hold_all() {
        assert_eq!(greedy_groups(&gains(), 1).unwrap().len(), 6);
        assert_eq!(greedy_groups(&gains(), 99).unwrap().len(), 1);
        assert_eq!(agglomerative_groups(&gains(), 99).unwrap().len(), 1);
        assert!(greedy_groups(&gains(), 0).is_err());
    }

    #[test]
    fn the_tree_keeps_families_side_by_side() {
        let tree = dendrogram(&gains()).unwrap();
        let place = |k: usize| tree.order.iter().position(|&o| o == k).unwrap();
        let mut family = [place(0), place(2), place(4)];
        family.sort_unstable();
        assert_eq!(family[2] - family[0], 2, "{:?}", tree.order);
        assert_eq!(place(1).abs_diff(place(3)), 1, "{:?}", tree.order);
        assert_eq!(tree.merges[0].distance, 0.0);
    }

    #[test]
    fn a_missing_pair_is_named() {
        let names: Vec<String> = ["a", "b"].map(String::from).into();
        let holes = TaskMatrix::new(names.clone(), names, vec![1.0, f64::NAN, 1.0, 1.0]).unwrap();
        let error = greedy_groups(&holes, 2).unwrap_err().to_string();
        assert!(
            error.contains("no number between \"a\" and \"b\""),
            "{error}"
        );
    }
}
