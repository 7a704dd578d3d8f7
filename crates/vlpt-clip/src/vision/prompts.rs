//! Visual prompts, and how they enter the blocks.

use vlpt_kernels::{Arena, Buffer, LayerNorm, Matrix, hash};

use crate::adaptation::{Held, PromptRows, TowerAdaptation, TowerGradients, VisualPlace};
use crate::transformer::{Adapting, Block};

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
    /// In place of the prompts that are tokens of each image.
    Replace,
}

/// An adaptation on its way through the tower.
#[derive(Debug)]
pub(super) struct Prompting {
    pub(super) width: usize,
    depth: usize,
    /// The block that prompts enter before, and how many blocks have some of their own.
    first: usize,
    layers: usize,
    pub(super) count: usize,
    place: VisualPlace,
    per_image: bool,
    /// As given.
    values: Vec<f32>,
    /// As they enter: those of block 0 normalised where they come before `ln_pre`.
    rows: Vec<f32>,
    /// Keys and values of the blocks where they are shared: count x (2 width).
    keys: Vec<Matrix>,
    pub(super) held: Held,
}

/// Images of a pass that go through the tower at once.
#[derive(Clone, Copy, Debug)]
pub(super) struct ImageRun {
    /// Number of the first in the pass.
    pub(super) first: usize,
    pub(super) images: usize,
}

impl Prompting {
    /// # Panics
    /// When the values have another length for `images` images, the tower fewer blocks, or prompts come
    /// before an `ln_pre` that is updated.
    pub(super) fn new(
        arena: &Arena,
        adaptation: &TowerAdaptation,
        held: Held,
        images: usize,
        ln_pre: &LayerNorm,
        blocks: &[Block],
    ) -> Self {
        let (width, depth) = (ln_pre.width(), blocks.len());
        let prompts = &adaptation.prompts;
        prompts.check(depth, width, if prompts.per_image { images } else { 1 });
        let PromptRows {
            values,
            first,
            blocks: layers,
            rows: count,
            place,
            per_image,
        } = *prompts;
        assert!(
            place == VisualPlace::AfterLnPre || first == 0,
            "prompts before ln_pre that enter at block {first}"
        );
        let mut prompting = Self {
            width,
            depth,
            first,
            layers,
            count,
            place,
            per_image,
            values: values.to_vec(),
            rows: values.to_vec(),
            keys: Vec::new(),
            held,
        };
        if prompting.before_ln_pre() {
            assert!(
                !prompting.changes_first_norm(),
                "prompts before an updated ln_pre"
            );
            let size = prompting.set_size();
            for set in prompting.rows.chunks_exact_mut(size) {
                ln_pre.forward(&mut set[..count * width]);
            }
        }
        let keys = |(l, block): (usize, &Block)| match prompting.entry(l) {
            Entry::Shared => {
                let keys = prompting.prompt_keys();
                block.keys(arena, prompting.shared(l), prompting.adapting(l, &keys))
            }
            _ => Matrix::new(arena, block.precision(), 0, 2 * width),
        };
        let keys = blocks.iter().enumerate().map(keys).collect();
        prompting.keys = keys;
        prompting
    }

    fn is_empty(&self) -> bool {
        self.layers == 0 || self.count == 0
    }

    fn before_ln_pre(&self) -> bool {
        self.place == VisualPlace::BeforeLnPre && !self.is_empty()
    }

