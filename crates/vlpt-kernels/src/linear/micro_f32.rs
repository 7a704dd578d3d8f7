//! f32 micro-kernels: a tile of a product, all of it in registers.

#[allow(clippy::wildcard_imports, reason = "instructions by name")]
use std::arch::x86_64::*;

use super::panels::SLAB;

/// A tile of a product, by one kind of instructions.
pub(super) trait MicroKernel {
    /// Most rows of a tile.
    const ROWS: usize;
    /// Columns of a panel and most columns of a tile.
    const COLUMNS: usize;

    /// `c = a b`, or `c += a b`, each element's products summed one after another with fused
    /// multiply-add. `a`: rows x depth with rows [`SLAB`] apart, `b`: depth x [`Self::COLUMNS`]
    /// without gaps, `c`: rows x columns with rows `stride` apart.
    ///
    /// # Safety
    /// The processor has the instructions. `a`, `b` and `c` point to matrices of these shapes, `b`
    /// aligned to 64 bytes; nobody else uses `c` meanwhile. `rows` is from 1 to [`Self::ROWS`], and
    /// `columns` from 1 to [`Self::COLUMNS`].
    unsafe fn tile(shape: Shape, a: *const f32, b: *const f32, c: *mut f32, add: bool);
}

/// The shape of a tile.
#[derive(Clone, Copy)]
pub(super) struct Shape {
    pub(super) rows: usize,
    pub(super) columns: usize,
    pub(super) depth: usize,
    /// From one row of the result to the next.
    pub(super) stride: usize,
}

/// Vectors of 16: 28 of the 32 registers hold sums.
pub(super) struct Avx512;

impl MicroKernel for Avx512 {
    const ROWS: usize = 14;
    const COLUMNS: usize = 32;

    #[inline(always)]
    unsafe fn tile(shape: Shape, a: *const f32, b: *const f32, c: *mut f32, add: bool) {
        macro_rules! by_rows {
            ($($rows:literal)*) => {
                match shape.rows {
                    // SAFETY: the caller's promise.
                    $($rows => unsafe { avx512::<$rows>(shape, a, b, c, add) },)*
                    _ => unreachable!("rows of a tile"),
                }
            };
        }
        by_rows!(1 2 3 4 5 6 7 8 9 10 11 12 13 14);
    }
}

#[target_feature(enable = "avx512f")]
unsafe fn avx512<const ROWS: usize>(
    shape: Shape,
    a: *const f32,
    b: *const f32,
    c: *mut f32,
    add: bool,
) {
    const AHEAD: usize = 16 * 32;
    // SAFETY: all addresses are inside the matrices by the caller's promise; columns past the edge
    // are masked out; a prefetch may point anywhere.
    unsafe {
        for r in 0..ROWS {
            _mm_prefetch::<_MM_HINT_T0>(c.wrapping_add(r * shape.stride).cast());
            _mm_prefetch::<_MM_HINT_T0>(c.wrapping_add(r * shape.stride + 16).cast());
        }
        let mut sums = [[_mm512_setzero_ps(); 2]; ROWS];
        let (mut a, mut b) = (a, b);
        for _ in 0..shape.depth {
            _mm_prefetch::<_MM_HINT_T0>(b.wrapping_add(AHEAD).cast());
            _mm_prefetch::<_MM_HINT_T0>(b.wrapping_add(AHEAD + 16).cast());
            let (left, right) = (_mm512_load_ps(b), _mm512_load_ps(b.add(16)));
            for r in 0..ROWS {
                let x = _mm512_set1_ps(*a.add(r * SLAB));
                sums[r][0] = _mm512_fmadd_ps(x, left, sums[r][0]);
                sums[r][1] = _mm512_fmadd_ps(x, right, sums[r][1]);
            }
            a = a.add(1);
            b = b.add(32);
        }
        let mask = u32::MAX >> (32 - shape.columns);
        let masks = [mask as u16, (mask >> 16) as u16];
        for r in 0..ROWS {
            for half in 0..2 {
                let to = c.wrapping_add(r * shape.stride + half * 16);
                let mut sum = sums[r][half];
                if add {
                    sum = _mm512_add_ps(_mm512_maskz_loadu_ps(masks[half], to), sum);
                }
                _mm512_mask_storeu_ps(to, masks[half], sum);
            }
        }
    }
}

/// Vectors of 8: 12 of the 16 registers hold sums.
pub(super) struct Avx2;

impl MicroKernel for Avx2 {
    const ROWS: usize = 6;
    const COLUMNS: usize = 16;

    #[inline(always)]
    unsafe fn tile(shape: Shape, a: *const f32, b: *const f32, c: *mut f32, add: bool) {
        macro_rules! by_rows {
            ($($rows:literal)*) => {
                match shape.rows {
                    // SAFETY: the caller's promise.
                    $($rows => unsafe { avx2::<$rows>(shape, a, b, c, add) },)*
                    _ => unreachable!("rows of a tile"),
                }
            };
        }
        by_rows!(1 2 3 4 5 6);
    }
}

#[target_feature(enable = "avx2,fma")]
unsafe fn avx2<const ROWS: usize>(
    shape: Shape,
    a: *const f32,
    b: *const f32,
    c: *mut f32,
    add: bool,
) {
    const AHEAD: usize = 16 * 16;
    // SAFETY: all addresses are inside the matrices by the caller's promise; columns past the edge
    // are masked out; a prefetch may point anywhere.
    unsafe {
        for r in 0..ROWS {
            _mm_prefetch::<_MM_HINT_T0>(c.wrapping_add(r * shape.stride).cast());
        }
        let mut sums = [[_mm256_setzero_ps(); 2]; ROWS];
        let (mut a, mut b) = (a, b);
        for _ in 0..shape.depth {
            _mm_prefetch::<_MM_HINT_T0>(b.wrapping_add(AHEAD).cast());
            let (left, right) = (_mm256_load_ps(b), _mm256_load_ps(b.add(8)));
            for r in 0..ROWS {
                let x = _mm256_broadcast_ss(&*a.add(r * SLAB));
                sums[r][0] = _mm256_fmadd_ps(x, left, sums[r][0]);
                sums[r][1] = _mm256_fmadd_ps(x, right, sums[r][1]);
            }
            a = a.add(1);
            b = b.add(16);
        }
        let lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
        let columns = shape.columns as i32;
        let masks =
            [columns, columns - 8].map(|count| _mm256_cmpgt_epi32(_mm256_set1_epi32(count), lane));
        for r in 0..ROWS {
            for half in 0..2 {
                let to = c.wrapping_add(r * shape.stride + half * 8);
                let mut sum = sums[r][half];
                if add {
                    sum = _mm256_add_ps(_mm256_maskload_ps(to, masks[half]), sum);
                }
                _mm256_maskstore_ps(to, masks[half], sum);
            }
        }
    }
}
