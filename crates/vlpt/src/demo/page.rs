//! The demo's page.

use vlpt_clip::Clip;
use vlpt_report::{DemoReport, Fact, KeyNumber, TaskSection, percent};

use vlpt_report::study::Measure;
use vlpt_report::svg::Bar;
use vlpt_report::{Interval, MultitaskSection};
use vlpt_study::stats::Summary;

use super::settings::{self, MULTITASK};
use super::together::{Target, Together};
use super::{DemoArgs, PHOTOS, mean};

/// What the photos are, with the citation that their licence and their authors ask for.
const PHOTOS_TOLD: &str =
    "satellite photos of five kinds of land (tiles of EuroSAT by Helber et al., MIT licence)";

impl DemoArgs {
    /// The commands of the report: the demo itself, and one of its runs by hand.
    fn commands(&self, task: &str) -> Vec<String> {
        let tasks = match self.tasks.len() {
            0 => String::new(),
            _ => format!(" --tasks {}", self.names().join(",")),
        };
        let (seed, shots) = (self.seed, self.shots);
        let (data, prompt) = (self.words(task), self.folder(task).join("prompt"));
        vec![
            format!("vlpt demo --seed {seed} --shots {shots}{tasks}"),
            format!(
                "vlpt train {data} --seed {seed} --shots {shots}{} --out \
                 runs/{task}",
                set(&settings::alone())
            ),
            format!("vlpt eval {} {data}", prompt.display()),
        ]
    }

    /// The page of everything.
    pub(super) fn report(
        &self,
        clip: &Clip,
        tasks: Vec<TaskSection>,
        together: Option<&Together>,
    ) -> DemoReport {
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
        let method = settings::method();
        let over = format!("mean of {} tasks", tasks.len());
        DemoReport {
            title: "vlpt demo: tuned prompts against zero-shot".to_owned(),
            summary: format!(
                "A small frozen CLIP looks at {}. Zero-shot, it is given the class names; tuned, it is given a context \
                 learned from {} images of each class.",
                match (tasks.iter().any(|t| t.result.name == PHOTOS), tasks.len()) {
                    (true, 1) => PHOTOS_TOLD.to_owned(),
                    (true, _) => format!("{PHOTOS_TOLD}, and at images that the program drew"),
                    (false, _) => "images that the program drew".to_owned(),
                },
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
            multitask: together.map(Together::section),
            facts: vec![
                fact(
                    "Model",
                    format!("mini-clip, fingerprint {:.16}", clip.fingerprint),
                ),
                fact(
                    "Method",
                    format!(
                        "{}, {}: 16 vectors for each class, random start",
                        method.name, method.summary
                    ),
                ),
                fact(
                    "Training",
                    format!("{} shots, 50 epochs of SGD, seed {}", self.shots, self.seed),
                ),
                fact("Precision", clip.precision.to_string()),
                fact("Kept", "the prompt of the last epoch".to_owned()),
                fact(
                    "Intervals",
                    "95 %, bootstrap over the test images".to_owned(),
                ),
                fact("Several tasks", self.told_of_training()),
            ],
            commands: {
                let first = tasks.first().map(|t| self.commands(&t.result.name));
                let more = together.map(|together| self.multitask_commands(together));
                first.into_iter().chain(more).flatten().collect()
            },
            tasks,
        }
    }

    /// The commands that do by hand what the demo did with several tasks.
    fn multitask_commands(&self, together: &Together) -> Vec<String> {
        let tune = set(&settings::SETTINGS);
        let (seed, shots, few) = (self.seed, self.shots, self.few());
        let mut commands = vec![format!(
            "vlpt multitask source --config {} --model mini-clip --seed {seed} --shots {shots}{tune}{} \
             --out runs/source",
            self.sources_file().display(),
            set(&MULTITASK)
        )];
        if let Some(target) = together.targets.first() {
            commands.push(format!(
                "vlpt multitask adapt {} --init-from runs/source --scratch \
                 --seed {seed} --shots {few}{tune}{} --out runs/{}-adapted",
                self.words(&target.task),
                flags("--scratch-set", &settings::SCRATCH),
                target.task
            ));
        }
        let study = self.study();
        commands.push(self.plan_command());
        commands.push(format!("vlpt study run {}", study.display()));
        commands.push(format!("vlpt study merge {}", study.display()));
        commands
    }

    /// The command that plans the demo's study.
    pub(super) fn plan_command(&self) -> String {
        let seeds: Vec<String> = self.study_seeds().iter().map(ToString::to_string).collect();
        format!(
            "vlpt study plan --tasks {} --model mini-clip --method {} --shots {} --seeds {}{} --out {}",
            self.tasks_file().display(),
            settings::method().name,
            self.studied(),
            seeds.join(","),
            set(&settings::SETTINGS),
            self.study().display()
        )
    }
}

impl Together {
    fn section(&self) -> MultitaskSection {
        let known = |value: f64| Interval {
            value,
            low: f64::NAN,
            high: f64::NAN,
        };
        let over = |summary: &Summary| {
            let (low, high) = summary.interval.unwrap_or((f64::NAN, f64::NAN));
            Interval {
                value: summary.mean,
                low,
                high,
            }
        };
        let bar = |target: &Target| Bar {
            name: target.task.clone(),
            values: vec![
                known(target.zero_shot),
                known(target.source),
                over(&target.scratch),
                over(&target.adapted),
            ],
        };
        let methods = [
            "zero-shot",
            "source prompt",
            "from scratch",
            "from the source prompt",
        ];
        MultitaskSection {
            lead: self.told_of_targets(),
            methods: methods.map(str::to_owned).to_vec(),
            targets: self.targets.iter().map(bar).collect(),
            verdict: self.verdict(),
            maps: self
                .map
                .iter()
                .cloned()
                .map(|mut map| {
                    map.measures = vec![Measure::Score, Measure::OverSingle];
                    map
                })
                .collect(),
            outlook: format!(
                "{} The page of the whole study, with similarities between the tasks: {}.",
                self.matrix.verdict(),
                self.study.display()
            ),
        }
    }
}

/// Settings as `--set`, each with a space in front.
fn set<S: AsRef<str>>(all: &[S]) -> String {
    flags("--set", all)
}

/// Settings as values of a flag, each with a space in front.
fn flags<S: AsRef<str>>(flag: &str, all: &[S]) -> String {
    let each = all
        .iter()
        .flat_map(|setting| [" ", flag, " ", setting.as_ref()]);
    each.collect()
}
