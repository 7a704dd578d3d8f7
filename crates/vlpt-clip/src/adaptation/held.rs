//! An adaptation as a tape holds it, checked against a tower's sizes.

use vlpt_kernels::{ScaleShift, hash};

use super::{
    Dropout, LayerName, TowerAdaptation, TowerGradients, Update, UpdateGradient, UpdateKind,
};

/// An adaptation's parts beside the prompts, held by a tape.
#[derive(Debug)]
pub(crate) struct Held {
    pub(crate) updates: Updates,
    pub(crate) projection: Option<Vec<f32>>,
    pub(crate) first_image: usize,
}

impl Held {
    /// # Panics
    /// When an update does not fit a tower of `depth` blocks of that width and MLP, or the projection
    /// is not width x embed.
    pub(crate) fn new(adaptation: &TowerAdaptation, sizes: TowerSizes) -> Self {
        let projection = adaptation.projection.map(<[f32]>::to_vec);
        if let Some(projection) = &projection {
            let TowerSizes { width, embed, .. } = sizes;
            assert_eq!(projection.len(), width * embed, "projection of a tower");
        }
        Self {
            updates: Updates::new(adaptation.updates, sizes),
            projection,
            first_image: adaptation.first_image,
        }
    }

    /// Whether something after the blocks is another one.
    pub(crate) fn changes_head(&self) -> bool {
        self.projection.is_some() || !self.updates.of_final_norm().is_empty()
    }

    /// Gradients of all, 0 yet.
    pub(crate) fn zero_gradients(&self, prompts: usize) -> TowerGradients {
        TowerGradients {
            prompts: vec![0.0; prompts],
            updates: self.updates.zero_gradients(),
            projection: self.projection.as_ref().map(|p| vec![0.0; p.len()]),
        }
    }
}

/// Sizes of a tower.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TowerSizes {
    pub(crate) depth: usize,
    pub(crate) width: usize,
    pub(crate) mlp: usize,
    pub(crate) embed: usize,
}

/// The updates of a pass, block by block.
#[derive(Debug, Default)]
pub(crate) struct Updates {
    all: Vec<HeldUpdate>,
    /// Of each block, the places of its updates among all.
    blocks: Vec<Vec<usize>>,
}

/// An update that a tape may hold.
#[derive(Debug)]
pub(crate) struct HeldUpdate {
    layer: LayerName,
    kind: HeldKind,
}

#[derive(Debug)]
pub(crate) enum HeldKind {
    LowRank {
        a: Vec<f32>,
        b: Vec<f32>,
        rank: usize,
        scale: f32,
        /// The seed is that of this block and layer.
        dropout: Option<Dropout>,
    },
    ScaleShift {
        scale: Vec<f32>,
        shift: Vec<f32>,
    },
}

/// The updates of one block.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BlockUpdates<'a> {
    updates: &'a Updates,
    block: usize,
}

impl Updates {
    /// # Panics
    /// When an update has another block or shape than the tower's.
    pub(crate) fn new(given: &[Update], sizes: TowerSizes) -> Self {
        let mut blocks = vec![Vec::new(); sizes.depth + 1];
        for (place, update) in given.iter().enumerate() {
            let fits = match update.layer {
                LayerName::LnFinal => update.block == sizes.depth,
                LayerName::LnPre => update.block == 0,
                _ => update.block < sizes.depth,
            };
            assert!(
                fits,
                "an update of {:?} of block {} of a tower of {}",
                update.layer, update.block, sizes.depth
            );
            blocks[update.block].push(place);
        }
        Self {
            all: given
                .iter()
                .map(|update| HeldUpdate::new(update, sizes))
                .collect(),
            blocks,
        }
    }

    /// The updates of the norm after the last block.
    pub(crate) fn of_final_norm(&self) -> Vec<(usize, &HeldKind)> {
        let block = self.blocks.len().saturating_sub(1);
        self.of_block(block).of_layer(LayerName::LnFinal)
    }

    /// The scales and shifts of the norm before the first block, with their places among all.
    pub(crate) fn of_first_norm(&self) -> Vec<(usize, ScaleShift<'_>)> {
        let own = self.of_block(0).of_layer(LayerName::LnPre).into_iter();
        let scales = own.filter_map(|(place, kind)| match kind {
            HeldKind::ScaleShift { scale, shift } => Some((place, ScaleShift { scale, shift })),
            HeldKind::LowRank { .. } => None,
        });
        scales.collect()
    }

