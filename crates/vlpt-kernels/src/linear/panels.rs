//! Weights in the order in which a micro-kernel reads them.

use std::ops::Range;

/// One cache line. Panels start on one, so that no vector of them crosses two lines.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
struct Line([f32; LINE]);

const LINE: usize = 16;

/// A matrix (depth x width) as slabs of rows, each cut into panels of a few columns, each row-major
/// without gaps. The last panel of a slab is filled up with columns of zeros.
#[derive(Clone, Debug)]
pub(super) struct Panels {
    depth: usize,
    width: usize,
    /// Columns of a panel, a multiple of the floats of a cache line.
    columns: usize,
    /// Rows of a slab, of all but the last.
    slab: usize,
    lines: Vec<Line>,
}

/// Most rows of a slab, a multiple of the floats of a cache line. The products of one slab are
/// summed in registers before they join the result: an element's sum has an order that the depth
/// alone decides, whatever the kernel. With this limit the rows of the left-hand side that a
/// micro-kernel works on stay in the first cache, and a task's panels in the second.
pub(super) const SLAB: usize = 512;

impl Panels {
    /// `run(j, i)`: elements (i, j), (i + 1, j) and so on of the matrix, down to where `i` is a
    /// multiple of 16 again or the column ends, at least.
    pub(super) fn new<'a>(
        (depth, width): (usize, usize),
        columns: usize,
        run: impl Fn(usize, usize) -> &'a [f32],
    ) -> Self {
        // about equal slabs: a short last one would be summed at a worse rate
        let slab = depth.div_ceil(depth.div_ceil(SLAB)).next_multiple_of(LINE);
        let whole = width.next_multiple_of(columns);
        let mut panels = Self {
            depth,
            width,
            columns,
            slab,
            lines: vec![Line([0.0; LINE]); whole * depth / LINE],
        };
        let across = columns / LINE;
        for panel in 0..whole / columns {
            let first = panel * columns;
            for top in (0..depth).step_by(LINE) {
                let start = panels.start(top / slab, panel) / LINE + top % slab * across;
                let height = LINE.min(depth - top);
                for j in 0..columns.min(width - first) {
                    for (i, value) in run(first + j, top)[..height].iter().enumerate() {
                        panels.lines[start + i * across + j / LINE].0[j % LINE] = *value;
                    }
                }
            }
        }
        panels
    }

    /// The transposed matrix.
    pub(super) fn transposed(&self) -> Self {
        Self::new((self.width, self.depth), self.columns, |j, i| {
            let start = self.start(j / self.slab, i / self.columns);
            let row = start + j % self.slab * self.columns + i % self.columns;
            let held = self.columns - i % self.columns;
            &self.values()[row..row + held]
        })
    }

    pub(super) fn depth(&self) -> usize {
        self.depth
    }

    pub(super) fn width(&self) -> usize {
        self.width
    }

    pub(super) fn bytes(&self) -> usize {
        size_of_val(self.lines.as_slice())
    }

    /// The rows of each slab.
    pub(super) fn slabs(&self) -> impl Iterator<Item = Range<usize>> {
        (0..self.depth)
            .step_by(self.slab)
            .map(|first| first..self.depth.min(first + self.slab))
    }

    /// Panel `panel` of slab `slab`, and those after it in the slab.
    pub(super) fn panels(&self, slab: usize, panel: usize) -> &[f32] {
        &self.values()[self.start(slab, panel)..]
    }

    fn start(&self, slab: usize, panel: usize) -> usize {
        let height = self.slab.min(self.depth - slab * self.slab);
        let panels = self.width.div_ceil(self.columns);
        (slab * self.slab * panels + panel * height) * self.columns
    }

    fn values(&self) -> &[f32] {
        // SAFETY: a line is its floats and nothing else (repr(C), 64 bytes aligned to 64).
        unsafe { std::slice::from_raw_parts(self.lines.as_ptr().cast(), self.lines.len() * LINE) }
    }
}
