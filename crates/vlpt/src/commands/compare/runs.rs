//! Runs side by side, image by image.

use std::path::{Path, PathBuf};

use serde::Serialize;
use vlpt_adapter::{Chosen, ClassesOf, EvalOptions, PromptFolder, evaluate};
use vlpt_tables::answers::{Answers, AnswersComparison};

use super::{CompareArgs, join, plain, write};
use crate::console::Console;
use crate::error::CliError;
use crate::options::{CacheArgs, open_model};
use crate::watch::Watch;

/// What is printed under `--json`.
#[derive(Debug, Serialize)]
struct Document<'a> {
    #[serde(flatten)]
    comparison: &'a AnswersComparison,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    files: Vec<PathBuf>,
}

/// Whether a path is a run folder, or a file of answers.
pub(super) fn is_run(path: &Path) -> bool {
    path.is_dir() || Answers::is_file(path)
}

/// Compares runs on the test images that they all answered.
pub(super) fn compare(args: &CompareArgs, console: &Console) -> Result<(), CliError> {
    let given = [
        (args.shots.is_some(), "--shots"),
        (args.measure.is_some(), "--measure"),
        (!args.without.is_empty(), "--without"),
        (args.published.is_some(), "--published"),
    ];
    if let Some((_, flag)) = given.iter().find(|(given, _)| *given) {
        return Err(CliError::usage(
            format!("{flag} has no effect on runs that are compared image by image"),
            "leave it out, or name files of results",
        ));
    }
    let mut runs = Vec::new();
    for path in &args.results {
        let mut answers = if path.is_dir() {
            answers_of(path, console)?
        } else {
            Answers::read(path)?
        };
        answers.name = path.display().to_string();
        if !args.leave_out.contains(&answers.name) {
            runs.push(answers);
        }
    }
    let comparison = AnswersComparison::new(&runs, args.against.as_deref())?;
    let tables = [
        ("accuracies", comparison.accuracies()),
        ("tests", comparison.tests()),
    ];
    let files = match &args.out {
        Some(folder) => write(folder, &tables, Vec::new(), console)?,
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

/// Evaluates a run on the test images of its data.
fn answers_of(path: &Path, console: &Console) -> Result<Answers, CliError> {
    let folder = PromptFolder::open(path)?;
    let run = folder.path.parent().unwrap_or(Path::new(""));
    let data = vlpt_train::remembered_data(run)?;
    let [data] = &data[..] else {
        return Err(CliError::usage(
            format!("{}: a run on {} data sets", path.display(), data.len()),
            "evaluate it on each with `vlpt eval --predictions FILE.csv`, and compare the files",
        ));
    };
    let task = vlpt_train::open_task(data)?;
    let model = vlpt_train::located_model(&folder.adapter.base_model, run)?;
    let precision = folder
        .adapter
        .precision
        .unwrap_or(vlpt_clip::Precision::F32);
    let clip = open_model(&model, precision, console)?;
    folder.check_model(&clip)?;
    let choices = folder.choices(&task, None)?;
    let classifier = folder.classifier_among(&clip, &choices)?;
    let own = choices.relabelled(&task);
    let cache = CacheArgs {
        cache: std::env::var_os("VLPT_CACHE_DIR").map(PathBuf::from),
        no_cache: false,
    };
    let options = EvalOptions {
        cache: cache.folder(),
        chosen: Some(Chosen {
            of: choices.of,
            data_classes: task.classes.clone(),
        }),
        ..EvalOptions::default()
    };
    if own.multi_label || choices.of == ClassesOf::Named {
        return Err(CliError::usage(
            format!(
                "{}: its images have several classes or none",
                path.display()
            ),
            "an answer to such an image is neither right nor wrong; compare results over seeds instead",
        ));
    }
    let watch = Watch::new(console);
    let found = evaluate(
        &clip,
        &classifier,
        &own,
        &folder.adapter.preprocess,
        &options,
        &watch,
    )?;
    let images = own.test.samples.iter().zip(&found.predictions);
    Ok(Answers {
        name: String::new(),
        right: images
            .map(|(image, predicted)| (image.image.id(), image.labels[..] == [*predicted]))
            .collect(),
    })
}
