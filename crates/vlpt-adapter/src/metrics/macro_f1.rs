//! Macro F1.

use super::{Confusion, Scored};
use crate::Result;

/// Mean over the classes that are shown or predicted of the harmonic mean of precision and recall,
/// `2 tp / (2 tp + fp + fn)`, from 0 to 1; the class with the largest score (the first of equal ones) is
/// the prediction. Equal to scikit-learn's `f1_score(average="macro")`.
///
/// # Errors
/// [`crate::AdapterError::Incompatible`] when an image has no class or several.
pub fn macro_f1(scored: &Scored) -> Result<f64> {
    let confusion = Confusion::new(scored)?;
    let classes = scored.classes();
    let (mut sum, mut counted) = (0.0, 0_u64);
    for class in 0..classes {
        let row = confusion.row(class);
        let shown: u64 = row.iter().sum();
        let predicted: u64 = (0..classes).map(|truth| confusion.row(truth)[class]).sum();
        if shown + predicted > 0 {
            // 2 tp + fp + fn is what is shown and what is predicted together
            sum += 2.0 * row[class] as f64 / (shown + predicted) as f64;
            counted += 1;
        }
    }
    Ok(sum / counted.max(1) as f64)
}
