//! The closed form.

use rayon::prelude::*;
use vlpt_kernels::matrix_product;

use crate::baselines::symmetric::{scatter, solve};
use crate::{MethodError, Result};

/// Mean square within classes below which rows of length one are equal but for rounding.
const EQUAL: f64 = 1e-24;

/// The linear discriminant of Gaussians with one covariance.
#[derive(Debug, Clone, PartialEq)]
pub struct Discriminant {
    /// `w_c`, classes x width.
    pub weight: Vec<f64>,
    /// `b_c`, one for each class.
    pub bias: Vec<f64>,
}

impl Discriminant {
    /// From some of the images of `views` (images x `width` each, of any length) and the class of
    /// each. Every view of an image is a row, so there are N = views x images rows; a row is divided by
    /// its length. With the class means `mu_c` and the covariance S (divisor N - 1) of the rows less their
    /// classes' means:
    ///
    /// ```text
    /// P   = D * inverse((N - 1) S + trace(S) I)
    /// w_c = P mu_c
    /// b_c = ln(1 / C) - mu_c . w_c / 2
    /// ```
    ///
    /// with D the width and C the number of classes. Rows that do not differ within classes at all have
    /// no covariance, whose pseudo-inverse is 0, and so is every weight. Sums are taken in f64.
    ///
    /// # Errors
    /// Sizes that do not fit, a class without an image, or features whose covariance is no number.
    pub fn new(
        views: &[Vec<f32>],
        images: &[usize],
        labels: &[u32],
        classes: usize,
        width: usize,
    ) -> Result<Self> {
        let fits = |view: &Vec<f32>| view.len() == labels.len() * width;
        let own: Vec<Vec<usize>> = (0..classes)
            .map(|class| {
                let all = images.iter().copied();
                all.filter(|&i| labels.get(i) == Some(&(class as u32)))
                    .collect()
            })
            .collect();
        let known: usize = own.iter().map(Vec::len).sum();
        if width == 0 || views.is_empty() || !views.iter().all(fits) || known != images.len() {
            return incompatible(format!(
                "{} views of {} images in {classes} classes do not fit rows of {width}",
                views.len(),
                images.len()
            ));
        }
        if let Some(class) = own.iter().position(Vec::is_empty) {
            return incompatible(format!("class {class} has no image to take a mean of"));
        }

        let row = |view: usize, image: usize| &views[view][image * width..][..width];
        let mean = |own: &Vec<usize>| {
            let (mut mean, mut unit) = (vec![0.0; width], vec![0.0; width]);
            for view in 0..views.len() {
                for &image in own {
                    normalised(row(view, image), &mut unit);
                    mean.iter_mut().zip(&unit).for_each(|(m, u)| *m += u);
                }
            }
            let rows = (own.len() * views.len()) as f64;
            for m in &mut mean {
                *m /= rows;
            }
            mean
        };
        let means: Vec<f64> = own.par_iter().flat_map_iter(mean).collect();

        let rows = images.len() * views.len();
        let mut within = scatter(rows, width, |n, unit| {
            let image = images[n % images.len()];
            normalised(row(n / images.len(), image), unit);
            let mean = &means[labels[image] as usize * width..][..width];
            unit.iter_mut().zip(mean).for_each(|(u, m)| *u -= m);
        });
        let trace: f64 = within.iter().step_by(width + 1).sum();
        let mut weight = vec![0.0; means.len()];
        if trace.is_nan() || trace > rows as f64 * EQUAL {
            let ridge = trace / (rows - 1).max(1) as f64;
            within
                .iter_mut()
                .step_by(width + 1)
                .for_each(|v| *v += ridge);
            let Some(solved) = solve(&within, width, &means) else {
                return incompatible(
                    "the covariance of the training images' features is no number".to_owned(),
                );
            };
            weight = solved.iter().map(|x| width as f64 * x).collect();
        }
        let each = weight.chunks_exact(width).zip(means.chunks_exact(width));
        let half =
            |(w, m): (&[f64], &[f64])| 0.5 * w.iter().zip(m).map(|(w, m)| w * m).sum::<f64>();
        let bias = each
            .map(|pair| -(classes as f64).ln() - half(pair))
            .collect();
        Ok(Self { weight, bias })
    }

