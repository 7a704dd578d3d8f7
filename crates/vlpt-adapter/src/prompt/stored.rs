//! `classifier.safetensors`: the classifier of a prompt folder, ready for images.
//!
//! | `kind` in the metadata | tensors | other metadata |
//! |---|---|---|
//! | `cosine`, or absent | `features` (classes x embed), `logit_scale` | `templates`, a JSON list, where class names went into some |
//! | `conditional` | `logit_scale`; the rest is made of the parameters | |
//! | `linear` | `weight` (classes x embed), `bias` | `normalised` |
//! | `cached` | `features`, `logit_scale`, `keys` (keys x embed), `values` (pairs of a key's number and a class of its) | `alpha`, `beta` |
//!
//! Where images need visual prompts there is also `visual_prompts` (blocks x count x width), and
//! their `visual_place` in the metadata.

use std::collections::BTreeMap;
use std::path::Path;

use vlpt_clip::VisualPlace;
use vlpt_methods::VisualValues;
use vlpt_methods::baselines::TipAdapter;

use crate::classifier::{Classifier, Head};
use crate::tensors::{Named, TensorFile};
use crate::{AdapterError, Result};

const KIND: &str = "kind";
const COSINE: &str = "cosine";
const CONDITIONAL: &str = "conditional";
const LINEAR: &str = "linear";
const CACHED: &str = "cached";
const ALPHA: &str = "alpha";
const BETA: &str = "beta";
const NORMALISED: &str = "normalised";
const TEMPLATES: &str = "templates";
const VISUAL: &str = "visual_prompts";
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
    if let Some(visual) = &classifier.visual {
        tensor(VISUAL, &visual_shape(visual), &visual.values);
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
        Head::Conditional { logit_scale, .. } => {
            tensor(SCALE, &[1], &[*logit_scale]);
            CONDITIONAL
        }
        Head::Linear { weight, bias, .. } => {
            tensor("weight", &rows, weight);
            tensor("bias", &rows[..1], bias);
            LINEAR
        }
        Head::Cached(adapter) => {
            tensor("features", &rows, &adapter.text);
            tensor(SCALE, &[1], &[adapter.scale]);
            let keys = adapter.values.len();
            tensor("keys", &[keys, adapter.embed], &adapter.keys);
            let pairs: Vec<f32> = (0..keys)
                .flat_map(|key| adapter.values[key].iter().map(move |&class| (key, class)))
                .flat_map(|(key, class)| [key as f32, class as f32])
                .collect();
            tensor("values", &[pairs.len() / 2, 2], &pairs);
            CACHED
        }
    };
    let mut fact = |name: &str, value: String| file.metadata.insert(name.to_owned(), value);
    fact(KIND, kind.to_owned());
    if let Head::Linear { normalised, .. } = classifier.head() {
        fact(NORMALISED, normalised.to_string());
    }
    if let Head::Cached(adapter) = classifier.head() {
        fact(ALPHA, adapter.alpha.to_string());
        fact(BETA, adapter.beta.to_string());
    }
    if let Some(visual) = &classifier.visual {
        let place = PLACES.iter().find(|(place, _)| *place == visual.place);
        fact(PLACE, place.map_or("", |(_, name)| name).to_owned());
    }
    if let Some(templates) = templates {
        let list = serde_json::to_string(templates).map_err(std::io::Error::other)?;
        fact(TEMPLATES, list);
    }
    Ok(())
}

