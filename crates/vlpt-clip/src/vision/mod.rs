//! The image tower, with visual prompts and updates of its layers.
//!
//! Attention here has neither order nor mask, so where a prompt stands among the tokens changes
//! nothing. A prompt whose output is thrown away at the next block needs no query, no output
//! projection and no MLP, and its key and value are the same for every image: they are computed
//! once for all. In the last block only the class tokens ask. Backward stops at the first block in
//! which anything is learned, whose image tokens are constant.

mod attention_map;
mod chunk;
mod first_norm;
mod patches;
mod prompts;

use chunk::ChunkTape;
use patches::Patches;
use prompts::{ImageRun, Prompting};

use vlpt_kernels::{Arena, Buffer, Precision, with_thread_team};

use crate::adaptation::{Held, LayerName, TowerAdaptation, TowerGradients, TowerSizes};
use crate::budget::MemoryBudget;
use crate::config::VisionConfig;
use crate::transformer::{
    Block, CheckpointPolicy, FeatureProjection, SavedActivations, TapeBytes, layer_norm,
};
use crate::weights::VisionWeights;

/// The frozen image tower: from images and what is learned to features, and the gradients back.
#[derive(Debug)]
pub struct ImageTower {
    precision: Precision,
    width: usize,
    mlp: usize,
    heads: usize,
    patches: Patches,
    blocks: Vec<Block>,
    head: FeatureProjection,
    arena: Arena,
    checkpoints: CheckpointPolicy,
}

/// What [`ImageTower::backward`] needs of a forward pass.
#[derive(Debug)]
pub struct ImageTape {
    images: usize,
    prompting: Prompting,
    chunks: Vec<Recorded>,
    bytes: usize,
}

impl ImageTape {
    /// Number of chunks of images.
    pub fn chunks(&self) -> usize {
        self.chunks.len()
    }

    /// Bytes of what is kept of the pass inside the blocks.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Number of chunks of which a tape is kept, or a part of it from which the rest is computed
    /// again; the others go through the whole tower again in backward.
    pub fn kept_chunks(&self) -> usize {
        self.chunks
            .iter()
            .filter(|chunk| matches!(chunk, Recorded::Tape(_)))
            .count()
    }
}

/// What is left of a chunk of images.
#[derive(Debug)]
enum Recorded {
    Tape(ChunkTape),
    /// Its tokens after `ln_pre`, from which the tape is computed again.
    Tokens(Buffer<f32>),
}

impl ImageTower {
    /// Most tokens that go through the tower at once: enough rows for matrix products to run at
    /// full speed.
    pub const CHUNK_TOKENS: usize = 2048;

    /// Takes the weights over into the kernels' layout; products are computed in `precision`.
    ///
    /// # Panics
    /// When a tensor's length does not fit the configuration, or a size is 0; the readers of
    /// weight files check both.
    pub fn new(
        config: &VisionConfig,
        embed_dim: usize,
        weights: VisionWeights,
        precision: Precision,
    ) -> Self {
        let (width, eps) = (config.width, config.layer_norm_eps);
        assert!(
            config.layers > 0 && weights.blocks.len() == config.layers,
            "vision blocks"
        );
        let activation = config.activation.into();
        let block = |weights| Block::new(precision, width, config.mlp, activation, eps, weights);
        Self {
            precision,
            width,
            mlp: config.mlp,
            heads: config.heads,
            patches: Patches::new(
                precision,
                config.image_size,
                config.patch_size,
                weights.patch,
                &weights.class_embedding,
                weights.positional_embedding,
                layer_norm(weights.ln_pre, eps),
            ),
            blocks: weights.blocks.into_iter().map(block).collect(),
            head: FeatureProjection::new(
                layer_norm(weights.ln_post, eps),
                embed_dim,
                &weights.projection,
            ),
            arena: Arena::default(),
            checkpoints: CheckpointPolicy::default(),
        }
    }

    /// Width of the residual stream, and of a prompt.
    pub fn width(&self) -> usize {
        self.width
    }

    /// The number format of its products.
    pub fn precision(&self) -> Precision {
        self.precision
    }

    /// Number of blocks.
    pub fn depth(&self) -> usize {
        self.blocks.len()
    }

    /// How many buffers its passes have allocated so far: it stands still once a step has found its
    /// size.
    pub fn allocations(&self) -> usize {
        self.arena.allocations()
    }

    /// Length of a feature.
    pub fn embed_dim(&self) -> usize {
        self.head.embed()
    }

    /// Weight and bias of a layer norm, named as [`Update`](crate::Update) names it; none for another
    /// layer, or a block that the tower does not have.
    pub fn norm(&self, block: usize, layer: LayerName) -> Option<(&[f32], &[f32])> {
        match layer {
            LayerName::LnFinal => (block == self.depth()).then(|| self.head.norm()),
            LayerName::LnPre => (block == 0).then(|| self.patches.ln_pre.affine()),
            _ => self.blocks.get(block)?.norm(layer),
        }
    }

    /// Bytes of the weights.
    pub fn bytes(&self) -> usize {
        self.patches.bytes()
            + self.blocks.iter().map(Block::bytes).sum::<usize>()
            + self.head.bytes()
    }

    /// Features (n x embed) of `images` (n x 3 x side x side, normalised) under an adaptation, not
    /// normalised. Nothing is kept: memory does not grow with `n`.
    ///
    /// # Panics
    /// When the images or the adaptation have another shape.
    pub fn features(&self, images: &[f32], n: usize, adaptation: &TowerAdaptation) -> Vec<f32> {
        with_thread_team(|| {
            let prompting = self.prompting(adaptation, n);
            let size = self.chunk_size(&prompting, n, usize::MAX);
            let mut features = Vec::with_capacity(n * self.embed_dim());
            for (run, images) in self.chunks(images, n, size) {
                let x = self.patches.embed(&self.arena, images);
                let last = chunk::run(self, &prompting, run, x);
                features.extend(self.project(&prompting, &last));
            }
            features
        })
    }