    /// The first block with an update; the number of blocks where the norm after them alone has one.
    pub(crate) fn first_block(&self) -> Option<usize> {
        self.blocks.iter().position(|block| !block.is_empty())
    }

    pub(crate) fn of_block(&self, block: usize) -> BlockUpdates<'_> {
        BlockUpdates {
            updates: self,
            block,
        }
    }

    /// Whether some update of a block drops numbers of its input.
    pub(crate) fn has_dropout(&self) -> bool {
        let drops = |update: &HeldUpdate| {
            matches!(
                update.kind,
                HeldKind::LowRank {
                    dropout: Some(_),
                    ..
                }
            )
        };
        self.all.iter().any(drops)
    }

    pub(crate) fn zero_gradients(&self) -> Vec<UpdateGradient> {
        let zero = |update: &HeldUpdate| match &update.kind {
            HeldKind::LowRank { a, b, .. } => UpdateGradient::LowRank {
                a: vec![0.0; a.len()],
                b: vec![0.0; b.len()],
            },
            HeldKind::ScaleShift { scale, shift } => UpdateGradient::ScaleShift {
                scale: vec![0.0; scale.len()],
                shift: vec![0.0; shift.len()],
            },
        };
        self.all.iter().map(zero).collect()
    }
}

impl<'a> BlockUpdates<'a> {
    /// The updates of a layer with their places among all: low-rank ones first.
    pub(crate) fn of_layer(self, layer: LayerName) -> Vec<(usize, &'a HeldKind)> {
        let Some(places) = self.updates.blocks.get(self.block) else {
            return Vec::new();
        };
        let own = places.iter().filter_map(|&place| {
            let update = &self.updates.all[place];
            (update.layer == layer).then_some((place, &update.kind))
        });
        let mut own: Vec<_> = own.collect();
        own.sort_by_key(|(_, kind)| matches!(kind, HeldKind::ScaleShift { .. }));
        own
    }
}

impl HeldUpdate {
    fn new(update: &Update, sizes: TowerSizes) -> Self {
        let (inputs, outputs) = match update.layer {
            LayerName::Q | LayerName::K | LayerName::V | LayerName::Out => {
                (sizes.width, sizes.width)
            }
            LayerName::Ln1 | LayerName::Ln2 | LayerName::LnFinal | LayerName::LnPre => {
                let scales = matches!(update.kind, UpdateKind::ScaleShift { .. });
                assert!(scales, "a low-rank update of {:?}", update.layer);
                (sizes.width, sizes.width)
            }
            LayerName::Fc1 => (sizes.width, sizes.mlp),
            LayerName::Fc2 => (sizes.mlp, sizes.width),
        };
        let what = || format!("{:?} of block {}", update.layer, update.block);
        let kind = match update.kind {
            UpdateKind::LowRank {
                a,
                b,
                scale,
                dropout,
            } => {
                let rank = a.len() / inputs;
                assert!(
                    rank > 0 && a.len() == rank * inputs && b.len() == rank * outputs,
                    "low-rank update of {}: {} and {} numbers for {inputs} inputs and {outputs} \
                     outputs",
                    what(),
                    a.len(),
                    b.len()
                );
                if let Some(Dropout { rate, .. }) = dropout {
                    assert!((0.0..1.0).contains(&rate), "dropout of {}: {rate}", what());
                }
                HeldKind::LowRank {
                    a: a.to_vec(),
                    b: b.to_vec(),
                    rank,
                    scale,
                    dropout: dropout.map(|dropout| Dropout {
                        seed: hash(&[dropout.seed, update.block as u64, update.layer as u64]),
                        ..dropout
                    }),
                }
            }
            UpdateKind::ScaleShift { scale, shift } => {
                assert!(
                    scale.len() == outputs && shift.len() == outputs,
                    "scale and shift of {}: {} and {} numbers for {outputs} outputs",
                    what(),
                    scale.len(),
                    shift.len()
                );
                HeldKind::ScaleShift {
                    scale: scale.to_vec(),
                    shift: shift.to_vec(),
                }
            }
        };
        Self {
            layer: update.layer,
            kind,
        }
    }
}
