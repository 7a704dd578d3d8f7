//! MMRL++: fewer numbers for the same rows, and rows that go on from block to block (Guo and Gu, "MMRL++:
//! Parameter-Efficient and Interaction-Aware Representation Learning for Vision-Language Models", 2025).
//!
//! All blocks of a tower share one layer `W`; block `i` adds a product of low rank and has a bias of its
//! own. After the first of these blocks, the rows are mixed with what came out of the block before, `x`.
//! The second projection starts as the frozen one `P` and adds a product of low rank:
//!
//! ```text
//! rows_i = R (W + A_i B_i)' + b_i        what enters: beta rows_i + (1 - beta) x
//! projection of the rows = P + A B
//! ```
//!
//! Everything else is [`Mmrl`](super::Mmrl)'s.

use vlpt_autograd::Tensor;
use vlpt_clip::{Clip, ClipConfig, PromptToken, TextPlanOptions, Tokenizer};

use super::shared::{self, Representation, Span};
use super::{FLAGS, MmrlConfig, MmrlPlusConfig};
use crate::nn::{Builder, Init};
use crate::{
    Adaptation, Family, Features, Fit, Fusion, Method, MethodConfig, MethodError, MethodSpec,
    Needs, Parameter, Pass, Report, Result, TowerTensors,
};

/// What MMRL++ says of itself.
pub(crate) static SPEC: MethodSpec = MethodSpec {
    name: "mmrlpp",
    summary: "the same with fewer numbers, rows going on from block to block",
    source: "Guo and Gu, \"MMRL++: Parameter-Efficient and Interaction-Aware Representation Learning for \
             Vision-Language Models\", 2025",
    good_for: "about 12 points over zero-shot on seven real sets (mini-clip, 16 \
               shots)",
    family: Some(Family::Unified),
    tables: &[&MmrlConfig::TABLE, &MmrlPlusConfig::TABLE],
    flags: FLAGS,
    report: Report {
        done: "Tokens of a space that both towers share, a layer for each tower that makes rows of them \
               for the last blocks, and a change of the projection for these rows were learned",
        holds: "learned tokens, a layer for each tower that makes rows of them for the last blocks, and \
                a change of the projection for these rows",
    },
    needs: |_| shared::needs(),
    check: |method| {
        method.options::<MmrlConfig>().check()?;
        method.options::<MmrlPlusConfig>().check()
    },
    fit: Fit::Tune(|method, build| {
        let (config, own) = (method.options(), method.options());
        Ok(Box::new(MmrlPlus::new(
            config, own, build.clip, build.seed,
        )?))
    }),
    ..MethodSpec::BASE
};

impl From<(MmrlConfig, MmrlPlusConfig)> for MethodConfig {
    fn from((config, own): (MmrlConfig, MmrlPlusConfig)) -> Self {
        let mut all = Self::of(&SPEC, config);
        all.set(own);
        all
    }
}

/// Rows made by shared layers. The parameters, with K tokens of width r, towers of width dt and dv, the
/// ranks q and p, and `i` counting a tower's blocks with rows:
///
/// - `tokens` (K x r);
/// - `text_projection.weight` (dt x r), `text_projection.{i}.a` (dt x q), `.b` (q x r), `.bias` (dt);
/// - `visual_projection.*` with dv in place of dt;
/// - `row_projection.a` (dv x p), `row_projection.b` (p x embed).
#[derive(Debug, Clone)]
pub struct MmrlPlus {
    parameters: Vec<Parameter>,
    shared: Representation,
    text: SharedLayer,
    visual: SharedLayer,
    /// The frozen projection (dv x embed), and what is added to it.
    projection: Tensor,
    added: LowRank,
}

/// `A B`.
#[derive(Debug, Clone)]
struct LowRank {
    a: Tensor,
    b: Tensor,
}

/// A layer that the blocks of a tower share, and what each has of its own.
#[derive(Debug, Clone)]
struct SharedLayer {
    weight: Tensor,
    blocks: Vec<(LowRank, Tensor)>,
}

impl LowRank {
    /// `A` (rows x rank) uniform within 1 / sqrt(rank), as PyTorch starts layers; `B` zeros.
    fn new(
        builder: &mut Builder,
        name: &str,
        (rows, rank, columns): (usize, usize, usize),
    ) -> Result<Self> {
        let bound = 1.0 / (rank as f64).sqrt();
        let a = builder.parameter(&format!("{name}.a"), &[rows, rank], Init::Uniform(bound))?;
        let b = builder.parameter(&format!("{name}.b"), &[rank, columns], Init::Constant(0.0))?;
        Ok(Self { a, b })
    }
}