    /// Features (n x embed) of `images` (n x 3 x side x side, normalised) under an adaptation, not
    /// normalised, and what backward needs of the pass.
    ///
    /// Of the tapes, as much is kept as fits `budget`, what takes longest for its bytes first; the
    /// rest is computed again in backward, one chunk of images at a time. A budget below one tape
    /// makes chunks smaller, down to one image.
    ///
    /// # Panics
    /// When the images or the adaptation have another shape.
    pub fn forward(
        &self,
        images: &[f32],
        n: usize,
        adaptation: &TowerAdaptation,
        budget: MemoryBudget,
    ) -> (Vec<f32>, ImageTape) {
        with_thread_team(|| self.record(images, n, adaptation, budget))
    }

    fn record(
        &self,
        images: &[f32],
        n: usize,
        adaptation: &TowerAdaptation,
        budget: MemoryBudget,
    ) -> (Vec<f32>, ImageTape) {
        let prompting = self.prompting(adaptation, n);
        let size = self.chunk_size(&prompting, n, budget.of_chunk());
        let mut features = Vec::with_capacity(n * self.embed_dim());
        let sizes = self
            .chunks(images, n, size)
            .map(|(run, _)| ChunkTape::bytes(self, &prompting, run.images));
        let sizes: Vec<_> = sizes.collect();
        let keep = self.checkpoints.share(budget.bytes(), &sizes);
        let (mut chunks, mut bytes) = (Vec::new(), 0);
        for (((run, images), keep), sizes) in self.chunks(images, n, size).zip(keep).zip(&sizes) {
            let x = self.patches.embed(&self.arena, images);
            if let Some(keep) = keep {
                bytes += TapeBytes::of_blocks(sizes, &keep);
                let tape = chunk::record(self, &prompting, run, x, &keep);
                features.extend(tape.features(self, &prompting));
                chunks.push(Recorded::Tape(tape));
            } else {
                let last = chunk::run(self, &prompting, run, self.arena.copy(&x));
                features.extend(self.project(&prompting, &last));
                chunks.push(Recorded::Tokens(x));
            }
        }
        (
            features,
            ImageTape {
                images: n,
                prompting,
                chunks,
                bytes,
            },
        )
    }

    /// Gradients of what the adaptation holds, given that of the features (n x embed).
    ///
    /// # Panics
    /// When `d_features` has another shape.
    pub fn backward(&self, tape: ImageTape, d_features: &[f32]) -> TowerGradients {
        with_thread_team(|| self.gradient(tape, d_features))
    }

    fn gradient(&self, tape: ImageTape, d_features: &[f32]) -> TowerGradients {
        let ImageTape {
            images,
            prompting,
            chunks,
            ..
        } = tape;
        let embed = self.embed_dim();
        assert_eq!(
            d_features.len(),
            images * embed,
            "gradient of the image features"
        );
        let mut gradients = prompting.zero_gradients();
        if chunks.is_empty() || !prompting.learns() {
            return gradients.all;
        }
        let size = images.div_ceil(chunks.len());
        let all = vec![SavedActivations::ALL; self.depth()];
        let runs = chunks.into_iter().zip(d_features.chunks(size * embed));
        for (i, (recorded, d_features)) in runs.enumerate() {
            let run = ImageRun {
                first: i * size,
                images: d_features.len() / embed,
            };
            let tape = match recorded {
                Recorded::Tape(tape) => tape,
                Recorded::Tokens(x) => chunk::record(self, &prompting, run, x, &all),
            };
            tape.backward(self, &prompting, run, d_features, &mut gradients);
        }
        prompting.backward(&self.arena, gradients, &self.patches.ln_pre, &self.blocks)
    }

    /// Features of class tokens after the last block.
    fn project(&self, prompting: &Prompting, last: &[f32]) -> Vec<f32> {
        self.head.forward(last, Some(&prompting.held))
    }

    /// # Panics
    /// When the adaptation has another shape.
    fn prompting(&self, adaptation: &TowerAdaptation, images: usize) -> Prompting {
        let sizes = TowerSizes {
            depth: self.depth(),
            width: self.width,
            mlp: self.mlp,
            embed: self.embed_dim(),
        };
        Prompting::new(
            &self.arena,
            adaptation,
            Held::new(adaptation, sizes),
            images,
            &self.patches.ln_pre,
            &self.blocks,
        )
    }

    /// Images of a chunk: it depends on the shapes alone, unless the budget is below one tape.
    fn chunk_size(&self, prompting: &Prompting, n: usize, budget: usize) -> usize {
        let most = Self::CHUNK_TOKENS / (self.patches.tokens() + prompting.joining());
        let tapes = ChunkTape::bytes(self, prompting, 1);
        let fit = budget / tapes.into_iter().sum::<TapeBytes>().all().max(1);
        let chunks = n.div_ceil(most.min(fit).max(1)).max(1);
        n.div_ceil(chunks).max(1)
    }

    fn chunks<'i>(
        &self,
        images: &'i [f32],
        n: usize,
        size: usize,
    ) -> impl Iterator<Item = (ImageRun, &'i [f32])> + use<'i> {
        assert_eq!(
            images.len(),
            n * self.patches.pixels(),
            "floats of {n} images"
        );
        let pixels = self.patches.pixels();
        let run = move |(i, images): (usize, &'i [f32])| {
            let run = ImageRun {
                first: i * size,
                images: images.len() / pixels,
            };
            (run, images)
        };
        images.chunks(size * pixels).enumerate().map(run)
    }
}
