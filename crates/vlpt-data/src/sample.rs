//! One labelled image, and where its bytes lie.

use std::sync::Arc;

use vlpt_base::hash::sha256;

#[cfg(feature = "webdataset")]
use crate::archive::TarArchive;
#[cfg(feature = "parquet")]
use crate::archive::{ArrowTable, ParquetTable};
use crate::archive::{RawImages, Root, ZipArchive};
use crate::error::{DataError, Result};
use crate::given::GivenImage;
use crate::image::{self, DecodeOptions, Limits, RgbImage};
use crate::synthetic::image::SyntheticImage;

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
        let options = DecodeOptions {
            limits: *limits,
            ..DecodeOptions::default()
        };
        self.load_then(&options, |image| image)
    }

    /// Reads and decodes the image, or draws it, and does some work on its pixels, which count against the memory for
    /// decoding until the work is done; see [`image::decode_then`].
    ///
    /// # Errors
    /// As [`Sample::load`].
    pub fn load_then<T>(
        &self,
        options: &DecodeOptions,
        work: impl FnOnce(RgbImage) -> T,
    ) -> Result<T> {
        self.load_same_then(None, options, work)
    }

    /// As [`Sample::load_then`], of an image that was read before: its bytes still have to have the SHA-256 that they
    /// had then, where one is given. A synthetic image cannot change and is not asked.
    ///
    /// # Errors
    /// As [`Sample::load`], and [`DataError::ImageChanged`] for other bytes.
    pub fn load_same_then<T>(
        &self,
        hash: Option<&str>,
        options: &DecodeOptions,
        work: impl FnOnce(RgbImage) -> T,
    ) -> Result<T> {
        let stored = match &self.image {
            ImageRef::Synthetic(image) => return Ok(work(image.draw())),
            stored => stored,
        };
        let bytes = self.read()?;
        if let Some(before) = hash {
            let now = sha256(&bytes);
            if now != before {
                return Err(DataError::ImageChanged {
                    origin: stored.id(),
                    before: before.to_owned(),
                    now,
                });
            }
        }
        image::decode_then(&bytes, &stored.id(), options, work)
            .map_err(|error| DataError::BrokenImage(Box::new(error)))
    }

    /// The encoded bytes of the image, as [`ImageRef::read`].
    ///
    /// # Errors
    /// As [`ImageRef::read`], with a hint on how to go on without the image.
    pub fn read(&self) -> Result<Vec<u8>> {
        let bytes = self.image.read();
        bytes.map_err(|error| DataError::BrokenImage(Box::new(error)))
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
    #[cfg(feature = "webdataset")]
    Tar {
        /// The tar, its headers read once.
        archive: Arc<TarArchive>,
        /// Position in the tar's index.
        entry: u32,
    },
    /// A row of a Parquet file.
    #[cfg(feature = "parquet")]
    Parquet {
        /// The file.
        table: Arc<ParquetTable>,
        /// Row within the file.
        row: u64,
    },
    /// A row of an Arrow file.
    #[cfg(feature = "parquet")]
    Arrow {
        /// The file.
        table: Arc<ArrowTable>,
        /// Row within the file.
        row: u64,
    },
    /// Pixels in a file of many images.
    Raw {
        /// The images of the file.
        images: Arc<RawImages>,
        /// Position among them.
        index: u32,
    },
    /// An image that a program gives.
    Given(Arc<GivenImage>),
    /// An image that the program makes.
    Synthetic(SyntheticImage),
}

impl ImageRef {
    /// A name that stays the same wherever the set lies: the path relative to the root, then `@`
    /// and the member or row for an archive, such as `train.zip@0/1.png`, or `#` and the number of an
    /// image that is stored as pixels, such as `data_batch_1#123`.
    pub fn id(&self) -> String {
        match self {
            Self::File { path, .. } => path.to_string(),
            Self::Zip { archive, entry } => archive.id(*entry),
            #[cfg(feature = "webdataset")]
            Self::Tar { archive, entry } => archive.id(*entry),
            #[cfg(feature = "parquet")]
            Self::Parquet { table, row } => table.id(*row),
            #[cfg(feature = "parquet")]
            Self::Arrow { table, row } => table.id(*row),
            Self::Raw { images, index } => images.id(*index),
            Self::Given(image) => image.id().to_owned(),
            Self::Synthetic(image) => image.id(),
        }
    }

    /// The encoded bytes of the image; a synthetic image is given as a PNG, pixels as Netpbm.
    ///
    /// # Errors
    /// The file or archive cannot be read, the member is damaged, or a link leads out of the root.
    pub fn read(&self) -> Result<Vec<u8>> {
        match self {
            Self::File { root, path } => root.read(path),
            Self::Zip { archive, entry } => archive.read(*entry),
            #[cfg(feature = "webdataset")]
            Self::Tar { archive, entry } => archive.read(*entry),
            #[cfg(feature = "parquet")]
            Self::Parquet { table, row } => table.read(*row),
            #[cfg(feature = "parquet")]
            Self::Arrow { table, row } => table.read(*row),
            Self::Raw { images, index } => images.read(*index),
            Self::Given(image) => image.read(),
            Self::Synthetic(image) => image.png(),
        }
    }
}
