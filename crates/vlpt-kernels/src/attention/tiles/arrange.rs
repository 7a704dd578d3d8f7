//! Rows of a head in the forms in which products read them: left-hand sides lie in tiles as a
//! [`Matrix`](crate::Matrix) does, right-hand sides as packed weights do.

use std::arch::x86_64::{
    __m512, __m512bh, __m512i, _mm512_cvtne2ps_pbh, _mm512_loadu_si512, _mm512_permutex2var_epi16,
    _mm512_permutexvar_epi16, _mm512_setzero_si512, _mm512_shuffle_i32x4, _mm512_storeu_si512,
    _mm512_unpackhi_epi32, _mm512_unpackhi_epi64, _mm512_unpacklo_epi32, _mm512_unpacklo_epi64,
};

use super::rows::Rows;
use crate::block::{Block, SIDE};
use crate::tile::{TILE, TILE_COLUMNS, TILE_ROWS};
use crate::vector::{Avx512, Vector};

/// The rows of a block in order.
pub(super) const IN_ORDER: [u8; SIDE] = {
    let (mut order, mut i) = ([0; SIDE], 0);
    while i < SIDE {
        order[i] = i as u8;
        i += 1;
    }
    order
};

/// 32 rows as block `block` of a left-hand side.
#[target_feature(enable = "avx512f,avx512bw")]
pub(super) fn rows(from: &Rows, block: usize, across: usize, to: &mut [u16]) {
    for half in 0..2 {
        for tile in 0..across {
            let place = ((2 * block + half) * across + tile) * TILE;
            let to = to[place..][..TILE].as_chunks_mut::<TILE_COLUMNS>().0;
            for (i, to) in to.iter_mut().enumerate() {
                store(load(from.part(half * TILE_ROWS + i, tile)), to);
            }
        }
    }
}

/// Their transpose as block `block` of a right-hand side: rows become columns, in the order that is
/// given.
#[target_feature(enable = "avx512f,avx512bw")]
pub(super) fn columns(
    from: &Rows,
    block: usize,
    across: usize,
    order: &[u8; SIDE],
    to: &mut [u16],
) {
    for tile in 0..across {
        for (half, order) in order.as_chunks::<TILE_ROWS>().0.iter().enumerate() {
            let place = ((block * across + tile) * 2 + half) * TILE;
            let mut lines = [_mm512_setzero_si512(); TILE_ROWS];
            for (line, row) in lines.iter_mut().zip(order) {
                *line = load(from.part(usize::from(*row), tile));
            }
            store_tile(&transposed(&lines), &mut to[place..]);
        }
    }
}

/// They as block `block` of a right-hand side, which is `deep` blocks deep: rows become pairs.
#[target_feature(enable = "avx512f,avx512bw")]
pub(super) fn pairs(from: &Rows, (block, deep): (usize, usize), across: usize, to: &mut [u16]) {
    const TURNS: [[u16; TILE_COLUMNS]; 2] = [turns(0), turns(16)];
    let [low, high] = [load(&TURNS[0]), load(&TURNS[1])];
    for tile in 0..across {
        let place = (tile * deep + block) * 2 * TILE;
        let (first, second) = to[place..][..2 * TILE].split_at_mut(TILE);
        let lines = first.as_chunks_mut::<TILE_COLUMNS>().0.iter_mut();
        let lines = lines.zip(second.as_chunks_mut::<TILE_COLUMNS>().0);
        for (i, (first, second)) in lines.enumerate() {
            let (even, odd) = (
                load(from.part(2 * i, tile)),
                load(from.part(2 * i + 1, tile)),
            );
            store(_mm512_permutex2var_epi16(even, low, odd), first);
            store(_mm512_permutex2var_epi16(even, high, odd), second);
        }
    }
}

/// Their transpose as block `block` of a left-hand side, which is `wide` blocks wide.
#[target_feature(enable = "avx512f,avx512bw")]
pub(super) fn turned(from: &Rows, (block, wide): (usize, usize), across: usize, to: &mut [u16]) {
    for tile in 0..across {
        for half in 0..2 {
            let place = ((2 * tile + half) * wide + block) * TILE;
            store_tile(&transposed(&paired(from, tile, half)), &mut to[place..]);
        }
    }
}

/// 16 columns of 32 rows: line i holds the numbers of rows 2 i and 2 i + 1 by turns.
#[target_feature(enable = "avx512f,avx512bw")]
fn paired(from: &Rows, tile: usize, half: usize) -> [__m512i; TILE_ROWS] {
    const TURNS: [[u16; TILE_COLUMNS]; 2] = [turns(0), turns(16)];
    let turns = load(&TURNS[half]);
    let mut lines = [_mm512_setzero_si512(); TILE_ROWS];
    for (i, line) in lines.iter_mut().enumerate() {
        let (even, odd) = (from.part(2 * i, tile), from.part(2 * i + 1, tile));
        *line = _mm512_permutex2var_epi16(load(even), turns, load(odd));
    }
    lines
}

