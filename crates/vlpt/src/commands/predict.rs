//! `vlpt predict`: classes with probabilities for images.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::Args;
use serde::Serialize;
use vlpt_adapter::{PredictOptions, Predictor};

use crate::console::{Console, Unit};
use crate::error::CliError;
use crate::options::{BaseModelArgs, ImageArgs, Input};
use crate::watch::Watch;

/// Images decoded and encoded at a time.
const BATCH: usize = 32;

/// Flags of `vlpt predict`.
#[derive(Debug, Args)]
pub(crate) struct PredictArgs {
    /// A prompt folder, or a run folder that holds one
    #[arg(value_name = "PROMPT")]
    prompt: PathBuf,
    #[command(flatten)]
    images: ImageArgs,
    #[command(flatten)]
    base: BaseModelArgs,
    /// How many classes to print for each image
    #[arg(long, short = 'k', value_name = "K", default_value = "3")]
    top: NonZeroUsize,
    /// Tell these classes apart instead, separated by commas
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    classes: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Row {
    image: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    classes: Vec<Scored>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

#[derive(Debug, Serialize)]
struct Scored {
    class: String,
    probability: f32,
}

/// Classifies each image; a bad one is reported and the others go on.
pub(crate) fn run(args: &PredictArgs, console: &Console) -> Result<(), CliError> {
    let inputs = args.images.inputs()?;
    let options = PredictOptions {
        model: args.base.model.clone(),
        classes: (!args.classes.is_empty()).then(|| args.classes.clone()),
        precision: args.base.precision.setting(),
        force: args.base.force,
    };
    let predictor = Predictor::open(&args.prompt, &options, &Watch::new(console))?;
    let bar = console.bar(Unit::Items);
    bar.begin("classifying", inputs.len() as u64);
    let mut rows = Vec::with_capacity(inputs.len());
    for batch in inputs.chunks(BATCH) {
        rows.extend(classify(batch, &predictor, args.top.get())?);
        bar.advance_by(batch.len() as u64);
    }
    bar.end();
    console.result(&rows, || {
        rows.iter().filter_map(text).collect::<Vec<_>>().join("\n")
    })?;
    if !console.is_json() {
        for row in &rows {
            if let Some(error) = &row.error {
                console.complain(&format!("error: {error}"));
            }
        }
    }
    match rows.iter().filter(|r| r.error.is_some()).count() {
        0 => Ok(()),
        n => Err(CliError::failure(format!(
            "{n} of {} images could not be classified",
            rows.len()
        ))),
    }
}

fn classify(batch: &[Input], predictor: &Predictor, top: usize) -> Result<Vec<Row>, CliError> {
    let read: Vec<Result<(String, Vec<u8>), CliError>> =
        batch.iter().map(Input::named_bytes).collect();
    let good: Vec<(String, Vec<u8>)> = read
        .iter()
        .filter_map(|r| r.as_ref().ok().cloned())
        .collect();
    let mut predicted = predictor.predict(&good)?.into_iter();
    let rows = batch.iter().zip(&read).map(|(input, read)| {
        let result = match read {
            Err(error) => Err(error.to_string()),
            Ok(_) => match predicted.next() {
                Some(Ok(probabilities)) => Ok(probabilities),
                Some(Err(error)) => Err(error.to_string()),
                None => Err("no result".to_owned()),
            },
        };
        let (classes, error) = match result {
            Ok(probabilities) => (best(predictor.classes(), &probabilities, top), None),
            Err(error) => (Vec::new(), Some(error)),
        };
        Row {
            image: input.label(),
            classes,
            error,
        }
    });
    Ok(rows.collect())
}

/// The `top` most probable classes; the first of equals first.
fn best(classes: &[String], probabilities: &[f32], top: usize) -> Vec<Scored> {
    let mut order: Vec<usize> = (0..probabilities.len()).collect();
    order.sort_by(|&a, &b| probabilities[b].total_cmp(&probabilities[a]));
    let scored = order.into_iter().take(top);
    scored
        .map(|i| Scored {
            class: classes[i].clone(),
            probability: probabilities[i],
        })
        .collect()
}

fn text(row: &Row) -> Option<String> {
    if row.classes.is_empty() {
        return None;
    }
    let scored: Vec<String> = row
        .classes
        .iter()
        .map(|s| format!("{} {:.1} %", s.class, 100.0 * s.probability))
        .collect();
    Some(format!("{}\t{}", row.image, scored.join("\t")))
}
