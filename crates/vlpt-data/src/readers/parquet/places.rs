//! Where the image of each row lies: in the file, or in a file that the row names.

use std::sync::Arc;

use super::columns::Images;
use crate::archive::{ParquetTable, Root};
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
    files: Files,
}

/// The image of each row of a file, `None` for one that was to be skipped because it is absent, and
/// what should be told.
type Found = (Vec<Option<ImageRef>>, Vec<String>);

impl Places {
    /// Files that rows name lie below the folder that the user names, or below the set's own.
    ///
    /// # Errors
    /// The folder that the user names is absent.
    pub(super) fn new(root: &Arc<Root>, options: &OpenOptions) -> Result<Self> {
        let files = match &options.image_root {
            Some(named) if named.is_dir() => Files::new(&Root::open(named)?, "", true),
            Some(named) => Files::new(&Root::open(&root.path().join(named))?, "", true),
            None => Files::new(root, "", false),
        };
        let root = Arc::clone(root);
        Ok(Self { root, files })
    }

    /// The images of a file.
    ///
    /// # Errors
    /// The file is damaged, a path leaves the root or fits several files, or files are absent and
    /// were not to be skipped.
    pub(super) fn of(
        &mut self,
        table: &Arc<ParquetTable>,
        images: &Images,
        options: &OpenOptions,
    ) -> Result<Found> {
        let file = self.root.join(table.name());
        let (mut found, mut named) = (Vec::new(), false);
        let mut missing = Missing::new(&file, options);
        for group in 0..table.metadata().num_row_groups() {
            let paths = paths(table, images, group)?;
            let cells: Vec<&str> = paths.iter().flatten().flatten().map(|p| &**p).collect();
            if !cells.is_empty() && !named {
                self.files.settle(&file, &cells)?;
                named = true;
            }
            let rows = table.metadata().row_group(group).num_rows().max(0) as usize;
            for inside in 0..rows {
                let row = found.len() as u64;
                let path = paths
                    .as_ref()
                    .and_then(|paths| paths.get(inside)?.as_deref());
                let Some(path) = path else {
                    let table = Arc::clone(table);
                    found.push(Some(ImageRef::Parquet { table, row }));
                    continue;
                };
                let place = format!("row {row}");
                let image = match self.files.find(path, &file, &place)? {
                    Spot::At(path) => {
                        missing.check(true, || (place, String::new()));
                        Some(file_sample(self.files.root(), &path, Vec::new()).image)
                    }
                    Spot::Missing(path) => {
                        missing.check(false, || (place, path));
                        None
                    }
                };
                found.push(image);
            }
        }
        let mut notes: Vec<String> = missing.finish()?.into_iter().collect();
        notes.extend(self.files.note().filter(|_| named));
        Ok((found, notes))
    }
}

/// Paths of the rows of a group whose images are not in the file; `None` where all are.
fn paths(
    table: &ParquetTable,
    images: &Images,
    group: usize,
) -> Result<Option<Vec<Option<String>>>> {
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
