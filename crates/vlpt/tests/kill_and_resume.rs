//! A run that is killed at random moments and resumed ends with the bytes of a run left alone.
#![allow(clippy::unwrap_used, clippy::print_stderr)]

mod common;

use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant, SystemTime};

use common::{contents, vlpt};

/// Runs killed of the quickest method; `VLPT_KILLS` asks for another number.
const KILLS: usize = 50;

/// A run to be killed, small and with a checkpoint after every step.
struct Case {
    /// What it is of `vlpt train`.
    settings: &'static [&'static str],
    /// Of `KILLS` runs of the quickest method, one of this is killed for each so many.
    every: usize,
}

impl Case {
    fn train(&self, out: &Path) -> Vec<String> {
        let fixed = ["train", "synthetic:shapes", "--threads", "1"];
        let often = ["--set", "compute.checkpoint_seconds=0", "--out"];
        let words = fixed.iter().chain(self.settings).chain(&often);
        words
            .map(|&word| word.to_owned())
            .chain([out.display().to_string()])
            .collect()
    }

    fn kills(&self) -> usize {
        let all = std::env::var("VLPT_KILLS")
            .ok()
            .map_or(KILLS, |n| n.parse().expect("VLPT_KILLS is a number"));
        all.div_ceil(self.every)
    }
}

/// Moments of a xorshift generator, another sequence each time.
struct Moments(u64);

impl Moments {
    fn new() -> Self {
        Self(SystemTime::UNIX_EPOCH.elapsed().unwrap().as_nanos() as u64 | 1)
    }

    fn before(&mut self, span: Duration) -> Duration {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        Duration::from_micros(self.0 % (span.as_micros() as u64).max(1))
    }
}

/// Starts `vlpt` with these words.
fn spawn(cache: &Path, args: &[String]) -> Child {
    vlpt()
        .env("XDG_CACHE_HOME", cache)
        .arg("--quiet")
        .args(args)
        .stdout(Stdio::null())
        .spawn()
        .expect("the binary starts")
}

fn finish(cache: &Path, args: &[String], when: &str) {
    let status = spawn(cache, args).wait().unwrap();
    assert!(status.success(), "{when}: the run could not go on");
}

/// The words that begin the run in `out`, or go on with it.
fn start_or_resume(case: &Case, out: &Path) -> Vec<String> {
    if out.join("config.toml").exists() {
        let resume = ["train", "--resume"].map(str::to_owned);
        return resume
            .into_iter()
            .chain([out.display().to_string()])
            .collect();
    }
    case.train(out)
}

/// Kills every run once and every other one twice, and compares all files in the end.
fn kills_change_no_byte(case: &Case) {
    let root = tempfile::tempdir().unwrap();
    let cache = root.path().join("cache");
    // The first run fills the feature cache; the second shows how long a run then takes.
    finish(&cache, &case.train(&root.path().join("first")), "first");
    let whole = root.path().join("whole");
    let start = Instant::now();
    finish(&cache, &case.train(&whole), "left alone");
    let mut span = start.elapsed();
    let expected = contents(&whole);
    let values = Path::new("prompt/adapter_model.safetensors");
    assert!(expected.contains_key(values), "{:?}", expected.keys());

    let kills = case.kills();
    let mut moments = Moments::new();
    let (mut hit, mut tried) = (0, 0);
    for kill in 0..kills {
        let out = root.path().join(format!("killed-{kill}"));
        let mut when = format!("kill {kill} after");
        for _ in 0..=kill % 2 {
            let delay = moments.before(span);
            let mut child = spawn(&cache, &start_or_resume(case, &out));
            std::thread::sleep(delay);
            tried += 1;
            if child.try_wait().unwrap().is_none() {
                hit += 1;
            } else {
                // The run was quicker than the one measured: the next kills come sooner.
                span = span.min(delay);
            }
            let _ = child.kill();
            child.wait().unwrap();
            when.push_str(&format!(" {delay:?}"));
        }
        finish(&cache, &start_or_resume(case, &out), &when);
        let got = contents(&out);
        assert_eq!(
            got.keys().collect::<Vec<_>>(),
            expected.keys().collect::<Vec<_>>(),
            "{when}: other files"
        );
        for (name, bytes) in &expected {
            assert!(&got[name] == bytes, "{when}: {} differs", name.display());
        }
        std::fs::remove_dir_all(&out).unwrap();
    }
    eprintln!("{hit} of {tried} kills came before the end of a run");
    assert!(hit * 3 >= tried, "only {hit} of {tried} kills hit");
}

#[test]
fn fifty_kills_change_no_byte_of_coop() {
    kills_change_no_byte(&Case {
        settings: &["--shots", "4", "--epochs", "12", "--context", "4"],
        every: 1,
    });
}

#[test]
fn kills_change_no_byte_of_a_run_in_bf16() {
    kills_change_no_byte(&Case {
        settings: &[
            "--precision",
            "bf16",
            "--method",
            "vpt",
            "--shots",
            "2",
            "--epochs",
            "3",
            "--prompts",
            "2",
            "--set",
            "train.batch_size=4",
        ],
        every: 10,
    });
}

#[test]
fn kills_change_no_byte_of_visual_prompts_with_dropout() {
    kills_change_no_byte(&Case {
        settings: &[
            "--method",
            "vpt",
            "--shots",
            "2",
            "--epochs",
            "3",
            "--prompts",
            "2",
            "--set",
            "vpt.dropout=0.3",
            "--set",
            "train.batch_size=4",
        ],
        every: 5,
    });
}

#[test]
fn kills_change_no_byte_of_prompts_that_depend_on_images() {
    kills_change_no_byte(&Case {
        settings: &[
            "--method",
            "cocoop",
            "--shots",
            "1",
            "--epochs",
            "2",
            "--set",
            "train.batch_size=2",
        ],
        every: 10,
    });
}
