//! `vlpt compare`: methods side by side, with intervals, ranks and tests.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use serde::Serialize;
use vlpt_base::files::write_atomic;
use vlpt_report::svg::{CurveLine, Curves, RankChart, curves, rank_chart};
use vlpt_tables::{Comparison, Format, Results, Table};

use crate::console::{Console, table};
use crate::error::CliError;

const AFTER_HELP: &str = "\
A file of results is a CSV with the columns task, method, seed, shots and value (percent, or shares
from 0 to 1), and seconds if measured. Several files are read as one.

The first table has each method's mean on each task with Student's 95 % interval over seeds, the
average over tasks (--without leaves one task out of a second average: one set must not decide), and
the average rank with Nemenyi's critical difference. --against tests every method against one: paired
permutation test over tasks, corrected by Holm's method. --out writes the tables as CSV, Markdown,
LaTeX (booktabs) and HTML, and figures: ranks.svg, and shots.svg where there are several numbers of
shots.

Example:
  vlpt compare results.csv --shots 16 --against coop --without eurosat --out tables/";

/// Flags of `vlpt compare`.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct CompareArgs {
    /// Files of results
    #[arg(value_name = "RESULTS.csv", required = true)]
    results: Vec<PathBuf>,
    /// Which number of shots the tables are of, where there are several
    #[arg(long, value_name = "K")]
    shots: Option<String>,
    /// Test every method against this one
    #[arg(long, value_name = "METHOD")]
    against: Option<String>,
    /// Also average over all tasks but this one; may be given several times
    #[arg(long, value_name = "TASK")]
    without: Vec<String>,
    /// Leave these methods out
    #[arg(long, value_name = "METHOD", value_delimiter = ',')]
    leave_out: Vec<String>,
    /// Print the tables in this format [default: as text]
    #[arg(long, value_enum, value_name = "FORMAT")]
    format: Option<FormatArg>,
    /// Write tables and figures into this folder
    #[arg(long, short, value_name = "FOLDER")]
    out: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum FormatArg {
    Csv,
    Markdown,
    Latex,
    Html,
}

impl FormatArg {
    fn format(self) -> Format {
        match self {
            Self::Csv => Format::Csv,
            Self::Markdown => Format::Markdown,
            Self::Latex => Format::Latex,
            Self::Html => Format::Html,
        }
    }
}

/// What is printed under `--json`.
#[derive(Debug, Serialize)]
struct Document<'a> {
    #[serde(flatten)]
    comparison: &'a Comparison,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    files: Vec<PathBuf>,
}

/// Reads, compares, draws and prints.
pub(crate) fn run(args: &CompareArgs, console: &Console) -> Result<(), CliError> {
    let mut scores = Vec::new();
    for path in &args.results {
        scores.extend(Results::read(path)?.scores().iter().cloned());
    }
    let results = Results::new(scores).map_err(|what| {
        CliError::usage(
            what,
            "name each file once, and files that measured different things",
        )
    })?;
    let results = results.without(&[], &args.leave_out);
    let against = args.against.as_deref();
    let comparison = Comparison::new(&results, args.shots.as_deref(), &args.without, against)?;
    let tables = tables(&comparison);
    let files = match &args.out {
        Some(folder) => write(folder, &results, &comparison, &tables, console)?,
        None => Vec::new(),
    };
    let document = Document {
        comparison: &comparison,
        files,
    };
    console.result(&document, || match args.format {
        Some(format) => join(&tables, |table| table.write(format.format())),
        None => join(&tables, plain),
    })
}

/// Each table with the name of its files.
fn tables(comparison: &Comparison) -> Vec<(&'static str, Table)> {
    let mut tables = vec![("values", comparison.values())];
    if comparison.seconds.iter().flatten().any(Option::is_some) {
        tables.push(("seconds", comparison.seconds()));
    }
    if !comparison.pairs.is_empty() {
        tables.push(("tests", comparison.tests()));
    }
    tables
}

fn join(tables: &[(&str, Table)], text: impl Fn(&Table) -> String) -> String {
    let texts: Vec<String> = tables.iter().map(|(_, table)| text(table)).collect();
    texts.join("\n")
}

fn plain(shown: &Table) -> String {
    let head: Vec<&str> = shown.head.iter().map(String::as_str).collect();
    format!("{}\n{}\n", table(&head, &shown.rows), shown.caption)
}

fn write(
    folder: &Path,
    results: &Results,
    comparison: &Comparison,
    tables: &[(&str, Table)],
    console: &Console,
) -> Result<Vec<PathBuf>, CliError> {
    fs_err::create_dir_all(folder)?;
    let mut files = Vec::new();
    for (name, table) in tables {
        for format in Format::ALL {
            files.push((format!("{name}.{}", format.ending()), table.write(format)));
        }
    }
    if let Some(figure) = ranks(comparison) {
        files.push(("ranks.svg".to_owned(), figure));
    }
    if results.shots().len() > 1 {
        files.push(("shots.svg".to_owned(), shots(results)?));
    }
    let mut paths = Vec::new();
    for (name, text) in files {
        let path = folder.join(name);
        write_atomic(&path, text.as_bytes())?;
        console.say(format!("wrote {}", path.display()));
        paths.push(path);
    }
    Ok(paths)
}

/// Average ranks, where there are enough tasks and methods for a critical difference.
fn ranks(comparison: &Comparison) -> Option<String> {
    let ranking = comparison.ranking.as_ref()?;
    let names = comparison.methods.iter().cloned();
    Some(rank_chart(&RankChart {
        title: format!(
            "Average rank over {} tasks, {} shots",
            ranking.tasks.len(),
            comparison.shots
        ),
        ranks: names.zip(ranking.ranks.average.iter().copied()).collect(),
        critical_difference: ranking.ranks.critical_difference?,
    }))
}

/// The average over tasks of each method at each number of shots.
fn shots(results: &Results) -> Result<String, CliError> {
    let places = results.shots();
    let mut compared = Vec::new();
    for shots in &places {
        compared.push(Comparison::new(results, Some(shots), &[], None)?);
    }
    let point = |comparison: &Comparison, method: &str| {
        let at = comparison
            .methods
            .iter()
            .position(|known| known == method)?;
        let average = comparison.averages[0].methods[at]?;
        Some((average.mean, average.half()))
    };
    let lines = results.methods().into_iter().map(|method| CurveLine {
        name: method.to_owned(),
        points: compared
            .iter()
            .map(|comparison| point(comparison, method))
            .collect(),
    });
    Ok(curves(&Curves {
        title: format!("Average over {} tasks", results.tasks().len()),
        x_label: "training images a class".to_owned(),
        places: places.iter().map(ToString::to_string).collect(),
        lines: lines.collect(),
    }))
}
