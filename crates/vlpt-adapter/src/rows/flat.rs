//! A row as cells of a table.

use std::borrow::Cow;

use super::{Row, RowLabels, RowOptions};

/// Between the labels of an image that has several.
const BAR: &str = "|";

/// A column of a table of rows.
#[derive(Debug, Clone)]
pub(super) struct Column {
    pub(super) name: String,
    /// Numbers, or texts.
    #[cfg_attr(
        not(feature = "parquet"),
        expect(dead_code, reason = "only Parquet has types")
    )]
    pub(super) number: bool,
}

/// What stands in one column of one row; nothing where there is none.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Cell<'a> {
    Text(Option<Cow<'a, str>>),
    Number(Option<f32>),
}

impl Cell<'_> {
    /// As it stands in CSV.
    pub(super) fn text(&self) -> Cow<'_, str> {
        match self {
            Self::Text(text) => Cow::Borrowed(text.as_deref().unwrap_or_default()),
            Self::Number(None) => Cow::Borrowed(""),
            // As short as it is exact.
            Self::Number(Some(v)) if *v != 0.0 && v.abs() < 1e-4 => Cow::Owned(format!("{v:e}")),
            Self::Number(Some(v)) => Cow::Owned(v.to_string()),
        }
    }
}

/// The columns of rows with these options.
pub(super) fn columns(options: &RowOptions) -> Vec<Column> {
    let text = |name: String| Column {
        name,
        number: false,
    };
    let number = |name: String| Column { name, number: true };
    let mut columns = vec![text("path".to_owned())];
    if options.labels != RowLabels::Unknown {
        columns.push(text("label".to_owned()));
    }
    columns.push(text("predicted".to_owned()));
    columns.push(number("probability".to_owned()));
    for place in 1..=options.top.min(options.classes.len()) {
        columns.push(text(format!("class_{place}")));
        columns.push(number(format!("probability_{place}")));
    }
    if options.scores {
        let names = options.score_names().into_iter();
        columns.extend(names.map(|name| number(format!("score:{name}"))));
    }
    if options.labels == RowLabels::Unknown {
        columns.push(text("error".to_owned()));
    }
    columns
}

/// The cells of a row, one for each of [`columns`].
pub(super) fn cells<'a>(options: &'a RowOptions, row: &Row<'a>) -> Vec<Cell<'a>> {
    let text = |text: &'a str| Cell::Text(Some(Cow::Borrowed(text)));
    let mut cells = vec![text(row.path)];
    if options.labels != RowLabels::Unknown {
        let names: Vec<&str> = row
            .labels
            .iter()
            .map(|&label| options.classes[label as usize].as_str())
            .collect();
        cells.push(match names[..] {
            [one] => text(one),
            _ => Cell::Text(Some(Cow::Owned(names.join(BAR)))),
        });
    }
    let shown = options.top.min(options.classes.len());
    if let Ok(probabilities) = row.outcome {
        let best = options.best(probabilities);
        let first = vlpt_methods::head::first_largest(probabilities);
        cells.push(text(options.answer(first, probabilities[first])));
        cells.push(Cell::Number(Some(probabilities[first])));
        for class in best {
            cells.push(text(&options.classes[class]));
            cells.push(Cell::Number(Some(probabilities[class])));
        }
        if options.scores {
            cells.extend(probabilities.iter().map(|&p| Cell::Number(Some(p))));
        }
    } else {
        for _ in 0..=shown {
            cells.extend([Cell::Text(None), Cell::Number(None)]);
        }
        if options.scores {
            cells.extend(options.classes.iter().map(|_| Cell::Number(None)));
        }
    }
    if options.labels == RowLabels::Unknown {
        cells.push(Cell::Text(row.outcome.err().map(Cow::Borrowed)));
    }
    cells
}
