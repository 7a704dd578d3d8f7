//! From pixels to the tokens of the first block.

use rayon::prelude::*;
use vlpt_kernels::{Arena, Buffer, LayerNorm, Linear, Matrix, Precision};

use crate::transformer::bytes_of;

/// Patch embedding, class token, positions and the first layer norm.
#[derive(Debug)]
pub(super) struct Patches {
    precision: Precision,
    /// Side of an image, and of a patch, in pixels.
    image: usize,
    patch: usize,
    project: Linear,
    /// What the pixels are added to, tokens x width: positions, and the class embedding, whose token
    /// is the first.
    start: Vec<f32>,
    pub(super) ln_pre: LayerNorm,
}

impl Patches {
    /// `project`: width x (3 patch patch).
    pub(super) fn new(
        precision: Precision,
        image: usize,
        patch: usize,
        project: Vec<f32>,
        class_embedding: &[f32],
        positions: Vec<f32>,
        ln_pre: LayerNorm,
    ) -> Self {
        let width = ln_pre.width();
        assert!(patch > 0 && image >= patch, "an image without patches");
        assert_eq!(class_embedding.len(), width, "class embedding");
        let project = Linear::new(precision, 3 * patch * patch, width, project, None);
        let mut patches = Self {
            precision,
            image,
            patch,
            project,
            start: positions,
            ln_pre,
        };
        assert_eq!(
            patches.start.len(),
            patches.tokens() * width,
            "positional embedding"
        );
        vlpt_kernels::add(&mut patches.start[..width], class_embedding);
        patches
    }

    /// Tokens of an image, the class token included.
    pub(super) fn tokens(&self) -> usize {
        1 + self.grid() * self.grid()
    }

    /// Floats of an image.
    pub(super) fn pixels(&self) -> usize {
        3 * self.image * self.image
    }

    pub(super) fn bytes(&self) -> usize {
        self.project.bytes() + self.ln_pre.bytes() + bytes_of(&self.start)
    }

    /// Tokens after `ln_pre` (n x tokens x width) of `images` (n x 3 x side x side).
    pub(super) fn embed(&self, arena: &Arena, images: &[f32]) -> Buffer<f32> {
        let (tokens, inputs) = (self.tokens(), self.project.inputs());
        let n = images.len() / self.pixels();
        let patches = Matrix::written(arena, self.precision, (n * tokens, inputs), |row, patch| {
            let image = &images[row / tokens * self.pixels()..][..self.pixels()];
            match (row % tokens).checked_sub(1) {
                None => patch.fill(0.0), // the class token has no pixels
                Some(place) => self.cut(image, place, patch),
            }
        });
        let mut x = arena.floats(n * self.start.len());
        x.par_chunks_exact_mut(self.start.len())
            .for_each(|x| x.copy_from_slice(&self.start));
        self.project.forward_add(patches.operand(), &mut x);
        self.ln_pre.forward(&mut x);
        x
    }

    fn grid(&self) -> usize {
        self.image / self.patch
    }

    /// A patch, counted row by row of the grid: channel, then row, then column of the patch.
    fn cut(&self, image: &[f32], place: usize, patch: &mut [f32]) {
        let (side, p) = (self.image, self.patch);
        let (top, left) = (place / self.grid() * p, place % self.grid() * p);
        for (i, line) in patch.chunks_exact_mut(p).enumerate() {
            let (channel, y) = (i / p, top + i % p);
            line.copy_from_slice(&image[(channel * side + y) * side + left..][..p]);
        }
    }
}
