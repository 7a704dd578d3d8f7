//! Flags of a benchmark.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use vlpt_bench::{Protocol, Request, SearchKind};
use vlpt_methods::METHODS;
use vlpt_study::{Keep, Shard};

use super::ways::WayArgs;
use crate::commands::study::{bytes, read_groups};
use crate::error::CliError;
use crate::invocation;
use crate::options::TowerArgs;

pub(super) const AFTER_HELP: &str = "\
Tasks are looked for below every --data, by the names of the catalogue and their folders, in whatever
layout is read. --list says which are there, which are missing and how to get these. What is there is
run; a task that is missing or broken stops no other, and stands under the table.

A method follows the published recipe of its name for this benchmark, where there is one. NAME=RECIPE
takes another, and NAME may then be any name for the table; --own-values takes the program's own values,
which are quick. Every method trains on the same images of a task, number of shots and seed; they are
written to lists/.

The folder is a study's: give the command again to go on, several times at once with --shard, or plan it
with --plan-only and hand it to a cluster with `vlpt study launch`. `vlpt bench table FOLDER` makes the
tables of what is there.

Example:
  vlpt bench coop --data sets --list
  vlpt bench coop --data sets --methods coop,tip-adapter --shots 1,16 --dry-run
  vlpt bench coop --data sets --methods coop,tip-adapter --shots 1,16 --out benches/coop";

/// Flags of a benchmark.
#[derive(Debug, Args)]
pub(crate) struct BenchArgs {
    /// A folder below which tasks lie; may be given many times
    #[arg(long, value_name = "FOLDER")]
    data: Vec<PathBuf>,
    /// Where a task lies that is not called after itself; may be given many times
    #[arg(long, value_name = "NAME=PATH", value_parser = named)]
    task: Vec<(String, PathBuf)>,
    /// Only these tasks of the benchmark
    #[arg(long, value_name = "NAME,NAME", value_delimiter = ',')]
    only: Vec<String>,
    /// The task to train on, where one is trained on for all [default: ImageNet]
    #[arg(long, value_name = "NAME")]
    source: Option<String>,
    /// Methods to compare: NAME, or NAME=RECIPE
    #[arg(
        long,
        value_name = "NAME,NAME",
        value_delimiter = ',',
        default_value = METHODS[0].name
    )]
    methods: Vec<String>,
    /// The program's own values for methods that name no recipe, instead of the published recipes
    #[arg(long)]
    own_values: bool,
    /// Training images of each class [default: as published]
    #[arg(long, value_name = "K,K", value_delimiter = ',')]
    shots: Vec<usize>,
    /// Seeds [default: as published]
    #[arg(long, value_name = "SEED,SEED", value_delimiter = ',')]
    seeds: Vec<u64>,
    /// Training images of each class of the source stage [default: as on the target]
    #[arg(long, value_name = "K")]
    source_shots: Option<usize>,
    /// Start a target from the source prompt of its own seed, not from the average over seeds
    #[arg(long)]
    same_seed: bool,
    /// One prompt for all tasks first, and each task from there (elevater)
    #[arg(long)]
    multitask: bool,
    /// Also tune one prompt for each group of targets in this file: names with commas between, a group a line
    #[arg(long, value_name = "FILE")]
    groups: Option<PathBuf>,
    /// Judge on at most so many test images of each task, each class by its share
    #[arg(long, value_name = "N")]
    test_images: Option<usize>,
    /// Choose hyper-parameters by validation images before each training
    #[arg(long, value_enum, value_name = "GRID")]
    search: Option<SearchArg>,
    #[command(flatten)]
    ways: WayArgs,
    /// Settings of all methods from a TOML file
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Change a setting of all methods, or NAME:KEY=VALUE of one; may be given many times
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Keep the probabilities of every test image, which a submission needs
    #[arg(long)]
    probabilities: bool,
    #[command(flatten)]
    pub(super) model: TowerArgs,
    /// Say which tasks are at hand and how to get the others, and end
    #[arg(long)]
    pub(super) list: bool,
    /// Also say how long it will take, from a few steps made and timed, and end before the first job
    #[arg(long)]
    pub(super) dry_run: bool,
    /// Write the plan and end, for `vlpt study launch` and `vlpt study run`
    #[arg(long)]
    pub(super) plan_only: bool,
    /// Test every method against this one in the tables
    #[arg(long, value_name = "METHOD")]
    pub(super) against: Option<String>,
    /// Do part INDEX of COUNT, such as 0/4
    #[arg(long, value_name = "INDEX/COUNT")]
    pub(super) shard: Option<Shard>,
    /// Jobs at a time; threads are shared out among them [default: 1]
    #[arg(long, short, value_name = "N")]
    pub(super) jobs: Option<std::num::NonZeroUsize>,
    /// Memory of all jobs that run at a time, such as 8G [default: not watched]
    #[arg(long, value_name = "BYTES", value_parser = bytes)]
    pub(super) memory: Option<u64>,
    /// Memory for decoded test images, for methods with visual prompts
    #[arg(long, value_name = "BYTES", value_parser = bytes, default_value = "1G")]
    pub(super) pixels: u64,
    /// Try jobs again that failed before
    #[arg(long)]
    pub(super) retry: bool,
    /// The benchmark's folder
    #[arg(long, short, value_name = "FOLDER")]
    pub(super) out: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum SearchArg {
    /// Three learning rates by three numbers of epochs around the recipe's
    Small,
    /// ELEVATER's grid over learning rate and weight decay, refined around the best
    Elevater,
}

