//! The two towers as graphs of their own, with Hugging Face's names.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value as Json;
use vlpt_base::files::write_atomic;
use vlpt_clip::ModelFiles;
use vlpt_methods::TowerValues;

use crate::check::{check_text, check_vision};
use crate::classification::{BATCH, PIXELS};
use crate::classifier_folder::{Exported, Source};
use crate::error::Result;
use crate::fold::Layers;
use crate::folder::{copy_tokenizer, new_folder, sizes, write_json};
use crate::hub::{announce_external, clip_config, preprocessor_config};
use crate::image_net::image_net;
use crate::nets::{text, vision};
use crate::onnx::{Builder, Dim, Graph, write};
use crate::value::Type;

const VISION: &str = "vision_model.onnx";
const TEXT: &str = "text_model.onnx";

/// Writes `out` with `onnx/vision_model.onnx` (`pixel_values` to `image_embeds`), `onnx/text_model.onnx`
/// (`input_ids` to `text_embeds`), `config.json` of a CLIP, `preprocessor_config.json` and the tokenizer's files.
/// What was learned in a tower is in its graph. Where the text tower has learned rows among a text's tokens
/// there is no graph of it, for no text alone says where they stand; the features of the classes are in
/// [`write_matrix`](crate::write_matrix).
///
/// # Errors
/// As [`write_classifier`](crate::write_classifier).
pub fn write_towers(
    source: &Source,
    files: &ModelFiles,
    text_values: &TowerValues,
    limit: u64,
    out: &Path,
) -> Result<Exported> {
    let clip = source.clip;
    let visual = source.classifier.visual.as_ref();
    let preprocessor = preprocessor_config(source.view)?;
    let images = vision_graph(source)?;
    new_folder(out, |folder| {
        let graphs = folder.join("onnx");
        fs_err::create_dir(&graphs)?;
        let (mut checked, mut external, mut notes) = (BTreeMap::new(), Vec::new(), Vec::new());
        checked.insert(VISION.to_owned(), check_vision(&images, clip, visual)?);
        let written = write(&graphs.join(VISION), &images, limit)?;
        external.extend(written.external_bytes.map(|_| VISION));
        if text_values.prompts.is_some() || text_values.text_rows.is_some() {
            notes.push(format!(
                "no {TEXT}: learned tokens stand among the words of a class, and no text alone says where; \
                 `--format classifier` writes the features of the classes"
            ));
        } else {
            let texts = text_graph(source, text_values);
            let updates = text_values.updates();
            let agreement = check_text(&texts, clip, &text_values.for_tower(&updates))?;
            checked.insert(TEXT.to_owned(), agreement);
            let written = write(&graphs.join(TEXT), &texts, limit)?;
            external.extend(written.external_bytes.map(|_| TEXT));
        }
        let mut config = clip_config(&clip.config, clip.logit_scale);
        announce_external(&mut config, &external);
        write_json(&folder.join("config.json"), &Json::Object(config))?;
        write_json(&folder.join("preprocessor_config.json"), &preprocessor)?;
        if copy_tokenizer(files, folder)?.is_empty() {
            notes.push("no tokenizer: the model has none beside its weights".to_owned());
        }
        let readme = format!(
            "# The towers of {}\n\n{}\n\n`onnx/{VISION}`: `pixel_values` to `image_embeds`. `onnx/{TEXT}`, where \
             it is there: `input_ids` (texts x tokens, from the start token to at least the end token) to \
             `text_embeds`. Divide both by their lengths; a logit is {} times their product.\n",
            clip.name, source.about, clip.logit_scale
        );
        write_atomic(&folder.join("README.md"), readme.as_bytes())?;
        Ok(Exported {
            files: sizes(folder)?,
            checked,
            notes,
        })
    })
}

fn vision_graph(source: &Source) -> Result<Graph> {
    let clip = source.clip;
    let visual = source.classifier.visual.as_ref();
    let net = image_net(clip, source.weights, visual)?;
    let mut b = Builder::new("vision");
    b.fact("vlpt.base_model", &clip.name);
    let side = Dim::Fixed(net.config.image_size);
    let pixels = b.input(PIXELS, Type::F32, &[BATCH, Dim::Fixed(3), side, side]);
    let images = vision(&mut b, &net, &pixels);
    let shape = [BATCH, Dim::Fixed(net.embed)];
    b.output(&images.embeds, "image_embeds", Type::F32, &shape);
    if let Some(rows) = &images.rows {
        b.output(rows, "row_embeds", Type::F32, &shape);
    }
    Ok(b.finish())
}

fn text_graph(source: &Source, values: &TowerValues) -> Graph {
    let config = &source.clip.config;
    let mut weights = source.weights.text.clone();
    Layers {
        blocks: &mut weights.blocks,
        first_norm: None,
        last_norm: &mut weights.ln_final,
        width: config.text.width,
    }
    .update(&values.updates);
    if let Some(projection) = &values.projection {
        weights.projection.clone_from(projection);
    }
    let mut b = Builder::new("text");
    b.fact("vlpt.base_model", &source.clip.name);
    let ids = b.input("input_ids", Type::I64, &[BATCH, Dim::Any("sequence")]);
    let embed = config.embed_dim;
    let features = text(&mut b, &config.text, embed, &weights, &ids);
    let shape = [BATCH, Dim::Fixed(embed)];
    b.output(&features, "text_embeds", Type::F32, &shape);
    b.finish()
}
