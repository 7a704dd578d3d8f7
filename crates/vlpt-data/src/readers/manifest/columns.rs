//! Which columns of a table hold images, labels and splits.

use super::names::{
    IMAGE, LABEL, MORE_IMAGE, MORE_LABEL, MORE_SPLIT, SPLIT, flag, is_fold, is_no_class,
};
use crate::label_separator::LabelSeparator;
use crate::readers::known::plain;
use crate::readers::options::OpenOptions;

/// Between the labels of one image in a column called `labels`.
const SEPARATOR: &str = ";";

/// The columns that are read, by their places.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Columns {
    pub(super) image: usize,
    pub(super) label: Label,
    pub(super) split: Option<SplitColumn>,
    /// Whether all names are of the short lists, or given by the user: no further proof is needed.
    pub(super) sure: bool,
    /// What a user should know of the other columns.
    pub(super) notes: Vec<String>,
}

/// Where labels stand.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Label {
    /// In one column; several of one image apart by the separator.
    Column(usize, Option<LabelSeparator>),
    /// A column for each class, of 0 and 1.
    OneHot(Vec<usize>),
}

/// A column that says the split, and how.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum SplitColumn {
    /// Names of splits, and nothing else is right.
    Named(usize),
    /// Names of splits perhaps.
    Perhaps(usize),
    /// Yes and no.
    Flag(usize, (&'static str, &'static str)),
}

/// What is known of a table before its columns are chosen.
pub(super) struct Seen<'a> {
    pub(super) names: &'a [String],
    pub(super) has_header: bool,
    /// Where there is no header, the first column whose first cell is the name of an image.
    pub(super) image_cell: Option<usize>,
    /// Whether all rows seen have 0 or 1 in a column.
    pub(super) binary: &'a dyn Fn(usize) -> bool,
}

/// Chooses the columns: those that the user named, else the first of the usual names.
///
/// # Errors
/// What is lacking, in words.
pub(super) fn choose(seen: &Seen<'_>, options: &OpenOptions) -> Result<Columns, String> {
    let (image, sure_image) = image(seen, options)?;
    let (label, sure_label) = label(seen, image, options)?;
    let mut notes = Vec::new();
    if let Label::OneHot(columns) = &label {
        let names: Vec<String> = columns
            .iter()
            .take(8)
            .map(|column| format!("`{}`", seen.names[*column].trim()))
            .collect();
        notes.push(format!(
            "the labels are the {} columns that hold nothing but 0 and 1: {}",
            columns.len(),
            names.join(", ")
        ));
    }
    let split = split(seen);
    if split.is_none() {
        let folds = seen.names.iter().filter(|name| is_fold(name));
        notes.extend(folds.map(|name| {
            format!("the column `{name}` numbers the parts of a cross-validation and is not used: a column `split`, or files train.csv and test.csv, say the split")
        }));
    }
    Ok(Columns {
        image,
        label,
        split,
        sure: sure_image && sure_label,
        notes,
    })
}

/// A column that the user named: by its name, else by its number from 1.
fn named(seen: &Seen<'_>, wanted: &str, what: &str) -> Result<usize, String> {
    let names = seen.names;
    let number = || {
        wanted
            .parse()
            .ok()
            .filter(|n| (1..=names.len()).contains(n))
    };
    names
        .iter()
        .position(|name| name == wanted)
        .or_else(|| names.iter().position(|name| name.trim() == wanted.trim()))
        .or_else(|| number().map(|number: usize| number - 1))
        .ok_or_else(|| format!("no {what} column `{wanted}`"))
}

/// The first column of one of these names, whatever its case; not the column `other`.
fn usual(
    names: &[String],
    short: &[&str],
    more: &[&str],
    other: Option<usize>,
) -> Option<(usize, bool)> {
    let at = |fits: &dyn Fn(&str) -> bool| {
        let mut places = names.iter().enumerate();
        places
            .find(|(place, name)| Some(*place) != other && fits(name))
            .map(|(place, _)| place)
    };
    let of_short = short
        .iter()
        .find_map(|wanted| at(&|name| name.trim().eq_ignore_ascii_case(wanted)));
    let of_more = || {
        more.iter()
            .find_map(|wanted| at(&|name| plain(name) == *wanted))
    };
    of_short
        .map(|place| (place, true))
        .or_else(|| of_more().map(|place| (place, false)))
}

fn image(seen: &Seen<'_>, options: &OpenOptions) -> Result<(usize, bool), String> {
    if let Some(wanted) = &options.image_column {
        return Ok((named(seen, wanted, "image")?, true));
    }
    if !seen.has_header {
        let place = seen
            .image_cell
            .ok_or("no header, and no image in the first line")?;
        return Ok((place, false));
    }
    usual(seen.names, &IMAGE, &MORE_IMAGE, None).ok_or_else(|| {
        format!(
            "no image column of a usual name ({}, image_id, ...)",
            IMAGE.join(", ")
        )
    })
}

fn label(seen: &Seen<'_>, image: usize, options: &OpenOptions) -> Result<(Label, bool), String> {
    let one = |place: usize| {
        let many = options.label_separator.or_else(|| {
            let several = seen.names[place].trim().eq_ignore_ascii_case(LABEL[2]);
            several.then(|| SEPARATOR.parse().ok()).flatten()
        });
        Label::Column(place, many)
    };
    if let Some(wanted) = &options.label_column {
        return Ok((one(named(seen, wanted, "label")?), true));
    }
    if !seen.has_header {
        return match seen.names.len() {
            2 => Ok((one(1 - image), false)),
            _ => Err("no header: the column with the labels has to be named by its number, counted from 1".to_owned()),
        };
    }
    if let Some((place, sure)) = usual(seen.names, &LABEL, &[], Some(image)) {
        return Ok((one(place), sure));
    }
    if let Some((place, _)) = usual(seen.names, &[], &MORE_LABEL, Some(image)) {
        return Ok((one(place), false));
    }
    let one_hot: Vec<usize> = (0..seen.names.len())
        .filter(|column| *column != image && !is_no_class(&seen.names[*column]))
        .filter(|column| (seen.binary)(*column))
        .collect();
    if one_hot.len() > 1 {
        return Ok((Label::OneHot(one_hot), false));
    }
    Err(format!(
        "no label column of a usual name ({}, category, target, species, breed, ...), and no columns of 0 and 1",
        LABEL.join(", ")
    ))
}

fn split(seen: &Seen<'_>) -> Option<SplitColumn> {
    let names = || seen.names.iter().enumerate();
    let named = names().find(|(_, name)| name.trim().eq_ignore_ascii_case(SPLIT));
    if let Some((place, _)) = named {
        return Some(SplitColumn::Named(place));
    }
    let flags = names().find_map(|(place, name)| Some(SplitColumn::Flag(place, flag(name)?)));
    flags.or_else(|| {
        let perhaps = names().find(|(_, name)| MORE_SPLIT.contains(&&*plain(name)));
        perhaps.map(|(place, _)| SplitColumn::Perhaps(place))
    })
}
