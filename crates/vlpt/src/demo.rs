//! `vlpt demo`: the whole way on tasks that the program draws itself, offline.

use std::path::PathBuf;
use std::time::Instant;

use clap::Args;
use serde::Serialize;
use vlpt_clip::Clip;
use vlpt_data::drawn::{drawn, drawn_names};
use vlpt_data::image::Limits;
use vlpt_data::{Metric, Split, Task};
use vlpt_report::{DemoReport, Fact, Interval, KeyNumber, TaskResult, TaskSection, percent};
use vlpt_train::{
    Bootstrap, Classifier, FeatureMaker, ImageConfig, PromptFolder, Run, RunConfig, RunOptions,
    Scored, TrainingData, View,
};

use crate::console::{Console, table};
use crate::error::CliError;
use crate::figures;
use crate::watch::Watch;

/// Settings of every run of the demo, over the built-in ones. Class-specific contexts, because
/// mini-clip's text tower is too weak to move all classes apart with one.
const SETTINGS: [&str; 4] = [
    "model=mini-clip",
    "coop.class_specific=true",
    "train.lr=0.05",
    "train.epochs=50",
];

/// Flags of `vlpt demo`.
#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// The folder for the report and the run folders
    #[arg(long, short, value_name = "FOLDER", default_value = "vlpt-demo")]
    out: PathBuf,
    /// Seed of the drawn images, the subsets, the initial values and the order; 0 is one too
    #[arg(long, value_name = "SEED", default_value_t = 1)]
    seed: u64,
    /// Training images of each class, at most 32
    #[arg(long, value_name = "K", default_value_t = 16,
        value_parser = clap::value_parser!(u16).range(1..=32))]
    shots: u16,
    /// Which tasks, separated by commas [default: all]
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    tasks: Vec<String>,
}

/// What the demo measured, as `--json` prints it; shares are from 0 to 1.
#[derive(Debug, Serialize)]
struct Measured {
    tasks: Vec<Row>,
    mean_zero_shot: f64,
    mean_tuned: f64,
    report: PathBuf,
}

#[derive(Debug, Serialize)]
struct Row {
    task: String,
    classes: usize,
    test_images: usize,
    zero_shot: f64,
    tuned: f64,
    low: f64,
    high: f64,
}

/// Tunes a prompt on each task, compares it with zero-shot, prints a table and writes a report.
pub(crate) fn run(args: &DemoArgs, console: &Console) -> Result<(), CliError> {
    let began = Instant::now();
    let names = args.names();
    // A wrong name should not wait for the tasks before it.
    let tasks = names
        .iter()
        .map(|name| drawn(name, args.seed))
        .collect::<Result<Vec<_>, _>>()?;
    let clip = Clip::mini();
    let mut sections = Vec::new();
    for task in tasks {
        sections.push(one_task(args, &clip, task, console)?);
    }
    let report = args.report(&clip, sections);
    let path = args.out.join("report.html");
    report
        .write(&path)
        .map_err(|e| CliError::failure(e.to_string()))?;
    console.say(format!(
        "done in {:.0} seconds",
        began.elapsed().as_secs_f64()
    ));
    let results: Vec<_> = report.tasks.iter().map(|section| &section.result).collect();
    let measured = Measured {
        mean_zero_shot: mean(results.iter().map(|r| r.zero_shot.value)),
        mean_tuned: mean(results.iter().map(|r| r.tuned.value)),
        tasks: results.iter().map(|result| Row::of(result)).collect(),
        report: path,
    };
    console.result(&measured, || measured.text())
}

