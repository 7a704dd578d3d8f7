//! The names of the three splits.

/// One of the three splits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum SplitName {
    Train,
    Val,
    Test,
}

impl SplitName {
    pub(crate) const ALL: [Self; 3] = [Self::Train, Self::Val, Self::Test];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Val => "val",
            Self::Test => "test",
        }
    }

    /// The split that a folder, file or cell of this name means.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        match name.to_ascii_lowercase().as_str() {
            "train" | "training" | "trainset" | "train_set" | "training_set" => Some(Self::Train),
            "val" | "valid" | "validation" | "dev" | "valset" | "val_set" | "valid_set"
            | "validation_set" => Some(Self::Val),
            "test" | "testing" | "testset" | "test_set" | "testing_set" => Some(Self::Test),
            _ => None,
        }
    }
}
