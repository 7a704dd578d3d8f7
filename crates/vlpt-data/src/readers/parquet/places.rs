//! Where the image of each row lies: in the file, or in a file that the row names.

use std::sync::Arc;

use super::columns::Images;
use super::table::RowTable;
use crate::archive::Root;
use crate::error::Result;
use crate::readers::folders::file_sample;
use crate::readers::manifest::places::{Places as Files, Spot};
use crate::readers::missing::Missing;
use crate::readers::options::OpenOptions;
use crate::sample::ImageRef;

/// Finds the images of rows.
#[derive(Debug)]
pub(super) struct Places {
    root: Arc<Root>,
    /// The files that rows name, once one does.
    files: Option<Files>,
}

/// The image of each row of a file, `None` for one that was to be skipped because it is absent, and
/// what should be told.
type Found = (Vec<Option<ImageRef>>, Vec<String>);

impl Places {
    pub(super) fn new(root: &Arc<Root>) -> Self {
        let (root, files) = (Arc::clone(root), None);
        Self { root, files }
    }

    /// Whether some row names a file.
    pub(super) fn named(&self) -> bool {
        self.files.is_some()
    }

    /// The images of a file.
    ///
    /// # Errors
    /// The file is damaged, a path leaves the root or fits several files, files are absent and were not
    /// to be skipped, or the folder that the user names is.
    pub(super) fn of(
        &mut self,
        table: &RowTable,
        images: &Images,
        options: &OpenOptions,
    ) -> Result<Found> {
        let file = self.root.join(table.name());
        let mut found = Vec::new();
        let mut notes = Vec::new();
        let mut missing = Missing::new(&file, options);
        let mut settled = false;
        for group in 0..table.groups() {
            let paths = paths(table, images, group)?.unwrap_or_default();
            let cells: Vec<&str> = paths.iter().flatten().map(|path| &**path).collect();
            if !cells.is_empty() && !settled {
                let files = match self.files.take() {
                    Some(files) => files,
                    None => files(&self.root, options)?,
                };
                let files = self.files.insert(files);
                files.settle(&file, &cells)?;
                notes.extend(files.note());
                settled = true;
            }
            let rows = table.rows(group);
            for inside in 0..rows {
                let row = found.len() as u64;
                let path = paths.get(inside).and_then(Option::as_deref);
                let (Some(path), Some(files)) = (path, &mut self.files) else {
                    found.push(Some(table.image(row)));
                    continue;
                };
                let place = format!("row {row}");
                let spot = files.find(path, &file, &place)?;
                let (image, path) = match spot {
                    Spot::At(path) => {
                        let image = file_sample(files.root(), &path, Vec::new()).image;
                        (Some(image), path)
                    }
                    Spot::Missing(path) => (None, path),
                };
                missing.check(image.is_some(), || (place, path));
                found.push(image);
            }
        }
        notes.extend(missing.finish()?);
        Ok((found, notes))
    }
}

/// Files that rows name lie below the folder that the user names, or below the set's own.
fn files(root: &Arc<Root>, options: &OpenOptions) -> Result<Files> {
    Ok(match &options.image_root {
        Some(named) if named.is_dir() => Files::new(&Root::open(named)?, "", true),
        Some(named) => Files::new(&Root::open(&root.path().join(named))?, "", true),
        None => Files::new(root, "", false),
    })
}

/// Paths of the rows of a group whose images are not in the file; `None` where all are.
fn paths(table: &RowTable, images: &Images, group: usize) -> Result<Option<Vec<Option<String>>>> {
    let Some(leaf) = images.path else {
        return Ok(None);
    };
    let absent = match images.bytes {
        Some(bytes) => table.absent(bytes, group)?,
        None => Some(Vec::new()),
    };
    let Some(absent) = absent else {
        return Ok(None);
    };
    let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
    let paths = table.texts(leaf, group)?.into_iter().enumerate();
    let paths = paths.map(|(row, value)| {
        let value = value?.first().map(|value| text(value))?;
        absent
            .get(row)
            .is_none_or(|absent| *absent)
            .then_some(value)
    });
    Ok(Some(paths.collect()))
}
