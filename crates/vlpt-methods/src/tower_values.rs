//! What a method changes in a tower, as plain numbers that the tower takes.

use vlpt_clip::{
    Dropout, LayerName, PromptRows, TextRows, TextRowsAt, TowerAdaptation, Update, UpdateKind,
    VisualPlace,
};

/// What is changed in one tower, as plain numbers.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TowerValues {
    /// Learned rows among the tokens.
    pub prompts: Option<PromptValues>,
    /// Texts: rows of each text's own at a later block.
    pub text_rows: Option<TextRowsValues>,
    /// Updates of layers.
    pub updates: Vec<UpdateValues>,
    /// Another projection (width x embed).
    pub projection: Option<Vec<f32>>,
    /// A projection that makes a second feature of the learned rows (width x embed).
    pub row_projection: Option<Vec<f32>>,
}

/// Learned rows as plain numbers, see [`PromptRows`].
#[derive(Debug, Clone, PartialEq)]
pub struct PromptValues {
    /// `blocks x rows x width`, or that for each image.
    pub values: Vec<f32>,
    /// The block that they enter before.
    pub first: usize,
    /// Number of blocks with rows of their own.
    pub blocks: usize,
    /// Rows a block.
    pub rows: usize,
    /// Where rows of the first block enter.
    pub place: VisualPlace,
    /// Whether each image has rows of its own.
    pub per_image: bool,
    /// The share of what came out of the block before that stays.
    pub carry: f32,
}

/// Rows of each text's own as plain numbers, see [`TextRows`].
#[derive(Debug, Clone, PartialEq)]
pub struct TextRowsValues {
    /// `texts x rows x width`.
    pub values: Vec<f32>,
    /// Where they enter.
    pub at: TextRowsAt,
}

/// An update as plain numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct UpdateValues {
    /// The block.
    pub block: usize,
    /// Its layer.
    pub layer: LayerName,
    /// What is done.
    pub change: ChangeValues,
}

/// What an update does, as plain numbers; see [`Change`].
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "the fields of `Change`")]
pub enum ChangeValues {
    LowRank {
        a: Vec<f32>,
        b: Vec<f32>,
        scale: f32,
        dropout: Option<Dropout>,
    },
    ScaleShift {
        scale: Vec<f32>,
        shift: Vec<f32>,
    },
}

impl TowerValues {
    /// Learned rows alone.
    pub fn prompts(prompts: PromptValues) -> Self {
        Self {
            prompts: Some(prompts),
            ..Self::default()
        }
    }

    /// Whether nothing is changed.
    pub fn is_empty(&self) -> bool {
        self.prompts.is_none()
            && self.text_rows.is_none()
            && self.updates.is_empty()
            && self.projection.is_none()
            && self.row_projection.is_none()
    }

    /// The updates as the tower takes them, for [`TowerValues::for_tower`].
    pub fn updates(&self) -> Vec<Update<'_>> {
        fn view(update: &UpdateValues) -> Update<'_> {
            Update {
                block: update.block,
                layer: update.layer,
                kind: match &update.change {
                    ChangeValues::LowRank {
                        a,
                        b,
                        scale,
                        dropout,
                    } => UpdateKind::LowRank {
                        a,
                        b,
                        scale: *scale,
                        dropout: *dropout,
                    },
                    ChangeValues::ScaleShift { scale, shift } => {
                        UpdateKind::ScaleShift { scale, shift }
                    }
                },
            }
        }
        self.updates.iter().map(view).collect()
    }

    /// As the tower takes it; `updates` are those of [`TowerValues::updates`].
    pub fn for_tower<'a>(&'a self, updates: &'a [Update<'a>]) -> TowerAdaptation<'a> {
        let rows = |prompts: &'a PromptValues| PromptRows {
            values: &prompts.values,
            first: prompts.first,
            blocks: prompts.blocks,
            rows: prompts.rows,
            place: prompts.place,
            per_image: prompts.per_image,
            carry: prompts.carry,
        };
        TowerAdaptation {
            prompts: self.prompts.as_ref().map_or(PromptRows::NONE, rows),
            text_rows: self.text_rows.as_ref().map(|own| TextRows {
                values: &own.values,
                at: own.at,
            }),
            updates,
            projection: self.projection.as_deref(),
            row_projection: self.row_projection.as_deref(),
            first_image: 0,
        }
    }

    /// The part for some of a batch's `all` images: of rows that each image has, theirs.
    #[must_use]
    pub fn of_images(&self, images: std::ops::Range<usize>, all: usize) -> Self {
        let mut part = self.clone();
        if let Some(prompts) = part.prompts.as_mut().filter(|prompts| prompts.per_image) {
            let size = prompts.values.len() / all.max(1);
            prompts.values = prompts.values[images.start * size..images.end * size].to_vec();
        }
        part
    }
}
