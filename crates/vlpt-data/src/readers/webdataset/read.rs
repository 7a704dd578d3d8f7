//! From tar shards to a task.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rayon::prelude::*;

use crate::archive::{Root, Spool};
use crate::error::{LayoutError, Result};
use crate::format::Format;
use crate::readers::folders::base_name;
use crate::readers::options::OpenOptions;
use crate::readers::shards::{alone, sort};
use crate::readers::task_builder::TaskBuilder;
use crate::readers::text::{class_list, lines};
use crate::split_name::SplitName;

use super::classes;
use super::find::{SHARDS, shards_here, split_folders, tar_name, tars};
use super::shard::{self, Raw};

const CLASSES: &str = "classnames.txt";
const TEMPLATES: &str = "zeroshot_classification_templates.txt";

pub(in crate::readers) fn read(path: &Path, options: &OpenOptions) -> Result<TaskBuilder> {
    let folder = match path.parent() {
        Some(parent) if path.is_file() && !parent.as_os_str().is_empty() => parent,
        Some(_) if path.is_file() => Path::new("."),
        _ => path,
    };
    let root = Root::open(folder)?;
    let splits = shards(&root, path, folder, options)?;
    let spool = Arc::new(Spool::default());
    let named = options.label_column.as_deref();
    let mut parts: BTreeMap<SplitName, Vec<Raw>> = BTreeMap::new();
    for (part, shards) in splits.files {
        let read: Vec<Vec<Raw>> = shards
            .par_iter()
            .map(|shard| shard::read(&root, shard, &spool, named))
            .collect::<Result<_>>()?;
        parts.insert(part, read.into_iter().flatten().collect());
    }
    let file = options
        .class_file
        .clone()
        .unwrap_or_else(|| folder.join(CLASSES));
    let all: Vec<&Raw> = parts.values().flatten().collect();
    let classes = if file.is_file() {
        class_list(&file)?
    } else if options.class_file.is_some() || all.is_empty() {
        return Err(no_classes(path, file).into());
    } else {
        classes::of_samples(folder, &all)?.ok_or_else(|| no_classes(path, file))?
    };
    let lists = all.iter().any(|raw| raw.label.list);
    let mut builder = TaskBuilder::new(base_name(path), classes);
    builder.multi_label = lists.then_some(true);
    builder.notes = splits.notes;
    if folder.join(TEMPLATES).is_file() {
        let templates = lines(&folder.join(TEMPLATES))?;
        builder.templates = templates
            .iter()
            .filter(|line| !line.trim().is_empty())
            .map(|line| line.replace("{c}", "{}"))
            .collect();
        builder
            .notes
            .push(format!("templates come from {TEMPLATES}"));
    }
    let endings: BTreeSet<&str> = all.iter().map(|raw| &*raw.label.ending).collect();
    if endings.iter().any(|ending| *ending != "cls") {
        let endings: Vec<&str> = endings.into_iter().collect();
        let note = format!("labels are in .{} files", endings.join(" and ."));
        builder.notes.push(note);
    }
    for (part, samples) in parts {
        let samples = classes::number(&root, samples, &builder.classes)?;
        builder.set(part, samples);
    }
    Ok(builder)
}

fn no_classes(path: &Path, file: PathBuf) -> LayoutError {
    LayoutError::MissingFile {
        set: format!("the WebDataset {}", path.display()),
        file,
        help: "write one class name a line, in the order of the labels, or name a file with --class-file".to_owned(),
    }
}

/// The tars of each split.
struct Shards {
    files: Vec<(SplitName, Vec<String>)>,
    notes: Vec<String>,
}

/// The tars in the folders of splits, or those in the folder itself by their names.
fn shards(root: &Root, path: &Path, folder: &Path, options: &OpenOptions) -> Result<Shards> {
    let folders = if path.is_file() {
        Vec::new()
    } else {
        split_folders(path)
    };
    if !folders.is_empty() {
        let files = folders.into_iter().map(|(part, folder)| {
            let shards = in_folder(path, &folder)?;
            Ok((part, shards))
        });
        return Ok(Shards {
            files: files.collect::<Result<_>>()?,
            notes: Vec::new(),
        });
    }
    let splits = match &shards_here(path)[..] {
        [] => {
            let (path, format) = (path.to_path_buf(), Format::WebDataset);
            return Err(LayoutError::NotThisFormat {
                path,
                format,
                expected: super::find::EXPECTED.into(),
            }
            .into());
        }
        [shard] if path.is_file() => alone(shard),
        shards => sort(root, folder, shards, options)?,
    };
    let mut files: BTreeMap<SplitName, Vec<String>> = BTreeMap::new();
    for (part, file) in splits.files {
        files.entry(part).or_default().push(file);
    }
    Ok(Shards {
        files: files.into_iter().collect(),
        notes: splits.notes,
    })
}

/// Shards of a split in order: `0.tar` to `n-1.tar` where nshards.txt says `n`, else all tars
/// sorted by number and then by name.
fn in_folder(path: &Path, folder: &str) -> Result<Vec<String>> {
    let place = path.join(folder);
    let mut found = tars(&place);
    let number = |name: &str| {
        tar_name(name)
            .map_or(name, |(stem, _)| stem)
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
