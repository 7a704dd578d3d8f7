//! The one shape that every reader gives: a task with classes, templates, splits and a metric.
//!
//! A [`Task`] holds no pixels. Each [`Sample`] knows where its image lies ([`ImageRef`]) and which
//! classes it shows; [`Sample::load`] reads and decodes it when asked, from any thread.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::archive::{ParquetTable, TarArchive, ZipArchive};
use crate::error::{DataError, Result};
use crate::image::{self, Limits, RgbImage};
use crate::synthetic::SyntheticImage;

pub use crate::readers::{OpenOptions, open};

/// The number a task is judged by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Metric {
    /// Share of images whose most probable class is right.
    #[serde(rename = "accuracy")]
    Accuracy,
    /// Mean over the classes of the accuracy within a class.
    #[serde(rename = "mean_per_class")]
    MeanPerClass,
    /// Mean over the classes of the average precision at the eleven recalls 0, 0.1, ..., 1 (PASCAL
    /// VOC 2007).
    #[serde(rename = "11point_mAP")]
    ElevenPointMap,
    /// Area under the receiver operating characteristic of the last of two classes.
    #[serde(rename = "roc_auc")]
    RocAuc,
}

impl Metric {
    /// The name in configs and result files: `accuracy`, `mean_per_class`, `11point_mAP`, `roc_auc`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Accuracy => "accuracy",
            Self::MeanPerClass => "mean_per_class",
            Self::ElevenPointMap => "11point_mAP",
            Self::RocAuc => "roc_auc",
        }
    }
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

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
    /// A CSV manifest.
    Csv,
    /// A JSON Lines manifest.
    Jsonl,
    /// Class folders with no split; one is made.
    ClassFolders,
    /// Images that the program makes itself.
    #[serde(alias = "drawn")]
    Synthetic,
}

impl Format {
    /// Every format that can be read from a path, in the order in which they are recognised.
    pub const READABLE: [Self; 8] = [
        Self::WebDataset,
        Self::Coop,
        Self::Elevater,
        Self::Parquet,
        Self::ImageFolder,
        Self::Jsonl,
        Self::Csv,
        Self::ClassFolders,
    ];

    /// The name in configs and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::ImageFolder => "imagefolder",
            Self::Coop => "coop",
            Self::Elevater => "elevater",
            Self::WebDataset => "webdataset",
            Self::Parquet => "parquet",
            Self::Csv => "csv",
            Self::Jsonl => "jsonl",
            Self::ClassFolders => "classfolders",
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
    type Err = DataError;

    fn from_str(text: &str) -> Result<Self> {
        let plain = text.to_ascii_lowercase().replace(['-', '_', ' '], "");
        // `drawn` is the name in version 0.1
        let plain = if plain == "drawn" {
            "synthetic"
        } else {
            &plain
        };
        Self::READABLE
            .into_iter()
            .chain([Self::Synthetic])
            .find(|format| format.name() == plain)
            .ok_or_else(|| DataError::UnknownFormat {
                found: text.to_string(),
            })
    }
}

/// One task: what there is to tell apart, on which images, and how success is counted.
///
/// Images are not held, so a clone costs a few dozen bytes an image; share big tasks in an
/// [`Arc`].
#[derive(Debug, Clone)]
pub struct Task {
    /// Name of the set, in the catalogue's spelling where the catalogue knows it.
    pub name: String,
    /// Class names as texts say them; a label is an index into this list.
    pub classes: Vec<String>,
    /// Text templates with `{}` for the class name; at least one.
    pub templates: Vec<String>,
    /// The number the task is judged by.
    pub metric: Metric,
    /// Whether an image may show several classes, or none.
    pub multi_label: bool,
    /// Images to learn from; empty where a set is for testing only.
    pub train: Split,
    /// Images to choose by, where the set brings them.
    pub val: Option<Split>,
    /// Images to judge on.
    pub test: Split,
    /// Where all this was read from.
    pub provenance: Provenance,
}

/// A list of labelled images, in the order of the source.
#[derive(Debug, Clone, Default)]
pub struct Split {
    /// The images.
    pub samples: Vec<Sample>,
}

impl Split {
    /// A split of these images.
    pub fn new(samples: Vec<Sample>) -> Self {
        Self { samples }
    }

    /// Number of images.
    pub fn len(&self) -> usize {
        self.samples.len()
    }

    /// Whether there is no image.
    pub fn is_empty(&self) -> bool {
        self.samples.is_empty()
    }

