//! The stages of a run: what each trains, and what it begins with.

use vlpt_methods::zeroshot::normalise;
use vlpt_methods::{Method, Parameter, Pass, Stage, Trains};

use super::Trainer;
use super::images::{BatchImages, BatchSource};
use crate::events::EventLog;
use crate::lock::RunLock;
use crate::optim::optimizer;
use crate::{Result, TrainError, TrainObserver};
use vlpt_adapter::ImageAdaptation;

/// What the stage of a moment trains.
pub(super) struct StageState {
    /// Its number.
    pub(super) number: usize,
    pub(super) trains: Trains,
    /// The parameters that it trains; they share their values with the method's.
    pub(super) trained: Vec<Parameter>,
    /// Where the towers stay as they are: what is changed in the image tower.
    pub(super) visual: Option<ImageAdaptation>,
    /// Where they stay, and views are fixed: features of the training images under that.
    pub(super) features: Option<BatchSource<'static>>,
}

impl StageState {
    pub(super) fn new(method: &dyn Method, number: usize) -> Self {
        let stages = method.stages();
        let trains = stages
            .get(number)
            .map_or(Trains::Adaptation, |stage| stage.trains);
        let features = method.class_features().map(Parameter::name);
        let of_classes = |parameter: &&Parameter| features == Some(parameter.name());
        let trained = method.parameters().iter();
        let trained = trained.filter(|parameter| match trains {
            Trains::Adaptation => !of_classes(parameter),
            Trains::ClassFeatures => of_classes(parameter),
        });
        Self {
            number,
            trains,
            trained: trained.cloned().collect(),
            visual: None,
            features: None,
        }
    }
}

/// The shares of a method's stages.
pub(super) fn shares(method: &dyn Method) -> Vec<f64> {
    let stages = method.stages();
    stages.iter().map(|stage: &Stage| stage.share).collect()
}

impl Trainer<'_> {
    /// Makes ready for the stage of the position. Where the position is its beginning, the optimiser is
    /// a new one, and class features are those of the classes' texts as tuned so far: the same again
    /// where a run goes on from there.
    ///
    /// # Errors
    /// A tensor operation that failed, an image that cannot be read, or a stop that was asked for.
    pub(super) fn enter(
        &mut self,
        folder: &RunLock,
        log: &mut EventLog,
        observer: &dyn TrainObserver,
    ) -> Result<()> {
        let number = self.timeline.stage(self.position.epoch);
        let begins = self.timeline.span(number).start == self.position.epoch;
        let begins = begins && self.position.step == 0;
        self.stage = StageState::new(self.method.as_ref(), number);
        self.ahead = None;
        if number > 0 && begins {
            self.optimizer = optimizer(&self.work.config.train);
        }
        if self.stage.trains == Trains::Adaptation || self.position.epoch >= self.timeline.epochs()
        {
            return Ok(());
        }
        if begins {
            let features = self.features_of_texts()?;
            if let Some(parameter) = self.method.class_features() {
                parameter.set(&features)?;
            }
        }
        self.stage.visual = ImageAdaptation::of_method(&self.method)?;
        self.stage.features = match self.fixed_features(observer)? {
            Fixed::Features(views) => Some(BatchSource::Features(views)),
            Fixed::No => None,
            Fixed::Stopped => {
                self.checkpoint(folder, log, observer)?;
                let (dir, epochs) = (folder.dir().to_owned(), self.position.epoch);
                return Err(TrainError::Stopped { dir, epochs });
            }
        };
        Ok(())
    }

    /// Features of all classes' texts under the parameters as they are, of length one (classes x
    /// embed).
    fn features_of_texts(&self) -> Result<Vec<f32>> {
        let work = self.work;
        let text = self.method.adapt(&Pass::EVAL)?.text.values()?;
        let texts = &self.engine.texts;
        let (mut features, _tapes) = texts.forward(work.clip, &texts.whole(), 0, &text);
        features
            .chunks_exact_mut(work.clip.config.embed_dim)
            .for_each(normalise);
        if !features.iter().all(|value| value.is_finite()) {
            return Err(TrainError::Incompatible {
                what: format!(
                    "features of the classes' texts are no numbers after epoch {}",
                    self.position.epoch
                ),
                hint: Some("start a new run with a lower --lr".to_owned()),
            });
        }
        Ok(features)
    }

    /// Features of the training images under the stage's image tower, where their views are fixed: one
    /// pass for each view in place of one for each epoch.
    fn fixed_features(&self, observer: &dyn TrainObserver) -> Result<Fixed> {
        let work = self.work;
        let BatchSource::Pixels(pixels) = &work.images.train else {
            return Ok(Fixed::No);
        };
        let Some(views) = pixels.fixed_views() else {
            return Ok(Fixed::No);
        };
        let every: Vec<usize> = (0..work.train.len()).collect();
        observer.start("features", (views * every.len()) as u64);
        let mut all = Vec::with_capacity(views);
        for view in 0..views {
            let mut own = Vec::with_capacity(every.len() * work.clip.config.embed_dim);
            for images in every.chunks(work.extractor.batch.max(1)) {
                if observer.should_stop() {
                    observer.finish();
                    return Ok(Fixed::Stopped);
                }
                let given = BatchImages::Pixels(pixels.of_view(view, images)?);
                own.extend(self.engine.tuned_features(
                    self.stage.visual.as_ref(),
                    &given,
                    images.len(),
                )?);
                observer.advance(images.len() as u64);
            }
            all.push(own);
        }
        observer.finish();
        Ok(Fixed::Features(all))
    }
}

/// What came of asking for features of fixed views.
enum Fixed {
    /// One block a view, images x embed.
    Features(Vec<Vec<f32>>),
    /// Views are not fixed, or features are given already.
    No,
    /// A stop was asked for.
    Stopped,
}
