//! Results image by image as a file: CSV, JSON Lines or Parquet, by the ending of its name.
//!
//! | column | holds |
//! |---|---|
//! | `path` | the image, as it was named, or as the data set calls it |
//! | `label` | its class, where it is known; several joined by a bar (in JSON a list) |
//! | `predicted` | the most probable class, or the word for none below the threshold |
//! | `probability` | that of the most probable class |
//! | `class_1`, `probability_1`, ... | the most probable classes, the most probable first (in JSON `top`) |
//! | `score:NAME` | the probability of each class, where all were asked for (in JSON `scores`) |
//! | `error` | why an image has no answer, where images are not of a data set |
//!
//! Rows are written as they come. The file appears once it is whole ([`RowWriter::create`]), or grows
//! row by row, for whoever reads along ([`RowWriter::append`]).

mod flat;
mod jsonl;
#[cfg(feature = "parquet")]
mod parquet;
mod target;

use std::path::{Path, PathBuf};

use crate::{AdapterError, Result, is_answer};
use target::Target;

/// The form of a file of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowFormat {
    /// Comma-separated values with a header.
    Csv,
    /// One JSON object a line.
    Jsonl,
    /// Parquet, rows in groups.
    Parquet,
}

impl RowFormat {
    /// By the ending of a file's name.
    ///
    /// # Errors
    /// Another ending, or one whose format this build does not write.
    pub fn of(path: &Path) -> Result<Self> {
        let ending = path.extension().map(|e| e.to_string_lossy().to_lowercase());
        match ending.as_deref() {
            Some("csv") => Ok(Self::Csv),
            Some("jsonl") => Ok(Self::Jsonl),
            Some("parquet") if cfg!(feature = "parquet") => Ok(Self::Parquet),
            Some("parquet") => Err(AdapterError::Incompatible {
                what: format!(
                    "{}: this build does not write Parquet: it lacks the feature `parquet`",
                    path.display()
                ),
                hint: Some("end the name in .csv or .jsonl, or build with the feature".to_owned()),
            }),
            found => Err(AdapterError::Incompatible {
                what: format!(
                    "{}: rows are not written to a file that ends in {}",
                    path.display(),
                    found.map_or("nothing".to_owned(), |ending| format!(".{ending}"))
                ),
                hint: Some("end the name in .csv, .jsonl or .parquet".to_owned()),
            }),
        }
    }
}

/// What a row says of its image's class.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowLabels {
    /// Nothing: it is not known.
    Unknown,
    /// One class.
    One,
    /// Any number of classes.
    Many,
}

/// What all rows of a file have in common.
#[derive(Debug, Clone)]
pub struct RowOptions {
    /// The classes to choose from, in the order of the probabilities.
    pub classes: Vec<String>,
    /// How many of the most probable classes a row names.
    pub top: usize,
    /// Whether a row has the probability of every class.
    pub scores: bool,
    /// What is known of the images' classes.
    pub labels: RowLabels,
    /// Below which probability there is no answer, and the word for it.
    pub none_below: Option<(f64, String)>,
}

impl RowOptions {
    /// The most probable classes of a row of probabilities, as many as are asked for, the first of
    /// equals first.
    pub fn best(&self, probabilities: &[f32]) -> Vec<usize> {
        let mut order: Vec<usize> = (0..probabilities.len()).collect();
        let by_probability = |&a: &usize, &b: &usize| {
            probabilities[b]
                .total_cmp(&probabilities[a])
                .then(a.cmp(&b))
        };
        let top = self.top.min(order.len());
        if top < order.len() && top > 0 {
            order.select_nth_unstable_by(top - 1, by_probability);
        }
        order.truncate(top);
        order.sort_by(by_probability);
        order
    }

    /// The answer for a most probable class: its name, or the word for none.
    pub fn answer(&self, best: usize, probability: f32) -> &str {
        match &self.none_below {
            Some((threshold, none)) if !is_answer(probability, *threshold) => none,
            _ => &self.classes[best],
        }
    }

    /// Refuses a threshold that is no probability, and a word for none that is a class.
    ///
    /// # Errors
    /// [`AdapterError::Incompatible`].
    pub fn check(&self) -> Result<()> {
        let Some((threshold, none)) = &self.none_below else {
            return Ok(());
        };
        crate::check_threshold(*threshold)?;
        if self.classes.contains(none) {
            return Err(AdapterError::Incompatible {
                what: format!("\"{none}\" is a class and would also stand for none of them"),
                hint: Some("choose another word for none, such as --none no-answer".to_owned()),
            });
        }
        Ok(())
    }

    /// The classes' names, told apart by number where some are equal.
    fn score_names(&self) -> Vec<String> {
        let mut seen = std::collections::HashMap::new();
        let mut names = Vec::with_capacity(self.classes.len());
        for class in &self.classes {
            let times = seen.entry(class.as_str()).or_insert(0_usize);
            *times += 1;
            names.push(match *times {
                1 => class.clone(),
                n => format!("{class} ({n})"),
            });
        }
        names
    }
}

/// What is said of one image.
#[derive(Debug, Clone, Copy)]
pub struct Row<'a> {
    /// Its name.
    pub path: &'a str,
    /// Its classes by number; nothing where they are not known.
    pub labels: &'a [u32],
    /// A probability for each class, or why there is none.
    pub outcome: std::result::Result<&'a [f32], &'a str>,
}

