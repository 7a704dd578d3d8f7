//! A folder with a classifier as ONNX, which `transformers.js` and every ONNX runtime load.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Serialize;
use serde_json::Value as Json;
use vlpt_adapter::Classifier;
use vlpt_base::files::write_atomic;
use vlpt_clip::{Clip, ClipWeights};
use vlpt_data::image::Preprocess;

use crate::check::{Agreement, check, check_with_preprocessing};
use crate::classification::Classification;
use crate::error::Result;
use crate::folder::{new_folder, sizes, write_json};
use crate::hub::{announce_external, classifier_config, preprocessor_config};
use crate::onnx::write;
use crate::quantise::quantise;

/// The graph from pixels to logits.
pub const MODEL: &str = "model.onnx";
/// The same with products in 8 bits, under the name that browsers ask for first.
pub const QUANTISED: &str = "model_quantized.onnx";
/// The graph from a decoded image to probabilities.
pub const WITH_PREPROCESSING: &str = "image_classifier.onnx";

/// What is exported, and where it comes from.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    /// The model.
    pub clip: &'a Clip,
    /// The weights that it was made of.
    pub weights: &'a ClipWeights,
    /// The classifier.
    pub classifier: &'a Classifier,
    /// What logits are divided by; 1 where none was chosen.
    pub temperature: f64,
    /// How images are made ready.
    pub view: &'a Preprocess,
    /// What the folder's README.md says of the prompt, a sentence.
    pub about: &'a str,
}

/// Which graphs a folder has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Forms {
    /// Also the graph in 8 bits.
    pub quantised: bool,
    /// Also the graph that takes decoded images of any size.
    pub with_preprocessing: bool,
    /// Bytes of weights above which they lie in a second file: [`LIMIT`](crate::LIMIT).
    pub limit: u64,
}

/// What was written.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Exported {
    /// Files with their bytes.
    pub files: BTreeMap<String, u64>,
    /// How far each graph is from this program's own towers.
    pub checked: BTreeMap<String, Agreement>,
    /// What the folder does not hold, and why, a sentence each.
    pub notes: Vec<String>,
}

/// Writes `out` with `config.json`, `preprocessor_config.json`, README.md and the graphs below `onnx/`. Each
/// graph is run and compared first; that in 8 bits differs by what 8 bits cost, and is not.
///
/// # Errors
/// A classifier that no graph holds, a graph that differs from the towers, a folder that exists, or files
/// that cannot be written.
pub fn write_classifier(source: &Source, forms: Forms, out: &Path) -> Result<Exported> {
    let Source {
        clip,
        classifier,
        temperature,
        view,
        ..
    } = *source;
    let model = Classification::new(clip, source.weights, classifier, temperature)?;
    let preprocessor = preprocessor_config(view);
    if !forms.with_preprocessing
        && let Err(error) = preprocessor
    {
        return Err(error);
    }
    new_folder(out, |folder| {
        let graphs = folder.join("onnx");
        fs_err::create_dir(&graphs)?;
        let (mut checked, mut external) = (BTreeMap::new(), Vec::new());
        let graph = model.graph();
        checked.insert(
            MODEL.to_owned(),
            check(&graph, clip, classifier, temperature)?,
        );
        let written = write(&graphs.join(MODEL), &graph, forms.limit)?;
        external.extend(written.external_bytes.map(|_| MODEL));
        if forms.quantised {
            let written = write(&graphs.join(QUANTISED), &quantise(graph), forms.limit)?;
            external.extend(written.external_bytes.map(|_| QUANTISED));
        }
        if forms.with_preprocessing {
            let graph = model.graph_with_preprocessing(view);
            let agreement = check_with_preprocessing(&graph, clip, classifier, view, temperature)?;
            checked.insert(WITH_PREPROCESSING.to_owned(), agreement);
            write(&graphs.join(WITH_PREPROCESSING), &graph, forms.limit)?;
        }
        let (classes, separate) = (&classifier.classes, classifier.separate());
        let mut config = classifier_config(&clip.config.vision, classes, separate);
        announce_external(&mut config, &external);
        write_json(&folder.join("config.json"), &Json::Object(config))?;
        let mut notes = Vec::new();
        match &preprocessor {
            Ok(preprocessor) => {
                write_json(&folder.join("preprocessor_config.json"), preprocessor)?;
            }
            Err(error) => notes.push(format!("no preprocessor_config.json: {error}")),
        }
        if separate {
            notes.push(
                "an image may show several classes, and transformers.js's pipeline takes a softmax of the logits: \
                 take the logistic function of each instead"
                    .to_owned(),
            );
        }
        let readme = readme(source, forms);
        write_atomic(&folder.join("README.md"), readme.as_bytes())?;
        Ok(Exported {
            files: sizes(folder)?,
            checked,
            notes,
        })
    })
}

/// What people read first.
fn readme(source: &Source, forms: Forms) -> String {
    let classes = source.classifier.classes.len();
    let side = source.clip.config.vision.image_size;
    let mut text = format!(
        "---\npipeline_tag: image-classification\nlibrary_name: transformers.js\n---\n\n# A classifier of \
         {classes} classes\n\n{}\n\n`onnx/{MODEL}`: `pixel_values` (batch x 3 x {side} x {side}, made ready as \
         `preprocessor_config.json` says) to `logits` (batch x {classes}), in the order of `id2label` in \
         `config.json`.\n",
        source.about
    );
    if source.classifier.separate() {
        text += "An image may show several classes: the logistic function of a logit is that class's \
                 probability.\n";
    }
    if forms.quantised {
        text += &format!(
            "`onnx/{QUANTISED}`: the same with products in 8 bits, a quarter of the size.\n"
        );
    }
    if forms.with_preprocessing {
        text += &format!(
            "`onnx/{WITH_PREPROCESSING}`: `image` (height x width x 3, u8, red, green, blue, any size) to \
             `probs` (1 x {classes}); resizing, cropping and scaling are inside.\n"
        );
    }
    let dtype = if forms.quantised { "q8" } else { "fp32" };
    text += &format!(
        "\nIn a browser or Node.js:\n\n```js\nimport {{ pipeline }} from '@huggingface/transformers';\nconst \
         classify = await pipeline('image-classification', 'THIS-FOLDER', {{ dtype: '{dtype}' }});\nconsole.log(\
         await classify('photo.jpg', {{ top_k: 3 }}));\n```\n"
    );
    text
}