    pub(super) fn entry(&self, l: usize) -> Entry {
        let end = self.first + self.layers;
        if self.is_empty() || !(self.first..end).contains(&l) {
            Entry::None
        } else if self.per_image {
            if l == self.first {
                Entry::Join
            } else {
                Entry::Replace
            }
        } else if l + 1 < end || l + 1 == self.depth {
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

    /// The first block in which anything is learned; what is before it needs no tape. One past the
    /// last where no block learns.
    pub(super) fn start(&self) -> usize {
        let updates = self.held.updates.first_block().unwrap_or(self.depth);
        let prompts = if self.is_empty() {
            self.depth
        } else {
            self.first
        };
        updates.min(prompts)
    }

    /// Whether anything is learned.
    pub(super) fn learns(&self) -> bool {
        self.start() < self.depth || self.held.changes_head()
    }

    /// Numbers of the rows of all blocks.
    fn set_size(&self) -> usize {
        self.layers * self.count * self.width
    }

    /// Where the rows of block `l` are, of image number `image` of the pass.
    pub(super) fn place(&self, l: usize, image: usize) -> std::ops::Range<usize> {
        let set = if self.per_image { image } else { 0 };
        let size = self.count * self.width;
        let start = set * self.set_size() + (l - self.first) * size;
        start..start + size
    }

    /// Prompts that enter block `l`, count x width, of an image.
    fn of_image(&self, l: usize, image: usize) -> &[f32] {
        &self.rows[self.place(l, image)]
    }

    /// Prompts that enter block `l` and are the same for every image.
    fn shared(&self, l: usize) -> &[f32] {
        self.of_image(l, 0)
    }

    /// The tokens of images (rows, image by image) at the input of block `l`, given what came out of
    /// the block before.
    pub(super) fn enter(
        &self,
        arena: &Arena,
        l: usize,
        x: Buffer<f32>,
        run: ImageRun,
    ) -> Buffer<f32> {
        match self.entry(l) {
            Entry::None | Entry::Shared => x,
            Entry::Join => {
                let (size, more) = (x.len() / run.images, self.count * self.width);
                let mut joined = arena.floats(x.len() + run.images * more);
                let images = joined
                    .chunks_exact_mut(size + more)
                    .zip(x.chunks_exact(size));
                for (number, (joined, image)) in (run.first..).zip(images) {
                    joined[..size].copy_from_slice(image);
                    joined[size..].copy_from_slice(self.of_image(l, number));
                }
                joined
            }
            Entry::Replace => {
                let mut x = x;
                let (size, more) = (x.len() / run.images, self.count * self.width);
                for (number, image) in (run.first..).zip(x.chunks_exact_mut(size)) {
                    image[size - more..].copy_from_slice(self.of_image(l, number));
                }
                x
            }
        }
    }

    /// Keys and values that all images share in block `l`.
    pub(super) fn keys(&self, l: usize) -> &Matrix {
        &self.keys[l]
    }

    /// Updates of block `l`, for rows known to dropout by `keys`.
    pub(super) fn adapting<'a>(&'a self, l: usize, keys: &'a [u64]) -> Adapting<'a> {
        Adapting {
            updates: self.held.updates.of_block(l),
            keys,
        }
    }

    /// What dropout knows the prompts by that all images share.
    fn prompt_keys(&self) -> Vec<u64> {
        if !self.held.updates.has_dropout() {
            return Vec::new();
        }
        let key = |row: usize| hash(&[u64::MAX, row as u64]);
        (0..self.count).map(key).collect()
    }

    /// What dropout knows the tokens of images by, of each of which there are so many.
    pub(super) fn token_keys(&self, run: ImageRun, tokens: usize) -> Vec<u64> {
        if !self.held.updates.has_dropout() {
            return Vec::new();
        }
        let first = self.held.first_image + run.first;
        let of_image =
            |image: usize| (0..tokens).map(move |token| hash(&[image as u64, token as u64]));
        (first..first + run.images).flat_map(of_image).collect()
    }

    /// Gradients to be summed over images, all 0.
    pub(super) fn zero_gradients(&self) -> PromptGradients {
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
    pub(super) fn backward(
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
pub(super) struct PromptGradients {
    /// Where prompts join the tokens, of their rows as they enter; of updates and projection.
    pub(super) all: TowerGradients,
    /// Where they are shared: of their keys and values.
    pub(super) keys: Vec<Vec<f32>>,
}
