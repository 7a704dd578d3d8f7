//! Gradients of a chunk of texts.

use vlpt_kernels::add;

use super::{Chunk, ChunkTape};
use crate::adaptation::TowerGradients;
use crate::text::TextTower;
use crate::text::options::TextAdaptation;
use crate::transformer::{Adapting, AttentionGradient, Gradient, GradientRows};

impl Chunk {
    /// Adds the gradients of what is learned after the blocks, by the texts that are constant.
    pub(in crate::text) fn constant_backward(
        &self,
        tower: &TextTower,
        adaptation: &TextAdaptation,
        d_features: &[f32],
        gradients: &mut TowerGradients,
    ) {
        if !adaptation.held.changes_head() || self.constant.texts.is_empty() {
            return;
        }
        let embed = tower.head.embed();
        let texts = self.constant.texts.iter();
        let d: Vec<f32> = texts
            .flat_map(|text| &d_features[text * embed..][..embed])
            .copied()
            .collect();
        let last = &self.constant.last;
        let held = &adaptation.held;
        tower.head.backward(&tower.arena, last, &d, held, gradients);
    }

    /// Adds the gradients of what is learned, given that of the chunk's features.
    pub(in crate::text) fn backward(
        &self,
        tower: &TextTower,
        tape: ChunkTape,
        adaptation: &TextAdaptation,
        d_features: &[f32],
        gradients: &mut TowerGradients,
    ) {
        let (w, embed) = (tower.width, tower.head.embed());
        let mut d_ends = vec![0.0; self.ends.rows.len() * embed];
        for &(text, end) in &self.ends.of {
            add(
                &mut d_ends[end * embed..][..embed],
                &d_features[text * embed..][..embed],
            );
        }
        let arena = &tower.arena;
        let held = &adaptation.held;
        let dx = tower
            .head
            .backward(arena, &tape.last, &d_ends, held, gradients);
        let mut dx = Gradient::new(arena, tower.precision, w, dx);
        let start = self.options.start();
        let blocks = tower.blocks.iter().enumerate().skip(start);
        for ((l, block), tape) in blocks.zip(tape.blocks).rev() {
            let enters = self.options.enters(l) && self.has_learned();
            let gradient_rows = match (l == start, enters) {
                (false, _) => GradientRows::All,
                (true, true) => GradientRows::Rows(&self.learned),
                (true, false) => GradientRows::None,
            };
            let rows = self.block_rows(tower, l);
            let keys = self.keys(adaptation, &rows);
            let adapting = Adapting {
                updates: adaptation.held.updates.of_block(l),
                keys: &keys,
            };
            let attended = AttentionGradient {
                attention: tower.attention(rows.plan),
                common: &self.constant.keys[l],
                d_common: &mut [],
            };
            let updates = &mut gradients.updates;
            dx = block.backward(
                arena,
                tape,
                rows.query_rows,
                gradient_rows,
                adapting,
                dx,
                attended,
                updates,
            );
            if let Some(apart) = self.apart_at(l) {
                let d_values = &mut gradients.text_rows;
                let words = apart.leave(tower, dx.floats(), self.words.len(), d_values);
                dx = Gradient::new(arena, tower.precision, w, words);
            }
            if !enters {
                continue;
            }
            let size = adaptation.rows * w;
            let d_rows = &mut gradients.prompts[(l - self.options.first) * size..][..size];
            if l == start {
                for (dx, &prompt) in dx.floats().chunks_exact(w).zip(&self.prompts) {
                    add(&mut d_rows[prompt as usize * w..][..w], dx);
                }
            } else if self.options.mixes(l) {
                let carry = adaptation.carry;
                let mut rest = arena.copy(dx.floats());
                for (&row, &prompt) in self.learned.iter().zip(&self.prompts) {
                    let d_row = &mut d_rows[prompt as usize * w..][..w];
                    let own = &mut rest[row as usize * w..][..w];
                    for (d_row, dx) in d_row.iter_mut().zip(own) {
                        *d_row += (1.0 - carry) * *dx;
                        *dx *= carry;
                    }
                }
                dx = Gradient::new(arena, tower.precision, w, rest);
            } else {
                for (&row, &prompt) in self.learned.iter().zip(&self.prompts) {
                    let dx = &dx.floats()[row as usize * w..][..w];
                    add(&mut d_rows[prompt as usize * w..][..w], dx);
                }
                let words = self.words_of(tower, dx.floats());
                dx = Gradient::new(arena, tower.precision, w, words);
            }
        }
    }
}
