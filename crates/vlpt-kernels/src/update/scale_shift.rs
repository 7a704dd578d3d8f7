//! A factor and a term for each column, behind a frozen layer.

use super::{Columns, ROWS, add_parts};
use crate::arena::Arena;
use crate::simd::vectorised;
use crate::threads::{Parts, for_both_parts, for_parts};

/// `y scale + shift` of rows `y`, column by column, after Lian et al., "Scaling & Shifting Your
/// Features" (2022).
#[derive(Clone, Copy, Debug)]
pub struct ScaleShift<'a> {
    /// A factor for each column.
    pub scale: &'a [f32],
    /// A term for each column.
    pub shift: &'a [f32],
}

impl ScaleShift<'_> {
    /// Replaces some columns of the rows of `y`.
    ///
    /// # Panics
    /// When sizes do not fit.
    pub fn forward(&self, y: &mut [f32], columns: Columns) {
        self.check(y, columns);
        for_parts(&Parts::new(y, ROWS * columns.width), |_, y| {
            for y in y.chunks_exact_mut(columns.width) {
                let own = &mut y[columns.first..][..self.scale.len()];
                scale_and_shift(own, self.scale, self.shift);
            }
        });
    }

    /// Given `y` as it was before [`ScaleShift::forward`] and the gradient `dy` of what came out,
    /// turns some columns of `dy` into the gradient of `y` and adds the gradients of scale and shift.
    ///
    /// # Panics
    /// When sizes do not fit.
    pub fn backward(
        &self,
        arena: &Arena,
        y: &[f32],
        dy: &mut [f32],
        columns: Columns,
        (d_scale, d_shift): (&mut [f32], &mut [f32]),
    ) {
        let rows = self.check(dy, columns);
        let width = self.scale.len();
        assert!(
            y.len() == dy.len() && d_scale.len() == width && d_shift.len() == width,
            "gradients of scale and shift"
        );
        if rows == 0 {
            return;
        }
        let mut sums = arena.floats(rows.div_ceil(ROWS) * 2 * width);
        let parts = Parts::new(&mut sums, 2 * width);
        let dy = Parts::new(dy, ROWS * columns.width);
        for_both_parts(&parts, &dy, |i, sums, dy| {
            sums.fill(0.0);
            let (d_scale, d_shift) = sums.split_at_mut(width);
            let y = y[i * ROWS * columns.width..].chunks_exact(columns.width);
            for (dy, y) in dy.chunks_exact_mut(columns.width).zip(y) {
                let (dy, y) = (
                    &mut dy[columns.first..][..width],
                    &y[columns.first..][..width],
                );
                add_product(d_scale, dy, y);
                crate::add(d_shift, dy);
                for (dy, scale) in dy.iter_mut().zip(self.scale) {
                    *dy *= scale;
                }
            }
        });
        add_parts(&sums, &mut [d_scale, d_shift]);
    }

    fn check(&self, y: &[f32], columns: Columns) -> usize {
        assert_eq!(self.scale.len(), self.shift.len(), "scale and shift");
        columns.rows(y, self.scale.len())
    }
}

vectorised! {
    fn scale_and_shift(y: &mut [f32], scale: &[f32], shift: &[f32]) {
        for ((y, scale), shift) in y.iter_mut().zip(scale).zip(shift) {
            *y = y.mul_add(*scale, *shift);
        }
    }
}

vectorised! {
    fn add_product(sum: &mut [f32], a: &[f32], b: &[f32]) {
        for ((sum, a), b) in sum.iter_mut().zip(a).zip(b) {
            *sum = a.mul_add(*b, *sum);
        }
    }
}
