//! Images that several evaluations look at, and what of them does not depend on the classifier.
//!
//! Where the image tower is left as it is, the features of an image are the same for every classifier: they are
//! computed once and kept in memory, and on disk where there is a cache. Else the
//! images go through the tower again each time; their pixels are kept as far as a budget goes.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;
use vlpt_base::memo::Memo;
use vlpt_clip::Observer;
use vlpt_data::Sample;

use crate::{FeatureExtractor, ImageAdaptation, Result, View, hash_images};

/// Bytes of pixels that may still be kept, shared by all sets of images that have a clone of it.
#[derive(Debug, Clone, Default)]
pub struct PixelBudget(Arc<AtomicUsize>);

impl PixelBudget {
    /// A budget of so many bytes.
    pub fn new(bytes: usize) -> Self {
        Self(Arc::new(AtomicUsize::new(bytes)))
    }

    /// Takes bytes out of what is left; whether there were as many.
    fn take(&self, bytes: usize) -> bool {
        let take = |left: usize| left.checked_sub(bytes);
        let left = self
            .0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, take);
        left.is_ok()
    }
}

/// Preprocessed images, as many as go through the tower at once (images x 3 x size x size).
#[derive(Debug)]
struct Batch {
    images: usize,
    pixels: Vec<f32>,
}

/// Images for [`evaluate_images`](crate::evaluate_images). What is kept of them is made by the
/// first evaluation that needs it, in whatever thread; others wait. Results do not depend on what
/// is kept.
#[derive(Debug, Default)]
pub struct EvalImages {
    items: Vec<Sample>,
    budget: PixelBudget,
    /// Of all images; one entry.
    hashes: Memo<Vec<String>>,
    /// Features without visual prompts, by what they are known by on disk.
    features: Memo<Vec<f32>>,
    /// Pixels by preprocessing and size of a batch; none where they do not fit.
    pixels: Memo<Option<Vec<Batch>>>,
}

impl EvalImages {
    /// Images of which no pixels are kept.
    pub fn new(items: Vec<Sample>) -> Self {
        Self {
            items,
            ..Self::default()
        }
    }

    /// The same, with pixels kept as far as the budget goes.
    #[must_use]
    pub fn with_pixels(mut self, budget: PixelBudget) -> Self {
        self.budget = budget;
        self
    }

    /// The images.
    pub fn items(&self) -> &[Sample] {
        &self.items
    }

    /// Their features in the evaluation view, row-major (images x embed), not normalised.
    ///
    /// # Errors
    /// As [`FeatureExtractor::features`].
    pub fn features(
        &self,
        extractor: &FeatureExtractor,
        observer: &dyn Observer,
    ) -> Result<Arc<Vec<f32>>> {
        let make = || {
            let hashes = match extractor.cache {
                Some(_) => self.hashes.get("", || hash_images(&self.items, observer))?,
                None => Arc::default(),
            };
            extractor.features(&self.items, &hashes, View::Centre, observer)
        };
        let Some(adaptation) = &extractor.adaptation else {
            // The images are always these, so their hashes need not be known here.
            return self
                .features
                .get(&extractor.key(&[], &[], View::Centre), make);
        };
        // What a cache on disk may hold is not computed again from pixels.
        if extractor.cache.is_none()
            && let Some(batches) = &*self.pixels(extractor)?
        {
            return Ok(Arc::new(adapted(extractor, adaptation, batches, observer)?));
        }
        Ok(Arc::new(make()?))
    }

    /// The pixels, if they are kept or fit what is left of the budget.
    fn pixels(&self, extractor: &FeatureExtractor) -> Result<Arc<Option<Vec<Batch>>>> {
        let preprocess = &extractor.preprocess;
        let name = format!("{} {}", preprocess.fingerprint(), extractor.batch);
        self.pixels.get(&name, || {
            let side = preprocess.image_size as usize;
            let bytes = self.items.len() * 3 * side * side * size_of::<f32>();
            if !self.budget.take(bytes) {
                return Ok(None);
            }
            let batches = self.items.chunks(extractor.batch.max(1));
            let decoded = batches.map(|items| {
                let rows: Vec<Result<Vec<f32>>> = items
                    .par_iter()
                    .map(|item| {
                        let options = preprocess.decoding(&extractor.limits);
                        Ok(item.load_then(&options, |image| preprocess.apply(&image))?)
                    })
                    .collect();
                let rows: Result<Vec<Vec<f32>>> = rows.into_iter().collect();
                Ok(Batch {
                    images: items.len(),
                    pixels: rows?.concat(),
                })
            });
            decoded.collect::<Result<Vec<Batch>>>().map(Some)
        })
    }
}

