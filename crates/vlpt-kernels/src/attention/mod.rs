//! Multi-head softmax attention, `softmax(q k^T / sqrt(head width)) v` of each head.
//!
//! Queries `q` are rows x width; keys and values are one matrix `kv`, rows x (2 width), a row being
//! the key and then the value; a head's part of a row is contiguous. Who sees whom is an
//! [`AttentionPlan`]. Scores are held with a key a row and a query a column, so that all sums of
//! the softmax go down columns, key by key.

mod floats;
mod gather;
mod gradients;
mod plan;
mod rows;
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
mod tiles;

pub use plan::AttentionPlan;

use crate::arena::Arena;
use crate::matrix::{Matrix, Operand};
use crate::output::{Output, TileOutput};
use crate::threads::for_tasks;
use crate::tile::TILE_COLUMNS;
use gradients::{Gradients, add_parts};
use plan::{QueryBlock, Run};
use rows::Rows;

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
struct Inputs<'a> {
    q: Operand<'a>,
    kv: Operand<'a>,
    common: Operand<'a>,
}

/// One head of the queries of one block.
struct BlockHead<'a> {
    attention: &'a Attention<'a>,
    block: &'a QueryBlock,
    head: usize,
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
        let inputs = Inputs {
            q: q.operand(),
            kv: kv.operand(),
            common: common.operand(),
        };
        let out = Rows::new(out);
        self.for_tasks(|task| {
            #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
            if let Some((inputs, out)) = self.in_tiles(&inputs, &out) {
                // SAFETY: the level is the processor's.
                unsafe { tiles::forward(task, &inputs, out) };
                return;
            }
            floats::forward(task, &inputs, &out);
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
        let inputs = Inputs {
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
            if let (Some((inputs, _)), Operand::Bf16(d_out)) =
                (self.in_tiles(&inputs, &to.dq), d_out)
            {
                // SAFETY: the level is the processor's.
                unsafe { tiles::backward(task, &inputs, d_out, &to) };
                return;
            }
            floats::backward(task, &inputs, d_out, &to);
        });
        add_parts(self.plan, row, &parts, &Rows::new(dkv), d_common);
    }

    /// Whether the tile registers can do it, and what they read and write.
    #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
    fn in_tiles<'t>(
        &self,
        inputs: &Inputs<'t>,
        out: &Rows<'t>,
    ) -> Option<(tiles::TileInputs<'t>, TileOutput<'t>)> {
        let whole = self.size().is_multiple_of(TILE_COLUMNS);
        match (inputs.q, inputs.kv, inputs.common, *out) {
            (Operand::Bf16(q), Operand::Bf16(kv), Operand::Bf16(common), Rows::Tiles(out))
                if whole && crate::Isa::current() == crate::Isa::Amx =>
            {
                Some((tiles::TileInputs { q, kv, common }, out))
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
    fn for_tasks(&self, work: impl Fn(&BlockHead) + Sync) {
        let blocks = self.plan.blocks();
        for_tasks(self.heads * blocks.len(), |task| {
            let (block, head) = (&blocks[task / self.heads], task % self.heads);
            work(&BlockHead {
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

impl BlockHead<'_> {
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
