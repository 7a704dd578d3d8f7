//! The text tower over a tree of tokens.
//!
//! Every linear layer runs once over all nodes of the tree as one matrix; attention of a node covers
//! the nodes before it and itself; in the last block only the nodes that end a text ask and go on.
//! There is no padding, and nothing after the end of a text. This is exact, because the tower is
//! causal. What depends on nothing learned is computed once, in the plan.

mod chunk;
mod options;
mod plan;
mod tokens;
mod tree;

pub use options::TextPlanOptions;
pub use plan::{TextPlan, TextTape};
pub use tree::{PrefixTree, PromptToken};

use chunk::Chunk;
use options::TextAdaptation;
use tokens::TokenEmbedding;
use vlpt_kernels::{Arena, Attention, AttentionPlan, Matrix, Precision, with_thread_team};

use crate::adaptation::{Held, LayerName, TowerAdaptation, TowerGradients, TowerSizes, Update};
use crate::budget::MemoryBudget;
use crate::config::TextConfig;
use crate::transformer::{
    Block, CheckpointPolicy, FeatureProjection, TapeBytes, bytes_of, layer_norm,
};
use crate::weights::TextWeights;

/// Most live nodes, and most constant nodes, of a chunk: enough rows for matrix products to run
/// at full speed.
const CHUNK_NODES: usize = 768;

/// The frozen text tower: from texts and what is learned to features, and the gradients back.
#[derive(Debug)]
pub struct TextTower {
    precision: Precision,
    width: usize,
    mlp: usize,
    heads: usize,
    tokens: TokenEmbedding,
    positional_embedding: Vec<f32>,
    blocks: Vec<Block>,
    head: FeatureProjection,
    arena: Arena,
    checkpoints: CheckpointPolicy,
}

impl TextTower {
    /// Takes the weights over into the kernels' layout; products are computed in `precision`.
    ///
    /// # Panics
    /// When a tensor's length does not fit the configuration, or a size is 0; the readers of
    /// weight files check both.
    pub fn new(
        config: &TextConfig,
        embed_dim: usize,
        weights: TextWeights,
        precision: Precision,
    ) -> Self {
        let (width, eps) = (config.width, config.layer_norm_eps);
        assert_eq!(
            weights.token_embedding.len(),
            config.vocab_size * width,
            "token embedding"
        );
        let positions = weights.positional_embedding.len();
        assert_eq!(
            positions,
            config.context_length * width,
            "positional embedding"
        );
        assert!(
            config.layers > 0 && weights.blocks.len() == config.layers,
            "text blocks"
        );
        let activation = config.activation.into();
        let block = |weights| Block::new(precision, width, config.mlp, activation, eps, weights);
        Self {
            precision,
            width,
            mlp: config.mlp,
            heads: config.heads,
            tokens: TokenEmbedding::new(weights.token_embedding, width, precision),
            positional_embedding: weights.positional_embedding,
            blocks: weights.blocks.into_iter().map(block).collect(),
            head: FeatureProjection::new(
                layer_norm(weights.ln_final, eps),
                embed_dim,
                &weights.projection,
            ),
            arena: Arena::default(),
            checkpoints: CheckpointPolicy::default(),
        }
    }

    /// Width of the residual stream, and of a row of the prompts.
    pub fn width(&self) -> usize {
        self.width
    }

    /// The number format of its products.
    pub fn precision(&self) -> Precision {
        self.precision
    }

    /// How many buffers its passes have allocated so far: it stands still once a step has found its
    /// size.
    pub fn allocations(&self) -> usize {
        self.arena.allocations()
    }

    /// Number of blocks.
    pub fn depth(&self) -> usize {
        self.blocks.len()
    }

    /// Length of a feature.
    pub fn embed_dim(&self) -> usize {
        self.head.embed()
    }

    /// Bytes of the weights.
    pub fn bytes(&self) -> usize {
        self.tokens.bytes()
            + bytes_of(&self.positional_embedding)
            + self.blocks.iter().map(Block::bytes).sum::<usize>()
            + self.head.bytes()
    }

    /// Weight and bias of a layer norm, named as [`Update`](crate::Update) names it; none for another
    /// layer, or a block that the tower does not have.
    pub fn norm(&self, block: usize, layer: LayerName) -> Option<(&[f32], &[f32])> {
        match layer {
            LayerName::LnFinal => (block == self.depth()).then(|| self.head.norm()),
            _ => self.blocks.get(block)?.norm(layer),
        }
    }