    /// `f . w_c + b_c` (images x classes) of features of length one (images x width).
    pub fn scores(&self, units: &[f64]) -> Vec<f64> {
        let classes = self.bias.len();
        let width = self.weight.len() / classes.max(1);
        let mut scores = by_classes(units, &self.weight, width);
        for row in scores.chunks_exact_mut(classes.max(1)) {
            row.iter_mut().zip(&self.bias).for_each(|(s, b)| *s += b);
        }
        scores
    }

    /// Whether it tells no class from another.
    pub fn is_nothing(&self) -> bool {
        self.weight.iter().all(|&w| w == 0.0)
    }
}

/// Products of rows (rows x width) with those of classes (classes x width): rows x classes.
pub(super) fn by_classes(rows: &[f64], classes: &[f64], width: usize) -> Vec<f64> {
    let sizes = (
        rows.len() / width.max(1),
        classes.len() / width.max(1),
        width,
    );
    let mut products = vec![0.0; sizes.0 * sizes.1];
    matrix_product(sizes, (rows, false), (classes, true), &mut products);
    products
}

/// Writes a row divided by its length; a row of zeros stays.
pub(super) fn normalised(row: &[f32], unit: &mut [f64]) {
    let squares: f64 = row.iter().map(|&v| f64::from(v) * f64::from(v)).sum();
    let length = if squares > 0.0 { squares.sqrt() } else { 1.0 };
    for (unit, &value) in unit.iter_mut().zip(row) {
        *unit = f64::from(value) / length;
    }
}

fn incompatible<T>(what: String) -> Result<T> {
    Err(MethodError::Incompatible { what, hint: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wave(from: usize, count: usize) -> Vec<f32> {
        (from..from + count)
            .map(|i| (i as f32 * 1.3).sin())
            .collect()
    }

    #[test]
    fn lengths_of_features_play_no_part() {
        let views = [wave(0, 6 * 3), wave(40, 6 * 3)];
        let longer: Vec<Vec<f32>> = views
            .iter()
            .map(|view| view.iter().map(|v| v * 4.0).collect())
            .collect();
        let labels = [0, 1, 0, 1, 0, 1];
        let fit = |views: &[Vec<f32>]| Discriminant::new(views, &[0, 1, 2, 3, 4], &labels, 2, 3);
        let found = fit(&views).unwrap();
        assert_eq!(found, fit(&longer).unwrap());
        assert_eq!((found.weight.len(), found.bias.len()), (2 * 3, 2));
        assert!(!found.is_nothing());
    }

    #[test]
    fn images_that_are_left_out_play_no_part() {
        let views = [wave(0, 4 * 3)];
        let mut other = views.clone();
        other[0][9..].fill(7.0);
        let fit =
            |views: &[Vec<f32>]| Discriminant::new(views, &[0, 1, 2], &[0, 1, 0, 1], 2, 3).unwrap();
        assert_eq!(fit(&views), fit(&other));
    }

    #[test]
    fn without_spread_within_classes_nothing_is_said() {
        let found = Discriminant::new(&[wave(0, 2 * 3)], &[0, 1], &[0, 1], 2, 3).unwrap();
        assert!(found.is_nothing());
        assert_eq!(found.bias, [-(2_f64.ln()); 2]);
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let refused = |views: &[Vec<f32>], images: &[usize], labels: &[u32]| {
            let found = Discriminant::new(views, images, labels, 2, 3);
            found.unwrap_err().to_string()
        };
        let views = [wave(0, 2 * 3)];
        assert!(refused(&[], &[0, 1], &[0, 1]).contains("0 views"));
        assert!(refused(&views, &[0, 1], &[0, 1, 1]).contains("rows of 3"));
        assert!(refused(&views, &[0, 1], &[0, 2]).contains("do not fit"));
        assert!(refused(&views, &[0, 1], &[0, 0]).contains("class 1 has no image"));
        let broken = [vec![f32::NAN; 3], wave(0, 9)].concat();
        let broken = refused(&[broken], &[0, 1, 2, 3], &[0, 1, 0, 1]);
        assert!(broken.contains("no number"), "{broken}");
    }

    #[test]
    fn it_has_a_weight_for_each_feature_and_class_and_a_bias_for_each_class() {
        // ViT-B/16 has features of 512.
        let (classes, width) = (10, 512);
        let labels: Vec<u32> = (0..20).map(|i| i % 10).collect();
        let images: Vec<usize> = (0..20).collect();
        let views = [wave(0, 20 * width)];
        let found = Discriminant::new(&views, &images, &labels, classes, width).unwrap();
        assert_eq!(found.weight.len() + found.bias.len(), classes * (width + 1));
    }
}
