//! Average precision of images of several classes.

use super::Scored;

/// Mean over all classes of the average precision, as CLIP_benchmark computes it: images by falling
/// score (of equal ones the first comes first), and the mean of the precision at each image that shows
/// the class. A class that no image shows counts as 0.
pub fn mean_average_precision(scored: &Scored) -> f64 {
    let sum: f64 = (0..scored.classes())
        .map(|class| of_class(scored, class))
        .sum();
    sum / scored.classes() as f64
}

fn of_class(scored: &Scored, class: usize) -> f64 {
    let score = |image: usize| scored.row(image)[class];
    let mut order: Vec<usize> = (0..scored.images()).collect();
    // a stable sort, and -0.0 is 0.0
    order.sort_by(|&a, &b| {
        score(b)
            .partial_cmp(&score(a))
            .unwrap_or(std::cmp::Ordering::Equal)
    });
    let (mut shown, mut sum) = (0_u64, 0.0);
    for (before, &image) in order.iter().enumerate() {
        if scored.labels(image).contains(&(class as u32)) {
            shown += 1;
            sum += shown as f64 / (before + 1) as f64;
        }
    }
    sum / shown.max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scored(scores: &[f64], classes: usize, labels: &[&[u32]]) -> Scored {
        let labels = labels.iter().map(|own| own.to_vec()).collect();
        Scored::new(scores.to_vec(), classes, labels).unwrap()
    }

    #[test]
    fn precision_is_averaged_over_the_images_that_show_the_class() {
        // class 0: ranks 1 and 3 of 3 are right; class 1: rank 2; class 2: never shown
        let scored = scored(
            &[0.9, 0.8, 0.1, 0.5, 0.9, 0.2, 0.4, 0.1, 0.3],
            3,
            &[&[0, 1], &[], &[0]],
        );
        let expected = [f64::midpoint(1.0, 2.0 / 3.0), 0.5, 0.0];
        let mean = expected.iter().sum::<f64>() / 3.0;
        assert!((mean_average_precision(&scored) - mean).abs() < 1e-15);
    }

    #[test]
    fn equal_scores_keep_the_order_of_the_images() {
        let first = scored(&[0.0, -0.0], 1, &[&[0], &[]]);
        let second = scored(&[0.0, 0.0], 1, &[&[], &[0]]);
        assert_eq!(mean_average_precision(&first), 1.0);
        assert_eq!(mean_average_precision(&second), 0.5);
    }
}
