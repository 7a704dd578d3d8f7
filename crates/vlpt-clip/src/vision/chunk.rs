//! Some images that go through the tower at once.

use vlpt_kernels::{Arena, Attention, AttentionPlan, Buffer, Matrix, add};

use super::ImageTower;
use super::prompts::{Entry, ImageRun, PromptGradients, Prompting};
use crate::transformer::{
    AttentionGradient, Block, BlockTape, Gradient, GradientRows, QueryRows, SavedActivations,
    TapeBytes, Taping,
};

/// What backward needs of a chunk.
#[derive(Debug)]
pub(super) struct ChunkTape {
    /// Of the blocks from the first on in which anything is learned.
    blocks: Vec<BlockTape>,
    /// Class tokens after the last block.
    last: Buffer<f32>,
    /// Tokens as `ln_pre` gives them, where its scale and shift are learned.
    first: Option<Buffer<f32>>,
}

/// Images in a block: which rows are whose.
pub(super) struct Layout {
    /// Tokens of an image.
    pub(super) tokens: usize,
    /// How many of them ask, the class token first.
    pub(super) queries: usize,
    plan: AttentionPlan,
    /// Rows of the class tokens in the last block, where they alone ask.
    query_rows: Option<Vec<u32>>,
}

impl Layout {
    fn new(tower: &ImageTower, prompting: &Prompting, n: usize, l: usize) -> Self {
        let (tokens, queries) = Self::sizes(tower, prompting, l);
        let last = l + 1 == tower.blocks.len();
        Self {
            tokens,
            queries,
            plan: AttentionPlan::images(n, queries, tokens, prompting.keys(l).rows()),
            query_rows: last.then(|| (0..n).map(|i| (i * tokens) as u32).collect()),
        }
    }

    /// Tokens of an image in block `l`, and how many of them ask.
    fn sizes(tower: &ImageTower, prompting: &Prompting, l: usize) -> (usize, usize) {
        let joined = if prompting.joined(l) {
            prompting.count
        } else {
            0
        };
        let tokens = tower.patches.tokens() + joined;
        let last = l + 1 == tower.blocks.len();
        (tokens, if last { 1 } else { tokens })
    }

    fn query_rows(&self) -> QueryRows<'_> {
        self.query_rows
            .as_ref()
            .map_or(QueryRows::All, |rows| QueryRows::Rows(rows))
    }

    fn attention(&self, tower: &ImageTower) -> Attention<'_> {
        Attention {
            heads: tower.heads,
            width: tower.width,
            plan: &self.plan,
        }
    }
}

/// Class tokens after the last block, of images whose tokens after `ln_pre` are `x`.
pub(super) fn run(
    tower: &ImageTower,
    prompting: &Prompting,
    run: ImageRun,
    x: Buffer<f32>,
) -> Buffer<f32> {
    run_watched(tower, prompting, run, x, None, |_, _, _, _| ())
}

/// As [`run`]; where it is said what is kept of each block, the tapes are. `watch` sees the number
/// of each block, its layout, and the queries (rows x width) and keys and values (rows x (2 width))
/// of its tokens.
pub(super) fn run_watched(
    tower: &ImageTower,
    prompting: &Prompting,
    run: ImageRun,
    x: Buffer<f32>,
    mut tapes: Option<(&[SavedActivations], &mut Vec<BlockTape>)>,
    mut watch: impl FnMut(usize, &Layout, &Matrix, &Matrix),
) -> Buffer<f32> {
    let mut x = prompting.after_first_norm(x);
    for (l, block) in tower.blocks.iter().enumerate() {
        x = prompting.enter(&tower.arena, l, x, run);
        let layout = Layout::new(tower, prompting, run.images, l);
        let attention = layout.attention(tower);
        let taping = tapes
            .as_ref()
            .filter(|_| l >= prompting.start())
            .map(|(keep, _)| Taping {
                keep: keep[l],
                checkpoints: &tower.checkpoints,
            });
        let keys = prompting.token_keys(run, layout.tokens);
        let adapting = prompting.adapting(l, &keys);
        let attend = |q: &Matrix, kv: &Matrix, out: &mut Matrix| {
            watch(l, &layout, q, kv);
            attention.forward(q, kv, prompting.keys(l), out);
        };
        let (y, tape) = block.forward(
            &tower.arena,
            x,
            layout.query_rows(),
            taping,
            adapting,
            attend,
        );
        if let Some((_, tapes)) = &mut tapes {
            tapes.extend(tape);
        }
        x = y;
    }
    x
}

