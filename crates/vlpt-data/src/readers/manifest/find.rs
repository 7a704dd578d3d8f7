//! The tables of a data set: which files they are, and which are none.

use std::path::{Path, PathBuf};

use super::columns::Columns;
use super::names::is_missing;
use super::places::{Places, Spot};
use super::{csv_rows, jsonl_rows};
use crate::archive::Root;
use crate::error::{DataError, LayoutError, Result};
use crate::format::Format;
use crate::readers::folders::{folders_in, list};
use crate::readers::options::OpenOptions;
use crate::split_name::SplitName;

/// One table.
#[derive(Debug, Clone)]
pub(super) struct Table {
    pub(super) file: PathBuf,
    /// The folder that its paths start from, below that of the data set; empty: that folder.
    pub(super) base: String,
    /// The split that its name or its folder stands for.
    pub(super) part: Option<SplitName>,
    /// Whether its columns alone speak for it.
    pub(super) sure: bool,
}

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Search {
    pub(super) tables: Vec<Table>,
    pub(super) notes: Vec<String>,
    /// Why a file is no table of images, the first of them.
    pub(super) error: Option<DataError>,
    /// The error of a table that cannot be read as text, or whose images are not found.
    pub(super) unproven: Option<DataError>,
}

fn endings(format: Format) -> &'static [&'static str] {
    if format == Format::Csv {
        &["csv", "tsv"]
    } else {
        &["jsonl", "ndjson"]
    }
}

/// Whether a file of this name is a table of a format.
pub(super) fn has_ending(name: &str, format: Format) -> bool {
    let ending = name
        .rsplit_once('.')
        .map(|(_, ending)| ending.to_ascii_lowercase());
    ending.is_some_and(|ending| endings(format).contains(&&*ending))
}

/// The columns of a file and its first images.
fn columns(file: &Path, format: Format, options: &OpenOptions) -> Result<(Columns, Vec<String>)> {
    if format == Format::Csv {
        csv_rows::columns(file, options)
    } else {
        jsonl_rows::columns(file, options)
    }
}

/// The tables at `path`: the file itself; in a folder `train.csv` and its like, else the only table;
/// or the tables in the folders of the splits.
pub(super) fn find(path: &Path, format: Format, options: &OpenOptions) -> Search {
    let mut search = Search::default();
    if path.is_file() {
        if has_ending(&path.to_string_lossy(), format) {
            search.look(path, "", None, format, options);
        }
        return search;
    }
    let names = list(path).map(|names| names.files).unwrap_or_default();
    for name in names.iter().filter(|name| has_ending(name, format)) {
        if name.to_lowercase().contains("submission") {
            search.notes.push(format!(
                "{name} was passed over: its labels are to be filled in"
            ));
            continue;
        }
        search.look(&path.join(name), "", None, format, options);
    }
    search.choose();
    if search.tables.is_empty() {
        in_splits(path, format, options, &mut search);
    }
    search
}

impl Search {
    /// Takes a file in if it is a table of images.
    fn look(
        &mut self,
        file: &Path,
        base: &str,
        part: Option<SplitName>,
        format: Format,
        options: &OpenOptions,
    ) {
        match columns(file, format, options) {
            Ok((columns, images)) => {
                let sure = columns.sure;
                if sure || proven(file, base, &images, options) {
                    let (file, base) = (file.to_path_buf(), base.to_owned());
                    self.tables.push(Table {
                        file,
                        base,
                        part,
                        sure,
                    });
                } else if let Some(first) = images.first() {
                    let error = LayoutError::NoImages {
                        file: file.to_path_buf(),
                        image: first.clone(),
                    };
                    self.unproven.get_or_insert(error.into());
                }
            }
            // not as text: that hides the columns, and is the user's to mend
            Err(error @ DataError::Layout(LayoutError::BadEntry { .. })) => {
                self.unproven.get_or_insert(error);
            }
            Err(error) => {
                let unlabelled = part.or_else(|| split_of_stem(file)) == Some(SplitName::Test);
                if unlabelled
                    && matches!(&error, DataError::Layout(LayoutError::ChooseColumn { .. }))
                {
                    let name = file.file_name().unwrap_or_default().display();
                    self.notes.push(format!(
                        "{name} has no column of labels: its images were passed over (`vlpt predict` names their classes)"
                    ));
                }
                self.error.get_or_insert(error);
            }
        }
    }