impl SharedLayer {
    /// The weight uniform within 1 / sqrt(inputs), and all biases copies of one draw of the same.
    fn new(
        builder: &mut Builder,
        name: &str,
        span: Span,
        (outputs, rank, inputs): (usize, usize, usize),
    ) -> Result<Self> {
        let bound = 1.0 / (inputs as f64).sqrt();
        let weight = format!("{name}.weight");
        let weight = builder.parameter(&weight, &[outputs, inputs], Init::Uniform(bound))?;
        let mut blocks = Vec::new();
        for i in 0..span.blocks {
            let own = LowRank::new(builder, &format!("{name}.{i}"), (outputs, rank, inputs))?;
            let bias = builder
                .stream(&format!("{name}.bias"))
                .uniforms(outputs, bound);
            let bias =
                builder.parameter(&format!("{name}.{i}.bias"), &[outputs], Init::Values(bias))?;
            blocks.push((own, bias));
        }
        Ok(Self { weight, blocks })
    }

    /// Of each block, its rows of the tokens (tokens x inputs): tokens x outputs.
    fn rows(&self, tokens: &Tensor) -> Result<Vec<Tensor>> {
        let shared = tokens.matmul_nt(&self.weight)?;
        let block = |(own, bias): &(LowRank, Tensor)| {
            let added = tokens.matmul_nt(&own.b)?.matmul_nt(&own.a)?;
            Ok(shared.add(&added)?.add(bias)?)
        };
        self.blocks.iter().map(block).collect()
    }
}

impl MmrlPlus {
    /// Initial values from `seed`: tokens N(0, 0.02), layers uniform within 1 / sqrt(r), products of
    /// low rank 0.
    ///
    /// # Errors
    /// Options out of range, or towers of one block.
    pub fn new(config: &MmrlConfig, own: &MmrlPlusConfig, clip: &Clip, seed: u64) -> Result<Self> {
        let projection = clip.vision.projection();
        Self::with_projection(config, own, &clip.config, projection, seed)
    }

    /// With the image tower's projection, dv x embed.
    fn with_projection(
        config: &MmrlConfig,
        own: &MmrlPlusConfig,
        model: &ClipConfig,
        projection: Vec<f32>,
        seed: u64,
    ) -> Result<Self> {
        own.check()?;
        let mut builder = Builder::new("mmrlpp", seed);
        let carry = (1.0 - own.beta) as f32;
        let shared = Representation::new(config, model, carry, &mut builder)?;
        let (dt, dv, embed) = (model.text.width, model.vision.width, model.embed_dim);
        let within = |key, rank: usize, limit: usize| {
            if rank <= limit {
                return Ok(());
            }
            Err(MethodError::Option {
                key,
                found: rank.to_string(),
                expected: format!("1 to {limit} with this model"),
            })
        };
        within("mmrlpp.rank", own.rank, dt.min(dv).min(config.width))?;
        within("mmrlpp.projection_rank", own.projection_rank, dv.min(embed))?;
        let mut layer = |name: &str, span: Span, width: usize| {
            SharedLayer::new(&mut builder, name, span, (width, own.rank, config.width))
        };
        let text = layer("text_projection", shared.text, dt)?;
        let visual = layer("visual_projection", shared.visual, dv)?;
        let sizes = (dv, own.projection_rank, embed);
        let added = LowRank::new(&mut builder, "row_projection", sizes)?;
        Ok(Self {
            parameters: builder.finish(),
            shared,
            text,
            visual,
            projection: Tensor::new(projection, &[dv, embed])?,
            added,
        })
    }
}

