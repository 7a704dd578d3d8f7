//! The report as text.

use std::fmt;
use std::fmt::Write as _;

use super::finding::{Level, plural};
use super::report::{CheckReport, SplitReport};
use super::scan::Range;

/// Most broken images, and most groups of equal images, that the text lists.
const LISTED: usize = 10;

/// A summary of some lines: a table of the splits, then what was found. All details are in the
/// fields, and in the JSON.
impl fmt::Display for CheckReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}  ({}, {})", self.task, self.format, self.root)?;
        let kind = if self.multi_label {
            ", several labels an image"
        } else {
            ""
        };
        writeln!(
            f,
            "{}{kind}, judged by {}",
            plural(self.classes.len(), "class"),
            self.metric
        )?;
        if let Some(made) = &self.made_split {
            writeln!(
                f,
                "split made here with seed {}, SHA-256 {}",
                made.seed, made.sha256
            )?;
        }
        writeln!(f)?;
        let mut rows =
            vec![["split", "images", "per class", "width", "height", "formats"].map(str::to_owned)];
        rows.extend(self.splits.iter().map(row));
        table(f, &rows)?;
        if let Some(catalogue) = &self.catalogue {
            let verdict = if catalogue.is_equal() {
                "equal to"
            } else {
                "differs from"
            };
            writeln!(f, "\n{verdict} {} of the catalogue", catalogue.entry)?;
        }
        for (level, title) in [
            (Level::Error, "error"),
            (Level::Warning, "warning"),
            (Level::Note, "note"),
        ] {
            for finding in self
                .findings
                .iter()
                .filter(|finding| finding.level == level)
            {
                writeln!(f, "{title}: {}", finding.text)?;
                if let Some(hint) = &finding.hint {
                    writeln!(f, "  hint: {hint}")?;
                }
            }
        }
        self.list_broken(f)?;
        self.list_duplicates(f)?;
        let counts = [Level::Error, Level::Warning].map(|level| self.count(level));
        let sum = format!(
            "{}, {}",
            plural(counts[0], "error"),
            plural(counts[1], "warning")
        );
        writeln!(f, "\n{sum}")
    }
}

impl CheckReport {
    fn list_broken(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.broken.len() < 2 {
            return Ok(()); // the finding has named it
        }
        writeln!(f, "\nbroken images:")?;
        for broken in self.broken.iter().take(LISTED) {
            writeln!(f, "  {}  {}", broken.split, broken.message)?;
        }
        more(f, self.broken.len())
    }

    fn list_duplicates(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.duplicates.is_empty() {
            return Ok(());
        }
        writeln!(f, "\nequal images:")?;
        for group in self.duplicates.iter().take(LISTED) {
            let images: Vec<String> = group
                .images
                .iter()
                .take(LISTED)
                .map(|place| format!("{}: {}", place.split, place.id))
                .collect();
            writeln!(f, "  {}", images.join(" = "))?;
        }
        more(f, self.duplicates.len())
    }
}

fn more(f: &mut fmt::Formatter<'_>, count: usize) -> fmt::Result {
    if count > LISTED {
        writeln!(f, "  and {} more", count - LISTED)?;
    }
    Ok(())
}

fn row(split: &SplitReport) -> [String; 6] {
    let least = split.class_counts.iter().min().copied().unwrap_or(0);
    let most = split.class_counts.iter().max().copied().unwrap_or(0);
    let per_class = if least == most {
        least.to_string()
    } else {
        format!("{least} to {most}")
    };
    let (width, height, formats) = match &split.sizes {
        None => ("-".to_owned(), "-".to_owned(), "-".to_owned()),
        Some(sizes) => {
            let formats: Vec<String> = sizes
                .formats
                .iter()
                .map(|(name, count)| format!("{name} {count}"))
                .collect();
            (range(sizes.width), range(sizes.height), formats.join(", "))
        }
    };
    [
        split.name.to_owned(),
        split.images.to_string(),
        per_class,
        width,
        height,
        formats,
    ]
}

/// `64`, or `32 / 64 / 128` for smallest, median and largest.
fn range(range: Range) -> String {
    if range.min == range.max {
        return range.min.to_string();
    }
    format!("{} / {} / {}", range.min, range.median, range.max)
}

/// Columns of the width of their widest cell, numbers to the left as texts are.
fn table<const N: usize>(f: &mut fmt::Formatter<'_>, rows: &[[String; N]]) -> fmt::Result {
    let widths: [usize; N] = std::array::from_fn(|column| {
        rows.iter()
            .map(|row| row[column].chars().count())
            .max()
            .unwrap_or(0)
    });
    for row in rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(widths) {
            write!(line, "{cell:<width$}  ")?;
        }
        writeln!(f, "{}", line.trim_end())?;
    }
    Ok(())
}
