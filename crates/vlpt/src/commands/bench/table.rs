//! The tables of a benchmark, and ELEVATER's submission.

use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;
use vlpt_bench::{BenchFile, check_submission, collect, submission, tables};
use vlpt_tables::{Format, Table};

use super::figures;
use crate::commands::compare::FormatArg;
use crate::console::{Console, table};
use crate::error::CliError;
use crate::options::find_model;

/// Flags of `vlpt bench table`.
#[derive(Debug, Args)]
pub(crate) struct TableArgs {
    /// The benchmark's folder
    #[arg(value_name = "FOLDER")]
    dir: PathBuf,
    /// Test every method against this one
    #[arg(long, value_name = "METHOD")]
    against: Option<String>,
    /// Print the tables in this format [default: as text]
    #[arg(long, value_enum, value_name = "FORMAT")]
    format: Option<FormatArg>,
}

/// Flags of `vlpt bench submission`.
#[derive(Debug, Args)]
pub(crate) struct SubmissionArgs {
    /// The benchmark's folder; or a submission that is there, to check it
    #[arg(value_name = "FOLDER|FILE.zip")]
    place: PathBuf,
    /// The method, as the tables call it
    #[arg(long, value_name = "METHOD")]
    method: Option<String>,
    /// Training images of each class
    #[arg(long, value_name = "K")]
    shots: Option<usize>,
}

#[derive(Debug, Serialize)]
struct Document<'a> {
    protocol: &'a str,
    jobs: usize,
    missing: usize,
    notes: &'a [String],
    tables: Vec<Named<'a>>,
    files: Vec<PathBuf>,
}

#[derive(Debug, Serialize)]
struct Named<'a> {
    name: &'a str,
    caption: &'a str,
    head: &'a [String],
    rows: &'a [Vec<String>],
}

#[derive(Debug, Serialize)]
struct Submission<'a> {
    file: &'a Path,
    tasks: &'a [String],
    lacks: &'a [String],
}

/// Makes and prints the tables.
pub(crate) fn run(args: &TableArgs, console: &Console) -> Result<(), CliError> {
    let format = args.format.map(FormatArg::format);
    show(&args.dir, args.against.as_deref(), format, console)
}

/// Collects the results that are there, writes `results.csv` and the tables, and prints these.
pub(super) fn show(
    dir: &Path,
    against: Option<&str>,
    format: Option<Format>,
    console: &Console,
) -> Result<(), CliError> {
    let collected = collect(dir)?;
    let found = tables(&collected, against)?;
    let mut files = collected.files.clone();
    files.extend(found.write(dir)?);
    let protocol = collected.file.protocol()?;
    files.extend(figures::write(dir, &collected, &protocol.measures())?);
    let of = |(name, table): &'_ (String, Table)| (name.clone(), table.clone());
    let shown: Vec<(String, Table)> = found.tables.iter().map(of).collect();
    let document = Document {
        protocol: &collected.file.protocol,
        jobs: collected.jobs,
        missing: collected.missing,
        notes: &found.notes,
        tables: shown
            .iter()
            .map(|(name, table)| Named {
                name,
                caption: &table.caption,
                head: &table.head,
                rows: &table.rows,
            })
            .collect(),
        files,
    };
    console.result(&document, || {
        if shown.is_empty() {
            return format!("no results yet: 0 of {} jobs are done", collected.jobs);
        }
        let one = |(_, shown): &(String, Table)| {
            if let Some(format) = format {
                return shown.write(format);
            }
            let head: Vec<&str> = shown.head.iter().map(String::as_str).collect();
            format!("{}\n{}\n", table(&head, &shown.rows), shown.caption)
        };
        let mut text = shown.iter().map(one).collect::<Vec<_>>().join("\n");
        for note in &found.notes {
            text += &format!("\nnote: {note}");
        }
        text += &format!(
            "\nwrote {}, tables/ and figures/ beside it",
            dir.join("results.csv").display()
        );
        if !found.published.is_empty() {
            text += "; tables/published.md has published figures beside the averages";
        }
        text
    })
}

/// Writes the submission.
pub(crate) fn submit(args: &SubmissionArgs, console: &Console) -> Result<(), CliError> {
    let (method, shots) = match (&args.method, args.shots) {
        (None, None) if args.place.is_file() => return check(&args.place, console),
        (Some(method), Some(shots)) if !args.place.is_file() => (method, shots),
        _ => {
            return Err(CliError::usage(
                "a submission is made of a folder, a method and a number of shots",
                "give --method and --shots with a folder, and neither to check a file",
            ));
        }
    };
    let file = BenchFile::read(&args.place)?;
    let model = vlpt_clip::Clip::load(&find_model(&file.model, console)?)?;
    let written = submission(&args.place, method, shots, &model.config)?;
    let document = Submission {
        file: &written.path,
        tasks: &written.tasks,
        lacks: &written.lacks,
    };
    console.result(&document, || {
        let mut text = format!(
            "wrote {} with {} tasks",
            written.path.display(),
            written.tasks.len()
        );
        for lack in &written.lacks {
            text += &format!("\nnot complete: {lack}");
        }
        text
    })
}

/// Checks a submission that is there.
fn check(file: &Path, console: &Console) -> Result<(), CliError> {
    let tasks = check_submission(file)?;
    let document = Submission {
        file,
        tasks: &tasks,
        lacks: &[],
    };
    console.result(&document, || {
        format!(
            "{} has the format of a submission, with {} of ELEVATER's 20 tasks: {}",
            file.display(),
            tasks.len(),
            tasks.join(", ")
        )
    })
}
