//! `vlpt multitask joint`: one prompt for a group, each member beside its single-task result.

use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;
use vlpt_study::multitask::{Joint, JointMember, Singles, train_jointly};
use vlpt_train::{Run, open_tasks_watched};

use super::TaskFlags;
use crate::console::{Console, Unit, table};
use crate::error::CliError;
use crate::figures;
use crate::options::{before_work, open_model};
use crate::watch::Watch;

/// Flags of `vlpt multitask joint`.
#[derive(Debug, Args)]
pub(crate) struct JointArgs {
    #[command(flatten)]
    tasks: TaskFlags,
    /// Compare with single-task prompts in this folder, each in a folder named after its task
    #[arg(long, value_name = "FOLDER", conflicts_with = "single")]
    against: Option<PathBuf>,
    /// Tune a prompt for each task alone too, in OUT/single/TASK, and compare with it
    #[arg(long)]
    single: bool,
}

#[derive(Debug, Serialize)]
struct JointDocument<'a> {
    run: &'a Path,
    prompt: &'a Path,
    members: &'a [JointMember],
    mean: Means,
}

/// Means over the members.
#[derive(Debug, Serialize)]
struct Means {
    zero_shot: f64,
    single: Option<f64>,
    joint: f64,
}

/// Tunes, evaluates and prints.
pub(super) fn run(args: &JointArgs, console: &Console) -> Result<(), CliError> {
    let config = args.tasks.resolve()?;
    let tasks = open_tasks_watched(&config, &console.bar(Unit::Items))?;
    before_work(&tasks, &args.tasks.out, &config.image.decoding(), console)?;
    let precision = Run::precision(&config, [args.tasks.out.clone()])?;
    let clip = open_model(&config.model, precision, console)?;
    let singles = match (&args.against, args.single) {
        (Some(folder), _) => Singles::Against(folder),
        (None, true) => Singles::Train,
        (None, false) => Singles::None,
    };
    let (options, watch) = (args.tasks.options(), Watch::new(console));
    let made = train_jointly(&config, singles, &options, &clip, &tasks, &watch)?;
    let page = figures::run_report(&made.run.dir, made.run.selected_epoch, None)?;
    page.write(&made.run.dir.join("report.html"))?;
    for note in &made.notes {
        console.say(format!("note: {note}"));
    }
    let document = JointDocument {
        run: &made.run.dir,
        prompt: &made.run.prompt,
        members: &made.members,
        mean: Means::of(&made.members),
    };
    console.result(&document, || text(&made, &document.mean))
}

impl Means {
    fn of(members: &[JointMember]) -> Self {
        let count = members.len().max(1) as f64;
        let mean = |of: fn(&JointMember) -> f64| members.iter().map(of).sum::<f64>() / count;
        let singles: Option<Vec<f64>> = members.iter().map(|member| member.single).collect();
        Self {
            zero_shot: mean(|member| member.zero_shot),
            single: singles.map(|values| values.iter().sum::<f64>() / count),
            joint: mean(|member| member.joint),
        }
    }
}

fn text(made: &Joint, mean: &Means) -> String {
    let percent = |value: f64| format!("{:.2}", 100.0 * value);
    let row = |name: &str, metric: &str, zero_shot: f64, single: Option<f64>, joint: f64| {
        let gain = single.map_or("-".to_owned(), |single| {
            format!("{:+.2}", 100.0 * (joint - single))
        });
        vec![
            name.to_owned(),
            metric.to_owned(),
            percent(zero_shot),
            single.map_or("-".to_owned(), percent),
            percent(joint),
            gain,
        ]
    };
    let members = made.members.iter();
    let mut rows: Vec<Vec<String>> = members
        .map(|m| row(&m.task, m.metric.name(), m.zero_shot, m.single, m.joint))
        .collect();
    rows.push(row("mean", "", mean.zero_shot, mean.single, mean.joint));
    let header = [
        "task",
        "metric",
        "zero-shot %",
        "single %",
        "joint %",
        "gain",
    ];
    format!(
        "{}\n\n{}",
        table(&header, &rows).trim_end(),
        made.run.prompt.display()
    )
}
