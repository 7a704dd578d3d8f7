//! f32 products with weights that are packed once, when the layer is made.

use std::mem::MaybeUninit;
use std::sync::OnceLock;

use super::Epilogue;
use super::micro_f32::{Avx2, Avx512, MicroKernel, Shape};
use super::panels::{Panels, SLAB};
use crate::output::Output;
use crate::processor::Isa;
use crate::threads::for_tasks;

/// Most rows and columns of a task, the unit of work of one thread.
const TASK_ROWS: usize = 210;
const TASK_COLUMNS: usize = 768;
/// Columns that are not split for the sake of more tasks.
const FEW_COLUMNS: usize = 128;
/// Tasks that keep a handful of threads busy to the end.
const TASKS: usize = 16;

/// Weights of a frozen layer as panels: those of `x W^T` from the start, those of `dy W` from the
/// first backward on.
///
/// Every element of a result is a sum in an order that depends on the number of its products alone,
/// so it has the same bits for any number of threads, in whatever rows it stands, and by either
/// kernel.
#[derive(Clone, Debug)]
pub(super) struct PackedF32 {
    kernel: Kernel,
    forward: Panels,
    backward: OnceLock<Panels>,
}

#[derive(Clone, Copy, Debug)]
enum Kernel {
    Avx2,
    Avx512,
}

impl PackedF32 {
    /// Packs `weight` (outputs x inputs) for a level; `None` where it has no kernel of this kind.
    pub(super) fn new(level: Isa, inputs: usize, outputs: usize, weight: &[f32]) -> Option<Self> {
        let (kernel, columns) = match level {
            Isa::Portable => return None,
            Isa::Avx2 => (Kernel::Avx2, Avx2::COLUMNS),
            _ => (Kernel::Avx512, Avx512::COLUMNS),
        };
        let run = |output: usize, input: usize| &weight[output * inputs..][input..inputs];
        Some(Self {
            kernel,
            forward: Panels::new((inputs, outputs), columns, run),
            backward: OnceLock::new(),
        })
    }

    pub(super) fn bytes(&self) -> usize {
        self.forward.bytes() + self.backward.get().map_or(0, Panels::bytes)
    }

    /// `y = x W^T`, or `y += x W^T`, then `epilogue` on each row of each task.
    pub(super) fn forward(&self, x: &[f32], y: &mut [f32], add: bool, epilogue: &impl Epilogue) {
        self.multiply(x, &self.forward, y, add, epilogue);
    }

    /// `dx = dy W`, or `dx += dy W`, then `epilogue` on each row of each task.
    pub(super) fn backward(&self, dy: &[f32], dx: &mut [f32], add: bool, epilogue: &impl Epilogue) {
        // Packed by one thread: one that shared the work would take up other tasks while it waits,
        // and might come to this layer again.
        let panels = self.backward.get_or_init(|| self.forward.transposed());
        self.multiply(dy, panels, dx, add, epilogue);
    }

    fn multiply(&self, x: &[f32], w: &Panels, y: &mut [f32], add: bool, epilogue: &impl Epilogue) {
        match self.kernel {
            // SAFETY: `new` was given a level that the processor has.
            Kernel::Avx2 => unsafe { multiply::<Avx2>(x, w, y, add, epilogue) },
            // SAFETY: as above.
            Kernel::Avx512 => unsafe { multiply::<Avx512>(x, w, y, add, epilogue) },
        }
    }
}

/// `y = x w` or `y += x w`, then `epilogue`; `x`: rows x depth, `y`: rows x width.
///
/// # Safety
/// The processor has the instructions of the kernel.
unsafe fn multiply<K: MicroKernel>(
    x: &[f32],
    w: &Panels,
    y: &mut [f32],
    add: bool,
    epilogue: &impl Epilogue,
) {
    let (depth, width) = (w.depth(), w.width());
    let rows = y.len() / width;
    assert!(
        x.len() == rows * depth && y.len() == rows * width,
        "operands of a product"
    );
    if rows == 0 {
        return;
    }
    let y = Output::new(y, width);
    let (height, breadth) = task(rows, width, K::ROWS, K::COLUMNS);
    let across = width.div_ceil(breadth);
    let tasks = rows.div_ceil(height) * across;
    for_tasks(tasks, |task| {
        let (top, left) = (task / across * height, task % across * breadth);
        let block = Block {
            top,
            rows: height.min(rows - top),
            left,
            columns: breadth.min(width - left),
        };
        // SAFETY: the caller's promise; no other task has this block of y.
        unsafe { block.multiply::<K>(x, w, y, add, epilogue) };
    });
}

