//! What may be learned inside a tower, as plain numbers, and its gradients.
//!
//! An adaptation says what a pass changes in a frozen tower: learned rows among the tokens of some
//! blocks, updates of linear layers, another projection. The default of each is no change; what is
//! not changed keeps its fast path, bit by bit.

mod held;
mod prompts;
mod text_rows;
mod updates;

pub use prompts::{PromptRows, VisualPlace};
pub use text_rows::{TextRows, TextRowsAt};
pub use updates::{Dropout, LayerName, Update, UpdateGradient, UpdateKind};

pub(crate) use held::{BlockUpdates, Held, HeldKind, TowerSizes, Updates};

/// What a pass changes in a tower.
#[derive(Clone, Copy, Debug, Default)]
pub struct TowerAdaptation<'a> {
    /// Learned rows among the tokens.
    pub prompts: PromptRows<'a>,
    /// Rows of each text's own at a later block. For the text tower alone.
    pub text_rows: Option<TextRows<'a>>,
    /// Updates of layers. Of one layer, low-rank updates are added first, in their order, then
    /// scale and shift are applied, in their order.
    pub updates: &'a [Update<'a>],
    /// A projection into the joint space (width x embed) in place of the tower's own.
    pub projection: Option<&'a [f32]>,
    /// Images: a projection (width x embed) that gives a second feature, of the learned rows. With
    /// `x` the rows after the last block, it is `mean(ln_post(x)) W`; each image then has 2 x embed
    /// numbers, the class token's feature first. Not of texts.
    pub row_projection: Option<&'a [f32]>,
    /// Number of the first image of the pass in its batch, which dropout masks depend on: a batch
    /// that goes through the tower in several passes has the masks of one pass. Of no use for texts.
    pub first_image: usize,
}

impl TowerAdaptation<'_> {
    /// No change.
    pub const NONE: TowerAdaptation<'static> = TowerAdaptation {
        prompts: PromptRows::NONE,
        text_rows: None,
        updates: &[],
        projection: None,
        row_projection: None,
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
    /// Of the rows that each text has of its own (texts x rows x width); empty where they have none.
    pub text_rows: Vec<f32>,
    /// Of each update, in the order given.
    pub updates: Vec<UpdateGradient>,
    /// Of the projection (width x embed), where there is another one than the tower's.
    pub projection: Option<Vec<f32>>,
    /// Of the projection of the learned rows (width x embed), where there is one.
    pub row_projection: Option<Vec<f32>>,
}

impl TowerGradients {
    /// Adds the gradients of another pass of the same adaptation, whose prompts are not each image's
    /// own.
    ///
    /// # Panics
    /// When they have other shapes.
    pub fn add(&mut self, other: &Self) {
        let parts = |d: &Self| {
            let projections = (d.projection.is_some(), d.row_projection.is_some());
            (d.updates.len(), projections)
        };
        assert_eq!(parts(self), parts(other), "gradients of one adaptation");
        vlpt_kernels::add(&mut self.prompts, &other.prompts);
        vlpt_kernels::add(&mut self.text_rows, &other.text_rows);
        for (own, other) in self.updates.iter_mut().zip(&other.updates) {
            own.add(other);
        }
        for (own, other) in [
            (&mut self.projection, &other.projection),
            (&mut self.row_projection, &other.row_projection),
        ] {
            if let (Some(own), Some(other)) = (own, other) {
                vlpt_kernels::add(own, other);
            }
        }
    }
}
