//! What is written is run first, and compared with this program's own towers.

use serde::Serialize;
use vlpt_adapter::{Classifier, ImageAdaptation};
use vlpt_base::random::Stream;
use vlpt_clip::{Clip, PromptToken, TowerAdaptation};
use vlpt_data::image::{Preprocess, RgbImage};

use crate::error::{ExportError, Result};
use crate::interpret::run;
use crate::onnx::Graph;
use crate::value::{Data, Value};

/// The largest difference of probabilities, and of logits and features beside the largest of them.
pub const ALLOWED: f64 = 1e-4;
/// Images that a graph is checked with: each another path through the numbers.
const IMAGES: usize = 2;
/// Width and height of the image that preprocessing is checked with: shrunk, of another shape than the square.
const PHOTO: (u32, u32) = (301, 467);

/// How far a graph is from the towers.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Agreement {
    /// The largest difference of a probability; of a tower, of a feature divided by its length.
    pub probabilities: f64,
    /// The largest difference of a logit, beside the largest logit or 1; 0 where there are none.
    pub logits: f64,
}

/// Runs a graph of [`Classification::graph`](crate::Classification::graph).
///
/// # Errors
/// [`ExportError::Differs`], or a graph that cannot be run.
pub fn check(
    graph: &Graph,
    clip: &Clip,
    classifier: &Classifier,
    temperature: f64,
) -> Result<Agreement> {
    let pixels = test_pixels(clip);
    let side = clip.config.vision.image_size;
    let input = Value::f32(&[IMAGES, 3, side, side], pixels.clone());
    let expected = own_logits(clip, classifier, &pixels, IMAGES, temperature)?;
    let found = first_output(graph, &[(&graph.inputs[0].name, input)])?;
    let largest = expected
        .iter()
        .fold(1.0_f64, |m, v| m.max(f64::from(v.abs())));
    let agreement = Agreement {
        logits: distance(&found, &expected) / largest,
        probabilities: distance(
            &classifier.probabilities_of(found),
            &classifier.probabilities_of(expected),
        ),
    };
    agreed(graph, "logits", agreement.logits)?;
    agreed(graph, "probabilities", agreement.probabilities)?;
    Ok(agreement)
}

/// Runs a graph of [`Classification::graph_with_preprocessing`](crate::Classification::graph_with_preprocessing).
///
/// # Errors
/// As [`check`].
pub fn check_with_preprocessing(
    graph: &Graph,
    clip: &Clip,
    classifier: &Classifier,
    view: &Preprocess,
    temperature: f64,
) -> Result<Agreement> {
    let (width, height) = PHOTO;
    let mut random = Stream::new(1, "export.photo");
    let data = (0..width * height * 3).map(|_| random.next_u64() as u8);
    let image = RgbImage {
        width,
        height,
        data: data.collect(),
    };
    let pixels = view.apply(&image);
    let expected = own_logits(clip, classifier, &pixels, 1, temperature)?;
    let expected = classifier.probabilities_of(expected);
    let found = first_output(graph, &[(&graph.inputs[0].name, image_value(&image))])?;
    let agreement = Agreement {
        logits: 0.0,
        probabilities: distance(&found, &expected),
    };
    agreed(graph, "probabilities", agreement.probabilities)?;
    Ok(agreement)
}

/// Runs the image tower's graph.
///
/// # Errors
/// As [`check`].
pub(crate) fn check_vision(
    graph: &Graph,
    clip: &Clip,
    visual: Option<&ImageAdaptation>,
) -> Result<Agreement> {
    let pixels = test_pixels(clip);
    let side = clip.config.vision.image_size;
    let embed = clip.config.embed_dim;
    let features = ImageAdaptation::features(visual, clip, &pixels, IMAGES)?;
    let outputs = ImageAdaptation::width(visual, embed) / embed;
    let input = Value::f32(&[IMAGES, 3, side, side], pixels);
    let found = run(graph, &[(&graph.inputs[0].name, input)])?;
    let mut largest = 0.0_f64;
    for (place, found) in found.iter().enumerate() {
        let rows = features.chunks_exact(embed).skip(place).step_by(outputs);
        let expected: Vec<f32> = rows.flatten().copied().collect();
        let found = found.as_f32().unwrap_or_default();
        largest = largest.max(unit_distance(found, &expected, embed));
    }
    agreed(graph, "features of length one", largest)?;
    Ok(Agreement {
        probabilities: largest,
        logits: 0.0,
    })
}

