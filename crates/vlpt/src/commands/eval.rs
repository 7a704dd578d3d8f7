//! `vlpt eval`: a prompt folder judged on a data set.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use vlpt_adapter::{
    Bootstrap, Classifier, EvalOptions, Evaluation, PromptFolder, SplitName, evaluate,
};
use vlpt_clip::Clip;
use vlpt_data::Task;
use vlpt_data::image::Preprocess;

use crate::console::{Console, table};
use crate::error::CliError;
use crate::figures;
use crate::options::{BaseModelArgs, CacheArgs, RunDataArgs};
use crate::watch::Watch;

/// Flags of `vlpt eval`.
#[derive(Debug, Args)]
pub(crate) struct EvalArgs {
    /// A prompt folder, or a run folder that holds one
    #[arg(value_name = "PROMPT")]
    prompt: PathBuf,
    #[command(flatten)]
    data: RunDataArgs,
    #[command(flatten)]
    base: BaseModelArgs,
    /// Also write a page with the learning curve, the confusions and example images
    #[arg(long, value_name = "FILE.html")]
    report: Option<PathBuf>,
    #[command(flatten)]
    how: HowArgs,
}

/// Flags that evaluating commands share.
#[derive(Debug, Clone, Args)]
pub(crate) struct HowArgs {
    /// Which images to judge on
    #[arg(long, value_enum, default_value = "test")]
    split: SplitArg,
    /// What 11-point mAP ranks by: softmax as the ELEVATER toolkit does, or logits as MVLPT does
    #[arg(long, value_enum, default_value = "softmax")]
    scores: ScoresArg,
    /// Resamples of the bootstrap interval
    #[arg(long, value_name = "N", default_value_t = 1000)]
    bootstrap: usize,
    /// Seed of the bootstrap
    #[arg(long, value_name = "SEED", default_value_t = 0)]
    bootstrap_seed: u64,
    /// Also write the result as CLIP_benchmark does
    #[arg(long, value_name = "FILE.json")]
    out: Option<PathBuf>,
    /// Also print every class and the confusions made most often
    #[arg(long)]
    per_class: bool,
    #[command(flatten)]
    cache: CacheArgs,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum SplitArg {
    Train,
    Val,
    Test,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum ScoresArg {
    Logits,
    Softmax,
}

/// Evaluates and prints.
pub(crate) fn run(args: &EvalArgs, console: &Console) -> Result<(), CliError> {
    let folder = PromptFolder::open(&args.prompt)?;
    let task = args.data.open(&folder, console)?;
    let clip = args.base.open(&folder, console)?;
    if let Some(member) = folder.member(&task.name, &task.classes) {
        console.say(format!(
            "note: {} is one of the tasks {}; only its {} classes are told apart",
            member.name,
            folder.adapter.task,
            task.classes.len()
        ));
    } else if folder.classes != task.classes {
        console.say(format!(
            "note: {} has other classes than the prompt was tuned on; their texts are made anew",
            task.name
        ));
    }
    let classifier = folder.classifier_for_task(&clip, &task)?;
    let what = args.prompt.display().to_string();
    judge(
        &clip,
        &classifier,
        &task,
        &folder.adapter.preprocess,
        &what,
        &args.how,
        console,
    )
    .and_then(|result| report(args, &folder, &task, &result, console))
}

/// Writes the page asked for.
fn report(
    args: &EvalArgs,
    folder: &PromptFolder,
    task: &Task,
    result: &Evaluation,
    console: &Console,
) -> Result<(), CliError> {
    let Some(page) = &args.report else {
        return Ok(());
    };
    let run = folder
        .path
        .parent()
        .filter(|run| run.join("config.toml").is_file());
    let Some(run) = run else {
        return Err(CliError::usage(
            format!(
                "no report: {} does not lie in its run folder",
                folder.path.display()
            ),
            "name the run folder; it holds the learning curve",
        ));
    };
    let judged = Some((result, result.split.of(task)?));
    figures::run_report(run, folder.adapter.selected_epoch, judged)?.write(page)?;
    console.say(format!("wrote {}", page.display()));
    Ok(())
}

/// Evaluates `classifier` on `task` as the flags say, prints, and writes the file asked for.
pub(crate) fn judge(
    clip: &Clip,
    classifier: &Classifier,
    task: &Task,
    preprocess: &Preprocess,
    what: &str,
    how: &HowArgs,
    console: &Console,
) -> Result<Evaluation, CliError> {
    let options = EvalOptions {
        split: match how.split {
            SplitArg::Train => SplitName::Train,
            SplitArg::Val => SplitName::Val,
            SplitArg::Test => SplitName::Test,
        },
        softmax_scores: matches!(how.scores, ScoresArg::Softmax),
        bootstrap: Bootstrap {
            resamples: how.bootstrap,
            seed: how.bootstrap_seed,
            ..Bootstrap::default()
        },
        cache: how.cache.folder(),
        ..EvalOptions::default()
    };
    let watch = Watch::new(console);
    let result = evaluate(clip, classifier, task, preprocess, &options, &watch)?;
    if let Some(path) = &how.out {
        let document = result.clip_benchmark(&clip.name, what);
        let text = serde_json::to_string_pretty(&document)
            .map_err(|e| CliError::failure(e.to_string()))?;
        vlpt_base::files::write_atomic(path, format!("{text}\n").as_bytes())?;
        console.say(format!("wrote {}", path.display()));
    }
    console.result(&result, || text(&result, &task.classes, how.per_class))?;
    Ok(result)
}

fn text(result: &Evaluation, classes: &[String], per_class: bool) -> String {
    let percent = |v: f64| format!("{:.2}", 100.0 * v);
    let mut text = format!(
        "{} ({} split, {} images): {} {} %   {:.0} % interval {} to {}",
        result.task,
        result.split.name(),
        result.images,
        result.metric,
        percent(result.value),
        100.0 * result.confidence,
        percent(result.low),
        percent(result.high),
    );
    if per_class && !result.confusion.is_empty() {
        let rows: Vec<Vec<String>> = classes
            .iter()
            .zip(result.per_class.iter().zip(&result.confusion))
            .map(|(name, (share, row))| {
                let share = share.map_or_else(|| "-".to_owned(), percent);
                vec![name.clone(), row.iter().sum::<u64>().to_string(), share]
            })
            .collect();
        text.push_str(&format!(
            "\n\n{}",
            table(&["class", "images", "right %"], &rows)
        ));
        let mut wrong: Vec<(u64, &str, &str)> = Vec::new();
        for (truth, row) in result.confusion.iter().enumerate() {
            for (predicted, &count) in row.iter().enumerate() {
                if truth != predicted && count > 0 {
                    wrong.push((count, &classes[truth], &classes[predicted]));
                }
            }
        }
        wrong
            .sort_by_key(|&(count, truth, predicted)| (std::cmp::Reverse(count), truth, predicted));
        let rows: Vec<Vec<String>> = wrong
            .iter()
            .take(10)
            .map(|(count, truth, predicted)| {
                vec![
                    (*truth).to_owned(),
                    (*predicted).to_owned(),
                    count.to_string(),
                ]
            })
            .collect();
        if !rows.is_empty() {
            text.push_str(&format!(
                "\n\n{}",
                table(&["is", "taken for", "times"], &rows)
            ));
        }
    }
    text
}
