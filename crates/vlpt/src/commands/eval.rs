//! `vlpt eval`: a prompt folder judged on a data set.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use vlpt_adapter::{
    Bootstrap, Chosen, ClassesOf, Classifier, EvalOptions, Evaluation, PromptFolder, Row,
    RowFormat, RowLabels, RowWriter, SplitName, evaluate,
};
use vlpt_clip::Clip;
use vlpt_data::image::{Limits, Preprocess};
use vlpt_data::{Metric, Task};

use crate::console::Console;
use crate::error::CliError;
use crate::options::{
    BaseModelArgs, CacheArgs, PredictionsArgs, RunDataArgs, refuse_rows_inside, row_format,
};
use crate::watch::Watch;
use crate::{figures, verdict};

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
    /// Whose classes are the choices [default: the prompt's where the data's are among them, else
    /// the data's where none is]
    #[arg(long, value_enum, value_name = "WHOSE")]
    classes_of: Option<ClassesOfArg>,
    #[command(flatten)]
    how: HowArgs,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum ClassesOfArg {
    /// Those of the prompt; the data's are found among them by name
    Prompt,
    /// Those of the data, with texts made anew
    Data,
}

/// Flags that evaluating commands share.
#[derive(Debug, Clone, Args)]
pub(crate) struct HowArgs {
    /// Which images to judge on [default: test]
    #[arg(long, value_enum)]
    split: Option<SplitArg>,
    /// What 11-point mAP ranks by: softmax as the ELEVATER toolkit does, or logits as MVLPT does
    /// [default: softmax]
    #[arg(long, value_enum)]
    scores: Option<ScoresArg>,
    /// Resamples of the bootstrap interval; that of accuracy is Wilson's and needs none [default: 1000]
    #[arg(long, value_name = "N")]
    bootstrap: Option<NonZeroUsize>,
    /// Seed of the bootstrap [default: 0]
    #[arg(long, value_name = "SEED")]
    bootstrap_seed: Option<u64>,
    /// Also write the result as CLIP_benchmark does
    #[arg(long, value_name = "FILE.json")]
    pub(crate) out: Option<PathBuf>,
    /// Also print every class and the confusions made most often
    #[arg(long)]
    per_class: bool,
    #[command(flatten)]
    pub(crate) rows: PredictionsArgs,
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
    args.how.check()?;
    let folder = PromptFolder::open(&args.prompt)?;
    let task = args.data.open(&folder, console)?;
    args.how.check_beside(&task)?;
    let clip = args.base.open(&folder, console)?;
    let asked = args.classes_of.map(|whose| match whose {
        ClassesOfArg::Prompt => ClassesOf::Prompt,
        ClassesOfArg::Data => ClassesOf::Data,
    });
    let choices = folder.choices(&task, asked)?;
    if let Some(member) = folder.member(&task.name, &choices.classes) {
        console.say(format!(
            "note: {} is one of the tasks {}; only its {} classes are told apart",
            member.name,
            folder.adapter.task,
            choices.classes.len()
        ));
    } else if choices.of == ClassesOf::Data && folder.classes != task.classes {
        let how = match choices.rows {
            Some(_) => "its own classes alone are the choices",
            None => "its classes are the choices, and their texts are made anew",
        };
        console.say(format!(
            "note: {} has other classes than the prompt was tuned on; {how}",
            task.name
        ));
    } else if choices.classes != task.classes {
        console.say(format!(
            "note: {} has {} of the prompt's {} classes; all of these stay the choices \
             (--classes-of data takes the data's alone)",
            task.name,
            task.classes.len(),
            choices.classes.len()
        ));
    }
    let classifier = folder.classifier_among(&clip, &choices)?;
    let judged = Judged {
        what: args.prompt.display().to_string(),
        preprocess: &folder.adapter.preprocess,
        task: &choices.relabelled(&task),
        chosen: Some(Chosen {
            of: choices.of,
            data_classes: task.classes.clone(),
        }),
    };
    let result = judge(&clip, &classifier, &judged, &args.how, console)?;
    report(args, &folder, judged.task, &result, console)
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
    let decoding = folder.adapter.preprocess.decoding(&Limits::default());
    let judged = Some((result, result.split.of(task)?, &decoding));
    figures::run_report(run, folder.adapter.selected_epoch, judged)?.write(page)?;
    console.say(format!("wrote {}", page.display()));
    Ok(())
}

/// What is judged on.
pub(crate) struct Judged<'a> {
    /// What the classifier is called in the result file.
    pub(crate) what: String,
    /// How images are made ready.
    pub(crate) preprocess: &'a Preprocess,
    /// The data, its labels numbers among the choices.
    pub(crate) task: &'a Task,
    /// Whose the choices are, where they are not simply the data's.
    pub(crate) chosen: Option<Chosen>,
}