/// Runs the text tower's graph, whose weights hold `adaptation`.
///
/// # Errors
/// As [`check`].
pub(crate) fn check_text(
    graph: &Graph,
    clip: &Clip,
    adaptation: &TowerAdaptation,
) -> Result<Agreement> {
    let texts = [
        "a photo of a cat.",
        "two long words, and some more behind them",
    ];
    let ids = texts.map(|text| clip.tokenizer.encode_truncated(text));
    let longest = ids.iter().map(Vec::len).max().unwrap_or_default();
    let slots: Vec<Vec<PromptToken>> = ids
        .iter()
        .map(|ids| ids.iter().copied().map(PromptToken::Token).collect())
        .collect();
    let expected = clip.text.features(&slots, adaptation);
    let end = clip.config.text.eot_token;
    let padded = ids.iter().flat_map(|ids| {
        let padding = std::iter::repeat_n(end, longest - ids.len());
        ids.iter().copied().chain(padding).map(i64::from)
    });
    let input = Value::new(&[texts.len(), longest], Data::I64(padded.collect()));
    let found = first_output(graph, &[(&graph.inputs[0].name, input)])?;
    let largest = unit_distance(&found, &expected, clip.config.embed_dim);
    agreed(graph, "features of length one", largest)?;
    Ok(Agreement {
        probabilities: largest,
        logits: 0.0,
    })
}

/// A decoded image as the input of a graph with preprocessing.
pub fn image_value(image: &RgbImage) -> Value {
    let shape = [image.height as usize, image.width as usize, 3];
    Value::new(&shape, Data::U8(image.data.clone()))
}

/// Pixels of two images: smooth ones, and noise.
fn test_pixels(clip: &Clip) -> Vec<f32> {
    let side = clip.config.vision.image_size;
    let count = 3 * side * side;
    let smooth = (0..count).map(|i| {
        let (channel, row, column) = (i / (side * side), i / side % side, i % side);
        let turn = (row * (channel + 1) + 2 * column) as f32 / side as f32;
        1.5 * (turn * std::f32::consts::PI).sin()
    });
    let noise = Stream::new(0, "export.noise").normals(count, 1.0);
    smooth.chain(noise).collect()
}

fn own_logits(
    clip: &Clip,
    classifier: &Classifier,
    pixels: &[f32],
    count: usize,
    temperature: f64,
) -> Result<Vec<f32>> {
    let features = ImageAdaptation::features(classifier.visual.as_ref(), clip, pixels, count)?;
    let logits = classifier.logits(clip, &features)?;
    let logits = logits.into_iter();
    Ok(logits
        .map(|v| (f64::from(v) / temperature) as f32)
        .collect())
}

/// The numbers of the graph's first output.
pub(crate) fn first_output(graph: &Graph, inputs: &[(&str, Value)]) -> Result<Vec<f32>> {
    let outputs = run(graph, inputs)?;
    let first = outputs.first().and_then(Value::as_f32);
    Ok(first.unwrap_or_default().to_vec())
}

fn agreed(graph: &Graph, what: &'static str, found: f64) -> Result<()> {
    // no number is no agreement either
    if found <= ALLOWED {
        return Ok(());
    }
    Err(ExportError::Differs {
        graph: graph.name.clone(),
        what,
        found,
        allowed: ALLOWED,
    })
}

/// The largest difference; infinite where there are not as many, or one is no number.
fn distance(found: &[f32], expected: &[f32]) -> f64 {
    if found.len() != expected.len() {
        return f64::INFINITY;
    }
    let pairs = found.iter().zip(expected);
    let apart = pairs.map(|(a, b)| (f64::from(*a) - f64::from(*b)).abs());
    apart.fold(
        0.0,
        |m, d| if d.is_nan() { f64::INFINITY } else { m.max(d) },
    )
}

/// The same of rows divided by their lengths.
fn unit_distance(found: &[f32], expected: &[f32], width: usize) -> f64 {
    let units = |rows: &[f32]| {
        let mut rows = rows.to_vec();
        rows.chunks_exact_mut(width)
            .for_each(vlpt_methods::zeroshot::normalise);
        rows
    };
    distance(&units(found), &units(expected))
}
