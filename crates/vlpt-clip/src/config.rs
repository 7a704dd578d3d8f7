//! Sizes of the two towers and the image preprocessing that belongs to them.

use serde::{Deserialize, Serialize};

use crate::error::{ClipError, Result};

/// The most blocks of a tower that a configuration may ask for.
const MAX_LAYERS: usize = 512;
/// The largest of all other sizes.
const MAX_SIZE: usize = 1 << 24;

/// The activation between the two linear layers of a block.
///
/// A model trained with one gives wrong features with the other, without any error, so it is
/// always read from the configuration and never guessed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Activation {
    /// `x * sigmoid(1.702 x)`: OpenAI's weights.
    QuickGelu,
    /// The exact, erf-based GELU: most OpenCLIP weights.
    Gelu,
}

impl Activation {
    /// As configurations spell it.
    pub fn name(self) -> &'static str {
        match self {
            Self::QuickGelu => "quick_gelu",
            Self::Gelu => "gelu",
        }
    }
}

impl std::str::FromStr for Activation {
    type Err = ClipError;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "quick_gelu" | "quickgelu" => Ok(Self::QuickGelu),
            "gelu" => Ok(Self::Gelu),
            other => Err(ClipError::config(
                "activation",
                format!("{other:?}, expected quick_gelu or gelu"),
            )),
        }
    }
}

/// Sizes of the text tower.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TextConfig {
    /// Width of the residual stream.
    pub width: usize,
    /// Number of blocks.
    pub layers: usize,
    /// Attention heads of a block; divides `width`.
    pub heads: usize,
    /// Width of the hidden layer of a block's MLP.
    pub mlp: usize,
    /// Positions of the positional table: the most tokens of a text, start and end included.
    pub context_length: usize,
    /// Rows of the token embedding.
    pub vocab_size: usize,
    /// Id of the end-of-text token, whose position gives the text's feature: the largest id of
    /// an OpenAI tokenizer. Configurations that say 2 are a known mistake and are corrected.
    pub eot_token: u32,
    /// Activation of the MLPs.
    pub activation: Activation,
    /// Added to the variance in every layer norm.
    pub layer_norm_eps: f32,
}

/// Sizes of the image tower, a vision transformer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct VisionConfig {
    /// Width of the residual stream.
    pub width: usize,
    /// Number of blocks.
    pub layers: usize,
    /// Attention heads of a block; divides `width`.
    pub heads: usize,
    /// Width of the hidden layer of a block's MLP.
    pub mlp: usize,
    /// Side of the square input image in pixels; a multiple of `patch_size`.
    pub image_size: usize,
    /// Side of a square patch in pixels.
    pub patch_size: usize,
    /// Activation of the MLPs.
    pub activation: Activation,
    /// Added to the variance in every layer norm.
    pub layer_norm_eps: f32,
}

/// Sizes of a whole model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClipConfig {
    /// The text tower.
    pub text: TextConfig,
    /// The image tower.
    pub vision: VisionConfig,
    /// Width of the joint space both towers project into.
    pub embed_dim: usize,
}

/// How an image of any shape becomes a square.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResizeMode {
    /// The shorter side to the image size, then the centre square.
    Shortest,
    /// Both sides to the image size; the aspect ratio is lost, nothing is cut.
    Squash,
    /// The longer side to the image size, the rest filled.
    Longest,
}

/// The resampling filter; both are antialiased as Pillow's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Interpolation {
    /// Cubic convolution with a = -0.5.
    Bicubic,
    /// Triangle filter.
    Bilinear,
}

/// From pixels to the image tower's input, as the model was trained with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PreprocessConfig {
    /// Side of the square result in pixels.
    pub image_size: usize,
    /// How the image becomes a square.
    pub resize: ResizeMode,
    /// The resampling filter.
    pub interpolation: Interpolation,
    /// Subtracted from each channel after scaling to 0..1, in R, G, B order.
    pub mean: [f32; 3],
    /// Each channel is divided by this after the mean is subtracted.
    pub std: [f32; 3],
    /// Grey level 0..255 of the border that [`ResizeMode::Longest`] adds.
    pub fill: u8,
}

