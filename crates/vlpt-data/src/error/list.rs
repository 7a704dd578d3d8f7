//! What can go wrong with a few-shot list that somebody else wrote.

use std::path::PathBuf;

/// A few-shot list that cannot be read, written or used with a task.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ListError {
    /// A file whose name does not say which layout it has.
    #[error("{}: not known as a few-shot list by its name", path.display())]
    UnknownEnding {
        /// The file.
        path: PathBuf,
    },

    /// A file that is too large for a list.
    #[error("{}: {bytes} bytes, few-shot lists of up to {limit} are read", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Its length.
        bytes: u64,
        /// The limit.
        limit: u64,
    },

    /// An entry, or a whole file, that is not as it should be.
    #[error("{}, {place}: found {found}, expected {expected}", path.display())]
    Entry {
        /// The file.
        path: PathBuf,
        /// Where in the file.
        place: String,
        /// What stands there.
        found: String,
        /// What should stand there.
        expected: &'static str,
    },

    /// A pickle that asks for more than records.
    #[error("{}: pickle refused at byte {position}: {what}", path.display())]
    Pickle {
        /// The file.
        path: PathBuf,
        /// Byte position of the instruction that was refused.
        position: u64,
        /// What it asked for.
        what: String,
    },

    /// A list without training images.
    #[error("{}: it lists no training image", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },

    /// A list whose images the task does not have, none of them.
    #[error("{}: none of its {total} {part} images is in {task}, the first is {first}", path.display())]
    OtherSet {
        /// The file.
        path: PathBuf,
        /// `training` or `validation`.
        part: &'static str,
        /// Name of the task.
        task: String,
        /// Number of images listed.
        total: usize,
        /// The first, as listed.
        first: String,
    },

    /// Listed images that the task does not have, or not where they may be used.
    #[error(
        "{}, {place}: {image} is {what} of {task}; {missing} of {total} {part} images cannot be used",
        path.display()
    )]
    Missing {
        /// The file.
        path: PathBuf,
        /// Where the first of them stands.
        place: String,
        /// The first, as listed.
        image: String,
        /// What it is instead, such as `no image`.
        what: &'static str,
        /// Name of the task.
        task: String,
        /// How many there are.
        missing: usize,
        /// Number of images listed.
        total: usize,
        /// `training` or `validation`.
        part: &'static str,
    },

    /// A label beyond the classes of the task.
    #[error("{}, {place}: {image} has label {label}, but {task} has {classes} classes", path.display())]
    LabelOutOfRange {
        /// The file.
        path: PathBuf,
        /// Where it stands.
        place: String,
        /// The image, as listed.
        image: String,
        /// The label, counted from 0.
        label: u32,
        /// Name of the task.
        task: String,
        /// Number of classes, of the half that is used where only one is.
        classes: usize,
    },

    /// A label that the image does not have in the task.
    #[error(
        "{}, {place}: {image} has label {label} ({class}), but in {task} it is {own} ({own_class})",
        path.display()
    )]
    OtherLabel {
        /// The file.
        path: PathBuf,
        /// Where it stands.
        place: String,
        /// The image, as listed.
        image: String,
        /// Its label there.
        label: u32,
        /// Its class there.
        class: String,
        /// Name of the task.
        task: String,
        /// Its label in the task.
        own: u32,
        /// Its class in the task.
        own_class: String,
    },

    /// Another number of shots than asked for.
    #[error("{}: it has {found} images of its largest class, but {asked} shots were asked for", path.display())]
    OtherShots {
        /// The file.
        path: PathBuf,
        /// Images of the class that has most.
        found: usize,
        /// Shots asked for.
        asked: usize,
    },
}

impl ListError {
    /// A way out, in one sentence, where there is one.
    pub fn hint(&self) -> Option<String> {
        let text = match self {
            Self::UnknownEnding { .. } => {
                "lists end in .jsonl (one object an image), .pkl (CoOp's subsets) or .json (what `vlpt data sample` writes)"
            }
            Self::TooLarge { .. } => "a list of 1,000 classes and 16 shots has some megabytes",
            Self::Entry { .. } => {
                "`vlpt data sample DATA --out FILE` writes a list of each layout to compare with"
            }
            Self::Pickle { .. } => {
                "only CoOp's records are read from pickles and nothing in them is ever run; write the list as .jsonl instead"
            }
            Self::Empty { .. } => "name the list of the training images, whole",
            Self::OtherSet { .. } => {
                "the list is of another data set, or of another version of this one: images are found by the last parts of their paths"
            }
            Self::Missing { .. } => {
                "complete the data set, or draw a list of it with `vlpt data sample`"
            }
            Self::LabelOutOfRange { .. } | Self::OtherLabel { .. } => {
                "list and data set count their classes differently: use the list of this set, or a --class-file in the order of the list"
            }
            Self::OtherShots { found, .. } => {
                return Some(format!("say --shots {found}, or --shots all for any list"));
            }
        };
        Some(text.to_owned())
    }
}
