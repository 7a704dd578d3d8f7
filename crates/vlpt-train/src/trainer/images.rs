//! The image side: features computed once, or pixels that go through the tower at every step.

use super::memory_plan::MemoryPlan;
use crate::pixels::{EpochViews, Hashed, Pixels, view_of};
use crate::{Result, RunConfig, TrainObserver, Views};
use vlpt_adapter::{FeatureExtractor, View};

/// Training and validation images of a run.
pub(crate) struct ImageInput<'a> {
    /// Images trained on.
    pub(crate) train: BatchSource<'a>,
    /// Images that choose the epoch, in the evaluation view.
    pub(crate) val: BatchSource<'a>,
}

/// How images are held.
pub(crate) enum BatchSource<'a> {
    /// Features of every view, each images x embed.
    Features(Vec<Vec<f32>>),
    /// Pixels, for the tower.
    Pixels(Box<Pixels<'a>>),
}

/// The images of one step.
pub(crate) enum BatchImages {
    /// Features as the tower gives them, images x embed.
    Features(Vec<f32>),
    /// Pixels, images x 3 x size x size.
    Pixels(Vec<f32>),
}

impl<'a> ImageInput<'a> {
    /// Computes, reads or prepares what a run needs of its images. With visual prompts (`visual`)
    /// that is pixels; without, features, but pixels for fresh views.
    ///
    /// # Errors
    /// An image that cannot be read or decoded.
    pub(crate) fn prepare(
        config: &RunConfig,
        extractor: &FeatureExtractor<'a>,
        train: Hashed<'a>,
        val: Hashed<'a>,
        visual: bool,
        observer: &dyn TrainObserver,
    ) -> Result<Self> {
        let random = |number| View::Random {
            augment: config.views.augment(),
            seed: config.seed,
            number,
        };
        let views = match config.views.mode {
            Views::None => EpochViews::Fixed(vec![View::Centre]),
            Views::Cached => {
                EpochViews::Fixed((0..config.views.count as u64).map(random).collect())
            }
            Views::Online => EpochViews::Online {
                augment: config.views.augment(),
                seed: config.seed,
            },
        };
        let pixels = |items, views, budget| {
            let pixels = Pixels::new(extractor.clone(), items, views, budget, observer)?;
            Ok::<_, crate::TrainError>(Box::new(pixels))
        };
        let budget = MemoryPlan::of(config, false, visual).pixels;
        let train = match views {
            EpochViews::Fixed(views) if !visual => {
                BatchSource::Features(extractor.views(train.0, train.1, &views, observer)?)
            }
            views => BatchSource::Pixels(pixels(train, views, budget)?),
        };
        let val = if visual {
            let used = match &train {
                BatchSource::Pixels(pixels) => pixels.bytes(),
                BatchSource::Features(_) => 0,
            };
            let centre = EpochViews::Fixed(vec![View::Centre]);
            BatchSource::Pixels(pixels(val, centre, budget.saturating_sub(used))?)
        } else {
            BatchSource::Features(vec![extractor.features(
                val.0,
                val.1,
                View::Centre,
                observer,
            )?])
        };
        Ok(Self { train, val })
    }
}

impl BatchSource<'_> {
    /// Some images in an epoch; features are `embed` long.
    ///
    /// # Errors
    /// An image that cannot be read or decoded.
    pub(crate) fn batch(
        &self,
        epoch: usize,
        images: &[usize],
        embed: usize,
    ) -> Result<BatchImages> {
        match self {
            Self::Pixels(pixels) => Ok(BatchImages::Pixels(pixels.batch(epoch, images)?)),
            Self::Features(views) => {
                let row = |&i: &usize| {
                    let view = &views[view_of(views.len(), epoch, i)];
                    &view[i * embed..(i + 1) * embed]
                };
                let features = images.iter().flat_map(row).copied().collect();
                Ok(BatchImages::Features(features))
            }
        }
    }
}
