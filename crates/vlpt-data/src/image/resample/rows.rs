//! The vertical pass.

use super::quad::{HALF, Quad, to_byte};
use crate::image::filter::Taps;

/// Running sums of the output rows that source rows still add to.
pub(super) struct RunningRows {
    sums: Vec<i32>,
    /// Sums in a row: four a pixel.
    line: usize,
    /// Rows of sums: as many output rows as one source row can touch.
    slots: usize,
    /// First output row that is not finished.
    next: usize,
}

impl RunningRows {
    pub(super) fn new(rows: &Taps, width: usize) -> Self {
        let mut slots = 1;
        let mut first = 0;
        for (index, window) in rows.windows.iter().enumerate() {
            while rows.windows[first].start + rows.windows[first].len <= window.start {
                first += 1;
            }
            slots = slots.max(index + 1 - first);
        }
        Self {
            sums: vec![0; slots * width * 4],
            line: width * 4,
            slots,
            next: 0,
        }
    }

    /// Adds source row `row` to every output row that it touches, and writes those it finishes to
    /// `result`, three bytes a pixel. Source rows come in order.
    #[inline(always)]
    pub(super) fn add(&mut self, rows: &Taps, row: usize, pixels: &[Quad], result: &mut [u8]) {
        let pixels = pixels.as_flattened();
        for index in self.next..rows.windows.len() {
            let window = rows.windows[index];
            if window.start > row {
                break;
            }
            let sums = &mut self.sums[(index % self.slots) * self.line..][..self.line];
            if window.start == row {
                sums.fill(HALF);
            }
            let weight = rows.weights_at(index)[row - window.start];
            for (sum, &pixel) in sums.iter_mut().zip(pixels) {
                *sum = sum.wrapping_add(weight.wrapping_mul(i32::from(pixel)));
            }
            if window.start + window.len == row + 1 {
                self.next = index + 1;
                let line = self.line / 4 * 3;
                let out = &mut result[index * line..][..line];
                for (pixel, sum) in out.chunks_exact_mut(3).zip(sums.chunks_exact(4)) {
                    pixel[0] = to_byte(sum[0]);
                    pixel[1] = to_byte(sum[1]);
                    pixel[2] = to_byte(sum[2]);
                }
            }
        }
    }
}
