//! Images as Python gives them: paths, bytes of files, arrays of pixels.

use std::borrow::Cow;
use std::path::PathBuf;

use numpy::{PyReadonlyArray3, PyUntypedArrayMethods};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use vlpt_adapter::{AdapterError, ImageSource};
use vlpt_data::image::{Limits, RgbImage, endings_in_words, read_file};
use vlpt_data::{DataError, GivenImage, Walk};

use crate::errors::Failure;

/// An image that is held by Python.
pub(crate) enum Held<'py> {
    File(PathBuf),
    Encoded(Bound<'py, PyBytes>),
    Pixels(PyReadonlyArray3<'py, u8>),
}

/// The images of a list; `vlpt._images` has made each a path, bytes or a contiguous array (height, width, 3) of
/// bytes.
///
/// # Errors
/// Something else.
pub(crate) fn held<'py>(images: &[Bound<'py, PyAny>]) -> PyResult<Vec<Held<'py>>> {
    let one = |image: &Bound<'py, PyAny>| {
        if let Ok(bytes) = image.cast::<PyBytes>() {
            return Ok(Held::Encoded(bytes.clone()));
        }
        if let Ok(array) = image.extract::<PyReadonlyArray3<'py, u8>>() {
            return Ok(Held::Pixels(array));
        }
        match image.extract::<PathBuf>() {
            Ok(path) => Ok(Held::File(path)),
            Err(_) => Err(PyTypeError::new_err(format!(
                "an image as {}: expected a path, bytes, or an array (height, width, 3) of uint8",
                image.get_type()
            ))),
        }
    };
    images.iter().map(one).collect()
}

/// An image and its name, to be read by any thread.
pub(crate) struct Input<'a> {
    name: &'a str,
    source: Source<'a>,
}

enum Source<'a> {
    File(&'a PathBuf),
    Encoded(&'a [u8]),
    Pixels { size: [u32; 2], data: &'a [u8] },
}

/// Images with their names, without copying any.
///
/// # Errors
/// Another number of names, an array that is not contiguous or has no pixel.
pub(crate) fn inputs<'a>(names: &'a [String], held: &'a [Held<'_>]) -> PyResult<Vec<Input<'a>>> {
    let one = |(name, held): (&'a String, &'a Held<'_>)| {
        let source = match held {
            Held::File(path) => Source::File(path),
            Held::Encoded(bytes) => Source::Encoded(bytes.as_bytes()),
            Held::Pixels(array) => {
                let [height, width, channels] = array.shape() else {
                    return Err(PyTypeError::new_err("an array of another shape"));
                };
                let side = |side: &usize| u32::try_from(*side).ok().filter(|&side| side > 0);
                let (Some(width), Some(height), 3) = (side(width), side(height), *channels) else {
                    return Err(pyo3::exceptions::PyValueError::new_err(format!(
                        "{name}: an array of shape {:?}: expected (height, width, 3) with at least one pixel",
                        array.shape()
                    )));
                };
                Source::Pixels {
                    size: [width, height],
                    data: array.as_slice()?,
                }
            }
        };
        Ok(Input { name, source })
    };
    if names.len() != held.len() {
        return Err(PyTypeError::new_err("as many names as images are needed"));
    }
    names.iter().zip(held).map(one).collect()
}

impl Input<'_> {
    /// Its name and what it holds; a file is read.
    ///
    /// # Errors
    /// The file cannot be read.
    pub(crate) fn read(&self) -> Result<(Cow<'_, str>, ImageSource<'_>), AdapterError> {
        let source = match &self.source {
            Source::File(path) => {
                ImageSource::Encoded(read_file(path, self.name, &Limits::default())?.into())
            }
            Source::Encoded(bytes) => ImageSource::Encoded(Cow::Borrowed(bytes)),
            Source::Pixels { size, data } => ImageSource::Pixels {
                width: size[0],
                height: size[1],
                data,
            },
        };
        Ok((self.name.into(), source))
    }

    /// As an image to learn from; pixels are packed into a PNG.
    ///
    /// # Errors
    /// Pixels that are too many.
    pub(crate) fn given(&self) -> Result<GivenImage, DataError> {
        match &self.source {
            Source::File(path) => Ok(GivenImage::file((*path).clone())),
            Source::Encoded(bytes) => Ok(GivenImage::encoded(self.name, bytes.to_vec())),
            Source::Pixels { size, data } => {
                let image = RgbImage {
                    width: size[0],
                    height: size[1],
                    data: data.to_vec(),
                };
                GivenImage::pixels(self.name, &image)
            }
        }
    }
}

/// The images of a folder and all below it, in name order, and what was passed over, in words.
///
/// # Errors
/// A folder that cannot be listed, or holds no image.
#[pyfunction]
pub(crate) fn images_of_folder(
    py: Python<'_>,
    folder: PathBuf,
) -> PyResult<(Vec<PathBuf>, Vec<String>)> {
    let walked = py.detach(|| -> Result<_, Failure> {
        let walk = Walk::of(&folder)?;
        if walk.images.is_empty() {
            let found = match &walk.passed_over()[..] {
                [] => "it is empty".to_owned(),
                all => all.join("; "),
            };
            return Err(Failure::value(
                format!("no images in the folder {}: {found}", folder.display()),
                format!("images end in one of: {}", endings_in_words()),
            ));
        }
        let passed_over = walk.passed_over();
        Ok((walk.images, passed_over))
    });
    walked.map_err(|failure| failure.raise(py))
}
