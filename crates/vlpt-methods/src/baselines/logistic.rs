//! Logistic regression with an L2 penalty, as scikit-learn's `LogisticRegression` defines it.
//!
//! Of weights W and biases b, the sum of the images' losses plus `|W|^2 / (2 C)` is minimised;
//! biases are free. Images of one class each have softmax cross entropy over all classes. Two
//! classes have one logistic function, whose weights are penalised once and not once for each
//! class. Images of several classes have one logistic function a class, each fitted for itself.

use rayon::prelude::*;

use vlpt_optim::{Minimum, dot, minimise};

use super::dense::{Right, product, transposed};
use crate::{MethodError, Result};

/// Images with their features and classes, ready to be fitted with any strength.
#[derive(Debug, Clone)]
pub struct Logistic {
    /// Rows x width, less their mean: biases are free, so the end is the same, and it is reached in
    /// far fewer steps where all features point nearly one way.
    features: Vec<f64>,
    mean: Vec<f64>,
    labels: Vec<Vec<u32>>,
    width: usize,
    classes: usize,
    kind: Kind,
    images: f64,
    /// The weight of each row; none: all alike.
    weights: Vec<f64>,
}

/// What a row's scores mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// One class of three or more.
    Softmax,
    /// One of two classes: one score, that of the second.
    Pair,
    /// Any of the classes.
    Each,
}

/// A fitted linear classifier.
#[derive(Debug, Clone, PartialEq)]
pub struct LinearClassifier {
    /// Classes x width.
    pub weight: Vec<f64>,
    /// One for each class.
    pub bias: Vec<f64>,
    /// Steps that the fit took.
    pub iterations: usize,
    /// Whether it ended before its limit of steps.
    pub converged: bool,
    /// The variables as the fit knows them, to start another from.
    variables: Vec<f64>,
}

impl Logistic {
    /// `features` is rows x `width`, `labels` the classes of each row: one, or any number where
    /// `multi_label`. With several rows (views) an image, `images` is smaller than the number of
    /// rows, and an image's loss is the mean of its rows'.
    ///
    /// # Errors
    /// Sizes that do not fit, a label beyond the classes, no row, or other than one label for a row
    /// where labels are single.
    pub fn new(
        features: &[f32],
        width: usize,
        labels: &[Vec<u32>],
        classes: usize,
        multi_label: bool,
        images: usize,
    ) -> Result<Self> {
        let incompatible = |what: String| Err(MethodError::Incompatible { what, hint: None });
        let rows = labels.len();
        if classes == 0 {
            return incompatible("no class to tell from others".to_owned());
        }
        if rows == 0 || width == 0 || images == 0 || features.len() != rows * width {
            return incompatible(format!(
                "{} feature values for {rows} rows of {width}: expected one row at least, and as \
                 many values",
                features.len()
            ));
        }
        for (row, own) in labels.iter().enumerate() {
            if let Some(label) = own.iter().find(|&&label| label as usize >= classes) {
                return incompatible(format!(
                    "row {row} has class {label}: expected a number below {classes}"
                ));
            }
            if !multi_label && own.len() != 1 {
                return incompatible(format!("row {row} has {} classes: expected one", own.len()));
            }
        }
        if let Some(at) = features.iter().position(|value| !value.is_finite()) {
            return incompatible(format!(
                "a feature of row {} is {}: expected a finite number",
                at / width,
                features[at]
            ));
        }
        let mut features: Vec<f64> = features.iter().map(|&v| f64::from(v)).collect();
        let mean: Vec<f64> = (0..width)
            .map(|k| features.iter().skip(k).step_by(width).sum::<f64>() / rows as f64)
            .collect();
        for row in features.chunks_exact_mut(width) {
            row.iter_mut().zip(&mean).for_each(|(v, m)| *v -= m);
        }
        Ok(Self {
            mean,
            features,
            labels: labels.to_vec(),
            width,
            classes,
            kind: match classes {
                _ if multi_label => Kind::Each,
                2 => Kind::Pair,
                _ => Kind::Softmax,
            },
            images: images as f64,
            weights: Vec::new(),
        })
    }

    /// The same, a row's loss multiplied by the weight of its class (scikit-learn's `class_weight`), of
    /// a row with several classes by that of the first.
    #[must_use]
    pub fn weighted(mut self, classes: &[f64]) -> Self {
        let weight = |own: &Vec<u32>| own.first().map_or(1.0, |&class| classes[class as usize]);
        self.weights = self.labels.iter().map(weight).collect();
        self
    }