impl HowArgs {
    /// Refuses flags that would write or say nothing, before any work.
    pub(crate) fn check(&self) -> Result<(), CliError> {
        let rows = &self.rows;
        let file = rows.predictions.as_deref();
        rows.rows
            .check_used(file.is_some(), false, "--predictions")?;
        rows.rows.none.none_below()?;
        if rows.rows.none.none.is_some() && file.is_none() {
            return Err(CliError::usage(
                "--none was given, but no file of results image by image",
                "name one with --predictions, or leave --none out",
            ));
        }
        file.map(row_format).transpose()?;
        match &self.out {
            Some(out) if RowFormat::of(out).is_ok() => Err(CliError::usage(
                format!("--out {}: the result is one JSON document", out.display()),
                "results image by image are written by --predictions",
            )),
            _ => Ok(()),
        }
    }

    /// Refuses rows in the folder of the set that is judged.
    pub(crate) fn check_beside(&self, task: &Task) -> Result<(), CliError> {
        let rows = self.rows.predictions.as_deref();
        rows.map_or(Ok(()), |rows| {
            refuse_rows_inside(task, rows, "--predictions")
        })
    }

    /// The first flag that only judging by labels has, if one was given.
    pub(crate) fn judging(&self) -> Option<&'static str> {
        let given = [
            (self.split.is_some(), "--split"),
            (self.scores.is_some(), "--scores"),
            (self.bootstrap.is_some(), "--bootstrap"),
            (self.bootstrap_seed.is_some(), "--bootstrap-seed"),
            (self.per_class, "--per-class"),
        ];
        given
            .iter()
            .find(|(given, _)| *given)
            .map(|(_, flag)| *flag)
    }

    /// As the library takes them; says what plays no part.
    fn options(&self, judged: &Judged, console: &Console) -> EvalOptions {
        let given = self.bootstrap.is_some() || self.bootstrap_seed.is_some();
        if judged.task.metric == Metric::Accuracy && given {
            console.say("note: the interval of accuracy is Wilson's; the bootstrap plays no part");
        }
        let default = Bootstrap::default();
        EvalOptions {
            split: match self.split {
                Some(SplitArg::Train) => SplitName::Train,
                Some(SplitArg::Val) => SplitName::Val,
                Some(SplitArg::Test) | None => SplitName::Test,
            },
            softmax_scores: !matches!(self.scores, Some(ScoresArg::Logits)),
            bootstrap: Bootstrap {
                resamples: self.bootstrap.map_or(default.resamples, NonZeroUsize::get),
                seed: self.bootstrap_seed.unwrap_or(default.seed),
                ..default
            },
            chosen: judged.chosen.clone(),
            threshold: self.rows.rows.none.threshold,
            cache: self.cache.folder(),
            ..EvalOptions::default()
        }
    }
}

/// Evaluates `classifier` as the flags say, prints, and writes the files asked for.
pub(crate) fn judge(
    clip: &Clip,
    classifier: &Classifier,
    judged: &Judged,
    how: &HowArgs,
    console: &Console,
) -> Result<Evaluation, CliError> {
    how.check()?;
    let options = how.options(judged, console);
    let watch = Watch::new(console);
    let result = evaluate(
        clip,
        classifier,
        judged.task,
        judged.preprocess,
        &options,
        &watch,
    )?;
    if let Some(path) = &how.out {
        let document = result.clip_benchmark(&clip.name, &judged.what);
        let text = serde_json::to_string_pretty(&document)
            .map_err(|e| CliError::failure(e.to_string()))?;
        vlpt_base::files::write_atomic(path, format!("{text}\n").as_bytes())?;
        console.say(format!("wrote {}", path.display()));
    }
    if let Some(path) = &how.rows.predictions {
        write_rows(path, judged.task, &result, how)?;
        console.say(format!("wrote {}", path.display()));
    }
    console.result(&result, || verdict::text(&result, how.per_class))?;
    Ok(result)
}

/// Writes label, answer and probabilities of every image.
fn write_rows(
    path: &Path,
    task: &Task,
    result: &Evaluation,
    how: &HowArgs,
) -> Result<(), CliError> {
    let labels = if task.multi_label {
        RowLabels::Many
    } else {
        RowLabels::One
    };
    let options = how.rows.rows.options(&result.classes, labels)?;
    let mut writer = RowWriter::create(path, options)?;
    let rows = result.probabilities.chunks_exact(result.classes.len());
    for (sample, probabilities) in result.split.of(task)?.samples.iter().zip(rows) {
        writer.push(&Row {
            path: &sample.image.id(),
            labels: &sample.labels,
            outcome: Ok(probabilities),
        })?;
    }
    writer.finish()?;
    Ok(())
}
