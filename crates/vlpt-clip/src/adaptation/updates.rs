//! Learned updates of a tower's layers.

/// A layer of a tower.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LayerName {
    /// Queries, width to width.
    Q,
    /// Keys, width to width.
    K,
    /// Values, width to width.
    V,
    /// Output projection of the attention, width to width.
    Out,
    /// First layer of the MLP, width to MLP width; its activation acts on the updated value.
    Fc1,
    /// Second layer of the MLP, MLP width to width.
    Fc2,
    /// The layer norm before queries, keys and values. Norms have scale and shift alone.
    Ln1,
    /// The layer norm before the MLP.
    Ln2,
    /// The layer norm after the last block, before the projection. Its block is the number of blocks.
    LnFinal,
    /// The layer norm before the first block, which the image tower alone has. Its block is 0.
    LnPre,
}

/// A learned update of one layer of one block.
#[derive(Clone, Copy, Debug)]
pub struct Update<'a> {
    /// The block, counted from 0; of [`LayerName::LnFinal`], the number of blocks, of
    /// [`LayerName::LnPre`] 0.
    pub block: usize,
    /// Its layer.
    pub layer: LayerName,
    /// What is done.
    pub kind: UpdateKind<'a>,
}

/// What an update does with the output `y` of a layer of input `x`.
#[derive(Clone, Copy, Debug)]
pub enum UpdateKind<'a> {
    /// `y + scale B A drop(x)`. The input of queries, keys, values and the first layer of the MLP is
    /// the layer norm before them, with weight and bias.
    LowRank {
        /// `A`, rank x inputs.
        a: &'a [f32],
        /// `B`, outputs x rank.
        b: &'a [f32],
        /// What the product is multiplied with.
        scale: f32,
        /// Dropout of the input, of this update alone.
        dropout: Option<Dropout>,
    },
    /// `y * scale + shift`, output by output.
    ScaleShift {
        /// A factor for each output.
        scale: &'a [f32],
        /// A term for each output.
        shift: &'a [f32],
    },
}

/// Inverted dropout. What is dropped depends on the seed, the block, the layer, the image (or the
/// tokens of the text up to there), the token and the column, and on nothing else.
///
/// Texts with an equal beginning share its tokens, and so the mask of these; so do images the prompts
/// that are the same for all and only lend their keys and values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Dropout {
    /// Probability of a number to be dropped, at least 0 and below 1.
    pub rate: f32,
    /// Another one for each step.
    pub seed: u64,
}

/// Gradient of an update, in the shapes of [`UpdateKind`].
#[derive(Clone, Debug, PartialEq)]
pub enum UpdateGradient {
    /// Of `A` (rank x inputs) and `B` (outputs x rank).
    LowRank {
        /// Of `A`.
        a: Vec<f32>,
        /// Of `B`.
        b: Vec<f32>,
    },
    /// Of the factors and terms.
    ScaleShift {
        /// Of the factors.
        scale: Vec<f32>,
        /// Of the terms.
        shift: Vec<f32>,
    },
}

impl UpdateGradient {
    /// Adds another gradient of the same update.
    ///
    /// # Panics
    /// When it is of another kind or shape.
    pub fn add(&mut self, other: &Self) {
        match (self, other) {
            (Self::LowRank { a, b }, Self::LowRank { a: a_2, b: b_2 }) => {
                vlpt_kernels::add(a, a_2);
                vlpt_kernels::add(b, b_2);
            }
            (
                Self::ScaleShift { scale, shift },
                Self::ScaleShift {
                    scale: scale_2,
                    shift: shift_2,
                },
            ) => {
                vlpt_kernels::add(scale, scale_2);
                vlpt_kernels::add(shift, shift_2);
            }
            _ => panic!("gradients of updates of one kind"),
        }
    }
}
