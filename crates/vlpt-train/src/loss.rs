//! The loss head: from features of both towers to a loss, and back to gradients of both.
//!
//! With unit features `i = image / |image|` and `t = text / |text|`, logits are `scale * i . t`
//! (Radford et al., "Learning transferable visual models from natural language supervision",
//! 2021). All sums are taken in a fixed order, so that results do not depend on the number of
//! threads.

use rayon::prelude::*;

use crate::{Result, TrainError};

/// What is minimised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loss {
    /// Softmax cross entropy. An image of several classes has soft targets: its classes' ones,
    /// divided by their number. An image of no class adds nothing.
    CrossEntropy,
    /// Binary cross entropy of each class by itself, mean over images and classes.
    Binary,
}

/// The head of a run: it has no parameters, the scale is the model's own.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LossHead {
    /// What is minimised.
    pub loss: Loss,
    /// Factor of the cosines (about 100), that is the exponential of the stored logit scale.
    pub scale: f32,
}

/// Loss, logits and gradients of some images against all classes.
#[derive(Debug, Clone, PartialEq)]
pub struct LossOutput {
    /// Sum over the images, divided by the size of the whole batch (and, for binary cross
    /// entropy, by the number of classes).
    pub loss: f64,
    /// Images x classes.
    pub logits: Vec<f32>,
    /// Gradient of the loss in the image features as given, images x embed.
    pub d_images: Vec<f32>,
    /// Gradient of the loss in the text features as given, classes x embed.
    pub d_texts: Vec<f32>,
}

/// Rows divided by their Euclidean lengths; a row of zeros stays, and has no gradient.
#[derive(Debug, Clone, PartialEq)]
pub struct UnitRows {
    rows: Vec<f32>,
    lengths: Vec<f32>,
    width: usize,
}

impl UnitRows {
    /// Normalises `features`, rows x `width`.
    ///
    /// # Errors
    /// [`TrainError::Unfit`] when the number of values is not a multiple of `width`.
    pub fn new(features: &[f32], width: usize) -> Result<Self> {
        if width == 0 || !features.len().is_multiple_of(width) {
            return Err(TrainError::Unfit {
                what: format!("{} feature values are no rows of {width}", features.len()),
                hint: None,
            });
        }
        let mut rows = features.to_vec();
        let lengths = rows
            .chunks_exact_mut(width)
            .map(|row| {
                let length = dot(row, row).sqrt();
                if length > 0.0 {
                    for value in row {
                        *value /= length;
                    }
                }
                length
            })
            .collect();
        Ok(Self {
            rows,
            lengths,
            width,
        })
    }

    /// The unit rows, one after the other.
    pub fn rows(&self) -> &[f32] {
        &self.rows
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.lengths.len()
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.lengths.is_empty()
    }

    fn row(&self, at: usize) -> &[f32] {
        &self.rows[at * self.width..(at + 1) * self.width]
    }

    /// Turns gradients in the unit rows into gradients in the rows as given:
    /// `(d - u (u . d)) / length`.
    fn backward(&self, gradients: &mut [f32]) {
        let rows = self.rows.chunks_exact(self.width).zip(&self.lengths);
        for (gradient, (unit, &length)) in gradients.chunks_exact_mut(self.width).zip(rows) {
            if length > 0.0 {
                let along = dot(unit, gradient);
                for (d, &u) in gradient.iter_mut().zip(unit) {
                    *d = (*d - u * along) / length;
                }
            } else {
                gradient.fill(0.0);
            }
        }
    }
}

impl LossHead {
    /// Logits of unit rows, images x classes.
    ///
    /// # Errors
    /// [`TrainError::Unfit`] when the widths differ.
    pub fn logits(&self, images: &UnitRows, texts: &UnitRows) -> Result<Vec<f32>> {
        if images.width != texts.width {
            return Err(TrainError::Unfit {
                what: format!(
                    "image features of width {} and text features of width {}",
                    images.width, texts.width
                ),
                hint: Some("take both from one model".to_owned()),
            });
        }
        let mut logits = vec![0.0; images.len() * texts.len()];
        logits
            .par_chunks_exact_mut(texts.len().max(1))
            .enumerate()
            .for_each(|(image, row)| {
                for (class, logit) in row.iter_mut().enumerate() {
                    *logit = self.scale * dot(images.row(image), texts.row(class));
                }
            });
        Ok(logits)
    }

