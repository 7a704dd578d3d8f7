//! What the runs over several tasks are trained with, and where they lie.

use std::path::PathBuf;

use vlpt_adapter::PromptFolder;
use vlpt_methods::{METHODS, MethodSpec};
use vlpt_train::{Layers, RunConfig};

use super::DemoArgs;
use crate::error::CliError;

/// The method that the demo tunes: what a run tunes that names none.
pub(super) fn method() -> &'static MethodSpec {
    METHODS[0]
}

/// Settings of the runs on each task alone, over the built-in ones. Class-specific contexts, because
/// mini-clip's text tower is too weak to move all classes apart with one.
pub(super) fn alone() -> Vec<String> {
    let table = method().tables[0].name;
    vec![
        "model=mini-clip".to_owned(),
        format!("{table}.class_specific=true"),
        "train.lr=0.05".to_owned(),
        "train.epochs=50".to_owned(),
    ]
}

/// Settings of every run over several tasks, over the built-in ones: one context for all classes, so that
/// it can be carried to other tasks. The rate is the best of six for a start from a source prompt
/// (docs/results/multitask-rates.csv, with other seeds).
pub(super) const SETTINGS: [&str; 2] = ["train.lr=0.02", "train.epochs=30"];
/// Of the runs from scratch beside them, over these: the best rate of the six for a random start. At one rate
/// for both, the lower one of a good start, every source prompt would seem to help.
pub(super) const SCRATCH: [&str; 1] = ["train.lr=0.15"];
/// Of the source prompt.
pub(super) const MULTITASK: [&str; 2] = [
    "multitask.label_space=per-task",
    "multitask.mix=one-task-per-batch",
];
/// Training images of each class of a task that starts from the source prompt, at most.
const FEW: u16 = 4;
/// Training images of each class of a task of the study, at most.
const STUDIED: u16 = 8;
/// Seeds of the targets' runs, and of the study.
const SEEDS: (u64, u64) = (5, 3);
impl DemoArgs {
    /// Training images of each class of a target.
    pub(super) fn few(&self) -> u16 {
        self.shots.min(FEW)
    }

    /// Training images of each class of a task of the study.
    pub(super) fn studied(&self) -> u16 {
        self.shots.min(STUDIED)
    }

    /// Of the targets' runs.
    pub(super) fn seeds(&self) -> Vec<u64> {
        (0..SEEDS.0).map(|k| self.seed.wrapping_add(k)).collect()
    }

    pub(super) fn study_seeds(&self) -> Vec<u64> {
        (0..SEEDS.1).map(|k| self.seed.wrapping_add(k)).collect()
    }

    pub(super) fn tasks_file(&self) -> PathBuf {
        self.out.join("tasks.toml")
    }

    pub(super) fn sources_file(&self) -> PathBuf {
        self.out.join("sources.toml")
    }

    pub(super) fn study(&self) -> PathBuf {
        self.out.join("study")
    }

    /// The run folder of the source prompt.
    pub(super) fn source(&self, sources: &[String]) -> PathBuf {
        let (names, shots, seed) = (sources.join("+"), self.shots, self.seed);
        let name = format!("source-{names}-{shots}shots-seed{seed}");
        self.out.join("runs").join(name)
    }

    /// Tasks as a file for `--tasks` and `--config`.
    pub(super) fn task_list(&self, names: &[String]) -> String {
        let line = |name: &String| {
            let (path, seed) = (self.path(name), self.seed);
            format!("    {{ path = \"{path}\", split_seed = {seed} }},\n")
        };
        let lines: String = names.iter().map(line).collect();
        format!("tasks = [\n{lines}]\n")
    }

    pub(super) fn source_config(&self) -> Result<RunConfig, CliError> {
        let mut settings = [SETTINGS, MULTITASK]
            .concat()
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>();
        settings.extend([
            "model=mini-clip".to_owned(),
            format!("seed={}", self.seed),
            format!("few_shot.shots={}", self.shots),
        ]);
        Ok(vlpt_train::load(
            None,
            Some(&self.sources_file()),
            &settings,
        )?)
    }

    /// Of a target's run from the source prompt, or with `more` settings over it of the one from scratch.
    pub(super) fn target_config(
        &self,
        source: &PromptFolder,
        task: &str,
        seed: u64,
        more: &[&str],
    ) -> Result<RunConfig, CliError> {
        let mut overrides = SETTINGS.map(str::to_owned).to_vec();
        overrides.extend(more.iter().map(ToString::to_string));
        overrides.push(format!("seed={seed}"));
        overrides.push(format!("few_shot.shots={}", self.few()));
        let layers = Layers {
            follow: Some(&source.adapter),
            overrides: &overrides,
            ..Layers::default()
        };
        let mut config = layers.load()?;
        config.data = self.data(task);
        config.init_from = source.path.display().to_string();
        Ok(config)
    }
}
