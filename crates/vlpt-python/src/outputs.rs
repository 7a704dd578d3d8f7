//! Rows of numbers on their way to NumPy.

use numpy::{PyArray1, PyArray2, PyArrayMethods};
use pyo3::prelude::*;
use rayon::prelude::*;
use vlpt_adapter::{BATCH, DecodedImages, pipelined};
use vlpt_clip::Progress;
use vlpt_data::image::Preprocess;

use crate::errors::Failure;
use crate::images::Input;
use crate::work::Watch;

/// A row of numbers for each image, one after the other, and why some have none.
pub(crate) struct Rows {
    pub(crate) values: Vec<f32>,
    pub(crate) errors: Vec<Option<String>>,
    pub(crate) width: usize,
}

/// What Python gets of them.
pub(crate) type Arrays<'py> = (Bound<'py, PyArray2<f32>>, Vec<Option<String>>);

impl Rows {
    /// Makes a row of each image, batch by batch; the next ones are decoded meanwhile. `keep`: an image that cannot
    /// be decoded has a row of NaN and its error, and does not end the work.
    ///
    /// # Errors
    /// The first image that cannot be decoded, unless they are kept, or what is at fault besides images.
    pub(crate) fn of(
        inputs: &[Input<'_>],
        preprocess: &Preprocess,
        width: usize,
        keep: bool,
        watch: &Watch,
        make: impl Fn(DecodedImages) -> Result<Vec<vlpt_adapter::Result<Vec<f32>>>, Failure> + Sync,
    ) -> Result<Self, Failure> {
        let mut rows = Self {
            values: Vec::with_capacity(inputs.len() * width),
            errors: Vec::with_capacity(inputs.len()),
            width,
        };
        let mut batches = inputs.chunks(BATCH);
        pipelined(
            || Ok::<_, Failure>(batches.next()),
            |batch| DecodedImages::of_sources(preprocess, batch, Input::read),
            |batch, decoded| {
                for made in make(decoded)? {
                    match made {
                        Ok(row) => {
                            rows.values.extend_from_slice(&row);
                            rows.errors.push(None);
                        }
                        Err(error) if keep => {
                            rows.values.extend(std::iter::repeat_n(f32::NAN, width));
                            rows.errors.push(Some(error.to_string()));
                        }
                        Err(error) => return Err(error.into()),
                    }
                }
                watch.go_on()?;
                watch.advance(batch.len() as u64);
                Ok(())
            },
        )?;
        Ok(rows)
    }

    /// As an array that owns the numbers: none is copied.
    ///
    /// # Errors
    /// None that is known.
    pub(crate) fn arrays(self, py: Python<'_>) -> PyResult<Arrays<'_>> {
        let shape = [self.errors.len(), self.width];
        Ok((array(py, self.values, shape)?, self.errors))
    }
}

/// Rows of numbers as an array that owns them.
///
/// # Errors
/// Another number of values than the shape says.
pub(crate) fn array(
    py: Python<'_>,
    values: Vec<f32>,
    shape: [usize; 2],
) -> PyResult<Bound<'_, PyArray2<f32>>> {
    PyArray1::from_vec(py, values).reshape(shape)
}

/// Images to learn from, pixels packed side by side.
///
/// # Errors
/// Pixels that are too many.
pub(crate) fn given(
    inputs: &[Input<'_>],
    watch: &Watch,
) -> Result<Vec<vlpt_data::GivenImage>, Failure> {
    watch.start("packing images", inputs.len() as u64);
    let pack = |input: &Input<'_>| {
        watch.go_on()?;
        let given = input.given()?;
        watch.advance(1);
        Ok(given)
    };
    let given = inputs.par_iter().map(pack).collect::<Result<_, Failure>>();
    watch.finish();
    given
}
