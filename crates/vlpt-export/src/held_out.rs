//! What a graph in 8 bits costs, on labelled images.

use rayon::prelude::*;
use serde::Serialize;
use vlpt_clip::Observer;
use vlpt_data::Sample;
use vlpt_data::image::Limits;

use vlpt_adapter::ImageAdaptation;

use crate::check::first_output;
use crate::classifier_folder::Source;
use crate::error::Result;
use crate::onnx::Graph;
use crate::value::Value;

/// Images that go through at once, whose numbers share one scale: as many as a user may send.
const AT_ONCE: usize = 16;

/// The answers of two forms of one classifier beside each other.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Cost {
    /// Number of images.
    pub images: usize,
    /// Share of images whose most probable class is one of theirs, by this program's own towers in f32.
    pub accuracy: f64,
    /// The same by the graph.
    pub accuracy_quantised: f64,
    /// Share of images of which both say the same class.
    pub same_answer: f64,
    /// The largest change of a probability.
    pub largest_change: f64,
}

/// Runs `graph` ([`quantise`](crate::quantise()) of [`Classification::graph`](crate::Classification::graph)) and the
/// towers on labelled images; labels are classes of the classifier.
///
/// # Errors
/// An image that cannot be decoded, or a graph that cannot be run.
pub fn cost(
    source: &Source,
    graph: &Graph,
    samples: &[Sample],
    observer: &dyn Observer,
) -> Result<Cost> {
    let clip = source.clip;
    let classifier = source.classifier;
    let (side, classes) = (source.view.image_size as usize, classifier.classes.len());
    let options = source.view.decoding(&Limits::default());
    observer.start("images in 8 bits", samples.len() as u64);
    let (mut right, mut right_quantised, mut same, mut largest) = (0, 0, 0, 0.0_f64);
    for group in samples.chunks(AT_ONCE) {
        let pixels: Vec<Vec<f32>> = group
            .par_iter()
            .map(|sample| sample.load_then(&options, |image| source.view.apply(&image)))
            .collect::<std::result::Result<_, _>>()
            .map_err(vlpt_adapter::AdapterError::from)?;
        let (count, pixels) = (pixels.len(), pixels.concat());
        let visual = classifier.visual.as_ref();
        let features = ImageAdaptation::features(visual, clip, &pixels, count)?;
        let mut own = classifier.logits(clip, &features)?;
        for logit in &mut own {
            *logit = (f64::from(*logit) / source.temperature) as f32;
        }
        let input = Value::f32(&[count, 3, side, side], pixels);
        let found = first_output(graph, &[(&graph.inputs[0].name, input)])?;
        let own = classifier.probabilities_of(own);
        let found = classifier.probabilities_of(found);
        let rows = own.chunks_exact(classes).zip(found.chunks_exact(classes));
        for ((own, found), sample) in rows.zip(group) {
            let [a, b] = [own, found].map(vlpt_methods::head::first_largest);
            right += usize::from(sample.labels.contains(&(a as u32)));
            right_quantised += usize::from(sample.labels.contains(&(b as u32)));
            same += usize::from(a == b);
            let apart = own.iter().zip(found).map(|(a, b)| f64::from((a - b).abs()));
            // a NaN of the graph is as far as can be
            let apart = apart.map(|apart| if apart.is_nan() { 1.0 } else { apart });
            largest = apart.fold(largest, f64::max);
        }
        observer.advance(count as u64);
    }
    observer.finish();
    let share = |count: usize| count as f64 / samples.len().max(1) as f64;
    Ok(Cost {
        images: samples.len(),
        accuracy: share(right),
        accuracy_quantised: share(right_quantised),
        same_answer: share(same),
        largest_change: largest,
    })
}
