//! A head's rows of queries, keys and values, brought together.

use std::ops::Range;

use super::rows::read;
use super::{BlockHead, Inputs};
use crate::matrix::Operand;

impl BlockHead<'_> {
    /// The head's part of the block's rows of a matrix of queries or their gradients, for the
    /// queries `queries` of the block: queries x head width.
    pub(super) fn queries(&self, from: Operand, queries: Range<usize>, to: &mut Vec<f32>) {
        let (size, width) = (self.attention.size(), self.attention.width);
        to.resize(queries.len() * size, 0.0);
        for (query, to) in queries.zip(to.chunks_exact_mut(size)) {
            read(from, width, self.block.query + query, self.columns()[0], to);
        }
    }

    /// Puts the head's part of the keys `keys` of the plan (or of the values, from column `first` on)
    /// behind `before` others: keys x head width.
    pub(super) fn key_rows(
        &self,
        inputs: &Inputs,
        keys: &Range<usize>,
        first: usize,
        before: usize,
        to: &mut Vec<f32>,
    ) {
        let (size, width) = (self.attention.size(), 2 * self.attention.width);
        let common = self.attention.plan.common();
        let keys = self.attention.plan.keys(keys);
        to.resize((before + keys.len()) * size, 0.0);
        for (&key, to) in keys.iter().zip(to[before * size..].chunks_exact_mut(size)) {
            let key = key as usize;
            match key.checked_sub(common) {
                Some(own) => read(inputs.kv, width, own, first, to),
                None => read(inputs.common, width, key, first, to),
            }
        }
    }
}
