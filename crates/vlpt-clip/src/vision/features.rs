//! Image features alone: nothing is kept for a backward pass, and the projection can wait.

use vlpt_kernels::with_thread_team;

use super::prompts::Prompting;
use super::{ImageTower, chunk};
use crate::adaptation::TowerAdaptation;

impl ImageTower {
    /// Features (n x embed; n x 2 embed where learned rows have one too) of `images` (n x 3 x side x
    /// side, normalised) under an adaptation, not normalised. Nothing is kept: memory does not grow with `n`.
    ///
    /// # Panics
    /// When the images or the adaptation have another shape.
    pub fn features(&self, images: &[f32], n: usize, adaptation: &TowerAdaptation) -> Vec<f32> {
        let features = |prompting: &Prompting, last: &[f32]| self.outputs(prompting, last);
        self.each_chunk(images, n, adaptation, self.embed_dim(), features)
    }

    /// As [`ImageTower::features`], before the projection: the last layer norm of the class tokens
    /// (n x width). [`ImageTower::project`] makes features of them.
    ///
    /// # Panics
    /// When the images or the adaptation have another shape, or learned rows have a feature too.
    pub fn unprojected(&self, images: &[f32], n: usize, adaptation: &TowerAdaptation) -> Vec<f32> {
        let rows = |prompting: &Prompting, last: &[f32]| {
            assert!(!prompting.pooled(), "one row an image");
            self.head.normed(last, Some(&prompting.held))
        };
        self.each_chunk(images, n, adaptation, self.width, rows)
    }

    /// Features (n x embed) of what [`ImageTower::unprojected`] gave (n x width), by the tower's own
    /// projection or another one (width x embed).
    ///
    /// # Panics
    /// When the rows or the projection have another shape.
    pub fn project(&self, unprojected: &[f32], projection: Option<&[f32]>) -> Vec<f32> {
        assert!(
            unprojected.len().is_multiple_of(self.width),
            "rows of what is projected"
        );
        with_thread_team(|| self.head.project(unprojected, projection))
    }

    /// Rows of `width` of each chunk's class tokens after the last block; nothing is kept.
    fn each_chunk(
        &self,
        images: &[f32],
        n: usize,
        adaptation: &TowerAdaptation,
        width: usize,
        of_chunk: impl Fn(&Prompting, &[f32]) -> Vec<f32> + Sync,
    ) -> Vec<f32> {
        with_thread_team(|| {
            let prompting = self.prompting(adaptation, n);
            let size = self.chunk_size(&prompting, n, usize::MAX);
            let mut rows = Vec::with_capacity(n * width);
            for (run, images) in self.chunks(images, n, size) {
                let x = self.patches.embed(&self.arena, images);
                let last = chunk::run(self, &prompting, run, x);
                rows.extend(of_chunk(&prompting, &last));
            }
            rows
        })
    }
}
