//! One candidate on some photos, judged on others.

use std::path::Path;
use std::sync::Mutex;
use std::time::Duration;

use vlpt_adapter::{Classifier, FeatureExtractor, PromptFolder, View};
use vlpt_clip::{Observer, Progress};
use vlpt_methods::MethodConfig;
use vlpt_methods::head::{FittedHead, Unprojected};
use vlpt_train::{
    Event, HeadImages, Run, RunConfig, RunOptions, StepReport, TrainError, TrainObserver, fit_head,
    head_classifier,
};

use crate::budget::Budget;
use crate::clock::Still;
use crate::photos::{Photos, rows_of};
use crate::{Result, TuneError};

/// How a trial ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Trial {
    /// Logits of the photos judged (photos x classes), and the seconds it took.
    Done(Vec<f32>, Duration),
    /// It could not end in time; what all trials of the candidate would take, where that is known.
    TooLong(Option<Duration>),
}

/// Time for a trial, and how many like it there will be.
#[derive(Clone, Copy)]
pub struct Allowance<'a> {
    /// The budget.
    pub budget: Budget<'a>,
    /// What has to be left when it ends.
    pub reserve: Duration,
    /// Trials like this one, it among them, and the fit to all photos.
    pub trials: f64,
}

impl Allowance<'static> {
    /// As long as it takes.
    pub fn unlimited() -> Self {
        Self {
            budget: Budget::new(&Still, Duration::MAX),
            reserve: Duration::ZERO,
            trials: 1.0,
        }
    }
}

impl Photos<'_> {
    /// Fits a candidate to the photos `fit` and gives the logits of the photos `held`.
    ///
    /// # Errors
    /// What ends a training, and [`TuneError::Stopped`].
    pub fn trial(
        &self,
        config: &RunConfig,
        (fit, held): (&[usize], &[usize]),
        allowed: Allowance,
        scratch: &Path,
        observer: &dyn TrainObserver,
    ) -> Result<Trial> {
        let began = allowed.budget.spent();
        let watch = TrialWatch::new(allowed, observer);
        let logits = if config.method.is_baseline() {
            self.head_logits(config, fit, held, &watch)
        } else {
            self.prompt_logits(config, fit, held, scratch, &watch)
        };
        match logits {
            Ok(logits) => Ok(Trial::Done(
                logits,
                allowed.budget.spent().saturating_sub(began),
            )),
            Err(TuneError::Train(
                TrainError::Stopped { .. } | TrainError::Method(vlpt_methods::MethodError::Stopped),
            )) if !observer.should_stop() => Ok(Trial::TooLong(watch.whole())),
            Err(TuneError::Train(
                TrainError::Stopped { .. } | TrainError::Method(vlpt_methods::MethodError::Stopped),
            )) => Err(TuneError::Stopped),
            Err(other) => Err(other),
        }
    }

    /// Fits a method without steps to the photos `fit`.
    fn fitted(
        &self,
        config: &RunConfig,
        fit: &[usize],
        observer: &dyn Observer,
    ) -> Result<FittedHead> {
        let (embed, width) = (self.clip.config.embed_dim, self.clip.vision.width());
        let data = self.part(fit);
        let needs = config.method.needs();
        let views = if needs.no_images || needs.unprojected {
            Vec::new()
        } else {
            vec![rows_of(&self.features, fit, embed)]
        };
        let rows = needs
            .unprojected
            .then(|| vec![rows_of(&self.rows, fit, width)]);
        let images = HeadImages {
            train: &data.train.samples,
            views: &views,
            unprojected: rows.as_ref().map(|train| Unprojected { train, val: &[] }),
            val: &[],
            val_features: &[],
        };
        Ok(fit_head(config, self.clip, &data, &images, observer)?)
    }

    /// The method with the numbers that it chooses on held-out images itself, for all photos; none where it
    /// chooses nothing.
    ///
    /// # Errors
    /// What ends a fit.
    pub fn settled(
        &self,
        config: &RunConfig,
        observer: &dyn TrainObserver,
    ) -> Result<Option<MethodConfig>> {
        if !config.method.is_baseline() {
            return Ok(None);
        }
        let every: Vec<usize> = (0..self.len()).collect();
        let watch = TrialWatch::new(Allowance::unlimited(), observer);
        Ok(self.fitted(config, &every, &watch)?.settled)
    }

    fn head_logits(
        &self,
        config: &RunConfig,
        fit: &[usize],
        held: &[usize],
        observer: &dyn Observer,
    ) -> Result<Vec<f32>> {
        let (embed, width) = (self.clip.config.embed_dim, self.clip.vision.width());
        let fitted = self.fitted(config, fit, observer)?;
        let classifier = head_classifier(fitted.head, self.clip, &self.data.task.classes)?;
        let features = match &classifier.visual {
            None => rows_of(&self.features, held, embed),
            // Another projection of the same rows.
            Some(visual) => FeatureExtractor {
                adaptation: Some(visual.clone()),
                ..self.extractor.clone()
            }
            .projected(&rows_of(&self.rows, held, width)),
        };
        Ok(classifier.logits(self.clip, &features)?)
    }

    fn prompt_logits(
        &self,
        config: &RunConfig,
        fit: &[usize],
        held: &[usize],
        scratch: &Path,
        observer: &dyn TrainObserver,
    ) -> Result<Vec<f32>> {
        let folder = tempfile::tempdir_in(scratch)?;
        let options = RunOptions {
            dir: folder.path().join("run"),
            cache: self.extractor.cache.clone(),
        };
        let data = self.part(fit);
        let summary = Run::start_with(config, &options, self.clip, &data, observer)?;
        let classifier = PromptFolder::open(&summary.prompt)?.classifier(self.clip)?;
        self.logits_of(&classifier, held, observer)
    }

    /// Logits of some photos under a classifier that may change the image tower.
    ///
    /// # Errors
    /// A photo that cannot be read any more.
    pub fn logits_of(
        &self,
        classifier: &Classifier,
        photos: &[usize],
        observer: &dyn Observer,
    ) -> Result<Vec<f32>> {
        let embed = self.clip.config.embed_dim;
        let features = match &classifier.visual {
            None => rows_of(&self.features, photos, embed),
            Some(visual) => {
                let extractor = FeatureExtractor {
                    adaptation: Some(visual.clone()),
                    // What one trial made of its photos is of no use to another.
                    cache: None,
                    ..self.extractor.clone()
                };
                let samples = self.part(photos).train.samples;
                let hashes: Vec<String> = photos.iter().map(|&p| self.hashes[p].clone()).collect();
                extractor.features(&samples, &hashes, View::Centre, observer)?
            }
        };
        Ok(classifier.logits(self.clip, &features)?)
    }
}

