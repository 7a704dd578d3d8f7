//! Weights in the order in which a micro-kernel reads them.

/// One cache line. Panels start on one, so that no vector of them crosses two lines.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
struct Line([f32; LINE]);

const LINE: usize = 16;

/// A matrix (depth x width) as slabs of [`SLAB`] rows, each cut into panels of a few columns, each
/// row-major without gaps. The last panel of a slab is filled up with columns of zeros.
#[derive(Clone, Debug)]
pub(super) struct Panels {
    depth: usize,
    width: usize,
    /// Columns of a panel, a multiple of the floats of a cache line.
    columns: usize,
    lines: Vec<Line>,
}

/// Rows of a slab, a multiple of the floats of a cache line: the products of one slab are summed in
/// registers before they join the result, so the sum of an element has this order whatever the
/// kernel. With it, the rows of the left-hand side that a micro-kernel works on stay in the first
/// cache, and a block of panels in the second.
pub(super) const SLAB: usize = 384;

impl Panels {
    /// `run(j, i)`: elements (i, j), (i + 1, j) and so on of the matrix, down to where `i` is a
    /// multiple of 16 again or the column ends, at least.
    pub(super) fn new<'a>(
        (depth, width): (usize, usize),
        columns: usize,
        run: impl Fn(usize, usize) -> &'a [f32],
    ) -> Self {
        let whole = width.next_multiple_of(columns);
        let mut lines = vec![Line([0.0; LINE]); whole * depth / LINE];
        let across = columns / LINE;
        for panel in 0..whole / columns {
            let first = panel * columns;
            for top in (0..depth).step_by(LINE) {
                let start =
                    start((depth, width), columns, top / SLAB, panel) / LINE + top % SLAB * across;
                let height = LINE.min(depth - top);
                for j in 0..columns.min(width - first) {
                    for (i, value) in run(first + j, top)[..height].iter().enumerate() {
                        lines[start + i * across + j / LINE].0[j % LINE] = *value;
                    }
                }
            }
        }
        Self {
            depth,
            width,
            columns,
            lines,
        }
    }

    /// The transposed matrix.
    pub(super) fn transposed(&self) -> Self {
        Self::new((self.width, self.depth), self.columns, |j, i| {
            let start = self.start(j / SLAB, i / self.columns);
            let row = start + j % SLAB * self.columns + i % self.columns;
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

    /// Panel `panel` of slab `slab`, and of those after it in the slab.
    pub(super) fn panels(&self, slab: usize, panel: usize) -> &[f32] {
        &self.values()[self.start(slab, panel)..]
    }

    fn start(&self, slab: usize, panel: usize) -> usize {
        start((self.depth, self.width), self.columns, slab, panel)
    }

    fn values(&self) -> &[f32] {
        // SAFETY: a line is its floats and nothing else (repr(C), 64 bytes aligned to 64).
        unsafe { std::slice::from_raw_parts(self.lines.as_ptr().cast(), self.lines.len() * LINE) }
    }
}

fn start((depth, width): (usize, usize), columns: usize, slab: usize, panel: usize) -> usize {
    let height = SLAB.min(depth - slab * SLAB);
    (slab * SLAB * width.div_ceil(columns) + panel * height) * columns
}
