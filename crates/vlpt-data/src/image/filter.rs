//! Resampling weights, as Pillow computes them for 8-bit images: f64 weights of an antialiased
//! filter, normalised, then rounded to 22-bit fixed point.

use serde::{Deserialize, Serialize};

/// Bits behind the point of a weight: 32 less 8 for the pixel and 2 for overshoot.
pub(super) const PRECISION_BITS: u32 = 32 - 8 - 2;

/// The resampling filter, antialiased when scaling down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Interpolation {
    /// Cubic convolution with a = -0.5, support 2.
    Bicubic,
    /// Triangle filter, support 1.
    Bilinear,
}

/// Weights of one output pixel over a run of input pixels.
#[derive(Debug, Clone, Copy)]
pub(super) struct Window {
    /// First input pixel.
    pub(super) start: usize,
    /// Number of input pixels.
    pub(super) len: usize,
}

/// Weights of a run of output pixels along one axis.
#[derive(Debug)]
pub(super) struct Taps {
    /// One window for each output pixel.
    pub(super) windows: Vec<Window>,
    /// `stride` weights for each output pixel; those past the window are zero.
    pub(super) weights: Vec<i32>,
    /// Weights kept for each output pixel: the longest window.
    pub(super) stride: usize,
}

impl Taps {
    /// Weights for `count` output pixels from `first` of an axis resized from `from` to `to` pixels.
    pub(super) fn new(
        filter: Interpolation,
        from: u32,
        to: u32,
        first: usize,
        count: usize,
    ) -> Self {
        let scale = f64::from(from) / f64::from(to);
        let filter_scale = scale.max(1.0);
        let support = filter.support() * filter_scale;
        let inverse = 1.0 / filter_scale;
        let window = |xx: usize| {
            let center = (xx as f64 + 0.5) * scale;
            let start = (center - support + 0.5).max(0.0) as usize;
            let end = ((center + support + 0.5) as usize).min(from as usize);
            (
                center,
                Window {
                    start,
                    len: end - start,
                },
            )
        };
        let windows: Vec<Window> = (first..first + count).map(|xx| window(xx).1).collect();
        let stride = windows.iter().map(|w| w.len).max().unwrap_or(0);
        let mut weights = vec![0; stride * count];
        let mut exact = vec![0.0_f64; stride];
        for (row, xx) in weights.chunks_exact_mut(stride.max(1)).zip(first..) {
            let (center, window) = window(xx);
            let mut sum = 0.0;
            for (x, weight) in exact[..window.len].iter_mut().enumerate() {
                *weight = filter.at(((x + window.start) as f64 - center + 0.5) * inverse);
                sum += *weight;
            }
            for (fixed, weight) in row.iter_mut().zip(&exact[..window.len]) {
                *fixed = to_fixed(if sum == 0.0 { *weight } else { *weight / sum });
            }
        }
        Self {
            windows,
            weights,
            stride,
        }
    }

    /// The weights of output pixel `index` of this run, as long as its window.
    pub(super) fn weights_at(&self, index: usize) -> &[i32] {
        &self.weights[index * self.stride..][..self.windows[index].len]
    }

    /// First input pixel any window needs, and the one after the last.
    pub(super) fn reach(&self) -> (usize, usize) {
        let start = self.windows.iter().map(|w| w.start).min().unwrap_or(0);
        let end = self
            .windows
            .iter()
            .map(|w| w.start + w.len)
            .max()
            .unwrap_or(0);
        (start, end)
    }
}

/// A weight in fixed point, halves away from zero.
fn to_fixed(weight: f64) -> i32 {
    let scaled = weight * f64::from(1_u32 << PRECISION_BITS);
    if weight < 0.0 {
        (scaled - 0.5) as i32
    } else {
        (scaled + 0.5) as i32
    }
}

impl Interpolation {
    /// Half the width of the filter, in input pixels when scaling up.
    fn support(self) -> f64 {
        match self {
            Self::Bicubic => 2.0,
            Self::Bilinear => 1.0,
        }
    }

    /// The filter at a distance from its centre. The order of operations is part of the result.
    fn at(self, x: f64) -> f64 {
        const A: f64 = -0.5;
        let x = x.abs();
        match self {
            Self::Bicubic if x < 1.0 => ((A + 2.0) * x - (A + 3.0)) * x * x + 1.0,
            Self::Bicubic if x < 2.0 => (((x - 5.0) * x + 8.0) * x - 4.0) * A,
            Self::Bilinear if x < 1.0 => 1.0 - x,
            _ => 0.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_of_every_pixel_add_up_to_one() {
        for (from, to) in [(500, 224), (32, 224), (1, 7), (7, 1), (224, 224), (3, 1000)] {
            for filter in [Interpolation::Bicubic, Interpolation::Bilinear] {
                let taps = Taps::new(filter, from, to, 0, to as usize);
                for i in 0..to as usize {
                    let sum: i32 = taps.weights_at(i).iter().sum();
                    let off = (sum - (1 << PRECISION_BITS)).unsigned_abs() as usize;
                    assert!(
                        off <= taps.weights_at(i).len(),
                        "{from} to {to}, pixel {i}: off by {off}"
                    );
                }
            }
        }
    }

    #[test]
    fn a_part_of_an_axis_has_the_weights_of_the_whole() {
        let whole = Taps::new(Interpolation::Bicubic, 500, 224, 0, 224);
        let part = Taps::new(Interpolation::Bicubic, 500, 224, 37, 100);
        for i in 0..100 {
            assert_eq!(part.weights_at(i), whole.weights_at(i + 37));
            assert_eq!(part.windows[i].start, whole.windows[i + 37].start);
        }
    }

    #[test]
    fn same_size_is_the_identity() {
        let taps = Taps::new(Interpolation::Bicubic, 9, 9, 0, 9);
        for i in 0..9 {
            for (x, &weight) in taps.weights_at(i).iter().enumerate() {
                let own = taps.windows[i].start + x == i;
                assert_eq!(weight, if own { 1 << PRECISION_BITS } else { 0 });
            }
        }
    }
}
