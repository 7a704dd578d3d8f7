//! Listed images that are not there: counted, and the first one told.

use std::path::{Path, PathBuf};

use crate::error::LayoutError;
use crate::readers::options::OpenOptions;

#[derive(Debug)]
pub(super) struct Missing {
    file: PathBuf,
    skip: bool,
    first: Option<(String, String)>,
    absent: usize,
    total: usize,
}

impl Missing {
    /// A count for the images that `file` lists.
    pub(super) fn new(file: &Path, options: &OpenOptions) -> Self {
        let (file, skip) = (file.to_path_buf(), options.skip_missing_images);
        Self {
            file,
            skip,
            first: None,
            absent: 0,
            total: 0,
        }
    }

    /// Counts one image; gives back `exists`. `told` says its entry and its path.
    pub(super) fn check(&mut self, exists: bool, told: impl FnOnce() -> (String, String)) -> bool {
        self.total += 1;
        if !exists {
            self.absent += 1;
            if self.first.is_none() {
                self.first = Some(told());
            }
        }
        exists
    }

    /// A note on what was left out, where that was asked for.
    ///
    /// # Errors
    /// Images are missing and were not to be skipped.
    pub(super) fn finish(self) -> Result<Option<String>, LayoutError> {
        let Some((place, image)) = self.first else {
            return Ok(None);
        };
        let Self {
            file,
            absent: missing,
            total,
            ..
        } = self;
        if !self.skip {
            return Err(LayoutError::MissingImages {
                file,
                place,
                image,
                missing,
                total,
            });
        }
        let file = file
            .file_name()
            .map(|name| name.to_string_lossy().into_owned());
        Ok(Some(format!(
            "{missing} of {total} images that {} lists do not exist and were left out, such as `{image}` ({place})",
            file.unwrap_or_default()
        )))
    }
}
