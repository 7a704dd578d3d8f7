//! Multi-head softmax attention, `softmax(q k^T / sqrt(head width)) v` of each head.
//!
//! Queries `q` are rows x width; keys and values are one matrix `kv`, rows x (2 width), a row being
//! the key and then the value; a head's part of a row is contiguous. Who sees whom is an
//! [`AttentionPlan`]. Scores are held with a key a row and a query a column, so that all sums of
//! the softmax go down columns, key by key.

mod floats;
mod gather;
mod plan;
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
mod tiles;

pub use plan::AttentionPlan;

use crate::Precision;
use crate::arena::Arena;
use crate::matrix::{Matrix, Operand};
use crate::output::{Output, TileOutput};
use crate::threads::for_tasks;
use crate::tile::{TILE_COLUMNS, Tiles, round_part};
use plan::{QueryBlock, Run};

/// Attention of some queries to some keys.
#[derive(Clone, Copy, Debug)]
pub struct Attention<'a> {
    /// Number of heads; divides `width`.
    pub heads: usize,
    /// Length of a query.
    pub width: usize,
    /// Who sees whom.
    pub plan: &'a AttentionPlan,
}

/// What all tasks read.
#[derive(Clone, Copy)]
struct Given<'a> {
    q: Operand<'a>,
    kv: Operand<'a>,
    common: Operand<'a>,
}

/// One head of the queries of one block.
struct Task<'a> {
    attention: &'a Attention<'a>,
    block: &'a QueryBlock,
    head: usize,
}

/// A matrix of which tasks write disjoint parts of rows.
#[derive(Clone, Copy)]
enum Rows<'a> {
    Floats(Output<'a>),
    Tiles(TileOutput<'a>),
}

/// Where tasks write their gradients.
struct Gradients<'a> {
    dq: Rows<'a>,
    dkv: Rows<'a>,
    /// Parts of the gradients of keys that several blocks see: slots x (2 width).
    parts: Output<'a>,
}

impl Attention<'_> {
    /// `out`, of the size of `q`; `kv`: the plan's own keys and values, `common`: those that it
    /// has in common. All are in one number format.
    ///
    /// # Panics
    /// When sizes or number formats do not fit.
    pub fn forward(&self, q: &Matrix, kv: &Matrix, common: &Matrix, out: &mut Matrix) {
        self.check(q, kv, common);
        assert!(
            out.precision() == q.precision() && (out.rows(), out.width()) == (q.rows(), q.width()),
            "attention output"
        );
        let given = Given {
            q: q.operand(),
            kv: kv.operand(),
            common: common.operand(),
        };
        let out = Rows::new(out);
        self.for_tasks(|task| {
            #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
            if let Some((given, out)) = self.in_tiles(&given, &out) {
                // SAFETY: the level is the processor's.
                unsafe { tiles::forward(task, &given, out) };
                return;
            }
            floats::forward(task, &given, &out);
        });
    }

    /// Given the gradient `d_out` of the output, writes `dq` and `dkv`, of the sizes of `q` and
    /// `kv`, and adds to `d_common` (common keys x (2 width); empty where they are constant).
    ///
    /// # Panics
    /// When sizes or number formats do not fit.
    pub fn backward(
        &self,
        arena: &Arena,
        (q, kv, common): (&Matrix, &Matrix, &Matrix),
        d_out: &Matrix,
        dq: &mut Matrix,
        dkv: &mut Matrix,
        d_common: &mut [f32],
    ) {
        self.check(q, kv, common);
        let size = |matrix: &Matrix| (matrix.rows(), matrix.width(), matrix.precision());
        assert!(
            size(d_out) == size(q) && size(dq) == size(q) && size(dkv) == size(kv),
            "attention gradients"
        );
        let row = 2 * self.width;
        let learned = if self.plan.common_is_learned() {
            common.rows() * row
        } else {
            0
        };
        assert_eq!(d_common.len(), learned, "gradient of the common keys");
        let given = Given {
            q: q.operand(),
            kv: kv.operand(),
            common: common.operand(),
        };
        let d_out = d_out.operand();
        let mut parts = arena.floats(self.plan.slots() * row);
        let to = Gradients {
            dq: Rows::new(dq),
            dkv: Rows::new(dkv),
            parts: Output::new(&mut parts, row),
        };
        self.for_tasks(|task| {
            #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
            if let (Some((given, _)), Operand::Bf16(d_out)) = (self.in_tiles(&given, &to.dq), d_out)
            {
                // SAFETY: the level is the processor's.
                unsafe { tiles::backward(task, &given, d_out, &to) };
                return;
            }
            floats::backward(task, &given, d_out, &to);
        });
        self.add_parts(&parts, &Rows::new(dkv), d_common);
    }

    /// Sums the parts of the keys that several blocks see, block by block.
    fn add_parts(&self, parts: &[f32], dkv: &Rows, d_common: &mut [f32]) {
        let (row, common) = (2 * self.width, self.plan.common());
        let d_common = (!d_common.is_empty()).then(|| Output::new(d_common, row));
        let shared = self.plan.shared();
        for_tasks(shared.len(), |i| {
            let key = &shared[i];
            let (first, others) = parts[key.slots.start * row..key.slots.end * row].split_at(row);
            let mut sum = first.to_vec();
            for part in others.chunks_exact(row) {
                crate::add(&mut sum, part);
            }
            match (key.key.checked_sub(common), &d_common) {
                // SAFETY: every key is in the list once.
                (Some(own), _) => unsafe { dkv.put(own, 0, &sum) },
                // SAFETY: as above.
                (None, Some(to)) => crate::add(unsafe { to.part(key.key, 0, row) }, &sum),
                (None, None) => unreachable!("constant keys have no parts"),
            }
        });
        let zero = vec![
            0.0;
            if self.plan.unseen().is_empty() {
                0
            } else {
                row
            }
        ];
        for &key in self.plan.unseen() {
            // SAFETY: no block has such a key, and nothing else runs.
            unsafe { dkv.put(key as usize, 0, &zero) };
        }
    }

    /// Whether the tile registers can do it, and what they read and write.
    #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
    fn in_tiles<'t>(
        &self,
        given: &Given<'t>,
        out: &Rows<'t>,
    ) -> Option<(tiles::Given<'t>, TileOutput<'t>)> {
        let whole = self.size().is_multiple_of(TILE_COLUMNS);
        match (given.q, given.kv, given.common, *out) {
            (Operand::Bf16(q), Operand::Bf16(kv), Operand::Bf16(common), Rows::Tiles(out))
                if whole && crate::Level::current() == crate::Level::Amx =>
            {
                Some((tiles::Given { q, kv, common }, out))
            }
            _ => None,
        }
    }

    fn size(&self) -> usize {
        self.width / self.heads
    }

    fn scale(&self) -> f32 {
        1.0 / (self.size() as f32).sqrt()
    }

    /// Calls `work` for every head of every block, in parallel.
    fn for_tasks(&self, work: impl Fn(&Task) + Sync) {
        let blocks = self.plan.blocks();
        for_tasks(self.heads * blocks.len(), |task| {
            let (block, head) = (&blocks[task / self.heads], task % self.heads);
            work(&Task {
                attention: self,
                block,
                head,
            });
        });
    }

    fn check(&self, q: &Matrix, kv: &Matrix, common: &Matrix) {
        assert!(
            self.heads > 0 && self.width.is_multiple_of(self.heads),
            "heads of attention"
        );
        assert!(
            kv.precision() == q.precision() && common.precision() == q.precision(),
            "number formats of attention"
        );
        let size = |matrix: &Matrix| (matrix.rows(), matrix.width());
        let (plan, row) = (self.plan, 2 * self.width);
        assert_eq!(size(q), (plan.queries(), self.width), "attention queries");
        assert_eq!(size(kv), (plan.own(), row), "attention keys");
        assert_eq!(size(common), (plan.common(), row), "common keys");
    }
}