/// As [`run`], with the tape, of whose blocks is kept what is said.
pub(super) fn record(
    tower: &ImageTower,
    prompting: &Prompting,
    run: ImageRun,
    x: Buffer<f32>,
    keep: &[SavedActivations],
) -> ChunkTape {
    let first = prompting.changes_first_norm();
    let first = first.then(|| tower.arena.copy(&x));
    let mut blocks = Vec::new();
    let tapes = Some((keep, &mut blocks));
    let last = run_watched(tower, prompting, run, x, tapes, |_, _, _, _| ());
    ChunkTape {
        blocks,
        last,
        first,
    }
}

impl ChunkTape {
    /// Features, images x embed.
    pub(super) fn features(&self, tower: &ImageTower, prompting: &Prompting) -> Vec<f32> {
        tower.head.forward(&self.last, Some(&prompting.held))
    }

    /// Bytes of the tapes of the blocks, for `n` images.
    pub(super) fn bytes(tower: &ImageTower, prompting: &Prompting, n: usize) -> Vec<TapeBytes> {
        let start = prompting.start();
        let of_block = |(l, block): (usize, &Block)| {
            if l < start {
                return TapeBytes::default();
            }
            let (tokens, queries) = Layout::sizes(tower, prompting, l);
            block.tape_bytes(n * tokens, n * queries)
        };
        tower.blocks.iter().enumerate().map(of_block).collect()
    }

    /// Adds the gradients of what is learned, given that of the features. Stops where the input is
    /// constant.
    pub(super) fn backward(
        self,
        tower: &ImageTower,
        prompting: &Prompting,
        run: ImageRun,
        d_features: &[f32],
        gradients: &mut PromptGradients,
    ) {
        let PromptGradients {
            all: gradients,
            keys: d_keys,
        } = gradients;
        let (arena, start) = (&tower.arena, prompting.start());
        let held = &prompting.held;
        // whether what is before the first of these blocks is learned too
        let goes_on = self.first.is_some();
        let dx = tower
            .head
            .backward(arena, &self.last, d_features, held, gradients);
        let mut dx = Gradient::new(arena, tower.precision, tower.width, dx);
        let blocks = tower.blocks.iter().enumerate().skip(start);
        for ((l, block), tape) in blocks.zip(self.blocks).rev() {
            let layout = Layout::new(tower, prompting, run.images, l);
            let entry = prompting.entry(l);
            let joins = matches!(entry, Entry::Join | Entry::Replace);
            let of_image =
                |i: usize| layout.tokens * (i + 1) - prompting.count..layout.tokens * (i + 1);
            let ends = l == start && !goes_on;
            let rows: Vec<u32> = if joins && ends {
                let rows = (0..run.images).flat_map(of_image);
                rows.map(|row| row as u32).collect()
            } else {
                Vec::new()
            };
            let gradient_rows = match (ends, joins) {
                (true, false) => GradientRows::None,
                (true, true) => GradientRows::Rows(&rows),
                _ => GradientRows::All,
            };
            let keys = prompting.token_keys(run, layout.tokens);
            let attended = AttentionGradient {
                attention: layout.attention(tower),
                common: prompting.keys(l),
                d_common: &mut d_keys[l],
            };
            dx = block.backward(
                arena,
                tape,
                layout.query_rows(),
                gradient_rows,
                prompting.adapting(l, &keys),
                dx,
                attended,
                &mut gradients.updates,
            );
            if !joins {
                continue;
            }
            let size = prompting.count * tower.width;
            let image_size = dx.floats().len() / run.images;
            for (i, dx) in dx.floats().chunks_exact(image_size).enumerate() {
                let place = prompting.place(l, run.first + i);
                add(&mut gradients.prompts[place], &dx[image_size - size..]);
            }
            if !ends {
                let rest = if entry == Entry::Join {
                    without_last(arena, dx.floats(), run.images, size)
                } else {
                    let mut rest = arena.copy(dx.floats());
                    for image in rest.chunks_exact_mut(image_size) {
                        image[image_size - size..].fill(0.0);
                    }
                    rest
                };
                dx = Gradient::new(arena, tower.precision, tower.width, rest);
            }
        }
        if let Some(first) = self.first {
            let mut d = arena.copy(dx.floats());
            prompting.first_norm_backward(arena, &first, &mut d, &mut gradients.updates);
        }
    }
}

/// Each image's numbers but for the last `size`.
fn without_last(arena: &Arena, dx: &[f32], images: usize, size: usize) -> Buffer<f32> {
    let all = dx.len() / images;
    let mut rest = arena.floats(images * (all - size));
    for (rest, image) in rest.chunks_exact_mut(all - size).zip(dx.chunks_exact(all)) {
        rest.copy_from_slice(&image[..all - size]);
    }
    rest
}
