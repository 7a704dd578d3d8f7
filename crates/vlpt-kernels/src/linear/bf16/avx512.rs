//! With AVX-512's products of bf16 pairs.

use std::arch::x86_64::{
    __m512, __m512bh, __m512i, _mm512_dpbf16_ps, _mm512_loadu_ps, _mm512_loadu_si512,
    _mm512_set1_epi32, _mm512_setzero_ps, _mm512_storeu_ps,
};

use super::Epilogue;
use super::product::{Product, TaskBlocks};
use crate::block::{Block, SIDE};
use crate::tile::{TILE, TILE_COLUMNS, TILE_ROWS};
use crate::vector::Avx512;

/// Rows whose sums are in registers at once: with two vectors a row, and the two of the weights,
/// they leave room for what is multiplied.
const ROWS: usize = 8;

/// # Safety
/// The processor has [`Isa::Avx512Bf16`](crate::Isa::Avx512Bf16).
#[target_feature(enable = "avx2,fma,avx512f,avx512bw,avx512dq,avx512vl,avx512bf16")]
pub(super) unsafe fn run(
    product: &Product,
    task: &TaskBlocks,
    sums: &mut [Block],
    epilogue: &impl Epilogue,
) {
    product.for_steps(task, |step| {
        let (slice, sums) = (step.slice, &mut sums[step.sums]);
        let b = &slice.b(step.column)[..2 * slice.depth * TILE];
        let a = slice.a(step.row);
        for part in 0..SIDE / ROWS {
            let tiles = &a[part * ROWS / TILE_ROWS * slice.stride()..][..slice.depth * TILE];
            let a = &tiles[part * ROWS % TILE_ROWS * TILE_COLUMNS..];
            let c = &mut sums.0[part * ROWS * SIDE..][..ROWS * SIDE];
            let c = c.as_mut_array().expect("rows of a block");
            multiply(a, b, !step.begins, c);
        }
        if step.next.is_none() {
            product.finish::<Avx512>(&step, sums, epilogue);
        }
    });
}

/// `c = a b` or `c += a b` for 8 rows and 32 columns; `a` starts at the first row's first number of
/// a row of tiles, `b` is all of its tiles.
#[target_feature(enable = "avx512f,avx512bf16")]
fn multiply(a: &[u16], b: &[u16], add: bool, c: &mut [f32; ROWS * SIDE]) {
    let tiles = b.len() / (2 * TILE);
    assert!(
        tiles > 0 && a.len() >= (tiles - 1) * TILE + (ROWS - 1) * TILE_COLUMNS + TILE_COLUMNS,
        "rows of a product"
    );
    let mut sums = [[_mm512_setzero_ps(); 2]; ROWS];
    if add {
        for (sums, c) in sums.iter_mut().zip(c.as_chunks::<SIDE>().0) {
            // SAFETY: 32 floats are read of 32.
            *sums = unsafe {
                [
                    _mm512_loadu_ps(c.as_ptr()),
                    _mm512_loadu_ps(c[16..].as_ptr()),
                ]
            };
        }
    }
    for tile in 0..tiles {
        for pair in 0..TILE_ROWS {
            // SAFETY: both halves of a pair of rows lie in the two tiles, `tile` being one of
            // those that `b` holds.
            let right = unsafe {
                let at = b.as_ptr().add(2 * tile * TILE + pair * TILE_COLUMNS);
                [load(at), load(at.add(TILE))]
            };
            for (i, sums) in sums.iter_mut().enumerate() {
                // SAFETY: pair `pair` of row i of a tile that `a` holds, by the assertion.
                let left = unsafe {
                    let at = a.as_ptr().add(tile * TILE + i * TILE_COLUMNS + 2 * pair);
                    bf16(_mm512_set1_epi32(at.cast::<i32>().read_unaligned()))
                };
                for (sum, right) in sums.iter_mut().zip(right) {
                    *sum = _mm512_dpbf16_ps(*sum, left, right);
                }
            }
        }
    }
    for (sums, c) in sums.iter().zip(c.as_chunks_mut::<SIDE>().0) {
        // SAFETY: 32 floats are written of 32.
        unsafe { store(*sums, c.as_mut_ptr()) };
    }
}

/// # Safety
/// 32 numbers are there.
#[target_feature(enable = "avx512f,avx512bf16")]
unsafe fn load(at: *const u16) -> __m512bh {
    // SAFETY: the caller's promise.
    bf16(unsafe { _mm512_loadu_si512(at.cast()) })
}

/// # Safety
/// 32 floats are there.
#[target_feature(enable = "avx512f")]
unsafe fn store(sums: [__m512; 2], at: *mut f32) {
    // SAFETY: the caller's promise.
    unsafe {
        _mm512_storeu_ps(at, sums[0]);
        _mm512_storeu_ps(at.add(16), sums[1]);
    }
}

#[inline(always)]
fn bf16(bits: __m512i) -> __m512bh {
    // SAFETY: 512 bits both, and every pattern is 32 bf16 numbers.
    unsafe { std::mem::transmute::<__m512i, __m512bh>(bits) }
}