    /// Number of images of each of `classes` classes; an image of several classes counts in each.
    pub fn class_counts(&self, classes: usize) -> Vec<usize> {
        let mut counts = vec![0; classes];
        for sample in &self.samples {
            for &label in &sample.labels {
                if let Some(count) = counts.get_mut(label as usize) {
                    *count += 1;
                }
            }
        }
        counts
    }
}

/// One labelled image.
#[derive(Debug, Clone)]
pub struct Sample {
    /// Where the image lies.
    pub image: ImageRef,
    /// The classes it shows: one in a single-label task; any number, sorted, in a multi-label one,
    /// where none means a negative image.
    pub labels: Vec<u32>,
}

impl Sample {
    /// Reads and decodes the image, or draws it.
    ///
    /// # Errors
    /// The file cannot be read, has left its root, is not an image, or is over `limits`.
    pub fn load(&self, limits: &Limits) -> Result<RgbImage> {
        match &self.image {
            ImageRef::Synthetic(image) => Ok(image.draw()),
            stored => image::decode(&stored.read()?, &stored.id(), limits),
        }
    }
}

/// Where an image lies. Cheap to clone, and usable from many threads at once.
#[derive(Debug, Clone)]
pub enum ImageRef {
    /// A file below a root folder; the path is relative to it, with `/`.
    File {
        /// The folder the task was read from.
        root: Arc<Root>,
        /// Path relative to the root.
        path: Arc<str>,
    },
    /// A member of a zip.
    Zip {
        /// The zip, its index read once.
        archive: Arc<ZipArchive>,
        /// Position in the zip's index.
        entry: u32,
    },
    /// A member of a tar.
    Tar {
        /// The tar, its headers read once.
        archive: Arc<TarArchive>,
        /// Position in the tar's index.
        entry: u32,
    },
    /// A row of a Parquet file.
    Parquet {
        /// The file.
        table: Arc<ParquetTable>,
        /// Row within the file.
        row: u64,
    },
    /// An image that the program makes.
    Synthetic(SyntheticImage),
}

impl ImageRef {
    /// A name that stays the same wherever the set lies: the path relative to the root, then `@`
    /// and the member or row for an archive, such as `train.zip@0/1.png`.
    pub fn id(&self) -> String {
        match self {
            Self::File { path, .. } => path.to_string(),
            Self::Zip { archive, entry } => archive.id(*entry),
            Self::Tar { archive, entry } => archive.id(*entry),
            Self::Parquet { table, row } => table.id(*row),
            Self::Synthetic(image) => image.id(),
        }
    }

    /// The encoded bytes of the image; a synthetic image is given as a PNG.
    ///
    /// # Errors
    /// The file or archive cannot be read, the member is damaged, or a link leads out of the root.
    pub fn read(&self) -> Result<Vec<u8>> {
        match self {
            Self::File { root, path } => root.read(path),
            Self::Zip { archive, entry } => archive.read(*entry),
            Self::Tar { archive, entry } => archive.read(*entry),
            Self::Parquet { table, row } => table.read(*row),
            Self::Synthetic(image) => png(&image.draw()),
        }
    }
}

pub use crate::archive::Root;

/// `image` as a PNG file.
fn png(image: &RgbImage) -> Result<Vec<u8>> {
    use ::image::ImageEncoder;
    let mut bytes = Vec::new();
    ::image::codecs::png::PngEncoder::new(&mut bytes)
        .write_image(
            &image.data,
            image.width,
            image.height,
            ::image::ExtendedColorType::Rgb8,
        )
        .map_err(std::io::Error::other)?;
    Ok(bytes)
}

/// Where a task came from, and what a reader had to decide.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Provenance {
    /// The folder or file that was opened.
    pub root: PathBuf,
    /// The layout it has.
    pub format: Format,
    /// Why it was taken for that layout.
    pub recognised_by: String,
    /// What a reader should know: renamed classes, a missing split, dropped folders.
    pub notes: Vec<String>,
    /// The split that was made, where the set brings none.
    pub made_split: Option<MadeSplit>,
}

/// A seeded split of a set that has none, as a run folder stores it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MadeSplit {
    /// Seed of the shuffles.
    pub seed: u64,
    /// Shares of train, val and test.
    pub ratios: [f64; 3],
    /// SHA-256 (hex) over the lines `split<TAB>label<TAB>id` of all images in order.
    pub sha256: String,
}
