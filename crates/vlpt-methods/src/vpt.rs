//! VPT: visual prompt tuning (Jia et al., ECCV 2022) of CLIP's image tower, as the MVLPT paper
//! uses it (Shen et al., WACV 2024).
//!
//! Learned tokens stand between the class token and the patches: in the first block alone
//! (shallow), in all blocks (deep), or in the first few. The classes' texts come from a template
//! and hold nothing learned.
//!
//! One thing differs from code that draws a dropout mask for every image: here a step has one
//! mask for its whole batch. The prompts of a step are then the same for every image, and so are
//! the keys and values that the blocks make of them, which are computed once.

use vlpt_autograd::Tensor;
use vlpt_clip::{ClipConfig, PromptToken, Tokenizer};

use crate::dropout::{check_rate, dropout};
use crate::import::{Import, Reader, Source};
use crate::nn::{Builder, Init, Linear};
use crate::visual::{MAX_COUNT, initial_bound};
use crate::zeroshot::{DEFAULT_TEMPLATE, fill};
use crate::{
    Adaptation, Depth, Family, Fit, Flags, Method, MethodConfig, MethodError, MethodSpec, Needs,
    Parameter, Pass, Place, PromptTensor, Report, Result, TowerTensors, template_texts,
};

/// Prompts a block, when none are asked for.
const DEFAULT_COUNT: usize = 16;
/// The widest prompt before a projection: a limit against slips.
const MAX_PROJECT: usize = 8192;

options! {
    /// Options of [`Vpt`].
    pub struct VptConfig = "vpt" {
        /// Prompts a block; 0: none at all, so that nothing is learned.
        count: usize = DEFAULT_COUNT, "0 to 1024";
        /// Which blocks have prompts of their own.
        depth: Depth = Depth::Deep, "shallow, deep, or a number of blocks";
        /// Width of the learned prompts, which one linear layer takes to the tower's width; 0: they
        /// have the tower's width, and there is no such layer.
        project: usize = 0, "0 to 8192";
        /// Probability that a number of a prompt is dropped in a training step.
        dropout: f64 = 0.0, "0 or more, and less than 1";
        /// Where the prompts of the first block enter.
        place: Place = Place::AfterLnPre, "after-ln-pre or before-ln-pre";
        /// The classes' texts; `{}` stands for the name.
        template: String = DEFAULT_TEMPLATE.to_owned(), "a text with {}";
    }
}

/// What VPT says of itself.
pub(crate) static SPEC: MethodSpec = MethodSpec {
    name: "vpt",
    summary: "learned tokens in the image tower",
    source: "Jia et al., \"Visual Prompt Tuning\", ECCV 2022; Shen et al., WACV 2024",
    good_for: "about 14 points over zero-shot on seven real sets, 39 of them on \
               EuroSAT and 3 on Caltech-101 (mini-clip, 16 shots)",
    family: Some(Family::Visual),
    tables: &[&VptConfig::TABLE],
    flags: Flags {
        prompts: Some("vpt.count"),
        ..Flags::NONE
    },
    report: Report {
        done: "Tokens in the image tower were learned",
        holds: "learned tokens in the image tower",
    },
    needs: |_| Needs {
        pixels: true,
        ..Needs::default()
    },
    // A run without a parameter would train nothing and say so to nobody.
    check: |method| match method.options::<VptConfig>().count {
        0 => Err(MethodError::Option {
            key: "vpt.count",
            found: "0".to_owned(),
            expected: "at least 1; method = \"zero-shot\" learns nothing".to_owned(),
        }),
        _ => Ok(()),
    },
    fit: Fit::Tune(|method, build| {
        Ok(Box::new(Vpt::new(
            method.options(),
            &build.clip.config,
            build.seed,
        )?))
    }),
    import: Some(Import {
        matches: |names| {
            names.has("vpt_embeddings") && !names.has("ctx") && !names.any("mvlpt_proj")
        },
        read: |reader| {
            let vpt = VptConfig::imported(reader);
            let template = &vpt.template;
            reader.assume(format!(
                "the classes' texts are \"{template}\", as in MVLPT's code"
            ));
            MethodConfig::of(&SPEC, vpt)
        },
        sources: &[Source::Mvlpt],
        position: false,
        place: true,
        tensors: "VPT `vpt_embeddings`",
    }),
    ..MethodSpec::BASE
};

impl From<VptConfig> for MethodConfig {
    fn from(options: VptConfig) -> Self {
        Self::of(&SPEC, options)
    }
}

impl VptConfig {
    /// The options that the shapes of a checkpoint tell.
    pub(crate) fn imported(reader: &mut Reader) -> Self {
        let place = reader.place();
        let project = reader.names.has("vpt_proj.weight");
        let (count, width, depth) = reader.visual(!project);
        Self {
            count,
            depth,
            project: if project { width } else { 0 },
            place,
            ..Self::default()
        }
    }
}

