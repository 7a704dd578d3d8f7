//! Visual prompts, and how they enter the blocks.

use vlpt_kernels::{Arena, LayerNorm, Matrix};

use crate::transformer::Block;

/// Where the prompts of the first block enter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum VisualPlace {
    /// Beside the tokens after `ln_pre`.
    #[default]
    AfterLnPre,
    /// Beside the tokens before `ln_pre`, which normalises them too. (Prompts of later blocks
    /// replace those before them, and no `ln_pre` is there.)
    BeforeLnPre,
}

/// Visual prompts: `count` tokens more in each of the first `layers` blocks, the same for every
/// image, without positions.
///
/// What a block makes of its prompts is replaced by the prompts of the next one; after the last
/// block that has prompts of its own they go on as ordinary tokens.
#[derive(Clone, Copy, Debug)]
pub struct VisualPrompts<'a> {
    /// `layers x count x width`.
    pub values: &'a [f32],
    /// Number of blocks with prompts of their own: 0 none, 1 shallow, all deep.
    pub layers: usize,
    /// Prompts a block.
    pub count: usize,
    /// Where the prompts of the first block enter.
    pub place: VisualPlace,
}

impl VisualPrompts<'_> {
    /// No prompts.
    pub const NONE: VisualPrompts<'static> = VisualPrompts {
        values: &[],
        layers: 0,
        count: 0,
        place: VisualPlace::AfterLnPre,
    };
}

/// How prompts enter one block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Entry {
    /// Not at all.
    None,
    /// They lend their keys and values, which are the same for every image. What becomes of the
    /// prompts themselves does not matter, so they neither ask nor go through the MLP.
    Shared,
    /// As tokens of each image, which they stay from there on.
    Join,
}

/// Prompts on their way through the tower.
#[derive(Debug)]
pub(super) struct Prompting {
    width: usize,
    depth: usize,
    layers: usize,
    pub(super) count: usize,
    place: VisualPlace,
    /// As given.
    values: Vec<f32>,
    /// As they enter: the first block's normalised where they come before `ln_pre`.
    rows: Vec<f32>,
    /// Keys and values of the blocks where they are shared: count x (2 width).
    keys: Vec<Matrix>,
}

impl Prompting {
    pub(super) fn new(
        arena: &Arena,
        prompts: &VisualPrompts,
        ln_pre: &LayerNorm,
        blocks: &[Block],
    ) -> Self {
        let (width, depth) = (ln_pre.width(), blocks.len());
        let VisualPrompts {
            values,
            layers,
            count,
            place,
        } = *prompts;
        assert!(
            layers <= depth,
            "prompts for {layers} blocks of a tower of {depth}"
        );
        assert_eq!(
            values.len(),
            layers * count * width,
            "values of the visual prompts"
        );
        let (values, mut rows) = (values.to_vec(), values.to_vec());
        if place == VisualPlace::BeforeLnPre && layers > 0 {
            ln_pre.forward(&mut rows[..count * width]);
        }
        let mut prompting = Self {
            width,
            depth,
            layers,
            count,
            place,
            values,
            rows,
            keys: Vec::new(),
        };
        let keys = |(l, block): (usize, &Block)| match prompting.entry(l) {
            Entry::Shared => block.keys(arena, prompting.rows(l)),
            Entry::None | Entry::Join => Matrix::new(arena, block.precision(), 0, 2 * width),
        };
        prompting.keys = blocks.iter().enumerate().map(keys).collect();
        prompting
    }

    pub(super) fn entry(&self, l: usize) -> Entry {
        if l >= self.layers || self.count == 0 {
            Entry::None
        } else if l + 1 < self.layers || l + 1 == self.depth {
            Entry::Shared
        } else {
            Entry::Join
        }
    }

    /// Whether the prompts are tokens of each image in block `l`.
    pub(super) fn joined(&self, l: usize) -> bool {
        (0..=l).any(|l| self.entry(l) == Entry::Join)
    }

    /// Tokens that prompts add to an image, at most.
    pub(super) fn joining(&self) -> usize {
        if self.joined(self.depth - 1) {
            self.count
        } else {
            0
        }
    }

    /// Prompts that enter block `l`, count x width.
    pub(super) fn rows(&self, l: usize) -> &[f32] {
        &self.rows[l * self.count * self.width..][..self.count * self.width]
    }

    /// Keys and values that all images share in block `l`.
    pub(super) fn keys(&self, l: usize) -> &Matrix {
        &self.keys[l]
    }

    /// Gradients to be summed over images, all 0.
    pub(super) fn zero_gradients(&self) -> PromptGradients {
        PromptGradients {
            rows: vec![0.0; self.rows.len()],
            keys: self
                .keys
                .iter()
                .map(|keys| vec![0.0; keys.rows() * keys.width()])
                .collect(),
        }
    }

    /// Gradient of the values, layers x count x width.
    pub(super) fn backward(
        &self,
        arena: &Arena,
        gradients: PromptGradients,
        ln_pre: &LayerNorm,
        blocks: &[Block],
    ) -> Vec<f32> {
        let PromptGradients { rows: mut d, keys } = gradients;
        let size = self.count * self.width;
        for (l, block) in blocks.iter().enumerate() {
            if self.entry(l) == Entry::Shared {
                d[l * size..][..size].copy_from_slice(&block.keys_backward(
                    arena,
                    self.rows(l),
                    &keys[l],
                ));
            }
        }
        if self.place == VisualPlace::BeforeLnPre && self.layers > 0 {
            let d_rows = d[..size].to_vec();
            d[..size].fill(0.0);
            ln_pre.backward_add(&self.values[..size], &d_rows, &mut d[..size]);
        }
        d
    }
}

/// Gradients of what enters the blocks.
#[derive(Debug)]
pub(super) struct PromptGradients {
    /// Where prompts join the tokens: of their rows, layers x count x width.
    pub(super) rows: Vec<f32>,
    /// Where they are shared: of their keys and values.
    pub(super) keys: Vec<Vec<f32>>,
}
