//! An image tower with what was learned in it, as one set of weights.

use vlpt_adapter::ImageAdaptation;
use vlpt_clip::{Clip, ClipWeights};

use crate::error::{ExportError, Result};
use crate::fold::Layers;
use crate::nets::ImageNet;

/// The image tower of a model under an adaptation: updates and another projection in the weights, rows as
/// constants.
///
/// # Errors
/// An adaptation that is made anew for each image.
pub(crate) fn image_net(
    clip: &Clip,
    weights: &ClipWeights,
    visual: Option<&ImageAdaptation>,
) -> Result<ImageNet> {
    let mut net = ImageNet {
        config: clip.config.vision.clone(),
        embed: clip.config.embed_dim,
        weights: weights.vision.clone(),
        prompts: None,
        row_projection: None,
    };
    let values = match visual {
        None => return Ok(net),
        Some(ImageAdaptation::Fixed(values)) => values,
        Some(ImageAdaptation::PerImage(method)) => return Err(per_image(method.name())),
    };
    if values.prompts.as_ref().is_some_and(|p| p.per_image) {
        return Err(per_image("the method"));
    }
    Layers {
        blocks: &mut net.weights.blocks,
        first_norm: Some(&mut net.weights.ln_pre),
        last_norm: &mut net.weights.ln_post,
        width: net.config.width,
    }
    .update(&values.updates);
    if let Some(projection) = &values.projection {
        net.weights.projection.clone_from(projection);
    }
    net.prompts.clone_from(&values.prompts);
    net.row_projection.clone_from(&values.row_projection);
    Ok(net)
}

fn per_image(method: &str) -> ExportError {
    ExportError::unsupported(
        format!("{method} makes visual prompts anew for every image: no graph holds that"),
        "tune a prompt that does not depend on the image, or predict with `vlpt predict`",
    )
}
