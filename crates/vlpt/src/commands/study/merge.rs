//! `vlpt study merge`: tables, matrices, similarities and the report.

use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;
use vlpt_study::merge::{Merged, TransferMatrix, collect, merge};
use vlpt_study::{Compared, Plan, SimilarityCorrelation, StudyFile, TrainExecutor};

use super::page;
use super::work::open_executor;
use crate::console::{Console, table};
use crate::error::CliError;
use crate::watch::Watch;

const AFTER_HELP: &str = "\
Writes below merged/ in the study's folder, each table as .csv and .parquet:
  scores       one row for each job and task
  matrix       one row for each pair of tasks: scores and gains, means and intervals over seeds
  similarity   how alike tasks are, by images, class names and prompts
  correlation  whether that tells transfer: rank correlations with intervals
  report.html  all of it on one page, and its figures as SVG in figures/
The files depend on the plan alone, whoever did the jobs and in whatever order.";

/// Flags of `vlpt study merge`.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct MergeArgs {
    /// The study's folder
    #[arg(value_name = "STUDY")]
    dir: PathBuf,
    /// Make do with the results that are there
    #[arg(long)]
    partial: bool,
    /// Leave out similarities, which need the model and the data
    #[arg(long)]
    no_similarity: bool,
    /// Find the base model under this name instead of the one in the plan
    #[arg(long, value_name = "NAME")]
    model: Option<String>,
}

#[derive(Debug, Serialize)]
struct Document<'a> {
    folder: &'a Path,
    missing: usize,
    matrices: Vec<Row>,
    correlations: Vec<Correlated>,
}

#[derive(Debug, Serialize)]
struct Row {
    transfer: &'static str,
    method: String,
    source_shots: usize,
    shots: usize,
    seeds: usize,
    pairs: usize,
    mean_score: Option<f64>,
    mean_gain: Option<f64>,
    pairs_that_gain: usize,
}

#[derive(Debug, Serialize)]
struct Correlated {
    transfer: &'static str,
    method: String,
    source_shots: usize,
    shots: usize,
    measure: String,
    rho: Option<f64>,
    over_tasks: Option<(f64, f64)>,
}

/// Merges and says what came out.
pub(crate) fn run(args: &MergeArgs, console: &Console) -> Result<(), CliError> {
    // What is missing should be said before a model is loaded.
    collect(&args.dir, args.partial)?;
    let executor = if args.no_similarity {
        None
    } else {
        let plan = Plan::read(&args.dir)?;
        let threads = rayon::current_num_threads();
        let model = args.model.as_deref();
        Some(open_executor(&plan, model, threads, 0, console)?)
    };
    let watch = Watch::new(console);
    let (merged, compared) = merge_to_page(&args.dir, args.partial, executor.as_ref(), &watch)?;
    let out = args.dir.join("merged");
    let document = Document {
        folder: &out,
        missing: merged.missing,
        matrices: merged.matrices.iter().map(Row::of).collect(),
        correlations: compared.correlations.iter().map(Correlated::of).collect(),
    };
    console.result(&document, || document.text(&merged))
}

/// Writes every table of a study, its page and its figures; similarities where `executor` can compare
/// the tasks.
pub(crate) fn merge_to_page(
    dir: &Path,
    partial: bool,
    executor: Option<&TrainExecutor>,
    watch: &Watch,
) -> Result<(Merged, Compared), CliError> {
    let merged = merge(dir, partial)?;
    let mut compared = Compared::default();
    if let Some(executor) = executor {
        compared = executor.compare(dir, &merged, watch)?;
        compared.write(dir)?;
    }
    let out = dir.join("merged");
    let report = page::report(dir, &StudyFile::read(dir)?, &merged, &compared);
    report.write(&out.join("report.html"))?;
    report.write_figures(&out.join("figures"))?;
    Ok((merged, compared))
}

impl Row {
    /// Means over pairs of different tasks.
    fn of(matrix: &TransferMatrix) -> Self {
        let off = |m: &vlpt_study::TaskMatrix| -> Vec<f64> {
            let pairs = m.rows().iter().enumerate().flat_map(|(i, row)| {
                let columns = m.columns().iter().enumerate();
                let others = columns.filter(move |(_, column)| *column != row);
                others.filter_map(move |(j, _)| m.get(i, j))
            });
            pairs.collect()
        };
        let mean = |values: &[f64]| {
            let sum: f64 = values.iter().sum();
            (!values.is_empty()).then(|| sum / values.len() as f64)
        };
        let (scores, gains) = (off(&matrix.score), off(&matrix.gain));
        Self {
            transfer: matrix.transfer.name(),
            method: matrix.method.clone(),
            source_shots: matrix.source_shots,
            shots: matrix.shots,
            seeds: matrix.seeds.len(),
            pairs: scores.len(),
            mean_score: mean(&scores),
            mean_gain: mean(&gains),
            pairs_that_gain: gains.iter().filter(|&&gain| gain > 0.0).count(),
        }
    }
}

impl Correlated {
    fn of(found: &SimilarityCorrelation) -> Self {
        Self {
            transfer: found.transfer.name(),
            method: found.method.clone(),
            source_shots: found.source_shots,
            shots: found.shots,
            measure: found.measure.clone(),
            rho: found.rho,
            over_tasks: found.over_tasks,
        }
    }
}

impl Document<'_> {
    fn text(&self, merged: &Merged) -> String {
        let percent = |v: Option<f64>| v.map_or("-".to_owned(), |v| format!("{:.1}", 100.0 * v));
        let rows: Vec<Vec<String>> = self
            .matrices
            .iter()
            .map(|row| {
                vec![
                    format!("{} {}", row.transfer, row.method),
                    format!("{}/{}", row.source_shots, row.shots),
                    row.seeds.to_string(),
                    row.pairs.to_string(),
                    percent(row.mean_score),
                    percent(row.mean_gain),
                    row.pairs_that_gain.to_string(),
                ]
            })
            .collect();
        let head = [
            "transfer",
            "shots",
            "seeds",
            "pairs",
            "score %",
            "gain %",
            "pairs that gain",
        ];
        let mut text = table(&head, &rows);
        text += "\n\nof pairs of different tasks; gain over the same method on the target alone";
        if !self.correlations.is_empty() {
            let rows: Vec<Vec<String>> = self
                .correlations
                .iter()
                .map(|row| {
                    let rho = row.rho.map_or("-".to_owned(), |rho| format!("{rho:.2}"));
                    let interval = row.over_tasks.map_or("-".to_owned(), |(low, high)| {
                        format!("{low:.2} to {high:.2}")
                    });
                    let name = format!("{} {}", row.transfer, row.method);
                    vec![name, row.measure.clone(), rho, interval]
                })
                .collect();
            let head = ["transfer", "with", "rank correlation", "95 % over tasks"];
            text += &format!("\n\n{}", table(&head, &rows));
        }
        if merged.missing > 0 {
            text += &format!("\n\n{} jobs have no result yet", merged.missing);
        }
        let report = self.folder.join("report.html");
        text + &format!("\n\nwrote {} and the tables beside it", report.display())
    }
}
