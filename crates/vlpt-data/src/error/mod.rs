//! What can go wrong with data, said so that the reader knows what to do next.

mod few_shot;
mod layout;
mod list;
mod nearby;
mod short;

use std::io;
use std::path::PathBuf;

pub use few_shot::FewShotError;
pub use layout::LayoutError;
pub use list::ListError;

use crate::format::UnknownFormat;
use nearby::nearby;

/// The result of everything in this crate that can fail.
pub type Result<T> = std::result::Result<T, DataError>;

/// An error of this crate: what was found, where, and (through [`DataError::hint`]) a way out.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// Reading or writing a file failed; the message names the path.
    #[error(transparent)]
    Io(#[from] io::Error),

    /// A data set that cannot be read as it lies.
    #[error(transparent)]
    Layout(#[from] LayoutError),

    /// A few-shot subset that cannot be drawn, read or used.
    #[error(transparent)]
    FewShot(#[from] FewShotError),

    /// A few-shot list that cannot be read, written or used.
    #[error(transparent)]
    List(#[from] ListError),

    /// A format name that is not known.
    #[error(transparent)]
    UnknownFormat(#[from] UnknownFormat),

    /// There is nothing at a data set's path.
    #[error("{}: no such file or folder", path.display())]
    NothingThere {
        /// The path.
        path: PathBuf,
    },

    /// An image of zero bytes.
    #[error("{origin}: the image file is empty (0 bytes)")]
    EmptyImage {
        /// File or archive member.
        origin: String,
    },

    /// A name that no synthetic task has.
    #[error("there is no synthetic task `{found}`")]
    UnknownSyntheticTask {
        /// The name asked for.
        found: String,
        /// What to say to who asked for it: the nearest name, and all names.
        suggestion: String,
    },

    /// Bytes that do not begin like any image format known here.
    #[error("{origin}: not an image: {found}")]
    NotAnImage {
        /// File or archive member.
        origin: String,
        /// What the bytes look like instead.
        found: String,
    },

    /// An image whose data ends before the picture does.
    #[error("{origin}: truncated {format} image: {detail}")]
    TruncatedImage {
        /// File or archive member.
        origin: String,
        /// Name of the format, such as `JPEG`.
        format: &'static str,
        /// What the decoder said.
        detail: String,
    },

    /// An image whose data contradicts its format.
    #[error("{origin}: damaged {format} image: {detail}")]
    DamagedImage {
        /// File or archive member.
        origin: String,
        /// Name of the format, such as `JPEG`.
        format: &'static str,
        /// What the decoder said.
        detail: String,
    },

    /// A valid image of a kind that is not read here.
    #[error("{origin}: unsupported {format} image: {detail}")]
    UnsupportedImage {
        /// File or archive member.
        origin: String,
        /// Name of the format, such as `TIFF`.
        format: &'static str,
        /// The feature that is missing.
        detail: String,
    },

    /// An image of a data set that cannot be read or decoded.
    #[error(transparent)]
    BrokenImage(Box<DataError>),

    /// An image that has other bytes than when it was first read in this piece of work.
    #[error(
        "{origin}: the image changed while it was in use: its SHA-256 was {before}, now it is {now}"
    )]
    ImageChanged {
        /// File or archive member.
        origin: String,
        /// SHA-256 of its bytes when it was first read, in hexadecimal digits.
        before: String,
        /// SHA-256 of its bytes now.
        now: String,
    },

    /// A class whose images are all broken.
    #[error(
        "no {split} image of the class {class} can be decoded: {images} left out, the first: {first}"
    )]
    ClassOfBrokenImages {
        /// The class.
        class: String,
        /// The split.
        split: String,
        /// How many images it had there.
        images: usize,
        /// What is wrong with the first.
        first: String,
    },

    /// A valid image of a format that there is no decoder for.
    #[error("{origin}: {format} image: this build has no decoder for {format}")]
    NoDecoder {
        /// File or archive member.
        origin: String,
        /// Name of the format, such as `HEIC`.
        format: &'static str,
        /// What converts such a file.
        converter: &'static str,
        /// The Cargo feature that brings a decoder, where there is one.
        feature: Option<&'static str>,
    },

    /// A file that is too large for an image; no more than its beginning was read.
    #[error("{origin}: {bytes} bytes, {kind}; image files of up to {limit} bytes are read")]
    ImageFileTooLarge {
        /// The file.
        origin: String,
        /// What its first bytes say it is.
        kind: &'static str,
        /// Its length.
        bytes: u64,
        /// The limit.
        limit: u64,
    },

    /// An image that is larger than the limits allow; nothing was allocated for it.
    #[error("{origin}: image too large: {width} x {height} pixels, {what} the limit of {limit}")]
    ImageTooLarge {
        /// File or archive member.
        origin: String,
        /// Width as the header says, in pixels.
        width: u64,
        /// Height as the header says, in pixels.
        height: u64,
        /// How the limit is broken, such as `more pixels than`.
        what: String,
        /// The limit.
        limit: u64,
    },

    /// An image within the limits for which the process cannot have the memory.
    #[error("{origin}: no memory for {bytes} bytes to decode {width} x {height} pixels")]
    NoMemory {
        /// File or archive member.
        origin: String,
        /// Width as the header says, in pixels.
        width: u64,
        /// Height as the header says, in pixels.
        height: u64,
        /// What decoding holds at once.
        bytes: u64,
    },
}