    /// Loss and gradients. `images` (n x `width`) and `texts` (classes x `width`) are the towers'
    /// features, not normalised; `targets` holds the classes of each image; `batch` is the number
    /// of images of the whole step, of which these may be a part: the sum over the parts is then
    /// the mean over the batch.
    ///
    /// # Errors
    /// [`TrainError::Unfit`] when sizes do not fit or a target is no class.
    pub fn step(
        &self,
        images: &[f32],
        texts: &[f32],
        width: usize,
        targets: &[Vec<u32>],
        batch: usize,
    ) -> Result<LossOutput> {
        let (images, texts) = (UnitRows::new(images, width)?, UnitRows::new(texts, width)?);
        let classes = texts.len();
        check_targets(targets, images.len(), classes)?;
        let logits = self.logits(&images, &texts)?;

        let share = 1.0 / batch.max(1) as f64;
        let mut d_logits = vec![0.0; logits.len()];
        let losses: Vec<f64> = d_logits
            .par_chunks_exact_mut(classes.max(1))
            .zip(logits.par_chunks_exact(classes.max(1)))
            .zip(targets)
            .map(|((d_row, row), own)| match self.loss {
                Loss::CrossEntropy => cross_entropy(row, own, share, d_row),
                Loss::Binary => binary(row, own, share / classes as f64, d_row),
            })
            .collect();
        let loss = losses.iter().sum();

        let mut d_images = vec![0.0; images.rows.len()];
        d_images
            .par_chunks_exact_mut(width)
            .enumerate()
            .for_each(|(image, d_row)| {
                for class in 0..classes {
                    add(
                        d_row,
                        self.scale * d_logits[image * classes + class],
                        texts.row(class),
                    );
                }
            });
        images.backward(&mut d_images);
        let mut d_texts = vec![0.0; texts.rows.len()];
        d_texts
            .par_chunks_exact_mut(width)
            .enumerate()
            .for_each(|(class, d_row)| {
                for image in 0..images.len() {
                    add(
                        d_row,
                        self.scale * d_logits[image * classes + class],
                        images.row(image),
                    );
                }
            });
        texts.backward(&mut d_texts);
        Ok(LossOutput {
            loss,
            logits,
            d_images,
            d_texts,
        })
    }
}

fn check_targets(targets: &[Vec<u32>], images: usize, classes: usize) -> Result<()> {
    let unfit = |what: String| Err(TrainError::Unfit { what, hint: None });
    if targets.len() != images {
        return unfit(format!(
            "targets of {} images for features of {images}",
            targets.len()
        ));
    }
    for (image, own) in targets.iter().enumerate() {
        if let Some(class) = own.iter().find(|&&class| class as usize >= classes) {
            return unfit(format!(
                "image {image} has class {class}: expected a number below {classes}"
            ));
        }
    }
    Ok(())
}

/// Softmax cross entropy of one image times `share`, and its gradient.
fn cross_entropy(logits: &[f32], own: &[u32], share: f64, gradient: &mut [f32]) -> f64 {
    if own.is_empty() {
        return 0.0;
    }
    let max = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let power = |logit: f32| f64::from(logit - max).exp();
    let sum: f64 = logits.iter().map(|&logit| power(logit)).sum();
    for (d, &logit) in gradient.iter_mut().zip(logits) {
        *d = (share * power(logit) / sum) as f32;
    }
    let weight = 1.0 / own.len() as f64;
    let mut loss = 0.0;
    for &class in own {
        let logit = f64::from(logits[class as usize] - max);
        loss += weight * (sum.ln() - logit);
        // From f64, where p - w keeps its digits when p is near w.
        let p = power(logits[class as usize]) / sum;
        gradient[class as usize] = (share * (p - weight)) as f32;
    }
    share * loss
}

