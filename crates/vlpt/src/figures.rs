//! What reports show of a run: its curve, its confusions, some of its images.

use std::path::Path;

use vlpt_adapter::Evaluation;
use vlpt_data::image::{DecodeOptions, no_longer_than};
use vlpt_data::{Sample, Split};
use vlpt_report::{
    Confusion, Curve, CurvePoint, Example, Fact, KeyNumber, Picture, RunReport, percent,
};
use vlpt_train::{Event, RunConfig, TaskEntry, read_events, read_resolved};

use crate::error::CliError;
use crate::verdict;

/// Images of each kind, right and wrong, in a report.
const EXAMPLES: usize = 4;
/// The longest side of an example image, in pixels.
const THUMBNAIL: u32 = 224;

/// Loss and accuracy by epoch, from the events of a run folder.
pub(crate) fn learning_curve(run: &Path, selected: usize) -> Result<Curve, CliError> {
    let points = read_events(&run.join("events.jsonl"))?
        .into_iter()
        .filter_map(|event| match event {
            Event::Epoch(e) => Some(CurvePoint {
                epoch: e.epoch,
                loss: e.loss,
                train: Some(e.train_accuracy),
                val: e.val,
            }),
            _ => None,
        })
        .collect();
    Ok(Curve {
        points,
        selected: Some(selected),
    })
}

/// True and most probable class of each test image; of equal ones the first.
fn verdicts<'a>(
    classes: usize,
    split: &'a Split,
    probabilities: &'a [f32],
) -> impl Iterator<Item = (usize, usize)> + 'a {
    split
        .samples
        .iter()
        .zip(probabilities.chunks_exact(classes))
        .map(|(item, row)| {
            let truth = item.labels.first().map_or(0, |&label| label as usize);
            let best = (1..row.len()).fold(0, |best, i| if row[i] > row[best] { i } else { best });
            (truth, best)
        })
}

/// Images by true and most probable class.
pub(crate) fn confusion(classes: &[String], split: &Split, probabilities: &[f32]) -> Confusion {
    Confusion::from_pairs(classes, verdicts(classes.len(), split, probabilities))
}

/// The first few right and wrong images, as far as possible of different classes.
pub(crate) fn examples(
    classes: &[String],
    split: &Split,
    probabilities: &[f32],
    decoding: &DecodeOptions,
) -> Result<Vec<Example>, CliError> {
    let all: Vec<_> = verdicts(classes.len(), split, probabilities).collect();
    let mut chosen = Vec::new();
    for right in [true, false] {
        let mut indices: Vec<usize> = (0..all.len())
            .filter(|&i| (all[i].0 == all[i].1) == right)
            .collect();
        // the first image of each class before the second of any
        let mut seen = vec![0_usize; classes.len()];
        indices.sort_by_cached_key(|&i| {
            seen[all[i].0] += 1;
            (seen[all[i].0], i)
        });
        chosen.extend(indices.into_iter().take(EXAMPLES));
    }
    chosen
        .into_iter()
        .map(|i| {
            example(
                classes,
                &split.samples[i],
                all[i].0,
                &probabilities[i * classes.len()..(i + 1) * classes.len()],
                decoding,
            )
        })
        .collect()
}

fn example(
    classes: &[String],
    item: &Sample,
    truth: usize,
    row: &[f32],
    decoding: &DecodeOptions,
) -> Result<Example, CliError> {
    let image = item.load_then(decoding, |image| no_longer_than(THUMBNAIL, image))?;
    let mut order: Vec<usize> = (0..row.len()).collect();
    order.sort_by(|&a, &b| row[b].total_cmp(&row[a]).then(a.cmp(&b)));
    Ok(Example {
        picture: Picture {
            width: image.width,
            height: image.height,
            rgb: image.data,
        },
        truth: classes[truth].clone(),
        predictions: order
            .into_iter()
            .take(3)
            .map(|class| (classes[class].clone(), f64::from(row[class])))
            .collect(),
    })
}

/// The report of a run folder; of an evaluation too, where one was made.
pub(crate) fn run_report(
    run: &Path,
    selected: usize,
    judged: Option<(&Evaluation, &Split, &DecodeOptions)>,
) -> Result<RunReport, CliError> {
    let config = read_resolved(&run.join("config.toml"))?;
    let mut report = RunReport {
        title: format!("{}: {}", data_sets(&config).join(", "), config.method),
        summary: format!(
            "A frozen CLIP looks at the images. {}, from a few of them.",
            config.method.spec().report.done
        ),
        curve: learning_curve(run, selected)?,
        facts: facts(&config, run, selected)?,
        // No folder by name: the page has the same bytes wherever the run lies.
        commands: vec!["vlpt train --config THIS_FOLDER/config.toml --out NEW_FOLDER".to_owned()],
        ..RunReport::default()
    };
    if let Some(last) = report.curve.points.last() {
        let detail = format!("mean over epoch {}", last.epoch);
        report.key_numbers.push(number(
            "Loss on training images",
            format!("{:.3}", last.loss),
            detail,
        ));
    }
    if let Some((result, split, decoding)) = judged {
        let detail = format!(
            "{} images of the {} split, {:.0} % interval {} to {}",
            result.images,
            result.split.name(),
            100.0 * result.confidence,
            percent(result.low),
            percent(result.high)
        );
        report.key_numbers.insert(
            0,
            number(result.metric.name(), percent(result.value), detail),
        );
        report.facts.push(Fact {
            name: "Choices".to_owned(),
            value: verdict::choices(result),
        });
        if let Some(at) = &result.threshold {
            let detail = format!(
                "of the {} images answered at a probability of {} or more, {} of all",
                at.answered,
                at.threshold,
                percent(at.coverage)
            );
            let share = percent(at.accuracy.unwrap_or(f64::NAN));
            report
                .key_numbers
                .insert(1, number("accuracy of answers", share, detail));
        }
        if !result.confusion.is_empty() {
            report.confusion = confusion(&result.classes, split, &result.probabilities);
            report.examples = examples(&result.classes, split, &result.probabilities, decoding)?;
        }
        for path in data_sets(&config) {
            let command = format!("vlpt eval RUN_FOLDER {path}");
            report.commands.push(command);
        }
    }
    Ok(report)
}

/// The paths of the data sets that a run learned from.
fn data_sets(config: &RunConfig) -> Vec<&str> {
    if config.tasks.is_empty() {
        return vec![&config.data.path];
    }
    config.tasks.iter().map(TaskEntry::path).collect()
}

fn number(label: &str, value: String, detail: String) -> KeyNumber {
    KeyNumber {
        label: label.to_owned(),
        value,
        detail,
    }
}

fn facts(config: &RunConfig, run: &Path, selected: usize) -> Result<Vec<Fact>, CliError> {
    let fact = |name: &str, value: String| Fact {
        name: name.to_owned(),
        value,
    };
    let mut facts = vec![fact("Model", config.model.clone())];
    for event in read_events(&run.join("events.jsonl"))? {
        if let Event::Start(start) = event {
            facts.push(fact(
                "Task",
                format!("{}, {} classes", start.task, start.classes),
            ));
            facts.push(fact("Training images", start.train_images.to_string()));
            facts.push(fact(
                "Method",
                format!("{}, {} learned numbers", start.method, start.parameters),
            ));
        }
    }
    facts.push(fact("Shots", config.few_shot.shots.to_string()));
    facts.push(fact("Seed", config.seed.to_string()));
    if selected > 0 {
        facts.push(fact("Kept", format!("the prompt of epoch {selected}")));
    }
    Ok(facts)
}