/// Channel means of OpenAI's training images.
pub const OPENAI_MEAN: [f32; 3] = [0.481_454_66, 0.457_827_5, 0.408_210_73];
/// Channel standard deviations of OpenAI's training images.
pub const OPENAI_STD: [f32; 3] = [0.268_629_54, 0.261_302_6, 0.275_777_1];

impl PreprocessConfig {
    /// OpenAI's own preprocessing for images of side `image_size`.
    pub fn openai(image_size: usize) -> Self {
        Self {
            image_size,
            resize: ResizeMode::Shortest,
            interpolation: Interpolation::Bicubic,
            mean: OPENAI_MEAN,
            std: OPENAI_STD,
            fill: 0,
        }
    }
}

impl VisionConfig {
    /// Patches along one side.
    pub fn grid(&self) -> usize {
        self.image_size / self.patch_size
    }

    /// Tokens of an image: the class token and one a patch.
    pub fn tokens(&self) -> usize {
        1 + self.grid() * self.grid()
    }
}

/// Number of parameters of a block.
fn block(width: usize, mlp: usize) -> usize {
    4 * width * width + 4 * width + 2 * width * mlp + width + mlp + 4 * width
}

impl ClipConfig {
    /// Number of parameters of the whole model, logit scale included.
    pub fn parameters(&self) -> usize {
        let text = &self.text;
        let text_tower = (text.vocab_size + text.context_length) * text.width
            + text.layers * block(text.width, text.mlp)
            + 2 * text.width
            + text.width * self.embed_dim;
        text_tower + self.vision_parameters() + 1
    }

    /// Number of parameters of the image tower, its projection included.
    pub fn vision_parameters(&self) -> usize {
        let vision = &self.vision;
        let patch = 3 * vision.patch_size * vision.patch_size;
        (patch + 1 + vision.tokens()) * vision.width
            + vision.layers * block(vision.width, vision.mlp)
            + 4 * vision.width
            + vision.width * self.embed_dim
    }

    /// Refuses sizes that no model has; `file` is where they were read.
    pub(crate) fn validate(&self, file: &str) -> Result<()> {
        let (text, vision) = (&self.text, &self.vision);
        let sizes = [
            ("embed_dim", self.embed_dim),
            ("text width", text.width),
            ("text heads", text.heads),
            ("text mlp", text.mlp),
            ("context_length", text.context_length),
            ("vocab_size", text.vocab_size),
            ("vision width", vision.width),
            ("vision heads", vision.heads),
            ("vision mlp", vision.mlp),
            ("image_size", vision.image_size),
            ("patch_size", vision.patch_size),
        ];
        for (name, size) in sizes {
            if size == 0 || size > MAX_SIZE {
                let what = format!("{name} is {size}, expected 1 to {MAX_SIZE}");
                return Err(ClipError::config(file, what));
            }
        }
        for (name, layers) in [
            ("text layers", text.layers),
            ("vision layers", vision.layers),
        ] {
            if layers == 0 || layers > MAX_LAYERS {
                let what = format!("{name} is {layers}, expected 1 to {MAX_LAYERS}");
                return Err(ClipError::config(file, what));
            }
        }
        for (name, width, heads) in [
            ("text", text.width, text.heads),
            ("vision", vision.width, vision.heads),
        ] {
            if width % heads != 0 {
                let what = format!("{name} width {width} is no multiple of its {heads} heads");
                return Err(ClipError::config(file, what));
            }
        }
        if vision.image_size % vision.patch_size != 0 {
            let (image, patch) = (vision.image_size, vision.patch_size);
            let what = format!("image size {image} is no multiple of the patch size {patch}");
            return Err(ClipError::config(file, what));
        }
        if text.eot_token as usize >= text.vocab_size {
            let (id, rows) = (text.eot_token, text.vocab_size);
            let what = format!("end-of-text id {id} lies outside the vocabulary of {rows}");
            return Err(ClipError::config(file, what));
        }
        for eps in [text.layer_norm_eps, vision.layer_norm_eps] {
            if !(eps > 0.0 && eps < 1.0) {
                let what = format!("layer norm epsilon {eps}, expected between 0 and 1");
                return Err(ClipError::config(file, what));
            }
        }
        Ok(())
    }
}
