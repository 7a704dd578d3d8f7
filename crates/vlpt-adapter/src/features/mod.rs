//! Image features: computed in batches, in parallel with decoding, and kept on disk by content.

mod cache;
mod compute;
mod kept;
mod views;

use std::path::PathBuf;

use rayon::prelude::*;
use vlpt_clip::{Clip, Isa, Observer};
use vlpt_data::Sample;
use vlpt_data::image::{Augment, Limits, Preprocess};

use crate::{ImageAdaptation, Result};
use vlpt_base::hash::{fingerprint, sha256};

pub use views::ViewStore;

/// Images in the image tower at once, where nobody says how many.
pub const DEFAULT_IMAGE_BATCH: usize = 32;

/// One view of an image.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum View {
    /// The evaluation view.
    Centre,
    /// A random view, the same for the same seed, number and image id.
    Random {
        /// How crops and flips are drawn.
        augment: Augment,
        /// The run's seed.
        seed: u64,
        /// Number of the view; with fresh views, the epoch.
        number: u64,
    },
}

impl View {
    /// What a cached view is known by.
    fn fingerprint(&self) -> String {
        match self {
            Self::Centre => "centre".to_owned(),
            Self::Random {
                augment,
                seed,
                number,
            } => {
                let a = augment;
                let numbers = [a.scale.0, a.scale.1, a.ratio.0, a.ratio.1, a.flip];
                let bits = numbers.map(f64::to_bits);
                format!("random {bits:x?} {seed} {number}")
            }
        }
    }
}

/// Makes image features with one model and one preprocessing.
#[derive(Clone)]
pub struct FeatureExtractor<'a> {
    /// The model.
    pub clip: &'a Clip,
    /// The preprocessing.
    pub preprocess: Preprocess,
    /// What an image may cost.
    pub limits: Limits,
    /// Images in the tower at once. Results may depend on it in the last bit.
    pub batch: usize,
    /// What is changed in the tower; none: the tower as it is.
    pub adaptation: Option<ImageAdaptation>,
    /// Folder of the cache; none: nothing is kept.
    pub cache: Option<PathBuf>,
}

impl FeatureExtractor<'_> {
    /// Features of one view of every image, row-major (images x [`ImageAdaptation::width`]), not
    /// normalised; from the cache where it has them. `hashes` are those of [`hash_images`]; images that
    /// are decoded are compared with them, so that no features of other bytes are kept under theirs.
    ///
    /// # Errors
    /// An image that cannot be read or decoded, or changed since it was hashed. A damaged cache file is no error: it is noted, and
    /// computed again; nor is a cache that cannot be written.
    pub fn features(
        &self,
        items: &[Sample],
        hashes: &[String],
        view: View,
        observer: &dyn Observer,
    ) -> Result<Vec<f32>> {
        let mut all = self.views(items, hashes, &[view], observer)?;
        Ok(all.pop().unwrap_or_default())
    }

    /// As [`FeatureExtractor::features`] for several views.
    ///
    /// # Errors
    /// As [`FeatureExtractor::features`].
    pub fn views(
        &self,
        items: &[Sample],
        hashes: &[String],
        views: &[View],
        observer: &dyn Observer,
    ) -> Result<Vec<Vec<f32>>> {
        let mut features = vec![Vec::new(); views.len()];
        self.each_view((items, hashes), views, observer, &mut |at, rows, _| {
            features[at] = self.projected(&rows.values());
            Ok(())
        })?;
        Ok(features)
    }

    /// The name of a cached file: model, number format, level of the kernels, preprocessing, view, what
    /// is changed in the tower before its projection, and every image's id and bytes.
    pub(crate) fn key(&self, items: &[Sample], hashes: &[String], view: View) -> String {
        let head = [
            "vlpt rows of the image tower 1".to_owned(),
            self.clip.fingerprint.clone(),
            self.clip.precision.to_string(),
            Isa::current().to_string(),
            self.preprocess.fingerprint(),
            view.fingerprint(),
            self.batch.to_string(),
        ];
        let adaptation = self.adaptation.as_ref();
        let adaptation = adaptation.and_then(ImageAdaptation::rows_fingerprint);
        // Random views are drawn by id, so equal bytes under another name are another view.
        let random = view != View::Centre;
        let ids = items.iter().map(|item| {
            if random {
                item.image.id()
            } else {
                String::new()
            }
        });
        let head = head.into_iter().chain(adaptation);
        fingerprint(head.chain(ids).chain(hashes.iter().cloned()))
    }
}

/// SHA-256 of the bytes of each image.
///
/// # Errors
/// An image that cannot be read.
pub fn hash_images(items: &[Sample], observer: &dyn Observer) -> Result<Vec<String>> {
    observer.start("reading images", items.len() as u64);
    let hashes = items
        .par_iter()
        .map(|item| {
            let hash = sha256(&item.read()?);
            observer.advance(1);
            Ok(hash)
        })
        .collect::<Vec<Result<String>>>();
    observer.finish();
    // The first error in the order of the images, whatever thread met one first.
    hashes.into_iter().collect()
}

/// What the images of a run are known by: classes, labels and bytes.
pub fn data_fingerprint<'a>(
    classes: &[String],
    images: impl Iterator<Item = (&'a Sample, &'a String)>,
) -> String {
    let lines = images.map(|(item, hash)| format!("{} {:?} {hash}", item.image.id(), item.labels));
    fingerprint(classes.iter().cloned().chain(lines))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use vlpt_clip::{ModelFiles, Precision, VisualPlace};

    use super::*;
    use vlpt_methods::{PromptValues, TowerValues};

    use crate::{ImageConfig, preprocess};

    fn key(clip: &Clip, adaptation: Option<ImageAdaptation>) -> String {
        let extractor = FeatureExtractor {
            clip,
            preprocess: preprocess(clip, &ImageConfig::default()),
            limits: Limits::default(),
            batch: 32,
            adaptation,
            cache: None,
        };
        extractor.key(&[], &["hash".to_owned()], View::Centre)
    }

    #[test]
    fn cached_features_are_known_by_their_number_format() {
        let mini = |precision| Clip::load_as(&ModelFiles::mini(), precision).unwrap();
        let (exact, rounded) = (mini(Precision::F32), mini(Precision::Bf16));
        assert_ne!(key(&exact, None), key(&rounded, None));
        assert_eq!(key(&exact, None), key(&Clip::mini(), None));
    }

    #[test]
    fn cached_features_are_known_by_place_shape_and_values_of_the_visual_prompts() {
        let clip = Clip::mini();
        let key = |prompts| key(&clip, prompts);
        let prompts = |values: [f32; 4], blocks, place| {
            ImageAdaptation::Fixed(TowerValues::prompts(PromptValues {
                values: values.to_vec(),
                first: 0,
                blocks,
                rows: 2 / blocks,
                place,
                per_image: false,
                carry: 0.0,
            }))
        };
        let after = VisualPlace::AfterLnPre;
        let all = [
            None,
            Some(prompts([0.0, 0.0, 0.0, 1.0], 1, after)),
            // A zero of the other sign is another bit.
            Some(prompts([-0.0, 0.0, 0.0, 1.0], 1, after)),
            Some(prompts([0.0, 0.0, 0.0, 1.0], 2, after)),
            Some(prompts([0.0, 0.0, 0.0, 1.0], 1, VisualPlace::BeforeLnPre)),
        ];
        let keys: BTreeSet<String> = all.iter().cloned().map(key).collect();
        assert_eq!(keys.len(), all.len());
        assert!(keys.contains(&key(all[1].clone())));
    }
}
