//! A subset as a list that other programs read.

use std::path::{Path, PathBuf};

use vlpt_base::files::write_atomic_shared;

use super::super::coop::single_labels;
use super::super::subset::Subset;
use super::{Layout, ListedImage, jsonl, layout, pickled};
use crate::error::Result;
use crate::task::{Split, Task};

/// Writes a subset as a list, and gives the files: `NAME.pkl`, or `NAME_train.jsonl` and
/// `NAME_val.jsonl` (without validation images the first alone). `prefix` stands before the id of each
/// image; left out, it is what published code expects: in a pickle the folder of the set as an absolute
/// path, in the other layout the name of that folder.
///
/// # Errors
/// A name that ends in neither `.jsonl` nor `.pkl`; images with other than one label; a subset of
/// another task; a folder that cannot be written.
pub fn write_list(
    path: &Path,
    task: &Task,
    subset: &Subset,
    prefix: Option<&str>,
) -> Result<Vec<PathBuf>> {
    let layout = layout(path)?;
    let (train, val) = subset.splits(task)?;
    let prefix = match prefix {
        Some(prefix) => prefix.to_owned(),
        None => usual_prefix(layout, &task.provenance.root)?,
    };
    let train = images(task, &train, &prefix)?;
    let val = images(task, &val, &prefix)?;
    let mut files = Vec::new();
    let mut write = |path: PathBuf, bytes: &[u8]| -> Result<()> {
        write_atomic_shared(&path, bytes)?;
        files.push(path);
        Ok(())
    };
    match layout {
        Layout::Pickle => {
            let val = (!val.is_empty()).then_some(&val[..]);
            write(path.to_owned(), &pickled::write(&train, val))?;
        }
        Layout::Jsonl => {
            let whole = || (path.to_owned(), path.to_owned());
            let (train_path, val_path) = jsonl::halves(path).unwrap_or_else(whole);
            write(train_path, &lines(&train))?;
            if !val.is_empty() {
                write(val_path, &lines(&val))?;
            }
        }
    }
    Ok(files)
}

/// What published code has before the path of an image inside its set, with a `/` at the end.
fn usual_prefix(layout: Layout, root: &Path) -> Result<String> {
    if root.as_os_str().is_empty() || !root.exists() {
        return Ok(String::new());
    }
    let folder = match layout {
        Layout::Pickle => fs_err::canonicalize(root)?.display().to_string(),
        Layout::Jsonl => {
            let whole = fs_err::canonicalize(root)?;
            let name = whole.file_name();
            name.map(|name| name.to_string_lossy().into_owned())
                .unwrap_or_default()
        }
    };
    Ok(format!("{}/", folder.trim_end_matches('/')))
}

fn images(task: &Task, split: &Split, prefix: &str) -> Result<Vec<ListedImage>> {
    let labels = single_labels(&task.name, split)?;
    let all = split.samples.iter().zip(labels).enumerate();
    Ok(all
        .map(|(index, (sample, label))| ListedImage {
            number: index + 1,
            path: format!("{prefix}{}", sample.image.id()),
            label,
            class: task.classes[label as usize].clone(),
        })
        .collect())
}

fn lines(images: &[ListedImage]) -> Vec<u8> {
    let mut out = String::new();
    for image in images {
        let line = jsonl::Line {
            path: image.path.clone(),
            label: image.label,
            domain: jsonl::no_domain(),
            class: image.class.clone(),
        };
        out += &serde_json::to_string(&line).expect("plain strings and numbers");
        out.push('\n');
    }
    out.into_bytes()
}
