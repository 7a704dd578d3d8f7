//! From pixels to the tokens of the first block.

use rayon::prelude::*;
use vlpt_kernels::{Arena, Buffer, LayerNorm, Linear, Matrix, Precision};

/// Patch embedding, class token, positions and the first layer norm.
#[derive(Debug)]
pub(super) struct Patches {
    precision: Precision,
    /// Side of an image, and of a patch, in pixels.
    image: usize,
    patch: usize,
    project: Linear,
    class_embedding: Vec<f32>,
    /// tokens x width, the class token first.
    positions: Vec<f32>,
    pub(super) ln_pre: LayerNorm,
}

impl Patches {
    /// `project`: width x (3 patch patch).
    pub(super) fn new(
        precision: Precision,
        image: usize,
        patch: usize,
        project: Vec<f32>,
        class_embedding: Vec<f32>,
        positions: Vec<f32>,
        ln_pre: LayerNorm,
    ) -> Self {
        let width = ln_pre.width();
        assert!(patch > 0 && image >= patch, "an image without patches");
        assert_eq!(class_embedding.len(), width, "class embedding");
        let project = Linear::new(precision, 3 * patch * patch, width, project, None);
        let patches = Self {
            precision,
            image,
            patch,
            project,
            class_embedding,
            positions,
            ln_pre,
        };
        assert_eq!(
            patches.positions.len(),
            patches.tokens() * width,
            "positional embedding"
        );
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
        let floats = self.class_embedding.len() + self.positions.len();
        self.project.bytes() + self.ln_pre.bytes() + floats * size_of::<f32>()
    }

    /// Tokens after `ln_pre` (n x tokens x width) of `images` (n x 3 x side x side).
    pub(super) fn embed(&self, arena: &Arena, images: &[f32]) -> Buffer<f32> {
        let (width, tokens, inputs) = (self.ln_pre.width(), self.tokens(), self.project.inputs());
        let n = images.len() / self.pixels();
        let mut patches = arena.floats(n * (tokens - 1) * inputs);
        images
            .par_chunks_exact(self.pixels())
            .zip(patches.par_chunks_exact_mut((tokens - 1) * inputs))
            .for_each(|(image, patches)| self.cut(image, patches));
        let patches = Matrix::of(arena, self.precision, inputs, &patches);
        let mut projected = arena.floats(n * (tokens - 1) * width);
        self.project.forward_into(patches.operand(), &mut projected);
        let mut x = arena.floats(n * tokens * width);
        x.par_chunks_exact_mut(tokens * width)
            .zip(projected.par_chunks_exact((tokens - 1) * width))
            .for_each(|(x, projected)| {
                let (class, rest) = x.split_at_mut(width);
                class.copy_from_slice(&self.class_embedding);
                rest.copy_from_slice(projected);
                vlpt_kernels::add(x, &self.positions);
            });
        let mut normed = arena.floats(x.len());
        self.ln_pre.forward(&x, &mut normed);
        normed
    }

    fn grid(&self) -> usize {
        self.image / self.patch
    }

    /// One row a patch, row by row of the grid: channel, then row, then column of the patch.
    fn cut(&self, image: &[f32], patches: &mut [f32]) {
        let (side, p) = (self.image, self.patch);
        for (i, patch) in patches.chunks_exact_mut(3 * p * p).enumerate() {
            let (top, left) = (i / self.grid() * p, i % self.grid() * p);
            for (j, line) in patch.chunks_exact_mut(p).enumerate() {
                let (channel, y) = (j / p, top + j % p);
                line.copy_from_slice(&image[(channel * side + y) * side + left..][..p]);
            }
        }
    }
}
