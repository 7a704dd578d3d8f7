//! A whole model in memory.

use crate::config::{ClipConfig, PreprocessConfig};
use crate::error::{ClipError, Result};
use crate::files::ModelFiles;
use crate::hub::Hub;
use crate::text::TextTower;
use crate::tokenizer::Tokenizer;
use crate::vision::ImageTower;

/// What loading made of the tensors of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LoadReport {
    /// The weight files read.
    pub files: Vec<String>,
    /// Number of tensors used.
    pub used: usize,
    /// Number of parameters in them.
    pub parameters: usize,
    /// Names of known buffers that the model does not need, sorted.
    pub ignored: Vec<String>,
    /// Corrections of known mistakes in configurations, one sentence each.
    pub notes: Vec<String>,
}

/// A frozen CLIP model, ready to use.
pub struct Clip {
    /// The name it was loaded by.
    pub name: String,
    /// Sizes of the towers.
    pub config: ClipConfig,
    /// The preprocessing it was trained with.
    pub preprocess: PreprocessConfig,
    /// The tokenizer it was trained with.
    pub tokenizer: Tokenizer,
    /// The text tower.
    pub text: TextTower,
    /// The image tower.
    pub vision: ImageTower,
    /// What cosine similarities are multiplied by: already `exp` of the stored value, about 100.
    pub logit_scale: f32,
    /// SHA-256 over configuration and tensors, lower-case hex. Equal for the same model in
    /// different file formats.
    pub fingerprint: String,
    /// What loading used and ignored.
    pub report: LoadReport,
}

impl Clip {
    /// Reads a model from its files.
    ///
    /// # Errors
    /// Whatever does not fit, by name; see [`ClipError`].
    pub fn load(files: &ModelFiles) -> Result<Clip> {
        Err(ClipError::config(files.name.clone(), "not read yet"))
    }

    /// Finds and reads a model by its name, in silence, with the settings of the environment.
    ///
    /// # Errors
    /// As [`Hub::resolve`] and [`Clip::load`].
    pub fn open(name: &str) -> Result<Clip> {
        Self::load(&Hub::from_env().resolve(&name.parse()?, &())?)
    }

    /// The small model inside the program.
    pub fn mini() -> Clip {
        Self::open("mini-clip").expect("the embedded model is tested")
    }

    /// A model with random weights of natural scale, the same for the same seed.
    pub fn random(config: &ClipConfig, seed: u64) -> Clip {
        let _ = (config, seed);
        unimplemented!()
    }
}
