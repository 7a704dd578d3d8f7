//! Images on their way to the tower: read, decoded and resized, some dozens at a time.

use std::borrow::Cow;

use rayon::prelude::*;
use vlpt_clip::Clip;
use vlpt_data::image::{Limits, Preprocess, RgbImage, decode_then};
use vlpt_methods::zeroshot::normalise;

use crate::{AdapterError, ImageAdaptation, Result};

/// An image as it comes.
#[derive(Debug, Clone)]
pub enum ImageSource<'a> {
    /// The bytes of an image file.
    Encoded(Cow<'a, [u8]>),
    /// Pixels of 8-bit RGB, rows from the top.
    Pixels {
        /// Width in pixels, at least 1.
        width: u32,
        /// Height in pixels, at least 1.
        height: u32,
        /// `height * width * 3` bytes.
        data: &'a [u8],
    },
}

/// The tower's input for some images, and why others have none.
#[derive(Debug)]
pub struct DecodedImages {
    /// Of the images that could be decoded, in order: (n x 3 x size x size).
    pixels: Vec<f32>,
    /// What errors call the images that could be decoded, in order.
    names: Vec<String>,
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
        Self::of_sources(preprocess, images, |image| {
            read(image).map(|(name, bytes)| (name, ImageSource::Encoded(bytes)))
        })
    }

    /// As [`DecodedImages::of`], of images that may be pixels already.
    pub fn of_sources<'a, I: Sync>(
        preprocess: &Preprocess,
        images: &'a [I],
        read: impl Fn(&'a I) -> Result<(Cow<'a, str>, ImageSource<'a>)> + Sync,
    ) -> Self {
        let options = preprocess.decoding(&Limits::default());
        let tensors: Vec<Result<(String, Vec<f32>)>> = images
            .par_iter()
            .with_max_len(1) // images differ in size: each thread takes the next
            .map(|image| {
                let apply = |image| preprocess.apply(&image);
                let (name, tensor) = match read(image)? {
                    (name, ImageSource::Encoded(bytes)) => {
                        let tensor = decode_then(&bytes, &name, &options, apply)?;
                        (name, tensor)
                    }
                    (
                        name,
                        ImageSource::Pixels {
                            width,
                            height,
                            data,
                        },
                    ) => {
                        check_size(&name, width, height, data.len())?;
                        let data = data.to_vec();
                        let tensor = apply(RgbImage {
                            width,
                            height,
                            data,
                        });
                        (name, tensor)
                    }
                };
                Ok((name.into_owned(), tensor))
            })
            .collect();
        let side = preprocess.image_size as usize;
        let mut pixels = Vec::with_capacity(images.len() * 3 * side * side);
        let mut names = Vec::with_capacity(images.len());
        let mut failed = Vec::with_capacity(images.len());
        for tensor in tensors {
            failed.push(match tensor {
                Ok((name, tensor)) => {
                    pixels.extend_from_slice(&tensor);
                    names.push(name);
                    None
                }
                Err(error) => Some(error),
            });
        }
        Self {
            pixels,
            names,
            failed,
        }
    }

    /// Number of images.
    pub fn len(&self) -> usize {
        self.failed.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.failed.is_empty()
    }

    /// The tower's input of the images that could be decoded, in order (n x 3 x size x size, each as
    /// [`Preprocess::apply`] gives it), and for each image nothing, or why it is not there.
    pub fn into_parts(self) -> (Vec<f32>, Vec<Option<AdapterError>>) {
        (self.pixels, self.failed)
    }

    /// Image features under an adaptation, or without any, one vector of [`ImageAdaptation::width`]
    /// numbers for each image. An image whose features are no numbers is an error at its own place.
    pub fn features(
        self,
        clip: &Clip,
        adaptation: Option<&ImageAdaptation>,
        normalised: bool,
    ) -> Vec<Result<Vec<f32>>> {
        let count = self.names.len();
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
        let rows = features.chunks_exact(ImageAdaptation::width(adaptation, embed));
        let mut rows = rows.zip(self.names);
        let mut row = || {
            let (row, name) = rows.next().unwrap_or_default();
            if row.iter().any(|value| !value.is_finite()) {
                return Err(AdapterError::NotFinite {
                    what: format!("the features of {name}"),
                });
            }
            let mut row = row.to_vec();
            if normalised {
                row.chunks_exact_mut(embed).for_each(normalise);
            }
            Ok(row)
        };
        self.failed
            .into_iter()
            .map(|failed| match failed {
                None => row(),
                Some(error) => Err(error),
            })
            .collect()
    }
}

/// Refuses pixels that are not as many as the size says, and an image without any.
fn check_size(name: &str, width: u32, height: u32, bytes: usize) -> Result<()> {
    let expected = 3 * u64::from(width) * u64::from(height);
    if expected > 0 && bytes as u64 == expected {
        return Ok(());
    }
    Err(AdapterError::Incompatible {
        what: format!(
            "{name}: {bytes} bytes of pixels for {width} x {height}: expected {expected}, and at least one pixel"
        ),
        hint: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn features_that_are_no_numbers_are_an_error_of_their_image() {
        let clip = Clip::mini();
        let preprocess = Preprocess {
            image_size: clip.config.vision.image_size as u32,
            std: [1e-45; 3],
            ..Preprocess::default()
        };
        let png = RgbImage::filled(9, 7, [200; 3]).png().unwrap();
        let of = DecodedImages::of(&preprocess, &["a.png", "b.png"], |name| {
            Ok(((*name).into(), (&png).into()))
        });
        let features = of.features(&clip, None, true);
        let errors = features.into_iter().map(|row| row.unwrap_err().to_string());
        let expected = ["a.png", "b.png"]
            .map(|name| format!("the features of {name} became no number (NaN or infinite)"));
        assert_eq!(errors.collect::<Vec<String>>(), expected);
    }

    #[test]
    fn pixels_are_taken_as_a_file_of_them_is() {
        let image = RgbImage {
            width: 9,
            height: 7,
            data: (0..189).map(|value| value as u8).collect(),
        };
        let png = image.png().unwrap();
        let preprocess = Preprocess {
            image_size: 4,
            ..Preprocess::default()
        };
        let pixels = |width| ImageSource::Pixels {
            width,
            height: 7,
            data: &image.data,
        };
        let given = [ImageSource::Encoded(Cow::from(&png)), pixels(9), pixels(8)];
        let (tensors, failed) = DecodedImages::of_sources(&preprocess, &given, |source| {
            Ok(("image".into(), source.clone()))
        })
        .into_parts();
        assert_eq!(tensors.len(), 2 * 48);
        assert_eq!(tensors[..48], tensors[48..]);
        let failed: Vec<String> = failed.iter().flatten().map(ToString::to_string).collect();
        let [refused] = &failed[..] else {
            panic!("{failed:?}");
        };
        assert!(
            refused.contains("189 bytes of pixels for 8 x 7"),
            "{refused}"
        );
    }
}