impl DemoArgs {
    /// The tasks asked for, each once.
    fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        for name in self
            .tasks
            .iter()
            .map(|name| name.trim())
            .filter(|name| !name.is_empty())
        {
            if !names.iter().any(|known| known == name) {
                names.push(name.to_owned());
            }
        }
        if names.is_empty() {
            names = drawn_names().iter().map(|&name| name.to_owned()).collect();
        }
        names
    }

    /// The run folder of a task; other options have another folder, equal ones share it.
    fn folder(&self, task: &str) -> PathBuf {
        let (shots, seed) = (self.shots, self.seed);
        self.out
            .join("runs")
            .join(format!("{task}-{shots}shots-seed{seed}"))
    }

    fn config(&self, task: &str) -> Result<RunConfig, CliError> {
        let mut settings = SETTINGS.map(str::to_owned).to_vec();
        settings.push(format!("data.path=drawn:{task}"));
        settings.push(format!("data.split_seed={}", self.seed));
        settings.push(format!("seed={}", self.seed));
        settings.push(format!("few_shot.shots={}", self.shots));
        Ok(vlpt_train::load(None, None, &settings)?)
    }

    /// The commands of the report: the demo itself, and one of its runs by hand.
    fn commands(&self, task: &str) -> Vec<String> {
        let tasks = match self.tasks.len() {
            0 => String::new(),
            _ => format!(" --tasks {}", self.names().join(",")),
        };
        let set: Vec<_> = SETTINGS
            .iter()
            .map(|setting| format!("--set {setting}"))
            .collect();
        let (seed, shots) = (self.seed, self.shots);
        let prompt = self.folder(task).join("prompt");
        vec![
            format!("vlpt demo --seed {seed} --shots {shots}{tasks}"),
            format!(
                "vlpt train drawn:{task} --seed {seed} --split-seed {seed} --shots {shots} {} --out \
                 runs/{task}",
                set.join(" ")
            ),
            format!(
                "vlpt eval {} drawn:{task} --split-seed {seed}",
                prompt.display()
            ),
        ]
    }

    fn report(&self, clip: &Clip, tasks: Vec<TaskSection>) -> DemoReport {
        let zero_shot = mean(tasks.iter().map(|t| t.result.zero_shot.value));
        let tuned = mean(tasks.iter().map(|t| t.result.tuned.value));
        let images: usize = tasks.iter().map(|t| t.result.images).sum();
        let key = |label: &str, value: String, detail: String| KeyNumber {
            label: label.to_owned(),
            value,
            detail,
        };
        let fact = |name: &str, value: String| Fact {
            name: name.to_owned(),
            value,
        };
        let over = format!("mean of {} tasks", tasks.len());
        DemoReport {
            title: "vlpt demo: tuned prompts against zero-shot".to_owned(),
            summary: format!(
                "A small frozen CLIP looks at images that the program drew. Zero-shot, it is given \
                 the class names; tuned, it is given a context learned from {} images of each class.",
                self.shots
            ),
            key_numbers: vec![
                key("Zero-shot accuracy", percent(zero_shot), over.clone()),
                key("Tuned accuracy", percent(tuned), over),
                key(
                    "Gain",
                    format!("{:+.1}", 100.0 * (tuned - zero_shot)),
                    "points".to_owned(),
                ),
                key(
                    "Test images",
                    images.to_string(),
                    "none of them seen in training".to_owned(),
                ),
            ],
            facts: vec![
                fact(
                    "Model",
                    format!("mini-clip, fingerprint {:.16}", clip.fingerprint),
                ),
                fact(
                    "Method",
                    "CoOp, 16 context vectors for each class, random start".to_owned(),
                ),
                fact(
                    "Training",
                    format!("{} shots, 50 epochs of SGD, seed {}", self.shots, self.seed),
                ),
                fact("Kept", "the prompt of the last epoch".to_owned()),
                fact(
                    "Intervals",
                    "95 %, bootstrap over the test images".to_owned(),
                ),
            ],
            commands: tasks
                .first()
                .map_or_else(Vec::new, |t| self.commands(&t.result.name)),
            tasks,
        }
    }
}

