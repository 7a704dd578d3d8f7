//! What the class token looks at: its attention in every block, read out of the forward pass.

use super::ImageTower;
use super::chunk::run_watched;
use crate::adaptation::TowerAdaptation;

impl ImageTower {
    /// Attention of the class token, images x blocks x heads x (1 + patches + prompts), of `images`
    /// (n x 3 x side x side, normalised) under an adaptation.
    ///
    /// The columns are the class token itself, the patches row by row from the top left, and the
    /// prompts that are in that block: prompts with values of their own where they have some, and
    /// what became of them in the blocks after (a shallow prompt goes on as a token); before the block
    /// that they enter at, their columns are 0. Every row is
    /// `softmax(q k^T / sqrt(head width))` over these columns, so it sums to 1. Nothing is kept of
    /// a pass but these numbers.
    ///
    /// # Panics
    /// When the images or the adaptation have another shape.
    pub fn class_attention(
        &self,
        images: &[f32],
        n: usize,
        adaptation: &TowerAdaptation,
    ) -> Vec<f32> {
        let prompting = self.prompting(adaptation, n);
        let size = self.chunk_size(&prompting, n, usize::MAX);
        let columns = self.attention_columns(adaptation);
        let of_block = self.heads * columns;
        let of_image = self.depth() * of_block;
        let mut all = vec![0.0; n * of_image];
        let chunks = self.chunks(images, n, size);
        for ((run, images), chunk) in chunks.zip(all.chunks_mut(size * of_image)) {
            let x = self.patches.embed(&self.arena, images);
            run_watched(self, &prompting, run, x, None, |l, layout, q, kv| {
                let (q, kv) = (q.to_floats(), kv.to_floats());
                let shared = prompting.keys(l).to_floats();
                let queries = q.chunks_exact(layout.queries * self.width);
                let keys = kv.chunks_exact(layout.tokens * 2 * self.width);
                for ((query, own), image) in queries.zip(keys).zip(chunk.chunks_mut(of_image)) {
                    let query = &query[..self.width];
                    let rows = &mut image[l * of_block..][..of_block];
                    self.look(&shared, query, own, rows);
                }
            });
        }
        all
    }

    /// Tokens that a class token looks at under an adaptation: itself, the patches, the prompts.
    pub fn attention_columns(&self, adaptation: &TowerAdaptation) -> usize {
        let prompts = adaptation.prompts;
        self.patches.tokens() + if prompts.is_empty() { 0 } else { prompts.rows }
    }

    /// Attention of one query to the keys of an image's own tokens and then to the shared ones,
    /// heads x columns.
    fn look(&self, shared: &[f32], query: &[f32], own: &[f32], rows: &mut [f32]) {
        let size = self.width / self.heads;
        let columns = rows.len() / self.heads;
        let keys = || {
            let tokens = own.chunks_exact(2 * self.width);
            tokens.chain(shared.chunks_exact(2 * self.width))
        };
        for (head, row) in rows.chunks_exact_mut(columns).enumerate() {
            let part = head * size..(head + 1) * size;
            let query = &query[part.clone()];
            let scores: Vec<f64> = keys()
                .map(|key| dot(query, &key[part.clone()]) / (size as f64).sqrt())
                .collect();
            let largest = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let exps: Vec<f64> = scores.iter().map(|s| (s - largest).exp()).collect();
            let sum: f64 = exps.iter().sum();
            for (value, exp) in row.iter_mut().zip(exps) {
                *value = (exp / sum) as f32;
            }
        }
    }
}

fn dot(a: &[f32], b: &[f32]) -> f64 {
    let products = a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b));
    products.sum()
}
