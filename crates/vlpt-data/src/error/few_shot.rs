//! What can go wrong when few shots are drawn or read back.

use std::path::PathBuf;

/// A few-shot subset that cannot be drawn, read or used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FewShotError {
    /// Zero shots were asked for.
    #[error("0 shots of {task}: a subset needs at least 1 image a class")]
    NoShots {
        /// Name of the task.
        task: String,
    },

    /// A number of shots that is none.
    #[error("`{found}` is no number of shots: expected a number from 1, or `all`")]
    UnknownShots {
        /// What was given.
        found: String,
    },

    /// A rule that is not known.
    #[error("unknown few-shot rule `{found}`: expected `coop` or `elevater`")]
    UnknownRule {
        /// What was given.
        found: String,
    },

    /// A list was to say which images are used, and none was named.
    #[error("the few-shot rule `list` draws nothing: expected the file of a list")]
    ListWithoutFile,

    /// A task without training images.
    #[error("{task} has no training images to draw from")]
    NoTrainingImages {
        /// Name of the task.
        task: String,
    },

    /// The rule needs one label an image.
    #[error("{task}: {id} has {labels} labels, and this rule needs exactly 1")]
    NotSingleLabel {
        /// Name of the task.
        task: String,
        /// The image.
        id: String,
        /// How many labels it has.
        labels: usize,
    },

    /// A label beyond the list of classes.
    #[error("{task}: {id} has label {label}, but there are {classes} classes (0 to {})", classes.saturating_sub(1))]
    LabelOutOfRange {
        /// Name of the task.
        task: String,
        /// The image.
        id: String,
        /// The label.
        label: u32,
        /// Number of classes.
        classes: usize,
    },

    /// A file that is no subset.
    #[error("{}: not a few-shot subset: {detail}", path.display())]
    NotASubset {
        /// The file.
        path: PathBuf,
        /// What the parser said.
        detail: String,
    },

    /// A subset whose content does not have the hash that it names.
    #[error(
        "few-shot subset of {task}: its content has SHA-256 {found}, but the file says {stated}"
    )]
    HashMismatch {
        /// Name of the task.
        task: String,
        /// Hash of the content.
        found: String,
        /// Hash in the file.
        stated: String,
    },

    /// A subset that was drawn from another task.
    #[error("the few-shot subset was drawn from {subset}, not from {task}")]
    OtherTask {
        /// Task of the subset.
        subset: String,
        /// Task it should be used with.
        task: String,
    },

    /// Images of a subset that the task does not have.
    #[error(
        "few-shot subset of {task}: {missing} of its {total} images are not in the {split} split, the first is {first}"
    )]
    MissingImages {
        /// Name of the task.
        task: String,
        /// The split of the task that was searched.
        split: &'static str,
        /// How many images are absent.
        missing: usize,
        /// How many images of that split the subset has.
        total: usize,
        /// The first absent image.
        first: String,
    },
}

impl FewShotError {
    /// A way out, in one sentence, where there is one.
    pub fn hint(&self) -> Option<String> {
        let text = match self {
            Self::NoShots { .. } => {
                "give 1 or more shots, or `all` for the whole train split; for no training at all use zero-shot evaluation"
            }
            Self::UnknownShots { .. } => "give a number such as 16, or `all`",
            Self::UnknownRule { .. } => {
                "`coop` for the CoOp suite, `elevater` for ELEVATER and for multi-label tasks"
            }
            Self::ListWithoutFile => {
                "name the file with --few-shot-list, or draw by the rule `coop` or `elevater`"
            }
            Self::NoTrainingImages { .. } => {
                "this set is for testing only: draw from its source set, such as ImageNet for its variants"
            }
            Self::NotSingleLabel { .. } => "use the rule `elevater`, which knows several labels",
            Self::LabelOutOfRange { .. } => {
                "the label list and the class list do not belong together"
            }
            Self::NotASubset { .. } => "expected the JSON file that drawing a subset writes",
            Self::HashMismatch { .. } => {
                "the file was edited or cut short: draw the subset again with its rule, shots and seed"
            }
            Self::OtherTask { .. } => "draw a subset of this task",
            Self::MissingImages { .. } => {
                "the set on disk is another version or incomplete: complete it, or draw the subset again"
            }
        };
        Some(text.to_owned())
    }
}