/// 16 columns of a block from `first` on, rounded, as rows of 32 numbers.
#[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
pub(super) fn rounded_rows(block: &Block, first: usize) -> [__m512i; TILE_ROWS] {
    let mut lines = [_mm512_setzero_si512(); TILE_ROWS];
    for (line, [even, odd]) in lines.iter_mut().zip(block.rows().as_chunks().0) {
        let (even, odd) = (half_row(even, first), half_row(odd, first));
        *line = by_turns(even.register(), odd.register());
    }
    transposed(&lines)
}

#[inline(always)]
fn half_row(row: &[f32; SIDE], first: usize) -> Avx512 {
    Avx512::load(row[first..].first_chunk().expect("half a row of a block"))
}

/// The transpose of 16 x 16 numbers of 32 bits.
#[target_feature(enable = "avx512f")]
fn transposed(rows: &[__m512i; 16]) -> [__m512i; 16] {
    let mut pairs = *rows;
    for i in (0..16).step_by(2) {
        pairs[i] = _mm512_unpacklo_epi32(rows[i], rows[i + 1]);
        pairs[i + 1] = _mm512_unpackhi_epi32(rows[i], rows[i + 1]);
    }
    let mut fours = pairs;
    for i in (0..16).step_by(4) {
        fours[i] = _mm512_unpacklo_epi64(pairs[i], pairs[i + 2]);
        fours[i + 1] = _mm512_unpackhi_epi64(pairs[i], pairs[i + 2]);
        fours[i + 2] = _mm512_unpacklo_epi64(pairs[i + 1], pairs[i + 3]);
        fours[i + 3] = _mm512_unpackhi_epi64(pairs[i + 1], pairs[i + 3]);
    }
    let mut eights = fours;
    for half in [0, 8] {
        for i in half..half + 4 {
            eights[i] = _mm512_shuffle_i32x4::<0x88>(fours[i], fours[i + 4]);
            eights[i + 4] = _mm512_shuffle_i32x4::<0xdd>(fours[i], fours[i + 4]);
        }
    }
    let mut turned = eights;
    for i in 0..8 {
        turned[i] = _mm512_shuffle_i32x4::<0x88>(eights[i], eights[i + 8]);
        turned[i + 8] = _mm512_shuffle_i32x4::<0xdd>(eights[i], eights[i + 8]);
    }
    turned
}

/// Places of the columns from `first` on of two registers, by turns.
const fn turns(first: u16) -> [u16; 32] {
    let (mut places, mut i) = ([0; 32], 0);
    while i < 32 {
        places[i] = first + i as u16 / 2 + i as u16 % 2 * 32;
        i += 1;
    }
    places
}

/// The numbers of `low` and `high`, rounded to bf16, by turns.
#[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
pub(super) fn by_turns(low: __m512, high: __m512) -> __m512i {
    const TURNS: [u16; 32] = {
        let (mut places, mut i) = ([0; 32], 0);
        while i < 32 {
            places[i] = i as u16 / 2 + i as u16 % 2 * 16;
            i += 1;
        }
        places
    };
    let both = _mm512_cvtne2ps_pbh(high, low);
    // SAFETY: 512 bits both.
    let both = unsafe { std::mem::transmute::<__m512bh, __m512i>(both) };
    _mm512_permutexvar_epi16(load(&TURNS), both)
}

#[target_feature(enable = "avx512f")]
fn load(from: &[u16; TILE_COLUMNS]) -> __m512i {
    // SAFETY: 64 bytes are read of 64.
    unsafe { _mm512_loadu_si512(from.as_ptr().cast()) }
}

#[target_feature(enable = "avx512f")]
pub(super) fn store(numbers: __m512i, to: &mut [u16]) {
    let to = to
        .first_chunk_mut::<TILE_COLUMNS>()
        .expect("a row of a tile");
    // SAFETY: 64 bytes are written of 64.
    unsafe { _mm512_storeu_si512(to.as_mut_ptr().cast(), numbers) }
}

#[target_feature(enable = "avx512f")]
fn store_tile(lines: &[__m512i; TILE_ROWS], to: &mut [u16]) {
    for (line, to) in lines
        .iter()
        .zip(to[..TILE].as_chunks_mut::<TILE_COLUMNS>().0)
    {
        store(*line, to);
    }
}
