//! A sum of products, and the steps in which a task makes its blocks.

use std::ops::Range;

use super::Epilogue;
use crate::block::{Block, SIDE};
use crate::tile::{TILE, TILE_COLUMNS, Tiles};
use crate::vector::Vector;

/// How a product is cut. Slices change no bit: each goes on from the sums of the one before. The
/// numbers were measured (see docs/concepts/roofline.md).
struct Cut {
    /// Most tiles of depth that are summed at once.
    slice: usize,
    /// Most blocks of rows, and of columns, of one task.
    rows: usize,
    columns: usize,
    /// TaskGrid for each thread, where there is enough to do.
    tasks: usize,
}

/// Where one slice does it: its weights of a block of columns about fill the first cache, and the
/// rows of a task stay in the second.
const SHALLOW: Cut = Cut {
    slice: 24,
    rows: 13,
    columns: 8,
    tasks: 4,
};
/// Where several are needed: sums come and go, so the weights leave them room in the first cache,
/// and the sums of a task are in the second beside its rows. Its rows, which are long, are read for as
/// many columns as that leaves room for.
const DEEP: Cut = Cut {
    slice: 14,
    rows: 13,
    columns: 12,
    tasks: 1,
};

/// A left-hand side and packed weights of as many tiles of depth.
#[derive(Clone, Copy)]
pub(super) struct Term<'a> {
    x: Tiles<'a>,
    packed: &'a [u16],
    depth: usize,
}

/// The shape of a sum of products in tiles, and what it reads.
pub(super) struct Product<'a> {
    /// As many rows each.
    terms: &'a [Term<'a>],
    rows: usize,
    /// Blocks of columns.
    pub(super) columns: usize,
}

/// Some depth of a term.
#[derive(Clone, Copy)]
pub(super) struct Slice<'a> {
    term: &'a Term<'a>,
    /// First tile of depth, and number of tiles.
    pub(super) first: usize,
    pub(super) depth: usize,
}

/// Adding some depth to one block of sums.
pub(super) struct Step<'a> {
    pub(super) row: usize,
    pub(super) column: usize,
    pub(super) slice: Slice<'a>,
    /// Whether the sums begin here.
    pub(super) begins: bool,
    /// What the sums go on with; without it they are whole afterwards.
    pub(super) next: Option<Slice<'a>>,
    /// Number of the block of sums.
    pub(super) sums: usize,
}

/// Blocks of rows and of columns that one thread makes.
pub(super) struct TaskBlocks {
    pub(super) rows: Range<usize>,
    pub(super) columns: Range<usize>,
}

/// How a product is parted into tasks: so many shares of its rows, and of its columns.
pub(super) struct TaskGrid {
    down: usize,
    across: usize,
}

impl<'a> Term<'a> {
    pub(super) fn new(x: Tiles<'a>, packed: &'a [u16], depth: usize) -> Self {
        assert_eq!(x.width, depth, "left-hand side of a product");
        let depth = depth.div_ceil(TILE_COLUMNS);
        Self { x, packed, depth }
    }
}

impl TaskGrid {
    pub(super) fn count(&self) -> usize {
        self.down * self.across
    }

    /// A thread that does one after the other goes from column to column, as long as it can, with the
    /// same rows.
    pub(super) fn task(&self, product: &Product, index: usize) -> TaskBlocks {
        TaskBlocks {
            rows: share(product.rows.div_ceil(SIDE), index / self.across, self.down),
            columns: share(product.columns, index % self.across, self.across),
        }
    }
}

/// One of `count` parts of `length`, which differ by 1 at most.
fn share(length: usize, index: usize, count: usize) -> Range<usize> {
    index * length / count..(index + 1) * length / count
}

/// The size of parts that cover `length`, all of about one size and none over `limit`.
fn even(length: usize, limit: usize) -> usize {
    length.div_ceil(length.div_ceil(limit).max(1)).max(1)
}

