//! Some images that go through the tower at once.

use vlpt_kernels::{Segment, SegmentAttention, add};

use super::ImageTower;
use super::prompts::{Entry, PromptGradients, Prompting};
use crate::transformer::{Asking, BlockTape, Scratch, Wanted};

/// What backward needs of a chunk.
#[derive(Debug)]
pub(super) struct ChunkTape {
    blocks: Vec<BlockTape>,
    /// Class tokens after the last block.
    last: Vec<f32>,
}

/// Images in a block: which rows are whose.
pub(super) struct Layout {
    /// Tokens of an image.
    tokens: usize,
    /// Query and key rows of each image, its class token first.
    pub(super) segments: Vec<Segment>,
    /// Rows of the class tokens in the last block, where they alone ask.
    asking: Option<Vec<u32>>,
}

impl Layout {
    fn new(tower: &ImageTower, prompting: &Prompting, n: usize, l: usize) -> Self {
        let joined = if prompting.joined(l) {
            prompting.count
        } else {
            0
        };
        let tokens = tower.patches.tokens() + joined;
        let last = l + 1 == tower.blocks.len();
        let queries = if last { 1 } else { tokens };
        let segment = |i| Segment {
            query: i * queries,
            queries,
            key: i * tokens,
            keys: tokens,
        };
        let asking = last.then(|| (0..n).map(|i| (i * tokens) as u32).collect());
        Self {
            tokens,
            segments: (0..n).map(segment).collect(),
            asking,
        }
    }

    fn asking(&self) -> Asking<'_> {
        self.asking
            .as_ref()
            .map_or(Asking::All, |rows| Asking::Rows(rows))
    }

    fn attention(&self, tower: &ImageTower) -> SegmentAttention<'_> {
        SegmentAttention {
            heads: tower.heads,
            width: tower.width,
            segments: &self.segments,
        }
    }
}

/// Class tokens after the last block, of images whose tokens after `ln_pre` are `x`; `record` gets
/// the tape of each block.
pub(super) fn run(
    tower: &ImageTower,
    prompting: &Prompting,
    x: Vec<f32>,
    record: impl FnMut(BlockTape),
) -> Vec<f32> {
    run_watched(tower, prompting, x, record, |_, _, _, _| ())
}

/// As [`run`]; `watch` sees the number of each block, its layout, and the queries (rows x width)
/// and keys and values (rows x (2 width)) of its tokens.
pub(super) fn run_watched(
    tower: &ImageTower,
    prompting: &Prompting,
    mut x: Vec<f32>,
    mut record: impl FnMut(BlockTape),
    mut watch: impl FnMut(usize, &Layout, &[f32], &[f32]),
) -> Vec<f32> {
    let n = x.len() / (tower.patches.tokens() * tower.width);
    let mut scratch = Scratch::default();
    for (l, block) in tower.blocks.iter().enumerate() {
        if prompting.entry(l) == Entry::Join {
            x = join(&x, n, prompting.rows(l));
        }
        let layout = Layout::new(tower, prompting, n, l);
        let attention = layout.attention(tower);
        let (y, tape) = block.forward(x, layout.asking(), &mut scratch, |q, kv, out| {
            watch(l, &layout, q, kv);
            attention.forward(q, kv, prompting.keys(l), out);
        });
        record(tape);
        x = y;
    }
    x
}

/// As [`run`], with the tape.
pub(super) fn record(tower: &ImageTower, prompting: &Prompting, x: Vec<f32>) -> ChunkTape {
    let mut blocks = Vec::new();
    let last = run(tower, prompting, x, |tape| blocks.push(tape));
    ChunkTape { blocks, last }
}

impl ChunkTape {
    /// Features, images x embed.
    pub(super) fn features(&self, tower: &ImageTower) -> Vec<f32> {
        tower.head.forward(&self.last)
    }

    /// Bytes of the tape of `n` images.
    pub(super) fn bytes(tower: &ImageTower, prompting: &Prompting, n: usize) -> usize {
        let of_block = |l: usize| {
            let layout = Layout::new(tower, prompting, 1, l);
            let asking = if layout.asking.is_some() {
                n
            } else {
                n * layout.tokens
            };
            BlockTape::bytes(tower.width, tower.mlp, n * layout.tokens, asking)
        };
        (0..tower.blocks.len()).map(of_block).sum()
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
        let mut dx = tower.head.backward(&self.last, d_features);
        let mut scratch = Scratch::default();
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
                &tape,
                layout.asking(),
                wanted,
                dx,
                &mut scratch,
                |q, kv, d_out, dq, dkv| {
                    attention.backward(q, kv, prompting.keys(l), d_out, dq, dkv, d_shared);
                },
            );
            if joins {
                let d_rows = &mut gradients.rows[l * size..][..size];
                if l > 0 {
                    dx = part(&dx, n, d_rows);
                } else {
                    dx.chunks_exact(size).for_each(|dx| add(d_rows, dx));
                }
            }
        }
    }
}

/// Appends `rows` to the tokens of each of `n` images.
fn join(x: &[f32], n: usize, rows: &[f32]) -> Vec<f32> {
    let mut joined = Vec::with_capacity(x.len() + n * rows.len());
    for image in x.chunks_exact(x.len() / n) {
        joined.extend_from_slice(image);
        joined.extend_from_slice(rows);
    }
    joined
}

/// Undoes [`join`] on gradients: adds those of the appended rows to `d_rows`, returns the others.
fn part(dx: &[f32], n: usize, d_rows: &mut [f32]) -> Vec<f32> {
    let mut rest = Vec::with_capacity(dx.len() - n * d_rows.len());
    for image in dx.chunks_exact(dx.len() / n) {
        let (tokens, rows) = image.split_at(image.len() - d_rows.len());
        rest.extend_from_slice(tokens);
        add(d_rows, rows);
    }
    rest
}
