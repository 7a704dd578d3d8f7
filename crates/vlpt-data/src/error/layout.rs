//! What can be wrong with the layout of a data set.

use std::fmt::Display;
use std::path::{Path, PathBuf};

use super::short::short;
use crate::format::Format;

/// A data set that cannot be read as it lies.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LayoutError {
    /// No layout fits.
    #[error(
        "{}: not a data set of a known layout; there is:{}{}{}",
        path.display(),
        bullets(found),
        looked_for_text(looked_for),
        inside_text(inside)
    )]
    NotRecognised {
        /// What was opened.
        path: PathBuf,
        /// What was seen there, one thing a line.
        found: Vec<String>,
        /// The nearest layout and what would have it read, where one is near.
        nearest: Option<String>,
        /// What each layout would need, where none is near.
        looked_for: Vec<String>,
        /// Data sets that lie one folder below.
        inside: Vec<String>,
    },

    /// A web of links in the place of a collection.
    #[error("{}: too many folders behind links", path.display())]
    TooManyLinks {
        /// The folder at which there were too many.
        path: PathBuf,
    },

    /// More than one layout fits.
    #[error(
        "{}: more than one layout fits:{}",
        path.display(),
        bullets(&found.iter().map(|(format, why)| format!("{format}: {why}")).collect::<Vec<_>>())
    )]
    Ambiguous {
        /// What was opened.
        path: PathBuf,
        /// Layouts, each with what speaks for it.
        found: Vec<(Format, String)>,
    },

    /// The named layout does not fit.
    #[error("{}: cannot be read as {format}: expected {expected}", path.display())]
    NotThisFormat {
        /// What was opened.
        path: PathBuf,
        /// The layout that was named.
        format: Format,
        /// What the layout needs.
        expected: String,
    },

    /// An option that changes nothing in this set.
    #[error("{}: {flag} has no effect on this {format} data set: {why}", path.display())]
    WithoutEffect {
        /// What was opened.
        path: PathBuf,
        /// Its layout.
        format: Format,
        /// The option's flag.
        flag: String,
        /// Why it has none.
        why: &'static str,
    },

    /// The reader of this layout was left out when the program was built.
    #[error("{}: this build does not read {format} data sets: it lacks the feature `{feature}`", path.display())]
    NotBuiltIn {
        /// What was opened.
        path: PathBuf,
        /// Its layout.
        format: Format,
        /// The Cargo feature that is missing.
        feature: &'static str,
    },

    /// A file that the layout needs is absent.
    #[error("{set}: needs {}, which does not exist", file.display())]
    MissingFile {
        /// The data set.
        set: String,
        /// The file.
        file: PathBuf,
        /// Where it comes from.
        help: String,
    },

    /// A line, entry or row that contradicts the format or the rest of the set.
    #[error(
        "{}: {}: found {}, expected {}", file.display(), short(place), short(found), short(expected)
    )]
    BadEntry {
        /// The file.
        file: PathBuf,
        /// Line, entry or row.
        place: String,
        /// What stands there.
        found: String,
        /// What should stand there.
        expected: String,
    },

    /// Listed images that are not there.
    #[error(
        "{}: {place} names the image `{image}`, which does not exist ({missing} of {total} listed images are missing)",
        file.display()
    )]
    MissingImages {
        /// The list.
        file: PathBuf,
        /// The first entry whose image is missing.
        place: String,
        /// Its image.
        image: String,
        /// Number of missing images in the list.
        missing: usize,
        /// Number of images in the list.
        total: usize,
    },

    /// A table none of whose images is found.
    #[error(
        "{}: none of the images in its first rows is found, such as `{image}`",
        file.display()
    )]
    NoImages {
        /// The table.
        file: PathBuf,
        /// The first image, as it is written there.
        image: String,
    },

    /// Several tables of images, of which only the user can choose one.
    #[error("{}: several tables list images: {}", path.display(), names.join(", "))]
    SeveralTables {
        /// The folder.
        path: PathBuf,
        /// The files.
        names: Vec<String>,
    },

    /// A class folder without an image.
    #[error("{}: class folder without images", folder.display())]
    EmptyClass {
        /// The folder.
        folder: PathBuf,
    },

    /// A name that is not Unicode, of an image or a folder.
    #[error("{}: the name is not UTF-8{}", path.display(), and_more(*count))]
    NotUnicode {
        /// The file or folder; what is no UTF-8 is shown as a replacement character.
        path: PathBuf,
        /// How many such names its folder holds.
        count: usize,
    },

    /// A path that climbs out of the data set.
    #[error("{origin}: refused the path `{path}`, which is absolute or leaves its root")]
    LeavesRoot {
        /// Where the path was written.
        origin: String,
        /// The path.
        path: String,
    },

    /// A link that leads out of the data set.
    #[error("{origin}: refused `{path}`, a link that leads out of the data set to {}", target.display())]
    LinkLeavesRoot {
        /// The root.
        origin: String,
        /// The path below it.
        path: String,
        /// Where it leads.
        target: PathBuf,
    },

    /// An archive that cannot be read.
    #[error("{origin}: cannot be read as {kind}: {detail}")]
    DamagedArchive {
        /// The archive, or a member.
        origin: String,
        /// Kind of the archive.
        kind: &'static str,
        /// What the reader said.
        detail: String,
    },

    /// Columns among which only the user can choose.
    #[error("{}: {what}; the file has {}", file.display(), columns.join(", "))]
    ChooseColumn {
        /// The file.
        file: PathBuf,
        /// What is unclear, such as `more than one column could be the label`.
        what: String,
        /// Names of the columns, with their kind where it helps.
        columns: Vec<String>,
    },

    /// A data set in an archive that cannot be read as it lies.
    #[error("{message}")]
    InArchive {
        /// What is wrong, with paths in the archive.
        message: String,
        /// A way out, where there is one.
        hint: Option<String>,
    },

    /// A file whose name says no split, beside others.
    #[error(
        "{}: the name says no split; beside it lie {}; expected `train`, `validation` or `test` as in train-00000-of-00002.parquet, NAME-train.parquet, train.parquet or train/0000.parquet",
        file.display(),
        others.join(", ")
    )]
    UnclearSplit {
        /// The file.
        file: PathBuf,
        /// Some of the files beside it.
        others: Vec<String>,
    },

    /// A set without images or without classes.
    #[error("{}: no {what}", path.display())]
    Nothing {
        /// What was opened.
        path: PathBuf,
        /// What there is none of.
        what: String,
    },

    /// Split ratios that are no ratios.
    #[error(
        "split ratios {ratios:?}: expected three shares of 0 or more, train above 0, that add up to 1"
    )]
    BadRatios {
        /// Train, val, test.
        ratios: [f64; 3],
    },
}