impl BenchArgs {
    /// What is asked for.
    pub(super) fn request(&self, protocol: &'static Protocol) -> Result<Request, CliError> {
        let multitask = protocol.name == "elevater" && self.multitask;
        let staged = multitask || protocol.prompts_only;
        let given = [
            (self.multitask && !multitask, "--multitask", "elevater"),
            (
                self.source_shots.is_some() && !staged,
                "--source-shots",
                "cross-task",
            ),
            (self.same_seed && !staged, "--same-seed", "cross-task"),
            (self.groups.is_some() && !staged, "--groups", "cross-task"),
        ];
        if let Some((_, flag, of)) = given.iter().find(|(given, ..)| *given) {
            return Err(CliError::usage(
                format!("{flag} has no effect on {}", protocol.name),
                format!("leave it out; it is for `vlpt bench {of}`"),
            ));
        }
        if self.test_images == Some(0) {
            return Err(CliError::usage("--test-images 0", "give 1 or more"));
        }
        Ok(Request {
            protocol,
            roots: self.data.clone(),
            named: self.task.clone(),
            only: self.only.clone(),
            source: self.source.clone(),
            model: self.model.name.model.clone(),
            methods: self.methods.clone(),
            own_values: self.own_values,
            config: self.config.clone(),
            settings: self.set.clone(),
            search: self.search.map(|search| match search {
                SearchArg::Small => SearchKind::Small,
                SearchArg::Elevater => SearchKind::Elevater,
            }),
            ways: self.ways.ways(),
            shots: self.shots.clone(),
            source_shots: self.source_shots,
            seeds: self.seeds.clone(),
            same_seed: self.same_seed,
            multitask,
            groups: match &self.groups {
                Some(path) => read_groups(path)?,
                None => Vec::new(),
            },
            test_images: self.test_images,
            keep: if self.probabilities {
                Keep::Probabilities
            } else {
                Keep::Answers
            },
            command: invocation::command(),
        })
    }
}

/// `NAME=PATH`.
fn named(text: &str) -> Result<(String, PathBuf), String> {
    match text.split_once('=') {
        Some((name, path)) if !name.is_empty() && !path.is_empty() => {
            Ok((name.to_owned(), PathBuf::from(path)))
        }
        _ => Err("expected NAME=PATH, such as EuroSAT=photos/satellite".to_owned()),
    }
}
