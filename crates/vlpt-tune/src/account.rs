//! The record of a search: what it says of itself, and beside the one before.

use vlpt_data::Task;

use crate::boundary::nearest;
use crate::copies::copies;
use crate::labels::suspects;
use crate::record::{
    ClassCount, CopyGroup, NearPhoto, PhotoEntry, RECORD_FORMAT, Record, SuspectPhoto,
};
use crate::work::{Verdict, Work};

/// Share of held-out photos that have to be right before labels are doubted.
const SURE: f64 = 0.7;
/// Photos near the boundary that are named.
const NEAREST: usize = 12;

/// All that is known of a search, but how long it took.
pub(crate) fn record(
    work: &Work,
    verdict: &Verdict,
    alike: &[usize],
    per_class: bool,
    task: &Task,
) -> Record {
    let (photos, options) = (work.photos, work.options);
    let classes = &photos.data.task.classes;
    let name = |label: usize| classes[label].clone();
    let held = |place: usize| work.held[place];
    let labels: Vec<usize> = work.held.iter().map(|&p| photos.labels[p]).collect();
    let (rows, count) = (&verdict.probabilities, classes.len());
    // A classifier that is often wrong doubts labels for its own mistakes.
    let knows = verdict.estimate.is_some_and(|e| e.uncorrected >= SURE);
    let doubted = if knows {
        suspects(rows, count, &labels)
    } else {
        Vec::new()
    };
    let near = nearest(rows, count, NEAREST);
    let mut confusion = Vec::new();
    if !rows.is_empty() {
        confusion = vec![vec![0; count]; count];
        for (_, truth, seen) in work.answers(verdict) {
            confusion[truth][seen] += 1;
        }
    }
    Record {
        format: RECORD_FORMAT,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        model: options.model.clone(),
        model_fingerprint: photos.clip.fingerprint.clone(),
        data: options.data.clone(),
        seed: options.seed,
        minutes: options.minutes,
        methods: options.methods.clone(),
        shots: options.shots,
        seconds: 0.0,
        seconds_looking: work.looked.as_secs_f64(),
        tried: verdict.tried.clone(),
        chosen: verdict.chosen.name().to_owned(),
        why: verdict.why.clone(),
        names_are_as_good: verdict.names_are_as_good,
        names_alone: verdict.names_alone,
        metric: if per_class {
            "mean_per_class"
        } else {
            "accuracy"
        }
        .to_owned(),
        estimate: verdict.estimate,
        calibration: verdict.calibration,
        curve: verdict.curve.clone(),
        classes: classes
            .iter()
            .zip(photos.counts())
            .map(|(name, photos)| ClassCount {
                name: name.clone(),
                photos,
            })
            .collect(),
        confusion,
        suspects: doubted
            .into_iter()
            .map(|suspect| SuspectPhoto {
                photo: photos.name(held(suspect.photo)),
                labelled: name(labels[suspect.photo]),
                seems: name(suspect.seems),
                own: suspect.own,
            })
            .collect(),
        copies: copies(alike, &photos.hashes)
            .into_iter()
            .map(|group| CopyGroup {
                equal: group.equal,
                classes: group
                    .photos
                    .iter()
                    .map(|&p| name(photos.labels[p]))
                    .collect(),
                photos: group.photos.iter().map(|&p| photos.name(p)).collect(),
            })
            .collect(),
        boundary: near
            .into_iter()
            .map(|near| NearPhoto {
                photo: photos.name(held(near.photo)),
                labelled: name(labels[near.photo]),
                between: near.classes.map(name),
                margin: near.margin,
            })
            .collect(),
        left_out: task.provenance.left_out.clone(),
        photos: (0..photos.len())
            .map(|photo| PhotoEntry {
                photo: photos.name(photo),
                class: name(photos.labels[photo]),
                sha256: photos.hashes[photo].clone(),
                fold: work.folds.of[photo].filter(|_| !work.held.is_empty()),
            })
            .collect(),
        before: options.before.clone(),
    }
}

/// That a result with added photos is expected to be worse than the one before.
pub(crate) fn fallen(record: &Record) -> Option<String> {
    let earlier = record.before.as_ref()?;
    let (before, now) = (earlier.estimate?, record.estimate?);
    let new = record.classes.len().saturating_sub(earlier.classes);
    let why = match (earlier.classes, new) {
        (1.., 1..) => "more classes are harder to tell apart",
        _ if before.value <= now.high => "no more than chance makes with so few photos",
        _ => "the new photos may be harder, or labelled wrong",
    };
    (now.value < before.value).then(|| {
        format!(
            "With the added photos {} is expected, less than the {} before: {why}. The earlier result is still there.",
            vlpt_report::percent(now.value),
            vlpt_report::percent(before.value)
        )
    })
}