    /// Minimises for one `strength` C, from zeros or from another fit, until no gradient of the
    /// mean loss is above `tolerance`. A strength that is huge gives no exact end where classes can
    /// be told apart without error: there the limit of steps may decide.
    pub fn fit(
        &self,
        strength: f64,
        max_iterations: usize,
        tolerance: f64,
        start: Option<&LinearClassifier>,
    ) -> LinearClassifier {
        let size = self.outputs() * (self.width + 1);
        let start = match start {
            Some(linear) if linear.variables.len() == size => linear.variables.clone(),
            _ => vec![0.0; size],
        };
        let function = |x: &[f64]| self.objective(x, strength);
        self.linear(minimise(function, start, tolerance, max_iterations))
    }

    /// Scores that are fitted: one a class, or one alone.
    fn outputs(&self) -> usize {
        if self.kind == Kind::Pair {
            1
        } else {
            self.classes
        }
    }

    /// Mean loss and penalty over the number of images, and the gradient: weights (outputs x
    /// width), then biases.
    fn objective(&self, x: &[f64], strength: f64) -> (f64, Vec<f64>) {
        let outputs = self.outputs();
        let rows = self.labels.len();
        let (weight, bias) = x.split_at(outputs * self.width);
        let mut scores = product(&self.features, self.width, Right::Transposed(weight));
        let losses: Vec<f64> = scores
            .par_chunks_mut(outputs)
            .zip(&self.labels)
            .enumerate()
            .map(|(at, (row, labels))| {
                row.iter_mut().zip(bias).for_each(|(s, b)| *s += b);
                let loss = self.loss(row, labels);
                let Some(weight) = self.weights.get(at) else {
                    return loss;
                };
                for error in row {
                    *error *= weight;
                }
                weight * loss
            })
            .collect();
        let share = 1.0 / rows as f64;
        let decay = 1.0 / (strength * self.images);
        let value = losses.iter().sum::<f64>() * share + 0.5 * decay * dot(weight, weight);

        let errors = transposed(&scores, outputs);
        let mut gradient = product(&errors, rows, Right::Plain(&self.features));
        gradient
            .iter_mut()
            .zip(weight)
            .for_each(|(g, w)| *g = *g * share + decay * w);
        let of_bias = errors.chunks_exact(rows);
        gradient.extend(of_bias.map(|errors| errors.iter().sum::<f64>() * share));
        (value, gradient)
    }

    /// The loss of one row; its scores become the loss's gradients in them.
    fn loss(&self, row: &mut [f64], labels: &[u32]) -> f64 {
        match self.kind {
            Kind::Softmax => {
                let top = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                let label = labels[0] as usize;
                let own = row[label] - top;
                let mut sum = 0.0;
                for score in row.iter_mut() {
                    *score = (*score - top).exp();
                    sum += *score;
                }
                for power in &mut *row {
                    *power /= sum;
                }
                row[label] -= 1.0;
                sum.ln() - own
            }
            Kind::Pair => logistic(&mut row[0], labels[0] == 1),
            Kind::Each => row
                .iter_mut()
                .enumerate()
                .map(|(class, score)| logistic(score, labels.contains(&(class as u32))))
                .sum(),
        }
    }

    fn linear(&self, found: Minimum) -> LinearClassifier {
        let (weight, bias) = found.x.split_at(self.outputs() * self.width);
        let each = weight.chunks_exact(self.width).zip(bias);
        let bias: Vec<f64> = each.map(|(row, b)| b - dot(row, &self.mean)).collect();
        let (weight, bias) = if self.kind == Kind::Pair {
            // Half for each class: the softmax of both is the logistic function of the difference.
            let halves = |values: &[f64]| -> Vec<f64> {
                let first = values.iter().map(|v| -0.5 * v);
                first.chain(values.iter().map(|v| 0.5 * v)).collect()
            };
            (halves(weight), halves(&bias))
        } else {
            (weight.to_vec(), bias)
        };
        LinearClassifier {
            weight,
            bias,
            iterations: found.iterations,
            converged: found.converged,
            variables: found.x,
        }
    }
}

