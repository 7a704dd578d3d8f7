//! Photos that the classifier could hardly decide.

/// A photo near the boundary between two classes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Near {
    /// The photo, by its place among those judged.
    pub(crate) photo: usize,
    /// The most probable class and the one after it.
    pub(crate) classes: [usize; 2],
    /// By how much the first is more probable.
    pub(crate) margin: f64,
}

/// The photos with the smallest margins, the smallest first, at most `most`. `probabilities` are photos x
/// classes.
pub(crate) fn nearest(probabilities: &[f32], classes: usize, most: usize) -> Vec<Near> {
    let mut all: Vec<Near> = probabilities
        .chunks_exact(classes)
        .enumerate()
        .filter_map(|(photo, row)| {
            let mut order: Vec<usize> = (0..classes).collect();
            order.sort_by(|&a, &b| row[b].total_cmp(&row[a]).then(a.cmp(&b)));
            let [first, second] = [*order.first()?, *order.get(1)?];
            Some(Near {
                photo,
                classes: [first, second],
                margin: f64::from(row[first]) - f64::from(row[second]),
            })
        })
        .collect();
    all.sort_by(|a, b| a.margin.total_cmp(&b.margin).then(a.photo.cmp(&b.photo)));
    all.truncate(most);
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_sure_come_first() {
        let rows = [0.7, 0.2, 0.1, 0.4, 0.35, 0.25, 0.1, 0.1, 0.8];
        let found = nearest(&rows, 3, 2);
        assert_eq!((found[0].photo, found[0].classes), (1, [0, 1]));
        assert_eq!(found[1].photo, 0);
    }
}
