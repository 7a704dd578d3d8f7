//! The whole way from photos to a run folder.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Map, json};
use vlpt_adapter::{
    Annotations, Calibration, Classifier, ImageConfig, PromptFolder, annotate_prompt,
};
use vlpt_base::files::{make_folder, write_atomic};
use vlpt_clip::Clip;
use vlpt_data::{Metric, Shots, Task};
use vlpt_train::{
    ClassWeights, DataConfig, FewShotConfig, Run, RunConfig, RunOptions, TrainError, TrainObserver,
    TrainingData, WeightRule,
};

use crate::bbc::{Answers, estimate};
use crate::boundary::nearest;
use crate::budget::{Budget, spoken};
use crate::calibrate::{probabilities, temperature, threshold};
use crate::candidates::{Candidate, Cost, candidates, without_choice};
use crate::card::card;
use crate::choice::choose;
use crate::clock::Clock;
use crate::copies::{copies, groups};
use crate::folds::Folds;
use crate::labels::suspects;
use crate::learning::{Curve, LearningCurve};
use crate::page::Page;
use crate::photos::Photos;
use crate::record::{
    Before, ClassCount, CopyGroup, Expected, NearPhoto, PhotoEntry, RECORD, RECORD_FORMAT, Record,
    SuspectPhoto,
};
use crate::search::{Found, Search, Tried};
use crate::sentence::Reasons;
use crate::{Result, TuneError};

/// Resamples behind the estimate.
const RESAMPLES: usize = 1000;
/// How often its interval holds the truth.
const CONFIDENCE: f64 = 0.95;
/// Fewer held-out photos cannot choose.
const FEWEST_HELD: usize = 10;
/// Classes are imbalanced when the largest has so many times the photos of the smallest.
const IMBALANCED: usize = 3;
/// Photos near the boundary that are named.
const NEAREST: usize = 12;

/// What is wanted.
#[derive(Debug, Clone)]
pub struct TuneOptions {
    /// Name of the model, to be written down.
    pub model: String,
    /// The photos and how they were read, to be written down.
    pub data: DataConfig,
    /// Photos of each class to use; all, or so many drawn as [`vlpt_data::FewShotRule::Coop`] says.
    pub shots: Shots,
    /// Seed of folds, draws and fits.
    pub seed: u64,
    /// Minutes that it may take.
    pub minutes: f64,
    /// Methods to try; empty: all that fit the time.
    pub methods: Vec<String>,
    /// Share of photos of the classes that the threshold may reject, above 0 and below 1.
    pub reject_rate: f64,
    /// Changes to the model's preprocessing.
    pub image: ImageConfig,
    /// Where features are kept.
    pub cache: Option<PathBuf>,
    /// The folder to write.
    pub out: PathBuf,
    /// The result that photos are added to.
    pub before: Option<Before>,
}

/// Watches what [`tune`] does.
pub trait TuneObserver: TrainObserver {
    /// Features are there, the search begins: from here on it ends soon when it is asked to.
    fn searching(&self) {}

    /// A candidate was judged or left out.
    fn tried(&self, tried: &Tried) {
        let _ = tried;
    }
}

impl TuneObserver for () {}

/// What came of it.
#[derive(Debug, Clone)]
pub struct Tuned {
    /// The folder.
    pub dir: PathBuf,
    /// What it says of itself.
    pub record: Record,
    /// What the reader should know first.
    pub notes: Vec<String>,
}

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
    check(options)?;
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
        let never = photos.len() - held.len();
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

fn check(options: &TuneOptions) -> Result<()> {
    if !(options.minutes.is_finite() && options.minutes > 0.0) {
        return Err(TuneError::Option {
            option: "--minutes",
            found: options.minutes.to_string(),
            expected: "a number above 0",
        });
    }
    if !(options.reject_rate > 0.0 && options.reject_rate < 1.0) {
        return Err(TuneError::Option {
            option: "--reject-rate",
            found: options.reject_rate.to_string(),
            expected: "a share above 0 and below 1, such as 0.05",
        });
    }
    if options.out.exists() {
        return Err(TuneError::Taken {
            dir: options.out.clone(),
        });
    }
    Ok(())
}

