//! For any processor: the numbers are widened and multiplied as f32.

use super::Epilogue;
use super::product::{Product, TaskBlocks};
use crate::block::{Block, SIDE};
use crate::tile::{TILE, TILE_COLUMNS, TILE_ROWS, halves};
use crate::vector::{Portable, over_vectors, widen as widen_one};

pub(super) fn run(
    product: &Product,
    task: &TaskBlocks,
    sums: &mut [Block],
    epilogue: &impl Epilogue,
) {
    let mut wide = Vec::new();
    product.for_steps(task, |step| {
        let (slice, sums) = (step.slice, &mut sums[step.sums]);
        if step.row == task.rows.start {
            widen(&slice.b(step.column)[..2 * slice.depth * TILE], &mut wide);
        }
        if step.begins {
            sums.0.fill(0.0);
        }
        for (i, sums) in sums.rows_mut().iter_mut().enumerate() {
            let a = &slice.a(step.row)[i / TILE_ROWS * slice.stride()..];
            multiply(&a[i % TILE_ROWS * TILE_COLUMNS..], &wide, sums);
        }
        if step.next.is_none() {
            product.finish::<Portable>(&step, sums, epilogue);
        }
    });
}

/// Rows of 32 floats, from pairs of rows in two tiles.
fn widen(tiles: &[u16], to: &mut Vec<f32>) {
    to.clear();
    for both in tiles.chunks_exact(2 * TILE) {
        for row in 0..SIDE {
            let number = |column: usize| {
                let (tile, column) = (column / TILE_ROWS, column % TILE_ROWS);
                both[tile * TILE + row / 2 * TILE_COLUMNS + 2 * column + row % 2]
            };
            to.extend((0..SIDE).map(|column| widen_one(number(column))));
        }
    }
}

over_vectors! {
    /// Adds the products of one row with the rows of `b`.
    fn multiply<V>(a: &[u16], b: &[f32], sums: &mut [f32; SIDE]) {
        let (low, high) = halves(sums);
        let mut sum = [V::load(low), V::load(high)];
        for (k, b) in b.as_chunks::<SIDE>().0.iter().enumerate() {
            let a = a[k / TILE_COLUMNS * TILE + k % TILE_COLUMNS];
            let a = V::splat(widen_one(a));
            let (low, high) = halves(b);
            sum = [a.mul_add(V::load(low), sum[0]), a.mul_add(V::load(high), sum[1])];
        }
        let (low, high) = sums.split_at_mut(SIDE / 2);
        sum[0].store(low.as_mut_array().expect("half of them"));
        sum[1].store(high.as_mut_array().expect("half of them"));
    }
}
