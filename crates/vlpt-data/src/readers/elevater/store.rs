//! Images of an ELEVATER folder: members of zips, each zip opened once, or plain files.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::archive::{Listings, Root, ZipArchive};
use crate::error::{LayoutError, Result};
use crate::sample::ImageRef;

#[derive(Debug)]
pub(super) struct Store {
    root: Arc<Root>,
    zips: BTreeMap<String, Arc<ZipArchive>>,
    listings: Listings,
}

/// `zip@path`, or the path.
pub(super) fn joined(zip: Option<&str>, path: &str) -> String {
    zip.map_or_else(|| path.to_owned(), |zip| format!("{zip}@{path}"))
}

impl Store {
    pub(super) fn new(root: &Arc<Root>) -> Self {
        let (root, listings) = (Arc::clone(root), Listings::new(root));
        Self {
            root,
            zips: BTreeMap::new(),
            listings,
        }
    }

    /// The image, or `None` where the zip has no such member or the folder no such file.
    ///
    /// # Errors
    /// A path climbs, the zip is absent or is not a zip; `origin` says where it was named.
    pub(super) fn find(
        &mut self,
        zip: Option<&str>,
        path: &str,
        origin: &str,
    ) -> Result<Option<ImageRef>> {
        let path = Root::plain(path, origin)?;
        let Some(zip) = zip else {
            let found = self.listings.has(&path)?;
            let root = Arc::clone(&self.root);
            return Ok(found.then(|| ImageRef::File {
                root,
                path: Arc::from(path),
            }));
        };
        if !self.zips.contains_key(zip) {
            let plain = Root::plain(zip, origin)?;
            let file = self.root.join(&plain);
            if !file.is_file() {
                let help =
                    "fetch the zip with the set; it is read where it lies, so leave it packed"
                        .to_owned();
                return Err(LayoutError::MissingFile {
                    set: origin.to_owned(),
                    file,
                    help,
                }
                .into());
            }
            self.zips
                .insert(zip.to_owned(), ZipArchive::open(&self.root, &plain)?);
        }
        let archive = &self.zips[zip];
        let found = archive.find(&path);
        Ok(found.map(|entry| ImageRef::Zip {
            archive: Arc::clone(archive),
            entry,
        }))
    }
}
