//! A run that is killed at a random moment and resumed ends with the bytes of a run left alone.
#![allow(clippy::unwrap_used, clippy::print_stderr)]

mod common;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use common::vlpt;

/// Kills tried; `VLPT_KILLS` asks for another number.
const KILLS: usize = 50;

fn args(out: &Path) -> Vec<String> {
    [
        "train",
        "drawn:shapes",
        "--shots",
        "4",
        "--set",
        "train.epochs=30",
        "--set",
        "coop.context=4",
        "--threads",
        "1",
    ]
    .into_iter()
    .map(str::to_owned)
    .chain(["--out".to_owned(), out.display().to_string()])
    .collect()
}

/// Every file of a run folder but the timings, which differ from run to run by nature.
fn contents(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(&next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.file_name().is_none_or(|n| n != "timings.jsonl") {
                let name = path.strip_prefix(folder).unwrap().to_path_buf();
                files.insert(name, std::fs::read(&path).unwrap());
            }
        }
    }
    files
}

#[test]
fn fifty_kills_change_no_byte() {
    let root = tempfile::tempdir().unwrap();
    let cache = root.path().join("cache");
    let spawn = |args: &[String]| {
        vlpt()
            .env("XDG_CACHE_HOME", &cache)
            .arg("--quiet")
            .args(args)
            .spawn()
            .expect("the binary starts")
    };

    // The first run fills the feature cache; the second shows how long a run then takes.
    assert!(
        spawn(&args(&root.path().join("first")))
            .wait()
            .unwrap()
            .success()
    );
    let whole = root.path().join("whole");
    let start = Instant::now();
    assert!(spawn(&args(&whole)).wait().unwrap().success());
    let mut span = start.elapsed().as_micros() as u64;
    let expected = contents(&whole);
    assert!(
        expected.contains_key(Path::new("prompt/adapter_model.safetensors")),
        "{:?}",
        expected.keys()
    );

    let kills = std::env::var("VLPT_KILLS")
        .ok()
        .map_or(KILLS, |n| n.parse().expect("VLPT_KILLS is a number"));
    let mut moment = SystemTime::UNIX_EPOCH.elapsed().unwrap().as_nanos() as u64 | 1;
    let mut hit = 0;
    for kill in 0..kills {
        let out = root.path().join(format!("killed-{kill}"));
        // A step of a xorshift generator; the seed is printed with a failure.
        moment ^= moment << 13;
        moment ^= moment >> 7;
        moment ^= moment << 17;
        let delay = Duration::from_micros(moment % span);
        let mut child = spawn(&args(&out));
        std::thread::sleep(delay);
        let early = child.try_wait().unwrap().is_none();
        hit += usize::from(early);
        if !early {
            // The run was quicker than the one measured: the next kills come sooner.
            span = span.min(delay.as_micros() as u64);
        }
        let _ = child.kill();
        child.wait().unwrap();

        let resume = [
            "train".to_owned(),
            "--resume".to_owned(),
            out.display().to_string(),
        ];
        let again = if out.join("config.toml").exists() {
            spawn(&resume)
        } else {
            spawn(&args(&out))
        }
        .wait()
        .unwrap();
        assert!(
            again.success(),
            "kill {kill} after {delay:?}: the run could not go on"
        );
        let got = contents(&out);
        assert_eq!(
            got.keys().collect::<Vec<_>>(),
            expected.keys().collect::<Vec<_>>(),
            "kill {kill} after {delay:?}: other files"
        );
        for (name, bytes) in &expected {
            assert!(
                &got[name] == bytes,
                "kill {kill} after {delay:?}: {} differs",
                name.display()
            );
        }
        std::fs::remove_dir_all(&out).unwrap();
    }
    assert!(
        hit * 2 >= kills,
        "only {hit} of {kills} kills came before the end"
    );
}