impl Task<'_> {
    /// Runs of the block.
    fn runs(&self) -> &[Run] {
        self.attention.plan.runs(self.block)
    }

    /// First column of the head in a query, and in a value.
    fn columns(&self) -> [usize; 2] {
        let first = self.head * self.attention.size();
        [first, self.attention.width + first]
    }
}

impl<'a> Rows<'a> {
    fn new(matrix: &'a mut Matrix) -> Self {
        match matrix.precision() {
            Precision::F32 => {
                let width = matrix.width();
                Self::Floats(Output::new(matrix.floats_mut(), width))
            }
            Precision::Bf16 => Self::Tiles(TileOutput::new(matrix)),
        }
    }

    /// Writes the columns from `first` on of a row, rounded to the format.
    ///
    /// # Safety
    /// Nobody else has these columns meanwhile.
    unsafe fn put(&self, row: usize, first: usize, floats: &[f32]) {
        match self {
            // SAFETY: the caller's promise.
            Self::Floats(to) => {
                unsafe { to.part(row, first, floats.len()) }.copy_from_slice(floats);
            }
            Self::Tiles(to) => {
                let whole = if first.is_multiple_of(TILE_COLUMNS) {
                    floats.as_chunks().0
                } else {
                    &[]
                };
                for (tile, floats) in (first / TILE_COLUMNS..).zip(whole) {
                    // SAFETY: the caller's promise.
                    round_part(floats, unsafe { to.part(row, tile) });
                }
                let done = whole.len() * TILE_COLUMNS;
                for (column, x) in (first..).zip(floats).skip(done) {
                    // SAFETY: the caller's promise, number by number.
                    unsafe { *to.number(row, column) = crate::vector::round_to_bf16(*x) };
                }
            }
        }
    }
}

/// The columns `first..first + to.len()` of a row of an operand, widened.
fn read(from: Operand, width: usize, row: usize, first: usize, to: &mut [f32]) {
    match from {
        Operand::F32(floats) => to.copy_from_slice(&floats[row * width + first..][..to.len()]),
        Operand::Bf16(tiles) => read_tiles(tiles, row, first, to),
    }
}

fn read_tiles(tiles: Tiles, row: usize, first: usize, to: &mut [f32]) {
    for (column, to) in (first..).zip(to) {
        let number = tiles.part(row, column / TILE_COLUMNS)[column % TILE_COLUMNS];
        *to = crate::vector::widen(number);
    }
}