/// Sum of the binary cross entropies of one image times `share`, and its gradient.
fn binary(logits: &[f32], own: &[u32], share: f64, gradient: &mut [f32]) -> f64 {
    let mut loss = 0.0;
    for (class, (d, &logit)) in gradient.iter_mut().zip(logits).enumerate() {
        let logit = f64::from(logit);
        let target = f64::from(u8::from(own.contains(&(class as u32))));
        let tail = (-logit.abs()).exp();
        loss += logit.max(0.0) - logit * target + tail.ln_1p();
        let p = if logit >= 0.0 {
            1.0 / (1.0 + tail)
        } else {
            tail / (1.0 + tail)
        };
        *d = (share * (p - target)) as f32;
    }
    share * loss
}

/// Dot product in sixteen partial sums, added up in a fixed order.
fn dot(a: &[f32], b: &[f32]) -> f32 {
    const LANES: usize = 16;
    let mut sums = [0.0_f32; LANES];
    let (a_blocks, b_blocks) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
    let tail: f32 = a_blocks
        .remainder()
        .iter()
        .zip(b_blocks.remainder())
        .map(|(x, y)| x * y)
        .sum();
    for (x, y) in a_blocks.zip(b_blocks) {
        for lane in 0..LANES {
            sums[lane] += x[lane] * y[lane];
        }
    }
    let mut width = LANES / 2;
    while width > 0 {
        for lane in 0..width {
            sums[lane] += sums[lane + width];
        }
        width /= 2;
    }
    sums[0] + tail
}

