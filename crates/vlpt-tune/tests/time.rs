//! The time is kept, by a clock that goes as the test says.

#![allow(clippy::unwrap_used)]

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use vlpt_adapter::ImageConfig;
use vlpt_clip::{Clip, Observer, Progress};
use vlpt_data::{Shots, Split, Task, synthetic};
use vlpt_train::{DataConfig, StepReport, TrainObserver};
use vlpt_tune::{Clock, Cost, TuneError, TuneObserver, TuneOptions, Tuned, tune};

/// A clock that goes on by the same time whenever somebody looks.
struct Looked {
    looks: AtomicU64,
    step: Duration,
}

impl Clock for Looked {
    fn elapsed(&self) -> Duration {
        self.step * self.looks.fetch_add(1, Ordering::SeqCst) as u32
    }
}

struct Impatient {
    stop_after: u64,
    tried: AtomicU64,
}

impl Progress for Impatient {
    fn start(&self, _: &str, _: u64) {}
    fn advance(&self, _: u64) {}
    fn finish(&self) {}
}

impl Observer for Impatient {
    fn should_stop(&self) -> bool {
        self.tried.load(Ordering::SeqCst) >= self.stop_after
    }
}

impl TrainObserver for Impatient {
    fn step(&self, _: &StepReport) {}
}

impl TuneObserver for Impatient {
    fn tried(&self, _: &vlpt_tune::Tried) {
        self.tried.fetch_add(1, Ordering::SeqCst);
    }
}

fn photos() -> Task {
    let drawn = synthetic::task("shapes", 0).unwrap();
    let mut counts = [0; 3];
    let own = drawn.train.samples.iter().filter(|sample| {
        let class = sample.labels[0] as usize;
        class < 3 && {
            counts[class] += 1;
            counts[class] <= 6
        }
    });
    Task {
        classes: drawn.classes[..3].to_vec(),
        train: Split::new(own.cloned().collect()),
        val: None,
        test: Split::default(),
        ..drawn
    }
}

fn options(out: std::path::PathBuf, minutes: f64, methods: &[&str]) -> TuneOptions {
    TuneOptions {
        model: "mini-clip".to_owned(),
        data: DataConfig {
            path: "synthetic:shapes".to_owned(),
            ..DataConfig::default()
        },
        shots: Shots::All,
        seed: 1,
        minutes,
        methods: methods.iter().map(|name| (*name).to_owned()).collect(),
        reject_rate: 0.1,
        image: ImageConfig::default(),
        cache: None,
        out,
        before: None,
    }
}

fn tuned(seconds_a_look: f64, minutes: f64, methods: &[&str]) -> Tuned {
    let home = tempfile::tempdir().unwrap();
    let clock = Looked {
        looks: AtomicU64::new(0),
        step: Duration::from_secs_f64(seconds_a_look),
    };
    let options = options(home.path().join("run"), minutes, methods);
    tune(&Clip::mini(), &photos(), &options, &clock, &()).unwrap()
}

#[test]
fn what_does_not_fit_is_left_out_by_name_and_what_learns_nothing_never_is() {
    let methods: Vec<&str> = vlpt_methods::METHODS
        .iter()
        .filter(|spec| spec.is_baseline())
        .map(|spec| spec.name)
        .take(3)
        .collect();
    let none = tuned(100.0, 0.5, &methods);
    let record = &none.record;
    assert_eq!(record.tried.len(), methods.len());
    for tried in &record.tried {
        match tried.cost {
            Cost::Names => assert!(tried.share.is_some()),
            _ => assert!(
                tried.left_out.as_ref().unwrap().contains("time"),
                "{tried:?}"
            ),
        }
    }
    assert_eq!(record.chosen, vlpt_methods::untuned().name);
    let enough = tuned(0.001, 10.0, &methods);
    assert!(
        enough
            .record
            .tried
            .iter()
            .all(|tried| tried.share.is_some() || tried.left_out.is_some())
    );
    assert!(
        enough
            .record
            .tried
            .iter()
            .filter(|tried| tried.share.is_some())
            .count()
            >= 2
    );
}

#[test]
fn a_training_that_cannot_end_in_time_stops_after_a_few_steps() {
    let tuned_method = vlpt_methods::METHODS
        .iter()
        .find(|spec| !spec.is_baseline())
        .unwrap();
    // A look takes a second: hundreds of steps do not fit half a minute.
    let found = tuned(1.0, 0.5, &[tuned_method.name]);
    let tried = &found.record.tried[1];
    assert_eq!(tried.method, tuned_method.name);
    let why = tried.left_out.as_ref().unwrap();
    assert!(why.contains("would take about"), "{why}");
    assert_eq!(tried.folds, 0);
}

#[test]
fn an_end_that_was_asked_for_leaves_nothing() {
    let home = tempfile::tempdir().unwrap();
    let out = home.path().join("runs/run");
    let observer = Impatient {
        stop_after: 1,
        tried: AtomicU64::new(0),
    };
    let clock = vlpt_tune::WallClock::start();
    let options = options(out, 10.0, &[]);
    let error = tune(&Clip::mini(), &photos(), &options, &clock, &observer).unwrap_err();
    assert!(matches!(error, TuneError::Stopped), "{error}");
    assert!(!home.path().join("runs").exists());
}
