//! Images through the tower: the next batch is decoded while the tower works on this one.

use rayon::prelude::*;
use vlpt_data::image::RgbImage;
use vlpt_data::{CPython, Sample};

use super::{FeatureExtractor, View};
use vlpt_clip::Observer;

use crate::{AdapterError, ImageAdaptation, Result};
use vlpt_base::hash::derive_seed;

/// Bytes that the pixels of a batch in the views that are computed together may take.
const PIXEL_BYTES: usize = 256 << 20;
/// Bytes that the rows of these views may take.
const ROW_BYTES: usize = 512 << 20;

impl FeatureExtractor<'_> {
    /// Rows of the tower for every view, each (images x row width), without the cache. Images are
    /// compared with their `hashes`, those that have one.
    pub(super) fn compute(
        &self,
        items: &[Sample],
        hashes: &[String],
        views: &[View],
        observer: &dyn Observer,
    ) -> Result<Vec<Vec<f32>>> {
        let size = items.len() * self.row_width();
        let mut rows = vec![Vec::with_capacity(size); views.len()];
        let batch = self.batch.max(1);
        let mut batches = items.chunks(batch).enumerate().map(|(number, items)| {
            let start = (number * batch).min(hashes.len());
            let end = (start + items.len()).min(hashes.len());
            (items, &hashes[start..end])
        });
        let mut current = batches.next();
        let mut waiting = current
            .map(|(items, hashes)| self.pixels(items, hashes, views))
            .transpose()?;
        while let (Some(pixels), Some((items, _))) = (waiting, current) {
            current = batches.next();
            let (computed, prepared) = rayon::join(
                || self.tower(&pixels, observer),
                || {
                    current
                        .map(|(items, hashes)| self.pixels(items, hashes, views))
                        .transpose()
                },
            );
            for (all, part) in rows.iter_mut().zip(computed?) {
                check_images(items, &part)?;
                all.extend(part);
            }
            waiting = prepared?;
        }
        Ok(rows)
    }

    /// How many views go through the tower together, each image decoded once for them: as many as
    /// take little memory. A view does not depend on those beside it.
    pub(super) fn views_at_once(&self, images: usize) -> usize {
        let side = self.preprocess.image_size as usize;
        let pixels = 3 * side * side * self.batch.clamp(1, images.max(1)) * size_of::<f32>();
        let rows = images * self.row_width() * size_of::<f32>();
        (PIXEL_BYTES / pixels.max(1))
            .min(ROW_BYTES / rows.max(1))
            .max(1)
    }

    /// Features of one view of a few images, without cache and progress.
    ///
    /// # Errors
    /// An image that cannot be read or decoded.
    pub fn batch_features(&self, items: &[Sample], view: View) -> Result<Vec<f32>> {
        let mut all = self.compute(items, &[], &[view], &())?;
        Ok(self.projected(&all.pop().unwrap_or_default()))
    }

    /// The tower's input for each view: (images x 3 x size x size).
    fn pixels(&self, items: &[Sample], hashes: &[String], views: &[View]) -> Result<Vec<Vec<f32>>> {
        let hash = |i: usize| hashes.get(i).map(String::as_str);
        let tensors: Vec<Result<Vec<Vec<f32>>>> = items
            .par_iter()
            .enumerate()
            .map(|(i, item)| self.sample_pixels(item, hash(i), views))
            .collect();
        let mut batches = vec![Vec::new(); views.len()];
        for tensor in tensors {
            for (batch, view) in batches.iter_mut().zip(tensor?) {
                batch.extend(view);
            }
        }
        Ok(batches)
    }

    /// The tower's input for each view of one image: (3 x size x size). `hash` is the SHA-256 that its
    /// bytes had before ([`hash_images`](super::hash_images)), where they were read before.
    ///
    /// # Errors
    /// An image that cannot be read, or has other bytes now.
    pub fn sample_pixels(
        &self,
        item: &Sample,
        hash: Option<&str>,
        views: &[View],
    ) -> Result<Vec<Vec<f32>>> {
        let id = item.image.id();
        let one = |image: &RgbImage, view: &View| match view {
            View::Centre => self.preprocess.apply(image),
            View::Random {
                augment,
                seed,
                number,
            } => {
                let parts: [&[u8]; 3] = [&seed.to_le_bytes(), &number.to_le_bytes(), id.as_bytes()];
                let mut rng = CPython::new(derive_seed("vlpt view", &parts));
                augment.apply(&self.preprocess, image, &mut rng)
            }
        };
        let options = self.preprocess.decoding(&self.limits);
        let all = |image| views.iter().map(|view| one(&image, view)).collect();
        Ok(item.load_same_then(hash, &options, all)?)
    }

    fn tower(&self, pixels: &[Vec<f32>], observer: &dyn Observer) -> Result<Vec<Vec<f32>>> {
        let size = self.preprocess.image_size as usize;
        let one = |batch: &Vec<f32>| {
            let n = batch.len() / (3 * size * size);
            let rows = ImageAdaptation::tower_rows(self.adaptation.as_ref(), self.clip, batch, n);
            observer.advance(n as u64);
            rows
        };
        pixels.iter().map(one).collect()
    }
}

/// Refuses features that are no numbers, by the image.
fn check_images(items: &[Sample], features: &[f32]) -> Result<()> {
    let rows = features.chunks_exact((features.len() / items.len().max(1)).max(1));
    let broken = |(row, _): &(&[f32], &Sample)| row.iter().any(|value| !value.is_finite());
    match rows.zip(items).find(broken) {
        Some((_, item)) => Err(AdapterError::NotFinite {
            what: format!("the features of {}", item.image.id()),
        }),
        None => Ok(()),
    }
}
