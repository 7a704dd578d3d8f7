//! The layouts of data sets that can be read.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A layout of files that a reader understands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// torchvision's `train/<class>/*`, `val/<class>/*`, `test/<class>/*`.
    ImageFolder,
    /// A folder of the CoOp suite: images and `split_zhou_*.json`, or the set's own lists.
    Coop,
    /// An ELEVATER folder: index files, a label file and images in zips.
    Elevater,
    /// WebDataset tars as CLIP_benchmark lays them out.
    WebDataset,
    /// Hugging Face Parquet files with class names in the metadata.
    Parquet,
    /// A folder that `save_to_disk` of Hugging Face `datasets` writes, or its Arrow files.
    Arrow,
    /// A CSV manifest.
    Csv,
    /// A JSON Lines manifest.
    Jsonl,
    /// FiftyOne's image classification: `labels.json` beside `data/`.
    FiftyOne,
    /// The index files of CUB-200-2011.
    Cub,
    /// CIFAR-10 and CIFAR-100 as their authors publish them: pickled batches, or binary ones.
    Cifar,
    /// MNIST and the like: idx files of images and labels.
    Idx,
    /// FER2013: tables with pixels in a cell.
    Fer2013,
    /// Class folders with no split; one is made.
    ClassFolders,
    /// Images called after their classes, such as `cat.0.jpg`.
    FileNames,
    /// Images and labels that a program gives.
    Given,
    /// Images that the program makes itself.
    #[serde(alias = "drawn")]
    Synthetic,
}

impl Format {
    /// Every format that can be read from a path, in the order in which they are recognised.
    pub const READABLE: [Self; 15] = [
        Self::WebDataset,
        Self::Coop,
        Self::Elevater,
        Self::Parquet,
        Self::Arrow,
        Self::ImageFolder,
        Self::Jsonl,
        Self::Csv,
        Self::FiftyOne,
        Self::Cub,
        Self::Cifar,
        Self::Idx,
        Self::Fer2013,
        Self::ClassFolders,
        Self::FileNames,
    ];

    /// The name in configs and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::ImageFolder => "imagefolder",
            Self::Coop => "coop",
            Self::Elevater => "elevater",
            Self::WebDataset => "webdataset",
            Self::Parquet => "parquet",
            Self::Arrow => "arrow",
            Self::Csv => "csv",
            Self::Jsonl => "jsonl",
            Self::FiftyOne => "fiftyone",
            Self::Cub => "cub",
            Self::Cifar => "cifar",
            Self::Idx => "idx",
            Self::Fer2013 => "fer2013",
            Self::ClassFolders => "classfolders",
            Self::FileNames => "filenames",
            Self::Given => "given",
            Self::Synthetic => "synthetic",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(text: &str) -> Result<Self, UnknownFormat> {
        let plain = text.to_ascii_lowercase().replace(['-', '_', ' '], "");
        // `drawn` is the older name
        let plain = if plain == "drawn" {
            "synthetic"
        } else {
            &plain
        };
        Self::READABLE
            .into_iter()
            .chain([Self::Synthetic])
            .find(|format| format.name() == plain)
            .ok_or_else(|| UnknownFormat {
                found: text.to_owned(),
            })
    }
}

/// A format name that is not known.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown data format `{found}`")]
pub struct UnknownFormat {
    /// The name.
    pub found: String,
}

impl UnknownFormat {
    /// A way out: the names that are known.
    pub fn hint(&self) -> String {
        let names = Format::READABLE.map(Format::name).join(", ");
        format!("the formats are {names}")
    }
}
