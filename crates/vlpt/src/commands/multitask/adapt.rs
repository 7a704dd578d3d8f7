//! `vlpt multitask adapt`: from a source prompt to one task, beside from scratch if asked.

use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;
use vlpt_study::multitask::{AdaptedValues, train_adapted};
use vlpt_train::{Run, RunOptions, open_task_watched};

use crate::commands::train::report;
use crate::console::{Console, table};
use crate::error::CliError;
use crate::figures;
use crate::options::{CacheArgs, DataFlags, before_work, open_model};
use crate::tuning::{TuneFlags, quoted};
use crate::watch::Watch;

/// Flags of `vlpt multitask adapt`.
#[derive(Debug, Args)]
pub(crate) struct AdaptArgs {
    /// The data set: a folder, a manifest (.csv, .jsonl), or `synthetic:NAME`
    #[arg(value_name = "DATA")]
    data: String,
    /// The prompt folder to start from; its method, options and model hold unless others are given
    #[arg(long, value_name = "FOLDER")]
    init_from: PathBuf,
    /// The run folder to write; given again, the run goes on where it was interrupted
    #[arg(long, short, value_name = "FOLDER")]
    out: PathBuf,
    /// Tune the same from scratch too, in OUT/scratch, and show both on the test images
    #[arg(long)]
    scratch: bool,
    /// Change a setting of the run from scratch alone; may be given many times. A start near a good
    /// prompt and a random one want different learning rates, and each should have its best
    #[arg(long, value_name = "KEY=VALUE", requires = "scratch")]
    scratch_set: Vec<String>,
    #[command(flatten)]
    flags: DataFlags,
    #[command(flatten)]
    tune: TuneFlags,
    #[command(flatten)]
    cache: CacheArgs,
}

#[derive(Debug, Serialize)]
struct Document<'a> {
    run: &'a Path,
    prompt: &'a Path,
    #[serde(flatten)]
    values: &'a AdaptedValues,
}

/// Tunes, and prints.
pub(super) fn run(args: &AdaptArgs, console: &Console) -> Result<(), CliError> {
    let mut settings = args.flags.settings(Some(&args.data));
    settings.push(format!("data.path={}", quoted(&args.data)));
    let start = Some(&*args.init_from);
    let config = args.tune.resolve(settings.clone(), start)?;
    let options = RunOptions {
        dir: args.out.clone(),
        cache: args.cache.folder(),
    };
    let watch = Watch::new(console);
    if !args.scratch {
        return report(Run::start_or_resume(&config, &options, &watch)?, console);
    }
    let scratch = args.tune.with(&args.scratch_set).resolve(settings, start)?;
    let task = open_task_watched(&config.data, &watch)?;
    before_work(
        std::slice::from_ref(&task),
        &args.out,
        &config.image.decoding(),
        console,
    )?;
    let folders = [options.dir.clone(), options.dir.join("scratch")];
    let precision = Run::precision(&config, folders)?;
    let clip = open_model(&config.model, precision, console)?;
    let made = train_adapted(&config, &scratch, &options, &clip, &task, &watch)?;
    for run in [&made.run, &made.scratch_run] {
        let page = figures::run_report(&run.dir, run.selected_epoch, None)?;
        page.write(&run.dir.join("report.html"))?;
    }
    let document = Document {
        run: &made.run.dir,
        prompt: &made.run.prompt,
        values: &made.values,
    };
    console.result(&document, || text(&document))
}

fn text(document: &Document) -> String {
    let values = document.values;
    let row = |how: &str, value: f64| vec![how.to_owned(), format!("{:.2}", 100.0 * value)];
    let rows = [
        row("zero-shot", values.zero_shot),
        row("the source prompt as it is", values.source),
        row("tuned from scratch", values.scratch),
        row("tuned from the source prompt", values.adapted),
    ];
    format!(
        "{}, {} on {} test images\n\n{}\n\n{}",
        values.task,
        values.metric.name(),
        values.images,
        table(&["prompt", "%"], &rows).trim_end(),
        document.prompt.display()
    )
}