impl<'a> Slice<'a> {
    /// The rows of tiles of a block of rows.
    pub(super) fn a(&self, block: usize) -> &'a [u16] {
        let across = 2 * self.term.depth * TILE;
        let first = block * across + self.first * TILE;
        &self.term.x.numbers[first..(block + 1) * across]
    }

    /// Distance of the two rows of tiles of a block.
    pub(super) fn stride(&self) -> usize {
        self.term.depth * TILE
    }

    /// The tiles of a block of columns.
    pub(super) fn b(&self, block: usize) -> &'a [u16] {
        let deep = 2 * self.term.depth * TILE;
        let first = block * deep + self.first * 2 * TILE;
        &self.term.packed[first..(block + 1) * deep]
    }
}

impl<'a> Product<'a> {
    /// For `width` columns of the right-hand sides.
    pub(super) fn new(terms: &'a [Term<'a>], width: usize) -> Self {
        let rows = terms[0].x.rows;
        let as_many = terms.iter().all(|term| term.x.rows == rows);
        assert!(as_many, "as many rows in each term of a sum");
        Self {
            terms,
            rows,
            columns: width.div_ceil(SIDE),
        }
    }

    pub(super) fn tasks(&self, threads: usize) -> TaskGrid {
        let (rows, cut) = (self.rows.div_ceil(SIDE), self.cut());
        let mut down = rows.div_ceil(cut.rows);
        let wanted = (cut.tasks * threads).div_ceil(down.max(1));
        let breadth = cut.columns.min(self.columns / wanted).max(1);
        let across = self.columns.div_ceil(breadth);
        if down > 1 || across == 1 {
            // as many rows for each thread
            down = down.next_multiple_of(threads).min(rows);
        }
        TaskGrid { down, across }
    }

    /// Blocks of sums that a task needs: those that need no second slice take turns in two.
    pub(super) fn blocks(&self, task: &TaskBlocks) -> usize {
        if self.is_shallow() {
            2
        } else {
            task.rows.len() * task.columns.len()
        }
    }

    /// Whether it is summed in one slice.
    fn is_shallow(&self) -> bool {
        self.terms.len() == 1 && self.terms[0].depth <= SHALLOW.slice
    }

    fn cut(&self) -> &'static Cut {
        if self.is_shallow() { &SHALLOW } else { &DEEP }
    }

    fn slices(&self) -> impl Iterator<Item = Slice<'a>> {
        let most = self.cut().slice;
        self.terms.iter().flat_map(move |term| {
            let slice = even(term.depth, most);
            (0..term.depth).step_by(slice).map(move |first| Slice {
                term,
                first,
                depth: slice.min(term.depth - first),
            })
        })
    }

    /// Does a task step by step: slice by slice of depth, block by block of columns, block by block
    /// of rows.
    #[inline(always)]
    pub(super) fn for_steps(&self, task: &TaskBlocks, mut work: impl FnMut(Step<'a>)) {
        let mut slices = self.slices().peekable();
        let (mut number, mut begins) = (0, true);
        while let Some(slice) = slices.next() {
            let next = slices.peek().copied();
            for column in task.columns.clone() {
                for row in task.rows.clone() {
                    let across = column - task.columns.start;
                    let sums = if self.is_shallow() {
                        number % 2
                    } else {
                        across * task.rows.len() + row - task.rows.start
                    };
                    number += 1;
                    work(Step {
                        row,
                        column,
                        slice,
                        begins,
                        next,
                        sums,
                    });
                }
            }
            begins = false;
        }
    }

    /// How many of the `most` rows from a row on are rows of the product.
    pub(super) fn count(&self, row: usize, most: usize) -> usize {
        self.rows.saturating_sub(row).min(most)
    }

    /// Finishes a block of sums.
    #[inline(always)]
    pub(super) fn finish<V: Vector>(&self, step: &Step, sums: &Block, epilogue: &impl Epilogue) {
        const ROWS: usize = 8;
        for part in 0..SIDE / ROWS {
            self.finish_part::<V, ROWS>(step, part, sums, epilogue);
        }
    }

    /// Finishes `N` rows of a block of sums.
    #[inline(always)]
    pub(super) fn finish_part<V: Vector, const N: usize>(
        &self,
        step: &Step,
        part: usize,
        sums: &Block,
        epilogue: &impl Epilogue,
    ) {
        let row = step.row * SIDE + part * N;
        epilogue.rows::<V, N>(
            row,
            self.count(row, N),
            step.column * SIDE,
            &sums.parts()[part],
        );
    }
}
