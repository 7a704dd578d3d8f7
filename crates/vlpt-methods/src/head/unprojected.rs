//! What the image tower's last projection is applied to, in many views that need not all be in
//! memory.

use std::borrow::Cow;
use std::fmt;

use crate::{MethodError, Result};

/// Views of the training images before the projection, one at a time.
pub trait ViewRows: Sync {
    /// Number of views.
    fn count(&self) -> usize;

    /// Rows (images x width) of a view, from memory or from where they are kept.
    ///
    /// # Errors
    /// Rows that cannot be read.
    fn rows(&self, view: usize) -> Result<Cow<'_, [f32]>>;
}

impl ViewRows for Vec<Vec<f32>> {
    fn count(&self) -> usize {
        self.len()
    }

    fn rows(&self, view: usize) -> Result<Cow<'_, [f32]>> {
        Ok(Cow::Borrowed(&self[view]))
    }
}

/// Images before the projection, for methods that [need](crate::Needs::unprojected) them.
#[derive(Clone, Copy)]
pub struct Unprojected<'a> {
    /// The training images.
    pub train: &'a dyn ViewRows,
    /// The validation images in the evaluation view, images x width.
    pub val: &'a [f32],
}

impl fmt::Debug for Unprojected<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unprojected")
            .field("views", &self.train.count())
            .field("val", &self.val.len())
            .finish()
    }
}

impl<'a> Unprojected<'a> {
    /// The rows of the view of a step: `step` modulo the number of views.
    ///
    /// # Errors
    /// Rows that cannot be read, or that do not belong to `images` images.
    pub fn view(&self, step: usize, images: usize, width: usize) -> Result<Cow<'a, [f32]>> {
        let rows = self.train.rows(step % self.train.count().max(1))?;
        if rows.len() != images * width {
            return Err(MethodError::Incompatible {
                what: format!(
                    "{} values before the projection: expected {images} images x {width}",
                    rows.len()
                ),
                hint: None,
            });
        }
        Ok(rows)
    }
}