impl DataError {
    /// A way out, in one sentence, where there is one.
    pub fn hint(&self) -> Option<String> {
        let text = match self {
            Self::EmptyImage { .. } => {
                "copy or download the file again, or take it out of the data set"
            }
            Self::NotAnImage { .. } => {
                "JPEG, PNG, WebP, BMP, GIF, TIFF and PPM are read, recognised by content and not by name"
            }
            Self::TruncatedImage { .. } => {
                "the download or copy stopped early: fetch the file again, or take it out of the data set"
            }
            Self::DamagedImage { .. } => {
                "fetch the file again, or open it in an image editor and save it anew"
            }
            Self::UnsupportedImage { .. } => {
                "convert the file to PNG or JPEG with 8 bits a channel"
            }
            Self::ImageTooLarge { .. } => {
                "make the image smaller first, for instance with `magick IMAGE -resize 4000x4000 SMALL`; a model sees some hundred pixels a side"
            }
            Self::NoMemory { .. } => "free memory, raise `ulimit -v`, or make the image smaller",
            Self::ImageFileTooLarge { .. } => {
                "save the image smaller, or take the file out of the data"
            }
            Self::NoDecoder {
                converter, feature, ..
            } => {
                let convert = format!("convert it to JPEG or PNG first, with {converter}");
                return Some(match feature {
                    Some(feature) => format!(
                        "{convert}; or build with a decoder: `cargo install --path crates/vlpt --features {feature}`"
                    ),
                    None => convert,
                });
            }
            Self::BrokenImage(error) => {
                let skip = "leave out images that cannot be decoded with --broken skip";
                return Some(match error.hint() {
                    Some(hint) => format!("{hint}; or {skip}"),
                    None => skip.to_owned(),
                });
            }
            Self::ImageChanged { .. } => {
                "bring the image back as it was and go on (a training with --resume), or start anew; leave the data set alone while something works on it"
            }
            Self::ClassOfBrokenImages { .. } => {
                "mend the images of this class, or take the class out of the data set"
            }
            Self::Layout(layout) => return layout.hint(),
            Self::FewShot(error) => return error.hint(),
            Self::List(error) => return error.hint(),
            Self::UnknownFormat(error) => return Some(error.hint()),
            Self::NothingThere { path } => return Some(nearby(path)),
            Self::UnknownSyntheticTask { suggestion, .. } => suggestion,
            Self::Io(_) => return None,
        };
        Some(text.to_owned())
    }
}
