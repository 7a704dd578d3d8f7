//! Which settings have an effect on which layouts: one that has none is refused, never ignored.

use std::path::Path;

use super::options::OpenOptions;
use crate::error::{LayoutError, Result};
use crate::format::Format;
use crate::task::Task;

/// A setting of [`OpenOptions`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DataSetting {
    /// [`OpenOptions::format`].
    Format,
    /// [`OpenOptions::name`].
    Name,
    /// [`OpenOptions::split_seed`].
    SplitSeed,
    /// [`OpenOptions::split_ratios`].
    SplitRatios,
    /// [`OpenOptions::image_column`].
    ImageColumn,
    /// [`OpenOptions::label_column`].
    LabelColumn,
    /// [`OpenOptions::class_file`].
    ClassFile,
    /// [`OpenOptions::drop_empty_classes`].
    DropEmptyClasses,
    /// [`OpenOptions::skip_missing_images`].
    SkipMissingImages,
    /// [`OpenOptions::class_subset`].
    ClassSubset,
    /// [`OpenOptions::image_root`].
    ImageRoot,
    /// [`OpenOptions::label_separator`].
    LabelSeparator,
    /// [`OpenOptions::label_from_name`].
    LabelFromName,
}

/// Layouts that are tables with named columns.
const TABLES: [Format; 4] = [Format::Parquet, Format::Arrow, Format::Csv, Format::Jsonl];
/// Layouts whose labels have names among which one is chosen.
const LABELS: [Format; 5] = [
    Format::Parquet,
    Format::Arrow,
    Format::Csv,
    Format::Jsonl,
    Format::WebDataset,
];
/// Layouts that list images and labels row by row in text.
const MANIFESTS: [Format; 2] = [Format::Csv, Format::Jsonl];
/// Layouts whose classes are folders.
const FOLDERS: [Format; 3] = [Format::ClassFolders, Format::ImageFolder, Format::Coop];
/// Layouts that list their images in files.
const LISTS: [Format; 8] = [
    Format::Csv,
    Format::Jsonl,
    Format::Elevater,
    Format::Coop,
    Format::Parquet,
    Format::Arrow,
    Format::FiftyOne,
    Format::Cub,
];

impl DataSetting {
    /// Every setting.
    pub const ALL: [Self; 13] = [
        Self::Format,
        Self::Name,
        Self::SplitSeed,
        Self::SplitRatios,
        Self::ImageColumn,
        Self::LabelColumn,
        Self::ClassFile,
        Self::DropEmptyClasses,
        Self::SkipMissingImages,
        Self::ClassSubset,
        Self::ImageRoot,
        Self::LabelSeparator,
        Self::LabelFromName,
    ];