/// Binary cross entropy of a score, which becomes its gradient.
fn logistic(score: &mut f64, positive: bool) -> f64 {
    let s = *score;
    let power = (-s.abs()).exp();
    let probability = if s >= 0.0 { 1.0 } else { power } / (1.0 + power);
    *score = probability - f64::from(u8::from(positive));
    power.ln_1p() + if positive { (-s).max(0.0) } else { s.max(0.0) }
}

impl LinearClassifier {
    /// Scores (rows x classes) of features (rows x width).
    pub fn scores(&self, features: &[f32]) -> Vec<f32> {
        let classes = self.bias.len();
        let width = self.weight.len() / classes.max(1);
        let features: Vec<f64> = features.iter().map(|&v| f64::from(v)).collect();
        let scores = product(&features, width, Right::Transposed(&self.weight));
        let bias = self.bias.iter().cycle();
        scores
            .iter()
            .zip(bias)
            .map(|(s, b)| (s + b) as f32)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Features and labels without a pattern.
    fn example(kind: Kind) -> Logistic {
        let features: Vec<f32> = (0..12 * 5).map(|i| (i as f32 * 0.7).sin()).collect();
        let (classes, multi_label) = match kind {
            Kind::Softmax => (4, false),
            Kind::Pair => (2, false),
            Kind::Each => (3, true),
        };
        let labels: Vec<Vec<u32>> = (0..12)
            .map(|i| match kind {
                Kind::Each => (0..3).filter(|c| (i * 7 + c * 5) % 3 == 0).collect(),
                _ => vec![(i * 5 + i / 3) % classes],
            })
            .collect();
        let classes = classes as usize;
        Logistic::new(&features, 5, &labels, classes, multi_label, 6).unwrap()
    }

    #[test]
    fn gradients_are_those_of_finite_differences() {
        for (kind, weighted) in [
            (Kind::Softmax, false),
            (Kind::Pair, false),
            (Kind::Each, false),
            (Kind::Softmax, true),
            (Kind::Pair, true),
        ] {
            let mut problem = example(kind);
            if weighted {
                problem = problem.weighted(&[0.5, 2.0, 1.25, 3.0]);
            }
            assert_eq!(problem.kind, kind);
            let size = problem.outputs() * 6;
            let x: Vec<f64> = (0..size).map(|i| (i as f64).cos() * 2.0).collect();
            let (_, gradient) = problem.objective(&x, 0.3);
            for i in 0..size {
                let at = |by: f64| {
                    let mut x = x.clone();
                    x[i] += by;
                    problem.objective(&x, 0.3).0
                };
                let slope = (at(1e-5) - at(-1e-5)) / 2e-5;
                assert!((slope - gradient[i]).abs() < 1e-8, "{kind:?} {i}");
            }
        }
    }

    #[test]
    fn huge_scores_have_finite_losses() {
        for (score, positive, loss) in [(1e4, true, 0.0), (-1e4, true, 1e4), (1e4, false, 1e4)] {
            let mut value = score;
            assert_eq!(logistic(&mut value, positive), loss);
            assert!(value.abs() <= 1.0);
        }
    }

    #[test]
    fn a_fit_has_the_same_bits_with_any_number_of_threads() {
        let fit = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
            let pool = pool.build().unwrap();
            pool.install(|| example(Kind::Softmax).fit(3.0, 100, 1e-8, None))
        };
        assert_eq!(fit(1), fit(3));
    }

    #[test]
    fn a_start_near_the_end_saves_steps() {
        let problem = example(Kind::Softmax);
        let cold = problem.fit(1.0, 1000, 1e-8, None);
        let warm = problem.fit(1.0, 1000, 1e-8, Some(&cold));
        assert!(cold.converged && warm.iterations < cold.iterations);
    }

    #[test]
    fn sizes_and_labels_are_checked() {
        let refused = |features: &[f32], labels: &[&[u32]], multi_label| {
            let labels: Vec<Vec<u32>> = labels.iter().map(|own| own.to_vec()).collect();
            Logistic::new(features, 2, &labels, 3, multi_label, 1)
                .unwrap_err()
                .to_string()
        };
        assert!(refused(&[], &[], false).contains("0 rows"));
        assert!(refused(&[1.0; 3], &[&[0]], false).contains("3 feature values"));
        assert!(refused(&[1.0; 2], &[&[3]], true).contains("below 3"));
        assert!(refused(&[1.0; 2], &[&[]], false).contains("0 classes"));
        assert!(refused(&[1.0, f32::NAN], &[&[0]], false).contains("NaN"));
    }
}
