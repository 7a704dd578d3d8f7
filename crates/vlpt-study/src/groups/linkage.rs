//! Agglomerative clustering with average linkage.

use crate::{Result, StudyError};

/// One step of the clustering: two clusters become one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Merge {
    /// The cluster with the smaller number. Numbers below the number of items are items; the
    /// cluster of step k has the number `items + k`.
    pub left: usize,
    /// The other cluster.
    pub right: usize,
    /// Mean distance between items of the one and items of the other.
    pub distance: f64,
    /// Items in the new cluster.
    pub size: usize,
}

/// The tree of a clustering.
#[derive(Debug, Clone, PartialEq)]
pub struct Dendrogram {
    /// Names of the items.
    pub names: Vec<String>,
    /// The steps, nearest clusters first.
    pub merges: Vec<Merge>,
    /// The items in the order in which the tree has no crossing lines.
    pub order: Vec<usize>,
}

/// Joins the two nearest clusters until one is left (average linkage, UPGMA): `items - 1` steps.
/// Among equally near pairs the one with the smallest numbers is joined.
///
/// `distances` is `items x items` and symmetric; the diagonal is not read.
///
/// # Errors
/// A matrix of another size, not symmetric, or not finite.
pub fn average_linkage(items: usize, distances: &[f64]) -> Result<Vec<Merge>> {
    check(items, distances)?;
    let mut between = distances.to_vec();
    // Place in `between`, number and size of each cluster, by number.
    let mut clusters: Vec<(usize, usize, usize)> = (0..items).map(|i| (i, i, 1)).collect();
    let mut merges = Vec::new();
    while clusters.len() > 1 {
        let (a, b) = nearest(&clusters, |p, q| between[p * items + q]);
        let (right_place, right, right_size) = clusters.remove(b);
        let (left_place, left, left_size) = clusters.remove(a);
        let size = left_size + right_size;
        for &(other, ..) in &clusters {
            let sum = left_size as f64 * between[left_place * items + other]
                + right_size as f64 * between[right_place * items + other];
            between[left_place * items + other] = sum / size as f64;
            between[other * items + left_place] = sum / size as f64;
        }
        clusters.push((left_place, items + merges.len(), size));
        merges.push(Merge {
            left,
            right,
            distance: between[left_place * items + right_place],
            size,
        });
    }
    Ok(merges)
}

/// The nearest pair; the first of equals, by number.
fn nearest(
    clusters: &[(usize, usize, usize)],
    distance: impl Fn(usize, usize) -> f64,
) -> (usize, usize) {
    let mut best = (0, 1);
    let mut least = f64::INFINITY;
    for a in 0..clusters.len() {
        for b in a + 1..clusters.len() {
            let found = distance(clusters[a].0, clusters[b].0);
            if found < least {
                (best, least) = ((a, b), found);
            }
        }
    }
    best
}

fn check(items: usize, distances: &[f64]) -> Result<()> {
    let bad = |found: String| {
        Err(StudyError::numbers(
            "distances",
            found,
            format!("{items} x {items} finite values, symmetric"),
        ))
    };
    if distances.len() != items * items {
        return bad(format!("{} values", distances.len()));
    }
    for i in 0..items {
        for j in 0..i {
            let (one, two) = (distances[i * items + j], distances[j * items + i]);
            if !one.is_finite() || one != two {
                return bad(format!("{one} and {two} between {i} and {j}"));
            }
        }
    }
    Ok(())
}

/// The items in the order of the tree: what `left` holds before what `right` holds.
pub(super) fn leaves(items: usize, merges: &[Merge]) -> Vec<usize> {
    let mut order = Vec::with_capacity(items);
    let mut open: Vec<usize> = merges
        .len()
        .checked_sub(1)
        .map_or_else(|| (0..items).collect(), |last| vec![items + last]);
    while let Some(cluster) = open.pop() {
        match cluster.checked_sub(items) {
            None => order.push(cluster),
            Some(step) => open.extend([merges[step].right, merges[step].left]),
        }
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_distances_join_the_first_items_first() {
        let merges = average_linkage(4, &[1.0; 16]).unwrap();
        let pairs: Vec<_> = merges.iter().map(|m| (m.left, m.right)).collect();
        assert_eq!(pairs, [(0, 1), (2, 3), (4, 5)]);
        assert_eq!(leaves(4, &merges), [0, 1, 2, 3]);
    }

    #[test]
    fn one_item_and_none_are_trees_too() {
        assert_eq!(leaves(1, &average_linkage(1, &[0.0]).unwrap()), [0]);
        assert!(leaves(0, &average_linkage(0, &[]).unwrap()).is_empty());
    }

    #[test]
    fn what_is_no_distance_matrix_is_refused() {
        assert!(average_linkage(2, &[0.0; 3]).is_err());
        assert!(average_linkage(2, &[0.0, 1.0, 2.0, 0.0]).is_err());
        assert!(average_linkage(2, &[0.0, f64::NAN, f64::NAN, 0.0]).is_err());
    }
}
