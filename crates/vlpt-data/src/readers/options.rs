//! What a user may say about a data set.

use std::path::PathBuf;

use crate::broken::BrokenImages;
use crate::class_subset::ClassSubset;
use crate::format::Format;
use crate::label_from_name::LabelFromName;
use crate::label_separator::LabelSeparator;

/// What a user may say about a data set; the default says nothing.
#[derive(Debug, Clone)]
pub struct OpenOptions {
    /// The layout, where it should not be guessed.
    pub format: Option<Format>,
    /// Name of the set: chooses one of several below a root, and its entry in the catalogue.
    pub name: Option<String>,
    /// Seed of the split of a set that brings none.
    pub split_seed: u64,
    /// Shares of train, val and test of such a split.
    pub split_ratios: [f64; 3],
    /// Column with the images of a Parquet file or manifest.
    pub image_column: Option<String>,
    /// Column with the labels of a Parquet file or manifest.
    pub label_column: Option<String>,
    /// File with the class names: one a line, in the order of the labels.
    pub class_file: Option<PathBuf>,
    /// Leave out class folders without images instead of refusing them.
    pub drop_empty_classes: bool,
    /// Leave out listed images that are absent instead of refusing them.
    pub skip_missing_images: bool,
    /// Folder with the images that a table lists; absolute paths of another machine are found below
    /// it by their last parts. Relative to the current folder, or to that of the table.
    pub image_root: Option<PathBuf>,
    /// What stands between several labels in a cell of a table.
    pub label_separator: Option<LabelSeparator>,
    /// Where in file names the class stands, where it stands there.
    pub label_from_name: Option<LabelFromName>,
    /// Whether files and folders whose names are not UTF-8 are left out with a note, as images that
    /// cannot be decoded are by [`leave_out`](crate::leave_out).
    pub broken: BrokenImages,
    /// Which of the classes are used.
    pub class_subset: ClassSubset,
}

impl Default for OpenOptions {
    fn default() -> Self {
        Self {
            format: None,
            name: None,
            split_seed: 0,
            split_ratios: [0.6, 0.2, 0.2],
            image_column: None,
            label_column: None,
            class_file: None,
            drop_empty_classes: false,
            skip_missing_images: false,
            image_root: None,
            label_separator: None,
            label_from_name: None,
            broken: BrokenImages::Stop,
            class_subset: ClassSubset::All,
        }
    }
}
