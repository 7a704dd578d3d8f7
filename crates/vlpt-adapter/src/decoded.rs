//! Images on their way to the tower: read, decoded and resized, some dozens at a time.

use std::borrow::Cow;

use rayon::prelude::*;
use vlpt_clip::Clip;
use vlpt_data::image::{Limits, Preprocess, decode_then};
use vlpt_methods::zeroshot::normalise;

use crate::{AdapterError, ImageAdaptation, Result};

/// The tower's input for some images, and why others have none.
#[derive(Debug)]
pub struct DecodedImages {
    /// Of the images that could be decoded, in order: (n x 3 x size x size).
    pixels: Vec<f32>,
    /// For each image nothing, or why it is not among the pixels.
    failed: Vec<Option<AdapterError>>,
}

impl DecodedImages {
    /// Reads and decodes images side by side: `read` gives the name that errors call an image by, and
    /// its bytes, which are held no longer than it takes to decode them. An image that cannot be read
    /// or decoded is an error at its own place and does not spoil the others.
    pub fn of<'a, I: Sync>(
        preprocess: &Preprocess,
        images: &'a [I],
        read: impl Fn(&'a I) -> Result<(Cow<'a, str>, Cow<'a, [u8]>)> + Sync,
    ) -> Self {
        let options = preprocess.decoding(&Limits::default());
        let tensors: Vec<Result<Vec<f32>>> = images
            .par_iter()
            .with_max_len(1) // images differ in size: each thread takes the next
            .map(|image| {
                let (name, bytes) = read(image)?;
                let apply = |image| preprocess.apply(&image);
                Ok(decode_then(&bytes, &name, &options, apply)?)
            })
            .collect();
        let side = preprocess.image_size as usize;
        let mut pixels = Vec::with_capacity(images.len() * 3 * side * side);
        let mut failed = Vec::with_capacity(images.len());
        for tensor in tensors {
            failed.push(match tensor {
                Ok(tensor) => {
                    pixels.extend_from_slice(&tensor);
                    None
                }
                Err(error) => Some(error),
            });
        }
        Self { pixels, failed }
    }

    /// Number of images.
    pub fn len(&self) -> usize {
        self.failed.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.failed.is_empty()
    }

    /// Image features under an adaptation, or without any, one vector of [`ImageAdaptation::width`]
    /// numbers for each image.
    pub fn features(
        self,
        clip: &Clip,
        adaptation: Option<&ImageAdaptation>,
        normalised: bool,
    ) -> Vec<Result<Vec<f32>>> {
        let count = self.failed.iter().filter(|failed| failed.is_none()).count();
        let features = match count {
            0 => Ok(Vec::new()),
            _ => ImageAdaptation::features(adaptation, clip, &self.pixels, count),
        };
        let features = match features {
            Ok(features) => features,
            Err(error) => {
                let what = error.to_string();
                let refused = |_| {
                    Err(AdapterError::Incompatible {
                        what: what.clone(),
                        hint: None,
                    })
                };
                return self.failed.into_iter().map(refused).collect();
            }
        };
        let embed = clip.config.embed_dim;
        let mut rows = features.chunks_exact(ImageAdaptation::width(adaptation, embed));
        let mut row = || {
            let mut row = rows.next().map(<[f32]>::to_vec).unwrap_or_default();
            if normalised {
                row.chunks_exact_mut(embed).for_each(normalise);
            }
            row
        };
        self.failed
            .into_iter()
            .map(|failed| match failed {
                None => Ok(row()),
                Some(error) => Err(error),
            })
            .collect()
    }
}
