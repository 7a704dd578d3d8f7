//! FER2013 as its challenge publishes it: tables with the pixels of faces as numbers in a cell.

use std::io::Read;
use std::path::{Path, PathBuf};

use super::layout::{Gives, Item, Layout};
use super::pixels::{bad, label, sample, whole};
use super::task_builder::TaskBuilder;
use crate::archive::{Grid, Pixels, RawImages, Root};
use crate::error::{LayoutError, Result};
use crate::format::Format;
use crate::sample::Sample;
use crate::split_name::SplitName;

pub(super) const EXPECTED: &str =
    "fer2013.csv, icml_face_data.csv or train.csv with the columns emotion and pixels";

/// As the documentation shows it.
pub(super) const LAYOUTS: &[Layout] = &[Layout {
    name: "FER2013",
    format: Format::Fer2013,
    sign: "`fer2013.csv`, `icml_face_data.csv` or else `train.csv` with the columns `emotion` and `pixels` (48 x 48 numbers); `Usage` says the split",
    open: "fer2013.csv",
    flags: "",
    example: &[Item::Pixels(
        "fer2013.csv",
        "emotion,pixels,Usage",
        &[
            "3,@,Training",
            "4,@,Training",
            "6,@,PublicTest",
            "0,@,PrivateTest",
        ],
    )],
    gives: Gives::single(&CLASSES, [2, 1, 1]),
}];

/// Names of files, those with the most in them first.
const FILES: [&str; 3] = ["fer2013.csv", "icml_face_data.csv", "train.csv"];
/// The emotions by their numbers, called as in ELEVATER's task.
const CLASSES: [&str; 7] = [
    "angry",
    "disgusted",
    "fearful",
    "happy",
    "sad",
    "surprised",
    "neutral",
];
/// Pixels of a side.
const SIDE: u32 = 48;
const IMAGE: usize = (SIDE * SIDE) as usize;
/// So much of a table is looked at for its header.
const HEAD: usize = 200;

/// Where columns are.
#[derive(Debug, Clone, Copy)]
struct Columns {
    emotion: usize,
    pixels: usize,
    usage: Option<usize>,
}

impl Columns {
    fn of<'a>(header: impl Iterator<Item = &'a str>) -> Option<Self> {
        let names: Vec<String> = header.map(|name| name.trim().to_lowercase()).collect();
        let at = |wanted: &str| names.iter().position(|name| name == wanted);
        Some(Self {
            emotion: at("emotion")?,
            pixels: at("pixels")?,
            usage: at("usage"),
        })
    }
}

/// Whether a table's header has the columns.
fn has_columns(file: &Path) -> bool {
    let mut head = Vec::new();
    let read =
        fs_err::File::open(file).and_then(|open| open.take(HEAD as u64).read_to_end(&mut head));
    let head = String::from_utf8_lossy(&head);
    let first = head.lines().next().unwrap_or_default();
    read.is_ok() && Columns::of(first.trim_start_matches('\u{feff}').split(',')).is_some()
}

/// The table at a path: itself, or the first that is in it.
fn find(path: &Path) -> Option<PathBuf> {
    if path.is_file() {
        let table = path.extension().is_some_and(|ending| ending == "csv");
        return Some(path.to_path_buf()).filter(|file| table && has_columns(file));
    }
    FILES
        .iter()
        .map(|name| path.join(name))
        .find(|file| has_columns(file))
}

fn file_name(file: &Path) -> String {
    let name = file.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}

/// What speaks for this layout.
pub(super) fn recognise(path: &Path) -> Option<String> {
    find(path).map(|file| format!("{} with emotion and pixels", file_name(&file)))
}

pub(super) fn read(path: &Path) -> Result<TaskBuilder> {
    let file =
        find(path).ok_or_else(|| LayoutError::other_format(path, Format::Fer2013, EXPECTED))?;
    let name = file_name(&file);
    let folder = match file.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    let bytes = whole(&Root::open(folder)?.check_links(&name)?)?;
    let (pixels, rows) = rows(&file, &bytes)?;
    let images = RawImages::held(
        &name,
        pixels,
        Grid {
            start: 0,
            step: IMAGE as u64,
            count: rows.len() as u32,
            width: SIDE,
            height: SIDE,
            pixels: Pixels::Grey,
        },
    )?;
    let mut builder = TaskBuilder::new("fer-2013".to_owned(), CLASSES.map(str::to_owned).into());
    for split in SplitName::ALL {
        let of_split = (0..).zip(&rows).filter(|(_, (part, _))| *part == split);
        let samples: Vec<Sample> = of_split
            .map(|(index, (_, label))| sample(&images, index, *label))
            .collect();
        if !samples.is_empty() {
            builder.set(split, samples);
        }
    }
    if name == FILES[2] {
        builder.notes.push(
            "train.csv alone has labels: test.csv, where it is there, was passed over".to_owned(),
        );
    }
    Ok(builder)
}

/// A row's split and label.
type Row = (SplitName, u32);

/// The pixels of all rows, and what else they say.
fn rows(file: &Path, bytes: &[u8]) -> Result<(Vec<u8>, Vec<Row>)> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut table = csv::ReaderBuilder::new().from_reader(bytes);
    let wrong = |place: String, error: &csv::Error| {
        bad(file, place, error.to_string(), "rows of a CSV table")
    };
    let header = table
        .headers()
        .map_err(|e| wrong("header".to_owned(), &e))?;
    let columns = Columns::of(header.iter())
        .ok_or_else(|| bad(file, "header", "other columns", "emotion and pixels"))?;
    let (mut pixels, mut rows) = (Vec::new(), Vec::new());
    for (number, record) in table.records().enumerate() {
        let place = || format!("row {}", number + 1);
        let record = record.map_err(|error| wrong(place(), &error))?;
        let cell = |column: usize| record.get(column).unwrap_or_default().trim();
        let emotion = cell(columns.emotion);
        let found: i64 = emotion.parse().map_err(|_| {
            let found = format!("the emotion `{emotion}`");
            bad(file, place(), found, "a number from 0 to 6")
        })?;
        let split = match columns.usage.map(cell) {
            None | Some("Training") => SplitName::Train,
            Some("PublicTest") => SplitName::Val,
            Some("PrivateTest") => SplitName::Test,
            Some(other) => {
                let found = format!("the usage `{other}`");
                let expected = "Training, PublicTest or PrivateTest";
                return Err(bad(file, place(), found, expected).into());
            }
        };
        let before = pixels.len();
        for value in cell(columns.pixels).split_ascii_whitespace() {
            let value = value.parse::<u8>().map_err(|_| {
                let found = format!("the pixel `{value}`");
                bad(file, place(), found, "numbers from 0 to 255")
            })?;
            pixels.push(value);
        }
        let count = pixels.len() - before;
        if count != IMAGE {
            let found = format!("{count} pixels");
            return Err(bad(file, place(), found, format!("{IMAGE} pixels")).into());
        }
        rows.push((split, label(file, number, found, CLASSES.len())?));
    }
    Ok((pixels, rows))
}