/// The fewest and most photos of a class, where they are far apart.
fn imbalance(data: &TrainingData) -> Option<(usize, usize)> {
    let counts = data.train.class_counts(data.task.classes.len());
    let with = || counts.iter().copied().filter(|&count| count > 0);
    let (least, most) = (with().min()?, with().max()?);
    (most >= IMBALANCED * least).then_some((least, most))
}

/// The held-out photos, or none where they are too few to choose by: fewer than ten, or of fewer than half
/// of the classes.
fn enough(photos: &Photos, folds: &Folds) -> Vec<usize> {
    let held = folds.held();
    let mut judged = vec![false; photos.classes()];
    for &photo in &held {
        judged[photos.labels[photo]] = true;
    }
    let with = photos.counts().iter().filter(|&&count| count > 0).count();
    let of = judged.iter().filter(|&&judged| judged).count();
    if held.len() < FEWEST_HELD || 2 * of < with {
        return Vec::new();
    }
    held
}

/// What each held-out photo counts: 1, or the same for each class.
fn weights(photos: &Photos, held: &[usize], per_class: bool) -> Vec<f64> {
    if !per_class {
        return vec![1.0; held.len()];
    }
    let mut counts = vec![0_usize; photos.classes()];
    for &photo in held {
        counts[photos.labels[photo]] += 1;
    }
    held.iter()
        .map(|&photo| 1.0 / counts[photos.labels[photo]] as f64)
        .collect()
}

struct Work<'a> {
    photos: &'a Photos<'a>,
    all: &'a [Candidate],
    folds: &'a Folds,
    /// Held-out photos; none where nothing can be held out.
    held: &'a [usize],
    weights: &'a [f64],
    budget: Budget<'a>,
    scratch: &'a Path,
    options: &'a TuneOptions,
    /// When the features of the photos were there.
    looked: Duration,
    observer: &'a dyn TuneObserver,
}

/// What the held-out photos said.
struct Verdict {
    tried: Vec<Tried>,
    chosen: Candidate,
    why: String,
    names_are_as_good: Option<bool>,
    names_alone: Option<f64>,
    estimate: Option<Expected>,
    calibration: Option<Calibration>,
    /// Calibrated probabilities of the held-out photos, photos x classes.
    probabilities: Vec<f32>,
    curve: Option<LearningCurve>,
}

