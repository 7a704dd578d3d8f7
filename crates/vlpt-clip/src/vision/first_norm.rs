//! Learned scale and shift of the norm before the first block.

use vlpt_kernels::{Arena, Buffer, Columns};

use super::prompts::Prompting;
use crate::adaptation::UpdateGradient;

impl Prompting {
    /// Whether scale and shift of `ln_pre` are learned.
    pub(super) fn changes_first_norm(&self) -> bool {
        !self.held.updates.of_first_norm().is_empty()
    }

    /// Tokens (rows x width) after the learned scale and shift of `ln_pre`, given those before.
    pub(super) fn after_first_norm(&self, mut x: Buffer<f32>) -> Buffer<f32> {
        for (_, change) in self.held.updates.of_first_norm() {
            change.forward(&mut x, Columns::all(self.width));
        }
        x
    }

    /// Adds the gradients of scale and shift of `ln_pre`, given that of the tokens after them and the
    /// tokens `x` before.
    pub(super) fn first_norm_backward(
        &self,
        arena: &Arena,
        x: &[f32],
        d: &mut [f32],
        gradients: &mut [UpdateGradient],
    ) {
        let (changes, columns) = (self.held.updates.of_first_norm(), Columns::all(self.width));
        let (mut x, mut stages) = (arena.copy(x), Vec::new());
        for (_, change) in &changes {
            stages.push(arena.copy(&x));
            change.forward(&mut x, columns);
        }
        for ((place, change), x) in changes.iter().zip(stages).rev() {
            if let UpdateGradient::ScaleShift { scale, shift } = &mut gradients[*place] {
                change.backward(arena, &x, d, columns, (scale, shift));
            }
        }
    }
}
