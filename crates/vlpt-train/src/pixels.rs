//! Preprocessed pixels of images that go through the image tower at every step.
//!
//! A run with visual prompts cannot keep features. It keeps the pixels of as many images as fit its
//! budget, from the first on; the others are decoded again whenever a batch has them. Online views
//! are never kept. The pixels are the same either way, and the same as those of cached features
//! with the same seed, number of the view and image. What is decoded is compared with the hashes that
//! the run began with: an image that was replaced meanwhile stops it.

use rayon::prelude::*;
use vlpt_data::Sample;
use vlpt_data::image::Augment;

use crate::{Result, TrainObserver};
use vlpt_adapter::{FeatureExtractor, View};

/// Images decoded between two advances of the progress.
const DECODED_AT_ONCE: usize = 64;

/// Which view of an image an epoch sees.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum EpochViews {
    /// One of these: neighbours have different ones in the same epoch, and every image has all in
    /// turn.
    Fixed(Vec<View>),
    /// A new one in every epoch.
    Online {
        /// How it is drawn.
        augment: Augment,
        /// The run's seed.
        seed: u64,
    },
}

/// Place in a list of `views` of the one that image `i` has in an epoch.
pub(crate) fn view_of(views: usize, epoch: usize, image: usize) -> usize {
    (epoch + image) % views.max(1)
}

/// Some images and the hashes of their bytes.
pub(crate) type Hashed<'a> = (&'a [Sample], &'a [String]);

/// Pixels of images, kept in memory or decoded when asked for.
pub(crate) struct Pixels<'a> {
    extractor: FeatureExtractor<'a>,
    samples: &'a [Sample],
    hashes: &'a [String],
    views: EpochViews,
    /// The kept images' pixels, one tensor a view.
    kept: Vec<Vec<Vec<f32>>>,
}

impl<'a> Pixels<'a> {
    /// Decodes the images that fit `budget` bytes.
    ///
    /// # Errors
    /// An image that cannot be read or decoded, or has another hash now.
    pub(crate) fn new(
        extractor: FeatureExtractor<'a>,
        (samples, hashes): Hashed<'a>,
        views: EpochViews,
        budget: usize,
        observer: &dyn TrainObserver,
    ) -> Result<Self> {
        let mut kept = Vec::new();
        if let EpochViews::Fixed(views) = &views {
            let fit = budget / (views.len() * bytes(&extractor)).max(1);
            let fitting = &samples[..fit.min(samples.len())];
            observer.start("images", fitting.len() as u64);
            for (number, some) in fitting.chunks(DECODED_AT_ONCE).enumerate() {
                let hash = |i: usize| hash(hashes, number * DECODED_AT_ONCE + i);
                let decoded: Vec<vlpt_adapter::Result<_>> = some
                    .par_iter()
                    .enumerate()
                    .map(|(i, sample)| extractor.sample_pixels(sample, hash(i), views))
                    .collect();
                for pixels in decoded {
                    kept.push(pixels?);
                }
                observer.advance(some.len() as u64);
            }
            observer.finish();
        }
        Ok(Self {
            extractor,
            samples,
            hashes,
            views,
            kept,
        })
    }

    /// Pixels that are given instead of decoded: of each image one tensor a view.
    #[cfg(test)]
    pub(crate) fn given(
        extractor: FeatureExtractor<'a>,
        samples: &'a [Sample],
        views: Vec<View>,
        kept: Vec<Vec<Vec<f32>>>,
    ) -> Self {
        Self {
            extractor,
            samples,
            hashes: &[],
            views: EpochViews::Fixed(views),
            kept,
        }
    }

    /// Bytes of the kept pixels.
    pub(crate) fn bytes(&self) -> usize {
        let views = self.kept.first().map_or(0, Vec::len);
        self.kept.len() * views * bytes(&self.extractor)
    }

    /// Number of views of each image, where they are fixed.
    pub(crate) fn fixed_views(&self) -> Option<usize> {
        match &self.views {
            EpochViews::Fixed(views) => Some(views.len()),
            EpochViews::Online { .. } => None,
        }
    }

    /// Pixels of one of the fixed views of some images (images x 3 x size x size).
    ///
    /// # Errors
    /// An image that cannot be read or decoded.
    pub(crate) fn of_view(&self, view: usize, images: &[usize]) -> Result<Vec<f32>> {
        self.pixels(images, |_| view)
    }

    /// Pixels of some images in an epoch (images x 3 x size x size).
    ///
    /// # Errors
    /// An image that cannot be read or decoded, or has another hash now.
    pub(crate) fn batch(&self, epoch: usize, images: &[usize]) -> Result<Vec<f32>> {
        match &self.views {
            EpochViews::Fixed(views) => self.pixels(images, |i| view_of(views.len(), epoch, i)),
            EpochViews::Online { .. } => self.pixels(images, |_| epoch),
        }
    }

    /// Pixels of some images, each in the view that `number` says: its place among the fixed ones, or
    /// the number of a new one.
    fn pixels(&self, images: &[usize], number: impl Fn(usize) -> usize + Sync) -> Result<Vec<f32>> {
        let decoded: Vec<Result<Option<Vec<f32>>>> = images
            .par_iter()
            .map(|&image| {
                if image < self.kept.len() {
                    return Ok(None);
                }
                let mut pixels = self.extractor.sample_pixels(
                    &self.samples[image],
                    hash(self.hashes, image),
                    &[self.view(number(image))],
                )?;
                Ok(pixels.pop())
            })
            .collect();
        let mut batch =
            Vec::with_capacity(images.len() * bytes(&self.extractor) / size_of::<f32>());
        for (&image, decoded) in images.iter().zip(decoded) {
            if let Some(pixels) = decoded? {
                batch.extend(pixels);
            } else {
                batch.extend_from_slice(&self.kept[image][number(image)]);
            }
        }
        Ok(batch)
    }

    fn view(&self, number: usize) -> View {
        match &self.views {
            EpochViews::Fixed(views) => views[number],
            EpochViews::Online { augment, seed } => View::Random {
                augment: *augment,
                seed: *seed,
                number: number as u64,
            },
        }
    }
}

/// The hash of an image, where it has one.
fn hash(hashes: &[String], image: usize) -> Option<&str> {
    hashes.get(image).map(String::as_str)
}

/// Bytes of an image's pixels.
fn bytes(extractor: &FeatureExtractor) -> usize {
    let side = extractor.preprocess.image_size as usize;
    3 * side * side * size_of::<f32>()
}
