//! A tuned classifier as one graph.

use vlpt_adapter::Classifier;
use vlpt_clip::{Clip, ClipWeights};
use vlpt_data::image::Preprocess;

use crate::error::Result;
use crate::image_net::image_net;
use crate::nets::{HeadMatrices, ImageNet, head, preprocess, probabilities, vision};
use crate::onnx::{Builder, Dim, Graph};
use crate::value::Type;

/// The input of graphs that take pixels as the tower does.
pub(crate) const PIXELS: &str = "pixel_values";
/// The name of the open dimension.
pub(crate) const BATCH: Dim = Dim::Any("batch");

/// A model and a classifier whose prompts, updates and texts are numbers in one graph.
#[derive(Debug)]
pub struct Classification {
    net: ImageNet,
    head: HeadMatrices,
    classes: Vec<String>,
    separate: bool,
    facts: Vec<(&'static str, String)>,
}

impl Classification {
    /// The classifier of images of a model; `weights` are those that `clip` was made of. Logits are divided by
    /// `temperature`, 1 where none was chosen.
    ///
    /// # Errors
    /// [`ExportError::Unsupported`](crate::ExportError::Unsupported), where prompts or texts are made anew for each
    /// image.
    pub fn new(
        clip: &Clip,
        weights: &ClipWeights,
        classifier: &Classifier,
        temperature: f64,
    ) -> Result<Self> {
        let classes = &classifier.classes;
        Ok(Self {
            net: image_net(clip, weights, classifier.visual.as_ref())?,
            head: HeadMatrices::new(classifier.parts(), temperature)?,
            classes: classes.clone(),
            separate: classifier.separate(),
            facts: vec![
                ("vlpt.base_model", clip.name.clone()),
                ("vlpt.base_model_sha256", clip.fingerprint.clone()),
                ("vlpt.classes", serde_json::json!(classes).to_string()),
                ("vlpt.temperature", temperature.to_string()),
            ],
        })
    }

    /// Pixels as the tower takes them (`pixel_values`, batch x 3 x side x side of f32) to `logits` (batch x
    /// classes).
    pub fn graph(&self) -> Graph {
        let mut b = self.begin("image-classification");
        let side = Dim::Fixed(self.net.config.image_size);
        let pixels = b.input(PIXELS, Type::F32, &[BATCH, Dim::Fixed(3), side, side]);
        let images = vision(&mut b, &self.net, &pixels);
        let logits = head(&mut b, &self.head, &images, self.net.embed);
        let shape = [BATCH, Dim::Fixed(self.classes.len())];
        b.output(&logits, "logits", Type::F32, &shape);
        b.finish()
    }

    /// One decoded image of any size (`image`, height x width x 3 of u8, red, green, blue) to `probs` (1 x
    /// classes), made ready as `view` says, to the last bit.
    pub fn graph_with_preprocessing(&self, view: &Preprocess) -> Graph {
        let mut b = self.begin("image-to-probabilities");
        b.fact("vlpt.preprocessing", &view.fingerprint());
        let pixels = preprocess(&mut b, view);
        let images = vision(&mut b, &self.net, &pixels);
        let logits = head(&mut b, &self.head, &images, self.net.embed);
        let probs = probabilities(&mut b, &logits, self.separate);
        let shape = [Dim::Fixed(1), Dim::Fixed(self.classes.len())];
        b.output(&probs, "probs", Type::F32, &shape);
        b.finish()
    }

    fn begin(&self, name: &str) -> Builder {
        let mut b = Builder::new(name);
        for (name, value) in &self.facts {
            b.fact(name, value);
        }
        b
    }
}

/// The preprocessing alone: one decoded image of any size (`image`) to `pixel_values` (1 x 3 x side x side).
pub fn preprocessing_graph(view: &Preprocess) -> Graph {
    let mut b = Builder::new("preprocessing");
    b.fact("vlpt.preprocessing", &view.fingerprint());
    let pixels = preprocess(&mut b, view);
    let side = Dim::Fixed(view.image_size as usize);
    b.output(
        &pixels,
        PIXELS,
        Type::F32,
        &[Dim::Fixed(1), Dim::Fixed(3), side, side],
    );
    b.finish()
}