    /// Its name in a configuration, below `data`; with `-` for `_` that of its flag.
    pub fn key(self) -> &'static str {
        match self {
            Self::Format => "format",
            Self::Name => "name",
            Self::SplitSeed => "split_seed",
            Self::SplitRatios => "split_ratios",
            Self::ImageColumn => "image_column",
            Self::LabelColumn => "label_column",
            Self::ClassFile => "class_file",
            Self::DropEmptyClasses => "drop_empty_classes",
            Self::SkipMissingImages => "skip_missing_images",
            Self::ClassSubset => "class_subset",
            Self::ImageRoot => "image_root",
            Self::LabelSeparator => "label_separator",
            Self::LabelFromName => "label_from_name",
        }
    }

    /// Its flag on the command line, such as `--label-column`.
    pub fn flag(self) -> String {
        format!("--{}", self.key().replace('_', "-"))
    }

    /// Whether it can have an effect on a layout. Whether it has one may depend on the set too: the
    /// seed of a split has none where the set brings its split.
    pub fn acts_on(self, format: Format) -> bool {
        match self {
            Self::Name | Self::SplitSeed | Self::ClassSubset => true,
            Self::Format | Self::ClassFile | Self::SplitRatios => format != Format::Synthetic,
            Self::ImageColumn | Self::ImageRoot => TABLES.contains(&format),
            Self::LabelColumn => LABELS.contains(&format),
            Self::DropEmptyClasses => FOLDERS.contains(&format),
            Self::SkipMissingImages => LISTS.contains(&format),
            Self::LabelSeparator => MANIFESTS.contains(&format),
            Self::LabelFromName => format == Format::FileNames,
        }
    }

    /// Why it has no effect where it has none.
    fn why(self, format: Format) -> &'static str {
        if format == Format::Synthetic {
            return "the program draws it, nothing is read";
        }
        match self {
            Self::Format | Self::Name | Self::ClassFile | Self::ClassSubset => "it is fixed there",
            Self::SplitSeed | Self::SplitRatios => "it brings its split, so none is made",
            Self::ImageColumn | Self::LabelColumn => "it has no columns",
            Self::DropEmptyClasses => {
                "its classes are not folders, and one without images may stay"
            }
            Self::SkipMissingImages => "it has no list that could name an image that is absent",
            Self::ImageRoot => "it has no table whose images could lie in another folder",
            Self::LabelSeparator => "its labels do not stand in cells of text",
            Self::LabelFromName => "its labels do not stand in names of files",
        }
    }

    /// Whether the user said something here.
    fn is_given(self, options: &OpenOptions) -> bool {
        // All fields by name: a new one has to be thought of here.
        let OpenOptions {
            format,
            name,
            split_seed,
            split_ratios,
            image_column,
            label_column,
            class_file,
            drop_empty_classes,
            skip_missing_images,
            class_subset,
            image_root,
            label_separator,
            label_from_name,
            broken: _, // whatever the layout is, its images may be broken
        } = options;
        let usual = OpenOptions::default();
        match self {
            Self::Format => format.is_some(),
            Self::Name => name.is_some(),
            Self::SplitSeed => *split_seed != usual.split_seed,
            Self::SplitRatios => *split_ratios != usual.split_ratios,
            Self::ImageColumn => image_column.is_some(),
            Self::LabelColumn => label_column.is_some(),
            Self::ClassFile => class_file.is_some(),
            Self::DropEmptyClasses => *drop_empty_classes,
            Self::SkipMissingImages => *skip_missing_images,
            Self::ClassSubset => !class_subset.is_all(),
            Self::ImageRoot => image_root.is_some(),
            Self::LabelSeparator => label_separator.is_some(),
            Self::LabelFromName => label_from_name.is_some(),
        }
    }
}

/// Refuses settings that can have no effect on a layout. [`open`](super::open) asks this itself; a
/// synthetic task is opened otherwise.
///
/// # Errors
/// The first of them, with the reason.
pub fn check_settings(path: &Path, format: Format, options: &OpenOptions) -> Result<()> {
    let idle = |setting: &DataSetting| setting.is_given(options) && !setting.acts_on(format);
    match DataSetting::ALL.into_iter().find(idle) {
        Some(setting) => Err(without_effect(path, format, setting)),
        None => Ok(()),
    }
}

/// Refuses settings that had no effect on this set although they could have on its layout.
///
/// # Errors
/// The first of them, with the reason.
pub(super) fn check_task(path: &Path, task: &Task, options: &OpenOptions) -> Result<()> {
    let splits = [DataSetting::SplitSeed, DataSetting::SplitRatios];
    let mut given = splits.into_iter().filter(|split| split.is_given(options));
    match given.next() {
        Some(setting) if task.provenance.made_split.is_none() => {
            Err(without_effect(path, task.provenance.format, setting))
        }
        _ => Ok(()),
    }
}

/// Refuses a setting that has no effect on what lies at `path`.
pub(super) fn without_effect(
    path: &Path,
    format: Format,
    setting: DataSetting,
) -> crate::error::DataError {
    LayoutError::WithoutEffect {
        path: path.to_path_buf(),
        format,
        flag: setting.flag(),
        why: setting.why(format),
    }
    .into()
}