/// `row += factor * other`.
fn add(row: &mut [f32], factor: f32, other: &[f32]) {
    for (value, &o) in row.iter_mut().zip(other) {
        *value += factor * o;
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    /// Pseudorandom values around 0.
    fn values(n: usize, seed: u32) -> Vec<f32> {
        let hash = |i: u32| {
            (i ^ seed)
                .wrapping_mul(2654435761)
                .rotate_left(13)
                .wrapping_mul(97)
        };
        (0..n as u32)
            .map(|i| (hash(i) >> 8) as f32 / 16777216.0 - 0.5)
            .collect()
    }

    fn targets() -> Vec<Vec<u32>> {
        vec![vec![2], vec![0, 3], vec![], vec![4], vec![1, 2, 3]]
    }

    #[test]
    fn gradients_are_those_of_finite_differences() {
        const WIDTH: usize = 7;
        for loss in [Loss::CrossEntropy, Loss::Binary] {
            let head = LossHead { loss, scale: 5.0 };
            let (images, texts) = (values(5 * WIDTH, 1), values(5 * WIDTH, 2));
            let of = |images: &[f32], texts: &[f32]| {
                head.step(images, texts, WIDTH, &targets(), 5).unwrap()
            };
            let output = of(&images, &texts);
            for at in 0..images.len() {
                let moved = |values: &[f32], by: f32| {
                    let mut values = values.to_vec();
                    values[at] += by;
                    values
                };
                let h = 1e-2;
                let slope = |up: LossOutput, down: LossOutput| (up.loss - down.loss) / (2.0 * h);
                let h = h as f32;
                let image = slope(
                    of(&moved(&images, h), &texts),
                    of(&moved(&images, -h), &texts),
                );
                let text = slope(
                    of(&images, &moved(&texts, h)),
                    of(&images, &moved(&texts, -h)),
                );
                assert!(
                    (image - f64::from(output.d_images[at])).abs() < 2e-3,
                    "image {at}"
                );
                assert!(
                    (text - f64::from(output.d_texts[at])).abs() < 2e-3,
                    "text {at}"
                );
            }
        }
    }

    #[test]
    fn loss_and_gradients_are_pytorchs() {
        #[derive(Deserialize)]
        struct Case {
            loss: String,
            scale: f32,
            width: usize,
            images: Vec<f32>,
            texts: Vec<f32>,
            targets: Vec<Vec<u32>>,
            value: f64,
            logits: Vec<f32>,
            d_images: Vec<f32>,
            d_texts: Vec<f32>,
        }
        let cases: Vec<Case> =
            serde_json::from_str(include_str!("../tests/golden/losses.json")).unwrap();
        for case in cases {
            let loss = match case.loss.as_str() {
                "binary" => Loss::Binary,
                _ => Loss::CrossEntropy,
            };
            let head = LossHead {
                loss,
                scale: case.scale,
            };
            let n = case.targets.len();
            let found = head
                .step(&case.images, &case.texts, case.width, &case.targets, n)
                .unwrap();
            assert!(
                (found.loss - case.value).abs() < 1e-5 * case.value.max(1.0),
                "{}",
                case.loss
            );
            let near = |found: &[f32], expected: &[f32]| {
                let size = expected.iter().fold(1e-6_f32, |size, v| size.max(v.abs()));
                assert_eq!(found.len(), expected.len());
                for (f, e) in found.iter().zip(expected) {
                    assert!(
                        (f - e).abs() < 2e-5 * size,
                        "{}: {f}, expected {e}",
                        case.loss
                    );
                }
            };
            near(&found.logits, &case.logits);
            near(&found.d_images, &case.d_images);
            near(&found.d_texts, &case.d_texts);
        }
    }

    #[test]
    fn parts_of_a_batch_add_up_to_the_whole() {
        const WIDTH: usize = 20;
        let head = LossHead {
            loss: Loss::CrossEntropy,
            scale: 100.0,
        };
        let (images, texts, targets) = (values(5 * WIDTH, 3), values(5 * WIDTH, 4), targets());
        let whole = head.step(&images, &texts, WIDTH, &targets, 5).unwrap();
        let cut = 2 * WIDTH;
        let first = head
            .step(&images[..cut], &texts, WIDTH, &targets[..2], 5)
            .unwrap();
        let second = head
            .step(&images[cut..], &texts, WIDTH, &targets[2..], 5)
            .unwrap();
        assert!((whole.loss - first.loss - second.loss).abs() < 1e-9);
        assert_eq!([first.d_images, second.d_images].concat(), whole.d_images);
        for at in 0..texts.len() {
            let sum = first.d_texts[at] + second.d_texts[at];
            assert!((sum - whole.d_texts[at]).abs() < 1e-4);
        }
    }

    #[test]
    fn results_do_not_depend_on_the_number_of_threads() {
        let head = LossHead {
            loss: Loss::CrossEntropy,
            scale: 100.0,
        };
        let (images, texts) = (values(33 * 65, 5), values(130 * 65, 6));
        let targets: Vec<Vec<u32>> = (0..33).map(|i| vec![i * 3]).collect();
        let on = |threads| {
            let pool = rayon::ThreadPoolBuilder::new()
                .num_threads(threads)
                .build()
                .unwrap();
            pool.install(|| head.step(&images, &texts, 65, &targets, 33).unwrap())
        };
        assert_eq!(on(1), on(3));
    }

    #[test]
    fn features_of_zeros_give_no_gradient_and_no_nan() {
        let head = LossHead {
            loss: Loss::CrossEntropy,
            scale: 100.0,
        };
        let output = head
            .step(&[0.0; 4], &values(12, 7), 4, &[vec![1]], 1)
            .unwrap();
        assert!((output.loss - 3.0_f64.ln()).abs() < 1e-12);
        assert_eq!(output.d_images, [0.0; 4]);
        assert_eq!(output.d_texts, [0.0; 12]);
    }

    #[test]
    fn sizes_that_do_not_fit_are_refused() {
        let head = LossHead {
            loss: Loss::CrossEntropy,
            scale: 1.0,
        };
        let refused = |images: &[f32], targets: &[Vec<u32>]| {
            head.step(images, &[1.0; 6], 3, targets, 1)
                .unwrap_err()
                .to_string()
        };
        assert!(refused(&[1.0; 4], &[vec![0]]).contains("no rows of 3"));
        assert!(refused(&[1.0; 3], &[]).contains("targets of 0 images"));
        assert!(refused(&[1.0; 3], &[vec![2]]).contains("below 2"));
    }
}
