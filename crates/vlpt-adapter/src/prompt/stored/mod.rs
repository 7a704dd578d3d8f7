//! `classifier.safetensors`: the classifier of a prompt folder, ready for images.
//!
//! | `kind` in the metadata | tensors | other metadata |
//! |---|---|---|
//! | `cosine`, or absent | `features` (classes x embed), `logit_scale` | `templates`, a JSON list, where class names went into some |
//! | `fused` | the same, and `shares` (classes): what the class token's feature counts in each logit | |
//! | `conditional` | `logit_scale`; the rest is made of the parameters | |
//! | that of a [`FeatureHead`](vlpt_methods::head::FeatureHead) | what it stores | what it stores |
//!
//! Where images need visual prompts there is also `visual_prompts` (blocks x count x width), and
//! their `visual_place` in the metadata; where they need another projection, `visual_projection`
//! (width x embed).

use std::path::Path;

use vlpt_clip::VisualPlace;
use vlpt_methods::head::{HeadFile, HeadReader};
use vlpt_methods::{METHODS, PromptValues, TowerValues, head_reader};

use crate::classifier::{Classifier, Head};
use crate::tensors::{Named, TensorFile};
use crate::{AdapterError, ImageAdaptation, Result};

const KIND: &str = "kind";
const COSINE: &str = "cosine";
const FUSED: &str = "fused";
const SHARES: &str = "shares";
const CONDITIONAL: &str = "conditional";
const TEMPLATES: &str = "templates";
const VISUAL: &str = "visual_prompts";
const PROJECTION: &str = "visual_projection";
const PLACE: &str = "visual_place";
const SCALE: &str = "logit_scale";
const PLACES: [(VisualPlace, &str); 2] = [
    (VisualPlace::AfterLnPre, "after-ln-pre"),
    (VisualPlace::BeforeLnPre, "before-ln-pre"),
];

/// What the file holds.
#[derive(Debug, Clone)]
pub(super) struct Stored {
    /// The classifier; none where it is made of the parameters.
    pub(super) classifier: Option<Classifier>,
    /// The templates that its class names went into.
    pub(super) templates: Option<Vec<String>>,
}

/// Puts a classifier into a file.
pub(super) fn put(
    file: &mut TensorFile,
    classifier: &Classifier,
    templates: Option<&[String]>,
) -> Result<()> {
    let rows = [classifier.classes.len(), classifier.embed];
    let mut tensor = |name: &str, shape: &[usize], values: &[f32]| {
        let named = Named::new(shape, values.to_vec());
        file.tensors.insert(name.to_owned(), named);
    };
    let visual = stored_visual(classifier);
    let prompts = visual.and_then(|visual| visual.prompts.as_ref());
    if let Some(prompts) = prompts {
        tensor(VISUAL, &visual_shape(prompts), &prompts.values);
    }
    if let Some(projection) = visual.and_then(|visual| visual.projection.as_deref()) {
        let embed = classifier.embed;
        tensor(
            PROJECTION,
            &[projection.len() / embed.max(1), embed],
            projection,
        );
    }
    let kind = match classifier.head() {
        Head::Cosine {
            features,
            logit_scale,
        } => {
            tensor("features", &rows, features);
            tensor(SCALE, &[1], &[*logit_scale]);
            COSINE
        }
        Head::Fused {
            features,
            logit_scale,
            shares,
        } => {
            tensor("features", &rows, features);
            tensor(SCALE, &[1], &[*logit_scale]);
            tensor(SHARES, &rows[..1], shares);
            FUSED
        }
        Head::Conditional { logit_scale, .. } => {
            tensor(SCALE, &[1], &[*logit_scale]);
            CONDITIONAL
        }
        Head::Features(head) => {
            let stored = head.stored();
            for (name, value) in &stored.tensors {
                tensor(name, &value.shape, &value.values);
            }
            file.metadata.extend(stored.facts);
            head.kind()
        }
    };
    let mut fact = |name: &str, value: String| file.metadata.insert(name.to_owned(), value);
    fact(KIND, kind.to_owned());
    if let Some(prompts) = prompts {
        let place = PLACES.iter().find(|(place, _)| *place == prompts.place);
        fact(PLACE, place.map_or("", |(_, name)| name).to_owned());
    }
    if let Some(templates) = templates {
        let list = serde_json::to_string(templates).map_err(std::io::Error::other)?;
        fact(TEMPLATES, list);
    }
    Ok(())
}

/// The visual prompts and the projection that the file holds: where they are all that is changed in
/// the image tower. What else there is, is made of the parameters again.
fn stored_visual(classifier: &Classifier) -> Option<&TowerValues> {
    let Some(ImageAdaptation::Fixed(values)) = &classifier.visual else {
        return None;
    };
    let plain = |p: &PromptValues| p.first == 0 && !p.per_image && p.carry == 0.0;
    let whole = values.updates.is_empty()
        && values.row_projection.is_none()
        && values.prompts.as_ref().is_none_or(plain);
    (whole && !values.is_empty()).then_some(values)
}

fn visual_shape(visual: &PromptValues) -> [usize; 3] {
    let prompts = (visual.blocks * visual.rows).max(1);
    [visual.blocks, visual.rows, visual.values.len() / prompts]
}

