//! FGVC-Aircraft: `variants.txt`, and for each split `images_variant_<split>.txt` with lines of
//! `image id, blank, variant`.

use std::collections::BTreeMap;
use std::path::Path;

use super::sets::Set;
use crate::archive::{Listings, Root};
use crate::error::{LayoutError, Result};
use crate::readers::folders::file_sample;
use crate::readers::missing::Missing;
use crate::readers::options::OpenOptions;
use crate::readers::task_builder::TaskBuilder;
use crate::readers::text::{class_list, lines};
use crate::split_name::SplitName;

pub(super) fn read(path: &Path, set: &Set, options: &OpenOptions) -> Result<TaskBuilder> {
    let root = Root::open(path)?;
    let classes = class_list(&path.join(set.file))?;
    let label_of: BTreeMap<&str, u32> = classes.iter().map(String::as_str).zip(0..).collect();
    let mut builder = TaskBuilder::new(set.name.to_owned(), classes.clone());
    let mut listings = Listings::new(&root);
    for part in SplitName::ALL {
        let file = path.join(format!("images_variant_{}.txt", part.name()));
        if !file.is_file() {
            let name = format!("{} in the CoOp layout ({})", set.name, path.display());
            return Err(LayoutError::MissingFile {
                set: name,
                file,
                help: set.help(),
            }
            .into());
        }
        let mut missing = Missing::new(&file, options);
        let mut samples = Vec::new();
        for (number, line) in lines(&file)?.iter().enumerate() {
            let line = line.trim();
            if line.is_empty() {
                continue;
            }
            let place = || format!("line {}", number + 1);
            let bad = |found: String, expected: &str| LayoutError::BadEntry {
                file: file.clone(),
                place: place(),
                found,
                expected: expected.to_owned(),
            };
            let (image, variant) = line
                .split_once(' ')
                .ok_or_else(|| bad(format!("`{line}`"), "an image id, a blank and a variant"))?;
            let label = *label_of.get(variant.trim()).ok_or_else(|| {
                bad(
                    format!("the variant `{variant}`"),
                    &format!("a variant of {}", set.file),
                )
            })?;
            let origin = format!("{}: {}", file.display(), place());
            let full = Root::plain(&format!("{}/{image}.jpg", set.images), &origin)?;
            if missing.check(listings.has(&full)?, || (place(), full.clone())) {
                samples.push(file_sample(&root, &full, vec![label]));
            }
        }
        builder.notes.extend(missing.finish()?);
        builder.set(part, samples);
    }
    Ok(builder)
}