/// Steps after which the time of a training is known well enough.
const STEPS: usize = 3;

/// Ends a trial that cannot end in time, and passes on what else there is to see.
struct TrialWatch<'a> {
    allowed: Allowance<'a>,
    inner: &'a dyn TrainObserver,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    steps: usize,
    seen: Vec<Duration>,
    /// What all trials like this one take.
    whole: Option<Duration>,
    stop: bool,
}

impl<'a> TrialWatch<'a> {
    fn new(allowed: Allowance<'a>, inner: &'a dyn TrainObserver) -> Self {
        Self {
            allowed,
            inner,
            state: Mutex::default(),
        }
    }

    fn whole(&self) -> Option<Duration> {
        self.state.lock().ok()?.whole
    }
}

impl Progress for TrialWatch<'_> {
    fn start(&self, what: &str, total: u64) {
        self.inner.start(what, total);
    }
    fn advance(&self, by: u64) {
        self.inner.advance(by);
    }
    fn finish(&self) {
        self.inner.finish();
    }
}

impl Observer for TrialWatch<'_> {
    fn should_stop(&self) -> bool {
        let stop = self.state.lock().is_ok_and(|state| state.stop);
        stop || self.inner.should_stop()
            || self.allowed.budget.left_but(self.allowed.reserve).is_zero()
    }
}

impl TrainObserver for TrialWatch<'_> {
    fn event(&self, event: &Event) {
        if let (Event::Start(start), Ok(mut state)) = (event, self.state.lock()) {
            state.steps = start.epochs * start.steps;
        }
    }

    fn step(&self, step: &StepReport) {
        self.inner.step(step);
        let Ok(mut state) = self.state.lock() else {
            return;
        };
        if state.seen.len() > STEPS {
            return;
        }
        state.seen.push(self.allowed.budget.spent());
        if state.seen.len() <= STEPS {
            return;
        }
        // The first step also makes what all others share.
        let one = state.seen[STEPS].saturating_sub(state.seen[0]) / STEPS as u32;
        let left = one * state.steps.saturating_sub(STEPS + 1) as u32;
        let whole = one.mul_f64(state.steps as f64 * self.allowed.trials);
        let others = one.mul_f64(state.steps as f64 * (self.allowed.trials - 1.0).max(0.0));
        state.stop = left + others > self.allowed.budget.left_but(self.allowed.reserve);
        state.whole = Some(whole);
    }
}
