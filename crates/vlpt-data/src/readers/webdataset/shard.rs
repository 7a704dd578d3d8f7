//! The samples of one tar.

use std::sync::Arc;

use super::label::{Label, of_json, of_text};
use crate::archive::{Root, Spool, TarArchive};
use crate::error::{LayoutError, Result};
use crate::image::has_image_ending as is_image;
use crate::sample::ImageRef;

/// An image, and what stands beside it.
#[derive(Debug)]
pub(super) struct Raw {
    /// The tar and the sample in it, for messages.
    pub(super) shard: Arc<str>,
    pub(super) key: String,
    pub(super) image: ImageRef,
    pub(super) label: Label,
}

/// Endings of files with a label, in the order in which they are looked for.
const LABELS: [&str; 4] = ["cls", "label", "json", "txt"];

/// Whether files of these names hold an image with a label beside it.
pub(super) fn has_samples<'a>(names: impl Iterator<Item = &'a str> + Clone) -> bool {
    let labels = names.clone().filter(|name| LABELS.contains(&ending(name)));
    let keys: std::collections::BTreeSet<&str> = labels.map(key).collect();
    let mut images = names.filter(|name| is_image(name));
    images.any(|name| keys.contains(key(name)))
}

/// Reads a tar. Files of one sample follow each other and share the path up to the first dot of its
/// last part; the label is in the file with the ending `named`, under the key `named` of its JSON
/// file, or where it usually is.
pub(super) fn read(
    root: &Arc<Root>,
    shard: &str,
    spool: &Arc<Spool>,
    named: Option<&str>,
) -> Result<Vec<Raw>> {
    let archive = Arc::new(TarArchive::open(root, shard, spool)?);
    let name: Arc<str> = Arc::from(shard);
    let members = archive.members();
    if members.is_empty() {
        let detail = "it holds no files: it is empty, or was never written to its end";
        return Err(LayoutError::damaged(shard, "tar", &detail).into());
    }
    let mut samples = Vec::new();
    let mut at = 0;
    while at < members.len() {
        let key = key(&members[at].name);
        let same = members[at..]
            .iter()
            .take_while(|m| self::key(&m.name) == key);
        let end = at + same.count();
        let bad = |found: String, expected: &str| LayoutError::BadEntry {
            file: root.join(shard),
            place: format!("sample `{key}`"),
            found,
            expected: expected.to_owned(),
        };
        let images: Vec<usize> = (at..end).filter(|i| is_image(&members[*i].name)).collect();
        let label = label(&archive, at..end, named)?;
        match (&images[..], label) {
            ([image], Some(label)) => samples.push(Raw {
                shard: Arc::clone(&name),
                key: key.to_owned(),
                image: ImageRef::Tar {
                    archive: Arc::clone(&archive),
                    entry: *image as u32,
                },
                label,
            }),
            ([], None) => {} // neither: a file about the shard
            ([], Some(label)) if label.ending != "cls" => {}
            (images, label) => {
                let label = match (&label, named) {
                    (Some(label), _) => format!("a .{} file", label.ending),
                    (None, Some(named)) => format!("no label `{named}`"),
                    (None, None) => "no .cls file, nor a label in a .json or .txt file".to_owned(),
                };
                let found = format!("{} images and {label}", images.len());
                let expected = "one image and its label, one after the other";
                return Err(bad(found, expected).into());
            }
        }
        at = end;
    }
    Ok(samples)
}

/// The label of the sample that has these members.
fn label(
    archive: &TarArchive,
    members: std::ops::Range<usize>,
    named: Option<&str>,
) -> Result<Option<Label>> {
    let at = |wanted: &str| {
        let mut members = members.clone();
        members.find(|i| ending(&archive.members()[*i].name) == wanted)
    };
    let text = |member: usize| -> Result<String> {
        let bytes = archive.read(member as u32)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    };
    let json = |named: Option<&str>| -> Result<Option<Label>> {
        let Some(member) = at("json") else {
            return Ok(None);
        };
        let json = serde_json::from_str(&text(member)?).map_err(|error| {
            let origin = archive.id(member as u32);
            LayoutError::damaged(&origin, "JSON", &error)
        })?;
        Ok(of_json(&json, named))
    };
    if let Some(named) = named {
        return match at(named) {
            Some(member) => Ok(Some(of_text(&text(member)?, named))),
            None => json(Some(named)),
        };
    }
    for ending in LABELS {
        if ending == "json" {
            if let Some(label) = json(None)? {
                return Ok(Some(label));
            }
        } else if let Some(member) = at(ending) {
            return Ok(Some(of_text(&text(member)?, ending)));
        }
    }
    Ok(None)
}

fn ending(name: &str) -> &str {
    name.rsplit_once('.').map_or("", |(_, ending)| ending)
}

/// What members of one sample have in common: the path up to the first dot of its last part.
fn key(name: &str) -> &str {
    let folder = name.rfind('/').map_or(0, |slash| slash + 1);
    name[folder..]
        .find('.')
        .map_or(name, |dot| &name[..folder + dot])
}
