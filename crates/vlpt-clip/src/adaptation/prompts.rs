//! Learned rows among the tokens of a tower.

/// Where image prompts that enter at the first block stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum VisualPlace {
    /// Beside the tokens after `ln_pre`.
    #[default]
    AfterLnPre,
    /// Beside the tokens before `ln_pre`, which normalises them too. (Prompts of later blocks
    /// replace those before them, and no `ln_pre` is there.)
    BeforeLnPre,
}

/// Learned rows: `rows` tokens more from block `first` on, with values of their own at the input of
/// `blocks` blocks.
///
/// What a block makes of these tokens is replaced by the rows of the next block that has some, or
/// mixed with them ([`PromptRows::carry`]); after the last one they go on as ordinary tokens. Before
/// block `first` they do not exist.
///
/// **Text.** [`PromptToken::Learned`](crate::PromptToken::Learned) `(r)` is where row `r` stands. With
/// `first` 0 a learned token takes a position of the text like any other, and the rows of block 0 get
/// its positional embedding; rows of later blocks get none. With `first` above 0 learned tokens take
/// no position: the others have those that they have without them. Attention stays causal.
///
/// **Images.** All rows are tokens of every image, without positions.
#[derive(Clone, Copy, Debug, Default)]
pub struct PromptRows<'a> {
    /// `blocks x rows x width`; with `per_image`, `images x blocks x rows x width`.
    pub values: &'a [f32],
    /// The block that they enter before, counted from 0.
    pub first: usize,
    /// Number of blocks with values of their own: 0 none, 1 shallow.
    pub blocks: usize,
    /// Rows of a block.
    pub rows: usize,
    /// Images with `first` 0: where the rows of block 0 enter.
    pub place: VisualPlace,
    /// Images: whether each image has values of its own.
    pub per_image: bool,
    /// The share `c`, 0 or more and less than 1, of what came out of the block before: after `first`,
    /// what enters a block with values `v` is `(1 - c) v + c x`, where `x` came out (progressive
    /// composition). 0: `v` alone.
    pub carry: f32,
}

impl<'a> PromptRows<'a> {
    /// No prompts.
    pub const NONE: PromptRows<'static> = PromptRows {
        values: &[],
        first: 0,
        blocks: 0,
        rows: 0,
        place: VisualPlace::AfterLnPre,
        per_image: false,
        carry: 0.0,
    };

    /// Rows (rows x width) at the input of the first block alone.
    ///
    /// # Panics
    /// When the values are no whole rows.
    pub fn shallow(values: &'a [f32], width: usize) -> Self {
        assert!(
            values.len().is_multiple_of(width),
            "{} values of rows of {width}",
            values.len()
        );
        Self {
            values,
            blocks: 1,
            rows: values.len() / width,
            ..Self::NONE
        }
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.blocks == 0 || self.rows == 0
    }

    /// # Panics
    /// When the values have another length for so many `images`, the rows another place than a
    /// tower of `depth` blocks has, or the share of what came before is none.
    pub(crate) fn check(&self, depth: usize, width: usize, images: usize) {
        let Self {
            first,
            blocks,
            rows,
            carry,
            ..
        } = *self;
        assert!((0.0..1.0).contains(&carry), "{carry} of the rows before");
        assert!(
            first + blocks <= depth,
            "prompts for {blocks} blocks from {first} on, of a tower of {depth}"
        );
        assert_eq!(
            self.values.len(),
            images * blocks * rows * width,
            "values of the prompts"
        );
    }
}
