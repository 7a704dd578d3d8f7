//! Pillow's resampler for 8-bit RGB: horizontal pass, rounding to 8 bits, vertical pass.
//!
//! The sums are i32 and exact, so their order and the width of the SIMD registers change nothing.
//! Only the part of the result that is asked for is computed, and source rows are streamed into
//! running sums, so memory depends on the result's size and never on the aspect ratio.

use super::filter::{PRECISION_BITS, Taps};
use super::{Interpolation, RgbImage};

/// A half in fixed point: where a sum starts, so that dropping the fraction rounds.
const HALF: i32 = 1 << (PRECISION_BITS - 1);

/// Rows that go through the horizontal pass together, to share the loading of weights.
const ROWS: usize = 4;

/// A rectangle of pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Area {
    /// Left edge.
    pub(super) x: u32,
    /// Top edge.
    pub(super) y: u32,
    /// Width.
    pub(super) width: u32,
    /// Height.
    pub(super) height: u32,
}

impl Area {
    /// All of an image of this size.
    pub(super) fn whole(width: u32, height: u32) -> Self {
        Self {
            x: 0,
            y: 0,
            width,
            height,
        }
    }
}

/// Crops `source` out of the image, resizes it to `size` (width, height), and gives the `keep` part
/// of that. `source` lies inside the image, `keep` inside `size`; nothing is empty.
pub(super) fn resample(
    image: &RgbImage,
    source: Area,
    size: (u32, u32),
    keep: Area,
    filter: Interpolation,
) -> RgbImage {
    let columns = Columns::new(Taps::new(
        filter,
        source.width,
        size.0,
        keep.x as usize,
        keep.width as usize,
    ));
    let rows = Taps::new(
        filter,
        source.height,
        size.1,
        keep.y as usize,
        keep.height as usize,
    );
    let mut result = RgbImage::filled(keep.width, keep.height, [0; 3]);
    pulp::Arch::new().dispatch(|| run(image, source, &columns, &rows, &mut result.data));
    result
}

/// Both passes, band of rows by band of rows.
#[inline(always)]
fn run(image: &RgbImage, source: Area, columns: &Columns, rows: &Taps, result: &mut [u8]) {
    let pitch = image.width as usize * 3;
    let left = (source.x as usize + columns.first) * 3;
    let (from, to) = rows.reach();
    let line = columns.windows.len() * 3;
    let mut band = vec![0_u8; ROWS * line];
    let mut quads = vec![0_u8; ROWS * columns.quad_bytes()];
    let mut sums = RunningRows::new(rows, line);
    let mut row = from;
    while row < to {
        let count = ROWS.min(to - row);
        for (r, quad) in quads
            .chunks_exact_mut(columns.quad_bytes())
            .take(count)
            .enumerate()
        {
            let start = (source.y as usize + row + r) * pitch + left;
            let pixels = &image.data[start..][..columns.span * 3];
            for (four, three) in quad.chunks_exact_mut(4).zip(pixels.chunks_exact(3)) {
                four[0] = three[0];
                four[1] = three[1];
                four[2] = three[2];
            }
        }
        columns.apply(&quads, &mut band);
        for (r, pixels) in band.chunks_exact(line).take(count).enumerate() {
            sums.add(rows, row + r, pixels, result);
        }
        row += count;
    }
}

/// The horizontal pass: weights in pairs, each repeated over the four bytes of a padded pixel.
struct Columns {
    /// Window starts, counted from `first`.
    windows: Vec<usize>,
    /// `pairs` weight pairs for each output pixel.
    weights: Vec<[i32; 2]>,
    /// Weight pairs kept for each output pixel.
    pairs: usize,
    /// First input pixel needed.
    first: usize,
    /// Number of input pixels needed from there.
    span: usize,
}

impl Columns {
    fn new(taps: Taps) -> Self {
        let (first, end) = taps.reach();
        let pairs = taps.stride.div_ceil(2);
        let mut weights = vec![[0; 2]; pairs * taps.windows.len()];
        for (to, from) in weights
            .chunks_exact_mut(pairs)
            .zip(taps.weights.chunks_exact(taps.stride))
        {
            for (pair, two) in to.iter_mut().zip(from.chunks(2)) {
                pair[..two.len()].copy_from_slice(two);
            }
        }
        let windows = taps.windows.iter().map(|w| w.start - first).collect();
        Self {
            windows,
            weights,
            pairs,
            first,
            span: end - first,
        }
    }

