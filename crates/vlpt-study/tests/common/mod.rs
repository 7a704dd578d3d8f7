//! A toy study, whose jobs take no time and give numbers that follow from their content.

#![allow(
    dead_code,
    clippy::unwrap_used,
    unreachable_pub,
    reason = "helpers of several tests, of which each uses some"
)]

use std::path::Path;
use std::time::Duration;

use serde_json::json;
use vlpt_study::{
    Adapted, Executor, ExecutorError, Job, JobContext, Joint, Kind, Outcome, Plan, StudyConfig,
    StudyMethod, TaskSpec, Transfer, ZeroShotClip,
};

pub fn study(tasks: usize) -> StudyConfig {
    let tasks: Vec<_> = (0..tasks)
        .map(|k| TaskSpec {
            name: format!("task{k}"),
            settings: json!({"images": k}),
        })
        .collect();
    let method = |name: &str| StudyMethod {
        name: name.to_owned(),
        recipe: json!({"method": name}),
        class_specific: false,
    };
    StudyConfig {
        joint: Some(Joint {
            groups: vec![vec!["task0".into(), "task1".into()]],
            shots: vec![1],
            seeds: vec![0],
        }),
        sources: tasks.clone(),
        targets: tasks,
        methods: vec![method("coop"), method("upt")],
        settings: json!({"model": "toy"}),
        zero_shot_clip: Some(ZeroShotClip::default()),
        zero_shot: Some(Transfer {
            shots: vec![16],
            seeds: vec![0, 1],
        }),
        adapted: Some(Adapted {
            source_shots: 16,
            shots: vec![1],
            seeds: vec![0],
            average_over: Vec::new(),
        }),
        co_training: Some(Transfer {
            shots: vec![16],
            seeds: vec![0],
        }),
    }
}

pub fn planned(tasks: usize) -> (tempfile::TempDir, Plan) {
    let dir = tempfile::tempdir().unwrap();
    let plan = Plan::of(&study(tasks)).unwrap();
    plan.write(dir.path()).unwrap();
    (dir, plan)
}

/// A number from 0 to 1 that follows from some text.
pub fn draw(text: &str) -> f64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for byte in text.bytes() {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    (hash >> 11) as f64 / (1_u64 << 53) as f64
}

/// Writes a prompt of its own, reads those of the jobs it needs, and makes sure that nobody else
/// does the same job at the same time.
pub struct Toy {
    pub takes: Duration,
}

impl Executor for Toy {
    fn run(&self, job: &Job, context: &JobContext<'_>) -> Result<Outcome, ExecutorError> {
        let own = context.own()?;
        let alone = fs_err::File::create(own.join("alone"))?;
        if alone.file().try_lock().is_err() {
            return Err("two workers do one job".into());
        }
        let trees = context.once("text-trees", |folder| {
            std::thread::sleep(self.takes);
            Ok(fs_err::write(folder.join("trees"), "made")?)
        })?;
        let mut text = fs_err::read_to_string(trees.join("trees"))?;
        for need in job.needs() {
            text += &fs_err::read_to_string(context.of(need).join("prompt"))?;
        }
        std::thread::sleep(self.takes);
        text += &job.content();
        let prompt = draw(&text).to_string();
        fs_err::write(own.join("prompt"), &prompt)?;
        std::thread::sleep(self.takes);
        let score = |task: &TaskSpec| 0.25 + draw(&(prompt.clone() + &task.name)) / 2.0;
        let scores = job.evaluate_on.iter();
        let scores = scores.map(|task| (task.name.clone(), score(task)));
        Ok(Outcome {
            scores: scores.collect(),
            details: json!({"prompt": prompt}),
        })
    }
}

/// Every merged file with its bytes.
pub fn merged_bytes(dir: &Path) -> Vec<(String, Vec<u8>)> {
    vlpt_study::merge::merge(dir, false).unwrap();
    let mut files: Vec<_> = fs_err::read_dir(dir.join("merged"))
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            (name, fs_err::read(path).unwrap())
        })
        .collect();
    files.sort();
    files
}

pub fn of_kind(plan: &Plan, kind: Kind) -> Vec<usize> {
    let places = 0..plan.jobs().len();
    places.filter(|&p| plan.jobs()[p].kind == kind).collect()
}