impl Method for MmrlPlus {
    fn name(&self) -> &'static str {
        SPEC.name
    }

    fn parameters(&self) -> &[Parameter] {
        &self.parameters
    }

    fn texts(&self, tokenizer: &Tokenizer, classes: &[String]) -> Result<Vec<Vec<PromptToken>>> {
        self.shared.texts(tokenizer, classes)
    }

    fn needs(&self) -> Needs {
        shared::needs()
    }

    fn text_plan(&self) -> TextPlanOptions {
        self.shared.text_plan()
    }

    fn adapt(&self, _pass: &Pass) -> Result<Adaptation> {
        let (shared, tokens) = (&self.shared, &self.shared.tokens);
        let projection = self.projection.add(&self.added.a.matmul(&self.added.b)?)?;
        Ok(Adaptation {
            text: shared.prompts(shared.text, &self.text.rows(tokens)?)?,
            visual: TowerTensors {
                row_projection: Some(projection),
                ..shared.prompts(shared.visual, &self.visual.rows(tokens)?)?
            },
        })
    }

    fn teacher(&self, clip: &Clip, classes: &[String]) -> Result<Option<Vec<f32>>> {
        self.shared.teacher(clip, classes).map(Some)
    }

    fn regulariser(&self, features: &Features) -> Result<Option<Tensor>> {
        self.shared.regulariser(features).map(Some)
    }

    fn fusion(&self) -> Option<Fusion> {
        Some(self.shared.fusion())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::b16;

    fn build(own: &MmrlPlusConfig) -> Result<MmrlPlus> {
        let model = b16();
        let projection = vec![0.5; model.vision.width * model.embed_dim];
        MmrlPlus::with_projection(&MmrlConfig::default(), own, &model, projection, 1)
    }

    #[test]
    fn parameters_are_counted_as_published() {
        let method = build(&MmrlPlusConfig::default()).unwrap();
        assert_eq!(method.parameter_count(), 813_312);
        let rank_one = build(&MmrlPlusConfig {
            rank: 1,
            projection_rank: 1,
            ..MmrlPlusConfig::default()
        });
        let blocks = 7 * (512 + 512 + 512) + 7 * (768 + 512 + 768);
        let count = 5 * 512 + 512 * 512 + 768 * 512 + blocks + 768 + 512;
        assert_eq!(rank_one.unwrap().parameter_count(), count);
    }

    #[test]
    fn the_projection_starts_as_the_frozen_one_and_all_blocks_as_one() {
        let method = build(&MmrlPlusConfig::default()).unwrap();
        let adaptation = method.adapt(&Pass::EVAL).unwrap();
        let visual = adaptation.visual.values().unwrap();
        let projection = visual.row_projection.unwrap();
        assert!(projection.iter().all(|&value| value == 0.5));
        for tower in [&adaptation.text, &adaptation.visual] {
            let prompts = tower.values().unwrap().prompts.unwrap();
            assert_eq!((prompts.first, prompts.blocks, prompts.rows), (5, 7, 5));
            assert!((prompts.carry - 0.1).abs() < 1e-7);
            let block = prompts.values.len() / 7;
            let (first, rest) = prompts.values.split_at(block);
            assert!(first.iter().any(|&value| value != 0.0));
            assert!(rest.chunks_exact(block).all(|other| other == first));
        }
        assert!(method.text_plan().carries);
    }

    #[test]
    fn a_share_of_all_replaces_rows_and_carries_nothing() {
        let method = build(&MmrlPlusConfig {
            beta: 1.0,
            ..MmrlPlusConfig::default()
        });
        let method = method.unwrap();
        let values = method.adapt(&Pass::EVAL).unwrap().visual.values().unwrap();
        assert_eq!(values.prompts.unwrap().carry, 0.0);
        assert!(!method.text_plan().carries);
    }

    #[test]
    fn values_that_make_no_sense_are_refused_by_name() {
        let error = |own: MmrlPlusConfig| build(&own).unwrap_err().to_string();
        let of = |change: fn(&mut MmrlPlusConfig)| {
            let mut own = MmrlPlusConfig::default();
            change(&mut own);
            error(own)
        };
        assert_eq!(
            of(|own| own.beta = 0.0),
            "mmrlpp.beta = 0: expected 1e-7 to 1"
        );
        assert!(of(|own| own.beta = f64::NAN).contains("mmrlpp.beta"));
        assert_eq!(
            of(|own| own.rank = 0),
            "mmrlpp.rank = 0: expected at least 1"
        );
        assert_eq!(
            of(|own| own.rank = 513),
            "mmrlpp.rank = 513: expected 1 to 512 with this model"
        );
        assert_eq!(
            of(|own| own.projection_rank = 1000),
            "mmrlpp.projection_rank = 1000: expected 1 to 512 with this model"
        );
    }
}
