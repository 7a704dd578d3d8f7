//! What one worker does with a plan.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod common;

use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use common::{Toy, merged_bytes, of_kind, planned};
use vlpt_study::merge::{TransferKind, merge};
use vlpt_study::{
    Event, Executor, ExecutorError, Job, JobContext, JobState, Kind, Outcome, Resources, RunLimits,
    RunReport, Shard, run, status,
};

const TOY: Toy = Toy {
    takes: Duration::ZERO,
};

fn go(dir: &Path, executor: &dyn Executor, limits: &RunLimits) -> RunReport {
    run(dir, executor, limits, &AtomicBool::new(false), &mut |_| {}).unwrap()
}

#[test]
fn a_plan_is_done_once_and_then_there_is_nothing_left() {
    let (dir, plan) = planned(3);
    let first = go(dir.path(), &TOY, &RunLimits::default());
    assert!(first.complete());
    assert_eq!(first.ran.len(), plan.jobs().len());
    let second = go(dir.path(), &TOY, &RunLimits::default());
    assert!(second.complete() && second.ran.is_empty());
    let counts = status(dir.path()).unwrap().counts();
    assert_eq!(counts.done, plan.jobs().len());
}

#[test]
fn matrices_do_not_depend_on_how_many_jobs_run_at_a_time_nor_on_shards() {
    let (one, _) = planned(4);
    go(one.path(), &TOY, &RunLimits::default());
    let (many, _) = planned(4);
    for index in [2, 0, 1] {
        let limits = RunLimits {
            threads: 4,
            shard: Shard::new(index, 3).unwrap(),
            ..RunLimits::default()
        };
        assert!(go(many.path(), &TOY, &limits).complete());
    }
    assert_eq!(merged_bytes(one.path()), merged_bytes(many.path()));
}

/// Fails in one job and panics in another, until it is mended.
struct Flaky {
    fails: String,
    panics: String,
    mended: AtomicBool,
}

impl Executor for Flaky {
    fn run(&self, job: &Job, context: &JobContext<'_>) -> Result<Outcome, ExecutorError> {
        if !self.mended.load(Ordering::Relaxed) {
            if context.id().as_str() == self.fails {
                return Err("no such image".into());
            }
            assert!(context.id().as_str() != self.panics, "index out of bounds");
        }
        TOY.run(job, context)
    }
}

#[test]
fn failures_are_filed_block_what_needs_them_and_are_tried_again_on_request() {
    let (dir, plan) = planned(3);
    let flaky = Flaky {
        fails: plan.ids()[of_kind(&plan, Kind::Train)[0]].to_string(),
        panics: plan.ids()[of_kind(&plan, Kind::CoTrain)[0]].to_string(),
        mended: AtomicBool::new(false),
    };
    let first = go(dir.path(), &flaky, &RunLimits::default());
    assert_eq!((first.failed.len(), first.blocked.len()), (2, 3));
    let found = status(dir.path()).unwrap();
    assert_eq!((found.counts().failed, found.counts().blocked), (2, 3));
    let messages: Vec<_> = found
        .jobs
        .iter()
        .filter_map(|job| match &job.state {
            JobState::Failed { message, attempts } => Some((message.as_str(), *attempts)),
            _ => None,
        })
        .collect();
    assert_eq!(messages[0], ("no such image", 1));
    let panicked = "panicked: index out of bounds";
    assert!(messages[1].0.starts_with(panicked), "{messages:?}");

    let again = go(dir.path(), &flaky, &RunLimits::default());
    assert_eq!(again.ran.len(), 0, "a failure is not tried again by itself");
    let retry = RunLimits {
        retry: true,
        ..RunLimits::default()
    };
    let still = go(dir.path(), &flaky, &retry);
    assert_eq!(still.failed.len(), 2, "tried once more, not for ever");
    let error = merge(dir.path(), false).unwrap_err();
    assert!(error.to_string().contains("5 of"), "{error}");
    assert_eq!(merge(dir.path(), true).unwrap().missing, 5);

    flaky.mended.store(true, Ordering::Relaxed);
    assert!(go(dir.path(), &flaky, &retry).complete());
    let (whole, _) = planned(3);
    go(whole.path(), &TOY, &RunLimits::default());
    assert_eq!(merged_bytes(dir.path()), merged_bytes(whole.path()));
}

/// Counts the threads and the memory of what runs at a time.
struct Heavy {
    now: Mutex<(usize, u64)>,
    most: Mutex<(usize, u64)>,
}

impl Executor for Heavy {
    fn run(&self, job: &Job, context: &JobContext<'_>) -> Result<Outcome, ExecutorError> {
        let resources = self.resources(job);
        {
            let mut now = self.now.lock().unwrap();
            *now = (now.0 + context.threads(), now.1 + resources.memory);
            let mut most = self.most.lock().unwrap();
            *most = (most.0.max(now.0), most.1.max(now.1));
        }
        std::thread::sleep(Duration::from_millis(3));
        let outcome = TOY.run(job, context);
        let mut now = self.now.lock().unwrap();
        *now = (now.0 - context.threads(), now.1 - resources.memory);
        outcome
    }