impl Work<'_> {
    fn search(&self) -> Search<'_> {
        Search {
            photos: self.photos,
            folds: self.folds,
            weights: self.weights,
            budget: self.budget,
            scratch: self.scratch,
        }
    }

    fn with_choice(&self) -> Result<Verdict> {
        let found = self
            .search()
            .run(self.all, self.observer, &|tried| self.observer.tried(tried))?;
        let Found { tried, judged } = found;
        let right: Vec<Vec<bool>> = judged.iter().map(|one| one.right.clone()).collect();
        let costs: Vec<Cost> = judged
            .iter()
            .map(|one| self.all[one.candidate].cost)
            .collect();
        let names: Vec<&str> = judged
            .iter()
            .map(|one| self.all[one.candidate].name())
            .collect();
        let answers = Answers {
            right: &right,
            weights: self.weights,
        };
        let every: Vec<usize> = (0..self.held.len()).collect();
        let chosen = choose(&answers, &costs, &every);
        let pick = |bag: &[usize]| choose(&answers, &costs, bag);
        let honest = estimate(&answers, &pick, RESAMPLES, CONFIDENCE, self.options.seed);
        let reasons = Reasons {
            answers,
            names: &names,
            chosen,
        };
        let gain = reasons.gain_of_learning();
        let why = reasons.say();
        let labels: Vec<usize> = self.held.iter().map(|&p| self.photos.labels[p]).collect();
        let classes = self.photos.classes();
        let logits = &judged[chosen].logits;
        let warmth = temperature(logits, classes, &labels);
        let probabilities = probabilities(logits, classes, warmth);
        let rate = self.options.reject_rate;
        let calibration = Calibration {
            temperature: warmth,
            threshold: threshold(&probabilities, classes, rate),
            reject_rate: rate,
        };
        let curve = self.curve(&judged, chosen)?;
        Ok(Verdict {
            tried,
            chosen: self.all[judged[chosen].candidate].clone(),
            why,
            names_are_as_good: Some(gain.is_none_or(|gain| gain.value <= gain.error)),
            names_alone: Some(answers.share(0, 0..self.held.len())),
            estimate: Some(Expected {
                value: honest.value,
                low: honest.low,
                high: honest.high,
                confidence: CONFIDENCE,
                photos: self.held.len(),
                uncorrected: answers.share(chosen, 0..self.held.len()),
            }),
            calibration: Some(calibration),
            probabilities,
            curve,
        })
    }

    /// The learning curve of the chosen candidate, or of the best that is fitted to features.
    fn curve(
        &self,
        judged: &[crate::search::Judged],
        chosen: usize,
    ) -> Result<Option<LearningCurve>> {
        let of_features = |place: usize| self.all[judged[place].candidate].cost == Cost::Features;
        let place = if of_features(chosen) {
            Some(chosen)
        } else {
            // Its logits were kept because it is the best of its kind.
            (0..judged.len()).find(|&place| of_features(place) && !judged[place].logits.is_empty())
        };
        let Some(place) = place else { return Ok(None) };
        let candidate = &self.all[judged[place].candidate];
        let refit = judged[chosen].fold_time.mul_f64(1.5);
        let curve = Curve {
            photos: self.photos,
            folds: self.folds,
            weights: self.weights,
            budget: self.budget,
            reserve: refit,
            scratch: self.scratch,
        };
        let full = &judged[place].right;
        let measured = curve.measure(&candidate.config, full, self.observer)?;
        Ok(Some(measured))
    }

    /// Without held-out photos: a fit that has nothing to choose; what learns nothing is judged on all
    /// photos, which it has not seen either.
    fn without_choice(&self) -> Result<Verdict> {
        let chosen = without_choice(self.all).clone();
        let every: Vec<usize> = (0..self.photos.len()).collect();
        let names = &self.all[0];
        let allowed = crate::trial::Allowance {
            budget: Budget::new(&Never, Duration::MAX),
            reserve: Duration::ZERO,
            trials: 1.0,
        };
        let began = self.budget.spent();
        let trial = self.photos.trial(
            &names.config,
            (&every, &every),
            allowed,
            self.scratch,
            self.observer,
        )?;
        let crate::trial::Trial::Done(logits, _) = trial else {
            return Err(TuneError::Stopped);
        };
        let rows = logits.chunks_exact(self.photos.classes());
        let right = rows
            .zip(&self.photos.labels)
            .filter(|(row, label)| vlpt_methods::head::first_largest(row) == **label)
            .count();
        let share = right as f64 / self.photos.len() as f64;
        let seconds = self.budget.spent().saturating_sub(began).as_secs_f64();
        let tried: Vec<Tried> = self
            .all
            .iter()
            .map(|candidate| Tried {
                method: candidate.name().to_owned(),
                cost: candidate.cost,
                share: (candidate.cost == Cost::Names).then_some(share),
                left_out: (candidate.cost != Cost::Names)
                    .then(|| "no photos could be held out to judge it".to_owned()),
                folds: 0,
                seconds: if candidate.cost == Cost::Names {
                    seconds
                } else {
                    0.0
                },
            })
            .collect();
        for tried in &tried {
            self.observer.tried(tried);
        }
        let why = if chosen.cost == Cost::Names {
            "Class names alone: nothing else was allowed.".to_owned()
        } else {
            format!(
                "{} was taken without a comparison: it has nothing to choose and stays near the class names, which alone are \
                 right on {} of these photos.",
                chosen.name(),
                vlpt_report::percent(share)
            )
        };
        Ok(Verdict {
            tried,
            chosen,
            why,
            names_are_as_good: None,
            names_alone: Some(share),
            estimate: None,
            calibration: None,
            probabilities: Vec::new(),
            curve: None,
        })
    }

    /// Fits the chosen candidate to all photos and writes the folder.
    fn write(&self, verdict: &Verdict, record: Record, notes: Vec<String>) -> Result<Tuned> {
        let out = &self.options.out;
        if let Some(folder) = out.parent() {
            fs_err::create_dir_all(folder)?;
        }
        let mut record = record;
        let made = make_folder(out, |dir| self.fill(dir, verdict, &mut record, &notes));
        if let Err(error) = made {
            remove_unfinished(out)?;
            return Err(match error {
                TuneError::Train(TrainError::Stopped { .. }) => TuneError::Stopped,
                other => other,
            });
        }
        Ok(Tuned {
            dir: out.clone(),
            record,
            notes,
        })
    }

    fn fill(
        &self,
        dir: &Path,
        verdict: &Verdict,
        record: &mut Record,
        notes: &[String],
    ) -> Result<()> {
        let options = RunOptions {
            dir: dir.to_owned(),
            cache: self.options.cache.clone(),
        };
        let (clip, data) = (self.photos.clip, self.photos.data);
        let summary = Run::start_with(&verdict.chosen.config, &options, clip, data, self.observer)?;
        record.seconds = self.budget.spent().as_secs_f64();
        let mut metrics = Map::new();
        if let Some(expected) = &record.estimate {
            metrics.insert(format!("expected_{}", record.metric), json!(expected.value));
            metrics.insert("expected_low".to_owned(), json!(expected.low));
            metrics.insert("expected_high".to_owned(), json!(expected.high));
        }
        let annotations = Annotations {
            calibration: verdict.calibration,
            metrics,
            readme: card(record, &data.task.name),
        };
        annotate_prompt(&summary.prompt, &annotations)?;
        let classifier: Classifier = PromptFolder::open(&summary.prompt)?.classifier(clip)?;
        write_atomic(&dir.join(RECORD), record.to_json().as_bytes())?;
        let page = Page {
            record,
            photos: self.photos,
            answers: &self.answers(verdict),
            classifier: &classifier,
            folder: self.options.out.display().to_string(),
            notes,
        };
        page.report()?.write(&dir.join("report.html"))?;
        Ok(())
    }

    /// Photo, true class and most probable class of the held-out photos.
    fn answers(&self, verdict: &Verdict) -> Vec<(usize, usize, usize)> {
        let rows = verdict.probabilities.chunks_exact(self.photos.classes());
        let answer = |(row, &photo): (&[f32], &usize)| {
            let seen = vlpt_methods::head::first_largest(row);
            (photo, self.photos.labels[photo], seen)
        };
        rows.zip(self.held).map(answer).collect()
    }
}