/// Learned visual prompts: the parameters `vpt_embeddings` (1 x count x width) of the first block
/// and `vpt_embeddings_deep` (blocks - 1 x count x width) of the others; with a projection also
/// `vpt_proj.weight` (vision width x width) and `vpt_proj.bias` (vision width).
#[derive(Debug, Clone)]
pub struct Vpt {
    parameters: Vec<Parameter>,
    /// Of the first block, and of the others.
    embeddings: Vec<Tensor>,
    projection: Option<Linear>,
    /// Blocks with prompts of their own.
    layers: usize,
    count: usize,
    dropout: f64,
    place: Place,
    template: String,
}

impl Vpt {
    /// Prompts with their initial values for a model of these sizes: uniform in (-v, v) of
    /// [`initial_bound`](crate::initial_bound), and a projection with weights of
    /// N(0, sqrt(2 / vision width)) (He et al., fan out) and a bias uniform within 1 / sqrt(width).
    ///
    /// # Errors
    /// A count, depth, width or dropout out of range, or a template without a place for the name.
    pub fn new(config: &VptConfig, model: &ClipConfig, seed: u64) -> Result<Self> {
        let layers = config.depth.layers(model.vision.layers, "vpt.depth")?;
        let (count, vision_width) = (config.count, model.vision.width);
        at_most(count, MAX_COUNT, "vpt.count")?;
        at_most(config.project, MAX_PROJECT, "vpt.project")?;
        check_rate(config.dropout, "vpt.dropout")?;
        fill(&config.template, "name")?;
        let projected = config.project > 0;
        let width = if projected {
            config.project
        } else {
            vision_width
        };
        let mut builder = Builder::new("vpt", seed);
        let mut embeddings = Vec::new();
        let mut projection = None;
        if count > 0 {
            let bound = initial_bound(model.vision.patch_size, width);
            let blocks = [("vpt_embeddings", 1), ("vpt_embeddings_deep", layers - 1)];
            for (name, blocks) in blocks.into_iter().filter(|&(_, blocks)| blocks > 0) {
                let shape = [blocks, count, width];
                embeddings.push(builder.parameter(name, &shape, Init::Uniform(bound))?);
            }
            if projected {
                projection = Some(start_projection(&mut builder, width, vision_width)?);
            }
        }
        Ok(Self {
            parameters: builder.finish(),
            embeddings,
            projection,
            layers,
            count,
            dropout: config.dropout,
            place: config.place,
            template: config.template.clone(),
        })
    }

    /// The visual prompts (layers x count x vision width) of one pass; none when the count is 0.
    ///
    /// # Errors
    /// A tensor operation that failed.
    pub fn visual(&self, pass: &Pass) -> Result<Option<PromptTensor>> {
        if self.count == 0 {
            return Ok(None);
        }
        let mut rows = Tensor::cat(&self.embeddings, 0)?;
        if let Some(projection) = &self.projection {
            let [layers, count, width] = rows.dims()?;
            let projected = projection.forward(&rows.reshape(&[layers * count, width])?)?;
            let [_, width] = projected.dims()?;
            rows = projected.reshape(&[layers, count, width])?;
        }
        Ok(Some(PromptTensor {
            place: self.place.into(),
            ..PromptTensor::deep(dropout(&rows, self.dropout, pass, "vpt.dropout")?)
        }))
    }

    /// Prompts a block.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Number of blocks with prompts of their own.
    pub fn layers(&self) -> usize {
        self.layers
    }
}

impl Method for Vpt {
    fn name(&self) -> &'static str {
        "vpt"
    }

    fn parameters(&self) -> &[Parameter] {
        &self.parameters
    }

    fn texts(&self, tokenizer: &Tokenizer, classes: &[String]) -> Result<Vec<Vec<PromptToken>>> {
        template_texts(tokenizer, &self.template, classes)
    }

    fn needs(&self) -> Needs {
        Needs {
            pixels: self.count > 0,
            ..Needs::default()
        }
    }

    fn adapt(&self, pass: &Pass) -> Result<Adaptation> {
        Ok(Adaptation {
            visual: TowerTensors {
                prompts: self.visual(pass)?,
                ..TowerTensors::default()
            },
            ..Adaptation::default()
        })
    }
}

/// A projection from `width` to `vision_width` as VPT starts it.
fn start_projection(builder: &mut Builder, width: usize, vision_width: usize) -> Result<Linear> {
    let deviation = (2.0 / vision_width as f64).sqrt();
    let weight = builder
        .stream("vpt_proj.weight")
        .normals(vision_width * width, deviation);
    let weight = builder.parameter(
        "vpt_proj.weight",
        &[vision_width, width],
        Init::Values(weight),
    )?;
    let bound = 1.0 / (width as f64).sqrt();
    let bias = builder.parameter("vpt_proj.bias", &[vision_width], Init::Uniform(bound))?;
    Ok(Linear::of(weight, bias))
}

fn at_most(found: usize, limit: usize, key: &'static str) -> Result<()> {
    if found <= limit {
        return Ok(());
    }
    Err(MethodError::Option {
        key,
        found: found.to_string(),
        expected: format!("at most {limit}"),
    })
}
