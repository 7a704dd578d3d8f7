//! What the tests of runs share: a tiny model, a small synthetic task, an observer that looks on.

#![allow(clippy::unwrap_used, dead_code)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use vlpt_clip::Observer;
use vlpt_clip::{Activation, Clip, ClipConfig, Precision, Progress, TextConfig, VisionConfig};
use vlpt_data::synthetic;
use vlpt_train::{
    Epochs, Event, RunConfig, RunOptions, StepReport, TrainObserver, TrainingData, parse,
};

/// A random model of a few thousand parameters with OpenAI's vocabulary, in f32.
pub(crate) fn tiny_clip() -> Clip {
    tiny_clip_as(Precision::F32)
}

/// The same in a number format.
pub(crate) fn tiny_clip_as(precision: Precision) -> Clip {
    let (activation, layer_norm_eps) = (Activation::QuickGelu, 1e-5);
    let config = ClipConfig {
        text: TextConfig {
            width: 32,
            layers: 2,
            heads: 2,
            mlp: 64,
            context_length: 32,
            vocab_size: 49408,
            eot_token: 49407,
            activation,
            layer_norm_eps,
        },
        vision: VisionConfig {
            width: 32,
            layers: 2,
            heads: 2,
            mlp: 64,
            image_size: 16,
            patch_size: 4,
            activation,
            layer_norm_eps,
        },
        embed_dim: 24,
    };
    Clip::random_as(&config, 5, precision)
}

/// A short run on a synthetic task: 4 shots, 3 epochs of 3 steps, a checkpoint after every step.
pub(crate) fn short_config() -> RunConfig {
    let text = r#"
        model = "tiny"
        [data]
        path = "synthetic:shapes"
        [few_shot]
        shots = 4
        [coop]
        context = 4
        [train]
        epochs = 3
        batch_size = 6
        [compute]
        image_batch = 8
        checkpoint_seconds = 0
    "#;
    parse(text, "test").unwrap()
}

pub(crate) fn with_epochs(epochs: usize) -> RunConfig {
    let mut config = short_config();
    config.train.epochs = Epochs::Count(epochs);
    config
}

/// The synthetic task of a configuration with its few shots.
pub(crate) fn synthetic_data(config: &RunConfig) -> TrainingData {
    let name = synthetic::name_in(&config.data.path).unwrap();
    TrainingData::of(
        synthetic::task(name, config.data.split_seed).unwrap(),
        config,
    )
    .unwrap()
}

pub(crate) fn options(dir: &Path) -> RunOptions {
    RunOptions {
        dir: dir.to_owned(),
        cache: None,
    }
}

/// Every file below a folder with its bytes.
pub(crate) fn tree(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut open = vec![dir.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in fs_err::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else {
                let name = path.strip_prefix(dir).unwrap().to_owned();
                files.insert(name, fs_err::read(&path).unwrap());
            }
        }
    }
    files
}

/// Says which files differ, instead of printing their bytes.
pub(crate) fn assert_same_tree(found: &Path, expected: &Path, what: &str) {
    let (found, expected) = (tree(found), tree(expected));
    let names: Vec<_> = expected.keys().collect();
    assert_eq!(found.keys().collect::<Vec<_>>(), names, "{what}");
    for (name, bytes) in &expected {
        assert!(found[name] == *bytes, "{what}: {} differs", name.display());
    }
}

/// Copies a folder.
pub(crate) fn copy(from: &Path, to: &Path) {
    for (name, bytes) in tree(from) {
        let path = to.join(name);
        fs_err::create_dir_all(path.parent().unwrap()).unwrap();
        fs_err::write(path, bytes).unwrap();
    }
}

/// Keeps what it sees; copies the run folder at every checkpoint, and stops where told.
#[derive(Default)]
pub(crate) struct Watch {
    pub(crate) events: Mutex<Vec<Event>>,
    pub(crate) steps: Mutex<Vec<StepReport>>,
    pub(crate) notes: Mutex<Vec<String>>,
    pub(crate) phases: Mutex<Vec<String>>,
    /// The run folder and where to copy it.
    pub(crate) snapshots: Option<(PathBuf, PathBuf)>,
    pub(crate) taken: Mutex<usize>,
    pub(crate) stop_after: Option<usize>,
}

impl Watch {
    pub(crate) fn losses(&self) -> Vec<f64> {
        self.steps
            .lock()
            .unwrap()
            .iter()
            .map(|step| step.loss)
            .collect()
    }
}

impl Progress for Watch {
    fn start(&self, what: &str, _total: u64) {
        self.phases.lock().unwrap().push(what.to_owned());
    }
    fn advance(&self, _by: u64) {}
    fn finish(&self) {}
}

impl TrainObserver for Watch {
    fn event(&self, event: &Event) {
        self.events.lock().unwrap().push(event.clone());
    }
    fn step(&self, step: &StepReport) {
        self.steps.lock().unwrap().push(*step);
    }
    fn checkpoint(&self) {
        if let Some((run, to)) = &self.snapshots {
            let mut taken = self.taken.lock().unwrap();
            copy(run, &to.join(format!("{:03}", *taken)));
            *taken += 1;
        }
    }
}

impl Observer for Watch {
    fn note(&self, text: &str) {
        self.notes.lock().unwrap().push(text.to_owned());
    }
    fn should_stop(&self) -> bool {
        self.stop_after
            .is_some_and(|steps| self.steps.lock().unwrap().len() >= steps)
    }
}
