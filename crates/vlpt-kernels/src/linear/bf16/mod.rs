//! bf16 products, sums in f32.

#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
mod amx;
#[cfg(target_arch = "x86_64")]
mod avx512;
pub(super) mod epilogue;
mod pack;
mod portable;
mod product;

use std::cell::RefCell;
use std::sync::OnceLock;

use crate::Isa;
use crate::arena::Buffer;
use crate::block::{Block, SIDE};
use crate::threads::for_tasks;
use crate::tile::Tiles;
use crate::vector::Vector;
use product::{Product, Term};

thread_local! {
    /// Sums of the blocks of a task.
    static SUMS: RefCell<Vec<Block>> = const { RefCell::new(Vec::new()) };
}

/// Frozen weights rounded to bf16 and packed: for every 32 columns of the right-hand side and every
/// 32 rows of it, two tiles of 16 columns; a row of a tile holds the pairs of two rows.
#[derive(Debug)]
pub(super) struct PackedBf16 {
    level: Isa,
    inputs: usize,
    outputs: usize,
    /// Right-hand side of the forward product: inputs x outputs.
    forward: Buffer<u16>,
    /// That of the backward product, outputs x inputs, made when it is first asked for.
    backward: OnceLock<Buffer<u16>>,
}

/// `N` rows of a block of sums.
pub(super) type Rows<const N: usize> = [[f32; SIDE]; N];

/// What becomes of sums, some rows of 32 columns at a time.
pub(super) trait Epilogue: Sync {
    /// Whether it takes so long that it is best done a few rows at a time while tiles are multiplied.
    const LONG: bool = false;

    /// Takes the sums from a row and a column on that are multiples of `N` and 32. Only the first
    /// `count` rows are rows of the product; columns past the width get sums of zeros.
    fn rows<V: Vector, const N: usize>(
        &self,
        row: usize,
        count: usize,
        column: usize,
        sums: &Rows<N>,
    );

    /// Prefetches what will be read, and what is far apart and will be written, for such rows.
    #[cfg_attr(
        not(all(target_arch = "x86_64", target_os = "linux")),
        allow(dead_code)
    )]
    #[inline(always)]
    fn prepare(&self, _row: usize, _count: usize, _column: usize) {}
}

impl PackedBf16 {
    pub(super) fn new(inputs: usize, outputs: usize, weight: &[f32]) -> Self {
        Self {
            level: Isa::current(),
            inputs,
            outputs,
            forward: pack::forward(weight, inputs, outputs),
            backward: OnceLock::new(),
        }
    }

    pub(super) fn bytes(&self) -> usize {
        let backward = self.backward.get().map_or(0, |packed| packed.len());
        (self.forward.len() + backward) * size_of::<u16>()
    }

    /// `x W^T`, each row of 32 sums given to `epilogue`.
    pub(super) fn forward(&self, x: Tiles, epilogue: &impl Epilogue) {
        let term = Term::new(x, &self.forward, self.inputs);
        multiply(self.level, &[term], self.outputs, epilogue);
    }

    /// `dy W`, each row of 32 sums given to `epilogue`.
    pub(super) fn backward(&self, dy: Tiles, epilogue: &impl Epilogue) {
        multiply(self.level, &[self.back(dy)], self.inputs, epilogue);
    }

    /// `dy W + dy' W'`, each row of 32 sums given to `epilogue`.
    pub(super) fn backward_sum(terms: [(&Self, Tiles); 2], epilogue: &impl Epilogue) {
        let [(first, _), (second, _)] = terms;
        assert_eq!(first.level, second.level, "layers of one level");
        let terms = terms.map(|(weights, dy)| weights.back(dy));
        multiply(first.level, &terms, first.inputs, epilogue);
    }

    fn back<'a>(&'a self, dy: Tiles<'a>) -> Term<'a> {
        let packed = self
            .backward
            .get_or_init(|| pack::backward(&self.forward, self.inputs, self.outputs));
        Term::new(dy, packed, self.outputs)
    }
}

/// The sum of the products of `terms`, each row of 32 sums given to `epilogue`.
fn multiply(level: Isa, terms: &[Term], width: usize, epilogue: &impl Epilogue) {
    let product = Product::new(terms, width);
    let tasks = product.tasks(rayon::current_num_threads());
    for_tasks(tasks.count(), |task| {
        let task = tasks.task(&product, task);
        SUMS.with_borrow_mut(|sums| {
            sums.resize(sums.len().max(product.blocks(&task)), Block::ZERO);
            match level {
                #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
                // SAFETY: the level was found on this processor when the layer was made.
                Isa::Amx => unsafe { amx::run(&product, &task, sums, epilogue) },
                #[cfg(target_arch = "x86_64")]
                // SAFETY: as above.
                Isa::Avx512Bf16 => unsafe {
                    avx512::run(&product, &task, sums, epilogue);
                },
                _ => portable::run(&product, &task, sums, epilogue),
            }
        });
    });
}