    /// Of tables of one folder, those that count: the sure ones before others, and those called
    /// after splits before others.
    fn choose(&mut self) {
        if self.tables.iter().any(|table| table.sure) {
            self.tables.retain(|table| table.sure);
        }
        let by_stem: Vec<Option<SplitName>> = self
            .tables
            .iter()
            .map(|table| split_of_stem(&table.file))
            .collect();
        let part_of = if by_stem.iter().any(Option::is_some) {
            by_stem
        } else {
            let by_word: Vec<Option<SplitName>> = self
                .tables
                .iter()
                .map(|table| split_in_stem(&table.file))
                .collect();
            let splits: std::collections::BTreeSet<_> = by_word.iter().flatten().collect();
            // `train_labels.csv` alone is one list
            if splits.len() < 2 {
                return;
            }
            by_word
        };
        let tables = std::mem::take(&mut self.tables);
        for (mut table, part) in tables.into_iter().zip(part_of) {
            let name = table
                .file
                .file_name()
                .unwrap_or_default()
                .display()
                .to_string();
            match part {
                Some(_) => {
                    table.part = part;
                    self.tables.push(table);
                }
                None => self.notes.push(format!(
                    "{name} was passed over: it is not called after a split, as others are"
                )),
            }
        }
    }
}

/// Tables in folders called after splits: Hugging Face's `metadata.csv`, Roboflow's `_classes.csv`,
/// or the only one.
fn in_splits(path: &Path, format: Format, options: &OpenOptions, search: &mut Search) {
    for folder in folders_in(path) {
        let Some(part) = SplitName::from_name(&folder) else {
            continue;
        };
        let place = path.join(&folder);
        let files = list(&place).map(|names| names.files).unwrap_or_default();
        let mut tables: Vec<&String> = files
            .iter()
            .filter(|name| has_ending(name, format))
            .collect();
        let known = |name: &&String| name.starts_with("metadata.") || name.starts_with("_classes.");
        if tables.iter().any(known) {
            tables.retain(known);
        }
        if let [name] = tables[..] {
            search.look(&place.join(name), &folder, Some(part), format, options);
        }
    }
    // one table in a folder of class folders proves little
    for table in &mut search.tables {
        table.sure = false;
    }
}

/// Whether an image that a table without a sure sign lists is there.
fn proven(file: &Path, base: &str, images: &[String], options: &OpenOptions) -> bool {
    let cells: Vec<&str> = images
        .iter()
        .map(String::as_str)
        .filter(|c| !is_missing(c))
        .collect();
    let places = places(file, base, options).and_then(|mut places| {
        places.settle(file, &cells)?;
        Ok(places)
    });
    let Ok(mut places) = places else {
        return false;
    };
    // images that fit twice are there too; reading tells
    cells.iter().any(|cell| match places.find(cell, file, "") {
        Ok(spot) => matches!(spot, Spot::At(_)),
        Err(error) => matches!(error, DataError::Layout(LayoutError::BadEntry { .. })),
    })
}

/// The folder of the images of a table, where the user names one or not.
pub(super) fn places(file: &Path, base: &str, options: &OpenOptions) -> Result<Places> {
    let parent = file
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let mut folder = parent.unwrap_or(Path::new(".")).to_path_buf();
    for _ in base.split('/').filter(|part| !part.is_empty()) {
        folder = folder.parent().map_or(folder.clone(), Path::to_path_buf);
    }
    match &options.image_root {
        Some(named) if named.is_dir() || named.is_absolute() => {
            Ok(Places::new(&Root::open(named)?, "", true))
        }
        Some(named) => Ok(Places::new(&Root::open(&folder.join(named))?, "", true)),
        None => Ok(Places::new(&Root::open(&folder)?, base, false)),
    }
}

/// The split that a file is called after.
fn split_of_stem(file: &Path) -> Option<SplitName> {
    SplitName::from_name(&file.file_stem()?.to_string_lossy())
}

/// The split that one word of a file's name says, as in `train_labels.csv`.
fn split_in_stem(file: &Path) -> Option<SplitName> {
    let stem = file.file_stem()?.to_string_lossy().into_owned();
    let mut words = stem
        .split(|c: char| !c.is_alphanumeric())
        .filter_map(SplitName::from_name);
    match (words.next(), words.next()) {
        (Some(part), None) => Some(part),
        _ => None,
    }
}
