//! Answers out of CSV files, as evaluation writes them.

use std::collections::BTreeMap;
use std::path::Path;

use super::Answers;
use crate::{Result, TablesError};

/// What a cell holds where an image has several labels, or stands for one.
const BAR: char = '|';

/// Cells without the blanks around them, as [`crate::Results::read`] takes them.
fn reader(path: &Path) -> csv::Result<csv::Reader<std::fs::File>> {
    csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .from_path(path)
}

impl Answers {
    /// Whether a file has the columns of answers image by image: `path`, `label` and `predicted`.
    pub fn is_file(path: &Path) -> bool {
        let head = reader(path).and_then(|mut reader| reader.headers().cloned());
        head.is_ok_and(|head| {
            ["path", "label", "predicted"]
                .iter()
                .all(|name| head.iter().any(|column| column == *name))
        })
    }

    /// Reads a CSV with the columns `path`, `label` and `predicted`, such as `vlpt eval --predictions` and
    /// `vlpt bench` write; the run is called after the file.
    ///
    /// # Errors
    /// [`TablesError::File`]: a file that cannot be read, lacks a column, names an image twice, or has images of
    /// several classes, whose answers are not right or wrong.
    pub fn read(path: &Path) -> Result<Self> {
        let wrong = |what: String| TablesError::File {
            path: path.to_owned(),
            what,
            hint: "expected rows as `vlpt eval --predictions FILE.csv` writes them".to_owned(),
        };
        let mut reader = reader(path).map_err(|error| wrong(error.to_string()))?;
        let head = reader.headers().map_err(|error| wrong(error.to_string()))?;
        let column = |name: &str| {
            let place = head.iter().position(|column| column == name);
            place.ok_or_else(|| wrong(format!("there is no column {name}")))
        };
        let (image, label, predicted) = (column("path")?, column("label")?, column("predicted")?);
        let mut right = BTreeMap::new();
        for record in reader.records() {
            let record = record.map_err(|error| wrong(error.to_string()))?;
            let line = record.position().map_or(0, csv::Position::line);
            let cell = |column: usize| record.get(column).unwrap_or_default();
            if cell(label).contains(BAR) || cell(label).is_empty() {
                return Err(wrong(format!(
                    "line {line}: an image of several classes, or of none, is neither right nor wrong"
                )));
            }
            let own = right.insert(cell(image).to_owned(), cell(label) == cell(predicted));
            if own.is_some() {
                return Err(wrong(format!(
                    "line {line}: {} is there twice",
                    cell(image)
                )));
            }
        }
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        Ok(Self {
            name: name.into_owned(),
            right,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_read_by_their_columns() {
        let folder = tempfile::tempdir().expect("a folder");
        let read = |text: &str| {
            let path = folder.path().join("run-1.csv");
            std::fs::write(&path, text).expect("a file");
            (Answers::is_file(&path), Answers::read(&path))
        };
        let (is, answers) =
            read("path, label,predicted,probability\na.png,cat, cat,0.5\nb.png,cat,dog,0.6\n");
        let answers = answers.expect("answers");
        assert!(is);
        assert_eq!(answers.name, "run-1");
        assert_eq!(
            answers.right.values().copied().collect::<Vec<_>>(),
            [true, false]
        );
        for (text, what) in [
            (
                "path,label,predicted\na,x|y,x\n",
                "line 2: an image of several",
            ),
            (
                "path,label,predicted\na,x,x\na,x,y\n",
                "line 3: a is there twice",
            ),
            ("task,method\na,b\n", "no column path"),
        ] {
            let error = read(text).1.expect_err(what);
            assert!(error.to_string().contains(what), "{error}");
        }
        assert!(!read("task,method\na,b\n").0);
    }
}
