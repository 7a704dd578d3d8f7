//! DTD's own lists: `labels/train1.txt`, `val1.txt` and `test1.txt`, the first of the authors' ten
//! partitions.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use super::super::sets::Set;
use super::folders;
use crate::archive::{Listings, Root};
use crate::catalogue::{self, Suite};
use crate::error::{LayoutError, Result};
use crate::readers::folders::file_sample;
use crate::readers::missing::Missing;
use crate::readers::options::OpenOptions;
use crate::readers::task_builder::TaskBuilder;
use crate::readers::text::lines;
use crate::split_name::SplitName;

/// The list of a split.
fn list(part: SplitName) -> String {
    format!("labels/{}1.txt", part.name())
}

/// Whether the lists are there and may be followed: they split the set otherwise than CoOp does, so not
/// where CoOp's set is asked for by its name.
pub(super) fn is_wanted(path: &Path, options: &OpenOptions) -> bool {
    let entry = options.name.as_deref().and_then(catalogue::find);
    let coop = entry.is_some_and(|entry| entry.suite == Suite::Coop);
    let there = |part: SplitName| path.join(list(part)).is_file();
    !coop && SplitName::ALL.into_iter().all(there)
}

/// The set with the split of its lists; none where there are no folders of images.
pub(super) fn read(
    root: &Arc<Root>,
    path: &Path,
    set: &Set,
    options: &OpenOptions,
) -> Result<Option<TaskBuilder>> {
    let Some(classes) = folders::read(root, set)? else {
        return Ok(None);
    };
    let labels: BTreeMap<&str, u32> = classes.names.iter().map(|name| &**name).zip(0..).collect();
    let mut listings = Listings::new(root);
    let mut builder = TaskBuilder::new(set.name.to_owned(), classes.names.clone());
    for part in SplitName::ALL {
        let file = path.join(list(part));
        let mut missing = Missing::new(&file, options);
        let mut samples = Vec::new();
        for (number, line) in lines(&file)?.iter().enumerate() {
            let image = line.trim();
            if image.is_empty() {
                continue;
            }
            let place = format!("line {}", number + 1);
            let label = image
                .split_once('/')
                .and_then(|(class, _)| labels.get(class));
            let label = *label.ok_or_else(|| LayoutError::BadEntry {
                file: file.clone(),
                place: place.clone(),
                found: format!("`{image}`"),
                expected: "an image in a folder of images/, such as banded/banded_0001.jpg"
                    .to_owned(),
            })?;
            let origin = format!("{}: {place}", file.display());
            let full = Root::plain(&format!("{}/{image}", set.images), &origin)?;
            if missing.check(listings.has(&full)?, || (place, full.clone())) {
                samples.push(file_sample(root, &full, vec![label]));
            }
        }
        builder.notes.extend(missing.finish()?);
        builder.set(part, samples);
    }
    builder.notes.push(
        "split by the authors' own lists labels/train1.txt, val1.txt and test1.txt (partition 1, as torchvision takes it); CoOp's split is another one: --name coop/DescribableTextures"
            .to_owned(),
    );
    Ok(Some(builder))
}