    /// Rows of the token embedding (ids x width), without positions.
    ///
    /// # Panics
    /// When an id is not in the vocabulary.
    pub fn token_embeddings(&self, ids: &[u32]) -> Vec<f32> {
        let mut rows = vec![0.0; ids.len() * self.width];
        for (&id, row) in ids.iter().zip(rows.chunks_exact_mut(self.width)) {
            self.tokens.read(id, row);
        }
        rows
    }

    /// Features (texts x embed) of texts under an adaptation, not normalised. Nothing is kept: memory
    /// does not grow with the number of texts.
    ///
    /// # Panics
    /// As [`TextTower::plan`] and [`TextTower::forward`].
    pub fn features(&self, texts: &[Vec<PromptToken>], adaptation: &TowerAdaptation) -> Vec<f32> {
        with_thread_team(|| {
            let embed = self.embed_dim();
            let options = TextPlanOptions::from(adaptation);
            let held = self.hold(adaptation);
            let mut features = vec![0.0; texts.len() * embed];
            let mut first = 0;
            for end in PrefixTree::runs(options.tree(), texts, CHUNK_NODES) {
                let chunk = self.chunk(options, texts, first, end);
                let features = &mut features[first * embed..end * embed];
                chunk.forward(self, &held, features, None);
                first = end;
            }
            features
        })
    }

    /// Cuts texts into chunks and computes what is constant in them under adaptations that `options`
    /// describe: keys and values of the nodes without a learned token at or before them, the features
    /// of the texts without one, and what goes on before the first block in which anything is learned.
    ///
    /// Of the tapes, as much is kept between forward and backward as fits `budget`, what takes longest
    /// for its bytes first; the rest is computed again, one chunk at a time. A budget below one tape
    /// makes chunks smaller, down to one text.
    ///
    /// # Panics
    /// When a text is empty, longer than the context or has an id outside the vocabulary, or the tower
    /// has fewer blocks than the options say.
    pub fn plan(
        &self,
        texts: &[Vec<PromptToken>],
        options: TextPlanOptions,
        budget: MemoryBudget,
    ) -> TextPlan {
        with_thread_team(|| self.planned(texts, options, budget))
    }

    fn planned(
        &self,
        texts: &[Vec<PromptToken>],
        options: TextPlanOptions,
        budget: MemoryBudget,
    ) -> TextPlan {
        let depth = self.depth();
        assert!(
            options.first + options.blocks <= depth && options.start() < depth,
            "{options:?} of a tower of {depth} blocks"
        );
        // of a whole chunk, since few rows are padded to many
        let whole: usize = self
            .blocks
            .iter()
            .map(|block| block.tape_bytes(CHUNK_NODES, CHUNK_NODES).all())
            .sum();
        let limit = CHUNK_NODES.min(budget.of_chunk() / whole.div_ceil(CHUNK_NODES));
        let (mut chunks, mut first) = (Vec::new(), 0);
        for end in PrefixTree::runs(options.tree(), texts, limit) {
            chunks.push(self.chunk(options, texts, first, end));
            first = end;
        }
        let tapes: Vec<_> = chunks.iter().map(|chunk| chunk.tape_bytes(self)).collect();
        let kept = self.checkpoints.share(budget.bytes(), &tapes);
        let bytes = chunks.iter().map(|chunk| chunk.bytes(self)).sum();
        TextPlan {
            options,
            chunks,
            texts: texts.len(),
            budget: budget.bytes(),
            tapes,
            kept: kept.iter().flatten().count(),
            bytes,
        }
    }

    /// Features (texts x embed), not normalised, under an adaptation, and what backward needs of the
    /// pass.
    ///
    /// # Panics
    /// When a text uses a row that the prompts do not have, the adaptation has another shape or is not
    /// one that the plan is for, or the plan is another tower's.
    pub fn forward(&self, plan: &TextPlan, adaptation: &TowerAdaptation) -> (Vec<f32>, TextTape) {
        with_thread_team(|| self.record(plan, adaptation))
    }

