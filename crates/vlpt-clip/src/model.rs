//! A whole model in memory.

use crate::config::{ClipConfig, PreprocessConfig};
use crate::error::Result;
use crate::files::ModelFiles;
use crate::formats::{self, LoadReport, Parts};
use crate::hub::Hub;
use crate::text::TextTower;
use crate::tokenizer::Tokenizer;
use crate::vision::ImageTower;
use crate::weights::ClipWeights;
use crate::{random, weights};
use vlpt_kernels::Precision;

/// A frozen CLIP model, ready to use.
#[derive(Debug)]
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
    /// The number format of the towers' products.
    pub precision: Precision,
    /// SHA-256 over configuration and tensors, lower-case hex. Equal for the same model in
    /// different file formats.
    pub fingerprint: String,
    /// What loading used and ignored.
    pub report: LoadReport,
}

impl Clip {
    /// Reads a model from its files; its products are f32.
    ///
    /// # Errors
    /// Whatever is missing, damaged, contradictory or not supported, by name; see
    /// [`ClipError`](crate::ClipError).
    pub fn load(files: &ModelFiles) -> Result<Clip> {
        Self::load_as(files, Precision::F32)
    }

    /// As [`Clip::load`], the towers' products in a number format.
    ///
    /// # Errors
    /// As [`Clip::load`].
    pub fn load_as(files: &ModelFiles, precision: Precision) -> Result<Clip> {
        let parts = formats::read(files)?;
        Ok(Self::build(files.name.clone(), parts, precision))
    }

    /// Reads the tokenizer of a model, without its weights.
    ///
    /// # Errors
    /// As [`Clip::load`], but for what is in the weights.
    pub fn load_tokenizer(files: &ModelFiles) -> Result<Tokenizer> {
        formats::read_tokenizer(files)
    }

    /// Finds and reads a model by its name, in silence, with the settings of the environment.
    ///
    /// # Errors
    /// As [`Hub::resolve`] and [`Clip::load`].
    pub fn open(name: &str) -> Result<Clip> {
        Self::load(&Hub::from_env().resolve(&name.parse()?, &())?)
    }

    /// The small model inside the program, `mini-clip`.
    pub fn mini() -> Clip {
        Self::load(&ModelFiles::mini()).expect("the embedded model is read by a test")
    }

    /// A model with random weights of natural scale, the same for the same seed on every machine:
    /// for tests, timings and memory checks.
    ///
    /// # Panics
    /// When the configuration's sizes do not fit each other.
    pub fn random(config: &ClipConfig, seed: u64) -> Clip {
        Self::random_as(config, seed, Precision::F32)
    }

    /// As [`Clip::random`], the towers' products in a number format.
    ///
    /// # Panics
    /// As [`Clip::random`].
    pub fn random_as(config: &ClipConfig, seed: u64, precision: Precision) -> Clip {
        config
            .validate("configuration")
            .expect("a random model needs a sound configuration");
        let weights = random::weights(config, seed);
        let parts = Parts {
            config: config.clone(),
            preprocess: PreprocessConfig::openai(config.vision.image_size),
            tokenizer: Tokenizer::openai().with_context_length(config.text.context_length),
            report: LoadReport {
                parameters: config.parameters(),
                ..LoadReport::default()
            },
            weights,
        };
        Self::build(format!("random-{seed}"), parts, precision)
    }

    /// Reads the weights of a model alone, as its files have them: what [`Clip::load`] packs into
    /// the kernels' layout, for whoever writes the model in another form.
    ///
    /// # Errors
    /// As [`Clip::load`].
    pub fn load_weights(files: &ModelFiles) -> Result<ClipWeights> {
        Ok(formats::read(files)?.weights)
    }

    /// The weights of [`Clip::random`] of the same configuration and seed.
    pub fn random_weights(config: &ClipConfig, seed: u64) -> ClipWeights {
        random::weights(config, seed)
    }

    fn build(name: String, parts: Parts, precision: Precision) -> Self {
        let fingerprint = weights::fingerprint::fingerprint(&parts.config, &parts.weights);
        let Parts {
            config,
            preprocess,
            tokenizer,
            weights,
            report,
        } = parts;
        Self {
            name,
            text: TextTower::new(&config.text, config.embed_dim, weights.text, precision),
            vision: ImageTower::new(&config.vision, config.embed_dim, weights.vision, precision),
            logit_scale: weights.logit_scale.exp(),
            precision,
            config,
            preprocess,
            tokenizer,
            fingerprint,
            report,
        }
    }
}