/// Rows and columns of a task, by the shape alone: about equal, the columns whole panels.
fn task(rows: usize, width: usize, tile: usize, panel: usize) -> (usize, usize) {
    let down = rows.div_ceil(TASK_ROWS / tile * tile);
    let panels = width.div_ceil(panel);
    let widest = panels.div_ceil((FEW_COLUMNS / panel).max(1));
    let across = width
        .div_ceil(TASK_COLUMNS)
        .max(TASKS.div_ceil(down).min(widest));
    (rows.div_ceil(down), panels.div_ceil(across) * panel)
}

/// A part of a result.
struct Block {
    top: usize,
    rows: usize,
    left: usize,
    columns: usize,
}

impl Block {
    /// # Safety
    /// The processor has the instructions of the kernel, and nobody else uses this block of `y`.
    unsafe fn multiply<K: MicroKernel>(
        &self,
        x: &[f32],
        w: &Panels,
        y: Output,
        add: bool,
        epilogue: &impl Epilogue,
    ) {
        let (depth, width) = (w.depth(), w.width());
        let mut rows_of_x = Scratch::new();
        for (slab, range) in w.slabs().enumerate() {
            let (first, height) = (range.start, range.len());
            let panels = w.panels(slab, self.left / K::COLUMNS);
            assert!(panels.len() >= self.columns.next_multiple_of(K::COLUMNS) * height);
            // Tiles of about equal numbers of rows, rather than a last one of few.
            let tiles = self.rows.div_ceil(K::ROWS);
            for tile in 0..tiles {
                let (start, end) = (self.rows * tile / tiles, self.rows * (tile + 1) / tiles);
                let top = self.top + start;
                let a = rows_of_x.fill(&x[top * depth + first..], depth, end - start, height);
                for left in (0..self.columns).step_by(K::COLUMNS) {
                    let columns = K::COLUMNS.min(self.columns - left);
                    let shape = Shape {
                        rows: end - start,
                        columns,
                        depth: height,
                        stride: width,
                    };
                    let c = y.tile(top, end - start, self.left + left, columns);
                    // SAFETY: `a` holds these rows, `panels` this panel by the assertion, `c` lies
                    // in this block, which is this task's alone.
                    unsafe {
                        let b = panels.as_ptr().add(left * height);
                        K::tile(shape, a, b, c, add || slab > 0);
                    }
                }
                if range.end == depth {
                    for row in top..self.top + end {
                        // SAFETY: as above; rows are taken in turn.
                        let part = unsafe { y.part(row, self.left, self.columns) };
                        epilogue.apply(row, self.left, part);
                    }
                }
            }
        }
    }
}

/// The rows of the left-hand side of a tile, [`SLAB`] apart: side by side they fit the first cache,
/// while where they come from they may all fall on the same few lines of it.
#[repr(align(64))]
struct Scratch([MaybeUninit<f32>; Avx512::ROWS * SLAB]);

impl Scratch {
    #[allow(clippy::large_stack_arrays, reason = "21 KiB, in a leaf of the calls")]
    fn new() -> Self {
        Self([MaybeUninit::uninit(); Avx512::ROWS * SLAB])
    }

    /// Copies `rows` rows of `length` floats that are `stride` apart.
    fn fill(&mut self, x: &[f32], stride: usize, rows: usize, length: usize) -> *const f32 {
        for (row, to) in self.0.chunks_exact_mut(SLAB).take(rows).enumerate() {
            to[..length].write_copy_of_slice(&x[row * stride..][..length]);
        }
        self.0.as_ptr().cast()
    }
}
