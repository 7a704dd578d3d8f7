//! The whole way from photos to a run folder.

use std::time::Duration;

use vlpt_clip::Clip;
use vlpt_data::{Metric, Task};
use vlpt_train::{ClassWeights, FewShotConfig, RunConfig, TrainingData, WeightRule};

use crate::Result;
use crate::account::{fallen, record};
use crate::budget::{Budget, spoken};
use crate::candidates::candidates;
use crate::clock::Clock;
use crate::copies::groups;
use crate::folds::Folds;
use crate::held_out::{enough, imbalance, weights};
use crate::options::{TuneObserver, TuneOptions, Tuned};
use crate::photos::Photos;
use crate::work::Work;

/// Makes a classifier of the training images of a task, and writes its folder: whole, or not at all.
///
/// # Errors
/// Photos of several classes or of fewer than two, options that make no sense, a folder that is taken or
/// cannot be written, or [`TuneError::Stopped`].
pub fn tune(
    clip: &Clip,
    task: &Task,
    options: &TuneOptions,
    clock: &dyn Clock,
    observer: &dyn TuneObserver,
) -> Result<Tuned> {
    options.check()?;
    let budget = Budget::new(clock, Duration::from_secs_f64(60.0 * options.minutes));
    let mut base = RunConfig {
        model: options.model.clone(),
        seed: options.seed,
        data: options.data.clone(),
        few_shot: FewShotConfig {
            shots: options.shots,
            ..FewShotConfig::default()
        },
        image: options.image.clone(),
        ..RunConfig::default()
    };
    base.compute.precision = clip.precision.into();
    base.check()?;
    let data = TrainingData::of_tasks(std::slice::from_ref(task), &base)?;
    let mut notes = Vec::new();
    let imbalance = imbalance(&data);
    if let Some((least, most)) = imbalance {
        notes.push(format!(
            "The classes are imbalanced, {least} to {most} photos: all count alike here, whatever their number of photos, and \
             methods that can weigh classes weigh them."
        ));
        base.train.class_weights = ClassWeights::Rule(WeightRule::Balanced);
    }
    let per_class = imbalance.is_some() || task.metric == Metric::MeanPerClass;
    let photos = Photos::open(clip, &data, &base, options.cache.clone(), observer)?;
    let looked = budget.spent();
    if budget.left().is_zero() {
        notes.push(format!(
            "To look at the photos once took {}, more than the time given: only class names alone were tried. Their features are \
             kept, so the same command has the time for more.",
            spoken(looked)
        ));
    }
    let all = candidates(&base, &options.methods)?;
    let alike = groups(&photos.hashes, &photos.labels, &photos.unit()?);
    let folds = Folds::new(&photos.labels, &alike, photos.classes(), options.seed);
    let held = enough(&photos, &folds);
    let scratch = tempfile::tempdir()?;
    observer.searching();
    let work = Work {
        photos: &photos,
        all: &all,
        folds: &folds,
        held: &held,
        weights: &weights(&photos, &held, per_class),
        budget,
        scratch: scratch.path(),
        options,
        looked,
        observer,
    };
    let verdict = if held.is_empty() {
        notes.push(
            "There are too few photos to hold some out, so nothing was chosen by them: with two or more photos of each \
             class, and ten or more in all, candidates are compared and the result is estimated."
                .to_owned(),
        );
        work.without_choice()?
    } else {
        let copies = folds.copies();
        if copies > 0 {
            notes.push(format!(
                "{copies} of {} photos are copies of others of their class: they are learned from, and a photo with its copies \
                 counts once in the estimate.",
                photos.len()
            ));
        }
        let never = photos.len() - held.len() - copies;
        if never > 0 {
            notes.push(format!(
                "{never} photos are the only ones of their class (or its only ones that are no copies): they are learned \
                 from, and play no part in the estimate."
            ));
        }
        work.with_choice()?
    };
    if !task.provenance.left_out.is_empty() {
        let names: Vec<&str> = task
            .provenance
            .left_out
            .iter()
            .map(|image| &*image.id)
            .collect();
        notes.push(format!(
            "{} cannot be decoded and were left out: {}.",
            names.len(),
            vlpt_base::list::cut(
                &names.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>(),
                ", "
            )
        ));
    }
    let record = record(&work, &verdict, &alike, per_class, task);
    notes.extend(fallen(&record));
    work.write(&verdict, record, notes)
}
