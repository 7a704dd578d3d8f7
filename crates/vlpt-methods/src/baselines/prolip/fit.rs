//! ProLIP's fit: what the steps are given, and what is measured after them.

use serde_json::json;
use vlpt_clip::Observer;

use super::{ProLipConfig, ProjectionObjective};
use crate::head::{FittedHead, Head, HeadInputs};
use crate::{MethodConfig, MethodError, Result};

/// Tunes the projection and measures it.
pub(super) fn fit(
    method: &MethodConfig,
    inputs: &HeadInputs,
    observer: &dyn Observer,
) -> Result<FittedHead> {
    inputs.check(method)?;
    method.check()?;
    let config: &ProLipConfig = method.options();
    let rows = inputs
        .unprojected
        .ok_or_else(|| MethodError::Incompatible {
            what: format!("{method} works on what the image tower's projection is applied to"),
            hint: None,
        })?;
    let (templates, text) = inputs.text(config.templates)?;
    let vision = &inputs.clip.vision;
    let origin = vision.projection();
    let shown = inputs.train.labels.iter().filter(|own| !own.is_empty());
    let objective = ProjectionObjective {
        text: &text,
        origin: &origin,
        embed: inputs.embed(),
        scale: inputs.clip.logit_scale,
        lambda: config.lambda.of(shown.count(), inputs.classes.len()),
    };
    observer.start("tuning the projection", config.epochs as u64);
    let tuned = objective.tune(&rows, inputs.train.labels, config, observer);
    observer.finish();
    let (projection, epochs) = tuned?;

    let judge = |_: &[f32]| inputs.cosines(&text, &vision.project(rows.val, Some(&projection)));
    let val = inputs.val_metric(judge, observer)?;
    let mut metrics = json!({
        "templates": templates.len(),
        "views": rows.train.count(),
        "lambda": objective.lambda,
        "relative_change": relative_change(&projection, &origin),
    });
    if let Some(last) = epochs.last() {
        metrics["train_loss"] = json!(last.loss);
        metrics["train_accuracy"] = json!(last.train_accuracy);
    }
    Ok(FittedHead {
        parameters: projection.len(),
        head: Head::Projected { text, projection },
        templates: Some(templates),
        val,
        epochs,
        metrics,
        settled: None,
    })
}

/// `|W - W0| / |W0|`.
fn relative_change(projection: &[f32], origin: &[f32]) -> f64 {
    let square = |value: f32| f64::from(value) * f64::from(value);
    let apart = projection.iter().zip(origin).map(|(a, b)| square(a - b));
    let all: f64 = origin.iter().map(|&value| square(value)).sum();
    (apart.sum::<f64>() / all).sqrt()
}
