//! Some images that go through the tower at once.

use vlpt_kernels::{Arena, Attention, AttentionPlan, Buffer, Matrix, add};

use super::ImageTower;
use super::prompts::{Entry, PromptGradients, Prompting};
use crate::transformer::{Asking, Block, BlockTape, Gradient, Keep, TapeBytes, Taping, Wanted};

/// What backward needs of a chunk.
#[derive(Debug)]
pub(super) struct ChunkTape {
    blocks: Vec<BlockTape>,
    /// Class tokens after the last block.
    last: Buffer<f32>,
}

/// Images in a block: which rows are whose.
pub(super) struct Layout {
    /// Tokens of an image.
    pub(super) tokens: usize,
    /// How many of them ask, the class token first.
    pub(super) queries: usize,
    plan: AttentionPlan,
    /// Rows of the class tokens in the last block, where they alone ask.
    asking: Option<Vec<u32>>,
}

impl Layout {
    fn new(tower: &ImageTower, prompting: &Prompting, n: usize, l: usize) -> Self {
        let (tokens, queries) = Self::sizes(tower, prompting, l);
        let last = l + 1 == tower.blocks.len();
        Self {
            tokens,
            queries,
            plan: AttentionPlan::images(n, queries, tokens, prompting.keys(l).rows()),
            asking: last.then(|| (0..n).map(|i| (i * tokens) as u32).collect()),
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

    fn asking(&self) -> Asking<'_> {
        self.asking
            .as_ref()
            .map_or(Asking::All, |rows| Asking::Rows(rows))
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
pub(super) fn run(tower: &ImageTower, prompting: &Prompting, x: Buffer<f32>) -> Buffer<f32> {
    run_watched(tower, prompting, x, None, |_, _, _, _| ())
}

/// As [`run`]; where it is said what is kept of each block, the tapes are. `watch` sees the number
/// of each block, its layout, and the queries (rows x width) and keys and values (rows x (2 width))
/// of its tokens.
pub(super) fn run_watched(
    tower: &ImageTower,
    prompting: &Prompting,
    mut x: Buffer<f32>,
    mut tapes: Option<(&[Keep], &mut Vec<BlockTape>)>,
    mut watch: impl FnMut(usize, &Layout, &Matrix, &Matrix),
) -> Buffer<f32> {
    let n = x.len() / (tower.patches.tokens() * tower.width);
    for (l, block) in tower.blocks.iter().enumerate() {
        if prompting.entry(l) == Entry::Join {
            x = join(&tower.arena, &x, n, prompting.rows(l));
        }
        let layout = Layout::new(tower, prompting, n, l);
        let attention = layout.attention(tower);
        let taping = tapes.as_ref().map(|(keep, _)| Taping {
            keep: keep[l],
            costs: &tower.costs,
        });
        let (y, tape) = block.forward(&tower.arena, x, layout.asking(), taping, |q, kv, out| {
            watch(l, &layout, q, kv);
            attention.forward(q, kv, prompting.keys(l), out);
        });
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
    x: Buffer<f32>,
    keep: &[Keep],
) -> ChunkTape {
    let mut blocks = Vec::new();
    let tapes = Some((keep, &mut blocks));
    let last = run_watched(tower, prompting, x, tapes, |_, _, _, _| ());
    ChunkTape { blocks, last }
}

impl ChunkTape {
    /// Features, images x embed.
    pub(super) fn features(&self, tower: &ImageTower) -> Vec<f32> {
        tower.head.forward(&self.last)
    }

    /// Bytes of the tapes of the blocks, for `n` images.
    pub(super) fn bytes(tower: &ImageTower, prompting: &Prompting, n: usize) -> Vec<TapeBytes> {
        let of_block = |(l, block): (usize, &Block)| {
            let (tokens, queries) = Layout::sizes(tower, prompting, l);
            block.tape_bytes(n * tokens, n * queries)
        };
        tower.blocks.iter().enumerate().map(of_block).collect()
    }

    /// Adds the gradients of the prompts, given that of the features. Stops where the input is
    /// constant.
    pub(super) fn backward(
        self,
        tower: &ImageTower,
        prompting: &Prompting,
        d_features: &[f32],
        gradients: &mut PromptGradients,
    ) {
        let n = d_features.len() / tower.head.embed();
        let size = prompting.count * tower.width;
        let arena = &tower.arena;
        let dx = tower.head.backward(arena, &self.last, d_features);
        let mut dx = Gradient::new(arena, tower.precision, tower.width, dx);
        for ((l, block), tape) in tower.blocks.iter().enumerate().zip(self.blocks).rev() {
            let layout = Layout::new(tower, prompting, n, l);
            let attention = layout.attention(tower);
            let joins = prompting.entry(l) == Entry::Join;
            let of_image =
                |i: usize| layout.tokens * (i + 1) - prompting.count..layout.tokens * (i + 1);
            let rows: Vec<u32> = if joins && l == 0 {
                (0..n).flat_map(of_image).map(|row| row as u32).collect()
            } else {
                Vec::new()
            };
            let wanted = match (l, joins) {
                (0, false) => Wanted::None,
                (0, true) => Wanted::Rows(&rows),
                _ => Wanted::All,
            };
            let d_shared = &mut gradients.keys[l];
            dx = block.backward(
                arena,
                tape,
                layout.asking(),
                wanted,
                dx,
                |q, kv, d_out, dq, dkv| {
                    let given = (q, kv, prompting.keys(l));
                    attention.backward(arena, given, d_out, dq, dkv, d_shared);
                },
            );
            if joins {
                let d_rows = &mut gradients.rows[l * size..][..size];
                if l > 0 {
                    let rest = part(arena, dx.floats(), n, d_rows);
                    dx = Gradient::new(arena, tower.precision, tower.width, rest);
                } else {
                    dx.floats()
                        .chunks_exact(size)
                        .for_each(|dx| add(d_rows, dx));
                }
            }
        }
    }
}

/// Appends `rows` to the tokens of each of `n` images.
fn join(arena: &Arena, x: &[f32], n: usize, rows: &[f32]) -> Buffer<f32> {
    let size = x.len() / n;
    let mut joined = arena.floats(x.len() + n * rows.len());
    for (joined, image) in joined
        .chunks_exact_mut(size + rows.len())
        .zip(x.chunks_exact(size))
    {
        joined[..size].copy_from_slice(image);
        joined[size..].copy_from_slice(rows);
    }
    joined
}

/// Undoes [`join`] on gradients: adds those of the appended rows to `d_rows`, returns the others.
fn part(arena: &Arena, dx: &[f32], n: usize, d_rows: &mut [f32]) -> Buffer<f32> {
    let size = dx.len() / n - d_rows.len();
    let mut rest = arena.floats(n * size);
    for (rest, image) in rest
        .chunks_exact_mut(size)
        .zip(dx.chunks_exact(dx.len() / n))
    {
        let (tokens, rows) = image.split_at(size);
        rest.copy_from_slice(tokens);
        add(d_rows, rows);
    }
    rest
}