/// Trains on one task, or takes the run that is there already, and measures.
fn one_task(
    args: &DemoArgs,
    clip: &Clip,
    task: Task,
    console: &Console,
) -> Result<TaskSection, CliError> {
    let watch = Watch::new(console);
    let config = args.config(&task.name)?;
    let data = TrainingData::of(task, &config)?;
    let options = RunOptions {
        dir: args.folder(&data.task.name),
        cache: None,
    };
    let done = if options.dir.join("config.toml").exists() {
        Run::resume_with(Some(&config), &options, clip, &data, &watch)?
    } else {
        Run::start_with(&config, &options, clip, &data, &watch)?
    };
    let task = &data.task;
    let maker = FeatureMaker {
        clip,
        preprocess: vlpt_train::preprocess(clip, &ImageConfig::default()),
        limits: Limits::default(),
        batch: config.compute.image_batch,
        cache: None,
        prompts: None,
    };
    let features = maker.features(&task.test.items, &[], View::Centre, &watch)?;
    let zero_shot = Classifier::zero_shot(clip, &task.classes, &task.templates)?;
    let tuned = PromptFolder::open(&done.prompt)?.classifier(clip)?;
    let probabilities = tuned.probabilities(clip, &features)?;
    Ok(TaskSection {
        result: TaskResult {
            name: task.name.clone(),
            classes: task.classes.len(),
            images: task.test.len(),
            zero_shot: accuracy(clip, &zero_shot, &features, &task.test)?,
            tuned: accuracy(clip, &tuned, &features, &task.test)?,
        },
        curve: figures::learning_curve(&options.dir, done.selected_epoch)?,
        confusion: figures::confusion(&task.classes, &task.test, &probabilities),
        examples: figures::examples(&task.classes, &task.test, &probabilities)?,
    })
}

/// Accuracy with its bootstrap interval.
fn accuracy(
    clip: &Clip,
    classifier: &Classifier,
    features: &[f32],
    split: &Split,
) -> Result<Interval, CliError> {
    let labels = split.items.iter().map(|item| item.labels.clone()).collect();
    let logits = classifier.logits(clip, features)?;
    let scored = Scored::from_f32(&logits, classifier.classes.len(), labels)?;
    let found = Bootstrap::default().interval(Metric::Accuracy, &scored)?;
    Ok(Interval {
        value: found.value,
        low: found.low,
        high: found.high,
    })
}

impl Row {
    fn of(result: &TaskResult) -> Self {
        Self {
            task: result.name.clone(),
            classes: result.classes,
            test_images: result.images,
            zero_shot: result.zero_shot.value,
            tuned: result.tuned.value,
            low: result.tuned.low,
            high: result.tuned.high,
        }
    }
}

impl Measured {
    fn text(&self) -> String {
        let share = |value: f64| format!("{:.1}", 100.0 * value);
        let gain = |zero_shot: f64, tuned: f64| format!("{:+.1}", 100.0 * (tuned - zero_shot));
        let mut rows: Vec<Vec<String>> = self
            .tasks
            .iter()
            .map(|row| {
                vec![
                    row.task.clone(),
                    row.classes.to_string(),
                    share(row.zero_shot),
                    share(row.tuned),
                    format!("{} to {}", share(row.low), share(row.high)),
                    gain(row.zero_shot, row.tuned),
                ]
            })
            .collect();
        rows.push(vec![
            "mean".to_owned(),
            String::new(),
            share(self.mean_zero_shot),
            share(self.mean_tuned),
            String::new(),
            gain(self.mean_zero_shot, self.mean_tuned),
        ]);
        let header = [
            "task",
            "classes",
            "zero-shot %",
            "tuned %",
            "95 % interval",
            "gain",
        ];
        format!(
            "{}\n\nreport: {}",
            table(&header, &rows).trim_end(),
            self.report.display()
        )
    }
}

fn mean(values: impl ExactSizeIterator<Item = f64>) -> f64 {
    let count = values.len().max(1) as f64;
    values.sum::<f64>() / count
}