    fn record(&self, plan: &TextPlan, adaptation: &TowerAdaptation) -> (Vec<f32>, TextTape) {
        plan.check(adaptation);
        let held = self.hold(adaptation);
        let embed = self.embed_dim();
        let mut features = vec![0.0; plan.texts * embed];
        let keep = self.checkpoints.share(plan.budget, &plan.tapes);
        let (mut chunks, mut bytes) = (Vec::new(), 0);
        for ((chunk, keep), tapes) in plan.chunks.iter().zip(keep).zip(&plan.tapes) {
            let features = &mut features[chunk.first * embed..][..chunk.texts * embed];
            if let Some(keep) = &keep {
                bytes += TapeBytes::of_blocks(tapes, keep);
            }
            chunks.push(chunk.forward(self, &held, features, keep.as_deref()));
        }
        (
            features,
            TextTape {
                adaptation: held,
                chunks,
                bytes,
            },
        )
    }

    /// Gradients of what the adaptation holds, given that of the features (texts x embed).
    ///
    /// # Panics
    /// When `d_features` has another shape, or the tape is another plan's.
    pub fn backward(&self, plan: &TextPlan, tape: TextTape, d_features: &[f32]) -> TowerGradients {
        with_thread_team(|| self.gradient(plan, tape, d_features))
    }

    fn gradient(&self, plan: &TextPlan, tape: TextTape, d_features: &[f32]) -> TowerGradients {
        let embed = self.embed_dim();
        assert_eq!(
            d_features.len(),
            plan.texts * embed,
            "gradient of the text features"
        );
        assert_eq!(
            tape.chunks.len(),
            plan.chunks.len(),
            "a tape of another plan"
        );
        let adaptation = &tape.adaptation;
        let mut gradients = adaptation.held.zero_gradients(adaptation.values.len());
        for (chunk, kept) in plan.chunks.iter().zip(tape.chunks) {
            let d_features = &d_features[chunk.first * embed..][..chunk.texts * embed];
            chunk.constant_backward(self, adaptation, d_features, &mut gradients);
            if let Some(recorded) = kept.or_else(|| chunk.record(self, adaptation)) {
                chunk.backward(self, recorded, adaptation, d_features, &mut gradients);
            }
        }
        gradients
    }

    /// # Panics
    /// When the adaptation has another shape.
    fn hold(&self, adaptation: &TowerAdaptation) -> TextAdaptation {
        let prompts = adaptation.prompts;
        prompts.check(self.depth(), self.width, 1);
        let first_norm = |update: &Update| update.layer == LayerName::LnPre;
        assert!(
            !adaptation.updates.iter().any(first_norm),
            "a text tower has no norm before its first block"
        );
        TextAdaptation {
            values: prompts.values.to_vec(),
            rows: prompts.rows,
            held: Held::new(
                adaptation,
                TowerSizes {
                    depth: self.depth(),
                    width: self.width,
                    mlp: self.mlp,
                    embed: self.embed_dim(),
                },
            ),
        }
    }

    fn chunk(
        &self,
        options: TextPlanOptions,
        texts: &[Vec<PromptToken>],
        first: usize,
        end: usize,
    ) -> Chunk {
        let positions = self.positional_embedding.len() / self.width;
        let takes =
            |token: &&PromptToken| options.first == 0 || matches!(token, PromptToken::Token(_));
        for text in &texts[first..end] {
            let tokens = text.iter().filter(takes).count();
            assert!(
                tokens <= positions,
                "a text of {tokens} tokens: {positions} fit"
            );
        }
        Chunk::new(self, options, first, &texts[first..end])
    }

    fn attention<'a>(&self, plan: &'a AttentionPlan) -> Attention<'a> {
        Attention {
            heads: self.heads,
            width: self.width,
            plan,
        }
    }

    /// No keys and values.
    fn no_keys(&self) -> Matrix {
        Matrix::new(&self.arena, self.precision, 0, 2 * self.width)
    }

    /// Writes the input of the first block at one place of a text.
    fn embed(&self, token: PromptToken, position: u32, prompts: &[f32], x: &mut [f32]) {
        let w = self.width;
        match token {
            PromptToken::Token(id) => self.tokens.read(id, x),
            PromptToken::Learned(row) => {
                let rows = prompts.len() / w;
                assert!(
                    (row as usize) < rows,
                    "row {row} of a prompts matrix with {rows}"
                );
                x.copy_from_slice(&prompts[row as usize * w..][..w]);
            }
        }
        let position = &self.positional_embedding[position as usize * w..][..w];
        for (x, position) in x.iter_mut().zip(position) {
            *x += position;
        }
    }
}
