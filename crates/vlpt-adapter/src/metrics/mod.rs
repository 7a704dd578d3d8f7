//! The numbers a task is judged by: one file a metric, each equal to scikit-learn's.
//!
//! All values are shares from 0 to 1, not percent.

mod accuracy;
mod average_precision;
mod bootstrap;
mod calibration;
mod confusion;
mod eleven_point;
mod macro_f1;
mod mean_per_class;
mod ranking;
mod roc_auc;
mod scored;
mod temperature;
mod wilson;

pub use average_precision::mean_average_precision;
pub use bootstrap::{Bootstrap, Interval, IntervalKind};
pub use calibration::{Calibration, ReliabilityBin, brier_score};
pub use confusion::Confusion;
pub use macro_f1::macro_f1;
pub use scored::Scored;
pub use scored::scored_for;
pub use temperature::temperature;
pub use wilson::wilson;

use vlpt_data::Metric;

use crate::{AdapterError, Result};

/// A metric made ready to be computed many times, each time with other numbers of each image.
trait Resampled {
    /// The metric when image `i` is present `times[i]` times; `None` where it is undefined.
    fn value(&self, times: &[u32]) -> Option<f64>;

    /// Where the metric is the mean of shares: each as (right, of).
    fn shares(&self) -> Option<Vec<(u64, u64)>> {
        None
    }

    /// What was asked for when [`Resampled::value`] gives nothing.
    fn undefined(&self) -> &'static str;
}

fn prepare(metric: Metric, scored: &Scored) -> Result<Box<dyn Resampled>> {
    Ok(match metric {
        Metric::Accuracy => Box::new(accuracy::Accuracy::new(scored)?),
        Metric::MeanPerClass => Box::new(mean_per_class::MeanPerClass::new(scored)?),
        Metric::ElevenPointMap => Box::new(eleven_point::ElevenPoint::new(scored)),
        Metric::RocAuc => Box::new(roc_auc::RocAuc::new(scored)?),
    })
}

fn defined(prepared: &dyn Resampled, times: &[u32]) -> Result<f64> {
    prepared
        .value(times)
        .ok_or_else(|| AdapterError::Incompatible {
            what: format!("{} is undefined", prepared.undefined()),
            hint: None,
        })
}

/// The value of a metric, from 0 to 1.
///
/// * Accuracy: share of images whose class with the largest score (the first of equal ones) is
///   the true one.
/// * Mean per class: mean over the classes that images show of the accuracy within the class; the
///   scores of classes that no image shows do not take part, unless [`Scored::among_all`] says so.
/// * 11-point mAP: mean over the classes that images show of the mean over the recalls 1, 0.9,
///   ..., 0 of the best precision at that recall or more. Ranks images within a class, so logits
///   and probabilities ([`Scored::softmax`]) give different values; ELEVATER uses probabilities.
/// * ROC-AUC: two classes, the score of class 1; give probabilities.
///
/// # Errors
/// [`AdapterError::Incompatible`] where the metric does not fit the task (several classes an image and a
/// metric that is not 11-point mAP, ROC-AUC of other than two classes) or is undefined (11-point
/// mAP when no image shows a class, ROC-AUC when all images are of one class).
pub fn evaluate(metric: Metric, scored: &Scored) -> Result<f64> {
    defined(&*prepare(metric, scored)?, &vec![1; scored.images()])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the bootstrap relies on.
    #[test]
    fn an_image_counted_twice_is_an_image_given_twice() {
        let rows = [0.1, 0.9, 0.4, 0.6, 0.4, 0.6, 0.8, 0.2, 0.3, 0.7, 0.5, 0.5];
        let labels = [1, 0, 1, 0, 1, 1];
        for times in [[2, 0, 1, 1, 3, 0], [0, 1, 0, 2, 1, 0], [1, 1, 1, 1, 1, 1]] {
            let given = times
                .iter()
                .enumerate()
                .flat_map(|(i, &n)| vec![i; n as usize]);
            let given: Vec<usize> = given.collect();
            let scores = given
                .iter()
                .flat_map(|&i| [rows[2 * i], rows[2 * i + 1]])
                .collect();
            let drawn = given.iter().map(|&i| vec![labels[i]]).collect();
            let drawn = Scored::new(scores, 2, drawn).unwrap();
            let all = labels.iter().map(|&label| vec![label]).collect();
            let all = Scored::new(rows.to_vec(), 2, all).unwrap();
            for metric in [
                Metric::Accuracy,
                Metric::MeanPerClass,
                Metric::ElevenPointMap,
                Metric::RocAuc,
            ] {
                let counted = prepare(metric, &all).unwrap().value(&times);
                assert_eq!(
                    counted,
                    evaluate(metric, &drawn).ok(),
                    "{metric:?} {times:?}"
                );
            }
        }
    }
}
