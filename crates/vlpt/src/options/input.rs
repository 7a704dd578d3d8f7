//! One image to work on, and what tells it from others.

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use vlpt_adapter::AdapterError;
use vlpt_base::hash::fingerprint;
use vlpt_data::image::{
    DecodeOptions, Facts, Limits, Preprocess, RgbImage, decode_with, facts, read_file,
};
use vlpt_data::{DataError, ImageRef};

use crate::error::CliError;

/// One image to work on.
#[derive(Debug, Clone)]
pub(crate) enum Input {
    /// A file on disk.
    File(PathBuf),
    /// A member of an archive on disk.
    Member {
        /// `archive@member`.
        label: String,
        /// The archive's size and time of change.
        archive: Arc<str>,
        image: ImageRef,
    },
    /// What came through standard input.
    Bytes {
        label: String,
        /// What errors call it.
        name: String,
        bytes: Vec<u8>,
    },
    /// A member of an archive that cannot be had, and why.
    #[cfg_attr(
        not(feature = "webdataset"),
        expect(dead_code, reason = "archives through a pipe are tars")
    )]
    Refused { label: String, why: String },
}

impl Input {
    /// What to call it in results and errors.
    pub(crate) fn label(&self) -> String {
        match self {
            Self::File(path) => path.display().to_string(),
            Self::Member { label, .. }
            | Self::Bytes { label, .. }
            | Self::Refused { label, .. } => label.clone(),
        }
    }

    /// Its name in errors and its bytes.
    pub(crate) fn named_bytes(&self) -> Result<(Cow<'_, str>, Cow<'_, [u8]>), AdapterError> {
        match self {
            Self::File(path) => {
                let label = self.label();
                let bytes = read_file(path, &label, &Limits::default())?;
                Ok((label.into(), bytes.into()))
            }
            Self::Member { label, image, .. } => Ok((label.into(), image.read()?.into())),
            Self::Bytes { name, bytes, .. } => Ok((name.into(), bytes.into())),
            Self::Refused { why, .. } => {
                Err(DataError::Io(std::io::Error::other(why.clone())).into())
            }
        }
    }

    /// Reads and decodes it; also what its headers say.
    pub(crate) fn load(
        &self,
        options: &DecodeOptions,
    ) -> Result<(RgbImage, Option<Facts>), CliError> {
        let (name, bytes) = self.named_bytes()?;
        let image = decode_with(&bytes, &name, options)?;
        Ok((image, facts(&bytes)))
    }

    /// Encoded bytes that it holds itself.
    pub(crate) fn held(&self) -> usize {
        match self {
            Self::Bytes { bytes, .. } => bytes.len(),
            _ => 0,
        }
    }

    /// Why it cannot be decoded, where it cannot.
    pub(crate) fn fault(&self, preprocess: &Preprocess) -> Option<String> {
        let decoding = preprocess.decoding(&Limits::default());
        self.load(&decoding).err().map(|error| error.to_string())
    }

    /// What it is known by: its name, and its size and time of change (of a member of an archive, those
    /// of the archive) or, of what came through standard input, its bytes.
    fn about(&self) -> Vec<u8> {
        match self {
            Self::File(path) => {
                let about = file_about(path);
                [about.as_bytes(), path.as_os_str().as_encoded_bytes()].concat()
            }
            Self::Member { label, archive, .. } => format!("{archive} {label}").into_bytes(),
            Self::Refused { label, .. } => label.clone().into_bytes(),
            Self::Bytes { bytes, .. } => bytes.clone(),
        }
    }
}

/// Size and time of change of a file; of one that is not there, that it is not.
pub(super) fn file_about(path: &Path) -> String {
    match fs_err::metadata(path) {
        Ok(about) => format!("{} {:?} ", about.len(), about.modified().ok()),
        Err(_) => "absent ".to_owned(),
    }
}

/// Hash over the images' names, and their sizes and times of change or, from standard input, bytes.
pub(crate) fn inputs_hash(inputs: &[Input]) -> String {
    fingerprint(inputs.iter().map(Input::about))
}