/// Removes what [`make_folder`] has beside the folder until it is whole.
fn remove_unfinished(out: &Path) -> Result<()> {
    let mut name = out.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    match fs_err::remove_dir_all(out.with_file_name(name)) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}

/// A clock that stands still.
struct Never;

impl Clock for Never {
    fn elapsed(&self) -> Duration {
        Duration::ZERO
    }
}

fn record(work: &Work, verdict: &Verdict, alike: &[usize], per_class: bool, task: &Task) -> Record {
    let (photos, options) = (work.photos, work.options);
    let classes = &photos.data.task.classes;
    let name = |label: usize| classes[label].clone();
    let held = |place: usize| work.held[place];
    let labels: Vec<usize> = work.held.iter().map(|&p| photos.labels[p]).collect();
    let (rows, count) = (&verdict.probabilities, classes.len());
    // A classifier that is wrong more often than right cannot doubt labels.
    let knows = verdict.estimate.is_some_and(|e| e.uncorrected >= 0.5);
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
                fold: work
                    .held
                    .binary_search(&photo)
                    .ok()
                    .and(work.folds.of[photo]),
            })
            .collect(),
        before: options.before.clone(),
    }
}

/// That a result with added photos is expected to be worse than the one before.
fn fallen(record: &Record) -> Option<String> {
    let (before, now) = (record.before.as_ref()?.estimate?, record.estimate?);
    (now.value < before.value).then(|| {
        format!(
            "With the added photos {} is expected, less than the {} before: the new photos may be harder, or labelled wrong. The \
             earlier result is still there.",
            vlpt_report::percent(now.value),
            vlpt_report::percent(before.value)
        )
    })
}
