//! What may be learned inside a tower, as plain numbers, and its gradients.
//!
//! An adaptation says what a pass changes in a frozen tower: learned rows among the tokens of some
//! blocks, updates of linear layers, another projection. The default of each is no change; what is
//! not changed keeps its fast path, bit by bit.

mod prompts;
mod updates;

pub use prompts::{PromptRows, VisualPlace};
pub use updates::{Dropout, LayerName, Update, UpdateGradient, UpdateKind};

pub(crate) use updates::{BlockUpdates, HeldKind, Updates};

/// What a pass changes in a tower.
#[derive(Clone, Copy, Debug, Default)]
pub struct TowerAdaptation<'a> {
    /// Learned rows among the tokens.
    pub prompts: PromptRows<'a>,
    /// Updates of layers. Of one layer, low-rank updates are added first, in their order, then
    /// scale and shift are applied, in their order.
    pub updates: &'a [Update<'a>],
    /// A projection into the joint space (width x embed) in place of the tower's own.
    pub projection: Option<&'a [f32]>,
    /// Number of the first image of the pass in its batch, which dropout masks depend on: a batch
    /// that goes through the tower in several passes has the masks of one pass. Of no use for texts.
    pub first_image: usize,
}

impl TowerAdaptation<'_> {
    /// No change.
    pub const NONE: TowerAdaptation<'static> = TowerAdaptation {
        prompts: PromptRows::NONE,
        updates: &[],
        projection: None,
        first_image: 0,
    };
}

impl<'a> From<PromptRows<'a>> for TowerAdaptation<'a> {
    /// Prompts alone.
    fn from(prompts: PromptRows<'a>) -> Self {
        Self {
            prompts,
            ..TowerAdaptation::NONE
        }
    }
}

/// Gradients of what an adaptation holds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TowerGradients {
    /// Of the values of the prompts, in their shape.
    pub prompts: Vec<f32>,
    /// Of each update, in the order given.
    pub updates: Vec<UpdateGradient>,
    /// Of the projection (width x embed), where there is another one than the tower's.
    pub projection: Option<Vec<f32>>,
}

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
