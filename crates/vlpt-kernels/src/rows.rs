//! Rows of floats: work over fixed blocks of them, whatever the number of threads, gathering and adding.

use crate::simd::vectorised;
use crate::threads::{Parts, for_parts};

/// Rows of one task of a row-wise kernel.
const ROWS: usize = 16;

/// Calls `work(first row, rows of y)` for fixed blocks of rows of `y` (rows x width), in parallel.
///
/// # Panics
/// When `width` is 0.
pub fn for_blocks(y: &mut [f32], width: usize, work: impl Fn(usize, &mut [f32]) + Sync) {
    let blocks = Parts::new(y, ROWS * width);
    for_parts(&blocks, |block, y| work(block * ROWS, y));
}

/// Copies the rows `rows` of `x` (rows x width) into `y`, in that order.
///
/// # Panics
/// When a row is not there or `y` is not `rows.len() x width`.
pub fn gather_rows(x: &[f32], width: usize, rows: &[u32], y: &mut [f32]) {
    assert_eq!(y.len(), rows.len() * width, "gathered rows");
    for (y, &row) in y.chunks_exact_mut(width).zip(rows) {
        y.copy_from_slice(&x[row as usize * width..][..width]);
    }
}

/// Adds the rows of `x` to the rows `rows` of `y` (rows x width), in that order.
///
/// # Panics
/// When a row is not there or `x` is not `rows.len() x width`.
pub fn scatter_add_rows(x: &[f32], width: usize, rows: &[u32], y: &mut [f32]) {
    assert_eq!(x.len(), rows.len() * width, "scattered rows");
    for (x, &row) in x.chunks_exact(width).zip(rows) {
        add(&mut y[row as usize * width..][..width], x);
    }
}

vectorised! {
    /// `y += x`
    ///
    /// # Panics
    /// When the lengths differ.
    pub fn add(y: &mut [f32], x: &[f32]) {
        assert_eq!(x.len(), y.len(), "lengths of a sum");
        for (y, x) in y.iter_mut().zip(x) {
            *y += x;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scattering_what_was_gathered_adds_each_row_once_more() {
        let x: Vec<f32> = (0..12).map(|i| i as f32).collect();
        let mut picked = vec![0.0; 6];
        gather_rows(&x, 3, &[2, 0], &mut picked);
        assert_eq!(picked, [6.0, 7.0, 8.0, 0.0, 1.0, 2.0]);
        let mut y = x.clone();
        scatter_add_rows(&picked, 3, &[2, 0], &mut y);
        assert_eq!(
            y,
            [
                0.0, 2.0, 4.0, 3.0, 4.0, 5.0, 12.0, 14.0, 16.0, 9.0, 10.0, 11.0
            ]
        );
    }
}
