//! Reliability curves: how often answers are right that are given with so much confidence.

use std::path::{Path, PathBuf};

use serde_json::Value;
use vlpt_tables::{Column, Columns};

use crate::Result;

/// The reliability curve of one result.
#[derive(Debug, Clone, PartialEq)]
pub struct Reliability {
    /// The task, as the plan calls it.
    pub task: String,
    /// The method, as tables call it.
    pub method: String,
    /// Images of each class.
    pub shots: usize,
    /// The seed.
    pub seed: u64,
    /// What logits are divided by; none: the probabilities as they are.
    pub temperature: Option<f64>,
    /// The bins that have images.
    pub bins: Vec<ReliabilityPoint>,
}

/// No bin is narrower.
const NARROWEST: f64 = 1e-4;

/// Images whose most probable class has a probability above `low` and at most `high`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ReliabilityPoint {
    /// Lower edge.
    pub low: f64,
    /// Upper edge.
    pub high: f64,
    /// Number of images, at least 1.
    pub images: u64,
    /// Mean probability of the most probable class.
    pub confidence: f64,
    /// Share of images whose most probable class is right.
    pub accuracy: f64,
}

impl Reliability {
    /// The curves that a job kept of a task: as the probabilities are, and scaled where they were.
    pub(crate) fn of(
        kept: &Value,
        (task, method, shots, seed): (&str, String, usize, u64),
    ) -> Vec<Self> {
        let curve = |key: &str, temperature: Option<f64>| {
            let bins: Vec<ReliabilityPoint> =
                kept[key].as_array()?.iter().filter_map(point).collect();
            (!bins.is_empty()).then(|| Self {
                task: task.to_owned(),
                method: method.clone(),
                shots,
                seed,
                temperature,
                bins,
            })
        };
        let plain = curve("bins", None);
        let temperature = kept["temperature"].as_f64();
        let scaled = temperature.and_then(|found| curve("scaled_bins", Some(found)));
        plain.into_iter().chain(scaled).collect()
    }
}

fn point(bin: &Value) -> Option<ReliabilityPoint> {
    let (low, high) = (bin[0].as_f64()?, bin[1].as_f64()?);
    // A result that was changed by hand has no bins narrower than these, and none beside the shares.
    let sound = low >= 0.0 && high <= 1.0 + 1e-9 && high - low >= NARROWEST;
    sound.then_some(())?;
    Some(ReliabilityPoint {
        low,
        high,
        images: bin[2].as_u64()?,
        confidence: bin[3].as_f64()?,
        accuracy: bin[4].as_f64()?,
    })
}

/// Writes `reliability`, as CSV and where it is built in as Parquet: a row for each bin with images of each curve.
/// Shares are from 0 to 1; `temperature` is empty for probabilities as they are.
pub(crate) fn write(dir: &Path, curves: &[Reliability]) -> Result<Vec<PathBuf>> {
    let rows = || {
        curves
            .iter()
            .flat_map(|curve| curve.bins.iter().map(move |bin| (curve, bin)))
    };
    let number =
        |of: fn(&ReliabilityPoint) -> f64| Column::number(rows().map(|(_, bin)| Some(of(bin))));
    Ok(Columns::new(vec![
        (
            "task",
            Column::text(rows().map(|(curve, _)| curve.task.as_str())),
        ),
        (
            "method",
            Column::text(rows().map(|(curve, _)| curve.method.as_str())),
        ),
        (
            "shots",
            Column::whole(rows().map(|(curve, _)| curve.shots as i64)),
        ),
        (
            "seed",
            Column::whole(rows().map(|(curve, _)| curve.seed as i64)),
        ),
        (
            "temperature",
            Column::number(rows().map(|(curve, _)| curve.temperature)),
        ),
        ("low", number(|bin| bin.low)),
        ("high", number(|bin| bin.high)),
        (
            "images",
            Column::whole(rows().map(|(_, bin)| bin.images as i64)),
        ),
        ("confidence", number(|bin| bin.confidence)),
        ("accuracy", number(|bin| bin.accuracy)),
    ])
    .write(dir, "reliability")?)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_kept_curve_is_read_as_it_is_and_scaled_and_written_as_rows() {
        let kept = json!({
            "bins": [[0.4, 0.6, 3, 0.5, 1.0]],
            "temperature": 2.0,
            "scaled_bins": [[0.2, 0.4, 3, 0.3, 1.0]],
        });
        let curves = Reliability::of(&kept, ("a", "m, own".to_owned(), 4, 1));
        assert_eq!(curves.len(), 2);
        assert_eq!(curves[1].temperature, Some(2.0));
        for bad in [
            json!([0.5, 0.5, 3, 0.5, 1.0]),
            json!([0.6, 0.4, 3, 0.5, 1.0]),
            json!([0.0, 9.0, 3, 0.5, 1.0]),
        ] {
            assert_eq!(point(&bad), None, "{bad}");
        }
        let none = json!({ "bins": null, "temperature": null, "scaled_bins": null });
        assert!(Reliability::of(&none, ("a", "m".to_owned(), 4, 1)).is_empty());
        let dir = tempfile::tempdir().unwrap();
        let text = fs_err::read_to_string(&write(dir.path(), &curves).unwrap()[0]).unwrap();
        let rows: Vec<&str> = text.lines().collect();
        assert_eq!(rows[1], "a,\"m, own\",4,1,,0.4,0.6,3,0.5,1");
        assert_eq!(rows[2], "a,\"m, own\",4,1,2,0.2,0.4,3,0.3,1");
    }
}
