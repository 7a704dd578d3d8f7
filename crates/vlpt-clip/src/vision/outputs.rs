//! From the tokens that ask in the last block to the features of images, and back.
//!
//! Of each image the class token comes first and makes its feature. Learned rows that have a
//! projection come behind it and make a second one of their mean; the two stand side by side.

use vlpt_kernels::Buffer;

use super::ImageTower;
use super::prompts::Prompting;
use crate::adaptation::TowerGradients;

impl ImageTower {
    /// Numbers of an image's features under an adaptation.
    pub(super) fn output_dim(&self, prompting: &Prompting) -> usize {
        prompting.held.outputs() * self.embed_dim()
    }

    /// Features of the images whose tokens after the last block are `last`.
    pub(super) fn outputs(&self, prompting: &Prompting, last: &[f32]) -> Vec<f32> {
        let held = &prompting.held;
        if !prompting.pooled() {
            return self.head.forward(last, Some(held));
        }
        let count = prompting.asking() - 1;
        let (classes, rows) = self.parted(last, count);
        let features = self.head.forward(&classes, Some(held));
        let pooled = self.head.forward_pooled(&rows, count, held);
        let embed = self.embed_dim();
        let both = features.chunks_exact(embed).zip(pooled.chunks_exact(embed));
        both.flat_map(|(feature, pooled)| [feature, pooled].concat())
            .collect()
    }

    /// Gradient of `last`, given that of the features; adds those of what the adaptation has here.
    pub(super) fn outputs_backward(
        &self,
        prompting: &Prompting,
        last: &[f32],
        d_features: &[f32],
        gradients: &mut TowerGradients,
    ) -> Buffer<f32> {
        let (arena, held) = (&self.arena, &prompting.held);
        if !prompting.pooled() {
            return self.head.backward(arena, last, d_features, held, gradients);
        }
        let (count, embed, width) = (prompting.asking() - 1, self.embed_dim(), self.width);
        let (classes, rows) = self.parted(last, count);
        let part = |place: usize| -> Vec<f32> {
            let images = d_features.chunks_exact(2 * embed);
            images
                .flat_map(|both| &both[place * embed..][..embed])
                .copied()
                .collect()
        };
        let d_classes = self
            .head
            .backward(arena, &classes, &part(0), held, gradients);
        let d_rows = self
            .head
            .backward_pooled(arena, &rows, count, &part(1), held, gradients);
        let mut d = arena.floats(last.len());
        let images = d.chunks_exact_mut((1 + count) * width);
        let parts = d_classes
            .chunks_exact(width)
            .zip(d_rows.chunks_exact(count * width));
        for (d, (class, rows)) in images.zip(parts) {
            d[..width].copy_from_slice(class);
            d[width..].copy_from_slice(rows);
        }
        d
    }

    /// Class tokens, and learned rows, of images of each of which there are `count`.
    fn parted(&self, last: &[f32], count: usize) -> (Vec<f32>, Vec<f32>) {
        let (mut classes, mut rows) = (Vec::new(), Vec::new());
        for image in last.chunks_exact((1 + count) * self.width) {
            classes.extend_from_slice(&image[..self.width]);
            rows.extend_from_slice(&image[self.width..]);
        }
        (classes, rows)
    }
}
