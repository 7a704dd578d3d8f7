//! How a Hugging Face folder says that images are prepared: `preprocessor_config.json`, or the table
//! `image_processor` of `processor_config.json`, which newer versions of transformers write alone.

use serde_json::Value;

use super::fields::Fields;
use crate::config::{Interpolation, PreprocessConfig, ResizeMode};
use crate::error::{ClipError, Result};
use crate::files::ModelFiles;

pub(super) const PREPROCESSOR: &str = "preprocessor_config.json";
pub(super) const PROCESSOR: &str = "processor_config.json";

/// Reads what the folder says. Where both files do, `processor_config.json` counts, as in
/// transformers, and the difference is told; where neither does, OpenAI's preprocessing does.
///
/// # Errors
/// When a file asks for preprocessing that is not known here.
pub(super) fn read(
    files: &ModelFiles,
    image_size: usize,
    notes: &mut Vec<String>,
) -> Result<PreprocessConfig> {
    let nested = nested(files, image_size)?;
    let plain = |notes: &mut Vec<String>| {
        let file = files.place(PREPROCESSOR);
        let json = files.json(PREPROCESSOR)?;
        let mut fields = Fields::root(&file, &json)?;
        let config = image_processor(&file, &mut fields, image_size)?;
        let rgb = fields.only("do_convert_rgb", &[true.into()]);
        notes.extend(rgb.err().map(|error| format!("{error}: left out")));
        fields.ignore(&WITHOUT_EFFECT);
        // these files have always been read; what is new in one need not concern images
        notes.extend(
            fields
                .finish()
                .err()
                .map(|error| format!("{error}: left out")),
        );
        Ok(config)
    };
    match (nested, files.has(PREPROCESSOR)) {
        (Some(config), false) => Ok(config),
        (None, true) => plain(notes),
        (Some(config), true) => {
            if plain(&mut Vec::new()).ok().as_ref() != Some(&config) {
                notes.push(format!(
                    "{}: {PROCESSOR} and {PREPROCESSOR} differ; the first is taken, as \
                     transformers does",
                    files.name
                ));
            }
            Ok(config)
        }
        (None, false) => {
            notes.push(format!(
                "{}: no {PREPROCESSOR}, OpenAI's preprocessing taken",
                files.name
            ));
            Ok(PreprocessConfig::openai(image_size))
        }
    }
}

/// The table `image_processor` of `processor_config.json`, where it is there. Every value in it is
/// used, or refused by name. What the file says of texts, sounds and videos is not for images.
fn nested(files: &ModelFiles, image_size: usize) -> Result<Option<PreprocessConfig>> {
    if !files.has(PROCESSOR) {
        return Ok(None);
    }
    let file = files.place(PROCESSOR);
    let json = files.json(PROCESSOR)?;
    let mut root = Fields::root(&file, &json)?;
    let Some(mut fields) = root.object("image_processor")? else {
        return Ok(None);
    };
    // other kinds mean something else by what they leave out
    if let Some(kind) = fields.text("image_processor_type")?
        && !kind.starts_with("CLIP")
        && let Some(key) = SAID_BY_OTHERS
            .into_iter()
            .find(|key| fields.value(key).is_none())
    {
        let what = format!("image_processor_type {kind:?} without image_processor.{key}");
        return Err(unsupported(&file, what));
    }
    let config = image_processor(&file, &mut fields, image_size)?;
    fields.only("do_convert_rgb", &[true.into()])?;
    fields.ignore(&WITHOUT_EFFECT);
    fields.finish()?;
    Ok(Some(config))
}

/// What an image processor that is not CLIP's must say.
const SAID_BY_OTHERS: [&str; 6] = [
    "do_resize",
    "size",
    "do_center_crop",
    "resample",
    "image_mean",
    "image_std",
];

/// Settings that change no value of a pixel.
const WITHOUT_EFFECT: [&str; 15] = [
    "_name_or_path",
    "_processor_class",
    "auto_map",
    "data_format",
    "device",
    "disable_grouping",
    "feature_extractor_type",
    "image_processor_type",
    "image_seq_length",
    "input_data_format",
    "model_input_names",
    "processor_class",
    "return_tensors",
    "transformers_version",
    "_valid_processor_keys",
];