fn visual_shape(visual: &VisualValues) -> [usize; 3] {
    let prompts = (visual.layers * visual.count).max(1);
    [visual.layers, visual.count, visual.values.len() / prompts]
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
    let visual = tensors.remove(VISUAL);
    let mut take = |name: &str, shape: &[usize]| match tensors.remove(name) {
        Some(tensor) if tensor.shape == shape => Ok(tensor.data),
        Some(tensor) => Err(damaged(format!(
            "`{name}` has shape {:?}: expected {shape:?}",
            tensor.shape
        ))),
        None => Err(damaged(format!("`{name}` is missing"))),
    };
    let rows = [classes.len(), embed];
    let classifier = match metadata.get(KIND).map_or(COSINE, String::as_str) {
        COSINE => {
            let features = take("features", &rows)?;
            let scale = take(SCALE, &[1])?[0];
            Some(Classifier::cosine(classes, embed, features, scale)?)
        }
        CONDITIONAL => {
            take(SCALE, &[1])?;
            None
        }
        LINEAR => {
            let (weight, bias) = (take("weight", &rows)?, take("bias", &rows[..1])?);
            let normalised = match metadata.get(NORMALISED).map(String::as_str) {
                Some("true") => true,
                Some("false") => false,
                found => {
                    let found = found.unwrap_or("nothing");
                    return Err(damaged(format!(
                        "has {NORMALISED} = {found}: expected true or false"
                    )));
                }
            };
            Some(Classifier::linear(
                classes, embed, weight, bias, normalised,
            )?)
        }
        CACHED => {
            let (text, scale) = (take("features", &rows)?, take(SCALE, &[1])?[0]);
            let number = |name: &str| {
                let found = metadata.get(name);
                let value = found.and_then(|text| text.parse::<f64>().ok());
                value.ok_or_else(|| damaged(format!("has {name} = {found:?}: expected a number")))
            };
            let (alpha, beta) = (number(ALPHA)?, number(BETA)?);
            let (keys, values) = cache(&mut tensors, embed).map_err(damaged)?;
            let adapter = TipAdapter {
                keys,
                values,
                text,
                scale,
                alpha,
                beta,
                embed,
            };
            Some(Classifier::cached(classes, adapter)?)
        }
        other => {
            return Err(damaged(format!(
                "holds a classifier of the kind {other:?}: expected \"{COSINE}\", \
                 \"{CONDITIONAL}\", \"{LINEAR}\" or \"{CACHED}\""
            )));
        }
    };
    let visual = visual.map(|tensor| {
        let place = metadata.get(PLACE).map_or("", String::as_str);
        read_visual(tensor, place).map_err(damaged)
    });
    let visual = visual.transpose()?;
    let templates = metadata.get(TEMPLATES).map(|list| {
        serde_json::from_str(list).map_err(|error| damaged(format!("`{TEMPLATES}`: {error}")))
    });
    Ok(Stored {
        classifier: classifier.map(|classifier| classifier.with_visual(visual)),
        templates: templates.transpose()?,
    })
}

/// Keys and the classes of each.
fn cache(
    tensors: &mut BTreeMap<String, Named>,
    embed: usize,
) -> std::result::Result<(Vec<f32>, Vec<Vec<u32>>), String> {
    let mut rows = |name: &str, width: usize| match tensors.remove(name) {
        Some(tensor) if tensor.shape.len() == 2 && tensor.shape[1] == width => Ok(tensor),
        Some(tensor) => Err(format!(
            "`{name}` has shape {:?}: expected rows of {width}",
            tensor.shape
        )),
        None => Err(format!("`{name}` is missing")),
    };
    let (keys, pairs) = (rows("keys", embed)?, rows("values", 2)?);
    let mut values = vec![Vec::new(); keys.shape[0]];
    for pair in pairs.data.chunks_exact(2) {
        let whole = |v: f32| v >= 0.0 && v.fract() == 0.0;
        let key = values.get_mut(pair[0] as usize);
        match key {
            Some(key) if whole(pair[0]) && whole(pair[1]) => key.push(pair[1] as u32),
            _ => return Err(format!("`values` has the pair {pair:?}")),
        }
    }
    Ok((keys.data, values))
}

fn read_visual(tensor: Named, place: &str) -> std::result::Result<VisualValues, String> {
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
    Ok(VisualValues {
        values: tensor.data,
        layers,
        count,
        place: *place,
    })
}

#[cfg(test)]
mod tests;
