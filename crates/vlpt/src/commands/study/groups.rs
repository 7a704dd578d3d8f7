//! `vlpt study groups`: which tasks should share a prompt.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use serde::Serialize;
use vlpt_study::groups::{agglomerative_groups, greedy_groups};
use vlpt_study::merge::{TransferKind, TransferMatrix, collect};
use vlpt_study::{Joint, StudyFile};

use super::plan::report;
use crate::console::Console;
use crate::error::CliError;
use crate::invocation;

const AFTER_HELP: &str = "\
Tasks go together that help each other: by the mean of both directions' gain over the task alone.
  greedy         the best pair first, then whoever fits best, until the group is full
  agglomerative  average linkage, until no two groups fit into one

Example:
  vlpt study groups study --size 3                        look
  vlpt study groups study --size 3 --add agglomerative    plan one joint training for each group
  vlpt study run study";

/// Flags of `vlpt study groups`.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct GroupsArgs {
    /// The study's folder
    #[arg(value_name = "STUDY")]
    dir: PathBuf,
    /// Tasks in a group, at most
    #[arg(long, value_name = "N")]
    size: usize,
    /// Which transfer says who helps whom [default: the first in the study]
    #[arg(long, value_enum)]
    transfer: Option<TransferArg>,
    /// Of which method [default: the first in the study]
    #[arg(long, value_name = "NAME")]
    method: Option<String>,
    /// Plan joint trainings of these groups, beside what is planned already
    #[arg(long, value_enum)]
    add: Option<Way>,
    /// Training images of each class in joint trainings [default: as in the matrix]
    #[arg(long, value_name = "K,K", value_delimiter = ',', requires = "add")]
    shots: Vec<usize>,
    /// Seeds of joint trainings [default: as in the matrix]
    #[arg(
        long,
        value_name = "SEED,SEED",
        value_delimiter = ',',
        requires = "add"
    )]
    seeds: Vec<u64>,
    /// Also write the groups of --add to a file that `vlpt study plan --groups` reads
    #[arg(long, value_name = "FILE", requires = "add")]
    write: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum TransferArg {
    ZeroShot,
    Adapted,
    CoTraining,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Way {
    Greedy,
    Agglomerative,
}

#[derive(Debug, Serialize)]
struct Document {
    transfer: &'static str,
    method: String,
    greedy: Vec<Vec<String>>,
    agglomerative: Vec<Vec<String>>,
}

/// Finds groups, prints them, and plans them if asked to.
pub(crate) fn run(args: &GroupsArgs, console: &Console) -> Result<(), CliError> {
    let merged = collect(&args.dir, true)?;
    let matrix = args.choose(&merged.matrices)?;
    let document = Document {
        transfer: matrix.transfer.name(),
        method: matrix.method.clone(),
        greedy: greedy_groups(&matrix.gain, args.size)?,
        agglomerative: agglomerative_groups(&matrix.gain, args.size)?,
    };
    let Some(way) = args.add else {
        return console.result(&document, || document.text());
    };
    console.say(document.text());
    let mut groups = match way {
        Way::Greedy => document.greedy,
        Way::Agglomerative => document.agglomerative,
    };
    // One task alone is the single-task baseline.
    groups.retain(|group| group.len() > 1);
    if groups.is_empty() {
        return Err(CliError::usage(
            "no group has two tasks",
            "raise --size to 2 or more",
        ));
    }
    if let Some(path) = &args.write {
        let lines: Vec<String> = groups.iter().map(|group| group.join(", ")).collect();
        vlpt_base::files::write_atomic(path, (lines.join("\n") + "\n").as_bytes())?;
    }
    let or = |given: &[usize], known: usize| {
        if given.is_empty() {
            vec![known]
        } else {
            given.to_vec()
        }
    };
    let mut file = StudyFile::read(&args.dir)?;
    let joint = Joint {
        groups,
        shots: or(&args.shots, matrix.shots.max(matrix.source_shots)),
        seeds: if args.seeds.is_empty() {
            matrix.seeds.clone()
        } else {
            args.seeds.clone()
        },
    };
    file.study.joint = Some(joint);
    file.commands.push(invocation::command());
    let plan = file.write(&args.dir)?;
    report(&args.dir, &plan, console)
}

impl GroupsArgs {
    fn choose<'m>(&self, all: &'m [TransferMatrix]) -> Result<&'m TransferMatrix, CliError> {
        let kind = self.transfer.map(|transfer| match transfer {
            TransferArg::ZeroShot => TransferKind::ZeroShot,
            TransferArg::Adapted => TransferKind::Adapted,
            TransferArg::CoTraining => TransferKind::CoTraining,
        });
        let fits = |matrix: &&TransferMatrix| {
            kind.is_none_or(|kind| matrix.transfer == kind)
                && self
                    .method
                    .as_ref()
                    .is_none_or(|name| *name == matrix.method)
        };
        all.iter().find(fits).ok_or_else(|| {
            let there = all
                .iter()
                .map(|m| format!("{} with {}", m.transfer.name(), m.method));
            let there: Vec<String> = there.collect();
            CliError::usage(
                "the study has no such results",
                if there.is_empty() {
                    format!("run it first: vlpt study run {}", self.dir.display())
                } else {
                    format!("there are: {}", there.join("; "))
                },
            )
        })
    }
}

impl Document {
    fn text(&self) -> String {
        let lines = |groups: &[Vec<String>]| {
            let lines: Vec<String> = groups
                .iter()
                .map(|g| format!("  {}", g.join(", ")))
                .collect();
            lines.join("\n")
        };
        format!(
            "by {} transfer with {}\n\ngreedy\n{}\n\nagglomerative\n{}",
            self.transfer,
            self.method,
            lines(&self.greedy),
            lines(&self.agglomerative)
        )
    }
}

/// Reads groups: names with commas between, a group a line; lines with `#` in front are comments.
pub(crate) fn read_groups(path: &Path) -> Result<Vec<Vec<String>>, CliError> {
    let text = fs_err::read_to_string(path)?;
    let lines = text.lines().map(str::trim);
    let lines = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
    let groups: Vec<Vec<String>> = lines
        .map(|line| line.split(',').map(|name| name.trim().to_owned()).collect())
        .collect();
    if groups.is_empty() {
        return Err(CliError::usage(
            format!("{}: holds no group", path.display()),
            "write names of targets with commas between, a group a line",
        ));
    }
    Ok(groups)
}
