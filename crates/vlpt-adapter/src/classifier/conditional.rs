//! Text features of each image's own, in groups of images so that memory stays bounded.

use vlpt_autograd::Tensor;
use vlpt_clip::{Clip, PromptToken};
use vlpt_methods::zeroshot::normalise;
use vlpt_methods::{Method, MethodError, Pass};

use vlpt_methods::head::products;

use crate::{AdapterError, Result};

/// How many texts go through the tower at once, at least one image's; a constant.
const TEXTS_AT_ONCE: usize = 512;

/// Logits (images x classes) of normalised image features, `texts` being one image's texts.
pub(super) fn logits(
    clip: &Clip,
    method: &dyn Method,
    texts: &[Vec<PromptToken>],
    scale: f32,
    images: &[f32],
) -> Result<Vec<f32>> {
    let embed = clip.config.embed_dim;
    let at_once = (TEXTS_AT_ONCE / texts.len().max(1)).max(1);
    let mut logits = Vec::with_capacity(images.len() / embed.max(1) * texts.len());
    for group in images.chunks(at_once * embed) {
        let mut features = features(clip, method, texts, group)?;
        features.chunks_exact_mut(embed).for_each(normalise);
        let own = features.chunks_exact(embed * texts.len().max(1));
        for (image, features) in group.chunks_exact(embed).zip(own) {
            let cosines = products(image, features, embed);
            logits.extend(cosines.into_iter().map(|cosine| scale * cosine));
        }
    }
    Ok(logits)
}

/// Text features (images x classes x embed) of a group of images, not normalised.
fn features(
    clip: &Clip,
    method: &dyn Method,
    texts: &[Vec<PromptToken>],
    images: &[f32],
) -> Result<Vec<f32>> {
    let embed = clip.config.embed_dim;
    let count = images.len() / embed;
    let tensor = Tensor::new(images.to_vec(), &[count, embed]).map_err(MethodError::from)?;
    let pass = Pass {
        images: Some(&tensor),
        ..Pass::EVAL
    };
    let values = method.adapt(&pass)?.text.values()?;
    let rows = values.prompts.as_ref().map_or(0, |prompts| prompts.rows);
    let all = copies(texts, rows, count)?;
    let updates = values.updates();
    Ok(clip.text.features(&all, &values.for_tower(&updates)))
}

/// The texts of `count` images: of each, the rows after those of the images before it.
///
/// # Errors
/// A number of rows that is not the same for each image.
pub fn copies(
    texts: &[Vec<PromptToken>],
    rows: usize,
    count: usize,
) -> Result<Vec<Vec<PromptToken>>> {
    if count == 0 || !rows.is_multiple_of(count) {
        return Err(AdapterError::Incompatible {
            what: format!("{rows} prompt rows for {count} images: expected as many for each"),
            hint: None,
        });
    }
    let own = rows / count;
    let of_image = |image: usize| {
        texts.iter().map(move |text| {
            let slot = |slot: &PromptToken| match slot {
                PromptToken::Learned(row) => PromptToken::Learned((image * own) as u32 + row),
                token @ PromptToken::Token(_) => *token,
            };
            text.iter().map(slot).collect()
        })
    };
    Ok((0..count).flat_map(of_image).collect())
}