/// Features under an adaptation, of kept pixels.
fn adapted(
    extractor: &FeatureExtractor,
    adaptation: &ImageAdaptation,
    batches: &[Batch],
    observer: &dyn Observer,
) -> Result<Vec<f32>> {
    let images = batches.iter().map(|batch| batch.images as u64).sum();
    observer.start("image features", images);
    let mut features = Vec::new();
    for Batch { images, pixels } in batches {
        let own = ImageAdaptation::features(Some(adaptation), extractor.clip, pixels, *images);
        observer.advance(*images as u64);
        features.extend(own?);
    }
    observer.finish();
    Ok(features)
}

#[cfg(test)]
mod tests {
    use vlpt_clip::{Clip, VisualPlace};
    use vlpt_data::image::Limits;
    use vlpt_methods::{PromptValues, TowerValues};

    use super::*;
    use crate::{ImageConfig, preprocess};

    fn extractor(clip: &Clip, adaptation: Option<ImageAdaptation>) -> FeatureExtractor<'_> {
        FeatureExtractor {
            clip,
            preprocess: preprocess(clip, &ImageConfig::default()),
            limits: Limits::default(),
            batch: 4,
            adaptation,
            cache: None,
        }
    }

    #[test]
    fn features_are_the_same_whatever_is_kept() {
        let clip = Clip::mini();
        let task = vlpt_data::synthetic::task("shapes", 0).unwrap();
        let items = task.test.samples[..10].to_vec();
        let visual = ImageAdaptation::Fixed(TowerValues::prompts(PromptValues {
            values: vec![0.5; 2 * clip.vision.width()],
            first: 0,
            blocks: 1,
            rows: 2,
            place: VisualPlace::AfterLnPre,
            per_image: false,
            carry: 0.0,
        }));
        for adaptation in [None, Some(visual)] {
            let extractor = extractor(&clip, adaptation);
            let plain = extractor.features(&items, &[], View::Centre, &()).unwrap();
            let one = preprocess(&clip, &ImageConfig::default()).image_size as usize;
            let bytes = items.len() * 3 * one * one * size_of::<f32>();
            for budget in [0, bytes - 1, bytes] {
                let budget = PixelBudget::new(budget);
                let images = EvalImages::new(items.clone()).with_pixels(budget);
                for _ in 0..2 {
                    assert!(*images.features(&extractor, &()).unwrap() == plain);
                }
            }
        }
    }

    #[test]
    fn two_sets_share_one_budget() {
        let budget = PixelBudget::new(10);
        let other = budget.clone();
        assert!(budget.take(7));
        assert!(!other.take(4));
        assert!(other.take(3));
    }

    #[test]
    fn images_are_read_once_for_their_hashes_and_features() {
        let clip = Clip::mini();
        let dir = tempfile::tempdir().unwrap();
        let task = vlpt_data::synthetic::task("shapes", 0).unwrap();
        let images = EvalImages::new(task.test.samples[..3].to_vec());
        let mut extractor = extractor(&clip, None);
        let bare = images.features(&extractor, &()).unwrap();
        extractor.cache = Some(dir.path().to_owned());
        let again = images.features(&extractor, &()).unwrap();
        assert!(Arc::ptr_eq(&bare, &again), "kept in memory");
        extractor.batch += 1;
        let other = images.features(&extractor, &()).unwrap();
        assert!(
            !Arc::ptr_eq(&bare, &other),
            "another batch, other last bits"
        );
        assert!(dir.path().join("features").is_dir(), "kept on disk");
    }
}
