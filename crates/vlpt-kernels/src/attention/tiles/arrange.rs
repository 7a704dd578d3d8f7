//! Rows of tiles, as the right-hand sides of products and turned over.
//!
//! Below, a matrix has `across` tiles side by side and whole blocks of 32 rows.

use std::arch::x86_64::{
    __m512, __m512i, _mm512_loadu_si512, _mm512_permutex2var_epi16, _mm512_setzero_si512,
    _mm512_shuffle_i32x4, _mm512_storeu_si512, _mm512_unpackhi_epi32, _mm512_unpackhi_epi64,
    _mm512_unpacklo_epi32, _mm512_unpacklo_epi64,
};

use crate::block::{Block, SIDE};
use crate::matrix::{TILE, TILE_COLUMNS, TILE_ROWS, offset};

/// The transpose of a matrix as a right-hand side: its rows become columns.
#[target_feature(enable = "avx512f,avx512bw")]
pub(super) fn columns(from: &[u16], across: usize, to: &mut [u16]) {
    for (row, tiles) in from.chunks_exact(across * TILE).enumerate() {
        for (tile, from) in tiles.as_chunks::<TILE>().0.iter().enumerate() {
            let place = ((row / 2 * across + tile) * 2 + row % 2) * TILE;
            transpose(from, whole_mut(&mut to[place..]));
        }
    }
}

/// A matrix as a right-hand side: its rows become pairs.
#[target_feature(enable = "avx512f,avx512bw")]
pub(super) fn pairs(from: &[u16], across: usize, to: &mut [u16]) {
    let depth = from.len() / (2 * across * TILE);
    for block in 0..depth {
        for tile in 0..across {
            let place = (tile * depth + block) * 2 * TILE;
            let (left, right) = to[place..place + 2 * TILE].split_at_mut(TILE);
            for pair in 0..TILE_ROWS {
                let row = block * SIDE + 2 * pair;
                let part = |row| from[offset(across, row, tile)..].first_chunk();
                let (even, odd) = (part(row).expect("a row"), part(row + 1).expect("a row"));
                let [low, high] = interleave(even, odd);
                store(low, &mut left[pair * TILE_COLUMNS..]);
                store(high, &mut right[pair * TILE_COLUMNS..]);
            }
        }
    }
}

/// The transpose of a matrix as a left-hand side; `pairs_of` is memory to use, of its size.
#[target_feature(enable = "avx512f,avx512bw")]
pub(super) fn turned(from: &[u16], across: usize, pairs_of: &mut [u16], to: &mut [u16]) {
    pairs(from, across, pairs_of);
    let depth = from.len() / (2 * across * TILE);
    for (index, from) in pairs_of.as_chunks::<TILE>().0.iter().enumerate() {
        let (column, block, half) = (index / 2 / depth, index / 2 % depth, index % 2);
        let place = ((2 * column + half) * depth + block) * TILE;
        transpose(from, whole_mut(&mut to[place..]));
    }
}

/// Turns a block over, in place.
#[target_feature(enable = "avx512f")]
pub(super) fn transpose_block(block: &mut Block) {
    let upper_left = transposed(&quarter(block, 0, 0));
    let upper_right = transposed(&quarter(block, 16, 0));
    let lower_left = transposed(&quarter(block, 0, 16));
    let lower_right = transposed(&quarter(block, 16, 16));
    put_quarter(block, 0, 0, &upper_left);
    put_quarter(block, 0, 16, &upper_right);
    put_quarter(block, 16, 0, &lower_left);
    put_quarter(block, 16, 16, &lower_right);
}

/// 16 x 16 numbers of a block.
#[target_feature(enable = "avx512f")]
fn quarter(block: &Block, row: usize, column: usize) -> [__m512i; 16] {
    let mut rows = [_mm512_setzero_si512(); 16];
    for (to, row) in rows.iter_mut().zip(&block.rows()[row..row + 16]) {
        let part = &row[column..column + 16];
        // SAFETY: 16 numbers are read of 16.
        *to = unsafe { _mm512_loadu_si512(part.as_ptr().cast()) };
    }
    rows
}

/// Undoes [`quarter`].
#[target_feature(enable = "avx512f")]
fn put_quarter(block: &mut Block, row: usize, column: usize, rows: &[__m512i; 16]) {
    for (from, row) in rows.iter().zip(&mut block.rows_mut()[row..row + 16]) {
        let part = &mut row[column..column + 16];
        // SAFETY: 16 numbers are written of 16.
        unsafe { _mm512_storeu_si512(part.as_mut_ptr().cast(), *from) };
    }
}

/// Turns the pairs of a tile over: row i of the result holds pair i of each row.
#[target_feature(enable = "avx512f,avx512bw")]
fn transpose(from: &[u16; TILE], to: &mut [u16; TILE]) {
    let rows = from.as_chunks::<TILE_COLUMNS>().0;
    let mut loaded = [_mm512_setzero_si512(); 16];
    for (to, row) in loaded.iter_mut().zip(rows) {
        *to = load(row);
    }
    let turned = transposed(&loaded);
    for (row, to) in turned.into_iter().zip(to.as_chunks_mut::<TILE_COLUMNS>().0) {
        store(row, to);
    }
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

/// Numbers of two rows by turns: the first 16 columns, and the others.
#[target_feature(enable = "avx512f,avx512bw")]
fn interleave(even: &[u16; TILE_COLUMNS], odd: &[u16; TILE_COLUMNS]) -> [__m512i; 2] {
    const LOW: [u16; 32] = turns(0);
    const HIGH: [u16; 32] = turns(16);
    let (even, odd) = (load(even), load(odd));
    [
        _mm512_permutex2var_epi16(even, load(&LOW), odd),
        _mm512_permutex2var_epi16(even, load(&HIGH), odd),
    ]
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

/// The bf16 numbers of `low` and `high` by turns.
#[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
pub(super) fn round_by_turns(low: __m512, high: __m512, to: &mut [u16]) {
    const TURNS: [u16; 32] = {
        let (mut places, mut i) = ([0; 32], 0);
        while i < 32 {
            places[i] = i as u16 / 2 + i as u16 % 2 * 16;
            i += 1;
        }
        places
    };
    use std::arch::x86_64::{__m512bh, _mm512_cvtne2ps_pbh, _mm512_permutexvar_epi16};
    let both = _mm512_cvtne2ps_pbh(high, low);
    // SAFETY: 512 bits both.
    let both = unsafe { std::mem::transmute::<__m512bh, __m512i>(both) };
    store(_mm512_permutexvar_epi16(load(&TURNS), both), to);
}

#[target_feature(enable = "avx512f")]
fn load(from: &[u16; TILE_COLUMNS]) -> __m512i {
    // SAFETY: 64 bytes are read of 64.
    unsafe { _mm512_loadu_si512(from.as_ptr().cast()) }
}

#[target_feature(enable = "avx512f")]
fn store(numbers: __m512i, to: &mut [u16]) {
    let to = to
        .first_chunk_mut::<TILE_COLUMNS>()
        .expect("a row of a tile");
    // SAFETY: 64 bytes are written of 64.
    unsafe { _mm512_storeu_si512(to.as_mut_ptr().cast(), numbers) }
}

fn whole_mut(numbers: &mut [u16]) -> &mut [u16; TILE] {
    numbers.first_chunk_mut().expect("a whole tile")
}
