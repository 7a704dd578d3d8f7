//! `vlpt compare`: methods side by side, with intervals, ranks and tests.

mod beside;
pub(crate) mod figures;
mod runs;

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use serde::Serialize;
use vlpt_base::files::write_atomic;
use vlpt_base::list::cut;
use vlpt_tables::{Comparison, Format, Results, Table};

use crate::console::{Console, table};
use crate::error::CliError;

const AFTER_HELP: &str = "\
A file of results is a CSV with the columns task, method, seed, shots and value (percent, or shares
from 0 to 1 where all of a measure are), and seconds and measure where there are some. Several files are read as one.

The first table has each method's mean on each task with Student's 95 % interval over seeds, the
average over tasks (--without leaves one task out of a second average: one set must not decide), and
the average rank with Nemenyi's critical difference. --against tests every method against one: paired
permutation test over tasks, corrected by Holm's method. --out writes the tables as CSV, Markdown,
LaTeX (booktabs) and HTML, and figures: ranks.svg, and shots.svg where there are several numbers of
shots. results.parquet and results.csv in the folder hold the values themselves.

Runs are compared image by image: name run folders, which are evaluated on the test images of their
data, or files that `vlpt eval --predictions FILE.csv` wrote. Each has its accuracy with a bootstrap
interval over images; pairs have the paired interval of their difference and the exact McNemar test,
corrected by Holm's method.

Example:
  vlpt compare results.csv --shots 16 --against coop --without eurosat --out tables/
  vlpt compare runs/coop runs/vpt";

/// Flags of `vlpt compare`.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct CompareArgs {
    /// Files of results; or run folders and files of answers, which are compared image by image
    #[arg(value_name = "RESULTS.csv|RUN", required = true)]
    results: Vec<PathBuf>,
    /// Which number of shots the tables are of, where there are several
    #[arg(long, value_name = "K")]
    shots: Option<String>,
    /// Which measure the tables are of, where there are several [default: score]
    #[arg(long, value_name = "NAME")]
    measure: Option<String>,
    /// Test every method against this one
    #[arg(long, value_name = "METHOD")]
    against: Option<String>,
    /// Also average over all tasks but this one; may be given several times
    #[arg(long, value_name = "TASK")]
    without: Vec<String>,
    /// Also put published figures beside the averages: of a protocol of docs/results/published.md,
    /// of its average of 11 sets and accuracy where nothing else is said
    #[arg(long, value_name = "PROTOCOL[:DATASET[:MEASURE]]")]
    published: Option<String>,
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
pub(crate) enum FormatArg {
    Csv,
    Markdown,
    Latex,
    Html,
}

impl FormatArg {
    /// As the library calls it.
    pub(crate) fn format(self) -> Format {
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
    if args.results.iter().any(|path| runs::is_run(path)) {
        return runs::compare(args, console);
    }
    if let Some(folder) = &args.out {
        spare_inputs(&args.results, folder)?;
    }
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
    let named = results.methods();
    if let Some(absent) = args
        .leave_out
        .iter()
        .find(|name| !named.contains(&name.as_str()))
    {
        return Err(CliError::usage(
            format!("--leave-out {absent}: there are no results of it"),
            format!("there are results of {}", cut(&named, ", ")),
        ));
    }
    let all = results.without(&args.leave_out);
    if all.scores().is_empty() {
        return Err(CliError::usage(
            "all methods are left out",
            "name fewer with --leave-out",
        ));
    }
    let results = all.measured(args.measure.as_deref())?;
    let there = results.methods();
    let other: Vec<&str> = all
        .methods()
        .into_iter()
        .filter(|name| !there.contains(name))
        .collect();
    if !other.is_empty() {
        console.say(format!(
            "note: not of this measure, and not compared: {} (measures are {})",
            cut(&other, ", "),
            all.measures().join(", ")
        ));
    }
    let against = args.against.as_deref();
    let comparison = Comparison::new(&results, args.shots.as_deref(), &args.without, against)?;
    let tables = tables(&comparison);
    let published = args
        .published
        .as_deref()
        .map(|what| beside::table(what, &results));
    let published = published.transpose()?;
    let files = match &args.out {
        Some(folder) => {
            let mut files = figures::draw(&results, &comparison)?;
            files.extend(
                published
                    .iter()
                    .map(|text| ("published.md".to_owned(), text.clone())),
            );
            write(folder, &tables, files, console)?
        }
        None => Vec::new(),
    };
    let mut files = files;
    if let Some(folder) = &args.out {
        files.extend(results.columns().write(folder, "results")?);
    }
    let document = Document {
        comparison: &comparison,
        files,
    };
    console.result(&document, || {
        let own = match args.format {
            Some(format) => join(&tables, |table| table.write(format.format())),
            None => join(&tables, plain),
        };
        [Some(own), published]
            .into_iter()
            .flatten()
            .collect::<Vec<_>>()
            .join("\n")
    })
}

/// Refuses a folder in which a file that is read would be written over.
fn spare_inputs(inputs: &[PathBuf], folder: &Path) -> Result<(), CliError> {
    let stems = ["values", "seconds", "tests", "results", "published"];
    let place = |path: &Path| fs_err::canonicalize(path).ok();
    let Some(folder) = place(folder) else {
        return Ok(()); // what is not there holds no input
    };
    for input in inputs {
        let own = place(input);
        let beside = own.as_deref().filter(|own| own.parent() == Some(&folder));
        let stem = beside.and_then(|own| own.file_stem()?.to_str());
        if stem.is_some_and(|stem| stems.contains(&stem)) {
            return Err(CliError::usage(
                format!(
                    "--out {}: {} would be written over",
                    folder.display(),
                    input.display()
                ),
                "name another folder for the tables",
            ));
        }
    }
    Ok(())
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

/// Tables in every format and other files; gives their paths.
fn write(
    folder: &Path,
    tables: &[(&str, Table)],
    others: Vec<(String, String)>,
    console: &Console,
) -> Result<Vec<PathBuf>, CliError> {
    fs_err::create_dir_all(folder)?;
    let mut files = Vec::new();
    for (name, table) in tables {
        for format in Format::ALL {
            files.push((format!("{name}.{}", format.ending()), table.write(format)));
        }
    }
    let mut paths = Vec::new();
    for (name, text) in files.into_iter().chain(others) {
        let path = folder.join(name);
        write_atomic(&path, text.as_bytes())?;
        console.say(format!("wrote {}", path.display()));
        paths.push(path);
    }
    Ok(paths)
}
