//! From tar shards to a task.

use std::path::Path;
use std::sync::Arc;

use rayon::prelude::*;

use crate::archive::{Root, TarArchive};
use crate::error::{LayoutError, Result};
use crate::format::Format;
use crate::readers::folders::{base_name, is_image};
use crate::readers::options::OpenOptions;
use crate::readers::task_builder::TaskBuilder;
use crate::readers::text::{class_list, lines};
use crate::sample::{ImageRef, Sample};

use super::find::{SHARDS, ending, split_folders, tars};

const CLASSES: &str = "classnames.txt";
const TEMPLATES: &str = "zeroshot_classification_templates.txt";

pub(in crate::readers) fn read(path: &Path, options: &OpenOptions) -> Result<TaskBuilder> {
    let root = Root::open(path)?;
    let splits = split_folders(path);
    if splits.is_empty() {
        let (path, format) = (path.to_path_buf(), Format::WebDataset);
        return Err(LayoutError::NotThisFormat {
            path,
            format,
            expected: super::find::EXPECTED.into(),
        }
        .into());
    }
    let file = options
        .class_file
        .clone()
        .unwrap_or_else(|| path.join(CLASSES));
    if !file.is_file() {
        return Err(LayoutError::MissingFile {
            set: format!("the WebDataset {}", path.display()),
            file,
            help: "write one class name a line, in the order of the labels, or name a file with --class-file".to_owned(),
        }
        .into());
    }
    let classes = class_list(&file)?;
    let count = classes.len();
    let mut builder = TaskBuilder::new(base_name(path), classes);
    if path.join(TEMPLATES).is_file() {
        let templates = lines(&path.join(TEMPLATES))?;
        builder.templates = templates
            .iter()
            .filter(|line| !line.trim().is_empty())
            .map(|line| line.replace("{c}", "{}"))
            .collect();
        builder
            .notes
            .push(format!("templates come from {TEMPLATES}"));
    }
    for (part, folder) in splits {
        let shards: Vec<Vec<Sample>> = shards(path, &folder)?
            .par_iter()
            .map(|shard| read_shard(&root, shard, count))
            .collect::<Result<_>>()?;
        builder.set(part, shards.into_iter().flatten().collect());
    }
    Ok(builder)
}

/// Shards of a split in order: `0.tar` to `n-1.tar` where nshards.txt says `n`, else all tars
/// sorted by number and then by name.
fn shards(path: &Path, folder: &str) -> Result<Vec<String>> {
    let place = path.join(folder);
    let mut found = tars(&place);
    let number = |name: &str| {
        name.trim_end_matches(".tar")
            .parse::<u64>()
            .unwrap_or(u64::MAX)
    };
    found.sort_by(|a, b| number(a).cmp(&number(b)).then_with(|| a.cmp(b)));
    let file = place.join(SHARDS);
    if file.is_file() {
        let text = lines(&file)?.concat();
        let wanted: usize = text.trim().parse().map_err(|_| LayoutError::BadEntry {
            file: file.clone(),
            place: "line 1".to_owned(),
            found: format!("`{text}`"),
            expected: "the number of shards".to_owned(),
        })?;
        if wanted != found.len() {
            return Err(LayoutError::BadEntry {
                file,
                place: "line 1".to_owned(),
                found: format!("{wanted} shards"),
                expected: format!("{}, the number of tars in {}", found.len(), place.display()),
            }
            .into());
        }
    }
    Ok(found
        .into_iter()
        .map(|name| format!("{folder}/{name}"))
        .collect())
}

/// Images of one tar. Files of one sample follow each other and share the path up to the first
/// dot of its last part; the sample's label is the number in its `.cls` file.
fn read_shard(root: &Arc<Root>, shard: &str, classes: usize) -> Result<Vec<Sample>> {
    let archive = Arc::new(TarArchive::open(root, shard)?);
    let bad = |key: &str, found: String, expected: &str| LayoutError::BadEntry {
        file: root.join(shard),
        place: format!("sample `{key}`"),
        found,
        expected: expected.to_owned(),
    };
    let members = archive.members();
    let mut samples = Vec::new();
    let mut at = 0;
    while at < members.len() {
        let key = key(&members[at].name);
        let end = at
            + members[at..]
                .iter()
                .take_while(|m| self::key(&m.name) == key)
                .count();
        let images: Vec<usize> = (at..end).filter(|i| is_image(&members[*i].name)).collect();
        let class = (at..end).find(|i| ending(&members[*i].name) == "cls");
        match (&images[..], class) {
            ([image], Some(class)) => {
                let text = archive.read(class as u32)?;
                let text = String::from_utf8_lossy(&text);
                let label = text
                    .trim()
                    .parse()
                    .ok()
                    .filter(|label: &u32| (*label as usize) < classes);
                let label = label.ok_or_else(|| {
                    let expected = format!("a label from 0 to {} ({classes} classes)", classes - 1);
                    bad(
                        key,
                        format!("`{}` in its .cls file", text.trim()),
                        &expected,
                    )
                })?;
                let image = ImageRef::Tar {
                    archive: Arc::clone(&archive),
                    entry: *image as u32,
                };
                samples.push(Sample {
                    image,
                    labels: vec![label],
                });
            }
            ([], None) => {} // neither: a file about the shard
            (images, class) => {
                let label = if class.is_some() {
                    "a .cls file"
                } else {
                    "no .cls file"
                };
                let found = format!("{} images and {label}", images.len());
                return Err(bad(
                    key,
                    found,
                    "one image and its .cls file, one after the other",
                )
                .into());
            }
        }
        at = end;
    }
    Ok(samples)
}

fn key(name: &str) -> &str {
    let folder = name.rfind('/').map_or(0, |slash| slash + 1);
    name[folder..]
        .find('.')
        .map_or(name, |dot| &name[..folder + dot])
}
