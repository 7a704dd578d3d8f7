//! The model card: `README.md` of the prompt folder, with the front matter that hubs read.

use std::fmt::Write as _;

use serde_json::{Value, json};
use vlpt_report::percent;

use crate::record::Record;

/// So many classes are named.
const SHOWN: usize = 50;

/// The card of a result.
pub(crate) fn card(record: &Record, task: &str) -> String {
    let mut card = format!("---\n{}---\n\n# {}\n\n", front(record, task), title(task));
    let classes = record.classes.len();
    let photos = record.photos.len();
    let _ = write!(
        card,
        "Tells {classes} classes of photos apart: a classifier for the frozen model `{}`, made of {photos} photos by `vlpt tune`. \
         The model itself is not in this folder.\n\n{}\n\n",
        record.model, record.why
    );
    card += "## How good it is\n\n";
    card += &match &record.estimate {
        Some(e) => format!(
            "Expected {}: **{}** on new photos like these, {:.0} % interval {} to {}. {} photos were judged, each by a \
             classifier that had not seen it; the estimate is corrected for the choice among {} candidates.\n\n",
            words(&record.metric),
            percent(e.value),
            100.0 * e.confidence,
            percent(e.low),
            percent(e.high),
            e.photos,
            record
                .tried
                .iter()
                .filter(|tried| tried.share.is_some())
                .count(),
        ),
        None => "Not measured: there were too few photos to hold some out.\n\n".to_owned(),
    };
    if let Some(calibration) = &record.calibration {
        card += &match calibration.threshold {
            Some(threshold) => format!(
                "Probabilities are calibrated on held-out photos. Below {threshold:.3} the answer is none of these: that \
                 rejects about {} of photos of the classes.\n\n",
                percent(calibration.reject_rate)
            ),
            None => "Probabilities are calibrated on held-out photos; these were too few for a threshold of \"none of \
                     these\".\n\n"
                .to_owned(),
        };
    }
    card += "## Limits\n\n\
             The estimate is for photos like those it was made of: another camera, light or place can be harder. It knows \
             its own classes alone.\n\n## Use\n\n```sh\nvlpt predict FOLDER photo.jpg\n```\n\n## Made of\n\n| class | photos |\n|---|---:|\n";
    for class in record.classes.iter().take(SHOWN) {
        let _ = writeln!(card, "| {} | {} |", cell(&class.name), class.photos);
    }
    if let Some(more @ 1..) = classes.checked_sub(SHOWN) {
        let _ = writeln!(card, "| and {more} more | |");
    }
    card
}

fn title(task: &str) -> String {
    format!("A classifier for {}", task.replace(['\n', '\r'], " "))
}

/// A name in a cell of a table.
fn cell(name: &str) -> String {
    name.replace('|', "\\|").replace(['\n', '\r'], " ")
}

/// A metric in words.
pub(crate) fn words(metric: &str) -> &'static str {
    if metric == "accuracy" {
        "accuracy"
    } else {
        "mean accuracy over the classes"
    }
}

/// YAML; every text is written as JSON, which is YAML too.
fn front(record: &Record, task: &str) -> String {
    let text = |value: &str| Value::from(value).to_string();
    let mut front = format!(
        "library_name: vlpt\npipeline_tag: image-classification\nbase_model: {}\nbase_model_relation: adapter\ntags:\n- clip\n- few-shot\n- {}\n",
        text(&record.model),
        text(&record.chosen),
    );
    if let Some(estimate) = &record.estimate {
        let index = json!([{
            "name": title(task),
            "results": [{
                "task": {"type": "image-classification"},
                "dataset": {"name": task, "type": "imagefolder", "split": "train"},
                "metrics": [{
                    "type": "accuracy",
                    "name": format!("{}, cross-validated", words(&record.metric)),
                    "value": estimate.value,
                }],
            }],
        }]);
        let _ = writeln!(front, "model-index: {index}");
    }
    front
}
