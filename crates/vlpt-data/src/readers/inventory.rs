//! What lies in a folder that no reader understands, for an error that says what was seen.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::folders::{below, list};
use super::manifest::{self, Head};
use crate::image::has_image_ending as is_image;

/// Where looking stops.
const DEPTH: usize = 5;
const MOST_FILES: usize = 100_000;
/// How many of a kind are named.
const SHOWN: usize = 8;

const TABLES: [&str; 4] = ["csv", "tsv", "jsonl", "ndjson"];
const ARCHIVES: [&str; 9] = ["zip", "tar", "tgz", "gz", "7z", "rar", "bz2", "xz", "zst"];
/// Kinds of files that are told by name, since their endings mean little to many.
const KINDS: [(&str, &str); 9] = [
    ("heic", "HEIC photos"),
    ("heif", "HEIF photos"),
    ("avif", "AVIF images"),
    ("xml", "XML, as annotations of boxes have"),
    ("arrow", "Arrow, as `save_to_disk` writes"),
    ("tfrecord", "TFRecord"),
    ("npy", "NumPy arrays"),
    ("npz", "NumPy arrays"),
    ("dcm", "DICOM"),
];

/// What lies in a folder.
#[derive(Debug, Default)]
pub(super) struct Inventory {
    pub(super) folders: Vec<String>,
    /// Number of files by ending, in lower case.
    pub(super) endings: BTreeMap<String, usize>,
    pub(super) files: usize,
    /// Images directly in the folder, or in the only folder that has any directly.
    pub(super) flat: Vec<String>,
    /// Tables, by their paths.
    pub(super) tables: Vec<(String, Option<Head>)>,
    pub(super) archives: Vec<String>,
    pub(super) json: Vec<String>,
    junk: usize,
    cut: bool,
}

impl Inventory {
    /// Looks into a folder (or at a file), five folders deep.
    pub(super) fn of(path: &Path) -> Self {
        let mut found = Self::default();
        if path.is_file() {
            let name = path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            found.file(path.parent().unwrap_or(Path::new("")), &name);
            return found;
        }
        let mut open = vec![(String::new(), 0)];
        let mut seen = BTreeSet::new();
        while let Some((folder, depth)) = open.pop() {
            // links may lead to a folder on any number of ways
            let real = path.join(&folder).canonicalize();
            let Ok(names) = list(&path.join(&folder)) else {
                continue;
            };
            if real.is_ok_and(|real| !seen.insert(real)) {
                continue;
            }
            found.junk += names.junk.len();
            for name in &names.files {
                found.file(path, &below(&folder, name));
            }
            let images: Vec<String> = names
                .files
                .into_iter()
                .filter(|name| is_image(name))
                .collect();
            if images.len() > found.flat.len() {
                found.flat = images;
            }
            if depth == 0 {
                found.folders.clone_from(&names.folders);
            }
            if depth < DEPTH && found.files < MOST_FILES {
                let inner = names.folders.iter().rev();
                open.extend(inner.map(|name| (below(&folder, name), depth + 1)));
            } else if !names.folders.is_empty() {
                found.cut = true;
            }
        }
        found
    }

    fn file(&mut self, root: &Path, path: &str) {
        let name = path.rsplit('/').next().unwrap_or(path);
        let ending = name
            .rsplit_once('.')
            .map(|(_, ending)| ending.to_ascii_lowercase())
            .unwrap_or_default();
        self.files += 1;
        let shallow = path.matches('/').count() < 2;
        if TABLES.contains(&&*ending) && shallow && self.tables.len() < SHOWN {
            let head = manifest::head(&root.join(path));
            self.tables.push((path.to_owned(), head));
        }
        if ARCHIVES.contains(&&*ending) && shallow {
            self.archives.push(path.to_owned());
        }
        if ending == "json" && shallow {
            self.json.push(path.to_owned());
        }
        *self.endings.entry(ending).or_default() += 1;
    }

    /// Number of images that can be read.
    pub(super) fn images(&self) -> usize {
        let readable = self
            .endings
            .iter()
            .filter(|(ending, _)| is_image(&format!("x.{ending}")));
        readable.map(|(_, count)| count).sum()
    }

    /// What was seen, one thing a line.
    pub(super) fn lines(&self) -> Vec<String> {
        if self.files == 0 && self.folders.is_empty() {
            return vec!["nothing: the folder is empty".to_owned()];
        }
        let mut lines = Vec::new();
        if !self.folders.is_empty() {
            let names = some(&self.folders);
            lines.push(format!("{}: {names}", plural(self.folders.len(), "folder")));
        }
        if self.files > 0 {
            let mut endings: Vec<(&String, &usize)> = self.endings.iter().collect();
            endings.sort_by_key(|(ending, count)| (std::cmp::Reverse(**count), (*ending).clone()));
            let shown: Vec<String> = endings
                .iter()
                .take(SHOWN)
                .map(|(ending, count)| match (ending.as_str(), kind(ending)) {
                    ("", _) => format!("{count} without an ending"),
                    (ending, Some(kind)) => format!("{count} .{ending} ({kind})"),
                    (ending, None) => format!("{count} .{ending}"),
                })
                .collect();
            let cut = if self.cut { " or more" } else { "" };
            lines.push(format!(
                "{}{cut}: {}",
                plural(self.files, "file"),
                shown.join(", ")
            ));
        } else {
            lines.push("no file".to_owned());
        }
        for (path, head) in &self.tables {
            lines.push(match head {
                Some(head) => format!("the table {path}: {}", described(head)),
                None => format!("the table {path}"),
            });
        }
        if !self.archives.is_empty() {
            lines.push(format!("archives: {}", some(&self.archives)));
        }
        if self.junk > 0 {
            lines.push(format!(
                "{} files or folders that systems and tools leave behind",
                self.junk
            ));
        }
        lines
    }
}

fn kind(ending: &str) -> Option<&'static str> {
    let known = KINDS.iter().find(|(known, _)| *known == ending);
    known.map(|(_, kind)| *kind)
}

fn described(head: &Head) -> String {
    let sign = match head.delimiter {
        None => return format!("keys {}", some(&head.columns)),
        Some('\t') => "tab".to_owned(),
        Some(sign) => format!("`{sign}`"),
    };
    if head.has_header {
        let columns: Vec<String> = head
            .columns
            .iter()
            .map(|name| name.trim().to_owned())
            .collect();
        format!("columns {} (between them {sign})", some(&columns))
    } else {
        format!(
            "no header, the first line is {} (between them {sign})",
            some(&head.first)
        )
    }
}

fn plural(count: usize, noun: &str) -> String {
    let s = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{s}")
}

/// The first few names, and how many more there are.
pub(super) fn some(names: &[String]) -> String {
    let shown: Vec<String> = names
        .iter()
        .take(SHOWN)
        .map(|name| format!("`{name}`"))
        .collect();
    match names.len().saturating_sub(SHOWN) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}
