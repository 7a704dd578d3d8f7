//! Activations of floats that did not come out of a product just now.

use crate::Activation;
use crate::matrix::Matrix;
use crate::precision::Precision;
use crate::threads::for_parts;
use crate::tile::{RowStore, TILE_COLUMNS, halves, rows_of_tiles, tile_rows};
use crate::vector::{Vector, over_vectors};

impl Activation {
    /// `y = activation(x)`, with the bits of
    /// [`Linear::forward_activated`](crate::Linear::forward_activated) of a product `x`; `x`: rows x
    /// width, `y` of that size.
    ///
    /// # Panics
    /// When sizes do not fit.
    pub fn forward_rows(self, x: &[f32], y: &mut Matrix) {
        let (rows, width) = (y.rows(), y.width());
        assert_eq!(x.len(), rows * width, "rows of an activation");
        match y.precision() {
            Precision::F32 => self.forward(x, y.floats_mut()),
            Precision::Bf16 => for_parts(&tile_rows(y.tiles_mut(), width, rows), |i, tiles| {
                round_activated(self, rows_of_tiles(x, width, i), width, tiles);
            }),
        }
    }

    /// The activation's derivative at `x`, likewise.
    ///
    /// # Panics
    /// As above.
    pub fn derivative_rows(self, x: &[f32], y: &mut Matrix) {
        let (rows, width) = (y.rows(), y.width());
        assert_eq!(x.len(), rows * width, "rows of an activation");
        match y.precision() {
            Precision::F32 => {
                let y = y.floats_mut();
                y.copy_from_slice(x);
                self.derivative(y);
            }
            Precision::Bf16 => for_parts(&tile_rows(y.tiles_mut(), width, rows), |i, tiles| {
                round_derivatives(self, rows_of_tiles(x, width, i), width, tiles);
            }),
        }
    }
}

over_vectors! {
    fn round_activated<V>(activation: Activation, floats: &[f32], width: usize, tiles: &mut [u16]) {
        round_mapped::<V>(floats, width, tiles, |x| activation.of(x));
    }
}

over_vectors! {
    fn round_derivatives<V>(activation: Activation, floats: &[f32], width: usize, tiles: &mut [u16]) {
        round_mapped::<V>(floats, width, tiles, |x| activation.with_derivative(x).1);
    }
}

/// What `map` makes of up to 16 rows, rounded into their tiles; past the width there are zeros.
#[inline(always)]
fn round_mapped<V: Vector>(floats: &[f32], width: usize, tiles: &mut [u16], map: impl Fn(V) -> V) {
    for (row, floats) in floats.chunks_exact(width).enumerate() {
        let mut store = RowStore::new(tiles, width, row);
        for (tile, part) in floats.chunks(TILE_COLUMNS).enumerate() {
            let mut whole = [0.0; TILE_COLUMNS];
            whole[..part.len()].copy_from_slice(part);
            let (low, high) = halves(&whole);
            let (low, high) = (map(V::load(low)), map(V::load(high)));
            if part.len() == TILE_COLUMNS {
                store.put(tile, low, high);
                continue;
            }
            // an activation's derivative at 0 is not 0
            let mut mapped = [0.0; TILE_COLUMNS];
            let (first, second) = mapped.split_at_mut(TILE_COLUMNS / 2);
            low.store(first.as_mut_array().expect("half of them"));
            high.store(second.as_mut_array().expect("half of them"));
            mapped[part.len()..].fill(0.0);
            let (low, high) = halves(&mapped);
            store.put(tile, V::load(low), V::load(high));
        }
    }
}