/// A file of rows being written.
pub struct RowWriter {
    #[cfg_attr(
        not(feature = "parquet"),
        expect(dead_code, reason = "a Parquet file is written beside it")
    )]
    path: PathBuf,
    options: RowOptions,
    sink: Sink,
    rows: usize,
}

enum Sink {
    Csv(Box<csv::Writer<Target>>),
    Jsonl(Target, Vec<String>),
    #[cfg(feature = "parquet")]
    Parquet(Box<parquet::ParquetRows>),
}

impl RowWriter {
    /// Begins a file; its ending chooses the format.
    ///
    /// # Errors
    /// As [`RowFormat::of`] and [`RowOptions::check`], or a file that cannot be written.
    pub fn create(path: &Path, options: RowOptions) -> Result<Self> {
        let format = RowFormat::of(path)?;
        options.check()?;
        let file = Target::whole(path)?;
        let sink = match format {
            RowFormat::Csv => Sink::Csv(csv_writer(file, Some(&options))?),
            RowFormat::Jsonl => Sink::Jsonl(file, options.score_names()),
            #[cfg(feature = "parquet")]
            RowFormat::Parquet => {
                let rows = parquet::ParquetRows::new(file, &flat::columns(&options))
                    .map_err(|error| damaged(path, &error))?;
                Sink::Parquet(Box::new(rows))
            }
            #[cfg(not(feature = "parquet"))]
            RowFormat::Parquet => unreachable!("RowFormat::of refuses it"),
        };
        Ok(Self {
            path: path.to_owned(),
            options,
            sink,
            rows: 0,
        })
    }

    /// Goes on with a file that grows: what is in it stays, and a row is there for others to read as soon
    /// as it is written. A file that is new or empty begins with the header, where there is one.
    ///
    /// # Errors
    /// As [`RowWriter::create`], and Parquet, which can be read only once it is whole.
    pub fn append(path: &Path, options: RowOptions) -> Result<Self> {
        let format = RowFormat::of(path)?;
        options.check()?;
        if format == RowFormat::Parquet {
            return Err(AdapterError::Incompatible {
                what: format!(
                    "{}: a Parquet file cannot grow row by row: its index is written at the end",
                    path.display()
                ),
                hint: Some("end the name in .csv or .jsonl".to_owned()),
            });
        }
        let (file, length) = Target::growing(path)?;
        let sink = match format {
            RowFormat::Csv => {
                let header = (length == 0).then_some(&options);
                let mut writer = csv_writer(file, header)?;
                writer.flush()?;
                Sink::Csv(writer)
            }
            _ => Sink::Jsonl(file, options.score_names()),
        };
        Ok(Self {
            path: path.to_owned(),
            options,
            sink,
            rows: 0,
        })
    }

    /// What is written of a file that grows is on the disk, whatever happens; gives the file's length.
    /// Of another file nothing is promised, and the length is 0.
    ///
    /// # Errors
    /// The disk is full or gone.
    pub fn sync(&mut self) -> Result<u64> {
        Ok(match &mut self.sink {
            Sink::Csv(writer) => {
                writer.flush()?;
                writer.get_ref().length_on_disk()?
            }
            Sink::Jsonl(file, _) => file.length_on_disk()?,
            #[cfg(feature = "parquet")]
            Sink::Parquet(_) => 0,
        })
    }

    /// What all rows have in common.
    pub fn options(&self) -> &RowOptions {
        &self.options
    }

    /// Writes one row.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn push(&mut self, row: &Row) -> Result<()> {
        match &mut self.sink {
            Sink::Csv(writer) => {
                let cells = flat::cells(&self.options, row);
                for cell in &cells {
                    let text = cell.text();
                    writer.write_field(&*text).map_err(std::io::Error::from)?;
                }
                writer
                    .write_record(None::<&[u8]>)
                    .map_err(std::io::Error::from)?;
                if matches!(writer.get_ref(), Target::Growing(_)) {
                    writer.flush()?;
                }
            }
            Sink::Jsonl(file, names) => jsonl::write(file, &self.options, names, row)?,
            #[cfg(feature = "parquet")]
            Sink::Parquet(rows) => rows
                .push(&flat::cells(&self.options, row))
                .map_err(|error| damaged(&self.path, &error))?,
        }
        self.rows += 1;
        Ok(())
    }

    /// Puts the whole file in its place; gives the number of rows.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn finish(self) -> Result<usize> {
        let file = match self.sink {
            Sink::Csv(writer) => writer
                .into_inner()
                .map_err(|error| std::io::Error::other(error.to_string()))?,
            Sink::Jsonl(file, _) => file,
            #[cfg(feature = "parquet")]
            Sink::Parquet(rows) => rows.finish().map_err(|error| damaged(&self.path, &error))?,
        };
        file.end()?;
        Ok(self.rows)
    }
}

fn csv_writer(file: Target, header: Option<&RowOptions>) -> Result<Box<csv::Writer<Target>>> {
    let mut writer = Box::new(csv::Writer::from_writer(file));
    if let Some(options) = header {
        let columns = flat::columns(options);
        let names = columns.iter().map(|column| &column.name);
        writer.write_record(names).map_err(std::io::Error::from)?;
    }
    Ok(writer)
}

#[cfg(feature = "parquet")]
fn damaged(path: &Path, error: &::parquet::errors::ParquetError) -> AdapterError {
    let what = format!("cannot write {}: {error}", path.display());
    AdapterError::Io(std::io::Error::other(what))
}

#[cfg(test)]
mod tests;