    fn resources(&self, job: &Job) -> Resources {
        let (threads, memory) = match job.kind {
            Kind::Joint => (1, 1000),
            Kind::ZeroShot => (99, 1),
            Kind::Train => (2, 10),
            _ => (1, 40),
        };
        Resources { threads, memory }
    }
}

#[test]
fn jobs_that_run_at_a_time_stay_within_threads_and_memory() {
    let (dir, plan) = planned(3);
    let heavy = Heavy {
        now: Mutex::default(),
        most: Mutex::default(),
    };
    let limits = RunLimits {
        threads: 5,
        memory: Some(100),
        ..RunLimits::default()
    };
    let report = go(dir.path(), &heavy, &limits);
    let most = *heavy.most.lock().unwrap();
    assert!(most.0 <= 5 && most.1 <= 100, "{most:?}");
    assert!(most.0 >= 4, "several ran at a time: {most:?}");
    assert_eq!(
        report.too_large.len(),
        of_kind(&plan, Kind::Joint).len(),
        "what needs more than there is was not begun"
    );
    let rest = report.ran.len() + report.too_large.len();
    assert_eq!(rest, plan.jobs().len());
}

#[test]
fn a_stop_begins_nothing_new_and_is_no_failure() {
    let (dir, plan) = planned(3);
    let stop = AtomicBool::new(false);
    let seen = AtomicUsize::new(0);
    let mut observer = |event: Event<'_>| {
        if matches!(event, Event::Finished { .. }) && seen.fetch_add(1, Ordering::Relaxed) == 4 {
            stop.store(true, Ordering::Relaxed);
        }
    };
    let report = run(
        dir.path(),
        &TOY,
        &RunLimits::default(),
        &stop,
        &mut observer,
    )
    .unwrap();
    assert_eq!(report.ran.len(), 5);
    assert_eq!(report.left.len(), plan.jobs().len() - 5);
    assert!(report.failed.is_empty());
}

#[test]
fn only_jobs_of_the_kinds_asked_for_and_what_they_need_are_done() {
    let (dir, plan) = planned(3);
    let limits = RunLimits {
        kinds: vec![Kind::Adapt],
        ..RunLimits::default()
    };
    let report = go(dir.path(), &TOY, &limits);
    // The sources of seed 0 are needed; those of seed 1 are not.
    let expected = of_kind(&plan, Kind::Adapt).len() + of_kind(&plan, Kind::Train).len() / 2;
    assert_eq!(report.ran.len(), expected);
}

/// Gives no score, or one that is no number.
struct Nothing;

impl Executor for Nothing {
    fn run(&self, job: &Job, _: &JobContext<'_>) -> Result<Outcome, ExecutorError> {
        let score = (job.kind == Kind::Train).then_some(f64::NAN);
        let scores = job.evaluate_on.iter();
        let scores = scores.filter_map(|task| Some((task.name.clone(), score?)));
        Ok(Outcome {
            scores: scores.collect(),
            ..Outcome::default()
        })
    }
}

#[test]
fn a_score_that_is_missing_or_not_finite_is_a_failure() {
    let (dir, _) = planned(2);
    let report = go(dir.path(), &Nothing, &RunLimits::default());
    assert!(report.ran.is_empty());
    let found = status(dir.path()).unwrap();
    let states: Vec<_> = found
        .jobs
        .iter()
        .map(|job| format!("{:?}", job.state))
        .collect();
    assert!(states.iter().any(|s| s.contains("no score for")));
    assert!(states.iter().any(|s| s.contains("found NaN")));
}

#[test]
fn gains_are_relative_to_the_single_task_of_the_same_seed_and_shots() {
    let (dir, _) = planned(3);
    go(dir.path(), &TOY, &RunLimits::default());
    let merged = merge(dir.path(), false).unwrap();
    assert_eq!(merged.matrices.len(), 6, "three transfers of two methods");
    for matrix in &merged.matrices {
        assert_eq!(matrix.score.rows().len(), 3);
        let zero_shot = matrix.transfer == TransferKind::ZeroShot;
        assert_eq!(matrix.seeds.len(), if zero_shot { 2 } else { 1 });
        if zero_shot {
            assert_eq!(matrix.gain.get(1, 1), Some(0.0), "a task beside itself");
            assert!(matrix.gain.get(0, 1).unwrap() != 0.0);
        }
    }
    let mut cells = merged.cells.iter();
    let cell = cells
        .find(|cell| cell.transfer == TransferKind::Adapted)
        .unwrap();
    let single = cell.single.unwrap().mean;
    let gain = (cell.score.mean - single) / single;
    assert!((cell.gain.unwrap().mean - gain).abs() < 1e-12);
    assert!(cell.clip.is_some() && cell.gain_over_clip.is_some());
}