fn bullets(lines: &[String]) -> String {
    lines.iter().flat_map(|line| ["\n  - ", line]).collect()
}

fn looked_for_text(lines: &[String]) -> String {
    match lines {
        [] => String::new(),
        lines => format!("\nlooked for:{}", bullets(lines)),
    }
}

fn and_more(count: usize) -> String {
    match count {
        0 | 1 => String::new(),
        count => format!(" (nor are {} other names in its folder)", count - 1),
    }
}

fn inside_text(inside: &[String]) -> String {
    if inside.is_empty() {
        return String::new();
    }
    format!(
        "\nbut these folders inside it are data sets:{}",
        bullets(inside)
    )
}

impl LayoutError {
    /// At the path the named format does not lie.
    pub(crate) fn other_format(path: &Path, format: Format, expected: &str) -> Self {
        Self::NotThisFormat {
            path: path.to_path_buf(),
            format,
            expected: expected.to_owned(),
        }
    }

    /// An archive or member that a reader of `kind` gave up on.
    pub(crate) fn damaged(origin: &str, kind: &'static str, detail: &dyn Display) -> Self {
        Self::DamagedArchive {
            origin: origin.to_owned(),
            kind,
            detail: detail.to_string(),
        }
    }

    /// A way out, in one sentence, where there is one.
    pub fn hint(&self) -> Option<String> {
        let text = match self {
            Self::NotRecognised {
                nearest: Some(nearest),
                ..
            } => return Some(nearest.clone()),
            Self::NotRecognised { .. } => {
                "docs/reference/dataset-formats.md shows the layout of each format"
            }
            Self::TooManyLinks { .. } => {
                "name the folders themselves, or list the images with --files-from"
            }
            Self::Ambiguous { found, .. } => {
                let names: Vec<_> = found.iter().map(|(format, _)| format.name()).collect();
                return Some(format!(
                    "name the format with --format: one of {}",
                    names.join(", ")
                ));
            }
            Self::NotThisFormat {
                format: Format::FileNames,
                ..
            } => "leave --label-from-name out where the names of files say no class",
            Self::NotThisFormat { .. } => {
                "leave --format out to have it recognised; docs/reference/dataset-formats.md shows the layouts"
            }
            Self::WithoutEffect { flag, .. } => {
                return Some(format!(
                    "leave {flag} out; in a configuration it is the key `{}` of [data]",
                    flag.trim_start_matches('-').replace('-', "_")
                ));
            }
            Self::NotBuiltIn { feature, .. } => {
                return Some(format!(
                    "build it with the feature: `cargo install --path crates/vlpt --locked --features {feature}`"
                ));
            }
            Self::MissingFile { help, .. } => return Some(help.clone()),
            Self::BadEntry { .. } => "correct the entry, or fetch the file again",
            Self::MissingImages { file, .. } => {
                let table = file.extension().is_some_and(|ending| {
                    ["csv", "tsv", "jsonl", "ndjson"]
                        .iter()
                        .any(|e| ending.eq_ignore_ascii_case(e))
                });
                if table {
                    "copy the missing images there, name the folder that holds them with --image-root, or leave them out with --skip-missing-images"
                } else {
                    "copy the missing images there, or leave them out with --skip-missing-images"
                }
            }
            Self::NoImages { .. } => {
                "copy the images beside the table, or name the folder that holds them with --image-root"
            }
            Self::SeveralTables { path, names } => {
                let first = names
                    .first()
                    .map(|name| path.join(name))
                    .unwrap_or_default();
                return Some(format!(
                    "open the one that is meant, such as {}, or call them train, val and test",
                    first.display()
                ));
            }
            Self::EmptyClass { .. } => {
                "put images there, remove the folder, or leave such classes out with --drop-empty-classes"
            }
            Self::NotUnicode { .. } => {
                "rename it: old archives and other systems write names in other encodings (`convmv` turns whole folders into UTF-8), or leave such out with `--broken skip`"
            }
            Self::LeavesRoot { .. } => {
                "write the path relative to the folder of the data set; for a table, `--image-root` names the folder below which the last parts of its paths are found"
            }
            Self::LinkLeavesRoot { .. } => {
                "copy the files into the data set, or open the folder that the link leads to"
            }
            Self::DamagedArchive { .. } => "fetch the archive again",
            Self::InArchive { hint, .. } => return hint.clone(),
            Self::UnclearSplit { .. } => {
                "rename the file, move it out of the folder, or open one file by its own path"
            }
            Self::ChooseColumn { .. } => {
                "name the columns with --image-column and --label-column, by name or by number from 1; a file with the classes with --class-file"
            }
            Self::Nothing { .. } | Self::BadRatios { .. } => return None,
        };
        Some(text.to_owned())
    }
}
