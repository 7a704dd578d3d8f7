//! The training view: a random crop, resized, perhaps mirrored.

use super::preprocess::Preprocess;
use super::resample::{Area, resample};
use super::rgb::RgbImage;
use crate::rng::CPython;
use serde::{Deserialize, Serialize};

/// Crops tried before the centre is taken.
const TRIES: usize = 10;

/// A random view of an image: torchvision's `RandomResizedCrop` and `RandomHorizontalFlip`.
///
/// The distribution is torchvision's; the numbers come from CPython's generator and not from
/// torch's, so the crops of one seed differ from a PyTorch run with that seed.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Augment {
    /// Range of the crop's share of the image's area.
    pub scale: (f64, f64),
    /// Range of the crop's width over its height, drawn log-uniformly.
    pub ratio: (f64, f64),
    /// Probability of a horizontal flip.
    pub flip: f64,
}

impl Default for Augment {
    fn default() -> Self {
        Self {
            scale: (0.08, 1.0),
            ratio: (3.0 / 4.0, 4.0 / 3.0),
            flip: 0.5,
        }
    }
}

impl Augment {
    /// One random view as a normalised tensor of `3 * image_size * image_size` values: the crop is
    /// resized to the square with the filter of `pre`, whose resize mode plays no part.
    pub fn apply(&self, pre: &Preprocess, image: &RgbImage, rng: &mut CPython) -> Vec<f32> {
        pre.normalise(&self.pixels(pre, image, rng))
    }

    /// One random view as pixels, `image_size` x `image_size`.
    pub fn pixels(&self, pre: &Preprocess, image: &RgbImage, rng: &mut CPython) -> RgbImage {
        let area = self.crop(image.width, image.height, rng);
        let n = pre.image_size;
        let mut view = resample(
            image,
            area,
            (n, n),
            Area::whole(n, n),
            pre.interpolation,
            pre.resize_order,
        );
        if rng.random() < self.flip {
            view.mirror();
        }
        view
    }

    /// Draws the crop. Each try draws area, ratio and, when it fits, top and left.
    fn crop(&self, width: u32, height: u32, rng: &mut CPython) -> Area {
        let (w, h) = (f64::from(width), f64::from(height));
        let log_ratio = (self.ratio.0.ln(), self.ratio.1.ln());
        for _ in 0..TRIES {
            let area = w * h * rng.uniform(self.scale.0, self.scale.1);
            let ratio = rng.uniform(log_ratio.0, log_ratio.1).exp();
            let crop_width = (area * ratio).sqrt().round_ties_even();
            let crop_height = (area / ratio).sqrt().round_ties_even();
            if (1.0..=w).contains(&crop_width) && (1.0..=h).contains(&crop_height) {
                let (crop_width, crop_height) = (crop_width as u32, crop_height as u32);
                let y = rng.randbelow(u64::from(height - crop_height) + 1) as u32;
                let x = rng.randbelow(u64::from(width - crop_width) + 1) as u32;
                return Area {
                    x,
                    y,
                    width: crop_width,
                    height: crop_height,
                };
            }
        }
        self.centre(width, height)
    }

    /// The largest centre crop whose ratio lies in range.
    fn centre(&self, width: u32, height: u32) -> Area {
        let (w, h) = (f64::from(width), f64::from(height));
        let side = |x: f64, most: u32| (x.round_ties_even() as u32).clamp(1, most);
        let (crop_width, crop_height) = if w / h < self.ratio.0 {
            (width, side(w / self.ratio.0, height))
        } else if w / h > self.ratio.1 {
            (side(h * self.ratio.1, width), height)
        } else {
            (width, height)
        };
        let (x, y) = ((width - crop_width) / 2, (height - crop_height) / 2);
        Area {
            x,
            y,
            width: crop_width,
            height: crop_height,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wide_image_falls_back_to_the_widest_centre_crop() {
        let area = Augment::default().centre(1000, 30);
        assert_eq!(
            area,
            Area {
                x: 480,
                y: 0,
                width: 40,
                height: 30
            }
        );
        let area = Augment::default().centre(1, 1000);
        assert_eq!((area.width, area.height), (1, 1));
    }

    #[test]
    fn crops_stay_inside_and_keep_area_and_ratio() {
        let augment = Augment::default();
        let mut rng = CPython::new(0);
        for (width, height) in [(500, 375), (32, 32), (7, 300), (1, 1)] {
            for _ in 0..200 {
                let a = augment.crop(width, height, &mut rng);
                assert!(a.width > 0 && a.height > 0);
                assert!(a.x + a.width <= width && a.y + a.height <= height, "{a:?}");
                if width >= 300 {
                    let share = f64::from(a.width * a.height) / f64::from(width * height);
                    assert!((0.07..=1.0).contains(&share), "{a:?}");
                    let ratio = f64::from(a.width) / f64::from(a.height);
                    assert!((0.73..1.37).contains(&ratio), "{a:?}");
                }
            }
        }
    }

    #[test]
    fn half_of_the_views_are_mirrored_and_a_seed_repeats() {
        let mut image = RgbImage::filled(2, 1, [0; 3]);
        image.data[..3].copy_from_slice(&[255; 3]);
        let whole = Augment {
            scale: (1.0, 1.0),
            ratio: (2.0, 2.0),
            flip: 0.5,
        };
        let pre = Preprocess {
            image_size: 2,
            ..Preprocess::default()
        };
        let draw = |seed| {
            let mut rng = CPython::new(seed);
            (0..1000)
                .map(|_| whole.pixels(&pre, &image, &mut rng).data[0])
                .collect::<Vec<_>>()
        };
        let views = draw(3);
        let mirrored = views
            .iter()
            .map(|&left| usize::from(left == 0))
            .sum::<usize>();
        assert!((430..570).contains(&mirrored), "{mirrored} of 1000");
        assert_eq!(views, draw(3));
        assert_ne!(views, draw(4));
    }
}