/// Reads the settings of one image processor, in all spellings they have had.
fn image_processor(file: &str, fields: &mut Fields, image_size: usize) -> Result<PreprocessConfig> {
    let crop = fields.flag("do_center_crop")?.unwrap_or(true);
    let resize = fields.flag("do_resize")?.unwrap_or(true);
    for key in ["do_rescale", "do_normalize"] {
        if fields.flag(key)? == Some(false) {
            return Err(unsupported(file, format!("{key} = false")));
        }
    }
    if let Some(factor) = fields.number("rescale_factor")?
        && (factor * 255.0 - 1.0).abs() > 1e-6
    {
        return Err(unsupported(file, format!("rescale_factor = {factor}")));
    }
    let target = Target::read(file, fields)?;
    let side = match fields.value("crop_size") {
        None => None,
        Some(value) => Some(square(file, "crop_size", value)?),
    };
    let (mode, side) = match (target, crop) {
        _ if !resize => return Err(unsupported(file, "do_resize = false".to_owned())),
        (Some(Target::Shortest(n)), true) if side.is_none_or(|side| side == n) => {
            (ResizeMode::Shortest, n)
        }
        (Some(Target::Exact(n)), _) if !crop || side.is_none_or(|side| side == n) => {
            (ResizeMode::Squash, n)
        }
        (Some(Target::Shortest(n)), false) => (ResizeMode::Squash, n),
        (Some(Target::Longest(n)), _) => (ResizeMode::Longest, n),
        (None, _) => (ResizeMode::Shortest, side.unwrap_or(image_size)),
        (Some(Target::Shortest(n) | Target::Exact(n)), _) => {
            let what = format!("resize to {n} and crop to {}", side.unwrap_or(image_size));
            return Err(unsupported(file, what));
        }
    };
    if side != image_size {
        let what = format!("images of side {side}, the image tower takes {image_size}");
        return Err(ClipError::config(file, what));
    }
    let interpolation = resample(file, fields)?;
    let openai = PreprocessConfig::openai(image_size);
    Ok(PreprocessConfig {
        resize: mode,
        interpolation,
        mean: fields.means("image_mean")?.unwrap_or(openai.mean),
        std: fields.deviations("image_std")?.unwrap_or(openai.std),
        ..openai
    })
}

/// Pillow's filters by their numbers.
fn resample(file: &str, fields: &mut Fields) -> Result<Interpolation> {
    const NAMES: [&str; 6] = [
        "nearest", "lanczos", "bilinear", "bicubic", "box", "hamming",
    ];
    let Some(value) = fields.value("resample") else {
        return Ok(Interpolation::Bicubic);
    };
    let name = match (value.as_u64(), value.as_str()) {
        (Some(number), _) => NAMES.get(number as usize).copied(),
        (_, Some(text)) => NAMES
            .into_iter()
            .find(|name| text.eq_ignore_ascii_case(name)),
        _ => return Err(fields.wrong("resample", value, "the number of one of Pillow's filters")),
    };
    match name {
        Some("bicubic") => Ok(Interpolation::Bicubic),
        Some("bilinear") => Ok(Interpolation::Bilinear),
        Some(name) => {
            let what = format!("the filter {name}, resample = {value}");
            Err(unsupported(file, what))
        }
        None => Err(unsupported(file, format!("resample = {value}"))),
    }
}

/// What `size` asks for.
enum Target {
    Shortest(usize),
    Longest(usize),
    Exact(usize),
}

impl Target {
    fn read(file: &str, fields: &mut Fields) -> Result<Option<Self>> {
        // where one number means both sides
        let square_number = fields.flag("default_to_square")?.unwrap_or(false);
        let Some(value) = fields.value("size") else {
            return Ok(None);
        };
        if let Some(n) = value.as_u64() {
            let n = n as usize;
            let target = if square_number {
                Self::Exact(n)
            } else {
                Self::Shortest(n)
            };
            return Ok(Some(target));
        }
        let number = |key| value.get(key).and_then(Value::as_u64).map(|n| n as usize);
        match (number("shortest_edge"), number("longest_edge")) {
            (Some(n), None) => Ok(Some(Self::Shortest(n))),
            (None, Some(n)) => Ok(Some(Self::Longest(n))),
            (None, None) => Ok(Some(Self::Exact(square(file, "size", value)?))),
            (Some(_), Some(_)) => Err(unsupported(file, format!("size = {value}"))),
        }
    }
}

/// A side given as one number or as equal height and width.
fn square(file: &str, key: &str, value: &Value) -> Result<usize> {
    if let Some(n) = value.as_u64() {
        return Ok(n as usize);
    }
    let side = |key| value.get(key).and_then(Value::as_u64);
    match (side("height"), side("width")) {
        (Some(h), Some(w)) if h == w => Ok(h as usize),
        _ => Err(unsupported(file, format!("{key} = {value}"))),
    }
}

fn unsupported(file: &str, what: String) -> ClipError {
    ClipError::Unsupported {
        file: file.to_owned(),
        what,
        hint: None,
    }
}
