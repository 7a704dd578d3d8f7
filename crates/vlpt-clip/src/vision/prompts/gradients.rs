//! Gradients of what enters the blocks, and from them those of what was given.

use vlpt_kernels::{Arena, LayerNorm};

use super::{Entry, Prompting};
use crate::adaptation::TowerGradients;
use crate::transformer::Block;

impl Prompting {
    /// Gradients to be summed over images, all 0.
    pub(in crate::vision) fn zero_gradients(&self) -> PromptGradients {
        PromptGradients {
            all: self.held.zero_gradients(self.rows.len()),
            keys: self
                .keys
                .iter()
                .map(|keys| vec![0.0; keys.rows() * keys.width()])
                .collect(),
        }
    }

    /// Gradients of what was given.
    pub(in crate::vision) fn backward(
        &self,
        arena: &Arena,
        gradients: PromptGradients,
        ln_pre: &LayerNorm,
        blocks: &[Block],
    ) -> TowerGradients {
        let PromptGradients { all: mut d, keys } = gradients;
        let token_keys = self.prompt_keys();
        for (l, block) in blocks.iter().enumerate() {
            if self.entry(l) == Entry::Shared {
                d.prompts[self.place(l, 0)].copy_from_slice(&block.keys_backward(
                    arena,
                    self.shared(l),
                    &keys[l],
                    self.adapting(l, &token_keys),
                    &mut d.updates,
                ));
            }
        }
        if self.before_ln_pre() {
            let (size, of_block) = (self.set_size(), self.count * self.width);
            let sets = self.values.chunks_exact(size);
            for (values, d) in sets.zip(d.prompts.chunks_exact_mut(size)) {
                let d_rows = d[..of_block].to_vec();
                d[..of_block].fill(0.0);
                ln_pre.backward_add(&values[..of_block], &d_rows, &mut d[..of_block]);
            }
        }
        d
    }
}

/// Gradients of what enters the blocks.
#[derive(Debug)]
pub(in crate::vision) struct PromptGradients {
    /// Where prompts join the tokens, of their rows as they enter; of updates and projection.
    pub(in crate::vision) all: TowerGradients,
    /// Where they are shared: of their keys and values.
    pub(in crate::vision) keys: Vec<Vec<f32>>,
}