/// Reads the file of a folder with these classes.
pub(super) fn read(path: &Path, classes: &[String], embed: usize) -> Result<Stored> {
    let TensorFile {
        mut tensors,
        metadata,
    } = TensorFile::read(path)?;
    let damaged = |what: String| AdapterError::Damaged {
        path: path.to_owned(),
        what,
    };
    let [prompts, projection] = [VISUAL, PROJECTION].map(|name| tensors.remove(name));
    let mut take = |name: &str, shape: &[usize]| match tensors.remove(name) {
        Some(tensor) if tensor.shape == shape => Ok(tensor.data),
        Some(tensor) => Err(damaged(format!(
            "`{name}` has shape {:?}: expected {shape:?}",
            tensor.shape
        ))),
        None => Err(damaged(format!("`{name}` is missing"))),
    };
    let scale = |value: f32| {
        if value > 0.0 && value.is_normal() {
            return Ok(value);
        }
        Err(damaged(format!(
            "`{SCALE}` is {value}: expected a number above 0"
        )))
    };
    let rows = [classes.len(), embed];
    let classifier = match metadata.get(KIND).map_or(COSINE, String::as_str) {
        COSINE => {
            let features = take("features", &rows)?;
            let scale = scale(take(SCALE, &[1])?[0])?;
            Some(Classifier::cosine(classes, embed, features, scale)?)
        }
        FUSED => {
            let features = take("features", &rows)?;
            let scale = scale(take(SCALE, &[1])?[0])?;
            let shares = take(SHARES, &rows[..1])?;
            if let Some(share) = shares.iter().find(|share| !(0.0..=1.0).contains(*share)) {
                return Err(damaged(format!("`{SHARES}` has {share}: expected 0 to 1")));
            }
            let cosine = Classifier::cosine(classes, embed, features, scale)?;
            Some(cosine.fused(shares))
        }
        CONDITIONAL => {
            take(SCALE, &[1])?;
            None
        }
        kind if head_reader(kind).is_some() => {
            let read = |reader: &HeadReader| {
                let tensors = std::mem::take(&mut tensors).into_iter();
                let mut head = HeadFile {
                    tensors: tensors
                        .map(|(name, tensor)| (name, tensor.into()))
                        .collect(),
                    facts: metadata.clone(),
                };
                (reader.read)(&mut head, classes.len(), embed).map_err(damaged)
            };
            let head = head_reader(kind).map(read).transpose()?;
            head.map(|head| Classifier::of_features(classes, embed, head))
        }
        other => {
            return Err(damaged(format!(
                "holds a classifier of the kind {other:?}: expected one of {}",
                kinds().join(", ")
            )));
        }
    };
    let prompts = prompts.map(|tensor| {
        let place = metadata.get(PLACE).map_or("", String::as_str);
        read_visual(tensor, place).map_err(damaged)
    });
    let projection = projection.map(|tensor| read_projection(tensor, embed).map_err(damaged));
    let values = TowerValues {
        prompts: prompts.transpose()?,
        projection: projection.transpose()?,
        ..TowerValues::default()
    };
    let visual = (!values.is_empty()).then_some(ImageAdaptation::Fixed(values));
    let templates = metadata.get(TEMPLATES).map(|list| {
        serde_json::from_str(list).map_err(|error| damaged(format!("`{TEMPLATES}`: {error}")))
    });
    Ok(Stored {
        classifier: classifier.map(|classifier| classifier.with_visual(visual)),
        templates: templates.transpose()?,
    })
}

/// The kinds of classifiers that can be read.
fn kinds() -> Vec<&'static str> {
    let heads = METHODS.iter().flat_map(|spec| spec.heads);
    let own = heads.map(|reader| reader.kind);
    [COSINE, FUSED, CONDITIONAL]
        .into_iter()
        .chain(own)
        .collect()
}

fn read_projection(tensor: Named, embed: usize) -> std::result::Result<Vec<f32>, String> {
    match tensor.shape[..] {
        [width, found] if found == embed && width > 0 => Ok(tensor.data),
        _ => Err(format!(
            "`{PROJECTION}` has shape {:?}: expected rows of {embed}",
            tensor.shape
        )),
    }
}

fn read_visual(tensor: Named, place: &str) -> std::result::Result<PromptValues, String> {
    let [layers, count, width] = tensor.shape[..] else {
        return Err(format!(
            "`{VISUAL}` has shape {:?}: expected blocks x count x width",
            tensor.shape
        ));
    };
    if layers == 0 || count == 0 || width == 0 {
        return Err(format!("`{VISUAL}` is empty"));
    }
    let Some((place, _)) = PLACES.iter().find(|(_, name)| *name == place) else {
        return Err(format!(
            "has {PLACE} = {place:?}: expected \"{}\" or \"{}\"",
            PLACES[0].1, PLACES[1].1
        ));
    };
    Ok(PromptValues {
        values: tensor.data,
        first: 0,
        blocks: layers,
        rows: count,
        place: *place,
        per_image: false,
        carry: 0.0,
    })
}

#[cfg(test)]
mod tests;