    /// Bytes of a source row with four bytes a pixel, and room for weights past the last pixel.
    fn quad_bytes(&self) -> usize {
        (self.span + 2 * self.pairs) * 4
    }

    /// Resizes `ROWS` padded rows into `band`, three bytes a pixel.
    #[inline(always)]
    fn apply(&self, quads: &[u8], band: &mut [u8]) {
        let bytes = self.quad_bytes();
        let line = self.windows.len() * 3;
        let (q0, rest) = quads.split_at(bytes);
        let (q1, rest) = rest.split_at(bytes);
        let (q2, q3) = rest.split_at(bytes);
        let (b0, rest) = band.split_at_mut(line);
        let (b1, rest) = rest.split_at_mut(line);
        let (b2, b3) = rest.split_at_mut(line);
        let outputs = b0
            .chunks_exact_mut(3)
            .zip(b1.chunks_exact_mut(3))
            .zip(b2.chunks_exact_mut(3).zip(b3.chunks_exact_mut(3)));
        let inputs = self
            .windows
            .iter()
            .zip(self.weights.chunks_exact(self.pairs));
        for (((o0, o1), (o2, o3)), (&start, weights)) in outputs.zip(inputs) {
            let window = start * 4..start * 4 + self.pairs * 8;
            let mut sums = [[0_i32; 8]; ROWS];
            let pixels = (q0[window.clone()]
                .chunks_exact(8)
                .zip(q1[window.clone()].chunks_exact(8)))
            .zip(
                q2[window.clone()]
                    .chunks_exact(8)
                    .zip(q3[window].chunks_exact(8)),
            );
            for (pair, ((p0, p1), (p2, p3))) in weights.iter().zip(pixels) {
                let [a, b] = *pair;
                let weight = [a, a, a, a, b, b, b, b];
                for i in 0..8 {
                    sums[0][i] = sums[0][i].wrapping_add(weight[i].wrapping_mul(i32::from(p0[i])));
                    sums[1][i] = sums[1][i].wrapping_add(weight[i].wrapping_mul(i32::from(p1[i])));
                    sums[2][i] = sums[2][i].wrapping_add(weight[i].wrapping_mul(i32::from(p2[i])));
                    sums[3][i] = sums[3][i].wrapping_add(weight[i].wrapping_mul(i32::from(p3[i])));
                }
            }
            for (out, sum) in [o0, o1, o2, o3].into_iter().zip(sums) {
                for c in 0..3 {
                    out[c] = to_byte(HALF.wrapping_add(sum[c]).wrapping_add(sum[c + 4]));
                }
            }
        }
    }
}

/// The vertical pass: running sums of the output rows that source rows still add to.
struct RunningRows {
    sums: Vec<i32>,
    line: usize,
    slots: usize,
    /// First output row that is not finished.
    next: usize,
}

impl RunningRows {
    fn new(rows: &Taps, line: usize) -> Self {
        let mut slots = 1;
        let mut first = 0;
        for (index, window) in rows.windows.iter().enumerate() {
            while rows.windows[first].start + rows.windows[first].len <= window.start {
                first += 1;
            }
            slots = slots.max(index + 1 - first);
        }
        Self {
            sums: vec![0; slots * line],
            line,
            slots,
            next: 0,
        }
    }

    /// Adds source row `row` to every output row that it touches, and writes those it finishes.
    #[inline(always)]
    fn add(&mut self, rows: &Taps, row: usize, pixels: &[u8], result: &mut [u8]) {
        for index in self.next..rows.windows.len() {
            let window = rows.windows[index];
            if window.start > row {
                break;
            }
            let sums = &mut self.sums[(index % self.slots) * self.line..][..self.line];
            if window.start == row {
                sums.fill(HALF);
            }
            let weight = rows.of(index)[row - window.start];
            for (sum, &pixel) in sums.iter_mut().zip(pixels) {
                *sum = sum.wrapping_add(weight.wrapping_mul(i32::from(pixel)));
            }
            if window.start + window.len == row + 1 {
                self.next = index + 1;
                let out = &mut result[index * self.line..][..self.line];
                for (byte, &sum) in out.iter_mut().zip(sums.iter()) {
                    *byte = to_byte(sum);
                }
            }
        }
    }
}

/// A sum back to a pixel: the fraction dropped, clipped to 0..=255.
#[inline(always)]
fn to_byte(sum: i32) -> u8 {
    (sum >> PRECISION_BITS).clamp(0, 255) as u8
}
